"""What a file of text does not say about itself: its delimiter, and whether the first row names."""

from __future__ import annotations

import csv
import io
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pymlp.tabular.date_text import read_dates
from pymlp.tabular.number_text import read_numbers
from pymlp.tabular.text import is_missing

__all__ = ["Layout", "column_names", "csv_reader", "find_layout", "has_header", "split"]

# Rows looked at: enough to be sure, few enough to cost nothing.
_SAMPLE = 1000
_SAMPLE_OF_LINES = 1_000_000  # characters
_DELIMITERS = "\t;|,"


class Layout(NamedTuple):
    """How the rows of a file are read."""

    delimiter: str
    has_header: bool
    names: tuple[str, ...]
    renamed: tuple[str, ...]
    """Names that stand more than once, of which the later ones have a number behind."""
    top_line: int
    """That of the header, or of the first row."""
    first_line: int | None
    """That of the first row below the header, where there is one."""


def csv_reader(text: str, delimiter: str) -> Any:
    """Return the standard library's reader of a text."""
    lines = io.StringIO(text, newline="")
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)


def split(text: str, delimiter: str, source: str, line: int = 1) -> Iterator[tuple[int, list[str]]]:
    """Split text into rows of cells, each with its line; blank lines are left out."""
    reader, first = csv_reader(text, delimiter), line
    try:
        for row in reader:
            if len(row) > 1 or (row and row[0].strip()):
                yield line, row
            line = first + reader.line_num  # a quoted cell may hold line breaks
    except csv.Error as error:
        raise ValueError(f"{source}, row {line}: {reason(error)}") from None


def reason(error: csv.Error) -> str:
    """Return what the standard library's reader finds wrong."""
    unclosed = "a cell in quotation marks does not end"
    return unclosed if str(error) == "unexpected end of data" else str(error)


def find_layout(
    text: str,
    source: str,
    *,
    delimiter: str | None = None,
    header: bool | None = None,
    expected: Sequence[str] = (),
) -> Layout:
    """Find out how a file is laid out.

    Parameters
    ----------
    text : str
        Its beginning, whole records.
    source : str
        What to call it in messages.
    delimiter : str, optional
        None takes the one of tab, semicolon, bar and comma that cuts all rows into the same number
        of cells; of several that do, the one behind which most numbers appear.
    header : bool, optional
        Whether the first row names the columns. None looks whether text stands over numbers.
    expected : sequence of str
        Names that make the first row a header where it has them all.

    Returns
    -------
    Layout

    Raises
    ------
    ValueError
        Where the file is empty, or the first row may be either.
    """
    said, skipped = _said_delimiter(text)
    lines = text.split("\n", skipped)[-1][:_SAMPLE_OF_LINES]
    if not lines.strip():
        raise ValueError(f"{source} is empty")
    mark = delimiter or said or _likely_delimiter(lines)
    rows, numbers = _sample(lines, mark, source, 1 + skipped)
    if not rows:  # quotes around nothing
        raise ValueError(f"{source} is empty")
    first = [cell.strip() for cell in rows[0]]
    if header is None:
        header = bool(expected) and set(expected) <= set(first)
        header = header or has_header(rows, f"{source}, row {numbers[0]}")
    names, renamed = column_names(rows[0], header)
    below = numbers[header : header + 1]
    return Layout(mark, header, names, renamed, numbers[0], below[0] if below else None)


def _sample(text: str, delimiter: str, source: str, line: int) -> tuple[list[list[str]], list[int]]:
    numbered = list(itertools.islice(split(text, delimiter, source, line), _SAMPLE + 1))
    return [row for _, row in numbered], [number for number, _ in numbered]


def _said_delimiter(text: str) -> tuple[str | None, int]:
    first = text[:7].split("\n")[0].strip('\r"')
    return (first[4], 1) if first.lower().startswith("sep=") and len(first) == 5 else (None, 0)


def _likely_delimiter(text: str) -> str:
    scores: dict[str, tuple[float, float]] = {}
    for mark in _DELIMITERS:
        try:
            rows = [row for _, row in itertools.islice(split(text, mark, ""), 50)]
        except ValueError:  # it is told when the file is read
            scores |= {mark: (0.0, 0.0)} if mark in text.split("\n", 1)[0] else {}
            continue
        width, count = Counter(map(len, rows)).most_common(1)[0] if rows else (0, 0)
        if width > 1 and len(rows[0]) > 1:
            cells = [cell.strip() for row in rows for cell in row]
            scores[mark] = (count / len(rows), _share_of_values(cells))
    if scores:
        return max(scores, key=scores.__getitem__)
    return next((mark for mark in _DELIMITERS if mark not in text), ",")  # one column


def _share_of_values(cells: Sequence[str]) -> float:
    good = read_numbers(cells, ".")[1] | read_numbers(cells, ",")[1] | read_dates(cells)[1]
    return float(good.mean())


def has_header(rows: Sequence[Sequence[str]], place: str) -> bool:
    """Decide by the first rows whether the very first names the columns.

    Text over a column of numbers or dates speaks for a header; a number among the first cells
    speaks against it. Where both hold, only the user knows. In a file of text alone, a header is a
    row of which no cell occurs again in its column.
    """
    first, rest = [cell.strip() for cell in rows[0]], rows[1:]
    number = next((c for c in first if _is_value(c) and not is_missing(c)), None)
    title = next((c for i, c in enumerate(first) if _stands_over_values(c, rest, i)), None)
    if title is not None and number is not None:
        raise ValueError(
            f"{place}: {title!r} over a column of numbers is like a header, the number {number!r} "
            "is not; say --header or --no-header"
        )
    if title is not None or number is not None:
        return title is not None
    unique = len(set(first)) == len(first) and not any(map(is_missing, first))
    below = [{row[i].strip() for row in rest if i < len(row)} for i in range(len(first))]
    return unique and not any(cell in cells for cell, cells in zip(first, below, strict=True))


def _is_value(cell: str) -> bool:
    return _are_values([cell])


def _are_values(cells: Sequence[str]) -> bool:
    found = (read_numbers(cells, mark)[1].all() for mark in ".,")
    return any(found) or bool(read_dates(cells)[1].all() or read_dates(cells, "dmy")[1].all())


def _stands_over_values(cell: str, rest: Sequence[Sequence[str]], position: int) -> bool:
    if is_missing(cell) or _is_value(cell):
        return False
    below = [row[position].strip() for row in rest if position < len(row)]
    below = [text for text in below if not is_missing(text)]
    return bool(below) and _are_values(below)


def column_names(first: Sequence[str], header: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of columns, each once, and those that stood there more than once.

    A column without a name has its position, from 0; the second of a name is ``name.2``.
    """
    if not header:
        return tuple(map(str, range(len(first)))), ()
    wanted = [cell.strip() or str(i) for i, cell in enumerate(first)]
    counts, taken, names = Counter(wanted), set(wanted), []
    seen: Counter[str] = Counter()
    for name in wanted:
        seen[name] += 1
        new = name
        while seen[name] > 1 and (new := f"{name}.{seen[name]}") in taken:
            seen[name] += 1
        taken.add(new)
        names.append(new)
    return tuple(names), tuple(name for name, count in counts.items() if count > 1)
