"""Frames (pandas, polars, pyarrow) as arrays of numbers, by what they offer: none is imported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pymlp import _objects

_MOST_SHOWN = 5
_HINT = "pymlp.TabularClassifier and pymlp.TabularRegressor take text, dates and missing values"


class _Frame(NamedTuple):
    """The columns of a frame: their names, and what returns the one at a position."""

    names: list[Any]
    column: Callable[[int], Any]


def _frame(values: Any) -> _Frame | None:
    """Return the columns of a frame; None of what is none."""
    if isinstance(values, np.ndarray | list | tuple):
        return None
    if hasattr(values, "iloc") and hasattr(values, "columns"):  # pandas
        return _Frame(list(values.columns), lambda j: values.iloc[:, j])
    if hasattr(values, "get_columns"):  # polars
        return _Frame(list(values.columns), values.get_columns().__getitem__)
    if hasattr(values, "column_names") and hasattr(values, "column"):  # pyarrow
        return _Frame(list(values.column_names), values.column)
    return None


def names_of(values: Any) -> tuple[str, ...] | None:
    """Return the names of a frame's columns; None where there are none, or they are numbers."""
    frame = _frame(values)
    return None if frame is None else _texts(frame.names)


def _texts(names: Sequence[Any]) -> tuple[str, ...] | None:
    texts = [isinstance(name, str) for name in names]
    if any(texts) and not all(texts):
        other = names[texts.index(False)]
        raise TypeError(
            f"columns must have names of one kind, and {other!r} is no string as others are: "
            "X.columns = X.columns.astype(str)"
        )
    return tuple(map(str, names)) if any(texts) else None


def plain(name: str, values: Any, names: tuple[str, ...] | None) -> Any:
    """Return a frame or a column of one as an array; anything else as it is.

    Parameters
    ----------
    name : str
        What messages call it.
    values : object
    names : tuple of str, optional
        The columns to take, in this order.

    Raises
    ------
    TypeError, ValueError
        If columns are missing or too many, or hold no numbers; the message names all of them.
    """
    frame = _frame(values)
    if frame is None:
        return _one_column(name, values, names)
    order = _order(name, _texts(frame.names), names)
    kinds = {getattr(kind, "str", "") for kind in getattr(values, "dtypes", [])}
    if hasattr(values, "iloc") and len(kinds) == 1 and "" not in kinds | {"|O"}:
        array = values.to_numpy()  # of one NumPy dtype: often no copy
        return array if order is None else array[:, order]
    return _joined(name, frame, range(len(frame.names)) if order is None else order)


def _order(
    name: str, given: tuple[str, ...] | None, names: tuple[str, ...] | None
) -> list[int] | None:
    """Return where the columns `names` are among those given; None where they are all in place."""
    if given is None or names is None or given == names:
        return None
    missing, extra = [n for n in names if n not in given], [n for n in given if n not in names]
    if missing or extra:
        faults = [f"lacks {_listed(missing)}"] * bool(missing)
        faults += [f"has {_listed(extra)}, which the network does not know"] * bool(extra)
        raise ValueError(
            f"{name} must have the columns of net.feature_names, but {' and '.join(faults)}"
        )
    twice = [n for n in dict.fromkeys(given) if given.count(n) > 1]
    if twice:
        raise ValueError(f"{name} must have every column once, and has {_listed(twice)} twice")
    return [given.index(n) for n in names]


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:20]))
    return shown if len(names) <= 20 else f"{shown}, ... ({len(names)} in all)"


def _joined(name: str, frame: _Frame, order: Sequence[int]) -> NDArray[Any]:
    """Return the columns at these positions as one array; all that hold no numbers are refused."""
    arrays, faults = [], []
    for j in order:
        try:
            arrays.append(_column(frame.column(j)))
        except (TypeError, ValueError) as error:
            faults.append((type(error), f"column {frame.names[j]!r} {error}"))
    if faults:
        kind = TypeError if TypeError in {kind for kind, _ in faults} else ValueError
        said = [text for _, text in faults]
        more = f"; and {len(said) - _MOST_SHOWN} more columns" if len(said) > _MOST_SHOWN else ""
        said = said[:_MOST_SHOWN]
        raise kind(f"{name} must hold real numbers, but {'; '.join(said)}{more}. {_HINT}")
    if not arrays:
        return np.empty((0, 0))
    result = np.empty((len(arrays[0]), len(arrays)), np.result_type(*arrays))
    for j, array in enumerate(arrays):
        result[:, j] = array
    return result


def _one_column(name: str, values: Any, names: tuple[str, ...] | None) -> Any:
    """Return a series as an array; a row of a frame, whose index is names, in their order."""
    is_series = hasattr(values, "iloc") and hasattr(values, "dtype")
    if not (is_series or hasattr(values, "is_null")):  # pandas; polars and pyarrow
        return values
    order = None
    if names is not None and is_series:
        order = _order(name, _texts(list(values.index)), names)
    try:
        array = _column(values)
    except (TypeError, ValueError) as error:
        is_text = name == "y" and isinstance(error, TypeError)
        hint = f"; {_objects.CLASSES_HINT}" if is_text else ""
        raise type(error)(f"{name} must hold real numbers, but it {error}{hint}") from None
    return array if order is None else array[order]


def _column(values: Any) -> NDArray[Any]:
    """Return a column as an array of numbers.

    Raises
    ------
    TypeError, ValueError
        If it holds something else, or lacks a value; the message goes on from the column's name.
    """
    dtype: Any = getattr(values, "dtype", None)
    numpy_dtype = getattr(dtype, "numpy_dtype", None)  # of pandas' nullable dtypes
    if numpy_dtype is not None and dtype.kind in "fiub":
        _refuse_missing(values)
        return np.asarray(values.to_numpy(dtype=numpy_dtype))
    array = np.asarray(values)
    if array.dtype.kind == "O":
        array = _objects.column(array)
    elif array.dtype.kind not in "fiub":
        text = f"text, {str(array[0])!r:.50} in row 0"
        raise TypeError(f"holds {text if array.dtype.kind in 'UT' else array.dtype}")
    if hasattr(values, "is_null"):  # polars and pyarrow make NaN of what is missing
        _refuse_missing(values)
    return array


def _refuse_missing(values: Any) -> None:
    missing = np.asarray(values.is_null() if hasattr(values, "is_null") else values.isna())
    if missing.any():
        more = f" (and {missing.sum() - 1} more)" if missing.sum() > 1 else ""
        raise ValueError(f"has no value in row {int(missing.argmax())}{more}")
