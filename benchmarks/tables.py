"""A record as a table: plain text for a terminal, or Markdown for a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.cells import AHEAD
from benchmarks.peers import OWN

Record = Mapping[str, Any]
Rows = list[list[str]]

NOTE = (
    "Microseconds a step or a call: the median of turns that the libraries took in one run, each "
    "at the better number of threads (in parentheses). Ratio: the best peer's time over pymlp's "
    "(medium and bf16 are another arithmetic and no peers). Floor: the matrix products at the "
    "speed that all cores sustain on random numbers, or the parameters at the speed of the caches "
    "that hold them; share: the floor over pymlp's time. Asked: what those are to be at least."
)


def rows_of(cells: Sequence[Record], libraries: Sequence[str]) -> Rows:
    """Return the title row and a row for each cell."""
    titles = ["cell", *libraries, "ratio", "floor", "share", "asked", "verdict"]
    return [titles, *(_row(cell, libraries) for cell in cells)]


def _row(cell: Record, libraries: Sequence[str]) -> list[str]:
    missed, ratio = cell["missed"], cell["ratio"]
    return [
        cell["name"],
        *(_time(cell["best"].get(library)) for library in libraries),
        "" if ratio is None else f"{ratio:.2f}",
        microseconds(cell["floor"]),
        _percent(cell["share_of_floor"]),
        _asked(cell["asked"]),
        "" if missed is None else f"missed: {', '.join(missed)}" if missed else "met",
    ]


def _asked(asked: Mapping[str, float]) -> str:
    """Return what is asked; to be ahead is asked everywhere, and not said."""
    parts = [_percent(asked.get("share"))]
    if asked.get("ratio", 0) > AHEAD:
        parts.append(f"{asked['ratio']:.4g}x")
    if "microseconds" in asked:
        parts.append(f"{asked['microseconds']:,g} µs")
    return ", ".join(part for part in parts if part)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


def _time(best: Mapping[str, float] | None) -> str:
    return "" if best is None else f"{microseconds(best['microseconds'])} ({best['threads']})"


def microseconds(value: float | None) -> str:
    """Return a time in three digits or so; nothing where there is none."""
    if value is None:
        return ""
    return (
        f"{value:,.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
    )


def libraries_of(cells: Sequence[Record]) -> list[str]:
    """Return the libraries that have a time in any of these cells, ours first."""
    found = dict.fromkeys(library for cell in cells for library in cell["best"])
    return [OWN, *(library for library in found if library != OWN)]


def text(rows: Rows) -> str:
    """Return rows in columns, the first one to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join(lines)


def markdown(rows: Rows) -> str:
    """Return rows as a Markdown table."""
    rule = ["---"] + ["---:"] * (len(rows[0]) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [rows[0], rule, *rows[1:]])


def both_kinds(record: Record, layout: Any = text) -> str:
    """Return the table of training and that of inference, those of them that have cells."""
    parts = []
    for training in (True, False):
        cells = [cell for cell in record["cells"] if cell["training"] is training]
        if cells:
            parts.append(layout(rows_of(cells, libraries_of(cells))))
    return "\n\n".join(parts)


def libraries(record: Record) -> str:
    """Return what ran: each library with its version and kernels, and those left out."""
    lines = [
        f"{library}: " + ", ".join(f"{k} {v}" for k, v in about.items() if "\n" not in v)
        for library, about in record["libraries"].items()
    ]
    return "\n".join([*lines, *(f"{k} is left out: {v}" for k, v in record["left_out"].items())])
