"""A thousand small networks: a stack beside a loop over `Network.fit`, and beside other libraries.

``python -m benchmarks.stack``. Each network is 8-32-32-1, learns 200 rows of its own for 50 epochs
with Adam in batches of 32. Other libraries train one network after the other, the usual way and
whatever they compile compiled before: what is measured is 50 epochs of one network, each library in
a process of its own on one and on all threads, of which the better counts. All take turns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import environment, peers, tables
from benchmarks.cells import Cell
from benchmarks.worker import Worker, WorkerError

CELL = Cell((8, 32, 32, 1), 200, 32, output="linear")
EPOCHS = 50
LIBRARIES = ("NumPy", "scikit-learn", "PyTorch", "PyTorch compiled", "JAX")
STACK, SHARED, LOOP = "pymlp, a stack", "the same, all on one X", "pymlp, a loop"


def ours(count: int) -> dict[str, Callable[[], float]]:
    """Return functions that train so many new networks and return the seconds."""
    import numpy as np

    import pymlp

    rng = np.random.default_rng(0)
    X = rng.standard_normal((count, CELL.rows, CELL.widths[0]), np.float32)
    y = rng.standard_normal((count, CELL.rows), np.float32)
    options: dict[str, Any] = {"epochs": EPOCHS, "batch_size": CELL.batch_size}

    def timed(fit: Callable[[Any], Any]) -> Callable[[], float]:
        def run() -> float:
            networks = [pymlp.Network(CELL.widths, seed=i) for i in range(count)]
            start = time.perf_counter()
            fit(networks)
            return time.perf_counter() - start

        return run

    def loop(networks: Any) -> None:
        for i, network in enumerate(networks):
            network.fit(X[i], y[i], **options)

    return {
        STACK: timed(lambda networks: pymlp.NetworkStack(networks).fit(X, y, **options)),
        SHARED: timed(lambda networks: pymlp.NetworkStack(networks).fit(X[0], y, **options)),
        LOOP: timed(loop),
    }


def workers(names: Sequence[str]) -> list[Worker]:
    """Return the processes of other libraries that can train such a network."""
    numbers = sorted({1, environment.cores()})
    found = []
    for worker in [Worker(name, n) for name in names for n in numbers]:
        try:
            worker.prepare(CELL)
            if worker.end():
                found.append(worker)
        except WorkerError as failure:
            print(f"{worker.library} is left out: {failure}", file=sys.stderr)
            worker.stop()
    return found


def measure(count: int, rounds: int, names: Sequence[str]) -> dict[str, list[float]]:
    """Return the seconds a network of every round, by what trained it."""
    own, others = ours(count), workers(names)
    found: dict[str, list[float]] = {}
    try:
        for _ in range(rounds):
            for name, run in own.items():
                found.setdefault(name, []).append(run() / count)
            for worker in others:
                name = f"{worker.library} ({worker.threads})"
                found.setdefault(name, []).append(worker.run(EPOCHS))
    finally:
        for worker in others:
            worker.stop()
    return found


def rows_of(found: dict[str, list[float]]) -> list[list[str]]:
    """Return a table: milliseconds a network, and how many times the stack's."""
    medians = {name: statistics.median(seconds) for name, seconds in found.items()}
    title = ["what trains them", "ms a network", "of a stack's"]
    return [
        title,
        *(
            [name, f"{1e3 * seconds:.3f}", f"{seconds / medians[STACK]:.2f}"]
            for name, seconds in medians.items()
        ),
    ]


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, and print a line for each way to train the networks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stack", description=__doc__)
    parser.add_argument("--networks", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--libraries", default=",".join(LIBRARIES), help="some of %(default)s")
    parser.add_argument("--json", type=Path, help="keep the seconds in this file")
    options = parser.parse_args(argv)
    environment.without_foreign_settings("benchmarks.stack")
    names = [name for name in options.libraries.split(",") if name in peers.MODULES]
    found = measure(options.networks, options.rounds, names)
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(tables.text(rows_of(found)))


if __name__ == "__main__":
    main()
