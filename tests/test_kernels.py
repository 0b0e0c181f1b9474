"""The kernels of activations, losses and dense layers, each on its own, against the reference."""

import math

import numpy as np
import pytest
import reference
from cases import (
    ACTIVATIONS,
    AssertClose,
    FloatArray,
    Rng,
    parameters_of,
    random_labels,
    random_targets,
    rows_of,
)

from pymlp import Activation, LeakyReLU
from pymlp._core import kernels

SHAPES = [
    (1, 1),
    (1, 7),
    (7, 1),
    (3, 5),
    (5, 40),
    (2, 33),
    (65, 16),
    *((3, n) for n in range(1, 41)),
]
LARGE = [1e4, -1e4, 300.0, -300.0, 90.0, -90.0, 40.0, -40.0]

by_activation = pytest.mark.parametrize("g", ACTIVATIONS, ids=repr)


def forward(g: Activation, z: FloatArray) -> FloatArray:
    return kernels.activation_forward(g.name, list(g.parameters.values()), z)


def backward(g: Activation, da: FloatArray, z: FloatArray) -> FloatArray:
    return kernels.activation_backward(g.name, list(g.parameters.values()), da, z, forward(g, z))


def special_numbers(dtype: str) -> FloatArray:
    info = np.finfo(dtype)
    positive = [0.0, float(info.smallest_subnormal), float(info.tiny) / 3, float(info.tiny)]
    positive += [1e-6, 0.5, 20.0, 89.0, 104.0, 720.0, 1e4, float(info.max), math.inf]
    return np.array([*positive, *(-x for x in positive)], dtype)


# ---- activations ---------------------------------------------------------------------------------
@by_activation
def test_activation_forward(g: Activation, dtype: str, rng: Rng, assert_close: AssertClose) -> None:
    for shape in SHAPES:
        z = rng.normal(0.0, 2.0, shape).astype(dtype)
        expected = reference.activation_forward(g.name, z.tolist(), **parameters_of(g, dtype))
        assert_close(forward(g, z), expected, "kernel", scale=0.0)


@by_activation
def test_activation_backward(
    g: Activation, dtype: str, rng: Rng, assert_close: AssertClose
) -> None:
    for shape in SHAPES:
        z = rng.normal(0.0, 2.0, shape).astype(dtype)
        da = rng.normal(size=shape).astype(dtype)
        expected = reference.activation_backward(
            g.name, da.tolist(), z.tolist(), **parameters_of(g, dtype)
        )
        # a (1 - a), 1 - a^2 and softmax's differences are as exact as the a that they come from.
        scale = np.abs(da).max(axis=1, keepdims=True) if g.name == "softmax" else np.abs(da)
        smooth = g.name in ("sigmoid", "softmax", "tanh")
        assert_close(backward(g, da, z), expected, "kernel", scale=scale if smooth else 0.0)


@by_activation
def test_activation_at_special_numbers(
    g: Activation, dtype: str, assert_close: AssertClose
) -> None:
    z = special_numbers(dtype).reshape(-1, 1)
    parameters = parameters_of(g, dtype)
    ones = np.ones_like(z)
    assert_close(
        forward(g, z),
        reference.activation_forward(g.name, z.tolist(), **parameters),
        "kernel",
        scale=0.0,
    )
    assert_close(
        backward(g, ones, z),
        reference.activation_backward(g.name, ones.tolist(), z.tolist(), **parameters),
        "kernel",
        scale=1.0,
    )


@pytest.mark.parametrize(
    "z",
    [
        *(
            [[x, y]]
            for x in (math.inf, -math.inf, 1e4, 0.0)
            for y in (math.inf, -math.inf, -1e4, 1.0)
        ),
        [[-math.inf] * 3],
        [[math.inf, math.inf, 0.0, -math.inf]],
        [[1e4, 1e4 - 1.0, -1e4]],
    ],
    ids=str,
)
def test_softmax_of_extreme_rows(
    z: list[list[float]], dtype: str, assert_close: AssertClose
) -> None:
    given = np.array(z, dtype)
    a = kernels.activation_forward("softmax", [], given)
    assert_close(a, reference.activation_forward("softmax", z), "kernel")
    assert a.sum() == pytest.approx(1.0, rel=1e-6)
    da = np.arange(1.0, a.size + 1.0, dtype=dtype).reshape(a.shape)
    dz = kernels.activation_backward("softmax", [], da, given, a)
    assert_close(dz, reference.activation_backward("softmax", da.tolist(), z), "kernel", scale=da)


