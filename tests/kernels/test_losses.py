"""The kernels of losses, each on its own, against the reference."""

import math
from typing import Any

import numpy as np
import pytest
from cases import (
    LOSSES,
    OF_PROBABILITIES,
    AssertClose,
    Rng,
    random_labels,
    random_targets,
    rows_of,
)
from loss_forms import FORMS, Form, random_outputs

from pymlp import losses
from pymlp.losses import Loss

SHAPES = [(1, 1), (1, 7), (7, 1), (5, 40), (2, 33), (65, 16), *((3, n) for n in range(1, 41))]
LARGE = [1e4, -1e4, 300.0, -300.0, 90.0, -90.0, 40.0, -40.0]


# The size of terms that are rounded before they cancel, in the loss and in the gradient: log(sum)
# keeps the digits of a sum around 1, a - y those of a; outputs of 0.1 to 0.9 make 1/a up to 10.
CANCELLING = {
    ("cross_entropy", True): (1.0, 1.0),
    ("kl_divergence", True): (4.0, 1.0),
    ("kl_divergence", False): (4.0, 0.0),
    ("binary_cross_entropy", True): (0.0, 1.0),
    ("binary_cross_entropy", False): (0.0, 10.0),
    ("poisson", True): (30.0, 8.0),
    ("poisson", False): (10.0, 80.0),
    ("hinge", False): (1.0, 0.0),
}


@pytest.mark.parametrize("with_labels", [True, False], ids=["labels", "values"])
@pytest.mark.parametrize("form", FORMS, ids=repr)
def test_loss(
    form: Form, with_labels: bool, dtype: str, rng: Rng, assert_close: AssertClose
) -> None:
    loss_terms, gradient_terms = CANCELLING.get((form.loss.name, form.from_logits), (0.0, 0.0))
    for m, k in SHAPES:
        outputs = random_outputs(rng, (m, k), form, dtype)
        scale = rng.uniform(0.0, 2.0, m).astype(dtype)
        labels = random_labels(rng, m, k) if with_labels else None
        values = None if with_labels else random_targets(rng, m, k, form.loss.name, dtype)
        actual, gradients = form.core(outputs, labels, values, scale)
        expected, slopes = form.reference(outputs, rows_of(values if labels is None else labels, k))
        assert_close(actual, expected, "kernel", scale=loss_terms)
        wanted = scale[:, None].astype(np.float64) * np.array(slopes)
        assert_close(gradients, wanted, "kernel", scale=gradient_terms * scale[:, None])


@pytest.mark.parametrize("k", [2, 3, 9, 32, 33, 70])
def test_quantile_has_a_level_for_each_output(
    k: int, dtype: str, rng: Rng, assert_close: AssertClose
) -> None:
    levels = tuple(rng.uniform(0.01, 0.99, k).tolist())
    form = Form(losses.Quantile(levels), from_logits=False)
    outputs, values = rng.normal(size=(2, 37, k)).astype(dtype)
    scale = rng.uniform(0.0, 2.0, 37).astype(dtype)
    actual, gradients = form.core(outputs, None, values, scale)
    expected, slopes = form.reference(outputs, values.tolist())
    assert_close(actual, expected, "kernel")
    assert_close(gradients, scale[:, None].astype(np.float64) * np.array(slopes), "kernel")


def test_equal_levels_are_one_level(dtype: str, rng: Rng) -> None:
    outputs, values = rng.normal(size=(2, 20, 5)).astype(dtype)
    one, each = (
        Form(losses.Quantile(q), from_logits=False).core(outputs, None, values, np.ones(20, dtype))
        for q in (0.2, (0.2,) * 5)
    )
    for a, b in zip(one, each, strict=True):
        assert (a == b).all()


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("kind", [losses.CrossEntropy, losses.BinaryCrossEntropy])
def test_loss_from_extreme_logits_is_its_limit(
    kind: Any, smoothing: float, dtype: str, assert_close: AssertClose
) -> None:
    form = Form(kind(label_smoothing=smoothing), from_logits=True)
    z = np.array([[x, y] for x in LARGE for y in LARGE], dtype)
    ones = np.ones(len(z), dtype)
    for label in (0, 1):
        labels = np.full(len(z), label, np.int32)
        actual, gradients = form.core(z, labels, None, ones)
        expected, slopes = form.reference(z, rows_of(labels, 2))
        assert_close(actual, expected, "kernel")
        assert_close(gradients, slopes, "kernel")


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss.name in OF_PROBABILITIES])
def test_loss_of_certain_probabilities_is_finite(loss: Loss, dtype: str) -> None:
    a = np.array([[0.0, 1.0], [1.0, 0.0]], dtype)
    ones = np.ones(2, dtype)
    for label in (0, 1):
        actual, gradients = Form(loss, from_logits=False).core(
            a, np.full(2, label, np.int32), None, ones
        )
        assert np.isfinite(actual).all()
        assert np.isfinite(gradients).all()
        if not loss.label_smoothing:
            assert actual[1 - label] == 0.0, "certain and right"
            assert actual[label] > 50.0, "certain and wrong"


