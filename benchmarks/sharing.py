"""Predictions and a training that share a network: how long each waits for the other.

    python -m benchmarks.sharing

Trains 64-256-256-1 with batches of 64, alone and while 1, 3 and 8 threads predict in a loop. Prints
steps a second of the training, the waits for a prediction, and predictions a second.
"""

from __future__ import annotations

import argparse
import threading
import time

import numpy as np

import pymlp


def share(readers: int, rows: int, seconds: float) -> str:
    """Train while so many threads predict so many rows each; return a line of figures."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(6400, 64)).astype(np.float32)
    y = rng.normal(size=6400).astype(np.float32)
    net = pymlp.Network([64, 256, 256, 1], seed=0)
    ended = threading.Event()
    waits: list[list[float]] = [[] for _ in range(readers)]

    def predict(own: list[float]) -> None:
        while not ended.is_set():
            started = time.perf_counter()
            net.predict(X[:rows], threads=1)
            own.append(time.perf_counter() - started)

    threads = [threading.Thread(target=predict, args=(own,)) for own in waits]
    for thread in threads:
        thread.start()
    history = net.fit(X, y, epochs=10**9, batch_size=64, max_seconds=seconds)
    ended.set()
    for thread in threads:
        thread.join()
    steps = len(history.loss) * 100 / history.seconds
    line = f"{rows:5} rows {readers} threads {steps:7.0f} steps/s"
    if not readers:
        return line
    all_waits = 1e3 * np.concatenate(waits)
    median, most = np.quantile(all_waits, [0.5, 0.99])
    return (
        f"{line}; waits, ms: median {median:.3f}, 99 % {most:.2f}, worst {all_waits.max():.1f}; "
        f"{len(all_waits) / history.seconds:.0f} predictions/s"
    )


def main() -> None:
    """Print a line for each number of rows and threads."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="of each training")
    seconds = parser.parse_args().seconds
    for rows in (1, 256, 6400):
        for readers in (0, 1, 3, 8):
            print(share(readers, rows, seconds), flush=True)


if __name__ == "__main__":
    main()
