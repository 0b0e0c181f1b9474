"""Steps by huge, tiny and equal numbers: sample weights, gradients, limits and scaled targets."""

from typing import Any

import numpy as np
import pytest
from reference_optimizers import update

from pymlp import Network, TrainingDiverged, optimizers
from pymlp.optimizers import Optimizer

HUGE = {"float32": 1e30, "float64": 1e300}


def smallest(dtype: str) -> float:
    return float(np.finfo(dtype).smallest_subnormal)


def is_finite(*arrays: Any) -> bool:
    return all(bool(np.isfinite(np.asarray(array)).all()) for array in arrays)


# ---- weights of samples --------------------------------------------------------------------------
@pytest.mark.parametrize("each", ["subnormal", "huge"])
def test_only_the_proportions_of_sample_weights_count(each: str, dtype: str) -> None:
    X, y = [[1.0], [2.0], [3.0]], [1.0, 2.0, 2.0]
    weight = smallest(dtype) if each == "subnormal" else HUGE[dtype]
    net = Network([1, 1], dtype=dtype, seed=1)
    _, expected = net.gradients(X, y)
    J, grads = net.gradients(X, y, sample_weight=[weight] * 3)
    assert is_finite(J)
    assert grads.flat == pytest.approx(expected.flat, rel=1e-6)
    net.fit(X, y, sample_weight=[weight] * 3, epochs=2, batch_size=2)
    assert is_finite(net.parameters)


@pytest.mark.parametrize("weight", [1e-300, 1e300])
def test_class_weights(weight: float) -> None:
    net = Network([1, 4, 2], output="softmax", dtype="float64", seed=1)
    net.fit([[1.0], [2.0], [3.0]], [0, 1, 1], class_weight={0: weight, 1: weight}, epochs=2)
    assert is_finite(net.parameters)


# ---- steps ---------------------------------------------------------------------------------------
RULES = [name for name in optimizers.TABLE if name != "lbfgs"]


def moved(rule: Optimizer, gradient: float, dtype: str) -> float:
    """Give w after one step from 0.5, along a gradient by mae."""
    net = Network([1, 1], bias=False, init="zeros", dtype=dtype)
    net.weights[0][:] = 0.5
    # The gradient is the input, as long as the output is above its target.
    y = [[-HUGE[dtype] if gradient > 1.0 else -1.0]]
    net.fit([[gradient]], y, loss="mae", optimizer=rule, epochs=1)
    return float(net.weights[0][0, 0])


@pytest.mark.parametrize("size", ["zero", "subnormal", "tiny"])
@pytest.mark.parametrize("name", RULES)
def test_steps_along_nearly_nothing_are_the_judges(name: str, size: str, dtype: str) -> None:
    # A tenth of the smallest number would be 0.
    gradient = {"zero": 0.0, "subnormal": 99 * smallest(dtype), "tiny": 1 / HUGE[dtype]}[size]
    gradient = float(np.dtype(dtype).type(gradient))
    options: dict[str, Any] = {"learning_rate": 1e-3}
    if name in ("adamw", "schedulefreeadamw"):
        options["weight_decay"] = 0.125
    rule = optimizers.TABLE[name](**options)
    if name == "amsgrad":
        name, options["amsgrad"] = "adam", True
    judged = update(name, [0.5], [gradient], [], **options)[0]
    assert moved(rule, gradient, dtype) == pytest.approx(judged, rel=1e-6)


@pytest.mark.parametrize("name", [*RULES, "lbfgs"])
def test_steps_along_huge_gradients(name: str, dtype: str) -> None:
    try:
        assert is_finite(moved(optimizers.TABLE[name](), HUGE[dtype], dtype))
    except TrainingDiverged:
        assert name == "lbfgs", "one step alone reaches no infinity"


def test_clipping_and_limits_of_huge_numbers(dtype: str) -> None:
    huge = HUGE[dtype]
    rate = {"optimizer": "sgd", "learning_rate": 0.125, "loss": "mae", "epochs": 1}
    for clipping in ({"clip_norm": 1.0}, {"clip_value": 1.0}):
        net = Network([1, 1], bias=False, init="zeros", dtype=dtype)
        net.fit([[huge]], [[-huge]], **rate, **clipping)
        assert net.weights[0].item() == pytest.approx(-0.125, rel=1e-6), clipping
    for limit in ({"l1": 1e-3}, {"max_norm": 1.0}):
        net = Network([2, 1], bias=False, init="zeros", dtype=dtype)
        net.weights[0][:] = huge
        net.fit([[1.0, 1.0]], [[0.0]], **rate, **limit)
        assert is_finite(net.parameters), limit
    assert net.weights[0] == pytest.approx(np.sqrt(0.5), rel=1e-5)


@pytest.mark.parametrize("targets", ["equal", "zero", "huge", "equal and huge", "subnormal"])
def test_scaled_targets(targets: str, dtype: str) -> None:
    huge, tiny = HUGE[dtype], smallest(dtype)
    y = {
        "equal": [5.0, 5.0, 5.0],
        "zero": [0.0, 0.0, 0.0],
        "huge": [huge, -huge, 0.0],
        "equal and huge": [huge, huge, huge],
        "subnormal": [tiny, 0.0, tiny],
    }[targets]
    net = Network([1, 3, 1], dtype=dtype, seed=1)
    if "huge" in targets and dtype == "float64":
        with pytest.raises(ValueError, match="y is too large to be scaled"):
            net.fit([[1.0], [2.0], [3.0]], y, epochs=2, scale_target=True)
        return
    net.fit([[1.0], [2.0], [3.0]], y, epochs=2, scale_target=True)
    assert is_finite(net.parameters, net.predict([[1.0], [2.0]]))
