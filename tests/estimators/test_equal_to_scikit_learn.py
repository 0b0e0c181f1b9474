"""Without shuffling, a training is scikit-learn's up to rounding."""

import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("sklearn")

from sklearn import neural_network
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, make_regression
from sklearn.datasets import make_multilabel_classification as multilabel
from sklearn.preprocessing import scale

import pymlp

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

Samples = tuple[NDArray[Any], NDArray[Any]]


def classes() -> Samples:
    X, y = load_iris(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(X))
    return scale(X)[order], np.array(["setosa", "versicolor", "virginica"])[y[order]]


def two_classes() -> Samples:
    X, y = load_breast_cancer(return_X_y=True)
    return scale(X), y


def labels() -> Samples:
    X, y = multilabel(150, n_classes=4, random_state=0)
    return X - X.mean(axis=0), y


def numbers() -> Samples:
    X, y = load_diabetes(return_X_y=True)
    return scale(X), scale(y)


def several_numbers() -> Samples:
    X, y = numbers()
    return X, np.stack([y, -(y**2)], axis=1)


def counts() -> Samples:
    X, y = numbers()
    return X, np.floor(np.exp(y / 2 + 0.5))


TASKS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "classes": ("MLPClassifier", classes, {}),
    "two classes": ("MLPClassifier", two_classes, {}),
    "labels": ("MLPClassifier", labels, {}),
    "numbers": ("MLPRegressor", numbers, {}),
    "several numbers": ("MLPRegressor", several_numbers, {}),
    "counts": ("MLPRegressor", counts, {"loss": "poisson"}),
}
SGD: dict[str, Any] = {"solver": "sgd", "learning_rate_init": 0.05}
SOLVERS: dict[str, dict[str, Any]] = {
    "adam": {},
    "adam, large epsilon": {"epsilon": 1e-3, "beta_2": 0.9},
    "sgd": SGD,
    "sgd, plain": SGD | {"momentum": 0.0, "activation": "logistic"},
    "sgd, momentum": SGD | {"nesterovs_momentum": False, "activation": "tanh"},
    "sgd, invscaling": SGD | {"learning_rate": "invscaling", "power_t": 0.2},
    "sgd, adaptive": SGD | {"learning_rate": "adaptive", "tol": 0.01, "n_iter_no_change": 2},
    "early stopping": {"early_stopping": True, "learning_rate_init": 0.01},
    "penalty": {"alpha": 3.0, "activation": "identity"},
}


def both(task: str, **options: Any) -> tuple[Any, Any]:
    name, samples, of_task = TASKS[task]
    X, y = samples()
    given = {"hidden_layer_sizes": (12, 7), "max_iter": 40, "random_state": 3, "shuffle": False}
    given |= of_task | options
    theirs, ours = (getattr(package, name)(**given) for package in (neural_network, pymlp))
    return theirs.fit(X, y), ours.fit(X, y)


def compare(theirs: Any, ours: Any, tolerance: float) -> None:
    for a, b in zip(
        theirs.coefs_ + theirs.intercepts_, ours.coefs_ + ours.intercepts_, strict=True
    ):
        assert b.dtype == a.dtype
        np.testing.assert_allclose(b, a, rtol=0, atol=tolerance * np.abs(a).max())
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=tolerance)
    assert ours.t_ == theirs.t_
    assert ours.out_activation_ == theirs.out_activation_
    assert (ours.n_layers_, ours.n_outputs_) == (theirs.n_layers_, theirs.n_outputs_)


@pytest.mark.parametrize("batch_size", ["auto", 32])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("task", TASKS)
def test_steps_are_those_of_scikit_learn(task: str, solver: str, batch_size: Any) -> None:
    theirs, ours = both(task, batch_size=batch_size, **SOLVERS[solver])
    compare(theirs, ours, 1e-11)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-11)
    if theirs.validation_scores_ is None:
        assert ours.validation_scores_ is None
        assert ours.best_validation_score_ is None
        assert ours.best_loss_ == pytest.approx(theirs.best_loss_, rel=1e-11)
    else:
        np.testing.assert_allclose(ours.validation_scores_, theirs.validation_scores_, rtol=1e-11)
        assert ours.best_validation_score_ == max(ours.validation_scores_)
        assert ours.best_loss_ is None


# Their L-BFGS mixes the mean over several targets with the gradient of the sum; see below.
@pytest.mark.parametrize("task", [task for task in TASKS if task != "several numbers"])
def test_lbfgs_is_that_of_scikit_learn(task: str) -> None:
    theirs, ours = both(task, solver="lbfgs", max_iter=15)
    compare(theirs, ours, 1e-8)


@pytest.mark.parametrize("alpha", [1.0, 100.0])
def test_lbfgs_converges_for_several_targets(alpha: float) -> None:
    X, y = make_regression(100, 5, n_targets=20, noise=5, random_state=0)
    y = y / y.std(axis=0)
    given: dict[str, Any] = {"solver": "lbfgs", "activation": "tanh", "random_state": 0}
    given |= {"hidden_layer_sizes": (8,), "alpha": alpha, "tol": 1e-6, "max_iter": 2000}

    def minimised(model: Any) -> float:  # what adam and sgd minimise
        squares = sum((w**2).sum() for w in model.coefs_)
        return float(((model.predict(X) - y) ** 2).sum() + alpha * squares) / 2 / len(X)

    theirs = neural_network.MLPRegressor(**given).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it converges
        ours = pymlp.MLPRegressor(**given).fit(X, y)
    assert minimised(ours) < minimised(theirs)


def test_sample_weights_act_as_those_of_scikit_learn() -> None:
    X, y = two_classes()
    weights = np.random.RandomState(0).uniform(0.1, 3.0, len(y))
    given: dict[str, Any] = {"random_state": 0, "shuffle": False, "batch_size": 50, "max_iter": 20}
    given["alpha"] = 1.0
    theirs = neural_network.MLPClassifier(**given).fit(X, y, sample_weight=weights)
    ours = pymlp.MLPClassifier(**given).fit(X, y, sample_weight=weights)
    for a, b in zip(theirs.coefs_, ours.coefs_, strict=True):
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-11)


def test_partial_fit_takes_the_steps_of_scikit_learn() -> None:
    X, y = numbers()
    given: dict[str, Any] = {"random_state": 0, "shuffle": False, "solver": "adam"}
    theirs, ours = neural_network.MLPRegressor(**given), pymlp.MLPRegressor(**given)
    for rows in (slice(0, 100), slice(100, 250), slice(250, 442)):
        theirs.partial_fit(X[rows], y[rows])
        ours.partial_fit(X[rows], y[rows])
    compare(theirs, ours, 1e-11)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_inputs_say_the_dtype(dtype: str) -> None:
    X, y = two_classes()
    model = pymlp.MLPClassifier(max_iter=2).fit(X.astype(dtype), y)
    assert model.network_.dtype == model.coefs_[0].dtype == dtype
