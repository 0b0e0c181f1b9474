"""Temperature: one number that makes probabilities as sure as they are right.

Guo et al., On Calibration of Modern Neural Networks, arXiv:1706.04599: logits are divided by it. It
is what makes held-out rows most probable, drawn towards 1 as if by some rows more, so that a few
rows that all are right do not make it 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["fit_temperature", "tempered"]

_PRIOR = 10.0  # rows
_STEPS = 50


def fit_temperature(
    probabilities: NDArray[Any], labels: NDArray[Any], weights: NDArray[Any] | None = None
) -> float:
    """Return the temperature of probabilities.

    Parameters
    ----------
    probabilities : ndarray, shape (n_rows, n_classes)
        Of rows that the network was not trained on.
    labels : ndarray of int, shape (n_rows,)
        Their classes.
    weights : ndarray, shape (n_rows,), optional
        Of the rows; they count as many rows as there are, whatever the sum.

    Returns
    -------
    float
        Above 1 where the network is too sure of itself.

    Examples
    --------
    >>> from pymlp.tabular.calibration import fit_temperature
    >>> sure = np.tile([0.99, 0.01], (100, 1))
    >>> fit_temperature(sure, np.repeat([0, 1], [80, 20])) > 2
    True
    """
    logits = _logits(probabilities)
    n_rows = len(labels)
    w = np.full(n_rows, 1.0) if weights is None else weights * (n_rows / weights.sum())
    right = logits[np.arange(n_rows), labels]
    inverse = 1.0
    # Newton's steps on 1 / temperature, in which all is convex; it stays positive.
    for _ in range(_STEPS):
        p = tempered(probabilities, 1.0 / inverse)
        mean = (p * logits).sum(axis=1)
        variance = (p * logits**2).sum(axis=1) - mean**2
        slope = float(w @ (mean - right)) + _PRIOR * (1.0 - 1.0 / inverse)
        curvature = float(w @ variance) + _PRIOR / inverse**2
        step = slope / curvature
        new = max(inverse - step, inverse / 4)
        if abs(new - inverse) < 1e-10 * inverse:
            break
        inverse = min(new, 4 * inverse)
    return 1.0 / inverse


def tempered(probabilities: NDArray[Any], temperature: float) -> NDArray[Any]:
    """Return the probabilities that logits divided by a temperature have, of the same dtype."""
    if temperature == 1.0:
        return probabilities
    logits = _logits(probabilities) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: NDArray[Any] = powers / powers.sum(axis=1, keepdims=True)
    return result.astype(probabilities.dtype)


def _logits(probabilities: NDArray[Any]) -> NDArray[np.float64]:
    """Return logits, up to what is the same for a row."""
    least = np.finfo(probabilities.dtype).tiny
    return np.log(np.maximum(probabilities.astype(np.float64), least))
