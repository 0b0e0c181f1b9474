"""Metrics of the probabilities, or other scores, of classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pymlp import _checks
from pymlp.metrics import arguments
from pymlp.metrics.arguments import Labels, Numbers


def _all_classes(
    y_true: ArrayLike, y_prob: ArrayLike, labels: ArrayLike | None
) -> tuple[NDArray[np.intp], Numbers]:
    """Return the number of each sample's class and the probabilities (m, k) of all classes."""
    true = arguments.class_labels("y_true", y_true)
    p = arguments.probabilities("y_prob", y_prob, len(true))
    if p.ndim == 1:
        p = np.column_stack([1.0 - p, p])
        places, _ = _two_classes(true, labels)
        return places, p
    places, _ = arguments.class_numbers(true, labels, p.shape[1])
    return places, p


def _two_classes(true: Labels, labels: ArrayLike | None) -> tuple[NDArray[np.intp], Labels]:
    """Return which of two classes each sample has; 0 and 1, False and True are known alone."""
    if labels is None and true.dtype.kind in "biuf" and np.isin(true, (0, 1)).all():
        labels = np.array([0, 1]).astype(true.dtype)
    return arguments.class_numbers(true, labels, 2)


def top_k_accuracy(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    k: int = 2,
    normalize: bool = True,
    sample_weight: ArrayLike | None = None,
    labels: ArrayLike | None = None,
) -> float:
    """Return the share of samples whose class is among the `k` with the highest scores.

    Parameters
    ----------
    y_true : array-like of labels, shape (m,)
    y_score : array-like, shape (m, n_classes), or (m,) of the second of two classes
        Probabilities or other scores; of a vector, above 0.5 (where all lie in [0, 1], else 0) the
        second class is the first choice. Of equal scores the later class comes first.
    k : int, default 2
    normalize : bool, default True
        False: the sum of the weights of the samples that are right, not the share.
    sample_weight : array-like, shape (m,), optional
    labels : array-like, optional
        The classes of the columns, sorted, where `y_true` does not hold all.

    Returns
    -------
    float

    Examples
    --------
    >>> P = [[0.5, 0.3, 0.2], [0.4, 0.35, 0.25]]
    >>> pymlp.metrics.top_k_accuracy([1, 2], P, k=2, labels=[0, 1, 2])
    0.5
    """
    true = arguments.class_labels("y_true", y_true)
    score = arguments.scores("y_score", y_score, len(true))
    weights = arguments.weights(sample_weight, len(true))
    n_best = _checks.integer("k", k, minimum=1)
    if score.ndim == 1:
        places, _ = _two_classes(true, labels)
        threshold = 0.5 if score.min() >= 0 and score.max() <= 1 else 0.0
        right = (score > threshold) == places if n_best == 1 else np.ones(len(true), bool)
    else:
        places, _ = arguments.class_numbers(true, labels, score.shape[1])
        order = np.argsort(score, axis=1, kind="stable")[:, ::-1]
        right = (order[:, :n_best] == places[:, np.newaxis]).any(axis=1)
    return arguments.mean_or_sum(right, weights, normalize)


