"""The kernels of activations, each on its own, against the reference."""

import math

import numpy as np
import pytest
from cases import ACTIVATIONS, AssertClose, FloatArray, Rng, parameters_of
from reference_activations import ROWWISE, activation_backward, activation_forward

from pymlp import Activation, LeakyReLU, _core_test

SHAPES = [(1, 1), (1, 7), (7, 1), (5, 40), (2, 33), (65, 16), *((3, n) for n in range(1, 41))]

by_activation = pytest.mark.parametrize("g", ACTIVATIONS, ids=repr)
by_row_activation = pytest.mark.parametrize("name", ROWWISE)


def forward(g: Activation, z: FloatArray) -> FloatArray:
    return _core_test.activation_forward(g.name, list(g.parameters.values()), z)


def backward(g: Activation, da: FloatArray, z: FloatArray) -> FloatArray:
    return _core_test.activation_backward(g.name, list(g.parameters.values()), da, z, forward(g, z))


# ---- against the reference -----------------------------------------------------------------------
# Where digits cancel in the kernel and not in the reference, an error is measured by what they
# cancel from. Values: 1 + erf(z), exponents that were rounded, z - log(sum).
CANCELLING_VALUES = ("gelu", "gelu_tanh", "gaussian", "log_softmax")
# Slopes: a (1 - a) and its like are as exact as the a that they come from.
EXACT_SLOPES = (
    "linear", "step", "relu", "leaky_relu", "elu", "selu", "celu", "softplus", "hard_sigmoid",
    "hard_swish", "hard_tanh", "relu6", "exp",
)  # fmt: skip


def size_of(rows: FloatArray, g: Activation) -> FloatArray:
    """Return what entries are added to: other entries of their row, or themselves."""
    return np.abs(rows).max(axis=1, keepdims=True) if g.name in ROWWISE else np.abs(rows)


@by_activation
def test_activation_forward(g: Activation, dtype: str, rng: Rng, assert_close: AssertClose) -> None:
    for shape in SHAPES:
        z = rng.normal(0.0, 2.0, shape).astype(dtype)
        expected = activation_forward(g.name, z.tolist(), **parameters_of(g, dtype))
        scale = np.maximum(1.0, size_of(z, g)) if g.name in CANCELLING_VALUES else 0.0
        assert_close(forward(g, z), expected, "kernel", scale=scale)


@by_activation
def test_activation_backward(
    g: Activation, dtype: str, rng: Rng, assert_close: AssertClose
) -> None:
    for shape in SHAPES:
        z = rng.normal(0.0, 2.0, shape).astype(dtype)
        da = rng.normal(size=shape).astype(dtype)
        expected = activation_backward(g.name, da.tolist(), z.tolist(), **parameters_of(g, dtype))
        scale = 0.0 if g.name in EXACT_SLOPES else size_of(da, g) * np.maximum(1.0, np.abs(z))
        assert_close(backward(g, da, z), expected, "kernel", scale=scale)


# ---- numbers at the ends -------------------------------------------------------------------------
def special_numbers(dtype: str) -> FloatArray:
    info = np.finfo(dtype)
    positive = [0.0, float(info.smallest_subnormal), float(info.tiny) / 3, float(info.tiny)]
    positive += [1e-6, 0.5, 1.0, 3.0, 6.0, 20.0, 89.0, 104.0, 720.0, 1e4, 1e20]
    positive += [float(info.max), math.inf]
    return np.array([*positive, *(-x for x in positive)], dtype)


@by_activation
def test_activation_at_special_numbers(
    g: Activation, dtype: str, assert_close: AssertClose
) -> None:
    z = special_numbers(dtype).reshape(-1, 1)
    ones = np.ones_like(z)
    parameters = parameters_of(g, dtype)
    values = np.array(activation_forward(g.name, z.tolist(), **parameters))
    slopes = np.array(activation_backward(g.name, ones.tolist(), z.tolist(), **parameters))
    with np.errstate(over="ignore"):  # exp, and selu of the largest number
        scale = size_of(np.minimum(np.abs(z), 10.0), g) if g.name in CANCELLING_VALUES else 0.0
        assert_close(forward(g, z), values.astype(dtype), "kernel", scale=scale)
        assert_close(backward(g, ones, z), slopes.astype(dtype), "kernel", scale=1.0)


@by_row_activation
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
        [[1e20, -1e20, 0.0]],
        [[1e-45, 5e-324, -5e-324]],
    ],
    ids=str,
)
def test_extreme_rows(
    name: str, z: list[list[float]], dtype: str, assert_close: AssertClose
) -> None:
    given = np.array(z, dtype)
    a = _core_test.activation_forward(name, [], given)
    assert_close(a, activation_forward(name, given.tolist()), "kernel")
    shares = a if name == "softmax" else np.exp(a)
    assert shares.sum() == pytest.approx(1.0, rel=1e-6)
    da = np.arange(1.0, a.size + 1.0, dtype=dtype).reshape(a.shape)
    dz = _core_test.activation_backward(name, [], da, given, a)
    expected = activation_backward(name, da.tolist(), given.tolist())
    assert_close(dz, expected, "kernel", scale=da.sum())


@by_activation
def test_nan_in_gives_nan_out(g: Activation, dtype: str) -> None:
    # In every place of a vector, and in no other place than it came in, or else its whole row.
    for n in range(1, 41):
        z = np.ones((3, n), dtype)
        z[1, (7 * n) // 10] = np.nan
        a = forward(g, z)
        if g.name in ROWWISE:
            assert np.isnan(a[1]).all()
            assert not np.isnan(a[[0, 2]]).any()
        else:
            assert (np.isnan(a) == np.isnan(z)).all()
        da, healthy = z, np.ones_like(z)
        assert np.isnan(backward(g, da, healthy)[1, (7 * n) // 10])


def test_leaky_relu_of_slope_0_is_relu_at_minus_infinity(dtype: str) -> None:
    z = np.array([[-np.inf, np.inf]], dtype)
    assert forward(LeakyReLU(0.0), z).tolist() == [[0.0, np.inf]]
