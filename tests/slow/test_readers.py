"""Eight threads predict for a minute while one trains: what they see, and how long each waits."""

import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pymlp import History, Network

SECONDS = 60.0
READERS = 8
# A wait is that of whoever is at work, and of a scheduler that has nine threads on two processors:
# who is shut out waits for as long as the others go on.
LONGEST = 3.0


def digest(Y: np.ndarray) -> bytes:
    return hashlib.blake2b(Y.tobytes(), digest_size=8).digest()


class Reader:
    """What a thread saw, and how long it waited at most."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self.count = 0
        self.longest = 0.0

    def read(self, net: Network, X: np.ndarray, ended: threading.Event) -> None:
        while not ended.is_set():
            started = time.perf_counter()
            Y = net.predict(X)
            self.longest = max(self.longest, time.perf_counter() - started)
            self.count += 1
            self.seen.add(digest(Y))


def steps_of(net: Network, X: np.ndarray, y: np.ndarray, few: np.ndarray, steps: int) -> set[bytes]:
    """Return what predictions are before and after each step of a training that nobody watches."""
    seen = {digest(net.predict(few))}
    look = [lambda net, history: seen.add(digest(net.predict(few)))]
    net.fit(X, y, epochs=steps, batch_size=None, learning_rate=1e-4, callbacks=look)
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("rows", [5, 200])
def test_predictions_of_a_minute_are_of_whole_steps_and_nobody_is_shut_out(rows: int) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(600, 64)).astype(np.float32), rng.integers(0, 10, 600)
    net = Network([64, 128, 10], hidden="tanh", output="softmax", seed=0)
    twin, readers, ended = net.copy(), [Reader() for _ in range(READERS)], threading.Event()
    gaps, last = [0.0], [time.perf_counter()]

    def note(network: Network, history: History) -> None:
        now = time.perf_counter()
        gaps[0], last[0] = max(gaps[0], now - last[0]), now

    with ThreadPoolExecutor(READERS) as pool:
        running = [pool.submit(reader.read, net, X[:rows], ended) for reader in readers]
        try:
            history = net.fit(
                X,
                y,
                epochs=10**9,
                batch_size=None,
                learning_rate=1e-4,
                max_seconds=SECONDS,
                callbacks=[note],
            )
        finally:
            ended.set()
        for one in running:
            one.result()
    counts = [reader.count for reader in readers]
    print(f"{rows} rows: {len(history.loss)} steps, longest between two {gaps[0]:.3f} s; "
          f"predictions {min(counts)} to {max(counts)}, longest "
          f"{max(reader.longest for reader in readers):.3f} s")  # fmt: skip
    assert max(gaps[0], *(reader.longest for reader in readers)) < LONGEST
    assert min(counts) > max(counts) / 10  # the system and the GIL deal out turns, too
    assert len(history.loss) > 100
    steps = steps_of(twin, X, y, X[:rows], len(history.loss))
    assert all(reader.seen <= steps for reader in readers)
    assert all(len(reader.seen) > 100 for reader in readers)