@by_activation
def test_nan_in_gives_nan_out(g: Activation, dtype: str) -> None:
    # In every place of a vector, and in no other place than it came in (softmax: the whole row).
    for n in range(1, 41):
        z = np.ones((3, n), dtype)
        z[1, (7 * n) // 10] = np.nan
        a = forward(g, z)
        if g.name == "softmax":
            assert np.isnan(a[1]).all()
            assert not np.isnan(a[[0, 2]]).any()
        else:
            assert (np.isnan(a) == np.isnan(z)).all()
        da, healthy = z, np.ones_like(z)
        assert np.isnan(backward(g, da, healthy)[1, (7 * n) // 10])


def test_leaky_relu_of_slope_0_is_relu_at_minus_infinity(dtype: str) -> None:
    z = np.array([[-np.inf, np.inf]], dtype)
    assert forward(LeakyReLU(0.0), z).tolist() == [[0.0, np.inf]]


# ---- losses --------------------------------------------------------------------------------------
FROM_LOGITS = {
    "softmax_cross_entropy": "cross_entropy",
    "sigmoid_binary_cross_entropy": "binary_cross_entropy",
}
# The size of terms that are rounded before they cancel, in the loss and in the gradient: log(sum)
# keeps the digits of a sum around 1, a - y those of a; outputs of 0.1 to 0.9 make 1/a up to 10.
CANCELLING = {
    "softmax_cross_entropy": (1.0, 1.0),
    "sigmoid_binary_cross_entropy": (0.0, 1.0),
    "cross_entropy": (0.0, 0.0),
    "binary_cross_entropy": (0.0, 10.0),
    "mse": (0.0, 0.0),
}


def reference_loss(name: str) -> reference.RowLoss:
    if name in FROM_LOGITS:
        return reference.LOSSES_FROM_LOGITS[FROM_LOGITS[name]]
    return reference.LOSSES[name]


def random_outputs(rng: Rng, shape: tuple[int, int], name: str, dtype: str) -> FloatArray:
    if name == "mse" or name in FROM_LOGITS:
        return rng.normal(0.0, 3.0, shape).astype(dtype)
    return rng.uniform(0.1, 0.9, shape).astype(dtype)


@pytest.mark.parametrize("with_labels", [True, False], ids=["labels", "values"])
@pytest.mark.parametrize("name", CANCELLING)
def test_loss(
    name: str, with_labels: bool, dtype: str, rng: Rng, assert_close: AssertClose
) -> None:
    value, gradient = reference_loss(name)
    for m, k in SHAPES:
        outputs = random_outputs(rng, (m, k), name, dtype)
        scale = rng.uniform(0.0, 2.0, m).astype(dtype)
        labels = random_labels(rng, m, k) if with_labels else None
        values = (
            None if with_labels else random_targets(rng, m, k, FROM_LOGITS.get(name, name), dtype)
        )
        losses, gradients = kernels.loss(name, outputs, labels, values, scale)
        Y = rows_of(values if labels is None else labels, k)
        rows = list(zip(outputs.tolist(), Y, strict=True))
        expected = [[s * d for d in gradient(a, y)] for s, (a, y) in zip(scale, rows, strict=True)]
        loss_terms, gradient_terms = CANCELLING[name]
        assert_close(losses, [value(a, y) for a, y in rows], "kernel", scale=loss_terms)
        assert_close(gradients, expected, "kernel", scale=gradient_terms * scale[:, None])


@pytest.mark.parametrize("name", FROM_LOGITS)
def test_loss_from_extreme_logits_is_their_limit(
    name: str, dtype: str, assert_close: AssertClose
) -> None:
    value, gradient = reference_loss(name)
    z = np.array([[x, y] for x in LARGE for y in LARGE], dtype)
    ones = np.ones(len(z), dtype)
    for label in (0, 1):
        labels = np.full(len(z), label, np.int32)
        losses, gradients = kernels.loss(name, z, labels, None, ones)
        Y = rows_of(labels, 2)
        assert_close(losses, [value(a, y) for a, y in zip(z.tolist(), Y, strict=True)], "kernel")
        assert_close(
            gradients, [gradient(a, y) for a, y in zip(z.tolist(), Y, strict=True)], "kernel"
        )


@pytest.mark.parametrize("name", ["cross_entropy", "binary_cross_entropy"])
def test_loss_of_certain_probabilities_is_finite(name: str, dtype: str) -> None:
    a = np.array([[0.0, 1.0], [1.0, 0.0]], dtype)
    ones = np.ones(2, dtype)
    for label in (0, 1):
        losses, gradients = kernels.loss(name, a, np.full(2, label, np.int32), None, ones)
        assert np.isfinite(losses).all()
        assert np.isfinite(gradients).all()
        assert losses[1 - label] == 0.0, "certain and right"
        assert losses[label] > 50.0, "certain and wrong"


# ---- dense layers --------------------------------------------------------------------------------
DENSE_SHAPES = [
    (1, 1, 1), (1, 5, 1), (4, 1, 1), (1, 1, 6), (3, 2, 4), (17, 13, 11), (65, 3, 2), (2, 40, 37),
    (9, 130, 8), (130, 9, 8), (130, 40, 33), *((3, n, 41 - n) for n in range(1, 41)),
]  # fmt: skip


@pytest.mark.parametrize("with_biases", [True, False], ids=["biases", "no biases"])
def test_dense_forward(with_biases: bool, dtype: str, rng: Rng, assert_close: AssertClose) -> None:
    for m, n_in, n_out in DENSE_SHAPES:
        x, w = (rng.normal(size=shape).astype(dtype) for shape in [(m, n_in), (n_in, n_out)])
        b = rng.normal(size=n_out).astype(dtype) if with_biases else None
        zeros = np.zeros(n_out)
        expected = reference.dense_forward(
            x.tolist(), w.tolist(), (zeros if b is None else b).tolist()
        )
        scale = np.abs(x) @ np.abs(w) + np.abs(zeros if b is None else b)
        assert_close(kernels.dense_forward(x, w, b), expected, "product", scale=scale)


def test_dense_backward(dtype: str, rng: Rng, assert_close: AssertClose) -> None:
    for m, n_in, n_out in DENSE_SHAPES:
        x, w, dz = (
            rng.normal(size=shape).astype(dtype) for shape in [(m, n_in), (n_in, n_out), (m, n_out)]
        )
        dw, db, dx = kernels.dense_backward(dz, x, w)
        dX, dW, dB = reference.dense_backward(dz.tolist(), x.tolist(), w.tolist())
        assert_close(dw, dW, "product", scale=np.abs(x).T @ np.abs(dz))
        assert_close(db, dB, "product", scale=np.abs(dz).sum(axis=0))
        assert_close(dx, dX, "product", scale=np.abs(dz) @ np.abs(w).T)
