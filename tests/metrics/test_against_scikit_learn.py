"""Metrics give what scikit-learn's do, on whatever arrays come."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as judge

from pymlp import metrics

SEEDS = st.integers(0, 2**32 - 1)
ROWS = st.integers(1, 60)
WEIGHTED = st.booleans()


def weights(rng: np.random.Generator, m: int, weighted: bool) -> Any:
    if not weighted:
        return None
    drawn = rng.random(m) * (rng.random(m) > 0.2)
    drawn[rng.integers(m)] = 1.0
    return drawn


def agree(ours: Any, theirs: Callable[[], Any], rtol: float = 1e-10) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = theirs()
    np.testing.assert_allclose(ours, expected, rtol=rtol, atol=1e-12)


@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, m=ROWS, k=st.integers(2, 5), weighted=WEIGHTED, text=st.booleans())
def test_metrics_of_classes(seed: int, m: int, k: int, weighted: bool, text: bool) -> None:
    rng = np.random.default_rng(seed)
    kinds = np.array(["ant", "bee", "cow", "dog", "elk"] if text else [3, 5, 7, -1, 0])
    y, p = kinds[rng.integers(0, k, m)], kinds[rng.integers(0, k, m)]
    w = weights(rng, m, weighted)
    agree(
        metrics.accuracy(y, p, sample_weight=w), lambda: judge.accuracy_score(y, p, sample_weight=w)
    )
    agree(
        metrics.accuracy(y, p, sample_weight=w, normalize=False),
        lambda: judge.accuracy_score(y, p, sample_weight=w, normalize=False),
    )
    for average in ("macro", "micro", "weighted", None):
        agree(
            metrics.f1(y, p, average=average, sample_weight=w),
            lambda average=average: judge.f1_score(y, p, average=average, sample_weight=w),
        )
    chosen = kinds[:2]
    agree(
        metrics.f1(y, p, average=None, labels=chosen, sample_weight=w),
        lambda: judge.f1_score(y, p, average=None, labels=chosen, sample_weight=w),
    )


@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, m=ROWS, k=st.integers(2, 5), weighted=WEIGHTED, adjusted=st.booleans())
def test_balanced_accuracy(seed: int, m: int, k: int, weighted: bool, adjusted: bool) -> None:
    rng = np.random.default_rng(seed)
    y, p = rng.integers(0, k, m), rng.integers(0, k, m)
    w = rng.random(m) + 0.1 if weighted else None
    if adjusted and len(np.unique(y)) < 2:
        return  # scikit-learn divides by zero
    agree(
        metrics.balanced_accuracy(y, p, sample_weight=w, adjusted=adjusted),
        lambda: judge.balanced_accuracy_score(y, p, sample_weight=w, adjusted=adjusted),
    )


@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, m=ROWS, k=st.integers(2, 5), weighted=WEIGHTED)
def test_metrics_of_indicators(seed: int, m: int, k: int, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    y, p = rng.integers(0, 2, (m, k)), rng.integers(0, 2, (m, k))
    w = weights(rng, m, weighted)
    agree(
        metrics.accuracy(y, p, sample_weight=w), lambda: judge.accuracy_score(y, p, sample_weight=w)
    )
    for average in ("macro", "micro", "weighted", "samples", None):
        agree(
            metrics.f1(y, p, average=average, sample_weight=w),
            lambda average=average: judge.f1_score(y, p, average=average, sample_weight=w),
        )


@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, m=st.integers(2, 60), weighted=WEIGHTED)
def test_binary_f1(seed: int, m: int, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    y, p = rng.integers(0, 2, m), rng.integers(0, 2, m)
    w = weights(rng, m, weighted)
    agree(metrics.f1(y, p, sample_weight=w), lambda: judge.f1_score(y, p, sample_weight=w))
    if len(np.union1d(y, p)) == 2:
        agree(
            metrics.f1(y, p, pos_label=0, sample_weight=w),
            lambda: judge.f1_score(y, p, pos_label=0, sample_weight=w),
        )


def drawn_probabilities(rng: np.random.Generator, m: int, k: int, tied: bool) -> Any:
    drawn = rng.integers(1, 4, (m, k)).astype(float) if tied else rng.random((m, k)) + 1e-3
    drawn[rng.random(m) < 0.1] = np.eye(k)[0]  # some are certain
    return drawn / drawn.sum(axis=1, keepdims=True)


@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, m=ROWS, k=st.integers(3, 5), weighted=WEIGHTED, tied=st.booleans())
def test_metrics_of_probabilities(seed: int, m: int, k: int, weighted: bool, tied: bool) -> None:
    rng = np.random.default_rng(seed)
    P, y = drawn_probabilities(rng, m, k, tied), rng.integers(0, k, m)
    w, names = weights(rng, m, weighted), np.arange(k)
    for n in range(1, k):
        agree(
            metrics.top_k_accuracy(y, P, k=n, sample_weight=w, labels=names),
            lambda n=n: judge.top_k_accuracy_score(y, P, k=n, sample_weight=w, labels=names),
        )
    agree(
        metrics.log_loss(y, P, sample_weight=w, labels=names),
        lambda: judge.log_loss(y, P, sample_weight=w, labels=names),
    )
    for half in ("auto", True, False):
        agree(
            metrics.brier(y, P, sample_weight=w, labels=names, scale_by_half=half),
            lambda half=half: judge.brier_score_loss(
                y, P, sample_weight=w, labels=names, scale_by_half=half
            ),
        )


@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, m=st.integers(2, 60), weighted=WEIGHTED, tied=st.booleans())
def test_two_classes(seed: int, m: int, weighted: bool, tied: bool) -> None:
    rng = np.random.default_rng(seed)
    p = drawn_probabilities(rng, m, 2, tied)[:, 1]
    y = np.array([0, 1, *rng.integers(0, 2, m)])[:m]
    w = rng.random(m) + 0.1 if weighted else None
    for scores in (p, np.column_stack([1 - p, p])):
        agree(
            metrics.log_loss(y, scores, sample_weight=w),
            lambda scores=scores: judge.log_loss(y, scores, sample_weight=w),
        )
        agree(
            metrics.brier(y, scores, sample_weight=w),
            lambda scores=scores: judge.brier_score_loss(y, scores, sample_weight=w),
        )
        agree(
            metrics.roc_auc(y, scores, sample_weight=w),
            lambda: judge.roc_auc_score(y, p, sample_weight=w),
        )
    agree(
        metrics.top_k_accuracy(y, p, k=1, sample_weight=w),
        lambda: judge.top_k_accuracy_score(y, p, k=1, sample_weight=w),
    )
    words = np.array(["no", "yes"])[y]
    agree(
        metrics.roc_auc(words, p, sample_weight=w), lambda: metrics.roc_auc(y, p, sample_weight=w)
    )
    agree(metrics.log_loss(words, p), lambda: judge.log_loss(words, p))


@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, m=st.integers(4, 60), k=st.integers(3, 4), tied=st.booleans())
def test_area_of_several_classes(seed: int, m: int, k: int, tied: bool) -> None:
    rng = np.random.default_rng(seed)
    P = drawn_probabilities(rng, m, k, tied)
    y = np.concatenate([np.arange(k), rng.integers(0, k, m)])[:m]
    if len(np.unique(y)) < k:
        return
    w = rng.random(m) + 0.1
    for average in ("macro", "weighted", "micro", None):
        agree(
            metrics.roc_auc(y, P, average=average, sample_weight=w),
            lambda average=average: judge.roc_auc_score(
                y, P, average=average, multi_class="ovr", sample_weight=w
            ),
        )
    for average in ("macro", "weighted"):
        agree(
            metrics.roc_auc(y, P, average=average, multi_class="ovo"),
            lambda average=average: judge.roc_auc_score(y, P, average=average, multi_class="ovo"),
        )
    indicators = np.eye(k, dtype=int)[y]
    agree(
        metrics.roc_auc(indicators, P, sample_weight=w),
        lambda: judge.roc_auc_score(indicators, P, sample_weight=w),
    )


@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, m=ROWS, k=st.integers(1, 3), weighted=WEIGHTED, constant=st.booleans())
def test_metrics_of_numbers(seed: int, m: int, k: int, weighted: bool, constant: bool) -> None:
    rng = np.random.default_rng(seed)
    y, p = rng.normal(size=(m, k)), rng.normal(size=(m, k))
    if constant:
        y[:, 0], p[:, 0] = 2.0, rng.choice([2.0, 3.0])
    y[0, -1] = 0.0
    w = weights(rng, m, weighted)
    pairs = [
        (metrics.rmse, judge.root_mean_squared_error, {}),
        (metrics.mae, judge.mean_absolute_error, {}),
        (metrics.mape, judge.mean_absolute_percentage_error, {}),
        (metrics.quantile, judge.mean_pinball_loss, {"alpha": 0.3}),
    ]
    if m > 1:
        pairs.append((metrics.r2, judge.r2_score, {}))
    for over in ("uniform_average", "raw_values", *([rng.random(k) + 0.1] if k > 1 else [])):
        for ours, theirs, options in pairs:
            agree(
                ours(y, p, sample_weight=w, multioutput=over, **options),
                lambda theirs=theirs, over=over, options=options: theirs(
                    y, p, sample_weight=w, multioutput=over, **options
                ),
            )


def test_pinball_of_a_level_for_each_output() -> None:
    y, p = np.random.default_rng(0).normal(size=(2, 50, 3))
    each = [judge.mean_pinball_loss(y[:, j], p[:, j], alpha=a) for j, a in enumerate((0.1, 0.5, 1))]
    found = metrics.quantile(y, p, alpha=[0.1, 0.5, 1], multioutput="raw_values")
    assert found == pytest.approx(each, rel=1e-12)
    assert metrics.quantile(y, p, alpha=[0.1, 0.5, 1]) == pytest.approx(np.mean(each), rel=1e-12)


def test_calibration_error_by_its_definition() -> None:
    rng = np.random.default_rng(0)
    P = rng.dirichlet(np.ones(4), 500)
    y = np.array([rng.choice(4, p=row) for row in P])
    w = rng.random(500)
    total = 0.0
    for b in range(10):
        top = P.max(axis=1)
        rows = (top > b / 10) & (top <= (b + 1) / 10)
        if rows.any():
            right = np.average(P[rows].argmax(axis=1) == y[rows], weights=w[rows])
            total += w[rows].sum() * abs(right - np.average(top[rows], weights=w[rows]))
    assert metrics.ece(y, P, n_bins=10, sample_weight=w) == pytest.approx(total / w.sum())
    p = P[:, :2].sum(axis=1)
    two = np.column_stack([1 - p, p])
    assert metrics.ece(y < 2, p) == pytest.approx(metrics.ece((y < 2).astype(int), two))
    assert metrics.ece([0, 1], [[1.0, 0.0], [1.0, 0.0]]) == 0.5


def test_float32_is_clipped_as_float32() -> None:
    P = np.array([[1.0, 0.0], [1.0, 0.0]], np.float32)
    agree(metrics.log_loss([1, 0], P), lambda: judge.log_loss([1, 0], P), rtol=1e-6)
