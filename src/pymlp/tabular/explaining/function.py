"""What is explained: numbers that a model makes of its inputs, and their gradients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from pymlp.tabular.explaining.quantities import Quantity

__all__ = ["Attribution", "Function", "Outputs", "blocks"]

_NUMBERS = 1 << 18  # of inputs at a time: they stay in a cache


class Outputs(Protocol):
    """What makes outputs of encoded inputs: a network, or an ensemble of networks.

    Attributes
    ----------
    inputs : ndarray of int, shape (n_in,)
        The encoded input that each embedded one is made of.
    """

    inputs: NDArray[np.intp]

    def embedded(self, X: NDArray[Any]) -> NDArray[Any]:
        """Return encoded inputs (m, n_encoded) as numbers (m, n_in) between which paths exist."""

    def outputs(self, X: NDArray[Any]) -> NDArray[Any]:
        """Return the outputs, shape (m, n_out), of embedded inputs."""

    def pulled_back(self, X: NDArray[Any], dY: NDArray[Any]) -> NDArray[Any]:
        """Return the gradient by X, shape (m, n_in), of which dY (m, n_out) is that by outputs."""


class Function:
    """Numbers (m, q) of embedded inputs (m, n_in), and their gradients.

    Parameters
    ----------
    outputs : Outputs
    quantity : Quantity
        Which numbers are made of the outputs.
    columns : ndarray of int, shape (n_encoded,)
        The column of the table that each encoded input is made of, counted from 0.
    """

    def __init__(self, outputs: Outputs, quantity: Quantity, columns: NDArray[np.intp]) -> None:
        self._outputs = outputs
        self.quantity = quantity
        self.columns = columns[outputs.inputs]
        self.n_columns = int(columns[-1]) + 1
        self._order = np.argsort(self.columns, kind="stable")
        self._starts = np.searchsorted(self.columns[self._order], np.arange(self.n_columns))

    @property
    def n_numbers(self) -> int:
        """How many numbers a row has."""
        return len(self.quantity.units)

    def __call__(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """Return the numbers, shape (m, q)."""
        return self.quantity.of(self._outputs.outputs(X))

    def gradients(self, X: NDArray[Any]) -> Iterator[NDArray[Any]]:
        """Yield d(number j)/dX for every j, shape (m, n_in), less its unit."""
        linear = self.quantity.linear  # then slopes look at the outputs' shape alone
        outputs = (
            np.empty((len(X), self.n_numbers), X.dtype) if linear else self._outputs.outputs(X)
        )
        for j in range(self.n_numbers):
            yield self._outputs.pulled_back(X, self.quantity.slope(outputs, j))

    def by_column(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return sums over the inputs of each column, which are the last axis."""
        in_order = values if (np.diff(self.columns) >= 0).all() else values[..., self._order]
        found: NDArray[Any] = np.add.reduceat(in_order, self._starts, axis=-1)
        return found


class Attribution(NamedTuple):
    """What columns contribute to numbers of rows.

    Attributes
    ----------
    values : ndarray, shape (m, n_columns, q)
    error : ndarray, the same shape or (m, 1, q)
        The standard error of each value, or by how much their sum misses.
    base : ndarray, shape (q,)
        The numbers that values are counted from.
    outputs : ndarray, shape (m, q)
        The numbers of the rows.
    """

    values: NDArray[np.float64]
    error: NDArray[np.float64]
    base: NDArray[np.float64]
    outputs: NDArray[np.float64]


def blocks(n_rows: int, n_points: int, numbers: int) -> Iterator[tuple[slice, slice]]:
    """Yield rows and points of theirs that are taken at once, a point being so many numbers."""
    points = max(1, min(n_points, _NUMBERS // max(1, numbers)))
    rows = max(1, _NUMBERS // max(1, points * numbers))
    for row in range(0, n_rows, rows):
        for point in range(0, n_points, points):
            yield slice(row, row + rows), slice(point, point + points)
