"""Targets: classes as codes, amounts around 0 with deviation 1, and back."""

from __future__ import annotations

import itertools
import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pymlp import _arrays
from pymlp.files import stored as checks
from pymlp.tabular.cells import is_missing
from pymlp.tabular.columns import BOOLEANS, Column
from pymlp.tabular.contract import warning_of_columns

__all__ = [
    "Scale",
    "amounts_of_column",
    "classes_of",
    "codes_of",
    "numbers_of_target",
    "refuse_another_kind",
    "stored_scale",
    "vector",
]


_LARGEST_INTEGER = 2.0**53  # up to which float64 has them all


class Scale(NamedTuple):
    """Mean and deviation of a regression's target, or arrays (k,) of those of several targets."""

    mean: float | NDArray[np.float64]
    deviation: float | NDArray[np.float64]

    @classmethod
    def fit(cls, values: NDArray[np.float64], weights: NDArray[np.float64] | None) -> Scale:
        """Measure values, (n_rows,) or (n_rows, k).

        Constant ones have the deviation 0, so that they are predicted.
        """
        if values.ndim == 2:
            return cls(*np.transpose([cls.fit(column, weights) for column in values.T]))
        largest = float(np.abs(values).max())
        unit = largest or 1.0
        mean = float(np.average(values / unit, weights=weights))
        spread = float(np.average((values / unit - mean) ** 2, weights=weights)) ** 0.5
        noise = 8 * np.finfo(np.float64).eps  # rounding alone spreads equal numbers
        return cls(mean * unit, spread * unit if spread > noise else 0.0)

    def scaled(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return values around 0 with deviation 1."""
        deviation = np.where(self.deviation == 0.0, 1.0, self.deviation)
        found: NDArray[np.float64] = (values - self.mean) / deviation
        return found

    def unscaled(self, outputs: NDArray[Any]) -> NDArray[np.float64]:
        """Return outputs in the target's units."""
        return outputs.astype(np.float64) * self.deviation + self.mean

    def decoded(self, outputs: NDArray[Any]) -> NDArray[np.float64]:
        """Return outputs in the target's units, to as many digits as their precision carries."""
        if isinstance(self.deviation, np.ndarray):
            scales = map(Scale, np.asarray(self.mean), self.deviation)
            columns = zip(scales, outputs.T, strict=True)
            return np.column_stack([scale.decoded(column) for scale, column in columns])
        if not self.deviation:
            return self.unscaled(outputs)
        digits = np.finfo(outputs.dtype).precision - int(np.floor(np.log10(self.deviation)))
        found = self.unscaled(outputs)
        with np.errstate(
            over="ignore", invalid="ignore"
        ):  # the largest numbers have no digits behind the point
            rounded = found.round(min(digits, 300))
        return np.where(np.isfinite(rounded), rounded, found)


def stored_scale(stored: dict[str, Any]) -> Scale:
    """Return the scale whose mean and deviation a file has, of one target or of several."""
    mean, deviation = stored["mean"], stored["deviation"]
    if not isinstance(mean, list):
        return Scale(checks.number("mean", mean), _deviation(deviation))
    several = checks.numbers("mean", mean)
    deviations = [_deviation(v) for v in checks.numbers("deviation", deviation, len(several))]
    return Scale(np.array([checks.number("mean", v) for v in several]), np.array(deviations))


def _deviation(stored: Any) -> float:
    found = checks.number("deviation", stored)
    if found < 0.0:
        raise ValueError(f"deviation must not be below 0, but is {found}")
    return found


def vector(y: Any, n_rows: int, estimator: str) -> Any:
    """Return a target of one dimension, as an array or as a column of a frame's library.

    Raises
    ------
    ValueError
        If it has another length or several columns.
    """
    if y is None:
        raise ValueError(
            f"This {estimator} estimator requires y to be passed, but the target y is None"
        )
    if isinstance(y, Column):
        y = _of_column(y)
    array = _array(y)
    if array.ndim == 2 and array.shape[1] == 1:
        warnings.warn(
            "A column-vector y was passed when a 1d array was expected. Please change the shape of "
            "y to (n_samples,), for example using ravel().",
            warning_of_columns(),
            stacklevel=5,
        )
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(
            f"y should be a 1d array, got an array of shape {array.shape} instead; "
            "TabularRegressor predicts several columns of numbers"
        )
    if len(array) != n_rows:
        raise ValueError(f"y must have {n_rows} rows, as X has, not {len(array)}")
    return array


def _array(y: Any) -> NDArray[Any]:
    if hasattr(y, "to_numpy"):
        return np.asarray(y.to_numpy())
    array = np.asarray(y)
    if array.dtype.kind == "U" and not hasattr(y, "dtype"):
        array = np.asarray(y, object)  # NumPy would make texts of the numbers beside them
    return array


def _of_column(column: Column) -> NDArray[Any]:
    if column.is_number:
        whole = column.whole and not column.n_missing
        small = whole and bool((np.abs(column.values) <= _LARGEST_INTEGER).all())
        return column.values.astype(np.int64) if small else column.values
    if column.categories == BOOLEANS and not column.n_missing:
        return column.values.astype(bool)
    if column.categories is None:
        return np.array(column.texts(), object)
    texts = np.array([*column.categories, None], object)
    return np.asarray(texts[column.values])


def refuse_missing(y: NDArray[Any]) -> None:
    """Refuse a target with missing values, and say how many and where the first one is."""
    if y.dtype.kind == "O":
        if not any(map(is_missing, _distinct(y))):
            return
        missing = np.array([is_missing(value) for value in y], bool)
    elif y.dtype.kind == "f":
        missing = np.isnan(y)
    else:
        return
    if missing.any():
        raise ValueError(
            f"Input y contains NaN: {np.count_nonzero(missing):,} of its {len(y):,} values are "
            f"missing, the first in row {int(np.argmax(missing))}; leave these rows out"
        )


def _distinct(y: NDArray[Any]) -> set[Any] | list[Any]:
    """Return the different values of an array of objects; all where some cannot be compared."""
    values = y.tolist()
    try:
        return set(values)
    except TypeError:
        return list(values)


def classes_of(y: NDArray[Any]) -> NDArray[Any]:
    """Return the classes of a target, sorted.

    Raises
    ------
    ValueError
        If values are missing, or are amounts.
    """
    refuse_missing(y)
    if y.dtype.kind == "f":
        if not np.isfinite(y).all():
            raise ValueError("Input y contains infinity")
        if (y != np.rint(y)).any():
            raise ValueError(
                "Unknown label type: continuous. y has numbers with fractions, which are no "
                "classes; TabularRegressor predicts numbers"
            )
    if y.dtype.kind not in "OUbiuf":
        raise ValueError(f"Unknown label type: {y.dtype}. y must hold texts, whole numbers, bools")
    try:
        if y.dtype.kind != "O":
            return np.unique(y)
        labels = sorted(_distinct(y))  # sorting a million objects takes seconds
        result = np.empty(len(labels), object)
        result[:] = labels
        return result
    except TypeError:
        kinds = sorted({type(value).__name__ for value in y})
        raise ValueError(f"Unknown label type: y mixes {' and '.join(kinds)}") from None


def codes_of(y: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.int64]:
    """Return the place of each label among the classes; others are refused."""
    places = {label: place for place, label in enumerate(classes.tolist())}
    try:
        found = map(places.get, y.tolist(), itertools.repeat(-1))
        codes = np.fromiter(found, np.int64, len(y))
    except TypeError:
        raise ValueError("Unknown label type: y holds values that are no labels") from None
    if (codes < 0).any():
        row = int(np.argmin(codes))
        raise ValueError(f"y has a class that the training does not have: {y[row]!r}")
    return codes


def refuse_another_kind(y: NDArray[Any], classes: NDArray[Any]) -> None:
    """Refuse labels that no prediction can equal: texts where the classes are none, or reverse."""
    of_y, of_classes = ({isinstance(v, str) for v in labels.tolist()} for labels in (y, classes))
    if of_y and of_y.isdisjoint(of_classes):
        raise ValueError(
            f"y[0] is {y.tolist()[0]!r}, but the classes are {classes.tolist()[:3]}: y must "
            "be of their kind"
        )


def amounts_of_column(column: Column) -> NDArray[np.float64]:
    """Return a column of a table as the target of a regression."""
    return numbers_of_target(_of_column(column))


def numbers_of_target(y: NDArray[Any]) -> NDArray[np.float64]:
    """Return the target of a regression, which must be finite numbers."""
    refuse_missing(y)
    if y.dtype.kind in "OU":
        row, text = next(((i, v) for i, v in enumerate(y.tolist()) if isinstance(v, str)), (0, ""))
        if text:
            raise TypeError(
                f"y must hold real numbers, but y[{row}] is {text!r:.50}; texts of numbers are "
                "read where y is the name of a column of X, and TabularClassifier predicts classes"
            )
    array = _arrays.numbers("y", y).astype(np.float64)
    if not np.isfinite(array).all():
        row = int(np.argmin(np.isfinite(array)))
        raise ValueError(f"Input y contains infinity: y[{row}] is {array[row]}")
    return array
