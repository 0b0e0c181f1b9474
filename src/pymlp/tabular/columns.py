"""Columns of a table in memory, whatever they came from: what models of tables work on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Column", "Columns"]

BOOLEANS = ("False", "True")


@dataclass(frozen=True, eq=False)
class Column:
    """One column: numbers, dates, or codes of texts.

    Attributes
    ----------
    name : str
    values : ndarray, shape (n_rows,)
        Numbers: float64, where NaN is missing. Dates: datetime64[s], where NaT is missing. Texts:
        int32 codes, the places of the texts in `categories`, where -1 is missing.
    categories : tuple of str, optional
        The distinct texts in the order in which they first appear; None for numbers and dates.
        Truth values are the texts "False" and "True".
    style : str, optional
        How the text that it was read from writes it: the decimal mark of numbers, "." or ",", or
        the order of day and month in dates, "dmy" or "mdy".

    Examples
    --------
    >>> from pymlp.tabular import Column
    >>> Column("city", np.array([0, 1, -1], np.int32), ("Bern", "Chur")).n_missing
    1
    """

    name: str
    values: NDArray[Any]
    categories: tuple[str, ...] | None = None
    style: str | None = None

    @property
    def is_text(self) -> bool:
        """Whether it holds codes of texts."""
        return self.categories is not None

    @property
    def is_date(self) -> bool:
        """Whether it holds dates."""
        return self.values.dtype.kind == "M"

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers."""
        return not self.is_text and not self.is_date

    @cached_property
    def missing(self) -> NDArray[np.bool_]:
        """Which rows are missing, shape (n_rows,)."""
        if self.is_text:
            absent = self.values < 0
        else:
            absent = np.isnat(self.values) if self.is_date else np.isnan(self.values)
        return np.asarray(absent, bool)

    @property
    def n_missing(self) -> int:
        """How many rows are missing."""
        return int(np.count_nonzero(self.missing))

    @cached_property
    def whole(self) -> bool:
        """Whether it holds numbers, and all finite ones are whole."""
        if not self.is_number:
            return False
        finite = self.values[np.isfinite(self.values)]
        return bool((finite == np.rint(finite)).all())

    def texts(self) -> list[str | None]:
        """Return every row as text, None where it is missing; whole numbers without a point."""
        if self.categories is not None:
            names = (*self.categories, None)  # the code -1 is the last
            return [names[code] for code in self.values.tolist()]
        if self.is_date:
            return [None if text == "NaT" else text for text in self.values.astype(str).tolist()]
        return [None if x != x else number_text(x) for x in self.values.tolist()]

    def take(self, rows: NDArray[Any] | slice) -> Column:
        """Return some of the rows."""
        return Column(self.name, self.values[rows], self.categories, self.style)

    def renamed(self, name: str) -> Column:
        """Return the same column with another name."""
        return Column(name, self.values, self.categories, self.style)


def number_text(value: float) -> str:
    """Return a number as people write it: a whole one without a point."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


class Columns:
    """The columns of one table, in order, equally long.

    Parameters
    ----------
    columns : iterable of Column
        Each name once.
    n_rows : int
    source : str
        What to call the table in messages: "X", or the name of its file.
    lines : sequence of int, optional
        The number of each row as its reader counts: the line of a file. None counts from 0.
    named : bool
        Whether names tell which column is which; otherwise their positions do.

    Raises
    ------
    ValueError
        If columns share a name, or are not equally long; all of them are named.

    Examples
    --------
    >>> from pymlp.tabular import Column, Columns
    >>> table = Columns([Column("age", np.array([3.0, np.nan]))], 2, "pets.csv", lines=[2, 3])
    >>> table.place(1, "age")
    "pets.csv, row 3, column 'age'"
    """

    def __init__(
        self,
        columns: Iterable[Column],
        n_rows: int,
        source: str = "X",
        *,
        lines: Sequence[int] | NDArray[Any] | None = None,
        named: bool = True,
    ) -> None:
        self._columns = list(columns)
        self.n_rows = n_rows
        self.source = source
        self.lines = lines
        self.named = named
        self._check()
        self._by_name = {column.name: column for column in self._columns}

    def _check(self) -> None:
        refuse_duplicates(self.names, self.source)
        wrong = [column for column in self._columns if len(column.values) != self.n_rows]
        if wrong:
            shown = ", ".join(f"{c.name!r} has {len(c.values):,}" for c in wrong[:10])
            raise ValueError(
                f"{self.source}: columns must be equally long, {self.n_rows:,} rows as the first "
                f"one, but {shown}"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the table's order."""
        return tuple(column.name for column in self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __iter__(self) -> Iterator[Column]:
        return iter(self._columns)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str | int) -> Column:
        """Return a column by its name, or by its position."""
        return self._columns[name] if isinstance(name, int) else self._by_name[name]

    def place(self, row: int, name: str) -> str:
        """Name the table, row and column of one cell, as messages do."""
        number = row if self.lines is None else self.lines[row]
        return f"{self.source}, row {number}, column {name!r}"

    def take(self, rows: NDArray[Any]) -> Columns:
        """Return some of the rows, which keep their numbers."""
        kept = rows if self.lines is None else np.asarray(self.lines)[rows]
        some = [column.take(rows) for column in self._columns]
        return Columns(some, len(rows), self.source, lines=kept, named=self.named)

    def select(self, names: Iterable[str]) -> Columns:
        """Return the columns of these names, in this order."""
        return self._with([self._by_name[name] for name in names])

    def without(self, names: Iterable[str]) -> Columns:
        """Return the other columns."""
        left_out = set(names)
        return self._with([column for column in self._columns if column.name not in left_out])

    def _with(self, columns: list[Column]) -> Columns:
        return Columns(columns, self.n_rows, self.source, lines=self.lines, named=self.named)


def refuse_duplicates(names: Iterable[str], source: str) -> None:
    """Refuse names that occur more than once; all of them are named."""
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
    twice = [f"{name!r} ({count} times)" for name, count in seen.items() if count > 1]
    if twice:
        more = ", ..." if len(twice) > 10 else ""
        raise ValueError(
            f"{source}: column names must differ, but it has {', '.join(twice[:10])}{more}"
        )
