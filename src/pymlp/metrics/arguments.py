"""What metrics are given: labels, probabilities, numbers and weights, checked."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pymlp import _arrays, _checks

Labels: TypeAlias = NDArray[Any]
Numbers: TypeAlias = NDArray[np.float64]


def labels(name: str, values: ArrayLike) -> Labels:
    """Return class labels of any kind, (m,), or indicators of 0 and 1, (m, k), of k labels."""
    array = _as_vector(np.asarray(values))
    _check_shape(name, array)
    if array.ndim == 2:
        return _indicators(name, array)
    if array.dtype.kind == "f" and not np.array_equal(array, np.trunc(array)):
        raise ValueError(
            f"{name} must hold class labels, not numbers between them; of probabilities the class "
            "is P.argmax(axis=1), or P > 0.5 of one column"
        )
    return array


def _indicators(name: str, array: Labels) -> Labels:
    if array.dtype.kind not in "biuf" or not np.isin(array, (0, 1)).all():
        raise ValueError(
            f"{name} must hold class labels (m,), or indicators of 0 and 1 (m, k), not an array "
            f"{array.shape} of {array.dtype}; of probabilities the class is P.argmax(axis=1)"
        )
    return array


def class_labels(name: str, values: ArrayLike) -> Labels:
    """Return class labels (m,), one for each sample."""
    array = labels(name, values)
    if array.ndim != 1:
        raise ValueError(f"{name} must have shape (m,), not {array.shape}")
    return array


def _as_vector(array: NDArray[Any]) -> NDArray[Any]:
    """Return one column as a vector, and all else as it is."""
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _check_shape(name: str, array: NDArray[Any]) -> None:
    if array.ndim not in (1, 2):
        raise ValueError(f"{name} must have shape (m,) or (m, k), not {array.shape}")
    if len(array) == 0:
        raise ValueError(f"{name} must have at least 1 row, not 0")


def both_labels(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[Labels, Labels]:
    """Return true and predicted labels of one shape."""
    true, predicted = labels("y_true", y_true), labels("y_pred", y_pred)
    if true.shape != predicted.shape:
        raise ValueError(
            f"y_pred must have shape {true.shape}, as y_true has, not {predicted.shape}"
        )
    if (true.dtype.kind in "US") != (predicted.dtype.kind in "US") and "O" not in (
        true.dtype.kind,
        predicted.dtype.kind,
    ):
        raise TypeError(
            f"y_pred must hold labels of y_true's kind, {true.dtype}, not {predicted.dtype}"
        )
    return true, predicted


def weights(values: ArrayLike | None, rows: int) -> Numbers:
    """Return sample weights (m,), all 1 where none are given."""
    checked = _arrays.sample_weights(values, rows, np.dtype(np.float64))
    return np.ones(rows) if checked is None else checked.astype(np.float64, copy=False)


def mean_or_sum(values: NDArray[Any], weights: Numbers, normalize: bool) -> float:
    """Return the weighted mean of the samples' values; where not `normalize`, their sum."""
    mean = _checks.flag("normalize", normalize)
    return float(np.average(values, weights=weights) if mean else weights @ values)


def scores(name: str, values: ArrayLike, rows: int) -> Numbers:
    """Return finite scores, (m,) or (m, k); one column is a vector."""
    array = _as_vector(_arrays.numbers(name, values).astype(np.float64, copy=False))
    _check_shape(name, array)
    if len(array) != rows:
        raise ValueError(f"{name} must have {rows} rows, as y_true has, not {len(array)}")
    _arrays.finite(name, array)
    return array


def probabilities(name: str, values: ArrayLike, rows: int) -> Numbers:
    """Return probabilities, (m,) of the second of two classes or (m, k) of all."""
    result = scores(name, values, rows)
    _arrays.refuse_outside(name, result, 0, 1, f"{name} must be in [0, 1]")
    if result.ndim == 2:
        _arrays.check_sums(name, result)
    return result


def class_numbers(
    true: Labels, given: ArrayLike | None, columns: int | None
) -> tuple[NDArray[np.intp], Labels]:
    """Return the place of each label among the sorted classes, and the classes.

    `columns` is how many classes the probabilities have: where `given` does not name them and
    `y_true` does not hold all, which class is which is not known, and that is refused.
    """
    classes = np.unique(true) if given is None else np.unique(np.asarray(given))
    if given is not None and len(classes) != np.asarray(given).size:
        raise ValueError("labels must name each class once")
    if columns is not None and len(classes) != columns:
        raise ValueError(
            f"y_true holds {len(classes)} classes and there are columns for {columns}; labels= "
            "names the class of each column"
            if given is None
            else f"labels must name {columns} classes, one for each column, not {len(classes)}"
        )
    places = np.minimum(np.searchsorted(classes, true), len(classes) - 1)
    unknown = classes[places] != true
    if unknown.any():
        raise ValueError(f"y_true holds {true[unknown][0]!r}, which labels does not name")
    return places, classes


def numbers(
    y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None
) -> tuple[Numbers, Numbers, Numbers]:
    """Return true values, predictions, (m, k) both, and weights (m,)."""
    true, predicted = (
        _columns(name, values) for name, values in (("y_true", y_true), ("y_pred", y_pred))
    )
    if true.shape != predicted.shape:
        raise ValueError(
            f"y_pred must have shape {true.shape}, as y_true has (a vector is one column), not "
            f"{predicted.shape}"
        )
    return true, predicted, weights(sample_weight, len(true))


def _columns(name: str, values: ArrayLike) -> Numbers:
    array = _arrays.numbers(name, values).astype(np.float64, copy=False)
    _check_shape(name, array)
    _arrays.finite(name, array)
    return array.reshape(len(array), -1)
