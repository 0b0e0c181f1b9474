"""Huge, tiny and equal numbers: what is finite in truth is finite, and right, where it is computed.

The truth of float32 is the same network in float64, whose numbers are nowhere near their ends; of
float64 it is the judge of single losses, or the same network at a scale that changes nothing. What
is computed from logits has its own tests against mpmath, in test_extreme_losses.py.
"""

from typing import Any

import numpy as np
import pytest
import reference_losses
from cases import LOSSES, OUTPUTS_OF_ANY_NUMBERS, PAIRS, FloatArray, may_follow
from reference_activations import activation_forward

import pymlp
from pymlp import Activation, Network, TrainingDiverged, losses, optimizers
from pymlp.embeddings import Categories, Periodic, PiecewiseLinear
from pymlp.losses import Loss

HUGE = {"float32": 1e30, "float64": 1e300}
NORMS = ["layer", "rms"]


def smallest(dtype: str) -> float:
    return float(np.finfo(dtype).smallest_subnormal)


def is_finite(*arrays: Any) -> bool:
    return all(bool(np.isfinite(np.asarray(array)).all()) for array in arrays)


def logits_of(dtype: str) -> list[float]:
    huge, tiny = HUGE[dtype], smallest(dtype)
    return [0.0, tiny, -tiny, 1 / huge, 1.0, -30.0, 100.0, -1e4, 1e4, 1e20, -1e20, huge, -huge]


def targets_for(loss: Loss, outputs: int) -> FloatArray:
    """Give one row that every loss takes, with targets of 0 and of 1."""
    y = np.zeros((1, outputs))
    y[0, 0] = 1.0
    return np.where(y > 0.0, 1.0, -1.0) if loss.name == "hinge" else y


def one_layer(outputs: int, output: Activation, z: FloatArray, dtype: str) -> Network:
    """Give a network whose only input is 1, so that its weights are the logits."""
    net = Network([1, outputs], output=output, init="zeros", dtype=dtype)
    net.weights[0][:] = z
    return net


def rows_of_logits(outputs: int, dtype: str) -> list[FloatArray]:
    z = np.array(logits_of(dtype))
    return [np.roll(np.resize(z, len(z) + outputs), -i)[:outputs][None, :] for i in range(len(z))]


# ---- losses behind every output ------------------------------------------------------------------
# What the judge computes of any outputs; of logits see test_extreme_losses.py.
MEANS_OVER_OUTPUTS = [
    (output, loss)
    for loss in LOSSES
    for output in OUTPUTS_OF_ANY_NUMBERS
    if loss.name in reference_losses.MEANS_OVER_OUTPUTS and may_follow(output, loss)
]


@pytest.mark.parametrize("outputs", [1, 3, 40])
@pytest.mark.parametrize(("output", "loss"), PAIRS, ids=str)
def test_what_float64_tells_to_be_finite_is_so_in_float32(
    output: Activation, loss: Loss, outputs: int
) -> None:
    y = targets_for(loss, outputs)
    for z in rows_of_logits(outputs, "float32"):
        z = z.astype(np.float32)
        nets = [one_layer(outputs, output, z, dtype) for dtype in ("float32", "float64")]
        (J, grads), (true_J, true) = (net.gradients([[1.0]], y, loss=loss) for net in nets)
        predicted, true_predicted = (net.predict([[1.0]]) for net in nets)
        largest = float(np.finfo("float32").max) / outputs
        if np.abs(true_predicted).max() < largest:
            assert is_finite(predicted), z
        if abs(true_J) < largest:
            assert is_finite(J), (z, true_J)
        if np.abs(true.flat).max() < largest:
            assert is_finite(grads.flat), (z, true.flat)


@pytest.mark.parametrize("output", ["softmax", "log_softmax"])
@pytest.mark.parametrize("label", [0, 1, 2])
def test_cross_entropy_of_huge_logits_is_their_distance(
    output: str, label: int, dtype: str
) -> None:
    z = np.array([[HUGE[dtype], 0.0, -HUGE[dtype]]], dtype)
    net = Network([1, 3], output=output, init="zeros", dtype=dtype)
    net.weights[0][:] = z
    J, grads = net.gradients([[1.0]], [label])
    assert float(z[0, 0] - z[0, label]) == J
    assert grads.biases[0].tolist() == [float(j == 0) - float(j == label) for j in range(3)]


