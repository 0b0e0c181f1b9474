"""CSV files as named columns of cells, where every complaint names its row and its column."""

from __future__ import annotations

import argparse
import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pymlp._registry import nearest

FloatArray = NDArray[np.float64]

# What spreadsheets and data tools write where a value is absent, in any letter case.
MISSING = frozenset({"", "na", "n/a", "nan", "null", "?"})

# Rows looked at to tell a header from data: enough to be sure, few enough to cost nothing.
_HEADER_SAMPLE = 1000


def is_missing(cell: str) -> bool:
    """Tell whether a cell stands for an absent value."""
    return cell.strip().lower() in MISSING


def parse_numbers(cells: Sequence[str]) -> FloatArray | None:
    """Read a whole column as numbers, or return None where any cell is text.

    ``float`` also takes ``1_000`` and the digits of other scripts; in a data file these are text.
    """
    joined = "".join(cells)
    if "_" in joined or not joined.isascii():
        return None
    try:
        return np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        return None


def is_number(cell: str) -> bool:
    """Tell whether one cell reads as a number."""
    return parse_numbers([cell]) is not None


def suggestion(name: str, known: Iterable[str]) -> str:
    """Say which known name was probably meant, or which names there are."""
    names = list(known)
    near = nearest(name, names)
    if near is not None:
        return f"did you mean {near!r}?"
    shown = ", ".join(repr(other) for other in names[:10])
    return f"known: {shown}{', ...' if len(names) > 10 else ''}"


@dataclass(frozen=True)
class Column:
    """The cells of one column, as text.

    Attributes
    ----------
    name
        The header's cell, or the position (from 0) where the file has no header.
    cells
        The text of each row.
    lines
        The line of the file on which each row begins, as an editor counts them.
    source
        The file's name, for messages.
    """

    name: str
    cells: Sequence[str]
    lines: Sequence[int]
    source: str

    def place(self, row: int) -> str:
        """Name the file, line and column of one cell."""
        return f"{self.source}, row {self.lines[row]}, column {self.name!r}"

    @cached_property
    def values(self) -> FloatArray | None:
        """The cells as finite numbers, or None where any is text; a missing one is an error."""
        values = parse_numbers(self.cells)
        finite = values is not None and bool(np.isfinite(values).all())
        if not finite:
            self._refuse_missing()
        if values is not None and not finite:
            row = int(np.argmin(np.isfinite(values)))
            raise ValueError(f"{self.place(row)}: {self.cells[row]!r} is not a finite number")
        return values

    def numbers(self) -> FloatArray:
        """Return the cells as finite numbers.

        Raises
        ------
        ValueError
            Where a cell is missing, infinite or text.
        """
        if self.values is None:
            row = next(i for i, cell in enumerate(self.cells) if not is_number(cell))
            raise ValueError(f"{self.place(row)}: {self.cells[row].strip()!r} is not a number")
        return self.values

    def texts(self) -> list[str]:
        """Return the cells without the white space around them; a missing cell is an error."""
        texts = [cell.strip() for cell in self.cells]
        if any(map(is_missing, set(texts))):
            self._refuse_missing()
        return texts

    def _refuse_missing(self) -> None:
        for row, cell in enumerate(self.cells):
            if is_missing(cell):
                shown = f" ({cell.strip()!r})" if cell.strip() else ""
                raise ValueError(f"{self.place(row)}: missing value{shown}")


@dataclass(frozen=True)
class Table:
    """A CSV file in memory: equally long columns, and whether a header named them."""

    source: str
    columns: tuple[Column, ...]
    has_header: bool

    @property
    def n_rows(self) -> int:
        """The number of rows, the header not counted."""
        return len(self.columns[0].cells)

    @property
    def names(self) -> list[str]:
        """The names of the columns, in the order of the file."""
        return [column.name for column in self.columns]

    def position(self, name: str) -> int:
        """Find a column by its name, or else by its index (from 0; -1 is the last).

        Raises
        ------
        ValueError
            Where there is neither; the message suggests the nearest name.
        """
        if name in self.names:
            return self.names.index(name)
        try:
            return range(len(self.columns))[int(name)]
        except (ValueError, IndexError):
            raise self._unknown([name]) from None

    def select(self, names: Sequence[str]) -> list[Column]:
        """Return the columns of these names; those that are not there are named in the error."""
        columns = {column.name: column for column in self.columns}
        missing = [name for name in names if name not in columns]
        if missing:
            raise self._unknown(missing)
        return [columns[name] for name in names]

    def _unknown(self, names: Sequence[str]) -> ValueError:
        shown = ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")
        return ValueError(
            f"{self.source} has no column {shown}; {suggestion(names[0], self.names)}"
        )


