"""The cells of a piece of a CSV file by columns: by pyarrow where it is there, else by csv."""

from __future__ import annotations

import csv
import functools
import importlib
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from pymlp.tabular.arrow import array_of, texts_of
from pymlp.tabular.columns import Column
from pymlp.tabular.reading.layout import csv_reader, reason
from pymlp.tabular.text import MISSING_WORDS, UNREAD, is_missing

__all__ = ["Cells", "Piece", "WrongRow", "read_piece"]

_PLAIN = re.compile(r"[0-9.eE+\-\n]*")  # what float reads as everybody does; not 1_000, not nan


class Cells(Protocol):
    """The cells of one column."""

    def numbers(self) -> NDArray[np.float64] | None:
        """Return them as numbers; None where a cell is neither a plain number nor missing."""

    def texts(self, name: str) -> Column:
        """Return them as texts and codes, missing words as well."""


class WrongRow(NamedTuple):
    """A row that has not as many cells as the first."""

    row: int
    """Its position among the rows, from 0; its cells are taken as missing."""
    line: int
    n_cells: int


class Piece(NamedTuple):
    """Rows of a file by columns."""

    cells: Sequence[Cells]
    lines: Sequence[int]
    """The line of the file on which each row begins, as an editor counts them."""
    wrong: Sequence[WrongRow]


def read_piece(text: str, line: int, delimiter: str, n_columns: int, source: str) -> Piece:
    """Split text into columns.

    Parameters
    ----------
    text : str
        Whole records, without a header.
    line : int
        The number of its first line.
    delimiter : str
    n_columns : int
        The cells of a row. Empty ones beyond are cut off; a row with others beyond, or with fewer,
        is a wrong one.
    source : str
        What to call the file in messages.
    """
    fast = _by_arrow(text, delimiter, n_columns, line) if _fast(text) else None
    return fast or _by_csv(text, line, delimiter, n_columns, source)


# ---- the standard library ------------------------------------------------------------------------

_ROWS = 4096  # whose cells stay in the cache


class _Records:
    """The rows of a text, some thousand at a time, which can be gone through again."""

    def __init__(self, text: str, line: int, delimiter: str, n_columns: int, source: str) -> None:
        self._text, self._line, self._source = text, line, source
        self._delimiter, self._n_columns = delimiter, n_columns
        self.lines: list[int] = []
        self.wrong: list[WrongRow] = []

    def __iter__(self) -> Iterator[list[Sequence[str]]]:
        """Yield columns of cells."""
        self.lines, self.wrong = [], []
        reader = csv_reader(self._text, self._delimiter)
        line = self._line
        try:
            while rows := list(itertools.islice(reader, _ROWS)):
                end = self._line + reader.line_num
                starts = _lines(rows, line, end)
                line = end
                if set(map(len, rows)) != {self._n_columns}:
                    rows, starts = self._mended(rows, starts)
                self.lines += starts
                yield list(zip(*rows, strict=True)) if rows else [()] * self._n_columns
        except csv.Error as error:
            place = f"{self._source}, row {self._line + max(reader.line_num - 1, 0)}"
            raise ValueError(f"{place}: {reason(error)}") from None

    def _mended(
        self, rows: list[list[str]], lines: Sequence[int]
    ) -> tuple[list[list[str]], list[int]]:
        """Leave blank lines out, cut empty cells behind the last column off, note wrong rows."""
        n = self._n_columns
        kept: list[list[str]] = []
        starts: list[int] = []
        for row, line in zip(rows, lines, strict=True):
            if not row or (len(row) == 1 < n and not row[0].strip()):
                continue
            if len(row) < n or any(cell.strip() for cell in row[n:]):
                self.wrong.append(WrongRow(len(self.lines) + len(kept), line, len(row)))
                row = [""] * n
            kept.append(row[:n])
            starts.append(line)
        return kept, starts

    def column(self, position: int) -> Iterator[Sequence[str]]:
        """Yield the cells of one column."""
        return (columns[position] for columns in _Records(*self._arguments()))

    def _arguments(self) -> tuple[str, int, str, int, str]:
        return self._text, self._line, self._delimiter, self._n_columns, self._source


