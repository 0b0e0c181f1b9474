"""How good a model is on the rows of the test, beside what needs no model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp import metrics
from pymlp.tabular.columns import number_text

__all__ = ["label_text", "score_amounts", "score_classes"]

_QUANTILE = 1.959964  # of the normal distribution: 95 % lie within


def label_text(label: Any) -> str:
    """Return a class label as a file writes it."""
    return number_text(label) if isinstance(label, float) else str(label)


def score_classes(
    labels: NDArray[Any], truth: NDArray[Any], probabilities: NDArray[Any], usual: Any
) -> dict[str, Any]:
    """Score probabilities of classes.

    Parameters
    ----------
    labels : ndarray, shape (n_classes,)
        The classes that the model knows, sorted.
    truth : ndarray, shape (n_rows,)
        Labels, also such as the model does not know.
    probabilities : ndarray, shape (n_rows, n_classes)
    usual : label
        The most frequent one of the training, which the baseline predicts always.

    Returns
    -------
    dict
        As JSON holds it.
    """
    known = labels.tolist()
    names = known + sorted(set(truth.tolist()) - set(known))
    places = {label: place for place, label in enumerate(names)}
    actual = np.array([places[label] for label in truth.tolist()], np.int64)
    predicted = probabilities.argmax(axis=1)
    counts = np.zeros((len(names), len(names)), np.int64)
    np.add.at(counts, (actual, predicted), 1)
    right, n_rows = int(counts.trace()), len(truth)
    complete = len(names) == len(known) > 1
    return {
        "rows": n_rows,
        "right": right,
        "accuracy": right / n_rows,
        "interval": _wilson(right, n_rows),
        "log_loss": float(metrics.log_loss(actual, probabilities, labels=range(len(known))))
        if complete
        else None,
        "baseline": {
            "prediction": label_text(usual),
            "accuracy": int((actual == places[usual]).sum()) / n_rows,
        },
        "classes": [_figures(label_text(name), i, counts) for i, name in enumerate(names)],
        "confusion": counts.tolist(),
    }


def _figures(name: str, i: int, counts: NDArray[np.int64]) -> dict[str, Any]:
    hits, actual, predicted = int(counts[i, i]), int(counts[i].sum()), int(counts[:, i].sum())
    return {
        "name": name,
        "rows": actual,
        "precision": hits / predicted if predicted else None,
        "recall": hits / actual if actual else None,
        "f1": 2 * hits / (actual + predicted) if actual + predicted else None,
    }


def _wilson(right: int, n: int) -> list[float]:
    """Return the 95 % interval of a share (Wilson, 1927)."""
    share, z2 = right / n, _QUANTILE**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _QUANTILE / (1 + z2 / n) * (share * (1 - share) / n + z2 / (4 * n * n)) ** 0.5
    return [max(0.0, middle - half), min(1.0, middle + half)]


def score_amounts(
    truth: NDArray[np.float64], predicted: NDArray[np.float64], mean: float
) -> dict[str, Any]:
    """Score predictions of numbers.

    Parameters
    ----------
    truth, predicted : ndarray, shape (n_rows,)
    mean : float
        That of the training, which the baseline predicts always.

    Returns
    -------
    dict
        As JSON holds it.
    """
    squares = (predicted - truth) ** 2
    mse, variance = float(squares.mean()), float(truth.var())
    return {
        "rows": len(truth),
        "rmse": mse**0.5,
        "interval": _rmse_interval(squares),
        "mae": float(np.abs(predicted - truth).mean()),
        "r2": 1.0 - mse / variance if variance else 0.0,
        "baseline": {"prediction": mean, "rmse": float(((mean - truth) ** 2).mean()) ** 0.5},
    }


def _rmse_interval(squares: NDArray[np.float64]) -> list[float] | None:
    """Return the 95 % interval of a root mean square, by the normal law of the mean of squares."""
    if len(squares) < 2:
        return None
    half = _QUANTILE * float(squares.std(ddof=1)) / len(squares) ** 0.5
    mean = float(squares.mean())
    return [max(0.0, mean - half) ** 0.5, (mean + half) ** 0.5]


def worst_first(classes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return classes by recall, those that the test does not have last."""
    return sorted(classes, key=lambda c: 2.0 if c["recall"] is None else c["recall"])
