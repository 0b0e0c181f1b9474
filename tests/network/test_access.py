"""Who reads and writes a network's parameters, and when: the rules of docs/threads.md."""

import pickle
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import FloatArray, Rng

import pymlp
from pymlp import Activation, History, Network, _core
from pymlp.losses import Loss

SECONDS = 30.0  # after which something hangs


@contextmanager
def in_threads(*works: Callable[[], object]) -> Iterator[None]:
    """Call each work again and again in a thread of its own until the block is left."""
    enough = threading.Event()

    def repeat(work: Callable[[], object]) -> None:
        while not enough.is_set():
            work()

    with ThreadPoolExecutor(len(works)) as pool:
        running = [pool.submit(repeat, work) for work in works]
        try:
            yield
        finally:
            enough.set()
        for one in running:
            one.result(SECONDS)


@pytest.fixture
def net() -> Network:
    return Network([64, 256, 256, 1], hidden="tanh", seed=0)


@pytest.fixture
def samples(rng: Rng) -> tuple[FloatArray, FloatArray]:
    return rng.normal(size=(640, 64)).astype(np.float32), rng.normal(size=640)


# ---- fairness ------------------------------------------------------------------------------------
@pytest.mark.parametrize("rows", [1, 640])
def test_predictions_do_not_keep_a_training_from_ending(
    net: Network, samples: tuple[FloatArray, FloatArray], rows: int
) -> None:
    X, y = samples
    with in_threads(*[lambda: net.predict(X[:rows], threads=1)] * 3):
        started = time.perf_counter()
        history = net.fit(X, y, epochs=10**9, batch_size=64, max_seconds=0.5)
        assert time.perf_counter() - started < 5.0
    assert history.stopped_by == "max_seconds"
    assert len(history.loss) > 1


def test_a_training_does_not_keep_predictions_waiting(
    net: Network, samples: tuple[FloatArray, FloatArray]
) -> None:
    X, y = samples
    waits = []
    with in_threads(lambda: net.fit(X, y, epochs=20, batch_size=None)):
        for _ in range(300):
            started = time.perf_counter()
            net.predict(X[0])
            waits.append(time.perf_counter() - started)
    assert np.median(waits) < 0.01


# ---- what a copy sees ----------------------------------------------------------------------------
def by_pickle(net: Network, folder: Path) -> Network:
    result: Network = pickle.loads(pickle.dumps(net))
    return result


def by_file(net: Network, folder: Path) -> Network:
    net.save(folder / "net.safetensors")
    return pymlp.load(folder / "net.safetensors")


def by_copy(net: Network, folder: Path) -> Network:
    return net.copy()


@pytest.mark.parametrize("keep", [by_copy, by_pickle, by_file])
def test_a_copy_during_a_training_is_of_one_whole_step(
    keep: Callable[[Network, Path], Network], tmp_path: Path
) -> None:
    # Both weights have the same gradient: after whole steps they are equal.
    net = Network([1, 4000, 1], init=pymlp.initializers.Constant(0.01), bias=False, dtype="float64")
    X, y = np.ones((64, 1)), np.ones(64)
    different = 0
    with in_threads(lambda: net.fit(X, y, epochs=50, batch_size=16, optimizer="adam")):
        for _ in range(100):
            weights = keep(net, tmp_path).parameters
            different += bool(np.ptp(weights) > 1e-9)
    assert net.parameters[0] != 0.01
    assert different == 0


def test_a_copy_of_an_optimiser_during_a_training_is_of_one_whole_step(
    net: Network, samples: tuple[FloatArray, FloatArray]
) -> None:
    # v of a constant gradient of 1 is 1 - beta2^steps.
    constant = Network([1, 4000], init="zeros", bias=False, dtype="float64")
    optimizer = pymlp.Adam(beta1=0.5, beta2=0.5, learning_rate=1e-9)

    def slope(a: FloatArray, y: Any) -> tuple[FloatArray, FloatArray]:
        return a.sum(axis=1), np.ones_like(a)

    def step() -> object:
        return constant.fit([[1.0]], np.zeros((1, 4000)), loss=Loss(slope), optimizer=optimizer)

    step()
    with in_threads(step):
        for _ in range(100):
            state = pickle.loads(pickle.dumps(optimizer)).__getstate__()
            assert np.ptp(state["state"][:4000]) == 0.0
            assert np.ptp(state["state"][4000:]) == 0.0


def test_gradients_are_checked_at_one_place_during_a_training(rng: Rng) -> None:
    net = Network([3, 6, 1], hidden="tanh", dtype="float64", seed=0)
    X, y = rng.normal(size=(64, 3)), rng.normal(size=64)
    with in_threads(lambda: net.fit(X, y, epochs=50, learning_rate=1e-3)):
        assert all(net.check_gradients(X, y) < 1e-5 for _ in range(10))
        for _ in range(10):
            assert np.isfinite(pymlp.diagnose(net, X, y).loss)


def test_long_predictions_during_a_training_are_of_one_whole_step(
    net: Network, samples: tuple[FloatArray, FloatArray]
) -> None:
    X, y = samples
    same = np.repeat(X[:1], 600, axis=0)
    tolerance = 0.0 if pymlp.get_arithmetic() == "exact" else 1e-5
    with in_threads(lambda: net.fit(X, y, epochs=20, batch_size=64)):
        for _ in range(100):
            Y = net.predict(same, threads=2)
            assert np.ptp(Y) <= tolerance


