"""Values of a file's JSON, looked at before a model is made of them."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "MALFORMED", "array", "from_zero", "integer", "number", "numbers", "optimizer_state", "parsed",
    "said",
]  # fmt: skip

# What comes of taking a value for something that it is not, however wrong it is: a missing key, a
# number that no float holds, brackets a hundred thousand deep.
MALFORMED = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)

_LARGEST = 1 << 28  # bytes of one array of labels: the width of texts stands in the file
_DEEPEST = 100  # brackets, so that no function that follows them runs out of stack


def parsed(text: str) -> dict[str, Any]:
    """Return the dict that a JSON text is; ValueError where two readers could differ about it."""
    found = json.loads(text, object_pairs_hook=_distinct)
    if not isinstance(found, dict):
        raise ValueError(f"it must be a dict, not {found!r:.50}")
    if "\\u" in text:
        json.dumps(found, ensure_ascii=False).encode()  # refuses halves of surrogate pairs
    level: list[Any] = [found]
    for _ in range(_DEEPEST):
        level = [value for one in level for value in (one.values() if type(one) is dict else one)]
        level = [value for value in level if isinstance(value, dict | list)]
        if not level:
            return found
    raise ValueError(f"its brackets are more than {_DEEPEST} deep")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"{twice!r:.50} is there twice")
    return found


def said(error: Exception) -> str:
    """Return an exception's message: names in it, which are a stranger's, end no line of a log."""
    line = " ".join(f"{error}"[:500].split()) or type(error).__name__
    return line if line.isprintable() else ascii(line)


def integer(name: str, value: Any, *, below: int) -> int:
    """Return an integer from 0, or raise ValueError."""
    if type(value) is not int or not 0 <= value < below:
        raise ValueError(f"{name} must be an integer from 0 to {below - 1}, not {value!r:.50}")
    return value


def number(name: str, value: Any, *, above: float = -np.inf) -> float:
    """Return a finite number, or raise ValueError."""
    found = float(value)
    if not above < found < np.inf:
        limit = "" if above == -np.inf else f" above {above:g}"
        raise ValueError(f"{name} must be a finite number{limit}, not {value!r:.50}")
    return found


def from_zero(name: str, value: Any) -> float:
    """Return a finite number from 0, or raise ValueError."""
    if type(value) not in (int, float) or not 0 <= value < np.inf:
        raise ValueError(f"{name} must be a finite number from 0, not {value!r:.50}")
    return float(value)


def numbers(name: str, values: Any, size: int | None = None) -> list[float]:
    """Return a list of numbers, NaN among them too, of a length; or raise ValueError."""
    if not isinstance(values, list) or any(type(v) not in (int, float) for v in values):
        raise ValueError(f"{name} must be a list of numbers, not {values!r:.50}")
    if size is not None and len(values) != size:
        raise ValueError(f"{name} must have {size} numbers, not {len(values)}")
    return [float(value) for value in values]  # OverflowError: one that no float holds


def array(name: str, stored: dict[str, Any]) -> NDArray[Any]:
    """Return a vector of labels, whose type stands beside its values; or raise ValueError."""
    values, dtype = stored["values"], np.dtype(str(stored["dtype"]))
    if dtype.kind not in "biufUSOMm":
        raise ValueError(f"{name} cannot be of type {dtype}")
    if not isinstance(values, list) or any(isinstance(v, list | dict) for v in values):
        raise ValueError(f"{name} must be a list of single values, not {values!r:.50}")
    if dtype.itemsize * len(values) > _LARGEST:
        raise ValueError(f"{name} are of a type that is too wide: {dtype}")
    return np.array(values, dtype)


def optimizer_state(state: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return what an optimiser keeps of a dtype, or raise ValueError.

    The square of a large gradient is infinite, and stays so; only NaN is never kept.
    """
    if state.dtype != dtype or np.isnan(state).any():
        raise ValueError(f"the optimizer's state must be numbers of {dtype}, none of them NaN")
    return state
