"""The temperature of probabilities."""

import numpy as np
import pytest

from pymlp.tabular.calibration import fit_temperature, tempered


def sample(temperature, n=4000, n_classes=3, dtype=np.float64):
    """Return probabilities that are too sure by a factor, and labels of the true ones."""
    rng = np.random.default_rng(0)
    logits = 2 * rng.normal(size=(n, n_classes))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (rng.random((n, 1)) > true.cumsum(axis=1)).sum(axis=1)
    sure = np.exp(logits * temperature)
    return (sure / sure.sum(axis=1, keepdims=True)).astype(dtype), labels


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5, 8.0])
def test_temperature_is_found(temperature, dtype):
    P, labels = sample(temperature, dtype=dtype)
    assert fit_temperature(P, labels) == pytest.approx(temperature, rel=0.06)


def test_it_minimises_the_loss():
    P, labels = sample(2.5)
    best = fit_temperature(P, labels)

    def loss(temperature):
        return -np.log(tempered(P, temperature)[np.arange(len(labels)), labels]).mean()

    assert loss(best) < min(loss(0.9 * best), loss(1.1 * best), loss(1.0))


def test_weights_are_rows():
    P, labels = sample(2.5, n=300)
    weights = np.arange(300) % 3
    repeated = fit_temperature(np.repeat(P, weights, axis=0), np.repeat(labels, weights))
    assert fit_temperature(P, labels, weights) == pytest.approx(repeated, rel=1e-3)
    assert fit_temperature(P, labels, 100.0 * weights) == fit_temperature(P, labels, 1.0 * weights)


@pytest.mark.parametrize("n", [1, 5, 50])
def test_a_few_rows_that_all_are_right_do_not_make_it_sure(n):
    P = np.tile([0.9, 0.1], (n, 1))
    assert 0.4 < fit_temperature(P, np.zeros(n, int)) < 1.0


def test_extreme_probabilities():
    P = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], np.float32)
    for labels in ([0, 1, 0], [1, 0, 1], [0, 1, 1]):
        found = fit_temperature(P, np.array(labels))
        assert 0 < found < np.inf
        assert np.isfinite(tempered(P, found)).all()


def test_tempered_probabilities_keep_their_order_and_dtype():
    P, _ = sample(1.0, n=50, dtype=np.float32)
    found = tempered(P, 3.0)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-6)
    np.testing.assert_array_equal(found.argsort(axis=1), P.argsort(axis=1))
    assert (found.max(axis=1) < P.max(axis=1)).all()
    assert tempered(P, 1.0) is P