# ---- user functions ------------------------------------------------------------------------------
def test_networks_whose_functions_predict_with_each_other_do_not_block(rng: Rng) -> None:
    X, y = rng.normal(size=(64, 3)), rng.normal(size=(64, 1))
    nets = [Network([3, 8, 1], seed=seed) for seed in range(2)]

    def loss(other: Network) -> Loss:
        def function(a: FloatArray, y: Any) -> tuple[FloatArray, FloatArray]:
            other.predict(X)
            return ((a - y) ** 2).sum(axis=1), 2 * (a - y)

        return Loss(function)

    with ThreadPoolExecutor(2) as pool:
        running = [
            pool.submit(nets[i].fit, X, y, epochs=300, loss=loss(nets[1 - i])) for i in range(2)
        ]
        assert [one.result(SECONDS).stopped_by for one in running] == ["epochs", "epochs"]


def test_activations_that_predict_with_each_others_network_do_not_block(rng: Rng) -> None:
    X, y = rng.normal(size=(64, 3)), rng.normal(size=(64, 1))
    nets: list[Network] = []

    def activation(own: int) -> Activation:
        def forward(z: FloatArray) -> FloatArray:
            if depth.value < 2 and len(nets) == 2:
                depth.value += 1
                nets[1 - own].predict(X[:2])
                depth.value -= 1
            return np.asarray(np.tanh(z))

        return Activation(forward=forward, derivative=lambda z: 1 - np.tanh(z) ** 2)

    class Depth(threading.local):
        value = 0

    depth = Depth()
    nets += [Network([3, 4, 1], hidden=activation(i), seed=i) for i in range(2)]
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(net.fit, X, y, epochs=100) for net in nets]
        reading = [pool.submit(lambda n=net: [n.predict(X) for _ in range(200)]) for net in nets]
        for one in [*running, *reading]:
            one.result(SECONDS)


def test_functions_of_a_read_may_train(rng: Rng) -> None:
    X, y = rng.normal(size=(64, 3)), rng.normal(size=(64, 1))
    nets = [Network([3, 8, 1], seed=seed) for seed in range(2)]
    both = threading.Barrier(2)

    def loss(other: Network) -> Loss:
        def function(a: FloatArray, y: Any) -> tuple[FloatArray, FloatArray]:
            both.wait(SECONDS)  # both networks are being read
            with ThreadPoolExecutor(1) as pool:
                pool.submit(other.fit, X, y, epochs=2).result(SECONDS)
            return ((a - y) ** 2).sum(axis=1), 2 * (a - y)

        return Loss(function)

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(nets[i].loss, X, y, loss=loss(nets[1 - i])) for i in range(2)]
        assert all(np.isfinite(one.result(SECONDS)) for one in running)


def test_ending_a_training_from_inside_is_refused(rng: Rng) -> None:
    X, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 1))
    net = Network([3, 4, 1], seed=0)

    def function(a: FloatArray, y: Any) -> tuple[FloatArray, FloatArray]:
        _core.Training(net._core).__exit__(None, None, None)
        return ((a - y) ** 2).sum(axis=1), 2 * (a - y)

    for step in (net.fit, lambda *a, **o: net.train_batch(*a, optimizer=pymlp.Adam(), **o)):
        with pytest.raises(RuntimeError, match="does not train"):
            step(X, y, loss=Loss(function))
    net.fit(X, y, epochs=1)


def test_a_training_that_is_dropped_is_ended() -> None:
    core = Network([3, 1])._core
    training = _core.Training(core)
    training.__enter__()
    with pytest.raises(RuntimeError, match="has begun already"):
        training.__enter__()
    del training
    with _core.Training(core):
        pass


# ---- what changes in the middle ------------------------------------------------------------------
@pytest.mark.parametrize("classes", [3, 40])
def test_labels_changed_in_a_callback_do_not_lead_outside_the_outputs(
    classes: int, rng: Rng
) -> None:
    X = rng.normal(size=(200, 4))
    y = rng.integers(0, classes, 200).astype(np.int32)
    net, twin = (Network([4, classes], output="softmax", seed=0) for _ in range(2))

    def spoil(network: Network, history: History) -> None:
        y[:] = 10**9

    expected = twin.fit(X, y.copy(), epochs=3, seed=1)
    history = net.fit(X, y, epochs=3, seed=1, callbacks=[spoil])
    assert history.loss == expected.loss
    assert (net.parameters == twin.parameters).all()


def test_parameters_that_a_callback_writes_are_those_of_the_next_step(rng: Rng) -> None:
    X, y = rng.normal(size=(64, 3)), rng.normal(size=64)
    net = Network([3, 8, 1], seed=0)

    def reset(network: Network, history: History) -> None:
        network.parameters = 0.0 * network.parameters

    net.fit(X, y, epochs=2, callbacks=[reset], optimizer="sgd")
    assert not net.parameters.any()


def test_best_parameters_are_written_between_predictions(rng: Rng) -> None:
    # Restoring writes all parameters at once: no prediction is of a mixture of two.
    X, y = np.ones((64, 1)), np.ones(64)
    net = Network([1, 4000, 1], init=pymlp.initializers.Constant(0.01), bias=False, dtype="float64")
    different = []

    def look() -> None:
        different.append(bool(np.ptp(net.copy().parameters) > 1e-9))

    with in_threads(look):
        for seed in range(20):
            net.fit(X, y, epochs=5, early_stopping=2, seed=seed)
    assert not any(different)


def test_one_training_at_a_time_whoever_asks_the_core() -> None:
    core = Network([3, 1])._core
    training = _core.Training(core)
    with training:
        with pytest.raises(RuntimeError, match="being trained already"), _core.Training(core):
            pass
        with ThreadPoolExecutor(1) as pool, pytest.raises(RuntimeError, match="does not train"):
            pool.submit(training.__exit__, None, None, None).result()
        core.write(core.snapshot())
    with pytest.raises(RuntimeError, match="does not train"):
        training.__exit__(None, None, None)
    with pytest.raises(RuntimeError, match="does not train"):
        core.write(core.snapshot())
