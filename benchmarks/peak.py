"""The processor's peak, measured by multiply-adds on registers alone."""

from __future__ import annotations

import threading
import time
from typing import Any

_SECONDS = 0.01


def gflops(dtype: str, threads: int) -> float:
    """Return what so many threads reach together, in 10^9 operations a second."""
    import numpy as np

    from pymlp._core import kernels

    def one(result: Any, iterations: int) -> float:
        start = time.perf_counter()
        kernels.peak(result, iterations)
        return time.perf_counter() - start

    results: list[Any] = [np.zeros(1, dtype) for _ in range(threads)]
    one(results[0], 10_000)
    iterations = max(1, int(100_000 * _SECONDS / one(results[0], 100_000)))
    operations = kernels.peak(np.zeros(1, dtype), 1) * iterations
    speeds = [0.0] * threads

    def work(i: int) -> None:
        speeds[i] = operations / one(results[i], iterations) / 1e9

    team = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
    for thread in team:
        thread.start()
    for thread in team:
        thread.join()
    return sum(speeds)