def _lines(rows: Sequence[Sequence[str]], start: int, end: int) -> Sequence[int]:
    """Return the lines on which rows begin; a quoted cell may hold line breaks."""
    if end - start == len(rows):
        return range(start, end)
    breaks = [1 + sum(cell.count("\n") for cell in row) for row in rows]
    return list(itertools.accumulate(breaks[:-1], initial=start))


class _CsvCells:
    """The cells of one column as numbers as long as they are, then as texts and codes."""

    def __init__(self, again: Callable[[], Iterator[Sequence[str]]]) -> None:
        self._again = again
        self._parts: list[NDArray[np.float64]] = []
        self._texts: _Texts | None = None

    def append(self, cells: Sequence[str]) -> None:
        """Take the cells of some rows more."""
        numbers = _numbers(cells) if self._texts is None else None
        if numbers is not None:
            self._parts.append(numbers)
            return
        if self._texts is None:
            self._texts = _Texts(itertools.islice(self._again(), len(self._parts)))
            self._parts = []
        self._texts.append(cells)

    def numbers(self) -> NDArray[np.float64] | None:
        """Return them as numbers; None where a cell is neither a plain number nor missing."""
        return None if self._texts else np.concatenate([np.empty(0), *self._parts])

    def texts(self, name: str) -> Column:
        """Return them as texts and codes, missing words as well."""
        return (self._texts or _Texts(self._again())).column(name)


class _Texts:
    """Distinct texts, and the codes of cells."""

    def __init__(self, parts: Iterable[Sequence[str]]) -> None:
        self._places: dict[str, int] = {}
        self._codes: list[NDArray[np.int32]] = []
        for cells in parts:
            self.append(cells)

    def append(self, cells: Sequence[str]) -> None:
        places = self._places
        for text in dict.fromkeys(cells):
            places.setdefault(text, len(places))
        self._codes.append(np.fromiter(map(places.__getitem__, cells), np.int32, len(cells)))

    def column(self, name: str) -> Column:
        codes = np.concatenate([np.empty(0, np.int32), *self._codes])
        return Column(name, codes, tuple(self._places), UNREAD)


def _numbers(cells: Sequence[str]) -> NDArray[np.float64] | None:
    """Return cells as numbers, NaN for missing ones; None where one is neither."""
    missing = [is_missing(cell) for cell in cells] if _has_missing(cells) else []
    if missing:
        cells = ["0" if m else cell for cell, m in zip(cells, missing, strict=True)]
    try:
        values = np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        return None
    if not (_PLAIN.fullmatch("\n".join(cells)) and np.isfinite(values).all()):
        return None
    if missing:
        values[missing] = np.nan
    return values


def _has_missing(cells: Sequence[str]) -> bool:
    return not all(cells) or not MISSING_WORDS.isdisjoint(cells)


def _by_csv(text: str, line: int, delimiter: str, n_columns: int, source: str) -> Piece:
    records = _Records(text, line, delimiter, n_columns, source)
    columns = [_CsvCells(functools.partial(records.column, i)) for i in range(n_columns)]
    for some in records:
        for column, cells in zip(columns, some, strict=True):
            column.append(cells)
    return Piece(columns, records.lines, records.wrong)


# ---- pyarrow -------------------------------------------------------------------------------------


_LARGE = 2_000_000  # characters; what is smaller is read before pyarrow is imported


def _fast(text: str) -> bool:
    return len(text) > _LARGE and find_spec("pyarrow") is not None


def _arrow(module: str = "") -> Any:
    return importlib.import_module("pyarrow" + module)


class _ArrowCells:
    """Cells in one of pyarrow's arrays of texts."""

    def __init__(self, cells: Any, no_numbers: bool = False) -> None:
        self._cells, self._no_numbers = cells, no_numbers

    def numbers(self) -> NDArray[np.float64] | None:
        """Return them as numbers; None where a cell is neither a plain number nor missing."""
        if self._no_numbers:
            return None
        pa = _arrow()
        for missing in (False, True):
            try:
                cells = self._without_missing() if missing else self._cells
                numbers = cells.cast(pa.float64())
            except pa.ArrowInvalid:
                continue
            values = array_of(numbers, np.float64, np.nan)
            return values if np.isfinite(values).sum() == len(values) - numbers.null_count else None
        return None

    def _without_missing(self) -> Any:
        pa, pc = _arrow(), _arrow(".compute")
        missing = pc.is_in(self._cells, texts_of(sorted(MISSING_WORDS)))
        return pc.if_else(missing, pa.nulls(1, self._cells.type)[0], self._cells)

    def texts(self, name: str) -> Column:
        """Return them as texts and codes, missing words as well."""
        coded = self._cells.combine_chunks().dictionary_encode()
        codes = array_of(coded.indices, np.int32, -1)
        return Column(name, codes, tuple(coded.dictionary.to_pylist()), UNREAD)


