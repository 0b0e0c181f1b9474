"""Inputs as the network takes them: scaled where that is asked for, sparse rows a few at a time."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pymlp.network import Network
from pymlp.training.target_scale import TargetScale

_NUMBERS = 1 << 21  # that sparse rows are made to at a time, 16 MB


class InputScale(NamedTuple):
    """Mean and deviation of every input; a constant one has the deviation 1."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, X: Any, weights: NDArray[Any] | None) -> Self:
        """Return those of samples."""
        if isinstance(X, np.ndarray):
            found = TargetScale((X, None, X, weights))
            return cls(found.mean, found.deviation)
        w = np.ones(X.shape[0]) if weights is None else weights.astype(np.float64)
        mean = X.T @ w / w.sum()
        squares = X.astype(np.float64).power(2)  # those of float32 would hide small deviations
        variance = np.maximum(squares.T @ w / w.sum() - mean**2, 0.0)
        varies = variance > 1e-12 * (variance + mean**2)
        return cls(mean, np.where(varies, np.sqrt(variance), 1.0))

    def apply(self, X: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return inputs around 0 with deviation 1."""
        scaled = X - self.mean
        scaled /= self.deviation
        return scaled.astype(dtype, copy=False)


class SparseRows:
    """Rows of a CSR matrix, made dense and scaled when they are asked for."""

    def __init__(self, matrix: Any, scale: InputScale | None, dtype: np.dtype[Any]) -> None:
        self._matrix = matrix
        self._scale = scale
        self.dtype = dtype
        self.shape: tuple[int, int] = matrix.shape

    def __getitem__(self, rows: Any) -> NDArray[Any]:
        dense: NDArray[Any] = self._matrix[rows].toarray()
        return (
            dense.astype(self.dtype, copy=False)
            if self._scale is None
            else self._scale.apply(dense, self.dtype)
        )

    def parts(self) -> list[slice]:
        """Return slices of some rows each, which are all rows."""
        rows, columns = self.shape
        some = max(1, _NUMBERS // max(1, columns))
        return [slice(first, min(first + some, rows)) for first in range(0, rows, some)]


def rows_of(X: Any) -> Any:
    """Return an array, or a sparse matrix that gives rows."""
    return X if isinstance(X, np.ndarray) else X.tocsr()


def for_network(X: Any, scale: InputScale | None, dtype: np.dtype[Any]) -> Any:
    """Return inputs as the network takes them."""
    if not isinstance(X, np.ndarray):
        return SparseRows(X, scale, dtype)
    return X if scale is None else scale.apply(X, dtype)


def predict(network: Network, X: Any, threads: int | None) -> NDArray[Any]:
    """Return the outputs for inputs of either kind."""
    if isinstance(X, SparseRows):
        return np.concatenate([network.predict(X[part], threads=threads) for part in X.parts()])
    return network.predict(X, threads=threads)
