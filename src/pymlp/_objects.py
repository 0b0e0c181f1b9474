"""Arrays of Python objects as arrays of numbers, where every object is one."""

from __future__ import annotations

from numbers import Complex, Integral, Number, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

CLASSES_HINT = (
    "classes, y = np.unique(y, return_inverse=True) numbers classes from 0, and "
    "pymlp.MLPClassifier and pymlp.TabularClassifier take them as they are"
)


def _is_real(value: Any) -> bool:  # decimal.Decimal is a Number and nothing narrower
    number = isinstance(value, Number | np.bool_)
    return number and (isinstance(value, Real) or not isinstance(value, Complex))


def _is_large(value: Any) -> bool:
    return isinstance(value, Integral) and not -(2**63) <= int(value) < 2**63


def _is_missing(value: Any) -> bool:  # NaN is a number
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def array(name: str, values: NDArray[Any]) -> NDArray[Any]:
    """Return an array of objects as one of numbers, int64 where all are whole.

    Raises
    ------
    TypeError, ValueError
        If one is no real number, or too large; the message names the first.
    """
    if values.ndim == 0:
        item = values.item()
        hint = _hint_for_others(name, item)
        raise TypeError(f"{name} must hold real numbers, not {item!r:.50}{hint}")
    for place, value in np.ndenumerate(values):
        entry = f"{name}[{', '.join(map(str, place))}]"
        if not _is_real(value):
            hint = f"; {CLASSES_HINT}" if name == "y" and isinstance(value, str) else ""
            raise TypeError(f"{name} must hold real numbers, but {entry} is {value!r:.50}{hint}")
        if _is_large(value):
            raise ValueError(f"{name} must be below 2**63, but {entry} is {value}")
    try:
        return _converted(values)
    except OverflowError as error:
        raise ValueError(f"{name} must hold numbers within float64: {error}") from None


def _hint_for_others(name: str, item: Any) -> str:
    """Say what turns into an array what is not one of itself."""
    for method in ("toarray", "collect"):  # sparse matrices, lazy frames
        if hasattr(item, method):
            return f"; {name}.{method}() is one"
    return ""


def column(values: NDArray[Any]) -> NDArray[Any]:
    """Return a column of objects (m,) as one of numbers.

    Raises
    ------
    TypeError, ValueError
        If one is no real number; the message goes on from the column's name.
    """
    for row, value in enumerate(values):
        if isinstance(value, str):
            raise TypeError(f"holds text, {value!r:.50} in row {row}")
    for row, value in enumerate(values):
        if _is_missing(value):
            raise ValueError(f"has no value in row {row}")
        if not _is_real(value):
            raise TypeError(f"holds {value!r:.50} in row {row}")
        if _is_large(value):
            raise ValueError(f"holds {value} in row {row}, which is not below 2**63")
    try:
        return _converted(values)
    except OverflowError as error:
        raise ValueError(f"holds a number beyond float64: {error}") from None


def _converted(values: NDArray[Any]) -> NDArray[Any]:
    whole = values.size > 0 and all(isinstance(v, Integral | np.bool_) for v in values.flat)
    return values.astype(np.int64 if whole else np.float64)
