"""Boundaries of piecewise linear embeddings: checked, and made of samples."""

from __future__ import annotations

import itertools
from collections.abc import Sized
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pymlp import _arrays, _checks, _frames

MOST_RAMPS = 128  # as the core has room for

Boundaries: TypeAlias = tuple[float, ...]


def by_column(given: Any) -> tuple[tuple[int, Boundaries], ...]:
    """Return those that a mapping has of every column, in the order of columns."""
    return _checks.by_column("boundaries", "sequences", given, _increasing)


def _increasing(name: str, numbers: Any) -> Boundaries:
    if not _checks.is_sequence(numbers):
        came = _checks.type_name(numbers)
        raise TypeError(f"{name} must be a sequence of numbers, not {came}")
    if isinstance(numbers, np.ndarray):
        numbers = _arrays.numbers(name, numbers)
    given = list(itertools.islice(numbers, MOST_RAMPS + 2))
    if not 2 <= len(given) <= MOST_RAMPS + 1:
        came = str(len(numbers)) if isinstance(numbers, Sized) else f"{len(given)} at least"
        raise ValueError(f"{name} must have from 2 to {MOST_RAMPS + 1} numbers, not {came}")
    # 0.0 of -0.0, which is equal to it.
    floats = tuple(_checks.number(f"{name}[{i}]", number) + 0.0 for i, number in enumerate(given))
    for i, (low, high) in enumerate(itertools.pairwise(floats)):
        if low >= high:
            raise ValueError(
                f"{name} must be strictly increasing, but {name}[{i}] is {low!r}, and the next "
                f"{high!r}"
            )
    return floats


def check_dtype(column: int, boundaries: Boundaries, dtype: np.dtype[Any]) -> None:
    """Refuse boundaries that are not finite, or do not increase, in this dtype."""
    name = f"boundaries[{column}]"
    with np.errstate(over="ignore", under="ignore"):
        rounded = np.array(boundaries).astype(dtype)
    if not np.isfinite(rounded).all():
        raise ValueError(f"{name} must be within the range of {dtype}")
    near = np.flatnonzero(~_increases(rounded))
    if len(near) > 0:
        low, high = boundaries[near[0]], boundaries[near[0] + 1]
        raise ValueError(
            f"{name} must be strictly increasing in {dtype}, by at least "
            f"{_least_step(dtype):.3g}, but {name}[{near[0]}] is {low!r}, and the next {high!r}"
        )


def _increases(boundaries: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell of each boundary but the last whether the next is larger, by enough."""
    with np.errstate(over="ignore"):
        return np.asarray(np.diff(boundaries) >= _least_step(boundaries.dtype))


def _least_step(dtype: np.dtype[Any]) -> float:
    """Return a difference of which the core can take the half, and the inverse of that."""
    return 4 * float(np.finfo(dtype).smallest_normal)


def of_samples(
    X: ArrayLike, columns: tuple[int, ...] | None, bins: int, dtype: Any
) -> dict[int, NDArray[Any]]:
    """Return quantiles of columns; None: of all that hold more than one value."""
    names, array = _frames.names_of(X), _arrays.numbers("X", X)
    if array.ndim != 2 or array.shape[0] == 0:
        raise ValueError(f"X must have shape (m, n_in), with rows, not {array.shape}")
    n_in = array.shape[1]
    if columns is not None and columns[-1] >= n_in:
        raise ValueError(f"columns names column {columns[-1]}, but X has {n_in}, from 0")
    found = {}
    for j in range(n_in) if columns is None else columns:
        called = f"column {j}" + (f" ({names[j]!r})" if names else "")
        values = _finite(array[:, j], j, called, _arrays.float_dtype(dtype))
        found[j] = _distinct_quantiles(values, bins)
        if len(found[j]) == 1 and columns is not None:
            raise ValueError(
                f"{called} must hold values at least {_least_step(values.dtype):.3g} apart in "
                f"{values.dtype}, but all are about {found[j][0]:g}: leave it out of columns"
            )
    found = {j: quantiles for j, quantiles in found.items() if len(quantiles) > 1}
    if not found:
        raise ValueError("X must have a column that holds more than one value")
    return found


def _finite(values: NDArray[Any], j: int, called: str, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return a column of X in the dtype; numbers that are not finite there are refused."""
    with np.errstate(over="ignore", under="ignore"):
        rounded = values.astype(dtype)
    wrong = np.flatnonzero(~np.isfinite(rounded))
    if len(wrong) > 0:
        i = wrong[0]
        raise ValueError(
            f"X must be finite in {called}, in {dtype}, but X[{i}, {j}] is {values[i]}"
        )
    return rounded


def _distinct_quantiles(values: NDArray[Any], bins: int) -> NDArray[Any]:
    """Return the boundaries of so many bins, with as many values in each; equal ones once."""
    halves = 0.5 * values.astype(np.float64)  # their differences do not overflow
    quantiles = 2 * np.quantile(halves, np.linspace(0, 1, bins + 1))
    rounded = np.asarray(quantiles, values.dtype)
    return np.asarray(rounded[np.append(True, _increases(rounded))])
