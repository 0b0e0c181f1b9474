"""Losses and gradients at raw predictions from 0 to the largest numbers, against mpmath.

The pairs of output and loss that are computed from logits, each through the kernel and through a
network of one layer whose only input is 1, so that its weights are the raw predictions.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import FloatArray
from mpmath import mp

import pymlp
from pymlp import _core_test

mpf = Any  # a number of mpmath

RAW = [0.0, 1e-20, 1e-3, float(np.log(4.0)), 36.9, 37.0, 37.5, 88.0, 103.5, 104.0, 232.8, 232.9]
RAW += [700.0, 709.75, 710.0, 744.0, 746.0, 1e3, 1e20, 1e30]
ROWS = [
    [0.2, 0.5, 0.3],
    [1e4, 0.0, 7e-7],
    [37.0, 0.0, 0.0],
    [-37.5, -36.9, 0.0],
    [1e3, 1e3, -1e3],
    [1e20, 0.0, -1e20],
    [-1e20, -1e20, -1e20],
    [1e30, 1e30, 1e30],
    [0.0, 1e-20, -1e-20],
]


@pytest.fixture(autouse=True)
def fifty_digits() -> Any:
    with mp.workdps(50):
        yield


# ---- the exact values ----------------------------------------------------------------------------
def softplus(z: mpf) -> mpf:
    return mp.log1p(mp.exp(z))


def sigmoid(z: mpf) -> mpf:
    return 1 / (1 + mp.exp(-z))


def binary_cross_entropy(z: mpf, y: mpf) -> tuple[mpf, mpf]:
    """Give the loss and its gradient: (1 - y) sigmoid(z) - y sigmoid(-z) is sigmoid(z) - y."""
    return y * softplus(-z) + (1 - y) * softplus(z), (1 - y) * sigmoid(z) - y * sigmoid(-z)


def poisson(z: mpf, y: mpf) -> tuple[mpf, mpf]:
    return mp.exp(z) - y * z, mp.exp(z) - y


def cross_entropy(z: list[mpf], label: int) -> tuple[mpf, list[mpf]]:
    top = max(z)
    e = [mp.exp(z_j - top) for z_j in z]
    loss = mp.log(mp.fsum(e)) - (z[label] - top)
    return loss, [e_j / mp.fsum(e) - (j == label) for j, e_j in enumerate(e)]


# ---- both ways to the library's ------------------------------------------------------------------
Result = tuple[float, list[float]]


def by_kernel(loss: str, output: str, raw: FloatArray, y: Any) -> Result:
    labels, values = (np.array([y], np.int32), None) if "soft" in output else (None, y)
    losses, gradient = _core_test.loss(
        loss, [], 0.0, True, raw, labels, values, np.ones(1, raw.dtype)
    )
    return float(losses[0]), gradient[0].tolist()


def by_network(loss: str, output: str, raw: FloatArray, y: Any) -> Result:
    net = pymlp.Network([1, raw.shape[1]], output=output, init="zeros", dtype=raw.dtype)
    net.weights[0][:] = raw
    J, grads = net.gradients([[1.0]], [y] if "soft" in output else y, loss=loss)
    assert grads.weights[0].tolist() == [grads.biases[0].tolist()]
    return J, grads.biases[0].tolist()


by_both = pytest.mark.parametrize("compute", [by_kernel, by_network])


def close(exact: mpf, dtype: str, scale: float = 0.0) -> Any:
    """Within 4 units in the last place; `scale` is of terms that cancel."""
    info = np.finfo(dtype)
    with np.errstate(over="ignore"):
        rounded = float(np.dtype(dtype).type(float(exact)))
    # What is below the smallest normal number has no relative precision left.
    tolerance = 4.0 * float(info.eps)
    return pytest.approx(rounded, rel=tolerance, abs=tolerance * scale + float(info.tiny))


@by_both
@pytest.mark.parametrize("y", [0.0, 0.25, 1.0])
def test_binary_cross_entropy(compute: Callable[..., Result], y: float, dtype: str) -> None:
    for raw in [*RAW, *(-z for z in RAW)]:
        z = np.array([[raw]], dtype)
        J, gradient = compute("binary_cross_entropy", "sigmoid", z, np.array([[y]], dtype))
        exact_J, exact = binary_cross_entropy(mp.mpf(float(z[0, 0])), mp.mpf(y))
        assert close(exact_J, dtype) == J, raw
        assert gradient == [close(exact, dtype)], raw


@by_both
@pytest.mark.parametrize("y", [0.0, 2.0, 1e6])
def test_poisson(compute: Callable[..., Result], y: float, dtype: str) -> None:
    for raw in [*RAW, *(-z for z in RAW)]:
        z = np.array([[raw]], dtype)
        J, gradient = compute("poisson", "exp", z, np.array([[y]], dtype))
        exact_J, exact = poisson(mp.mpf(float(z[0, 0])), mp.mpf(y))
        # The largest of the terms, at most that of the result's own overflow.
        size = float(min(mp.exp(raw) + y * (abs(raw) + 1), mp.mpf("1e30")))
        assert close(exact_J, dtype, size) == J, raw
        assert gradient == [close(exact, dtype, size)], raw


@by_both
@pytest.mark.parametrize("output", ["softmax", "log_softmax"])
@pytest.mark.parametrize("label", [0, 1, 2])
def test_cross_entropy(compute: Callable[..., Result], output: str, label: int, dtype: str) -> None:
    for raw in ROWS:
        z = np.array([raw], dtype)
        J, gradient = compute("cross_entropy", output, z, label)
        exact_J, exact = cross_entropy([mp.mpf(float(z_j)) for z_j in z[0]], label)
        # log(sum) and a - y have the rounding error of numbers around 1.
        assert close(exact_J, dtype, 1.0) == J, raw
        assert gradient == [close(d, dtype, 1.0) for d in exact], raw


# As scikit-learn's tests have them, which got them from mpmath.
@by_both
@pytest.mark.parametrize(
    ("y", "raw", "J", "gradient"),
    [
        (0.0, -1e20, 0.0, 0.0),
        (1.0, -1e20, 1e20, -1.0),
        (0.0, -1e3, 0.0, 0.0),
        (1.0, -1e3, 1e3, -1.0),
        (1.0, -37.5, 37.5, -1.0),
        (1.0, -37.0, 37.0, 1e-16 - 1.0),
        (0.0, -37.0, 8.533047625744065e-17, 8.533047625744065e-17),
        (0.0, -36.9, 9.430476078526806e-17, 9.430476078526806e-17),
        (0.0, 37.0, 37.0, 1.0 - 1e-16),
        (1.0, 37.0, 8.533047625744066e-17, -8.533047625744066e-17),
        (0.0, 232.8, 232.8, 1.0),
        (1.0, 1e20, 0.0, 0.0),
        (0.0, 1e20, 1e20, 1.0),
    ],
)
def test_published_values(
    compute: Callable[..., Result], y: float, raw: float, J: float, gradient: float
) -> None:
    z, target = np.array([[raw]]), np.array([[y]])
    value, slopes = compute("binary_cross_entropy", "sigmoid", z, target)
    assert value == pytest.approx(J, rel=1e-15, abs=0.0)
    assert slopes == [pytest.approx(gradient, rel=1e-15, abs=0.0)]


def test_a_row_of_weight_0_has_no_gradient_were_its_loss_infinite() -> None:
    net = pymlp.Network([1, 1], output="exp", init="zeros", dtype="float64")
    net.parameters = [1000.0, 0.0]
    X, y = [[1.0], [0.001]], [1.0, 1.0]
    J, grads = net.gradients(X, y, loss="poisson", sample_weight=[0.0, 1.0])
    alone, of_one = net.gradients(X[1:], y[1:], loss="poisson")
    assert alone == J
    assert np.array_equal(of_one.flat, grads.flat)
