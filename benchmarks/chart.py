"""The picture of a run: how many times as fast as every other library pymlp is, task by task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import palette
from benchmarks.peers import NO_PEERS, OWN

Record = Mapping[str, Any]

_ROW = 0.66  # inches
_WIDTH, _HEAD, _FOOT = 11.5, 0.78, 0.95
_GREY = "#777777"
_SPREAD = 0.22  # rows of a library's dots, of the distance to the next one's


@palette.look()
def draw(record: Record, path: Path) -> None:
    """Write PATH.png and PATH.svg."""
    import matplotlib.pyplot as plt

    panels = [
        (title, ratios(record, training))
        for title, training in (("Training, one step", True), ("Prediction, one call", False))
    ]
    panels = [(title, found) for title, found in panels if found]
    height = _HEAD + _FOOT + max(len(found) for _, found in panels) * _ROW
    figure, axes = plt.subplots(1, len(panels), figsize=(_WIDTH, height), squeeze=False)
    for axis, (title, found) in zip(axes[0], panels, strict=True):
        draw_panel(axis, title, found)
    caption(figure, record, height)
    figure.subplots_adjust(
        left=0.085, right=0.985, top=1 - _HEAD / height, bottom=_FOOT / height, wspace=0.28
    )
    palette.save(figure, path)
    plt.close(figure)


def ratios(record: Record, training: bool) -> dict[str, list[float]]:
    """Return every other library's time over pymlp's, task by task; the fastest library first."""
    found: dict[str, list[float]] = {}
    for cell in record["cells"]:
        best = cell["best"]
        if cell["training"] is not training or OWN not in best:
            continue
        for library in best.keys() - NO_PEERS - {OWN}:
            ratio = best[library]["microseconds"] / best[OWN]["microseconds"]
            found.setdefault(library, []).append(ratio)
    return dict(sorted(found.items(), key=lambda item: median(item[1])))


def draw_panel(axis: Any, title: str, found: Mapping[str, Sequence[float]]) -> None:
    """Draw a row of dots for each library, with the median in words."""
    axis.set_title(title, x=0, pad=6)
    axis.set_xscale("log")
    axis.axvspan(1e-3, 1, color="#f2f2f2", zorder=0)
    axis.axvline(1, color=_GREY, linewidth=1, zorder=1)
    for y, (library, values) in enumerate(found.items()):
        draw_row(axis, y, library, values)
    axis.set_yticks(range(len(found)), list(found), fontsize=10)
    axis.set_ylim(len(found) - 0.45, -0.6)
    highest = max(max(values) for values in found.values())
    lowest = min(min(values) for values in found.values())
    axis.set_xlim(min(0.8, 0.9 * lowest), 1.3 * highest)
    axis.set_xlabel("times as fast (logarithmic)")
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x", color=palette.FAINT, linewidth=0.7, zorder=0)
    axis.set_axisbelow(True)
    axis.xaxis.set_major_locator(ticks())
    axis.xaxis.set_major_formatter("{x:g}×")  # noqa: RUF001
    axis.xaxis.set_minor_formatter("")


def ticks() -> Any:
    """Return the places of the numbers below the axis."""
    from matplotlib.ticker import LogLocator

    return LogLocator(subs=(1, 2, 5), numticks=20)


def draw_row(axis: Any, y: int, library: str, values: Sequence[float]) -> None:
    """Draw a library's dots in three rows, that they cover each other less, and their median."""
    colour, middle = palette.COLOURS[library], median(values)
    heights = [y + _SPREAD * (i % 3 - 1) for i in range(len(values))]
    axis.plot(
        sorted(values), heights, "o", color=colour, markersize=6.5, alpha=0.75,
        markeredgecolor="white", markeredgewidth=0.6, zorder=3,
    )  # fmt: skip
    axis.plot([middle, middle], [y - 0.36, y + 0.36], color=palette.INK, linewidth=2.2, zorder=4)
    axis.annotate(
        f"{middle:.1f}×", (middle, y - 0.36), xytext=(0, 1.5), textcoords="offset points",  # noqa: RUF001
        ha="center", va="bottom", weight="bold", fontsize=9, color=palette.INK, zorder=5,
    )  # fmt: skip


def caption(figure: Any, record: Record, height: float) -> None:
    """Say above the dots what they are, and below where and when they were measured."""
    machine = record["machine"]
    figure.text(
        0.02, 1 - 0.27 / height, "pymlp is so many times as fast as …", weight="bold", fontsize=12
    )
    sizes = [sum((a + 1) * b for a, b in pairwise(w)) for w in widths(record)]
    where = f"{machine['processor']}, {machine['cores']} cores, {record['date'][:10]}"
    figure.text(
        0.02,
        0.14 / height,
        f"Dots are tasks, {len(record['cells'])} in all, of networks with {min(sizes):,} to "
        f"{max(sizes):,} parameters; bars are their medians.\nTimes are medians of turns taken in "
        f"one run, each library at its better number of threads: {where}, python -m benchmarks",
        fontsize=7.5,
        color=_GREY,
    )


def widths(record: Record) -> list[Sequence[int]]:
    """Return the layer widths of all tasks."""
    return [cell["widths"] for cell in record["cells"]]
