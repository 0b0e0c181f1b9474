"""Every element of a product is one chain of fused multiply-adds, and errs as one does."""

import itertools
from fractions import Fraction
from pathlib import Path

import bit_cases
import exact
import numpy as np
import pytest
from cases import FloatArray, Rng

from pymlp import Network, _core_test

own_products = pytest.mark.skipif(
    not bit_cases.native_products(), reason="matrix products are another library's"
)


def draw(rng: Rng, dtype: str, *shape: int) -> FloatArray:
    return rng.standard_normal(shape).astype(dtype)


def same_bits(a: FloatArray, b: FloatArray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


# ---- the judge -----------------------------------------------------------------------------------
def test_the_judge_rounds_once(dtype: str, rng: Rng) -> None:
    a, b, c = draw(rng, dtype, 3, 4000)
    c[::4] = -(a * b)[::4]  # what is left then is the error of the product
    c[1::4] *= np.finfo(dtype).eps
    c[2::4] = (a * b)[2::4] * dtype_of(dtype)(2.0) ** 30
    for x, y, z, actual in zip(a, b, c, exact.fused(a, b, c), strict=True):
        assert Fraction(float(actual)) == rounded(
            Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z)), dtype
        )


def dtype_of(dtype: str) -> type[np.floating]:
    return np.dtype(dtype).type


def rounded(x: Fraction, dtype: str) -> Fraction:
    """Return x to the nearest number of the dtype, to even in between; of normal numbers only."""
    if x == 0:
        return x
    bits_of_dtype = np.finfo(dtype).nmant + 1
    exponent = abs(x.numerator).bit_length() - x.denominator.bit_length()
    while abs(x) >= Fraction(2) ** exponent:
        exponent += 1
    unit = Fraction(2) ** (exponent - bits_of_dtype)
    while abs(x) < Fraction(2) ** (exponent - 1):
        exponent, unit = exponent - 1, unit / 2
    return round(x / unit) * unit


# ---- kernels -------------------------------------------------------------------------------------
ROWS, COLS, TERMS = 26, 71, 41


def check_forward(rng: Rng, dtype: str, rows: list[int], cols: list[int], terms: list[int]) -> None:
    x, w = draw(rng, dtype, ROWS, TERMS), draw(rng, dtype, TERMS, COLS)
    b = draw(rng, dtype, COLS)
    for biases in (None, b):
        chains = exact.chains(x, w, biases)
        for k, m, n in itertools.product(terms, rows, cols):
            z = _core_test.dense_forward(
                x[:m, :k].copy(), w[:k, :n].copy(), None if biases is None else b[:n].copy()
            )
            assert same_bits(z, chains[k, :m, :n]), (m, k, n)


def check_backward(rng: Rng, dtype: str, rows: list[int], ins: list[int], outs: list[int]) -> None:
    x, w = draw(rng, dtype, TERMS, COLS), draw(rng, dtype, COLS, TERMS)
    dz = draw(rng, dtype, TERMS, TERMS)
    of_weights = exact.chains(x.T.copy(), dz)  # (samples, inputs, outputs)
    of_inputs = exact.chains(dz, w.T.copy())  # (outputs, samples, inputs)
    for m, n, k in itertools.product(rows, ins, outs):
        operands = dz[:m, :k].copy(), x[:m, :n].copy(), w[:n, :k].copy()
        dw, db, dx = _core_test.dense_backward(*operands)
        assert same_bits(dw, of_weights[m, :n, :k]), (m, n, k)
        assert same_bits(dx, of_inputs[k, :m, :n]), (m, n, k)
        assert same_bits(db, np.add.accumulate(dz[:m, :k], axis=0)[-1]), (m, k)


@own_products
def test_every_forward_is_a_chain(dtype: str, rng: Rng) -> None:
    check_forward(rng, dtype, [*range(1, 26)], [*range(1, 71)], [*range(1, 41)])


@own_products
def test_every_backward_is_a_chain(dtype: str, rng: Rng) -> None:
    check_backward(rng, dtype, [*range(1, 26), 40], [*range(1, 71)], [*range(1, 41, 2)])


