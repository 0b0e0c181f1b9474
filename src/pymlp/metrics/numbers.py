"""Metrics of predicted numbers."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from pymlp import _arrays, _checks
from pymlp.metrics import arguments
from pymlp.metrics.arguments import Numbers

MultiOutput: TypeAlias = "str | ArrayLike"


def _over_outputs(scores: Numbers, multioutput: MultiOutput) -> float | Numbers:
    """Return the scores of several outputs as one number, or as they are."""
    if isinstance(multioutput, str):
        if multioutput == "raw_values":
            return scores
        if multioutput != "uniform_average":
            raise ValueError(
                f"multioutput must be uniform_average, raw_values or weights, not {multioutput!r}"
            )
        return float(scores.mean())
    weights = _arrays.numbers("multioutput", multioutput)
    if weights.shape != scores.shape:
        raise ValueError(f"multioutput must have shape {scores.shape}, not {weights.shape}")
    return float(np.average(scores, weights=weights))


def r2(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: MultiOutput = "uniform_average",
) -> float | Numbers:
    """Return the coefficient of determination, the share of the variance that is predicted.

    ``1 - sum((y - p)^2) / sum((y - mean(y))^2)``: 1 is all, 0 is what the mean gives, below is
    worse. Of a constant target it is 1 where it is predicted exactly, else 0.

    Parameters
    ----------
    y_true, y_pred : array-like, shape (m,) or (m, k)
        A vector and one column are the same.
    sample_weight : array-like, shape (m,), optional
    multioutput : {"uniform_average", "raw_values"} or array-like (k,), default "uniform_average"
        Of several outputs: the mean, one for each, or the mean with these weights.

    Returns
    -------
    float, or ndarray (k,) for "raw_values"
        NaN for fewer than two samples.

    Examples
    --------
    >>> pymlp.metrics.r2([1.0, 2.0, 3.0], [1.0, 2.0, 2.0])
    0.5
    """
    true, predicted, weights = arguments.numbers(y_true, y_pred, sample_weight)
    if len(true) < 2:
        return _over_outputs(np.full(true.shape[1], np.nan), multioutput)
    error = weights @ (true - predicted) ** 2
    spread = weights @ (true - np.average(true, axis=0, weights=weights)) ** 2
    scores = np.where(error == 0, 1.0, 0.0)
    varies = (spread != 0) & (error != 0)
    scores[varies] = 1.0 - error[varies] / spread[varies]
    return _over_outputs(scores, multioutput)


def rmse(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: MultiOutput = "uniform_average",
) -> float | Numbers:
    """Return the root of the mean squared error, in the target's units.

    Parameters
    ----------
    y_true, y_pred : array-like, shape (m,) or (m, k)
        A vector and one column are the same.
    sample_weight : array-like, shape (m,), optional
    multioutput : {"uniform_average", "raw_values"} or array-like (k,), default "uniform_average"
        Of several outputs: the mean of the roots, one for each, or the mean with these weights.

    Returns
    -------
    float, or ndarray (k,) for "raw_values"

    Examples
    --------
    >>> pymlp.metrics.rmse([1.0, 2.0], [1.0, 4.0])
    1.4142135623730951
    """
    true, predicted, weights = arguments.numbers(y_true, y_pred, sample_weight)
    squares = np.average((true - predicted) ** 2, axis=0, weights=weights)
    return _over_outputs(np.sqrt(squares), multioutput)


def mae(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: MultiOutput = "uniform_average",
) -> float | Numbers:
    """Return the mean absolute error, in the target's units.

    Parameters
    ----------
    y_true, y_pred : array-like, shape (m,) or (m, k)
        A vector and one column are the same.
    sample_weight : array-like, shape (m,), optional
    multioutput : {"uniform_average", "raw_values"} or array-like (k,), default "uniform_average"
        Of several outputs: the mean, one for each, or the mean with these weights.

    Returns
    -------
    float, or ndarray (k,) for "raw_values"

    Examples
    --------
    >>> pymlp.metrics.mae([1.0, 2.0], [1.0, 4.0])
    1.0
    """
    true, predicted, weights = arguments.numbers(y_true, y_pred, sample_weight)
    return _over_outputs(np.average(np.abs(true - predicted), axis=0, weights=weights), multioutput)


def mape(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: MultiOutput = "uniform_average",
) -> float | Numbers:
    """Return the mean absolute error relative to the target: 0.1 is ten percent.

    Parameters
    ----------
    y_true, y_pred : array-like, shape (m,) or (m, k)
        A vector and one column are the same. A target of 0 counts as the distance from 1 to the
        next float64, so that an error there is very large.
    sample_weight : array-like, shape (m,), optional
    multioutput : {"uniform_average", "raw_values"} or array-like (k,), default "uniform_average"
        Of several outputs: the mean, one for each, or the mean with these weights.

    Returns
    -------
    float, or ndarray (k,) for "raw_values"

    Examples
    --------
    >>> pymlp.metrics.mape([10.0, 100.0], [12.0, 80.0])
    0.2
    """
    true, predicted, weights = arguments.numbers(y_true, y_pred, sample_weight)
    relative = np.abs(true - predicted) / np.maximum(np.abs(true), np.finfo(np.float64).eps)
    return _over_outputs(np.average(relative, axis=0, weights=weights), multioutput)


def quantile(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    alpha: float | ArrayLike = 0.5,
    multioutput: MultiOutput = "uniform_average",
) -> float | Numbers:
    """Return the quantile loss, also called pinball loss, whose minimum is the `alpha` quantile.

    The mean of ``alpha (y - p)`` where y is above p, and of ``(1 - alpha) (p - y)`` where below.

    Parameters
    ----------
    y_true, y_pred : array-like, shape (m,) or (m, k)
        A vector and one column are the same.
    sample_weight : array-like, shape (m,), optional
    alpha : float or array-like (k,), default 0.5
        From 0 to 1, for all outputs or for each; 0.5 gives half of the mean absolute error.
    multioutput : {"uniform_average", "raw_values"} or array-like (k,), default "uniform_average"
        Of several outputs: the mean, one for each, or the mean with these weights.

    Returns
    -------
    float, or ndarray (k,) for "raw_values"

    Examples
    --------
    >>> pymlp.metrics.quantile([1.0, 2.0], [0.0, 4.0], alpha=0.75)
    0.625
    """
    true, predicted, weights = arguments.numbers(y_true, y_pred, sample_weight)
    share = _shares(alpha, true.shape[1])
    above = true - predicted
    losses = np.maximum(share * above, (share - 1.0) * above)
    return _over_outputs(np.average(losses, axis=0, weights=weights), multioutput)


def _shares(alpha: float | ArrayLike, n_outputs: int) -> float | Numbers:
    """Return one share, or one for each output."""
    if np.ndim(alpha) == 0:
        return _checks.number("alpha", alpha, minimum=0.0, maximum=1.0)
    given = np.asarray(alpha).tolist()
    if len(given) != n_outputs:
        raise ValueError(
            f"alpha must be {n_outputs} numbers, one for each output, not {len(given)}"
        )
    return np.array(
        [_checks.number(f"alpha[{i}]", v, minimum=0.0, maximum=1.0) for i, v in enumerate(given)]
    )
