"""Sparse inputs give what dense ones give, and are never made dense as a whole."""

import tracemalloc
from typing import Any, Literal

import numpy as np
import pytest

pytest.importorskip("sklearn")

from scipy import sparse
from sklearn.datasets import load_digits

import pymlp

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_digits(return_X_y=True)
X, Y = X[:300] / 16, Y[:300]
OPTIONS: list[dict[str, Any]] = [
    {},
    {"alpha": 3.0, "l1": 0.5},
    {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1, "tol": 0.1},
    {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1},
    {"solver": "adamw", "learning_rate": pymlp.schedules.Cosine(per="step"), "clip_norm": 0.1},
    {"solver": "lbfgs"},
    {"early_stopping": True, "n_iter_no_change": 2},
    {"scale": True},
    {"norm": "layer", "residual": True, "width": 64, "activation": "gelu"},
]


@pytest.mark.parametrize("kind", ["csr_matrix", "csc_matrix", "csr_array"])
@pytest.mark.parametrize("options", OPTIONS, ids=range(len(OPTIONS)))
def test_sparse_inputs_give_what_dense_ones_give(options: dict[str, Any], kind: str) -> None:
    S = getattr(sparse, kind)(X)
    given = {"random_state": 0, "shuffle": False, "max_iter": 8, "batch_size": 64} | options
    weights = np.random.RandomState(0).uniform(0.5, 2.0, 300)
    dense = pymlp.MLPClassifier(**given).fit(X, Y, sample_weight=weights)
    made = pymlp.MLPClassifier(**given).fit(S, Y, sample_weight=weights)
    for a, b in zip(dense.coefs_ + dense.intercepts_, made.coefs_ + made.intercepts_, strict=True):
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-7 * max(1e-9, np.abs(a).max()))
    np.testing.assert_allclose(made.loss_curve_, dense.loss_curve_, rtol=1e-7)
    assert made.n_iter_ == dense.n_iter_
    assert made.validation_scores_ == dense.validation_scores_
    np.testing.assert_allclose(made.predict_proba(S), dense.predict_proba(X), atol=1e-7)


def test_scale_of_float32_is_measured_in_float64() -> None:
    rng = np.random.default_rng(0)
    near = np.column_stack([np.full(300, 0.1), 1000 + 0.1 * rng.normal(size=300)])
    near = near.astype(np.float32)
    options: dict[str, Any] = {"scale": True, "max_iter": 2, "random_state": 0, "shuffle": False}
    dense = pymlp.MLPClassifier(**options).fit(near, Y)
    made = pymlp.MLPClassifier(**options).fit(sparse.csr_matrix(near), Y)
    other = near + np.array([0.01, 0.1], np.float32)  # which a wrong deviation takes far away
    expected = dense.predict_proba(other)
    np.testing.assert_allclose(made.predict_proba(sparse.csr_matrix(other)), expected, atol=1e-5)


@pytest.mark.parametrize("per", ["epoch", "step"])
def test_the_record_has_the_rates_of_a_schedule(per: Literal["epoch", "step"]) -> None:
    rates: list[list[float]] = []
    for inputs in (X, sparse.csr_matrix(X)):
        schedule = pymlp.schedules.Cosine(per=per)
        model = pymlp.MLPClassifier(learning_rate=schedule, max_iter=3, random_state=0)
        history = model.fit(inputs, Y).network_.history
        assert history is not None
        rates.append(history.learning_rate)
    assert rates[0] == pytest.approx(rates[1], rel=1e-12)


def test_orders_and_dropout_are_drawn_from_the_seed() -> None:
    S = sparse.csr_matrix(X)
    a, b, c = (
        pymlp.MLPClassifier(random_state=seed, dropout=0.2, max_iter=5).fit(S, Y).coefs_[0]
        for seed in (0, 0, 1)
    )
    assert (a == b).all()
    assert not (a == c).all()


def test_partial_fit_goes_on() -> None:
    S = sparse.csr_matrix(X)
    model = pymlp.MLPClassifier(random_state=0)
    for _ in range(30):
        model.partial_fit(S, Y, classes=range(10))
    assert model.score(S, Y) > 0.9
    assert model._optimizer.steps == 60


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_the_whole_is_never_dense(solver: str) -> None:
    wide = sparse.random(3000, 20_000, 1e-4, format="csr", random_state=0)
    y = np.arange(3000) % 2
    model = pymlp.MLPClassifier((4,), solver=solver, max_iter=2, random_state=0, batch_size=50)
    tracemalloc.start()
    model.fit(wide, y).predict(wide)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.3 * 3000 * 20_000 * 8


def test_weights_of_zero_fill_a_batch() -> None:
    weights = np.r_[np.zeros(100), np.ones(200)]
    model = pymlp.MLPClassifier(random_state=0, shuffle=False, batch_size=50, max_iter=3)
    made = model.fit(sparse.csr_matrix(X), Y, sample_weight=weights)
    assert np.isfinite(made.loss_curve_).all()


@pytest.mark.parametrize(
    "options",
    [
        {"average": 0.9},
        {"norm": "batch"},
        {"learning_rate": pymlp.schedules.ReduceOnPlateau()},
    ],
)
def test_what_needs_all_rows_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="does not go with sparse X"):
        pymlp.MLPClassifier(**options).fit(sparse.csr_matrix(X), Y)


def test_training_that_diverges_says_so() -> None:
    big = sparse.csr_matrix(np.full((20, 2), 1e300))
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        pymlp.MLPRegressor(random_state=0).fit(big, np.arange(20.0))
