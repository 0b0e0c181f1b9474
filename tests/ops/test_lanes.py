"""Narrow networks, whose samples are lanes: against the reference, and against the way in rows."""

from typing import Any

import numpy as np
import pytest
import reference
from cases import (
    ACTIVATIONS,
    LOSSES,
    PAIRS,
    AssertClose,
    FloatArray,
    Rng,
    assert_gradients,
    inputs_off_kinks,
    options_of,
    random_inputs,
    random_labels,
    random_network,
    random_network_for,
    random_targets,
    rows_of,
    to_reference,
)
from own_functions import squared

import pymlp
from pymlp import Network
from pymlp.losses import Loss

pytestmark = pytest.mark.skipif(
    pymlp.get_arithmetic() != "exact", reason="samples are lanes in own products alone"
)

WIDEST = 16
ROWS = [1, 2, 15, 16, 17, 300]


def in_rows(net: Network) -> Network:
    """Return the same function as a network that is computed in rows.

    Without training no unit is dropped, but there is an operation more.
    """
    hidden = [layer.activation for layer in net.layers[:-1]]
    twin = Network(
        net.widths, hidden=hidden or "tanh", output=net.layers[-1].activation, bias=net.bias,
        dtype=net.dtype, input_dropout=0.5,
    )  # fmt: skip
    twin.parameters[:] = net.parameters
    assert net.plan(batch_size=32).lanes == (len(net.parameters) <= 512)
    assert not twin.plan(batch_size=32).lanes
    return twin


def largest(array: FloatArray) -> float:
    return float(np.abs(array[np.isfinite(array)]).max(initial=1e-30))


def assert_like_rows(assert_close: AssertClose, net: Network, X: Any, y: Any, **how: Any) -> None:
    """Forward values have the same bits; gradients sum over samples in another order."""
    twin = in_rows(net)
    assert net.predict(X).tobytes() == twin.predict(X).tobytes()
    assert net.loss(X, y, **how) == twin.loss(X, y, **how)
    J, gradients = net.gradients(X, y, **how)
    assert twin.gradients(X, y, **how)[0] == J
    expected = twin.gradients(X, y, **how)[1].flat
    assert_close(gradients.flat, expected, "gradients", scale=largest(expected))


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> Rng:
    return np.random.default_rng(sum(map(ord, request.node.name)))


@pytest.mark.parametrize("m", ROWS)
@pytest.mark.parametrize(("output", "loss"), PAIRS, ids=str)
def test_every_output_and_loss(
    output: pymlp.Activation,
    loss: pymlp.losses.Loss,
    m: int,
    dtype: str,
    assert_close: AssertClose,
    rng: Rng,
) -> None:
    layers = int(rng.integers(1, 3))
    bias = bool(rng.integers(3))
    net = random_network_for(rng, layers, WIDEST, output, loss, dtype=dtype, bias=bias)
    k = net.widths[-1]
    X = random_inputs(rng, m, net)
    labels = loss.name == "cross_entropy" and bool(rng.integers(2))
    y = random_labels(rng, m, k) if labels else random_targets(rng, m, k, loss.name, net.dtype)
    w = rng.uniform(0.1, 2.0, m).astype(net.dtype) if rng.integers(2) else None
    assert_like_rows(assert_close, net, X, y, loss=loss, sample_weight=w)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_every_hidden_activation(
    activation: pymlp.Activation, dtype: str, assert_close: AssertClose, rng: Rng
) -> None:
    for m in ROWS:
        widths = [int(n) for n in rng.integers(1, WIDEST - 3, 4)]
        net = random_network(rng, widths, hidden=activation, dtype=dtype)
        X = random_inputs(rng, m, net)
        y = random_targets(rng, m, widths[-1], "mse", net.dtype)
        assert_like_rows(assert_close, net, X, y, loss="mse")


@pytest.mark.parametrize("width", range(1, WIDEST + 1))
def test_every_width_against_the_reference(
    width: int, dtype: str, assert_close: AssertClose, rng: Rng
) -> None:
    for m in ROWS[:-1]:
        loss = LOSSES[int(rng.integers(len(LOSSES)))]
        outputs = [output for output, other in PAIRS if other == loss]
        output = outputs[int(rng.integers(len(outputs)))]
        n_in, other = (int(n) for n in rng.integers(2, WIDEST - 2, 2))
        net = random_network(rng, [n_in, width, other], output=output, dtype=dtype)
        if loss.name not in ("mse", "mae", "huber", "log_cosh", "quantile", "hinge"):
            net = random_network(rng, [n_in, width, other], output="linear", dtype=dtype)
            loss = pymlp.losses.MSE()
        assert net.plan(batch_size=m).lanes == (m > 2 or len(net.parameters) <= 256)
        X = inputs_off_kinks(rng, m, net, loss)
        y = random_targets(rng, m, other, loss.name, net.dtype)
        J, gradients = net.gradients(X, y, loss=loss)
        twin, options = to_reference(net), options_of(loss, net.dtype)
        wanted_J, wanted = reference.gradients(
            twin, X.tolist(), rows_of(y, other), loss.name, None, **options
        )
        outputs_of_twin = reference.predict(twin, X.tolist())
        _, dA = reference.output_loss(
            twin, outputs_of_twin, rows_of(y, other), loss.name, None, **options
        )
        assert_close(np.array(J, net.dtype), wanted_J, "gradients", scale=max(1.0, wanted_J))
        assert_gradients(assert_close, net, gradients, wanted, dA)


