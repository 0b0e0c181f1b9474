"""Targets in raw units: the warning, and training on a scale that the last layer takes in."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import pymlp

FIT: dict[str, Any] = {"epochs": 4, "batch_size": 16, "seed": 3}


def problem(k: int = 1, m: int = 80, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(m, 4))
    Y = 150.0 + 77.0 * np.tanh(X[:, :k] + X[:, 1 : k + 1]) * (1 + np.arange(k))
    return X, Y[:, 0] if k == 1 else Y


def network(k: int = 1, **options: Any) -> pymlp.Network:
    return pymlp.Network([4, 8, k], dtype="float64", seed=0, **options)


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_it_is_what_scaling_by_hand_gives(k: int, weighted: bool, optimizer: str) -> None:
    X, y = problem(k)
    w = np.linspace(0.0, 1.0, 80) if weighted else None
    options = FIT | {"optimizer": optimizer, "sample_weight": w}
    options |= {"batch_size": "auto"} if optimizer == "lbfgs" else {}
    mean = np.average(y, axis=0, weights=w)
    deviation = np.sqrt(np.average((y - mean) ** 2, axis=0, weights=w))
    by_hand, net = network(k), network(k)
    expected = by_hand.fit(X, (y - mean) / deviation, **options)
    history = net.fit(X, y, scale_target=True, **options)
    assert history.loss == pytest.approx(expected.loss, rel=1e-9)
    np.testing.assert_allclose(net.predict(X), by_hand.predict(X) * deviation + mean, rtol=1e-9)


def test_a_held_out_share_is_scaled_by_the_others() -> None:
    X, y = problem()
    net = network()
    history = net.fit(X, y, scale_target=True, validation=0.25, metrics="rmse", **FIT)
    assert history.held_out is not None
    held_out = history.held_out
    rest = np.setdiff1d(np.arange(80), held_out)
    rmse = net.evaluate(X[held_out], y[held_out], metrics="rmse")["rmse"]
    assert history.metrics["val_rmse"][-1] == pytest.approx(rmse, rel=1e-9)
    assert history.val_loss[-1] == pytest.approx((rmse / y[rest].std()) ** 2, rel=1e-9)


def test_a_second_training_goes_on_from_what_is_predicted() -> None:
    X, y = problem()
    once, twice = network(), network()
    optimizer = pymlp.Adam(0.01)
    once.fit(
        X, y, scale_target=True, optimizer=pymlp.Adam(0.01), **FIT | {"shuffle": False, "epochs": 8}
    )
    for _ in range(2):
        twice.fit(X, y, scale_target=True, optimizer=optimizer, **FIT | {"shuffle": False})
    np.testing.assert_allclose(once.predict(X), twice.predict(X), rtol=1e-9)


def test_the_best_parameters_are_in_the_units_too() -> None:
    X, y = problem()
    net = network()
    history = net.fit(
        X, y, scale_target=True, early_stopping=pymlp.EarlyStopping(2, monitor="rmse"),
        metrics="rmse", learning_rate=0.3, **FIT | {"epochs": 40},
    )  # fmt: skip
    assert history.best_epoch is not None
    best = history.metrics["rmse"][history.best_epoch]
    assert net.evaluate(X, y, metrics="rmse")["rmse"] == pytest.approx(best, rel=1e-9)


def test_a_training_that_diverges_at_once_leaves_every_bit() -> None:
    X, y = problem()
    net = network()
    net.fit(X, y, scale_target=True, **FIT)
    before = net.parameters.copy()
    with pytest.raises(pymlp.TrainingDiverged):
        net.fit(X, y, scale_target=True, optimizer=pymlp.SGD(1e200), **FIT)
    assert net.parameters.tobytes() == before.tobytes()


def test_an_exception_of_a_callback_leaves_the_units() -> None:
    X, y = problem()
    net = network()

    def fail(network: Any, history: Any) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        net.fit(X, y, scale_target=True, callbacks=[fail], **FIT)
    assert abs(net.predict(X).mean() - y.mean()) < 77.0


def test_a_constant_target_is_learnt() -> None:
    X, _ = problem()
    net = network()
    net.fit(X, np.full(80, 1234.5), scale_target=True, **FIT | {"epochs": 60})
    np.testing.assert_allclose(net.predict(X), 1234.5, atol=4.0)


@pytest.mark.parametrize(
    ("mean", "deviation", "warns"),
    [(0, 1, False), (15, 1, False), (25, 1, True), (0, 30, True), (0, 0.01, True), (1e6, 0, False)],
)
def test_the_warning(mean: float, deviation: float, warns: bool) -> None:
    X, _ = problem()
    y = mean + deviation * np.tile([-1.0, 1.0], 40)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        network().fit(X, y, **FIT)
        network().fit(X, y, scale_target=True, **FIT)
    assert [w.category for w in caught] == [UserWarning] * warns
    if warns:
        assert str(caught[0].message).startswith(f"y has a mean of {mean:.4g} and a standard dev")
        assert "scale_target=True" in str(caught[0].message)
        assert caught[0].filename == __file__


def test_the_warning_names_the_column() -> None:
    X, Y = problem(3)
    Y[:, 0] = 0.0
    with pytest.warns(UserWarning, match=r"y\[:, 1\] has a mean of"):
        network(3).fit(X, Y, **FIT)


@pytest.mark.parametrize(
    ("made", "options", "message"),
    [
        ({"output": "sigmoid"}, {}, "output='linear', not 'sigmoid'; and a loss of numbers"),
        ({"bias": False}, {}, "biases, which this network was made without"),
        ({"output": "exp"}, {"loss": "poisson"}, "not 'exp'; and a loss of .* not 'poisson'"),
        ({}, {"freeze": [1]}, "a last layer that learns, and freeze names 1"),
        ({}, {"scale_target": "yes"}, "scale_target must be True or False, not str"),
    ],
)
def test_what_does_not_go_is_refused(made: Any, options: Any, message: str) -> None:
    X, y = problem()
    net = network(**made)
    before = net.parameters.copy()
    with pytest.raises((TypeError, ValueError), match=message):
        net.fit(X, (y > 150).astype(float), **FIT | {"scale_target": True} | options)
    assert net.parameters.tobytes() == before.tobytes()
