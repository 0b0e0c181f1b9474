"""The picture of a run: what models get wrong, over the seconds that their training takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import palette
from benchmarks.chart import ticks
from benchmarks.quality.summary import Found, Interval, of_half

_WIDTH, _HEIGHT = 11.5, 5.2  # inches
_GREY = "#777777"
# Colour and shape of ours, of other networks and of trees.
_KINDS = {
    "pymlp": ("#d55e00", "D", 9.0),
    "other networks": ("#0072b2", "o", 8.0),
    "trees": ("#009e73", "s", 7.5),
}
_PANELS = (
    ("all", "Error: wrong classes, root mean squared error"),
    ("log-loss", "Log-loss of classification"),
)
# Where a name may stand beside its point: offset in points, alignments.
_PLACES = (
    ((8, 0), "left", "center"),
    ((-8, 0), "right", "center"),
    ((0, 8), "center", "bottom"),
    ((0, -8), "center", "top"),
    ((6, 6), "left", "bottom"),
    ((6, -6), "left", "top"),
    ((-6, 6), "right", "bottom"),
    ((-6, -6), "right", "top"),
)


def kind_of(model: str) -> str:
    """Return whether a model is ours, another network or made of trees."""
    if model.startswith("pymlp"):
        return "pymlp"
    return "other networks" if "MLP" in model else "trees"


@palette.look()
def draw(record: Mapping[str, Any], path: Path, reference: str, half: str = "reported") -> None:
    """Write PATH.png and PATH.svg, of one half's data sets."""
    import matplotlib.pyplot as plt

    found = of_half(record["fits"], half)
    figure, axes = plt.subplots(1, 2, figsize=(_WIDTH, _HEIGHT))
    figure.subplots_adjust(left=0.065, right=0.985, top=0.84, bottom=0.2, wspace=0.16)
    for axis, (measure, title) in zip(axes, _PANELS, strict=True):
        axis.set_title(title, x=0, pad=8)
        draw_panel(axis, points_of(found, measure, reference))
    axes[0].set_ylabel(f"relative to {reference}'s")
    legend(axes[1])
    caption(figure, record, found, half)
    palette.save(figure, path)
    plt.close(figure)


def points_of(found: Found, measure: str, reference: str) -> dict[str, tuple[float, Interval]]:
    """Return the seconds of each model, and what it reaches."""
    reached = {model: found.relative(model, measure, reference) for model in found.models}
    return {
        model: (found.seconds(model), interval)
        for model, interval in reached.items()
        if interval is not None
    }


def draw_panel(axis: Any, points: Mapping[str, tuple[float, Interval]]) -> None:
    """Draw a point for each model, with its interval and its name; ours are joined."""
    axis.set_xscale("log")
    axis.grid(color=palette.FAINT, linewidth=0.7)
    axis.set_axisbelow(True)
    axis.axhline(1, color="#bbbbbb", linewidth=1, zorder=1)
    for model, (seconds, interval) in points.items():
        colour, shape, size = _KINDS[kind_of(model)]
        axis.plot([seconds] * 2, [interval.low, interval.high], color=colour, alpha=0.45)
        axis.plot(
            seconds, interval.value, shape, color=colour, markersize=size,
            markeredgecolor="white", markeredgewidth=0.8, zorder=3,
        )  # fmt: skip
    own = sorted((s, i.value) for model, (s, i) in points.items() if kind_of(model) == "pymlp")
    axis.plot([x for x, _ in own], [y for _, y in own], color=_KINDS["pymlp"][0], zorder=2)
    axis.margins(x=0.12, y=0.12)
    axis.set_xlabel("CPU seconds of one training on each data set (logarithmic)")
    axis.xaxis.set_major_locator(ticks())
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_formatter("")
    name_points(axis, {model: (x, interval.value) for model, (x, interval) in points.items()})


def name_points(axis: Any, points: Mapping[str, tuple[float, float]]) -> None:
    """Write each model's name beside its point, where it covers least."""
    from matplotlib.transforms import Bbox

    axis.autoscale_view()  # so that points lie where they will be drawn
    pixels = axis.transData.transform([*points.values()])
    taken = [Bbox.from_extents(x - 8, y - 8, x + 8, y + 8) for x, y in pixels]

    def covered(text: Any) -> int:
        box = text.get_window_extent()
        outside = box.x0 < axis.bbox.x0 or box.x1 > axis.bbox.x1
        return sum(box.overlaps(other) for other in taken) + outside

    for model, point in points.items():
        texts = [write_name(axis, model, point, *place) for place in _PLACES]
        best = min(texts, key=covered)
        taken.append(best.get_window_extent())
        for text in texts:
            if text is not best:
                text.remove()


def write_name(axis: Any, model: str, point: Any, offset: Any, ha: str, va: str) -> Any:
    """Return a model's name, written beside its point."""
    return axis.annotate(
        model, point, xytext=offset, textcoords="offset points", ha=ha, va=va, fontsize=9,
        color=_KINDS[kind_of(model)][0], weight="bold" if kind_of(model) == "pymlp" else "normal",
        zorder=4, bbox={"boxstyle": "square,pad=0.1", "color": "white", "alpha": 0.8},
    )  # fmt: skip


def legend(axis: Any) -> None:
    """Say what colours and shapes are."""
    from matplotlib.lines import Line2D

    marks = [
        Line2D([], [], color=colour, marker=shape, markersize=size - 1, linestyle="", label=kind)
        for kind, (colour, shape, size) in _KINDS.items()
    ]
    axis.legend(handles=marks, loc="upper right", bbox_to_anchor=(1.0, 1.19), ncols=3)


def caption(figure: Any, record: Mapping[str, Any], found: Found, half: str) -> None:
    """Say above the points what they are, and below whence they come."""
    figure.text(
        0.02,
        0.945,
        "What models of tables get wrong, and what they cost",
        weight="bold",
        fontsize=12,
    )
    machine, (fewest, most) = record["machine"], found.n_splits()
    splits = (
        f"{most} split{'s' if most > 1 else ''}" if fewest == most else f"{fewest} to {most} splits"
    )
    lines = "; bars: 95 % intervals over splits" if most > 1 else ""
    figure.text(
        0.02, 0.03,
        f"Geometric means over the {len(found.sets)} data sets of the {half} half, {splits}, at "
        f"most 3,000 training rows{lines}. Lower left is better.\nOne thread each, "
        f"{machine['processor']}, {record['date'][:10]}, python -m benchmarks.quality",
        fontsize=7.5, color=_GREY,
    )  # fmt: skip
