"""The picture of a run: for each task every library's time, as a multiple of pymlp's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import palette, tables
from benchmarks.peers import OWN

Record = Mapping[str, Any]

_ROW = 0.36  # inches
_WIDTH, _HEAD, _FOOT, _GAP = 11.0, 1.0, 0.75, 0.5
_GREY = "#777777"
_LEAST = 0.05  # floors further to the left than this would squeeze the rest


_FLOOR: dict[str, Any] = {"marker": "|", "color": _GREY, "markersize": 11, "linestyle": "none"}
_MARK: dict[str, Any] = {
    "marker": "D",
    "color": palette.COLOURS[OWN],
    "markerfacecolor": "none",
    "markersize": 6,
    "linestyle": "none",
}


@palette.look()
def draw(record: Record, path: Path) -> None:
    """Write PATH.png and PATH.svg."""
    import matplotlib.pyplot as plt

    panels = [
        (title, [cell for cell in record["cells"] if cell["training"] is training and has(cell)])
        for title, training in (("Training, one step", True), ("Inference, one call", False))
    ]
    panels = [(title, cells) for title, cells in panels if cells]
    rows = [len(cells) for _, cells in panels]
    height = _HEAD + _FOOT + sum(rows) * _ROW + _GAP * (len(rows) - 1)
    figure, axes = plt.subplots(
        len(rows), 1, figsize=(_WIDTH, height), sharex=True, squeeze=False, height_ratios=rows
    )
    for axis, (title, cells) in zip(axes[:, 0], panels, strict=True):
        draw_panel(axis, title, cells)
    axes[-1, 0].set_xlabel("time as a multiple of pymlp's (logarithmic; to the right is slower)")
    caption(figure, axes[0, 0], record, height)
    # The gap is given as a share of the mean height of the panels.
    gap = _GAP / (sum(rows) * _ROW / len(rows))
    figure.subplots_adjust(
        left=0.48, right=0.98, top=1 - _HEAD / height, bottom=_FOOT / height, hspace=gap
    )
    palette.save(figure, path)
    plt.close(figure)


def has(cell: Record) -> bool:
    """Return whether there is a time of ours to compare with."""
    return OWN in cell["best"]


def draw_panel(axis: Any, title: str, cells: Sequence[Record]) -> None:
    """Draw a row of dots for each task, the first on top."""
    axis.set_title(title, x=0, pad=6)
    axis.set_xscale("log")
    axis.axvline(1, color=palette.COLOURS[OWN], linewidth=1, zorder=1)
    for y, cell in enumerate(cells):
        draw_row(axis, y, cell)
    axis.set_yticks(range(len(cells)), [label(cell) for cell in cells], fontsize=8.5)
    axis.set_ylim(len(cells) - 0.4, -0.6)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x", color=palette.FAINT, linewidth=0.7, zorder=0)
    axis.set_axisbelow(True)
    axis.xaxis.set_major_locator(ticks())
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_formatter("")


def ticks() -> Any:
    """Return the places of the numbers below the axis."""
    from matplotlib.ticker import LogLocator

    return LogLocator(subs=(1, 2, 5), numticks=20)


def draw_row(axis: Any, y: int, cell: Record) -> None:
    """Draw every library's dot, the floor, and where the best peer would be at the mark."""
    own = cell["best"][OWN]["microseconds"]
    relative = {k: best["microseconds"] / own for k, best in cell["best"].items()}
    axis.plot([min(relative.values()), max(relative.values())], [y, y], color=palette.FAINT, lw=2)
    for library, value in relative.items():
        axis.plot(
            value,
            y,
            palette.SHAPES[library],
            color=palette.COLOURS[library],
            markersize=7.5 if library == OWN else 6,
            markeredgecolor="white",
            markeredgewidth=0.6,
            zorder=4 if library == OWN else 3,
            linestyle="none",
        )
    if cell["floor"]:
        axis.plot(max(cell["floor"] / own, _LEAST), y, **_FLOOR, zorder=2)
    asked, bounds = cell["asked"], []
    if "share" in asked and cell["floor"]:
        bounds.append(cell["floor"] / asked["share"] / own)
    if cell["ratio"]:
        bounds.append(cell["ratio"] / asked["ratio"])
    if bounds:
        axis.plot(min(bounds), y, **_MARK, zorder=2)


def label(cell: Record) -> str:
    """Return the task's name, and our time."""
    time = tables.microseconds(cell["best"][OWN]["microseconds"])
    return f"{cell['name'].removeprefix('predict ')}   {time} µs"


def caption(figure: Any, axis: Any, record: Record, height: float) -> None:
    """Say above the dots what they are, and where and when they were measured."""
    from matplotlib.lines import Line2D

    names = dict.fromkeys(k for cell in record["cells"] for k in cell["best"])
    handles = [
        Line2D([], [], color=palette.COLOURS[k], marker=palette.SHAPES[k], linestyle="none")
        for k in names
    ]
    labels = list(names)
    for style, text in ((_FLOOR, "floor"), (_MARK, "asked of pymlp, at most")):
        handles.append(Line2D([], [], **style))
        labels.append(text)
    figure.legend(
        handles, labels, loc="upper left", ncols=5, bbox_to_anchor=(0.01, 1 - 0.3 / height)
    )
    machine = record["machine"]
    where = f"{machine['processor']}, {machine['cores']} cores, {record['date'][:10]}"
    figure.text(0.015, 1 - 0.24 / height, f"pymlp beside other libraries: {where}", weight="bold")
    figure.text(
        0.015,
        0.12 / height,
        "Median of turns in one run, each library at its better number of threads; µs are pymlp's.",
        fontsize=7.5,
        color=_GREY,
    )
