"""Arrays of NumPy and lists of Python objects as columns."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Iterable, Sequence
from numbers import Number
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp.tabular.columns import BOOLEANS, Column
from pymlp.tabular.text import UNREAD

_DATES = (datetime.date, np.datetime64)  # a datetime is a date
_DURATIONS = (datetime.timedelta, np.timedelta64)


def column_of_array(values: NDArray[Any], name: str) -> Column:
    """Return a one-dimensional array of any dtype as a column."""
    kind = values.dtype.kind
    if kind in "fiu":
        return Column(name, np.asarray(values, np.float64))
    if kind == "b":
        return Column(name, values.astype(np.int32), BOOLEANS)
    if kind == "M":
        return Column(name, values.astype("datetime64[s]"))
    if kind == "m":
        return Column(name, seconds(values))
    if kind == "c":
        raise TypeError(f"Complex data not supported: column {name!r} holds complex numbers")
    if kind == "V":
        raise TypeError(f"column {name!r} must be an array of one kind, not {values.dtype}")
    return column_of_objects(values.tolist(), name)


def seconds(durations: NDArray[Any]) -> NDArray[np.float64]:
    """Return durations as seconds, NaN where one is missing."""
    return np.where(np.isnat(durations), np.nan, durations / np.timedelta64(1, "s"))


def column_of_objects(values: Sequence[Any], name: str) -> Column:
    """Return Python objects as a column: numbers, dates, truth values, or else their texts."""
    kinds = set(map(type, values))
    missing = {kind for kind in kinds if _stands_for_missing(kind)}
    kinds -= missing
    if len(kinds) > 1 and _is_nan_among_others(values):
        missing.add(float)
        kinds = {kind for kind in kinds if not issubclass(kind, float)}
    if all(issubclass(kind, bool | np.bool_) for kind in kinds) and kinds:
        codes = [-1 if is_missing(v) else int(v) for v in values]
        return Column(name, np.array(codes, np.int32), BOOLEANS)
    if all(issubclass(kind, Number) for kind in kinds):
        return Column(name, _numbers(values, name, bool(missing)))
    if all(issubclass(kind, _DATES) for kind in _without_nan(kinds, values)):
        return Column(name, np.array([_date(v) for v in values], "datetime64[s]"))
    if all(issubclass(kind, _DURATIONS) for kind in kinds):
        times = [None if is_missing(v) else v for v in values]
        return Column(name, seconds(np.array(times, "timedelta64[us]")))
    return column_of_texts(values, name)


def _without_nan(kinds: set[type], values: Sequence[Any]) -> set[type]:
    """Return the kinds without float, where all floats stand for missing dates."""
    if float in kinds and all(value != value for value in values if type(value) is float):
        return kinds - {float}
    return kinds


def column_of_texts(values: Sequence[Any], name: str) -> Column:
    """Return objects by their texts, as the kind of column that these make."""
    codes: dict[str, int] = {}
    of_rows = [
        -1 if v is None else codes.setdefault(v, len(codes))
        for v in (v if type(v) is str else _text(v) for v in values)
    ]
    return unread(np.array(of_rows, np.int32), codes, name)


def unread(codes: NDArray[np.int32], texts: Iterable[str], name: str) -> Column:
    """Return a column of texts that may stand for numbers or dates."""
    return Column(name, codes, tuple(texts), UNREAD)


def is_missing(value: Any) -> bool:
    """Tell whether a Python object stands for a missing value: None, NaN, NaT, pandas' NA."""
    if value is None:
        return True
    if isinstance(value, float | np.floating):
        return bool(value != value)
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    of_decimal = getattr(value, "is_nan", None)
    return _stands_for_missing(type(value)) or (of_decimal is not None and bool(of_decimal()))


def _stands_for_missing(kind: type) -> bool:
    return kind is type(None) or kind.__name__ in ("NAType", "NaTType")


def _is_nan_among_others(values: Sequence[Any]) -> bool:
    """Tell whether every float is NaN, which pandas puts where a truth value or date is missing."""
    return all(value != value for value in values if isinstance(value, float))


def _text(value: Any) -> str | None:
    if is_missing(value):
        return None
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _numbers(values: Sequence[Any], name: str, with_missing: bool) -> NDArray[np.float64]:
    given = [None if is_missing(v) else v for v in values] if with_missing else values
    try:
        return np.array(given, np.float64)
    except OverflowError:
        limit = sys.float_info.max
        row = next(i for i, v in enumerate(given) if v is not None and abs(v) > limit)
        raise ValueError(
            f"column {name!r}, row {row}: the number is beyond the range of float64"
        ) from None


def _date(value: Any) -> Any:
    if is_missing(value):
        return np.datetime64("NaT", "s")
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        value = value.replace(tzinfo=None)  # the hours and days of the place itself
    return np.datetime64(value, "s")
