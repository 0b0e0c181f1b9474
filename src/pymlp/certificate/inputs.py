"""What the self test computes on: numbers that are the same on every machine, in either dtype."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

DTYPES = ("float32", "float64")
_MULTIPLIER = 2_654_435_769  # 2^32 over the golden ratio: neighbours land far apart


def numbers(
    shape: tuple[int, ...], dtype: str, *, low: float = -4.0, width: float = 8.0, first: int = 1
) -> NDArray[Any]:
    """Return multiples of width / 65536 from low on, scattered; binary fractions are exact."""
    steps = np.arange(first, first + int(np.prod(shape)), dtype=np.uint64)
    scattered = (steps * np.uint64(_MULTIPLIER)) % np.uint64(2**32) // np.uint64(2**16)
    return (low + scattered.astype(np.float64) * (width / 65536)).astype(dtype).reshape(shape)


def shares(shape: tuple[int, int], dtype: str) -> NDArray[Any]:
    """Return rows that sum to 1: 1/2, 1/4, ... and the last twice, each row turned by one."""
    m, k = shape
    row = 0.5 ** np.minimum(np.arange(1, k + 1), k - 1)
    return np.stack([np.roll(row, i) for i in range(m)]).astype(dtype)
