"""Class weights and label smoothing: what they are short for."""

from typing import Any

import numpy as np
import pytest
from cases import AssertClose, FloatArray, Rng, random_inputs, random_network

import pymlp
from pymlp import Network, losses


def trained(net: Network, X: FloatArray, y: Any, **options: Any) -> FloatArray:
    twin = net.copy()
    twin.fit(X, y, optimizer=pymlp.SGD(0.1), epochs=3, batch_size=8, seed=4, **options)
    return twin.parameters


# ---- class weights -------------------------------------------------------------------------------
class Samples:
    """A classifier of three classes, rare and frequent, or of yes and no, with samples."""

    def __init__(self, rng: Rng, binary: bool, dtype: str = "float64") -> None:
        k, output = (1, "sigmoid") if binary else (3, "softmax")
        self.net = random_network(rng, [4, 5, k], hidden="tanh", output=output, dtype=dtype)
        self.X = random_inputs(rng, 40, self.net)
        self.y = rng.choice(2 if binary else 3, 40, p=[0.8, 0.2] if binary else [0.6, 0.3, 0.1])
        self.w = rng.uniform(0.0, 2.0, 40)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize(
    ("class_weight", "table"),
    [
        ({0: 0.5, 1: 2.0}, [0.5, 2.0, 1.0]),
        ({1: 3}, [1.0, 3.0, 1.0]),
        ({np.int64(1): np.float32(0.25), 0: 0}, [0.0, 0.25, 1.0]),
        ({}, [1.0, 1.0, 1.0]),
        ("balanced", None),
    ],
    ids=str,
)
def test_class_weights_are_sample_weights(
    class_weight: Any, table: list[float] | None, weighted: bool, binary: bool, dtype: str, rng: Rng
) -> None:
    s = Samples(rng, binary, dtype)
    if table is None:
        counts = np.bincount(s.y)
        table = list(len(s.y) / (len(counts) * counts))
    factor = np.array(table)[s.y].astype(dtype)
    w = s.w.astype(dtype) if weighted else None
    expected = trained(s.net, s.X, s.y, sample_weight=factor if w is None else w * factor)
    actual = trained(s.net, s.X, s.y, sample_weight=w, class_weight=class_weight)
    assert (actual == expected).all()
    plain = trained(s.net, s.X, s.y, sample_weight=w)
    assert (actual == plain).all() == (class_weight == {})


def test_balanced_classes_weigh_the_same_together(rng: Rng) -> None:
    # Repeating every sample of a class changes nothing, as its weight falls in proportion.
    s = Samples(rng, binary=False)
    rare = s.y == 2
    X, y = np.r_[s.X, s.X[rare], s.X[rare]], np.r_[s.y, s.y[rare], s.y[rare]]
    one, other = s.net.copy(), s.net.copy()
    options = {"optimizer": "sgd", "batch_size": None, "epochs": 3, "class_weight": "balanced"}
    one.fit(s.X, s.y, **options)
    other.fit(X, y, **options)
    assert one.parameters == pytest.approx(other.parameters, rel=1e-12)


def test_balanced_weights_leave_out_a_class_without_samples(rng: Rng) -> None:
    s = Samples(rng, binary=False)
    y = np.where(s.y == 2, 0, s.y)
    counts = np.bincount(y)
    expected = trained(s.net, s.X, y, sample_weight=(len(y) / (2 * counts))[y])
    assert (trained(s.net, s.X, y, class_weight="balanced") == expected).all()


def test_held_out_samples_keep_their_class_weights(rng: Rng) -> None:
    s = Samples(rng, binary=False)
    factor = np.array([1.0, 1.0, 5.0])[s.y]
    history, expected = (
        s.net.copy().fit(s.X, s.y, epochs=2, seed=1, validation=0.25, **weights)
        for weights in ({"class_weight": {2: 5.0}}, {"sample_weight": factor})
    )
    assert history.val_loss == expected.val_loss
    assert history.loss == expected.loss


# ---- label smoothing -----------------------------------------------------------------------------
@pytest.mark.parametrize("output", ["softmax", "log_softmax", "sigmoid"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_smoothed_labels_are_these_targets(
    output: str, smoothing: float, dtype: str, rng: Rng, assert_close: AssertClose
) -> None:
    net = random_network(rng, [4, 5, 3], hidden="tanh", output=output, dtype=dtype)
    X, y = random_inputs(rng, 20, net), rng.integers(3, size=20)
    one_hot = np.eye(3)[y]
    if output == "sigmoid":
        loss, plain = losses.BinaryCrossEntropy(label_smoothing=smoothing), "binary_cross_entropy"
        targets, given = (1 - smoothing) * one_hot + smoothing / 2, [one_hot]
    else:
        loss, plain = losses.CrossEntropy(label_smoothing=smoothing), "cross_entropy"
        targets, given = (1 - smoothing) * one_hot + smoothing / 3, [one_hot, y]
    J, grads = net.gradients(X, targets, loss=plain)
    for labels in given:
        smoothed_J, smoothed = net.gradients(X, labels, loss=loss)
        assert_close(np.array(smoothed_J, dtype), J, "gradients")
        assert_close(smoothed.flat, grads.flat, "gradients")
        parameters = trained(net, X, labels, loss=loss)
        assert_close(parameters, trained(net, X, targets, loss=plain), "training")


def test_smoothing_keeps_a_certain_network_from_certainty(rng: Rng) -> None:
    # The best outputs are the smoothed targets, so that there the gradient is 0.
    net = Network([2, 3], output="softmax", bias=False, dtype="float64")
    net.weights[0][:] = np.log([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]])
    loss = losses.CrossEntropy(label_smoothing=0.3)
    J, grads = net.gradients(np.eye(2), [0, 1], loss=loss)
    assert np.abs(grads.flat).max() < 1e-16
    assert pytest.approx(-0.8 * np.log(0.8) - 0.2 * np.log(0.1)) == J


# ---- what "auto" is ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("output", "name"),
    [
        ("softmax", "cross_entropy"),
        ("log_softmax", "cross_entropy"),
        ("sigmoid", "binary_cross_entropy"),
        ("linear", "mse"),
        ("exp", "mse"),
        ("hard_sigmoid", "mse"),
    ],
)
def test_auto_goes_by_the_output(output: str, name: str, rng: Rng) -> None:
    net = random_network(rng, [4, 3], output=output)
    X, Y = random_inputs(rng, 9, net), np.full((9, 3), 1 / 3)
    assert net.loss(X, Y) == net.loss(X, Y, loss=name) == net.loss(X, Y, loss=losses.TABLE[name]())


@pytest.mark.parametrize("loss", list(losses.TABLE.values()))
def test_losses_are_values(loss: Any) -> None:
    assert loss() == loss()
    assert hash(loss()) == hash(loss())
    assert eval(repr(loss()), vars(losses)) == loss()
    assert loss() != losses.Huber(7.0) != losses.Huber(8.0)
    assert (loss() == loss().name) is False
