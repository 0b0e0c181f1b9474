"""Fused multiply-adds in NumPy, exactly, and chains of them: what each product has to be.

NumPy has no such operation, and Python only from 3.13 on. It is made of sums and products whose
errors are kept (Knuth, Dekker), added up with rounding to odd, which a second rounding cannot spoil
(Boldo & Melquiond, "Emulation of FMA and correctly rounded sums", 2008). Numbers whose products
overflow or are subnormal are not for it.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

CHAIN = 256  # terms, as kChain in product.hpp


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """Return the rounded sum, and its error exactly."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def halves(a: Array) -> tuple[Array, Array]:
    """Return two numbers of at most 26 bits that add up to `a`."""
    c = 134217729.0 * a
    high = c - (c - a)
    return high, a - high


def two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """Return the rounded product, and its error exactly."""
    p = a * b
    (ah, al), (bh, bl) = halves(a), halves(b)
    return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl


def sum_to_odd(a: Array, b: Array) -> Array:
    """Return a + b, where it is not exact the neighbour whose last bit is 1."""
    s, error = two_sum(a, b)
    even = (s.view(np.int64) & 1) == 0
    towards = np.where(error > 0, np.inf, -np.inf)
    return np.where((error != 0) & even, np.nextafter(s, towards), s)


def fused(a: Array, b: Array, c: Array) -> Array:
    """Return a b + c, rounded once, in the dtype of all three."""
    if a.dtype == np.float32:
        # The product of two float32 is exact in float64.
        return sum_to_odd(a.astype(float) * b.astype(float), c.astype(float)).astype(np.float32)
    p, p_error = two_product(a, b)
    low, low_error = two_sum(c, p_error)
    high, high_error = two_sum(p, low)
    return high + sum_to_odd(low_error, high_error)


def chains(a: Array, b: Array, start: Array | None = None) -> Array:
    """Return start + a b after each step of the sum: (k + 1, m, n), in ascending order.

    After CHAIN terms a new chain begins at 0, and is added to what there is.
    """
    sums = np.zeros((a.shape[1] + 1, a.shape[0], b.shape[1]), a.dtype)
    if start is not None:
        sums[0] = start
    chain, before = sums[0], None
    for p in range(a.shape[1]):
        if p > 0 and p % CHAIN == 0:
            chain, before = np.zeros_like(chain), sums[p]
        left, right = np.broadcast_arrays(a[:, p, None], b[p])
        chain = fused(left.copy(), right.copy(), chain)
        sums[p + 1] = chain if before is None else before + chain
    return sums


def exact_product(a: Array, b: Array) -> Array:
    """Return a b in float64, rounded once."""
    left, right = a.astype(float), b.astype(float)
    result = np.empty((len(a), b.shape[1]))
    for i, j in np.ndindex(result.shape):
        result[i, j] = math.fsum(np.concatenate(two_product(left[i], right[:, j])))
    return result