class _ArrowNumbers:
    """Cells that pyarrow has read as numbers; as texts they are read once more."""

    def __init__(self, cells: Any, again: Callable[[], Any]) -> None:
        self._cells, self._again = cells, again

    def numbers(self) -> NDArray[np.float64] | None:
        """Return them as numbers; None where one is infinite."""
        values = array_of(self._cells, np.float64, np.nan)
        finite = len(values) - self._cells.null_count
        return values if np.isfinite(values).sum() == finite else None

    def texts(self, name: str) -> Column:
        """Return them as texts and codes, missing words as well."""
        return _ArrowCells(self._again()).texts(name)


class _ArrowReader:
    """What reads a text by pyarrow, and reads single columns of it again."""

    def __init__(self, text: str, delimiter: str, n_columns: int) -> None:
        self._bytes = text.encode()
        self._delimiter, self._quoted = delimiter, '"' in text
        self._names = list(map(str, range(n_columns)))

    def read(self, numbers: Iterable[int], position: int | None = None) -> Any:
        """Return all columns or one, those at the positions `numbers` as such, others as texts."""
        pa, pc = _arrow(), _arrow(".csv")
        types = dict.fromkeys(self._names, pa.large_string())
        types |= {self._names[i]: pa.float64() for i in numbers}
        return pc.read_csv(
            pa.py_buffer(self._bytes),
            read_options=pc.ReadOptions(column_names=self._names, block_size=1 << 24),
            parse_options=pc.ParseOptions(
                delimiter=self._delimiter, newlines_in_values=self._quoted
            ),
            convert_options=pc.ConvertOptions(
                column_types=types,
                null_values=sorted(MISSING_WORDS),
                include_columns=[] if position is None else [self._names[position]],
            ),
        )

    def texts(self, position: int) -> Any:
        """Return one column as texts."""
        return self.read((), position).column(0)


_SAMPLE = 1 << 16  # characters


class _Kinds(NamedTuple):
    """Positions of columns, by their first cells."""

    numbers: frozenset[int] = frozenset()
    """All of them plain numbers or missing."""
    texts: frozenset[int] = frozenset()
    """Some neither."""


def _kinds(text: str, delimiter: str) -> _Kinds:
    rows = list(csv_reader(text[:_SAMPLE], delimiter))[:-1]
    columns = dict(enumerate(map(_numbers, zip(*rows, strict=False))))
    numbers = (i for i, c in columns.items() if c is not None and np.isfinite(c).any())
    return _Kinds(frozenset(numbers), frozenset(i for i, c in columns.items() if c is None))


def _by_arrow(text: str, delimiter: str, n_columns: int, line: int) -> Piece | None:
    """Read by pyarrow; None where it cannot, or where rows are not one line each."""
    invalid = _arrow().ArrowInvalid, _arrow().ArrowNotImplementedError
    text = text.rstrip("\r\n")
    if '"' in text and f'{delimiter} "' in text:
        return None  # pyarrow takes such quotes for a part of the cell
    reader = _ArrowReader(text, delimiter, n_columns)
    try:
        kinds = _kinds(text, delimiter)
        table = reader.read(kinds.numbers)
    except (*invalid, csv.Error):
        try:
            kinds, table = _Kinds(), reader.read(())
        except invalid:
            return None
    if len(table) != text.count("\n") + 1:
        return None
    cells: list[Cells] = [
        _ArrowNumbers(column, functools.partial(reader.texts, i))
        if i in kinds.numbers
        else _ArrowCells(column, i in kinds.texts)
        for i, column in enumerate(table.columns)
    ]
    return Piece(cells, range(line, line + len(table)), ())