# (loss, prediction, target, loss of one output, its slope): kinks, far ends and what lies between
SPOTS = [
    (losses.MAE(), 2.0, 2.0, 0.0, 0.0),
    (losses.MAE(), -1e30, 2.0, 1e30, -1.0),
    (losses.Huber(), 3.0, 2.0, 0.5, 1.0),
    (losses.Huber(), 4.0, 2.0, 1.5, 1.0),
    (losses.Huber(0.5), -3.0, 2.0, 2.375, -0.5),
    (losses.Huber(3.0), 5.0, 1.0, 7.5, 3.0),
    (losses.Huber(3.0), 3.0, 1.0, 2.0, 2.0),
    (losses.LogCosh(), 0.25, 0.25, 0.0, 0.0),
    (losses.LogCosh(), 1e20, 0.0, 1e20, 1.0),
    (losses.LogCosh(), 1e-6, 0.0, 5e-13 - 1e-24 / 12.0, 1e-6 - 1e-18 / 3.0),
    (losses.LogCosh(), -1.0, 0.0, math.log(math.cosh(1.0)), -math.tanh(1.0)),
    (losses.Quantile(), 5.0, 1.0, 2.0, 0.5),
    (losses.Quantile(0.25), 5.0, 1.0, 3.0, 0.75),
    (losses.Quantile(0.25), 1.0, 5.0, 1.0, -0.25),
    (losses.Quantile(0.25), 5.0, 5.0, 0.0, 0.0),
    (losses.Hinge(), 1.0, 1.0, 0.0, 0.0),
    (losses.Hinge(), -0.5, -1.0, 0.5, 1.0),
    (losses.Hinge(), 1e20, -1.0, 1e20, 1.0),
    (losses.Poisson(), 4.0, 2.0, 4.0 - 2.0 * math.log(4.0), 0.5),
    (losses.Poisson(), 0.0, 0.0, 0.0, 1.0),
]


@pytest.mark.parametrize(("loss", "a", "y", "value", "slope"), SPOTS, ids=repr)
def test_loss_of_one_output(
    loss: Loss, a: float, y: float, value: float, slope: float, dtype: str
) -> None:
    outputs, targets = np.array([[a, a]], dtype), np.array([[y, y]], dtype)
    actual, gradient = Form(loss, from_logits=False).core(
        outputs, None, targets, np.full(1, 2.0, dtype)
    )
    rel = 4.0 * float(np.finfo(dtype).eps)
    assert actual.tolist() == [pytest.approx(value, rel=rel, abs=0.0)]
    # A mean of two outputs, times a scale of 2.
    assert gradient.tolist() == [[pytest.approx(slope, rel=rel, abs=0.0)] * 2]


@pytest.mark.parametrize("form", FORMS, ids=repr)
def test_nan_in_gives_nan_out(form: Form, dtype: str) -> None:
    outputs = np.full((3, 2), 0.5, dtype)
    outputs[1, 1] = np.nan
    values = np.full((3, 2), 1.0, dtype)
    actual, gradient = form.core(outputs, None, values, np.ones(3, dtype))
    assert np.isnan(actual).tolist() == [False, True, False]
    if form.loss.name != "hinge":  # whose slope asks only on which side of the kink a is
        assert np.isnan(gradient[1, 1])
    assert not np.isnan(gradient[[0, 2]]).any()


INF = math.inf


@pytest.mark.parametrize(
    ("loss", "z", "y", "value", "slopes"),
    [
        (losses.Poisson(), [-INF], [0.0], 0.0, [0.0]),
        (losses.Poisson(), [-INF], [2.0], INF, [-2.0]),
        (losses.Poisson(), [INF], [0.0], INF, [INF]),
        (losses.BinaryCrossEntropy(), [-INF], [0.0], 0.0, [0.0]),
        (losses.BinaryCrossEntropy(), [-INF], [1.0], INF, [-1.0]),
        (losses.BinaryCrossEntropy(), [INF], [1.0], 0.0, [0.0]),
        (losses.BinaryCrossEntropy(), [INF], [0.0], INF, [1.0]),
        (losses.CrossEntropy(), [INF, 0.0], [1.0, 0.0], 0.0, [0.0, 0.0]),
        (losses.CrossEntropy(), [INF, 0.0], [0.0, 1.0], INF, [1.0, -1.0]),
        (losses.CrossEntropy(), [-INF, 0.0], [0.0, 1.0], 0.0, [0.0, 0.0]),
        (losses.KLDivergence(), [-INF, -INF], [0.5, 0.5], 0.0, [0.0, 0.0]),
    ],
    ids=str,
)
def test_loss_from_infinite_logits_is_its_limit(
    loss: Loss, z: list[float], y: list[float], value: float, slopes: list[float], dtype: str
) -> None:
    actual, gradient = Form(loss, from_logits=True).core(
        np.array([z], dtype), None, np.array([y], dtype), np.ones(1, dtype)
    )
    assert actual.tolist() == [pytest.approx(value, abs=1e-7)]
    assert gradient.tolist() == [slopes]
