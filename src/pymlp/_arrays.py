"""The one place where the user's arrays are checked and converted.

A C-contiguous, aligned array of the right dtype passes through untouched; anything else that holds
real numbers is converted once. `_core` takes the result.
"""

from __future__ import annotations

import sys
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pymlp import _core, _frames, _objects

FloatArray: TypeAlias = NDArray[np.floating[Any]]
LabelArray: TypeAlias = NDArray[np.int32]

_PART = 1 << 22  # numbers: some milliseconds

DTYPES = {np.dtype(np.float32), np.dtype(np.float64)}


def float_dtype(dtype: Any) -> np.dtype[Any]:
    """Return `dtype` as a NumPy dtype, which must be float32 or float64."""
    try:
        # Of None NumPy makes float64.
        result: np.dtype[Any] | None = None if dtype is None else np.dtype(dtype)
    except TypeError:
        result = None
    if result is None or result not in DTYPES:
        raise TypeError(f"dtype must be float32 or float64, not {dtype!r}")
    return result


def numbers(name: str, values: ArrayLike, names: tuple[str, ...] | None = None) -> NDArray[Any]:
    """Return an array-like of real numbers as an array of its own dtype.

    Of a frame whose columns have names, those in `names` are taken, in this order.
    """
    if not isinstance(values, np.ndarray):
        values = _frames.plain(name, values, names)
    # `np.ma` would import the module at first use, under a lock that a fork may meet.
    masked = sys.modules.get("numpy.ma")
    if isinstance(values, getattr(masked, "MaskedArray", ())):
        raise TypeError(f"{name} must not be a masked array: its mask would be lost")
    try:
        array = np.asarray(values)
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"{name} must be an array of numbers: {error}") from None
    if array.dtype.kind == "O":
        return _objects.array(name, array)
    if array.dtype.kind not in "fiub":
        is_text = name == "y" and array.dtype.kind in "UST"
        hint = f"; {_objects.CLASSES_HINT}" if is_text else ""
        raise TypeError(f"{name} must hold real numbers, not dtype {array.dtype}{hint}")
    if array.dtype.kind == "u" and array.dtype.itemsize == 8:
        _refuse_first(name, array, array >= 2**63, f"{name} must be below 2**63")
    return array


def converted(array: NDArray[Any], dtype: np.dtype[Any]) -> FloatArray:
    """Return `array` C-contiguous, aligned and of `dtype`: itself where it is so already.

    What is beyond the dtype's range is infinite.
    """
    if array.dtype == dtype and array.flags.c_contiguous and array.flags.aligned:
        return array if type(array) is np.ndarray else array.view(np.ndarray)
    with np.errstate(over="ignore", under="ignore"):
        return _in_parts(array, dtype)


def _in_parts(array: NDArray[Any], dtype: np.dtype[Any]) -> FloatArray:
    """Return a C-contiguous copy, made in parts: Ctrl-C is answered between two of them."""
    if array.size <= _PART or array.ndim == 0:
        return np.require(array, dtype, ["C", "A"])
    result = np.empty(array.shape, dtype)
    rows = max(1, _PART * len(array) // array.size)
    for first in range(0, len(array), rows):
        result[first : first + rows] = array[first : first + rows]
    return result


def taken(array: FloatArray, rows: NDArray[Any]) -> FloatArray:
    """Return some rows of a matrix, copied in parts as well."""
    result = np.empty((len(rows), *array.shape[1:]), array.dtype)
    some = max(1, _PART // 16)  # rows lie apart in memory
    for first in range(0, len(rows), some):
        result[first : first + some] = array[rows[first : first + some]]
    return result


def within_range(name: str, array: NDArray[Any], dtype: np.dtype[Any]) -> FloatArray:
    """Return what `converted` does; a number beyond the dtype's range is refused."""
    if array.dtype == dtype:
        return converted(array, dtype)
    try:
        with np.errstate(over="raise", under="ignore"):
            return _in_parts(array, dtype)
    except FloatingPointError:
        beyond = np.isfinite(array) & ~np.isfinite(converted(array, dtype))
        _refuse_first(name, array, beyond, f"{name} must be within the range of {dtype}")
        raise


def _refuse_first(
    name: str,
    array: NDArray[Any],
    wrong: NDArray[np.bool_],
    rule: str,
    names: tuple[str, ...] | None = None,
    hint: str = "",
) -> None:
    """Refuse the first entry that is marked as wrong: it breaks the rule."""
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        column = "" if names is None else f" (column {names[place[1]]!r})"
        raise ValueError(f"{rule}, but {_entry(name, place)}{column} is {array[place]}{hint}")


def _entry(name: str, place: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, place))}]" if place else name


