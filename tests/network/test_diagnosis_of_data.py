"""What the diagnosis says of inputs and targets, and that it says nothing where all is well."""

from typing import Any

import numpy as np
import pytest
from cases import FloatArray

import pymlp


def problem(seed: int = 0, m: int = 300) -> tuple[FloatArray, FloatArray]:
    """Return inputs and targets of deviation 1 around 0, of which half can be learnt."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(m, 4))
    y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + rng.normal(size=m)
    return X, (y - y.mean()) / y.std()


def found(net: pymlp.Network, X: Any, y: Any, **options: Any) -> list[str]:
    return [finding.kind for finding in pymlp.diagnose(net, X, y, **options).findings]


def network(n_in: int = 4, **options: Any) -> pymlp.Network:
    return pymlp.Network([n_in, 16, 1], **{"seed": 0, **options})


# ---- unscaled targets ----------------------------------------------------------------------------

# What is multiplied and added to targets of deviation 1.
UNITS = [(77.0, 150.0), (1e4, 0.0), (1e-3, 0.0), (1.0, 1e3), (1.0, -50.0), (1e5, 2e5)]


@pytest.mark.parametrize(("deviation", "mean"), UNITS)
def test_targets_in_raw_units(deviation: float, mean: float, dtype: str) -> None:
    X, y = problem()
    y = mean + deviation * y
    net = network(dtype=dtype)
    before = pymlp.diagnose(net, X, y).findings
    assert [f.kind for f in before] == ["unscaled targets"]
    assert f"mean of {y.mean():.4g}" in before[0].sentence or mean == 0.0
    assert f"deviation of {y.std():.4g}" in before[0].sentence
    assert "scale_target=True" in before[0].remedy
    net.fit(X, y, epochs=60, scale_target=True)  # what it says helps
    assert found(net, X, y) == []


def test_a_training_on_raw_targets_that_ends_worse_than_their_mean() -> None:
    X, y = problem()
    y = 150 + 77 * y
    net = network()
    with pytest.warns(UserWarning, match="scale_target=True"):
        net.fit(X, y)
    diagnosis = pymlp.diagnose(net, X, y)
    assert diagnosis.loss > y.var()
    assert [f.kind for f in diagnosis.findings] == ["unscaled targets"]


def test_the_column_of_raw_targets_is_named() -> None:
    X, y = problem()
    net = pymlp.Network([4, 16, 3], seed=0)
    findings = pymlp.diagnose(net, X, np.column_stack([y, -y, 1e3 * y])).findings
    assert [f.kind for f in findings] == ["unscaled targets"]
    assert findings[0].sentence.startswith("y[:, 2] has a mean of")


@pytest.mark.parametrize(("deviation", "mean"), [(1.0, 0.0), (0.2, 0.0), (5.0, 3.0), (1.0, 10.0)])
def test_targets_of_a_usual_size_are_well(deviation: float, mean: float) -> None:
    X, y = problem()
    assert found(network(), X, mean + deviation * y) == []


@pytest.mark.parametrize("seed", range(5))
def test_noise_in_raw_units_is_no_fault_of_the_scale(seed: int) -> None:
    X, _ = problem(seed)
    noise = 150 + 77 * np.random.default_rng(100 + seed).normal(size=len(X))
    net = network(seed=seed)
    net.fit(X, noise, epochs=100, scale_target=True)
    assert found(net, X, noise) == []
    other = 150 + 77 * np.random.default_rng(200 + seed).normal(size=len(X))
    assert "unscaled targets" not in found(net, X, other)


def test_targets_that_are_all_the_same_have_no_scale() -> None:
    X, _ = problem()
    for constant in (0.0, 150.0, 0.1):
        diagnosis = pymlp.diagnose(network(), X, np.full(len(X), constant))
        assert diagnosis.findings == []
        assert diagnosis.targets.constant_loss is None


# ---- worse than the mean -------------------------------------------------------------------------


def test_a_network_of_other_samples_knows_less_than_nothing() -> None:
    X, y = problem()
    net = network()
    net.fit(X, y, epochs=60)
    assert found(net, X, y) == []
    finding = pymlp.diagnose(net, X, -y).findings[-1]
    assert finding.kind == "worse than the mean"
    assert f"predicting the mean of y for every sample, {y.var():.4g}" in finding.sentence
    assert "rows of X and y belong together" in finding.remedy


@pytest.mark.parametrize("output", ["softmax", "sigmoid", "log_softmax"])
def test_classes_are_compared_with_their_shares(output: str) -> None:
    X, target = problem()
    y = (target > 0.8).astype(int)
    net = pymlp.Network([4, 16, 1 if output == "sigmoid" else 2], output=output, seed=0)
    net.fit(X, y, epochs=60)
    diagnosis = pymlp.diagnose(net, X, y)
    p = y.mean()
    entropy = -(p * np.log(p) + (1 - p) * np.log(1 - p))
    assert diagnosis.targets.constant_loss == pytest.approx(entropy, rel=1e-5)
    assert diagnosis.findings == []
    assert f"; the shares of the classes for every sample: {entropy:.4g}" in str(diagnosis)
    wrong = pymlp.diagnose(net, X, 1 - y).findings
    assert [f.kind for f in wrong] == ["worse than the mean"]
    assert "the shares of the classes" in wrong[0].sentence


@pytest.mark.parametrize("loss", ["mse", "mae", "huber", "log_cosh", "quantile"])
def test_every_loss_of_numbers_is_compared_with_the_same_loss_of_the_mean(loss: str) -> None:
    X, y = problem()
    w = np.random.default_rng(1).uniform(size=len(X))
    net = network(dtype="float64")
    diagnosis = pymlp.diagnose(net, X, y, loss=loss, sample_weight=w)
    constant = pymlp.Network([4, 1], init="zeros", dtype="float64")
    constant.biases[0] = [np.average(y, weights=w)]
    expected = constant.loss(X, y, loss=loss, sample_weight=w)
    assert diagnosis.targets.constant_loss == pytest.approx(expected, rel=1e-12)


def test_a_margin_is_compared_with_that_of_the_larger_class() -> None:
    X, target = problem()
    y = np.where(target > 0.8, 1, -1)
    diagnosis = pymlp.diagnose(network(), X, y, loss="hinge")
    assert diagnosis.targets.constant_loss == pytest.approx(2 * (y == 1).mean(), rel=1e-6)


def test_a_fresh_network_is_not_blamed() -> None:
    X, y = problem()
    for seed in range(10):
        net = network(seed=seed)
        assert found(net, X, y) == []
        net.fit(X, y, epochs=5)
        assert found(net, X, y) == []


def test_few_samples_prove_nothing() -> None:
    X, y = problem()
    net = network()
    net.fit(X, y, epochs=60)
    diagnosis = pymlp.diagnose(net, X[:29], -y[:29])
    assert diagnosis.targets.constant_loss is None
    assert diagnosis.findings == []


@pytest.mark.parametrize("output", ["relu", "tanh", "softplus"])
def test_other_outputs_have_no_mean_to_compare_with(output: str) -> None:
    X, y = problem()
    diagnosis = pymlp.diagnose(network(output=output), X, y)
    assert diagnosis.targets.constant_loss is None
    assert diagnosis.targets.mean is None


# ---- inputs of tiny deviation --------------------------------------------------------------------


@pytest.mark.parametrize(("deviation", "mean"), [(1e-3, 0.0), (0.01, 5.0), (1e-4, 1.0), (0.04, 0)])
def test_inputs_of_tiny_deviation(deviation: float, mean: float) -> None:
    X, y = problem()
    findings = pymlp.diagnose(network(), mean + deviation * X, y).findings
    assert [f.kind for f in findings] == ["unscaled inputs"]
    assert "in columns 0, 1, 2, 3, where 1 is meant" in findings[0].sentence
    assert "X.std(axis=0)" in findings[0].remedy


def test_one_input_that_is_nearly_another_bias() -> None:
    X, y = problem()
    X = np.hstack([X, X, X, X])
    X[:, 2] = 5 + 0.01 * X[:, 2]
    findings = pymlp.diagnose(network(16), X, y).findings
    assert [f.kind for f in findings] == ["unscaled inputs"]
    assert "in column 2, where" in findings[0].sentence


def test_columns_are_named_where_their_names_are_known() -> None:
    X, y = problem()
    X[:, 1] *= 1e4
    net = network(feature_names=["age", "income", "rooms", "floor"])
    assert "in column 'income', where" in pymlp.diagnose(net, X, y).findings[0].sentence


def test_rare_indicators_and_counts_are_well() -> None:
    X, y = problem()
    rng = np.random.default_rng(1)
    X[:, 1] = np.arange(300) != 7  # 1 but for one row
    X[:, 2] = np.arange(300) == 9
    X[:, 3] = rng.poisson(2.0, 300)
    assert found(network(), X, y) == []


# ---- values that float32 cannot tell apart -------------------------------------------------------


def times(seconds: float, m: int = 300) -> FloatArray:
    return 1.7e9 + np.random.default_rng(3).uniform(0, seconds, m)


@pytest.mark.parametrize("given", ["float64", "int64", "float32"])
def test_times_within_an_hour_are_lost_in_float32(given: str) -> None:
    X, y = problem()
    X[:, 2] = times(3600)
    findings = pymlp.diagnose(network(), X.astype(given), y).findings
    assert findings[0].kind == "rounded inputs"
    assert "X lies around 1.7e+09 in column 2" in findings[0].sentence
    assert "dtype='float64'" in findings[0].remedy
    X[:, 2] = (X[:, 2] - X[:, 2].mean()) / X[:, 2].std()  # what it says helps
    assert found(network(), X, y) == []


def test_what_the_dtype_keeps_is_not_rounded() -> None:
    X, y = problem()
    X[:, 2] = times(3600)
    assert "rounded inputs" not in found(network(dtype="float64"), X, y)
    X[:, 2] = 1e7 + np.arange(300)  # whole numbers that float32 has
    assert "rounded inputs" not in found(network(), X, y)
    X[:, 2] = times(3e7)  # a year, in steps of two minutes
    assert "rounded inputs" not in found(network(), X, y)


def test_constant_columns_are_not_rounded() -> None:
    X, y = problem()
    for constant in (0.1, -1 / 3, 1.7e9 + 1):
        X[:, 2] = constant
        assert "rounded inputs" not in found(network(), X, y)


def test_targets_that_float32_cannot_tell_apart() -> None:
    X, _ = problem()
    findings = pymlp.diagnose(network(), X, times(3600)).findings
    assert [f.kind for f in findings] == ["rounded targets"]
    assert "y lies around 1.7e+09" in findings[0].sentence
    assert found(network(dtype="float64"), X, times(3600)) == ["unscaled targets"]