def narrow(dtype: str, **options: Any) -> tuple[Network, FloatArray, FloatArray]:
    rng = np.random.default_rng(3)
    net = Network([5, 16, 7, 3], hidden="tanh", output="softmax", dtype=dtype, seed=1, **options)
    X = rng.standard_normal((5000, 5)).astype(dtype)
    return net, X, rng.integers(0, 3, 5000)


def test_threads_have_no_part_in_the_bits(dtype: str) -> None:
    def results(threads: int) -> tuple[Any, ...]:
        net, X, y = narrow(dtype)
        J, gradients = net.gradients(X, y, threads=threads)
        net.fit(X, y, epochs=2, batch_size=2000, threads=threads, seed=4)
        return J, gradients.flat.tobytes(), net.parameters.tobytes(), net.predict(X).tobytes()

    assert results(1) == results(2) == results(3) == results(8)


def test_batches_of_few_rows_and_others_take_turns(dtype: str) -> None:
    def plain(rows: int) -> tuple[Network, FloatArray, FloatArray]:
        net = Network([5, 16, 16, 3], hidden="tanh", output="softmax", dtype=dtype, seed=1)
        rng = np.random.default_rng(3)
        return net, rng.standard_normal((rows, 5)).astype(dtype), rng.integers(0, 3, rows)

    net, X, y = plain(17)  # batches of 8, 8 and 1
    assert net.plan(batch_size=8).lanes
    assert not net.plan(batch_size=1).lanes
    net.fit(X, y, epochs=2, batch_size=8, shuffle=False, optimizer=pymlp.optimizers.SGD(0.1))
    twin, _, _ = plain(17)
    rule = pymlp.optimizers.SGD(0.1)
    for at in [0, 8, 16] * 2:
        twin.train_batch(X[at : at + 8], y[at : at + 8], optimizer=rule)
    assert net.parameters.tobytes() == twin.parameters.tobytes()
    fresh = Network([5, 16, 16, 3], hidden="tanh", output="softmax", dtype=dtype)
    fresh.parameters[:] = net.parameters  # no packed weights that are older than these
    assert net.gradients(X[:1], y[:1])[1].flat.tobytes() == (
        fresh.gradients(X[:1], y[:1])[1].flat.tobytes()
    )


def test_layers_that_stand_still(dtype: str, assert_close: AssertClose) -> None:
    for freeze in [(0,), (1,), (2,), (0, 1), (1, 2)]:
        net, X, y = narrow(dtype)
        twin = in_rows(net)
        assert not twin.plan(batch_size=16).lanes
        before = [W.copy() for W in net.weights]
        net.fit(X[:64], y[:64], epochs=1, batch_size=None, optimizer="sgd", freeze=freeze)
        _, gradients = twin.gradients(X[:64], y[:64])
        rate = pymlp.SGD().learning_rate
        for layer, (W, dW) in enumerate(zip(net.weights, gradients.weights, strict=True)):
            wanted = before[layer] - (0 if layer in freeze else rate * dW)
            assert_close(W, wanted, "training", scale=largest(before[layer]))


def test_rows_without_weight_have_no_part(dtype: str) -> None:
    net, X, y = narrow(dtype)
    for m in (16, 17, 40):
        w = np.ones(m, dtype)
        w[[0, m - 1]] = 0.0
        clean = net.gradients(X[:m], y[:m], sample_weight=w)
        spoilt = X[:m].copy()
        spoilt[[0, m - 1]] = 1e30
        J, gradients = net.gradients(spoilt, y[:m], sample_weight=w)
        assert clean[0] == J
        assert gradients.flat.tobytes() == clean[1].flat.tobytes()


def test_gradients_by_z_are_those_of_rows(dtype: str, assert_close: AssertClose) -> None:
    net, X, y = narrow(dtype)
    _, found = net.gradients(X[:300], y[:300], dz=True)
    _, wanted = in_rows(net).gradients(X[:300], y[:300], dz=True)
    for dz, expected in zip(found.dz[1:], wanted.dz[1:], strict=True):
        assert_close(dz, expected, "gradients", scale=largest(expected))


def test_a_users_loss_and_a_built_in_one_take_turns(dtype: str, assert_close: AssertClose) -> None:
    net, X, _ = narrow(dtype)
    twin = net.copy()
    Y = np.full((40, 3), 0.25, dtype)
    rules = [pymlp.SGD(learning_rate=0.1) for _ in range(2)]
    for loss in ("mse", Loss(squared), "mse", Loss(squared)):
        net.train_batch(X[:40], Y, loss=loss, optimizer=rules[0])
        twin.train_batch(X[:40], Y, loss="mse", optimizer=rules[1])
        assert_close(net.parameters, twin.parameters, "training", scale=largest(twin.parameters))