def matrix(
    name: str,
    values: ArrayLike,
    columns: int,
    dtype: np.dtype[Any],
    names: tuple[str, ...] | None = None,
) -> FloatArray:
    """Return samples as rows: an array (m, columns) with m >= 1; `names` as in `numbers`."""
    array = numbers(name, values, names)
    if array.ndim != 2:
        hint = f"; one sample is {name}.reshape(1, -1)" if array.ndim == 1 else ""
        raise ValueError(
            f"{name} must have 2 dimensions (samples, {columns}), not {array.ndim}{hint}"
        )
    if array.shape[1] != columns:
        raise ValueError(f"{name} must have {columns} columns, not {array.shape[1]}")
    if array.shape[0] == 0:
        raise ValueError(f"{name} must have at least 1 row, not 0")
    return within_range(name, array, dtype)


def finite(name: str, array: FloatArray, names: tuple[str, ...] | None = None) -> FloatArray:
    """Return `array`, in which NaN and infinity are refused with the place of the first one.

    `names` are those of its columns, which the message tells.
    """
    if _core.all_finite(array):
        return array
    # The sum is finite unless an entry is not (or it overflows): one pass, nothing stored.
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if np.isfinite(np.sum(array)):
            return array
    _refuse_first(name, array, ~np.isfinite(array), f"{name} must be finite", names)
    return array


def targets(
    values: ArrayLike, loss: str, rows: int, outputs: int, dtype: np.dtype[Any]
) -> tuple[LabelArray | None, FloatArray | None]:
    """Return (labels, None) or (None, values): the targets of `rows` samples.

    `cross_entropy` takes integer labels (m,) or probabilities (m, outputs), a custom loss takes
    integer labels too; all others take (m,) where there is one output, or (m, outputs).
    """
    array = numbers("y", values)
    if array.ndim >= 1 and array.shape[0] != rows:
        raise ValueError(f"y must have {rows} rows, as X has, not {array.shape[0]}")
    if array.ndim == 1 and (loss == "cross_entropy" or (loss == "custom" and outputs > 1)):
        return _labels(array, loss, outputs), None
    if array.ndim == 1 and outputs == 1:
        array = array[:, np.newaxis]
    if array.ndim != 2 or array.shape[1] != outputs:
        expected = f"({rows}, {outputs})" if outputs > 1 else f"({rows},) or ({rows}, 1)"
        hint = _hint_for_labels(array, loss)
        raise ValueError(f"y must have shape {expected} for loss '{loss}', not {array.shape}{hint}")
    result = finite("y", within_range("y", array, dtype))
    _check_range(result, loss)
    return None, result


def _hint_for_labels(y: NDArray[Any], loss: str) -> str:
    if loss == "cross_entropy":
        return "; integer labels are a vector: y.ravel()" if y.shape[1:] == (1,) else ""
    labels = y.ndim == 1 and y.dtype.kind in "iu"
    return "; integer labels go with output='softmax' and its loss" if labels else ""


def refuse_outside(
    name: str, array: NDArray[Any], low: float, high: float, expected: str, classes: int = 0
) -> None:
    """Refuse the first entry that is not in [low, high]; a hint tells how to number classes."""
    # The extremes first: a mask takes memory that grows with the rows.
    if array.size > 0 and not (low <= array.min() and array.max() <= high):
        hint = _hint_for_numbering(array, classes) if classes else ""
        _refuse_first(name, array, (array < low) | (array > high), expected, hint=hint)


