"""A row's result has the same bits alone and anywhere in a batch of any size.

Narrow rows are computed in groups of 16 and wide ones by themselves, few of them or many: the bits
must not show it.
"""

from collections.abc import Callable

import numpy as np
import pytest
from cases import FloatArray, Rng, random_labels, random_targets
from loss_forms import FORMS, Form, random_outputs

from pymlp import _core_test

ROWS = 64
# Where batches begin and how many rows they have: whole groups, parts of groups, other places.
BATCHES = [(0, 2), (1, 3), (5, 15), (3, 16), (40, 17), (62, 2), (63, 1)]
BATCHES += [(i, 1) for i in range(17)]

Compute = Callable[[slice], list[FloatArray]]


by_columns = pytest.mark.parametrize("k", [1, 2, 3, 10, 16, 17, 32, 33])


def assert_same_bits(compute: Compute) -> None:
    whole = compute(slice(0, ROWS))
    for first, count in BATCHES:
        rows = slice(first, first + count)
        for part, all_rows in zip(compute(rows), whole, strict=True):
            assert part.tobytes() == all_rows[rows].tobytes(), f"{count} rows from {first}"


def with_extremes(z: FloatArray, rng: Rng) -> FloatArray:
    """Make some of the numbers those at which a softmax treats its entries in special ways."""
    extreme = rng.choice(np.array([np.inf, -np.inf, 0.0, -0.0, 1e4, -1e4]), z.shape)
    return np.where(rng.random(z.shape) < 0.1, extreme, z).astype(z.dtype)


@by_columns
@pytest.mark.parametrize("with_labels", [True, False], ids=["labels", "values"])
@pytest.mark.parametrize("form", FORMS, ids=repr)
def test_loss(form: Form, with_labels: bool, k: int, dtype: str, rng: Rng) -> None:
    outputs = random_outputs(rng, (ROWS, k), form, dtype)
    if form.from_logits and form.loss.name == "cross_entropy":
        outputs = with_extremes(outputs, rng)
    scale = rng.uniform(0.0, 2.0, ROWS).astype(dtype)
    labels = random_labels(rng, ROWS, k)
    values = random_targets(rng, ROWS, k, form.loss.name, dtype)

    def compute(rows: slice) -> list[FloatArray]:
        if with_labels:
            return list(form.core(outputs[rows], labels[rows], None, scale[rows]))
        return list(form.core(outputs[rows], None, values[rows], scale[rows]))

    assert_same_bits(compute)


@by_columns
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_activation(name: str, k: int, dtype: str, rng: Rng) -> None:
    z = with_extremes(rng.normal(0.0, 3.0, (ROWS, k)).astype(dtype), rng)
    da = rng.normal(size=(ROWS, k)).astype(dtype)

    def compute(rows: slice) -> list[FloatArray]:
        a = _core_test.activation_forward(name, [], z[rows])
        return [a, _core_test.activation_backward(name, [], da[rows], z[rows], a)]

    assert_same_bits(compute)