@pytest.mark.parametrize("y", [0.0, 1.0])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_binary_cross_entropy_of_huge_logits_is_their_size(
    y: float, sign: float, dtype: str
) -> None:
    z = np.array([[sign * HUGE[dtype]]], dtype)
    net = one_layer(1, pymlp.Sigmoid(), z, dtype)
    J, grads = net.gradients([[1.0]], [[y]], loss="binary_cross_entropy")
    right = (sign > 0.0) == (y == 1.0)
    assert (0.0 if right else abs(float(z.item()))) == J
    assert grads.biases[0].item() == (0.0 if right else sign)


@pytest.mark.parametrize(("output", "loss"), MEANS_OVER_OUTPUTS, ids=str)
def test_losses_are_the_judges(output: Activation, loss: Loss, dtype: str) -> None:
    options = {n: v for n, v in vars(loss).items() if n != "label_smoothing"}
    value, _ = reference_losses.MEANS_OVER_OUTPUTS[loss.name]
    for raw in logits_of(dtype):
        z = np.array([[raw]], dtype)
        if loss.name == "mse" and abs(raw) > float(np.sqrt(np.finfo(dtype).max)):
            continue  # the judge squares too
        net = one_layer(1, output, z, dtype)
        a = activation_forward(output.name, z.astype(float).tolist(), **output.parameters)[0][0]
        y = targets_for(loss, 1)[0].item()
        J, grads = net.gradients([[1.0]], [[y]], loss=loss)
        tolerance = 8.0 * float(np.finfo(dtype).eps)
        assert pytest.approx(value(a, y, **options), rel=tolerance, abs=tolerance) == J, raw
        assert is_finite(grads.flat), raw


def test_a_square_that_overflows_is_infinite_and_no_step_is_taken(dtype: str) -> None:
    net = one_layer(1, pymlp.Linear(), np.array([[HUGE[dtype]]]), dtype)
    before = net.parameters.copy()
    assert net.loss([[1.0]], [[0.0]], loss="mse") == np.inf
    with pytest.raises(TrainingDiverged):
        net.train_batch([[1.0]], [[0.0]], loss="mse", optimizer=optimizers.SGD(1e-3))
    assert np.array_equal(net.parameters, before)


# ---- norms ---------------------------------------------------------------------------------------
def normed(norm: str, dtype: str, width: int, scale: float) -> tuple[Network, FloatArray]:
    net = Network([3, width, 2], norm=norm, hidden="tanh", dtype=dtype, seed=1)
    net.weights[0][:] *= scale
    return net, np.random.default_rng(0).standard_normal((4, 3))


@pytest.mark.parametrize("width", [1, 5, 40])
@pytest.mark.parametrize("norm", NORMS)
def test_row_norms_do_not_see_how_large_their_inputs_are(norm: str, width: int, dtype: str) -> None:
    ordinary, X = normed(norm, dtype, width, 1e6)
    y = np.ones((4, 2))
    expected, (J, grads) = ordinary.predict(X), ordinary.gradients(X, y, loss="mse")
    tolerance = 1e-3 if dtype == "float32" else 1e-9
    for scale in (1e17, 1e19, 1e22, HUGE[dtype]):
        net, _ = normed(norm, dtype, width, scale)
        assert net.predict(X) == pytest.approx(expected, rel=tolerance, abs=tolerance), scale
        loss, of_huge = net.gradients(X, y, loss="mse")
        assert loss == pytest.approx(J, rel=tolerance)
        for a, b in zip(of_huge.weights[1:], grads.weights[1:], strict=True):
            assert a == pytest.approx(b, rel=tolerance, abs=tolerance)
        # Weights a thousand times as large have a thousandth of the gradient.
        assert is_finite(of_huge.flat, *net.vjp(X, y)[1:])
        net.train_batch(X, y, loss="mse", optimizer=optimizers.SGD(1e-3))
        assert is_finite(net.parameters, net.predict(X))


def test_a_row_norms_true_gradient_of_huge_inputs(dtype: str) -> None:
    _, X = normed("layer", dtype, 5, 1.0)
    y = np.ones((4, 2))
    of = {}
    for scale in (1e10, 1e25):
        net, _ = normed("layer", dtype, 5, scale)
        of[scale] = scale * net.gradients(X, y, loss="mse")[1].weights[0]
    # What the row's own scale has no part in cancels, to rounding.
    tolerance = 1e-4 if dtype == "float32" else 1e-9
    assert of[1e25] == pytest.approx(of[1e10], rel=tolerance, abs=tolerance)


