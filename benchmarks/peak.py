"""What the processor can do with all cores at once, on random numbers, for as long as it takes to
leave a burst behind: arithmetic out of the nearest caches, and reading out of any.

Constants, zeros and bursts of a millisecond are faster by up to a fifth: a clock rises where few
bits change.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

_SECONDS = 0.2
# rows, inputs, outputs: of 20 to 60 KB, which the two nearest caches keep; the best counts.
_SHAPES = ((24, 128, 32), (24, 256, 32), (48, 128, 32), (24, 128, 16))
_ROW = 128  # numbers in a row of what is read: whole vectors on any machine


def gflops(dtype: str, threads: int) -> float:
    """Return what so many threads reach together, in 10^9 operations a second."""
    m, n_in, n_out = _best_shape(dtype)
    return 2e-9 * m * n_in * n_out * _products_a_second((m, n_in, n_out), dtype, threads, _SECONDS)


def bandwidth(size: int, threads: int) -> float:
    """Return the 10^9 bytes a second that threads read together, each its part of ``size`` bytes.

    A part is read again and again, from whatever cache holds it.
    """
    rows = max(1, round(size / threads / (4 * _ROW)))
    a_second = _products_a_second((1, rows, _ROW), "float32", threads, _SECONDS / 2)
    return 4e-9 * rows * _ROW * a_second


@cache
def _best_shape(dtype: str) -> tuple[int, int, int]:
    return max(
        _SHAPES,
        key=lambda s: s[0] * s[1] * s[2] * _products_a_second(s, dtype, 1, _SECONDS / 10),
    )


def _products_a_second(
    shape: tuple[int, int, int], dtype: str, threads: int, seconds: float
) -> float:
    """Return how many products rows x weights so many threads compute a second, all together.

    Each has random operands of its own, and all begin together: cores that share something then
    show it.
    """
    import numpy as np

    from pymlp import _core_test

    m, n_in, n_out = shape
    rng = np.random.default_rng(0)
    operands: list[list[Any]] = [
        [rng.uniform(-1, 1, s).astype(dtype) for s in ((m, n_in), (n_in, n_out), (m, n_out))]
        for _ in range(threads)
    ]
    guess, repeats = 0.0, 1
    while guess < seconds / 50:
        repeats *= 4
        guess = _core_test.repeat_product("z", *operands[0], repeats)
    repeats = max(1, round(repeats * seconds / guess))
    taken = [0.0] * threads
    together = threading.Barrier(threads)

    def work(i: int) -> None:
        together.wait()
        taken[i] = _core_test.repeat_product("z", *operands[i], repeats)

    team = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
    for thread in team:
        thread.start()
    for thread in team:
        thread.join()
    return threads * repeats / max(taken)