# ---- networks ------------------------------------------------------------------------------------
@own_products
@pytest.mark.parametrize("m", [1, 2, 13, 64, 150])
@pytest.mark.parametrize("widths", [[5, 4, 3], [17, 64, 6], [3, 33, 1], [31, 47, 10], [1, 1, 1]])
def test_networks_are_made_of_chains(widths: list[int], m: int, dtype: str, rng: Rng) -> None:
    net = Network(widths, hidden="tanh", output="linear", dtype=dtype, seed=1)
    for b in net.biases:
        b[:] = draw(rng, dtype, len(b))
    X, dY = draw(rng, dtype, m, widths[0]), draw(rng, dtype, m, widths[-1])
    z = exact.chains(X, net.weights[0], net.biases[0])[-1]
    a = _core_test.activation_forward("tanh", [], z)
    assert same_bits(net.predict(X), exact.chains(a, net.weights[1], net.biases[1])[-1])
    da = exact.chains(dY, net.weights[1].T.copy())[-1]
    dz = _core_test.activation_backward("tanh", [], da, z, a)
    gradients, dX = net.vjp(X, dY)
    # Samples in ascending order, however many there are.
    assert same_bits(gradients.weights[1].copy(), exact.chains(a.T.copy(), dY)[-1])
    assert same_bits(gradients.weights[0].copy(), exact.chains(X.T.copy(), dz)[-1])
    for db, d in zip(gradients.biases, (dz, dY), strict=True):
        assert same_bits(db.copy(), np.add.accumulate(d, axis=0)[-1])
    assert same_bits(dX, exact.chains(dz, net.weights[0].T.copy())[-1])


# ---- errors --------------------------------------------------------------------------------------
# Errors in units of u sum |a| |b|, u being the unit roundoff. Roundings of random sign add up as
# their root: with terms of random sign that is half a unit whatever the length, with terms of one
# sign a quarter of the root of a chain's length.
LENGTHS = [16, 64, 256, 784, 1024, 4096]
# Kernels of OpenBLAS that add in chains as well. Others add in several at once, so that their
# errors are smaller.
CHAINS_OF_BLAS = {"Haswell", "Zen", "SkylakeX", "Cooperlake", "Sapphirerapids"}
KERNELS = """
import pymlp
pymlp.Network([2, 3]).predict([[0.0, 1.0]])
print(pymlp.show_config()["blas_kernels"])
"""
PRODUCTS = """
import sys
import numpy as np
from pymlp import _core_test
given = np.load(sys.argv[1])
found = {k: _core_test.dense_forward(given["x" + k], given["w" + k], None) for k in given["names"]}
np.savez(sys.argv[2], **found)
"""


def error_operands(rng: Rng, dtype: str) -> dict[str, tuple[FloatArray, FloatArray]]:
    operands = {}
    for k in LENGTHS:
        x, w = draw(rng, dtype, 12, k), draw(rng, dtype, k, 32)
        operands[f"{k} any sign"] = (x, w)
        operands[f"{k} one sign"] = (np.abs(x), np.abs(w))
    return operands


def products_by(
    gemm: str, operands: dict[str, tuple[FloatArray, FloatArray]], folder: Path
) -> dict[str, FloatArray]:
    """Return the products as the package computes them with this value of PYMLP_GEMM."""
    arrays = {
        prefix + name: a
        for name, xw in operands.items()
        for prefix, a in zip("xw", xw, strict=True)
    }
    np.savez(folder / "given.npz", names=list(operands), **arrays)
    paths = [str(folder / "given.npz"), str(folder / "found.npz")]
    run = bit_cases.elsewhere("-c", PRODUCTS, *paths, PYMLP_GEMM=gemm)
    assert run.returncode == 0, run.stderr
    with np.load(paths[1]) as found:
        return dict(found)


def errors(
    operands: dict[str, tuple[FloatArray, FloatArray]], products: dict[str, FloatArray]
) -> dict[str, FloatArray]:
    result = {}
    for name, (x, w) in operands.items():
        unit = np.finfo(x.dtype).eps / 2 * (np.abs(x.astype(float)) @ np.abs(w.astype(float)))
        result[name] = (products[name] - exact.exact_product(x, w)) / unit
    return result


def root_mean_square(x: FloatArray) -> float:
    return float(np.sqrt(np.mean(np.square(x))))


@pytest.mark.slow
def test_errors_are_those_of_chains_and_no_worse_than_of_blas(
    dtype: str, rng: Rng, tmp_path: Path
) -> None:
    operands = error_operands(rng, dtype)
    own = errors(operands, products_by("native", operands, tmp_path))
    other = errors(operands, products_by("blas", operands, tmp_path))
    kernels = bit_cases.elsewhere("-c", KERNELS, PYMLP_GEMM="blas").stdout.strip()
    assert kernels != "not loaded"
    for name in operands:
        k = int(name.split()[0])
        limit = 0.7 if "any" in name else 0.35 * np.sqrt(min(k, exact.CHAIN))
        assert root_mean_square(own[name]) < limit, name
        assert np.abs(own[name]).max() < 10 * limit, name
        if kernels in CHAINS_OF_BLAS:
            assert root_mean_square(own[name]) < 1.25 * root_mean_square(other[name]), name