def _hint_for_numbering(y: NDArray[Any], classes: int) -> str:
    """Say how labels of so many classes are numbered, where y may be such."""
    values = np.unique(y)
    if not np.array_equal(values, np.round(values)):
        return ""
    if len(values) <= classes:
        return f"; {_objects.CLASSES_HINT}"
    return f"; {len(values)} classes need as many outputs, behind softmax"


def _labels(array: NDArray[Any], loss: str, classes: int) -> LabelArray:
    if array.dtype.kind not in "biu":
        raise TypeError(
            f"y must hold integer class labels for loss '{loss}', not {array.dtype}; "
            "convert it with y.astype(int)"
        )
    labels = _core.labels(array, classes)  # None where it is not certain that all are classes
    if labels is not None:
        return labels
    rule = f"y must hold labels from 0 to {classes - 1}"
    refuse_outside("y", array, 0, classes - 1, rule, classes)
    return np.require(array, np.int32, ["C", "A"])


def _check_range(y: FloatArray, loss: str) -> None:
    if loss in ("cross_entropy", "binary_cross_entropy", "kl_divergence"):
        of_two = 2 if loss == "binary_cross_entropy" and y.shape[1] == 1 else 0
        refuse_outside("y", y, 0, 1, f"y must be in [0, 1] for loss '{loss}'", of_two)
    if loss in ("cross_entropy", "kl_divergence"):
        check_sums("y", y)
    if loss == "poisson":
        refuse_outside("y", y, 0, np.inf, f"y must not be negative for loss '{loss}'")
    if loss == "hinge":
        hint = "; of 0 and 1, 2 * y - 1 makes them" if np.isin(y, (0, 1)).all() else ""
        _refuse_first("y", y, np.abs(y) != 1, f"y must be -1 or 1 for loss '{loss}'", hint=hint)


def check_sums(name: str, array: FloatArray) -> None:
    """Refuse rows that are no probabilities of classes: they must sum to 1."""
    sums = array.sum(axis=1, dtype=np.float64)
    wrong = np.abs(sums - 1) > 1e-3
    if wrong.any():
        i = int(np.argmax(wrong))
        raise ValueError(
            f"{name} must have rows that sum to 1, but {name}[{i}] sums to {sums[i]:g}"
        )


def sample_weights(values: ArrayLike | None, rows: int, dtype: np.dtype[Any]) -> FloatArray | None:
    """Return weights (m,), none negative and not all 0; None where all samples count the same."""
    if values is None:
        return None
    array = numbers("sample_weight", values)
    if array.shape != (rows,):
        raise ValueError(f"sample_weight must have shape ({rows},), not {array.shape}")
    result = finite("sample_weight", within_range("sample_weight", array, dtype))
    refuse_outside("sample_weight", result, 0, np.inf, "sample_weight must not be negative")
    if not result.any():
        raise ValueError("sample_weight must not be 0 for every sample")
    with np.errstate(over="ignore"):
        if not np.isfinite(result.sum(dtype=np.float64)):
            raise ValueError("sample_weight must have a finite sum; only its proportions count")
    return result


def output(
    values: Any, shape: tuple[int, ...], dtype: np.dtype[Any], X: NDArray[Any]
) -> FloatArray:
    """Return the array that results are written to: exactly what is needed, or it is refused."""
    if not isinstance(values, np.ndarray):
        raise TypeError(f"out must be a NumPy array, not {type(values).__name__}")
    if values.dtype != dtype:
        raise TypeError(f"out must have dtype {dtype}, not {values.dtype}")
    if values.shape != shape:
        raise ValueError(f"out must have shape {shape}, not {values.shape}")
    if not (values.flags.c_contiguous and values.flags.aligned and values.flags.writeable):
        raise ValueError("out must be C-contiguous, aligned and writable")
    if np.may_share_memory(values, X):
        raise ValueError("out must not share memory with X")
    return values
