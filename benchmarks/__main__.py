"""Run every cell in every library, in turn, and print microseconds a step and ratios."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from statistics import median

from benchmarks.cells import CELLS, Cell
from benchmarks.libraries import LIBRARIES, Epoch, left_out_if_missing

FOREIGN = ("OPENBLAS_", "MKL_", "OMP_")


def without_foreign_settings() -> None:
    """Start again where the environment sets what other libraries' kernels or threads do."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
    if len(kept) < len(os.environ):
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks", *sys.argv[1:]], kept)


def contestants(cell: Cell, threads: Sequence[int]) -> dict[tuple[str, int], Epoch]:
    """Return the epochs that can be run here, by library and number of threads, warmed up."""
    epochs = {}
    for name, make in LIBRARIES.items():
        with left_out_if_missing(name):
            for n in threads:
                epochs[name, n] = make(cell, n)
                epochs[name, n]()
    return epochs


def measure(cell: Cell, threads: Sequence[int], rounds: int) -> dict[str, tuple[float, int]]:
    """Return (microseconds a step, threads) of each library at its better number of threads.

    The libraries take turns, so that a clock that drifts drifts for all of them.
    """
    epochs = contestants(cell, threads)
    seconds: dict[tuple[str, int], list[float]] = {key: [] for key in epochs}
    for _ in range(rounds):
        for key, epoch in epochs.items():
            start = time.perf_counter()
            epoch()
            seconds[key].append(time.perf_counter() - start)
    best: dict[str, tuple[float, int]] = {}
    for (name, n), times in seconds.items():
        step = median(times) / cell.steps * 1e6
        best[name] = min(best.get(name, (step, n)), (step, n))
    return best


def report(cell: Cell, best: dict[str, tuple[float, int]]) -> None:
    """Print a cell's table: time, threads, and how many times pymlp's time that is."""
    print(f"\n{cell.name}: {cell.operations / 1e6:.1f} million operations a step")
    own = best["pymlp"][0]
    for name, (step, n) in best.items():
        print(f"  {name:14}{step:10.1f} us a step, {n} threads  {step / own:6.2f} x")


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="turns of each library (default 9)")
    parser.add_argument("--cell", help="only cells whose name contains this, such as 784-100-10")
    arguments = parser.parse_args()
    without_foreign_settings()
    import pymlp

    print(pymlp.show_config())
    threads = sorted({1, pymlp.get_num_threads()})
    for cell in CELLS:
        if arguments.cell is None or arguments.cell in cell.name:
            report(cell, measure(cell, threads, arguments.rounds))


if __name__ == "__main__":
    main()
