"""A record as a table: plain text for a terminal, or Markdown for a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.peers import OWN

Record = Mapping[str, Any]
Rows = list[list[str]]

NOTE = (
    "Microseconds a step or a call: the median of turns that the libraries took in one run, each "
    "at the better number of threads (in parentheses). Ratio: pymlp's time over the best peer's; "
    "mark: what that may be at most. Floor: the matrix products at the peak measured in the same "
    "run; share: the floor over pymlp's time."
)


def rows_of(cells: Sequence[Record], libraries: Sequence[str]) -> Rows:
    """Return the title row and a row for each cell."""
    titles = ["cell", *libraries, "ratio", "mark", "", "floor", "share"]
    return [titles, *(_row(cell, libraries) for cell in cells)]


def _row(cell: Record, libraries: Sequence[str]) -> list[str]:
    verdict = {True: "met", False: "missed", None: ""}[cell["meets_mark"]]
    share = cell["share_of_floor"]
    return [
        cell["name"],
        *(_time(cell["best"].get(library)) for library in libraries),
        _number(cell["ratio"]),
        _number(cell["mark_ratio"]),
        verdict,
        microseconds(cell["floor"]),
        "" if share is None else f"{share:.0%}",
    ]


def _time(best: Mapping[str, float] | None) -> str:
    return "" if best is None else f"{microseconds(best['microseconds'])} ({best['threads']})"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


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
        f"{library}: " + ", ".join(f"{key} {value}" for key, value in about.items())
        for library, about in record["libraries"].items()
    ]
    return "\n".join([*lines, *(f"{k} is left out: {v}" for k, v in record["left_out"].items())])
