"""The kernels of dense layers, each on its own, against the reference."""

import numpy as np
import pytest
import reference
from cases import AssertClose, Rng

from pymlp import _core_test

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
        assert_close(_core_test.dense_forward(x, w, b), expected, "product", scale=scale)


def test_dense_backward(dtype: str, rng: Rng, assert_close: AssertClose) -> None:
    for m, n_in, n_out in DENSE_SHAPES:
        x, w, dz = (
            rng.normal(size=shape).astype(dtype) for shape in [(m, n_in), (n_in, n_out), (m, n_out)]
        )
        dw, db, dx = _core_test.dense_backward(dz, x, w)
        dX, dW, dB = reference.dense_backward(dz.tolist(), x.tolist(), w.tolist())
        assert_close(dw, dW, "product", scale=np.abs(x).T @ np.abs(dz))
        assert_close(db, dB, "product", scale=np.abs(dz).sum(axis=0))
        assert_close(dx, dX, "product", scale=np.abs(dz) @ np.abs(w).T)
