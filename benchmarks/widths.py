"""What a width costs: ``predict`` of one layer in GFLOP/s, for widths 8, 16, ... 2048, one thread.

``python -m benchmarks.widths``. A width should cost what its neighbours cost: rows of weights or
samples that lie a power of two apart must not fall into the same few sets of the cache.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence

from benchmarks import environment, tables

ROWS = (256, 8192)
# Above this many rows only multiples of 128 are measured, and their neighbours.
_FEW_ROWS = 256
_STEP, _WIDEST = 8, 2048
_WIDE_INPUTS = 512
# Where a panel is full, and its remainder is a small part.
_LEAST_WIDTH = 128
_TURNS = 5
_SECONDS = 0.004


def widths_for(rows: int) -> list[int]:
    """Return the widths that are measured with so many rows."""
    every = range(_STEP, _WIDEST + 1, _STEP)
    if rows <= _FEW_ROWS:
        return list(every)
    return [width for width in every if min(width % 128, -width % 128) <= _STEP]


def gflops(rows: int, n_in: int, n_out: int, dtype: str) -> float:
    """Return the speed of a linear layer in ``predict``, the best of some turns."""
    import numpy as np

    import pymlp

    rng = np.random.default_rng(0)
    net = pymlp.Network([n_in, n_out], output="linear", dtype=dtype, seed=0)
    x = rng.standard_normal((rows, n_in)).astype(dtype)
    y = np.empty((rows, n_out), dtype)

    def timed(repeats: int) -> float:
        start = time.perf_counter()
        for _ in range(repeats):
            net.predict(x, out=y, threads=1)
        return time.perf_counter() - start

    timed(1)
    repeats = max(1, int(_SECONDS / timed(1)))
    seconds = min(timed(repeats) for _ in range(_TURNS)) / repeats
    return 2 * rows * n_in * n_out / seconds / 1e9


def speeds(rows: int, n_in: int | None, widths: Sequence[int], dtype: str) -> Iterator[float]:
    """Yield the speed of each width; inputs are as many as outputs where ``n_in`` is None."""
    for width in widths:
        yield gflops(rows, n_in or width, width, dtype)


def steps(widths: Sequence[int], found: Sequence[float]) -> list[tuple[float, int]]:
    """Return how much each width is slower than a neighbour, as a share, the worst first."""
    lost = []
    for i, (width, speed) in enumerate(zip(widths, found, strict=True)):
        beside = max([speed, *found[max(i - 1, 0) : i], *found[i + 1 : i + 2]])
        if width >= _LEAST_WIDTH:
            lost.append((1 - speed / beside, width))
    return sorted(lost, reverse=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.widths", description=__doc__)
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS)
    parser.add_argument("--widths", type=int, nargs="+", help="only these")
    parser.add_argument("--markdown", action="store_true", help="print the tables in Markdown")
    arguments = parser.parse_args()
    environment.without_foreign_settings("benchmarks.widths")
    import pymlp

    layout = tables.markdown if arguments.markdown else tables.text
    print(pymlp.show_config(), "\n")
    for rows in arguments.rows:
        widths = arguments.widths or widths_for(rows)
        columns = {
            "n -> n": list(speeds(rows, None, widths, arguments.dtype)),
            f"{_WIDE_INPUTS} -> n": list(speeds(rows, _WIDE_INPUTS, widths, arguments.dtype)),
        }
        table = zip(widths, *columns.values(), strict=True)
        print(f"{rows} rows, {arguments.dtype}, GFLOP/s")
        print(layout([["n", *columns], *([str(n), *(f"{s:.1f}" for s in v)] for n, *v in table)]))
        for name, found in columns.items():
            worst = ", ".join(f"{w} by {share:.0%}" for share, w in steps(widths, found)[:4])
            print(f"{name}: slower than a neighbour, from {_LEAST_WIDTH} on: {worst}")
        print()


if __name__ == "__main__":
    main()
