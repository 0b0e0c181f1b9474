"""What rows are compared with: draws of a background that are the same for all rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Draws", "draws_of"]


class Draws(NamedTuple):
    """Rows of a background, each as often as any other.

    Attributes
    ----------
    chosen : ndarray of int, shape (c,)
        The rows that are used, each once.
    rows : ndarray of int, shape (n,)
        One for each draw.
    """

    chosen: NDArray[np.intp]
    rows: NDArray[np.intp]


def draws_of(background: NDArray[Any], n_draws: int, generator: np.random.Generator) -> Draws:
    """Draw rows: all of them and some times over, or as many as are wanted where there are more."""
    order = generator.permutation(len(background))
    chosen = order[:n_draws]
    return Draws(chosen, np.tile(chosen, -(-n_draws // len(chosen))))


def standard_error(
    total: NDArray[np.float64], squares: NDArray[np.float64], n: int
) -> NDArray[np.float64]:
    """Return the standard error of a mean, of the sum of n draws and that of their squares."""
    variance = (squares - total**2 / n) / (n - 1)
    # What rounding leaves of equal draws is no error.
    noise = 64 * np.finfo(np.float64).eps * squares
    found: NDArray[np.float64] = np.sqrt(np.where(variance > noise, variance, 0.0) / n)
    return found
