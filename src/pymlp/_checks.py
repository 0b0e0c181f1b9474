"""Checks of single values: each names the argument, what was expected and what came."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


def type_name(value: object) -> str:
    """Return the name of a value's type, as messages show it; "type" for a class."""
    return "type" if isinstance(value, type) else type(value).__name__


def network_of(value: object) -> str:
    """Say where the network of an estimator or a model of a table is, to end a message with."""
    if not hasattr(value, "network_"):
        return ""
    encoded = ", whose inputs its encoder_.transform(X) makes" if hasattr(value, "encoder_") else ""
    return f"; its network_ is one{encoded}"


def integer(name: str, value: Any, *, minimum: int, below: int = 2**63) -> int:
    """Return `value` as an int, minimum <= value < below; bools and floats are refused."""
    if isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, not bool")
    try:
        result = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {type_name(value)}") from None
    if result < minimum:
        raise ValueError(f"{name} must be at least {minimum}, not {result}")
    if result >= below:
        shown = "2**" + str(below.bit_length() - 1) if below >= 2**32 else str(below)
        raise ValueError(f"{name} must be below {shown}, not {result}")
    return result


def number(
    name: str,
    value: Any,
    *,
    minimum: float = -math.inf,
    maximum: float = math.inf,
    above: float = -math.inf,
    below: float = math.inf,
) -> float:
    """Return `value` as a finite float: minimum <= value <= maximum, above < value < below."""
    if isinstance(value, (bool, np.bool_, str, bytes)):
        raise TypeError(f"{name} must be a number, not {type_name(value)}")
    try:
        result = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, not {type_name(value)}") from None
    except OverflowError:  # an integer beyond float64
        raise ValueError(f"{name} must be within the range of float64") from None
    if not math.isfinite(result):
        raise ValueError(f"{name} must be finite, not {result}")
    if result < minimum:
        raise ValueError(f"{name} must be at least {minimum:g}, not {result:g}")
    if result > maximum:
        raise ValueError(f"{name} must be at most {maximum:g}, not {result:g}")
    if result <= above:
        raise ValueError(f"{name} must be above {above:g}, not {result:g}")
    if result >= below:
        raise ValueError(f"{name} must be below {below:g}, not {result:g}")
    return result


def by_column(
    name: str, values: str, given: Any, checked: Callable[[str, Any], T]
) -> tuple[tuple[int, T], ...]:
    """Return what a dict has for columns by their numbers, in the order of these."""
    if not isinstance(given, Mapping):
        raise TypeError(f"{name} must be a dict of {values} by column, not {type_name(given)}")
    if not given:
        raise ValueError(f"{name} must name at least one column")
    found = {
        integer(f"a column of {name}", column, minimum=0): checked(f"{name}[{column}]", value)
        for column, value in given.items()
    }
    if len(found) < len(given):
        raise ValueError(f"{name} must not name a column twice")
    return tuple((column, found[column]) for column in sorted(found))


def is_sequence(value: object) -> bool:
    """Tell whether it is iterable in an order of its own: texts, sets and mappings are not."""
    unordered = isinstance(value, str | bytes | bytearray | Set | Mapping)
    return isinstance(value, Iterable) and not unordered and getattr(value, "ndim", 1) > 0


def flag(name: str, value: Any) -> bool:
    """Return `value`, which must be True or False."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, not {type_name(value)}")
    return bool(value)