def roc_auc(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    average: str | None = "macro",
    sample_weight: ArrayLike | None = None,
    multi_class: str = "ovr",
    labels: ArrayLike | None = None,
) -> float | Numbers:
    """Return the area under the curve of true positives over false positives.

    It is how probably a sample of a class has a higher score for it than one of another class has,
    ties counted half.

    Parameters
    ----------
    y_true : array-like, shape (m,) of labels, or (m, k) of indicators
    y_score : array-like, shape (m,) of the second of two classes, (m, k) of all
        Probabilities or other scores.
    average : {"macro", "weighted", "micro", None}, default "macro"
        The mean over the classes: plain, weighted by their samples, or over all entries of the
        table as one ("micro", with "ovr" alone); None: one for each class.
    sample_weight : array-like, shape (m,), optional
    multi_class : {"ovr", "ovo"}, default "ovr"
        Each class against the rest, or each against each (Hand and Till, 2001), which takes no
        weights.
    labels : array-like, optional
        The classes of the columns, sorted, where `y_true` does not hold all.

    Returns
    -------
    float, or ndarray of float where `average` is None
        NaN for a class whose samples are all or none of it.

    Examples
    --------
    >>> pymlp.metrics.roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    if average not in ("macro", "weighted", "micro", None):
        raise ValueError(f"average must be macro, weighted, micro or None, not {average!r}")
    if multi_class not in ("ovr", "ovo"):
        raise ValueError(f"multi_class must be ovr or ovo, not {multi_class!r}")
    true = arguments.labels("y_true", y_true)
    score = arguments.scores("y_score", y_score, len(true))
    weights = arguments.weights(sample_weight, len(true))
    if true.ndim == 2:
        if score.shape != true.shape:
            raise ValueError(f"y_score must have shape {true.shape}, not {score.shape}")
        return _one_against_rest(true == 1, score, weights, average)
    if score.ndim == 1 or (score.shape[1] == 2 and len(np.unique(true)) <= 2):
        places, _ = _two_classes(true, labels)
        return _area(places == 1, score if score.ndim == 1 else score[:, 1], weights)
    places, classes = arguments.class_numbers(true, labels, score.shape[1])
    if multi_class == "ovo":
        if sample_weight is not None:
            raise ValueError("sample_weight does not go with multi_class='ovo'")
        return _one_against_one(places, score, average)
    return _one_against_rest(
        places[:, np.newaxis] == np.arange(len(classes)), score, weights, average
    )


def _area(positive: NDArray[np.bool_], score: Numbers, weights: Numbers) -> float:
    """Return the area of one class; NaN where all or none of the weight is of it."""
    order = np.argsort(score, kind="stable")
    ends = np.append(np.diff(score[order]) != 0, True)
    above = np.cumsum((weights * positive)[order])[ends]
    below = np.cumsum((weights * ~positive)[order])[ends]
    if above[-1] == 0 or below[-1] == 0:
        return float("nan")
    # By trapezia, from the lowest score up: what is not yet passed is above the threshold.
    rises, falls = np.diff(above, prepend=0.0), np.diff(below, prepend=0.0)
    area = np.sum(falls * (above[-1] - above + 0.5 * rises))
    return float(area / (above[-1] * below[-1]))


def _one_against_rest(
    positive: NDArray[np.bool_], score: Numbers, weights: Numbers, average: str | None
) -> float | Numbers:
    if average == "micro":
        repeated = np.repeat(weights, positive.shape[1])
        return _area(positive.ravel(), score.ravel(), repeated)
    areas = np.array(
        [_area(positive[:, c], score[:, c], weights) for c in range(positive.shape[1])]
    )
    if average is None:
        return areas
    shares = weights @ positive if average == "weighted" else None
    return float(np.average(areas, weights=shares))


def _one_against_one(places: NDArray[np.intp], score: Numbers, average: str | None) -> float:
    if average not in ("macro", "weighted"):
        raise ValueError(f"average must be macro or weighted with 'ovo', not {average!r}")
    n = score.shape[1]
    areas, shares = [], []
    for a in range(n):
        for b in range(a + 1, n):
            rows = (places == a) | (places == b)
            of_a, ones = places[rows] == a, np.ones(np.count_nonzero(rows))
            first = _area(of_a, score[rows, a], ones)
            areas.append(0.5 * (first + _area(~of_a, score[rows, b], ones)))
            shares.append(rows.mean())
    return float(np.average(areas, weights=shares if average == "weighted" else None))


def log_loss(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    normalize: bool = True,
    sample_weight: ArrayLike | None = None,
    labels: ArrayLike | None = None,
) -> float:
    """Return the mean negative logarithm of the probability of the true class.

    Parameters
    ----------
    y_true : array-like of labels, shape (m,)
    y_prob : array-like, shape (m, n_classes), or (m,) of the second of two classes
        Probabilities; the true class's is taken as at least the distance from 1 to the next number
        of its dtype.
    normalize : bool, default True
        False: the weighted sum, not the mean.
    sample_weight : array-like, shape (m,), optional
    labels : array-like, optional
        The classes of the columns, sorted, where `y_true` does not hold all.

    Returns
    -------
    float

    Examples
    --------
    >>> pymlp.metrics.log_loss([0, 1], [[0.5, 0.5], [0.25, 0.75]])
    0.49041462650586...
    """
    dtype = np.asarray(y_prob).dtype
    places, p = _all_classes(y_true, y_prob, labels)
    weights = arguments.weights(sample_weight, len(places))
    least = np.finfo(dtype if dtype.kind == "f" else np.float64).eps
    losses = -np.log(np.clip(p[np.arange(len(places)), places], least, 1.0 - least))
    return arguments.mean_or_sum(losses, weights, normalize)


def brier(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    scale_by_half: bool | str = "auto",
) -> float:
    """Return the mean squared difference of the probabilities from what came, summed over classes.

    Parameters
    ----------
    y_true : array-like of labels, shape (m,)
    y_prob : array-like, shape (m, n_classes), or (m,) of the second of two classes
    sample_weight : array-like, shape (m,), optional
    labels : array-like, optional
        The classes of the columns, sorted, where `y_true` does not hold all.
    scale_by_half : bool or "auto", default "auto"
        Half of it, which lies in [0, 1]; "auto": where there are two classes.

    Returns
    -------
    float

    Examples
    --------
    >>> pymlp.metrics.brier([0, 1], [0.25, 0.75])
    0.0625
    """
    places, p = _all_classes(y_true, y_prob, labels)
    weights = arguments.weights(sample_weight, len(places))
    came = places[:, np.newaxis] == np.arange(p.shape[1])
    score = float(np.average(((p - came) ** 2).sum(axis=1), weights=weights))
    half = (
        p.shape[1] == 2 if scale_by_half == "auto" else _checks.flag("scale_by_half", scale_by_half)
    )
    return 0.5 * score if half else score


def ece(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    n_bins: int = 15,
    sample_weight: ArrayLike | None = None,
    labels: ArrayLike | None = None,
) -> float:
    """Return the expected calibration error: how far confidence is from how often it is right.

    Samples are put in `n_bins` bins of equal width by the probability of the class that is
    predicted; it is the mean over the bins of the difference between that probability and the share
    that is predicted right, weighted by the bins' samples (Guo et al., "On Calibration of Modern
    Neural Networks", 2017).

    Parameters
    ----------
    y_true : array-like of labels, shape (m,)
    y_prob : array-like, shape (m, n_classes), or (m,) of the second of two classes
    n_bins : int, default 15
    sample_weight : array-like, shape (m,), optional
    labels : array-like, optional
        The classes of the columns, sorted, where `y_true` does not hold all.

    Returns
    -------
    float
        From 0, calibrated, to 1.

    Examples
    --------
    >>> pymlp.metrics.ece([0, 1, 1, 1], [[0.25, 0.75]] * 4)
    0.0
    """
    places, p = _all_classes(y_true, y_prob, labels)
    weights = arguments.weights(sample_weight, len(places))
    bins = _checks.integer("n_bins", n_bins, minimum=1, below=2**31)
    confidence = p.max(axis=1)
    excess = weights * (confidence - (p.argmax(axis=1) == places))
    # A bin holds its upper end, as in the paper.
    bin_of = np.clip(np.ceil(confidence * bins).astype(np.intp) - 1, 0, bins - 1)
    _, number = np.unique(bin_of, return_inverse=True)
    return float(np.abs(np.bincount(number, excess)).sum() / weights.sum())
