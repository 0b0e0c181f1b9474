"""Several threads, and processes forked after use, work on networks at the same time."""

import multiprocessing
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import FloatArray, Rng, random_inputs, random_labels, random_network

import pymlp
from pymlp import History, Network

SECONDS = 30.0  # after which something hangs

# Wide enough for a batch to be shared among threads.
WIDTHS = [64, 128, 10]


@pytest.fixture
def net(rng: Rng) -> Network:
    return random_network(rng, WIDTHS, hidden="tanh", output="softmax")


@pytest.fixture
def samples(net: Network, rng: Rng) -> tuple[FloatArray, FloatArray]:
    return random_inputs(rng, 600, net), random_labels(rng, 600, 10)


@contextmanager
def training(net: Network, X: FloatArray, y: FloatArray, **options: Any) -> Iterator[History]:
    """Train in another thread until the block is left, from its first epoch on."""
    started, enough = threading.Event(), threading.Event()

    def look(network: Network, history: History) -> bool:
        started.set()
        return enough.is_set()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(net.fit, X, y, epochs=10**9, callbacks=[look], **options)
        try:
            assert started.wait(SECONDS)
            assert net.history is not None
            yield net.history
        finally:
            enough.set()
        assert running.result(SECONDS).stopped_by == "callback"


# ---- threads -------------------------------------------------------------------------------------
def test_concurrent_predictions_are_the_same_bits(
    net: Network, samples: tuple[FloatArray, FloatArray]
) -> None:
    X, _ = samples
    alone = net.predict(X).tobytes()
    with ThreadPoolExecutor(8) as pool:
        results = pool.map(lambda i: net.predict(X, threads=1 + i % 4).tobytes(), range(200))
        assert set(results) == {alone}


def test_networks_are_trained_side_by_side(
    net: Network, samples: tuple[FloatArray, FloatArray]
) -> None:
    def train(seed: int) -> bytes:
        twin = net.copy()
        twin.fit(*samples, epochs=3, batch_size=200, seed=seed)
        return twin.parameters.tobytes()

    alone = [train(seed) for seed in range(6)]
    assert len(set(alone)) == 6
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(train, range(6))) == alone


@pytest.mark.parametrize("with_callbacks", [True, False])
def test_prediction_during_training_is_that_of_a_whole_step(
    with_callbacks: bool, net: Network, samples: tuple[FloatArray, FloatArray]
) -> None:
    X, y = samples
    options: dict[str, Any] = {"epochs": 300, "batch_size": None, "learning_rate": 1e-3}
    steps = {net.predict(X[:5]).tobytes()}
    net.copy().fit(X, y, callbacks=[lambda n, h: steps.add(n.predict(X[:5]).tobytes())], **options)
    assert len(steps) == 301
    callbacks = [lambda n, h: None] if with_callbacks else []
    seen = set()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(net.fit, X, y, callbacks=callbacks, **options)
        while not running.done():
            seen.add(net.predict(X[:5]).tobytes())
        assert running.result().stopped_by == "epochs"
    assert seen <= steps
    assert len(seen) > 1, "no prediction was made while parameters changed"


def test_second_training_is_refused_while_one_is_going_on(
    net: Network, samples: tuple[FloatArray, FloatArray]
) -> None:
    with training(net, *samples) as record:
        with pytest.raises(RuntimeError, match="is being trained already"):
            net.fit(*samples, epochs=1)
        with pytest.raises(RuntimeError, match="is being trained already"):
            net.train_batch(*samples, optimizer=pymlp.Adam())
        assert net.history is record
    assert net.fit(*samples, epochs=1).stopped_by == "epochs"


def test_training_in_a_callback_is_refused(
    net: Network, samples: tuple[FloatArray, FloatArray]
) -> None:
    with pytest.raises(RuntimeError, match="is being trained already"):
        net.fit(*samples, callbacks=[lambda n, h: n.fit(*samples)])


def test_one_optimiser_does_not_serve_two_trainings(
    net: Network, samples: tuple[FloatArray, FloatArray]
) -> None:
    optimizer = pymlp.Adam()
    net.fit(*samples, epochs=1, optimizer=optimizer)
    with pytest.raises(ValueError, match="another network"):
        net.copy().fit(*samples, epochs=1, optimizer=optimizer)


# ---- processes -----------------------------------------------------------------------------------
def in_a_fork(work: Callable[[], bool]) -> None:
    """Fork, and demand that `work` gives True there before it is taken to hang."""
    child = multiprocessing.get_context("fork").Process(target=lambda: sys.exit(not work()))
    child.start()
    child.join(SECONDS)
    hangs = child.is_alive()
    if hangs:
        child.kill()
        child.join()
    assert not hangs
    assert child.exitcode == 0


def test_threads_that_save_to_one_path_leave_a_whole_file(tmp_path: Path) -> None:
    nets = [pymlp.Network([40, 50, 3], seed=seed) for seed in range(3)]
    path = tmp_path / "one.safetensors"
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda i: nets[i % 3].save(path), range(60)))
    assert any(np.array_equal(pymlp.load(path).parameters, net.parameters) for net in nets)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


# Python 3.12 warns of any fork with threads about, which is what is tested here.
forks = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@forks
def test_fork_after_use_works(net: Network, samples: tuple[FloatArray, FloatArray]) -> None:
    X, y = samples

    def trained() -> bytes:
        twin = net.copy()
        twin.fit(X, y, epochs=2, batch_size=200, seed=1, threads=4)
        return twin.predict(X, threads=4).tobytes()

    expected = trained()
    for _ in range(3):
        in_a_fork(lambda: trained() == expected)
    assert trained() == expected


@forks
def test_fork_during_a_training_works(net: Network, samples: tuple[FloatArray, FloatArray]) -> None:
    X, _ = samples
    other = net.copy()
    expected = other.predict(X, threads=4).tobytes()
    with training(net, *samples, batch_size=200, threads=4):
        for _ in range(3):
            in_a_fork(lambda: other.predict(X, threads=4).tobytes() == expected)
