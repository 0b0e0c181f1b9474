"""``pymlp bench``: how fast this installation is on this machine, in a few typical networks."""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import pymlp

_MANY_ROWS = 8_192


class _Task(NamedTuple):
    """A network, and how it is trained."""

    widths: tuple[int, ...]
    batch_size: int
    hidden: str = "relu"
    dtype: str = "float32"

    @property
    def rows(self) -> int:
        """Enough for an epoch to have some steps."""
        return max(16 * self.batch_size, 1_024)

    @property
    def products(self) -> list[int]:
        """Multiplications for one row, layer by layer."""
        return [a * b for a, b in itertools.pairwise(self.widths)]


_TASKS = (
    _Task((4, 16, 3), 32, "tanh"),
    _Task((17, 64, 64, 6), 64, "tanh"),
    _Task((20, 50, 50, 1), 64, "tanh", "float64"),
    _Task((784, 100, 10), 200),
    _Task((54, 256, 256, 256, 7), 256),
    _Task((512, 1024, 1024, 10), 256),
)
_TITLES = (
    "network, batch, dtype",
    "us a step",
    "samples/s",
    "GFLOP/s",
    "predict 1 row, us",
    f"predict {_MANY_ROWS:,}, rows/s",
)


def bench(arguments: argparse.Namespace) -> None:
    """Run ``pymlp bench``."""
    print(pymlp.show_config(), end="\n\n")
    share = arguments.seconds / len(_TASKS)
    rows = [_measured(task, share, arguments.threads) for task in _TASKS]
    _print_table([_TITLES, *rows])
    print("\nA step: shuffle, gather, forward, squared error, backward, Adam.")


def _measured(task: _Task, seconds: float, threads: int | None) -> list[str]:
    network = pymlp.Network(task.widths, hidden=task.hidden, dtype=task.dtype, seed=0)
    rng = np.random.default_rng(0)
    X = rng.standard_normal((max(task.rows, _MANY_ROWS), task.widths[0])).astype(task.dtype)
    step = _seconds_of_a_step(network, task, X[: task.rows], seconds / 2, threads)
    operations = 2 * task.batch_size * (3 * sum(task.products) - task.products[0])
    return [
        f"{'-'.join(map(str, task.widths))}, {task.batch_size}, {task.dtype}",
        f"{step * 1e6:,.1f}",
        f"{task.batch_size / step:,.0f}",
        f"{operations / step / 1e9:,.1f}",
        f"{_seconds_of_predict(network, X[:1], seconds / 4, threads) * 1e6:,.2f}",
        f"{_MANY_ROWS / _seconds_of_predict(network, X[:_MANY_ROWS], seconds / 4, threads):,.0f}",
    ]


def _seconds_of_a_step(
    network: pymlp.Network, task: _Task, X: Any, seconds: float, threads: int | None
) -> float:
    y = np.random.default_rng(1).standard_normal((len(X), task.widths[-1])).astype(task.dtype)
    optimizer = pymlp.Adam()

    def fit(epochs: int) -> None:
        network.fit(
            X,
            y,
            epochs=epochs,
            batch_size=task.batch_size,
            optimizer=optimizer,
            threads=threads,
        )

    return _least(fit, seconds) / -(-len(X) // task.batch_size)


def _seconds_of_predict(
    network: pymlp.Network, X: Any, seconds: float, threads: int | None
) -> float:
    out = np.empty((len(X), network.widths[-1]), network.dtype)

    def predict(times: int) -> None:
        for _ in range(times):
            network.predict(X, out=out, threads=threads)

    return _least(predict, seconds)


def _least(run: Callable[[int], None], seconds: float) -> float:
    """Return the least time of one repeat, of five turns that take so many seconds together."""

    def timed(repeats: int) -> float:
        start = time.perf_counter()
        run(repeats)
        return (time.perf_counter() - start) / repeats

    run(1)
    repeats = max(1, int(seconds / 6 / timed(1)))
    return min(timed(repeats) for _ in range(5))


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, *others = (
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join([first, *others]))
