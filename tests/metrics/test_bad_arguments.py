"""Metrics refuse what would give a number that means something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pymlp import metrics

P = np.array([[0.2, 0.8], [0.6, 0.4], [0.5, 0.5]])

CASES: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], str]] = [
    (metrics.accuracy, ([0, 1, 1], P), {}, r"y_pred must hold class labels .*argmax"),
    (metrics.accuracy, ([0, 1, 1], P[:, 1]), {}, r"y_pred must hold class labels.*argmax"),
    (metrics.accuracy, ([0, 1, 1], [0, 1]), {}, r"y_pred must have shape \(3,\).*not \(2,\)"),
    (metrics.accuracy, (["a", "b"], [0, 1]), {}, "y_pred must hold labels of y_true's kind"),
    (metrics.accuracy, ([], []), {}, "y_true must have at least 1 row"),
    (metrics.accuracy, (3, 3), {}, r"y_true must have shape \(m,\) or \(m, k\), not \(\)"),
    (metrics.accuracy, ([0], [0]), {"sample_weight": [1, 2]}, "sample_weight must have shape"),
    (metrics.accuracy, ([0], [0]), {"sample_weight": [0]}, "sample_weight must not be 0 for every"),
    (metrics.accuracy, ([0], [0]), {"normalize": 1}, "normalize must be True or False"),
    (metrics.balanced_accuracy, (np.eye(2), np.eye(2)), {}, r"y_true must have shape \(m,\)"),
    (metrics.f1, ([0, 1, 2], [0, 1, 2]), {}, "average must be 'macro'.* for 3 classes"),
    (metrics.f1, (["a", "b"], ["a", "b"]), {}, r"pos_label must be one of \['a', 'b'\], not 1"),
    (metrics.f1, ([0, 1], [0, 1]), {"average": "mean"}, "average must be one of"),
    (metrics.f1, ([0, 1], [0, 1]), {"average": "samples"}, "needs indicators"),
    (metrics.roc_auc, ([0, 1, 2], P), {}, "y_true holds 3 classes and there are columns for 2"),
    (metrics.roc_auc, ([0, 1, 1], P), {"multi_class": "raise"}, "multi_class must be ovr or ovo"),
    (metrics.roc_auc, ([0, 1, 1], P), {"average": "samples"}, "average must be macro"),
    (metrics.log_loss, ([0, 0, 0], [[0.2, 0.3, 0.5]] * 3), {}, "holds 1 classes.*labels="),
    (metrics.log_loss, ([0, 1, 1], P * 2), {}, r"y_prob must be in \[0, 1\], but y_prob\[0, 1\]"),
    (metrics.log_loss, ([0, 1, 1], P / 2), {}, r"y_prob\[0\] sums to 0.5"),
    (metrics.log_loss, ([0, 3, 1], P), {"labels": [0, 1]}, "y_true holds .*3.*labels does not"),
    (metrics.log_loss, ([0, 1, 1], P), {"labels": [0, 0]}, "labels must name each class once"),
    (metrics.log_loss, ([0, 1], P), {}, "y_prob must have 2 rows, as y_true has, not 3"),
    (metrics.brier, ([0, 1, 1], P), {"scale_by_half": "no"}, "scale_by_half must be"),
    (metrics.ece, ([0, 1, 1], P), {"n_bins": 0}, "n_bins must be at least 1"),
    (metrics.top_k_accuracy, ([0, 1, 1], P), {"k": 0}, "k must be at least 1"),
    (metrics.r2, ([1.0, 2.0], [[1.0, 2.0]]), {}, r"y_pred must have shape \(2, 1\).*not \(1, 2\)"),
    (metrics.r2, ([1.0, np.nan], [1.0, 2.0]), {}, r"y_true must be finite, but y_true\[1\] is nan"),
    (metrics.mae, (["a"], [1.0]), {}, "y_true must hold real numbers"),
    (metrics.mae, ([1.0], [1.0]), {"multioutput": "mean"}, "multioutput must be uniform_average"),
    (metrics.mae, ([1.0], [1.0]), {"multioutput": [1, 2]}, r"multioutput must have shape \(1,\)"),
    (metrics.quantile, ([1.0], [1.0]), {"alpha": 1.5}, "alpha must be at most 1"),
    (metrics.quantile, ([1.0], [1.0]), {"alpha": [0.1, 0.2]}, "alpha must be 1 numbers"),
    (metrics.quantile, ([[1, 2]], [[1, 2]]), {"alpha": [0.1, 2]}, r"alpha\[1\] must be at most 1"),
]


@pytest.mark.parametrize(("metric", "arrays", "options", "message"), CASES)
def test_a_bad_argument_is_named(
    metric: Callable[..., Any], arrays: tuple[Any, ...], options: dict[str, Any], message: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        metric(*arrays, **options)


def test_one_column_is_a_vector() -> None:
    y, p = np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 3.0])
    assert metrics.mae(y, p[:, np.newaxis]) == metrics.mae(y, p)
    assert metrics.accuracy([[0], [1]], [0, 1]) == 1.0


def test_classes_of_one_kind_only() -> None:
    assert np.isnan(metrics.roc_auc([1, 1], [0.2, 0.3]))
    assert np.isnan(metrics.r2([1.0], [1.0]))
    assert metrics.balanced_accuracy([1, 1], [1, 0]) == 0.5


def test_indicators_are_not_changed() -> None:
    y, p = np.eye(3), np.eye(3)
    y.setflags(write=False)
    assert metrics.f1(y, p, average="macro") == 1.0
