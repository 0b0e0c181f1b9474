"""Metrics of predicted classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pymlp import _checks
from pymlp.metrics import arguments
from pymlp.metrics.arguments import Labels, Numbers

AVERAGES = ("binary", "micro", "macro", "weighted", "samples")


def accuracy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    normalize: bool = True,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the share of samples whose class is predicted right.

    Parameters
    ----------
    y_true, y_pred : array-like, shape (m,) of labels, or (m, k) of indicators
        Of any kind: integers, strings, booleans. Of indicators a sample is right where all of its k
        are.
    normalize : bool, default True
        False: the sum of the weights of the samples that are right, not the share.
    sample_weight : array-like, shape (m,), optional

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        Where an argument is not of labels, or shapes differ; the message names it.

    Examples
    --------
    >>> pymlp.metrics.accuracy(["cat", "dog", "dog"], ["cat", "dog", "cat"])
    0.6666666666666666
    """
    true, predicted = arguments.both_labels(y_true, y_pred)
    weights = arguments.weights(sample_weight, len(true))
    right = true == predicted
    if right.ndim == 2:
        right = right.all(axis=1)
    return arguments.mean_or_sum(right, weights, normalize)


def balanced_accuracy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    adjusted: bool = False,
) -> float:
    """Return the mean over the classes of the share of their samples that are predicted right.

    Parameters
    ----------
    y_true, y_pred : array-like of labels, shape (m,)
    sample_weight : array-like, shape (m,), optional
    adjusted : bool, default False
        Scale it so that guessing gives 0, and all right 1.

    Returns
    -------
    float

    Examples
    --------
    >>> pymlp.metrics.balanced_accuracy([0, 0, 0, 1], [0, 0, 0, 0])
    0.5
    """
    true, predicted = arguments.both_labels(arguments.class_labels("y_true", y_true), y_pred)
    weights = arguments.weights(sample_weight, len(true))
    places, classes = arguments.class_numbers(true, None, None)
    of_class = np.bincount(places, weights, len(classes))
    right = np.bincount(places, weights * (true == predicted), len(classes))
    seen = of_class > 0  # a class may have weights of 0 alone
    score = float(np.mean(right[seen] / of_class[seen]))
    if _checks.flag("adjusted", adjusted):
        chance = 1.0 / np.count_nonzero(seen)
        return (score - chance) / (1.0 - chance) if chance < 1.0 else 0.0
    return score


def f1(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    pos_label: Any = 1,
    average: str | None = "binary",
    sample_weight: ArrayLike | None = None,
) -> float | Numbers:
    """Return the harmonic mean of precision and recall.

    Of one class, with `tp` true positives, `fp` false positives and `fn` false negatives:
    ``2 tp / (2 tp + fp + fn)``; 0 where none of the three is above 0.

    Parameters
    ----------
    y_true, y_pred : array-like, shape (m,) of labels, or (m, k) of indicators
    labels : array-like, optional
        The classes that count, in this order; of indicators their columns. None: all that occur.
    pos_label : label, default 1
        The class that `average="binary"` is about.
    average : {"binary", "micro", "macro", "weighted", "samples", None}, default "binary"
        The mean over classes: of the sums of all ("micro"), of the scores ("macro"), of the scores
        weighted by the classes' weights ("weighted"); of the scores of samples ("samples", of
        indicators); None: one score for each class.
    sample_weight : array-like, shape (m,), optional

    Returns
    -------
    float, or ndarray of float where `average` is None

    Examples
    --------
    >>> pymlp.metrics.f1([0, 1, 1, 1], [0, 1, 0, 1])
    0.8
    >>> pymlp.metrics.f1(["a", "b", "c"], ["a", "b", "b"], average="macro")
    0.5555555555555555
    """
    true, predicted = arguments.both_labels(y_true, y_pred)
    weights = arguments.weights(sample_weight, len(true))
    if average is not None and average not in AVERAGES:
        raise ValueError(f"average must be one of {', '.join(AVERAGES)} or None, not {average!r}")
    if average == "samples":
        return _f1_of_samples(true, predicted, labels, weights)
    if average == "binary":
        labels = _positive(true, predicted, pos_label)
    hits, of_true, of_predicted = _counts(true, predicted, labels, weights)
    if average == "micro":
        hits, of_true, of_predicted = (np.array([c.sum()]) for c in (hits, of_true, of_predicted))
    scores = _ratio(2.0 * hits, of_true + of_predicted)
    if average is None:
        return scores
    if average == "weighted":
        return float(_ratio(np.array([scores @ of_true]), np.array([of_true.sum()]))[0])
    return float(scores.mean())


def _positive(true: Labels, predicted: Labels, pos_label: Any) -> list[Any]:
    if true.ndim == 2:
        raise ValueError("average must be 'macro', 'micro', ... for indicators, not 'binary'")
    classes = np.union1d(true, predicted)
    if len(classes) > 2:
        raise ValueError(
            f"average must be 'macro', 'micro', 'weighted' or None for {len(classes)} classes, "
            "not 'binary'"
        )
    if pos_label not in classes and len(classes) == 2:
        raise ValueError(f"pos_label must be one of {classes.tolist()}, not {pos_label!r}")
    return [pos_label]


def _counts(
    true: Labels, predicted: Labels, labels: ArrayLike | None, weights: Numbers
) -> tuple[Numbers, Numbers, Numbers]:
    """Return the weights of what is right, of what is true and of what is predicted, by class."""
    if true.ndim == 2:
        chosen = slice(None) if labels is None else np.asarray(labels)
        t, p = true[:, chosen] == 1, predicted[:, chosen] == 1
        return np.asarray(weights @ (t & p)), np.asarray(weights @ t), np.asarray(weights @ p)
    classes = np.union1d(true, predicted)
    places_true, places_predicted = (
        np.searchsorted(classes, true),
        np.searchsorted(classes, predicted),
    )
    n = len(classes)
    counts = (
        _sums(places_true, weights * (true == predicted), n),
        _sums(places_true, weights, n),
        _sums(places_predicted, weights, n),
    )
    if labels is None:
        return counts
    wanted = np.asarray(labels)
    places = np.minimum(np.searchsorted(classes, wanted), n - 1)
    known = classes[places] == wanted
    hits, of_true, of_predicted = (np.where(known, c[places], 0.0) for c in counts)
    return hits, of_true, of_predicted


def _sums(places: NDArray[np.intp], weights: Numbers, n: int) -> Numbers:
    return np.bincount(places, weights, n).astype(np.float64, copy=False)


def _f1_of_samples(
    true: Labels, predicted: Labels, labels: ArrayLike | None, weights: Numbers
) -> float:
    if true.ndim != 2:
        raise ValueError("average='samples' needs indicators (m, k), not labels (m,)")
    chosen = slice(None) if labels is None else np.asarray(labels)
    t, p = true[:, chosen] == 1, predicted[:, chosen] == 1
    scores = _ratio(2.0 * (t & p).sum(axis=1), 1.0 * t.sum(axis=1) + p.sum(axis=1))
    return float(np.average(scores, weights=weights))


def _ratio(above: NDArray[Any], below: NDArray[Any]) -> Numbers:
    """Return the quotient, 0 where there is nothing to divide by."""
    result = np.zeros(len(above))
    np.divide(above, below, out=result, where=below > 0)
    return result