@pytest.mark.parametrize("scale", ["subnormal", "zero", "tiny"])
@pytest.mark.parametrize("norm", [*NORMS, "batch"])
def test_norms_of_constant_and_tiny_numbers(norm: str, scale: str, dtype: str) -> None:
    factor = {"subnormal": smallest(dtype), "zero": 0.0, "tiny": 1 / HUGE[dtype]}[scale]
    net, X = normed(norm, dtype, 5, factor)
    X[:, 1] = 3.0  # a constant column
    y = np.ones((4, 2))
    J, grads = net.gradients(X, y, loss="mse", training=True)
    assert is_finite(net.predict(X), J, grads.flat, *net.vjp(X, y)[1:])
    net.train_batch(X, y, loss="mse", optimizer=optimizers.Adam())
    assert is_finite(net.parameters, net.predict(X))


def test_a_batch_whose_variance_overflows_changes_nothing(dtype: str) -> None:
    net, X = normed("batch", dtype, 5, HUGE[dtype])
    before, predicted = net.parameters.copy(), net.predict(X)
    with pytest.raises(TrainingDiverged):
        net.train_batch(X, np.ones((4, 2)), loss="mse", optimizer=optimizers.SGD(1e-3))
    assert np.array_equal(net.parameters, before)
    assert np.array_equal(net.predict(X), predicted)


# ---- networks of every other operation -----------------------------------------------------------
OPERATIONS: dict[str, dict[str, Any]] = {
    "residual": {"residual": True},
    "scale": {"scale_inputs": True},
    "dropout": {"dropout": 0.5, "input_dropout": 0.2},
    "periodic": {"embedding": Periodic()},
    "piecewise linear": {
        "embedding": PiecewiseLinear({0: [-3e38, 0.0, 3e38], 1: [-1e-4, 0.0, 1e-4]})
    },
    "categories": {"embedding": Categories({0: 3})},
}


@pytest.mark.parametrize("rows", [1, 5])
@pytest.mark.parametrize("of_columns", ["huge", "subnormal", "zero", "constant"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_operations(name: str, of_columns: str, rows: int, dtype: str) -> None:
    net = Network([2, 2, 2, 1], hidden="tanh", dtype=dtype, seed=1, **OPERATIONS[name])
    column = {"huge": HUGE[dtype], "subnormal": smallest(dtype), "zero": 0.0, "constant": 7.0}
    X = np.full((rows, 2), column[of_columns]) * np.array([1.0, -1.0])
    if name == "categories":
        X[:, 0] = 1.0
    y = np.zeros((rows, 1))  # equal targets
    J, grads = net.gradients(X, y, loss="mae")
    of_parameters, dX = net.vjp(X, np.ones((rows, 1)))
    assert is_finite(net.predict(X), J, of_parameters.flat, dX)
    assert is_finite(grads.flat)
    net.fit(X, y, epochs=2, loss="mae", batch_size=2, seed=0)
    assert is_finite(net.parameters, net.predict(X))


@pytest.mark.parametrize("weights", ["subnormal", "zero"])
def test_weights_of_nearly_nothing(weights: str, dtype: str) -> None:
    net = Network([2, 20, 3], output="softmax", dtype=dtype, seed=1)
    for w in net.weights:
        w[:] = smallest(dtype) if weights == "subnormal" else 0.0
    X, y = [[1.0, -1.0], [HUGE[dtype], 0.0]], [0, 2]
    J, grads = net.gradients(X, y)
    assert pytest.approx(np.log(3.0), rel=1e-6) == J
    assert is_finite(grads.flat)
    net.fit(X[:1], y[:1], epochs=3)
    assert is_finite(net.parameters)


# ---- one row -------------------------------------------------------------------------------------
def test_one_row(dtype: str) -> None:
    for loss in losses.TABLE.values():
        output = "softmax" if loss().name in ("cross_entropy", "kl_divergence") else "sigmoid"
        net = Network([1, 3, 2], output=output, dtype=dtype, seed=1)
        net.fit([[1.0]], targets_for(loss(), 2), loss=loss(), epochs=2, batch_size=1)
        assert is_finite(net.parameters)
