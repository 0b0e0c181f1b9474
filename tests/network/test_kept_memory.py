"""Calls use the memory of the call before again: nobody sees more of that than its speed."""

import itertools
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from cases import FloatArray, Rng

import pymlp
from pymlp import Network
from pymlp.losses import Loss

SECONDS = 30.0  # after which something hangs


@pytest.fixture
def net() -> Network:
    return Network([17, 64, 64, 6], hidden="tanh", output="softmax", dropout=0.2, seed=0)


@pytest.fixture
def samples(rng: Rng) -> tuple[FloatArray, Any]:
    return rng.normal(size=(300, 17)).astype(np.float32), rng.integers(0, 6, 300)


def results(net: Network, X: FloatArray, y: Any, **options: Any) -> list[bytes]:
    """Return the bits of everything that has kept memory, of samples in one call."""
    J = net.loss(X, y, **options)
    same, grads = net.gradients(X, y, **options)
    assert same == J
    dY = np.ones((len(X), net.widths[-1]), net.dtype)
    pulled, dX = net.vjp(X, dY, threads=options.get("threads"))
    return [np.float64(J).tobytes(), grads.flat.tobytes(), pulled.flat.tobytes(), dX.tobytes()]


def test_calls_one_after_the_other_are_those_of_new_networks(
    net: Network, samples: tuple[FloatArray, Any]
) -> None:
    X, y = samples
    rows = [64, 64, 300, 40, 1, 64, 300]
    for (m, threads), training in itertools.product(
        zip(rows, [1, 2, 1, 2, 1, 2, 1], strict=True), [False, True]
    ):
        options = {"threads": threads, "training": training}
        expected = results(net.copy(), X[:m], y[:m], **options)
        assert results(net, X[:m], y[:m], **options) == expected


@pytest.mark.parametrize("loss", ["mse", "mae", pymlp.losses.CrossEntropy(label_smoothing=0.1)])
def test_a_call_with_another_loss_is_that_of_a_new_network(
    loss: Any, net: Network, samples: tuple[FloatArray, Any], rng: Rng
) -> None:
    X, y = samples[0], rng.dirichlet(np.ones(6), 300)
    before = results(net, X, y)
    assert results(net, X, y, loss=loss) == results(net.copy(), X, y, loss=loss)
    assert results(net, X, y) == before


def writes(net: Network) -> list[Callable[[], object]]:
    def whole() -> None:
        net.parameters = 0.5 * net.parameters

    return [
        lambda: net.weights[0].__setitem__((3, 5), 2.0),
        lambda: net.layers[1].weights.__imul__(0.9),
        lambda: net.biases[2].__iadd__(0.25),
        whole,
    ]


def test_what_is_written_through_views_between_calls_counts(
    net: Network, samples: tuple[FloatArray, Any]
) -> None:
    X, y = samples
    optimizer, seen = pymlp.SGD(0.1), set()
    for write in writes(net):
        write()
        bits = results(net, X, y)
        assert bits == results(net.copy(), X, y)
        twin = net.copy()
        assert net.train_batch(X, y, optimizer=optimizer) == twin.train_batch(
            X, y, optimizer=pymlp.SGD(0.1)
        )
        assert (net.parameters == twin.parameters).all()
        seen.add(tuple(bits))
    assert len(seen) == 4


def test_threads_that_call_one_network_at_once_all_get_their_own(
    net: Network, samples: tuple[FloatArray, Any]
) -> None:
    X, y = samples
    parts = [slice(0, 64), slice(64, 128), slice(0, 300), slice(100, 150)]
    expected = [results(net.copy(), X[p], y[p]) for p in parts]
    start = threading.Barrier(len(parts))

    def calls(part: slice) -> list[list[bytes]]:
        start.wait(SECONDS)
        return [results(net, X[part], y[part]) for _ in range(100)]

    with ThreadPoolExecutor(len(parts)) as pool:
        for found, right in zip(pool.map(calls, parts), expected, strict=True):
            assert all(bits == right for bits in found)


def test_a_loss_that_calls_the_network_it_belongs_to_gets_its_own(rng: Rng) -> None:
    X, y = rng.normal(size=(32, 3)), rng.normal(size=(32, 2))
    net = Network([3, 8, 2], dtype="float64", seed=0)
    inside = []

    def squares(a: FloatArray, y: Any) -> tuple[FloatArray, FloatArray]:
        inside.append(net.gradients(X, y, loss="mse")[1].flat)
        return ((a - y) ** 2).mean(axis=1), a - y

    expected = net.gradients(X, y, loss="mse")[1].flat
    for _ in range(3):
        assert np.allclose(net.gradients(X, y, loss=Loss(squares))[1].flat, expected, rtol=1e-12)
    assert all((found == expected).all() for found in inside)


def test_a_loss_that_raised_is_not_called_again(rng: Rng) -> None:
    X, y = rng.normal(size=(32, 3)), rng.normal(size=(32, 2))
    net = Network([3, 8, 2], seed=0)

    def faulty(a: FloatArray, y: Any) -> tuple[FloatArray, FloatArray]:
        raise KeyError("faulty")

    expected = net.gradients(X, y)[1].flat
    with pytest.raises(KeyError, match="faulty"):
        net.gradients(X, y, loss=Loss(faulty))
    assert (net.gradients(X, y)[1].flat == expected).all()


def test_memory_is_released_on_request_and_not_during_a_training(
    net: Network, samples: tuple[FloatArray, Any]
) -> None:
    X, y = samples
    before, optimizer = results(net, X, y), pymlp.Adam()
    net.release_memory()
    assert results(net, X, y) == before
    twin = net.copy()
    for one in (net, twin):
        state = optimizer.fresh()
        for _ in range(3):
            one.train_batch(X, y, optimizer=state)
            twin.release_memory()
    assert (net.parameters == twin.parameters).all()
    refused = []

    def release(network: Network, history: Any) -> None:
        with pytest.raises(RuntimeError, match="being trained"):
            network.release_memory()
        refused.append(True)

    net.fit(X, y, epochs=1, callbacks=[release])
    assert refused == [True]


def test_copies_and_pickles_carry_no_kept_memory(
    net: Network, samples: tuple[FloatArray, Any]
) -> None:
    small = len(pickle.dumps(net))
    bits = results(net, *samples)
    net.train_batch(*samples, optimizer=pymlp.Adam())
    assert len(pickle.dumps(net)) == small
    twin = pickle.loads(pickle.dumps(net))
    assert results(twin, *samples) == results(net, *samples) != bits


def test_views_of_gradients_are_made_once_and_belong_to_flat(
    net: Network, samples: tuple[FloatArray, Any]
) -> None:
    _, grads = net.gradients(*samples)
    assert grads.weights is grads.weights
    grads.weights[1][2, 3] = 7.0
    assert 7.0 in grads.flat
    assert (pickle.loads(pickle.dumps(grads)).weights[1] == grads.weights[1]).all()
    with pytest.raises(AttributeError, match="weights"):
        grads.weights = grads.biases  # type: ignore[misc]
