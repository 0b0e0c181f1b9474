"""The processor's peak, measured by multiply-adds on registers alone."""

from __future__ import annotations

import threading
import time
from typing import Any

# Short, so that some fall between whatever else the machine does.
_BURST = 0.001
_BURSTS = 15


def gflops(dtype: str, threads: int) -> float:
    """Return what so many threads reach together, in 10^9 operations a second.

    It is the best of several bursts, in each of which all threads begin together: cores that share
    something then show it.
    """
    import numpy as np

    from pymlp import _core_test

    def speed(result: Any, iterations: int) -> float:
        start = time.perf_counter()
        operations = _core_test.peak(result, iterations)
        return operations / (time.perf_counter() - start) / 1e9

    results: list[Any] = [np.zeros(1, dtype) for _ in range(threads)]
    guess = max(speed(results[0], 10_000) for _ in range(3))
    iterations = max(1, int(_BURST * guess * 1e9 / _core_test.peak(results[0], 1)))
    speeds = [[0.0] * threads for _ in range(_BURSTS)]
    together = threading.Barrier(threads)

    def work(i: int) -> None:
        for burst in speeds:
            together.wait()
            burst[i] = speed(results[i], iterations)

    team = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
    for thread in team:
        thread.start()
    for thread in team:
        thread.join()
    return max(map(sum, speeds))
