"""Columns of text as what they are: numbers or dates where their cells are, else text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pymlp.tabular.columns import Column
from pymlp.tabular.date_text import date_order, read_dates
from pymlp.tabular.number_text import decimal_mark, read_numbers

__all__ = [
    "UNREAD",
    "ParsedText",
    "is_missing",
    "parse_text",
    "read_as",
    "read_text",
    "strays_of",
    "without_texts",
]

# What spreadsheets and data tools write where a value is absent, in any letter case.
MISSING = frozenset(
    {"", "na", "n/a", "nan", "null", "?", "<na>", "#n/a", "#na", "#null!", "nat", "#value!"}
    | {"#ref!"}
)
# As they are written mostly.
MISSING_WORDS = frozenset({w for m in MISSING for w in (m, m.upper(), m.title())} | {"NaN", "NaT"})
# Among numbers or dates these are missing too; in a column of text they are texts like others.
MISSING_AMONG_NUMBERS = frozenset(
    {"none", "nil", "-", "--", "\u2013", "\u2014", ".", "n.a.", "#div/0!"}
)


# Texts among numbers that a model remembers: its file shall not hold a column of free text.
_MOST_STRAYS = 100

# The style of texts that nobody has read yet as what they stand for.
UNREAD = "unread"


class ParsedText(NamedTuple):
    """A column of numbers or dates, and the rows of it that hold something else."""

    column: Column
    strays: NDArray[np.bool_]


def is_missing(cell: str) -> bool:
    """Tell whether a cell stands for an absent value."""
    return cell.strip().lower() in MISSING


def parse_text(
    codes: NDArray[np.int32],
    categories: Sequence[str],
    name: str,
    decimal: str | None = None,
    *,
    likely_decimal: str = ".",
) -> Column:
    """Return a column of texts as one of numbers or of dates, where all its cells are.

    Parameters
    ----------
    codes : ndarray, shape (n_rows,), int32
        The place of each row's text in `categories`; -1 is missing.
    categories : sequence of str
        The distinct texts. Empty ones, NA, n/a, NaN, null and ? are missing, in any letter case; in
        a column of numbers or dates also none, n.a. and dashes.
    name : str
        Of the column.
    decimal : {".", ","}, optional
        The decimal mark. None finds it out of the column; see `decimal_mark`.
    likely_decimal : {".", ","}, default "."
        What it is where no cell shows it: ``1,234`` is a thousand and more with ".", and one and a
        bit with ",".

    Returns
    -------
    Column
        Its `style` has the decimal mark, or the order of day and month.

    Examples
    --------
    >>> column = parse_text(np.arange(3, dtype=np.int32), ("1.234,50 €", "n/a", "7"), "price")
    >>> column.values.tolist(), column.style
    ([1234.5, nan, 7.0], ',')
    """
    texts = [text.strip() for text in categories]
    present = np.array([text.lower() not in MISSING for text in texts], bool)
    empty = ~present | np.array([text.lower() in MISSING_AMONG_NUMBERS for text in texts], bool)
    cells = [text for text, absent in zip(texts, empty, strict=True) if not absent]
    mark = decimal or decimal_mark(cells) or likely_decimal
    numbers, good = read_numbers(cells, mark)
    if good.all() and (cells or not present.any()):
        return _values(numbers, codes, empty, name, mark)
    order = date_order(cells) or ("dmy" if likely_decimal == "," else "mdy")
    dates, are_dates = read_dates(cells, order)
    if are_dates.all() and cells:
        return _values(dates, codes, empty, name, order)
    return _texts(codes, texts, present, name, mark if good.any() else None)


def _values(
    values: NDArray[Any], codes: NDArray[np.int32], empty: NDArray[np.bool_], name: str, style: str
) -> Column:
    absent = np.datetime64("NaT", "s") if values.dtype.kind == "M" else np.nan
    table = np.full(len(empty) + 1, absent, values.dtype)  # the last is for the code -1
    table[:-1][~empty] = values
    return Column(name, table[codes], style=style)


def _texts(
    codes: NDArray[np.int32],
    texts: list[str],
    present: NDArray[np.bool_],
    name: str,
    style: str | None,
) -> Column:
    """Return a column of text, where texts that differ in the white space around them are one."""
    places: dict[str, int] = {}
    table = [
        places.setdefault(text, len(places)) if there else -1
        for text, there in zip(texts, present, strict=True)
    ]
    return Column(name, np.array([*table, -1], np.int32)[codes], tuple(places), style)


def read_as(column: Column, style: str) -> ParsedText:
    """Read a column of texts in a style that is known: what a fitted model does.

    Parameters
    ----------
    column : Column
        Any other than one of texts is returned as it is.
    style : {".", ",", "dmy", "mdy"}
        The decimal mark of numbers, or the order of day and month of dates.

    Returns
    -------
    ParsedText
        A cell that is neither missing nor a number or date is a stray.
    """
    if column.categories is None:
        return ParsedText(column, np.zeros(len(column.values), bool))
    texts = [text.strip() for text in column.categories]
    missing = MISSING | MISSING_AMONG_NUMBERS
    empty = np.array([text.lower() in missing for text in texts], bool)
    cells = [text for text, absent in zip(texts, empty, strict=True) if not absent]
    read = read_numbers if style in (".", ",") else read_dates
    values, good = read(cells, style)
    stray = np.zeros(len(texts) + 1, bool)  # the last is for the code -1
    stray[:-1][~empty] = ~good
    result = _values(values, column.values, empty, column.name, style)
    return ParsedText(result, stray[column.values])


def strays_of(column: Column) -> tuple[str, ...]:
    """Return the different texts among the numbers of a column, the first hundred."""
    rows = np.flatnonzero(read_as(column, column.style or ".").strays)
    texts = dict.fromkeys(text for text in column.take(rows).texts() if text)
    return tuple(texts)[:_MOST_STRAYS]


def without_texts(column: Column, texts: Sequence[str]) -> Column:
    """Return a column in which these texts are missing values."""
    if column.categories is None or not texts:
        return column
    absent = set(texts)
    kept = [-1 if text.strip() in absent else i for i, text in enumerate(column.categories)]
    values = np.array([*kept, -1], np.int32)[column.values]
    return Column(column.name, values, column.categories, column.style)


def read_text(column: Column, style: str | None = None) -> Column:
    """Return a column of texts that nobody has read yet as what they stand for.

    Parameters
    ----------
    column : Column
        Any other than one of the style `UNREAD` is returned as it is.
    style : {".", ",", "dmy", "mdy", "text", "unread"}, optional
        How to read it: as `read_as` does, as it is, or not yet. Where a cell is a stray, the column
        stays one of texts. None finds it out, as `parse_text` does.

    Returns
    -------
    Column
    """
    if column.style != UNREAD or column.categories is None or style == UNREAD:
        return column
    if style is None:
        return parse_text(column.values, column.categories, column.name)
    if style != "text":
        read, strays = read_as(column, style)
        if not strays.any():
            return read
    texts = [text.strip() for text in column.categories]
    present = np.array([text.lower() not in MISSING for text in texts], bool)
    return _texts(column.values, texts, present, column.name, None)
