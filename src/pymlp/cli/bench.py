"""``pymlp bench``: how fast this installation is on this machine, in a few typical networks."""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

import numpy as np

import pymlp
from pymlp._names import ArithmeticName

_MANY_ROWS = 8_192
_TURNS = 7
_CLEARLY = 1.05  # less may be chance


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

    def __str__(self) -> str:
        return "-".join(map(str, self.widths))

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
    share = arguments.seconds / len(_TASKS) / 2
    runs = [_runs(task, arguments.threads) for task in _TASKS]
    rows = [_measured(task, own, share) for task, own in zip(_TASKS, runs, strict=True)]
    _print_table([_TITLES, *rows])
    print("\nA step: shuffle, gather, forward, squared error, backward, Adam.\n")
    if pymlp.show_config()["blas_library"] == "none":
        print("This build has no BLAS to compare with.")
        return
    found = [_gains(task, own, share) for task, own in zip(_TASKS, runs, strict=True)]
    print(_in_words(list(itertools.chain.from_iterable(found))))


# How often something is done, and that is done so many times.
_Run = Callable[[int], None]


class _Runs(NamedTuple):
    """What is measured of a network."""

    fit: _Run  # so many epochs
    predict_one: _Run
    predict_many: _Run


def _runs(task: _Task, threads: int | None) -> _Runs:
    network = pymlp.Network(task.widths, hidden=task.hidden, dtype=task.dtype, seed=0)
    rng = np.random.default_rng(0)
    X = rng.standard_normal((max(task.rows, _MANY_ROWS), task.widths[0])).astype(task.dtype)
    y = rng.standard_normal((task.rows, task.widths[-1])).astype(task.dtype)
    optimizer = pymlp.Adam()

    def fit(epochs: int) -> None:
        network.fit(
            X[: task.rows],
            y,
            epochs=epochs,
            batch_size=task.batch_size,
            optimizer=optimizer,
            threads=threads,
        )

    def predict(rows: int) -> _Run:
        some, out = X[:rows], np.empty((rows, task.widths[-1]), network.dtype)

        def run(times: int) -> None:
            for _ in range(times):
                network.predict(some, out=out, threads=threads)

        return run

    return _Runs(fit, predict(1), predict(_MANY_ROWS))


def _measured(task: _Task, runs: _Runs, seconds: float) -> list[str]:
    step = _least(runs.fit, seconds / 2) / -(-task.rows // task.batch_size)
    operations = 2 * task.batch_size * (3 * sum(task.products) - task.products[0])
    return [
        f"{task}, {task.batch_size}, {task.dtype}",
        f"{step * 1e6:,.1f}",
        f"{task.batch_size / step:,.0f}",
        f"{operations / step / 1e9:,.1f}",
        f"{_least(runs.predict_one, seconds / 4) * 1e6:,.2f}",
        f"{_MANY_ROWS / _least(runs.predict_many, seconds / 4):,.0f}",
    ]


# ---- beside BLAS ---------------------------------------------------------------------------------


def _gains(task: _Task, runs: _Runs, seconds: float) -> list[tuple[float, str]]:
    """Return how many times faster BLAS is, and in what."""
    return [
        (_gain(run, seconds / 3), f"{task}, {task.dtype}, {what}")
        for run, what in zip(
            runs,
            (f"a step of {task.batch_size} rows", "predict of 1 row", f"predict of {_MANY_ROWS:,}"),
            strict=True,
        )
    ]


def _gain(run: _Run, seconds: float) -> float:
    """Return the time of the package's own products over that of BLAS: the median of turns."""
    repeats = max(1, int(seconds / (2 * _TURNS) / _timed(run, 1)))

    def timed(arithmetic: ArithmeticName) -> float:
        with pymlp.arithmetic(arithmetic):
            return _timed(run, repeats)

    return median(timed("exact") / timed("blas") for _ in range(_TURNS))


def _in_words(gains: Sequence[tuple[float, str]]) -> str:
    blas = pymlp.show_config()
    named = f"BLAS ({blas['blas_library']} {blas['blas_version']}, {blas['blas_kernels']} kernels)"
    clear = [(gain, what) for gain, what in sorted(gains, reverse=True) if gain >= _CLEARLY]
    least, most = min(gains)[0], max(gains)[0]
    if not clear:
        return (
            f"{named} is nowhere clearly faster than the package's own products: {least:.2f} to "
            f"{most:.2f} times as fast, the median {median(gain for gain, _ in gains):.2f}."
        )
    lines = [f"  {gain:.2f} times as fast: {what}" for gain, what in clear]
    head = f"{named} is faster than the package's own products; choose it by set_arithmetic:"
    return "\n".join([head, *lines, f"elsewhere {least:.2f} times as fast and more."])


# ---- time ----------------------------------------------------------------------------------------


def _timed(run: _Run, repeats: int) -> float:
    start = time.perf_counter()
    run(repeats)
    return (time.perf_counter() - start) / repeats


def _least(run: _Run, seconds: float) -> float:
    """Return the least time of one repeat, of five turns that take so many seconds together."""
    run(1)
    repeats = max(1, int(seconds / 6 / _timed(run, 1)))
    return min(_timed(run, repeats) for _ in range(5))


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, *others = (
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join([first, *others]))