def read_csv(
    path: str | PathLike[str],
    *,
    delimiter: str | None = None,
    header: bool | None = None,
    expected: Sequence[str] = (),
) -> Table:
    """Read a CSV file.

    Parameters
    ----------
    path
        A UTF-8 file, with or without a byte-order mark. Blank lines are skipped.
    delimiter
        One character; None takes the comma, or the semicolon or tab where the first line has those
        and no comma.
    header
        Whether the first row names the columns; None decides by what stands in it.
    expected
        Column names that, found in the first row, make it a header.

    Raises
    ------
    OSError
        Where the file cannot be read.
    ValueError
        Where it is empty, not UTF-8, or a row has more or fewer cells than the first.
    """
    source = str(path)
    text = _read_text(Path(path))
    if not text.strip():
        raise ValueError(f"{source} is empty")
    rows, lines = _read_rows(text, delimiter or _detect_delimiter(text), source)
    if header is None:
        named = bool(expected) and set(expected) <= {cell.strip() for cell in rows[0]}
        header = named or _is_header(rows[: _HEADER_SAMPLE + 1], f"{source}, row {lines[0]}")
    names = _column_names(rows[0], header, source)
    if header:
        del rows[0], lines[0]
    if not rows:
        raise ValueError(f"{source} has a header and no rows under it")
    cells = zip(*rows, strict=True)
    columns = (Column(name, c, lines, source) for name, c in zip(names, cells, strict=True))
    return Table(source, tuple(columns), header)


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = error.object[: error.start].count(b"\n") + 1
        byte = error.object[error.start]
        raise ValueError(f"{path}, row {row}: byte 0x{byte:02x} is not UTF-8 text") from None


def _detect_delimiter(text: str) -> str:
    first_line = text.lstrip("\r\n ")[:65536].splitlines()[0]
    return next((mark for mark in ",;\t" if mark in first_line), ",")


def _read_rows(text: str, delimiter: str, source: str) -> tuple[list[list[str]], list[int]]:
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True
    )
    rows: list[list[str]] = []
    lines: list[int] = []
    line = 1
    try:
        for row in reader:
            if len(row) > 1 or (row and row[0].strip()):
                rows.append(row)
                lines.append(line)
            line = reader.line_num + 1  # a quoted cell may hold line breaks
    except csv.Error as error:
        raise ValueError(f"{source}, row {line}: {error}") from None
    width = len(rows[0])
    for row, line in zip(rows, lines, strict=True):
        if len(row) != width:
            place = f"{source}, row {line}"
            raise ValueError(f"{place}: {len(row)} cells, where row {lines[0]} has {width}")
    return rows, lines


def _is_header(rows: Sequence[Sequence[str]], place: str) -> bool:
    """Decide by the first rows whether the very first names the columns.

    Text over a column of numbers speaks for a header; a number among the first cells speaks
    against it. Where both hold, only the user knows. In a file of text alone, a header is a row
    of which no cell occurs again in its column.
    """
    first, rest = [cell.strip() for cell in rows[0]], rows[1:]
    number = next((c for c in first if is_number(c) and not is_missing(c)), None)
    title = next((c for i, c in enumerate(first) if _stands_over_numbers(c, rest, i)), None)
    if title is not None and number is not None:
        raise ValueError(
            f"{place}: {title!r} over a column of numbers is like a header, the number {number!r} "
            "is not; say --header or --no-header"
        )
    if title is not None or number is not None:
        return title is not None
    unique = len(set(first)) == len(first) and not any(map(is_missing, first))
    return unique and not any(
        cell == row[i].strip() for i, cell in enumerate(first) for row in rest
    )


def _stands_over_numbers(cell: str, rest: Sequence[Sequence[str]], position: int) -> bool:
    if is_missing(cell) or is_number(cell):
        return False
    below = [row[position] for row in rest if not is_missing(row[position])]
    return bool(below) and parse_numbers(below) is not None


def _column_names(first: Sequence[str], header: bool, source: str) -> list[str]:
    if not header:
        return [str(i) for i in range(len(first))]
    names = [cell.strip() or str(i) for i, cell in enumerate(first)]
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise ValueError(f"{source}: {count} columns are named {name!r}")
    return names


def read_table(arguments: argparse.Namespace, expected: Sequence[str] = ()) -> Table:
    """Read the file that a command line names, in the way it says."""
    delimiter = "\t" if arguments.delimiter == "tab" else arguments.delimiter
    return read_csv(arguments.data, delimiter=delimiter, header=arguments.header, expected=expected)
