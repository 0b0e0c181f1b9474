"""Which numbers are explained, made of a network's outputs, and their slopes by these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Logits", "Probabilities", "Quantity", "Units"]


class Quantity(Protocol):
    """Numbers made of outputs.

    Attributes
    ----------
    name : str
    labels : tuple or None
        What each number belongs to; None where there is one only.
    units : ndarray of float64, shape (q,)
        Of the slopes: d(number j)/d(outputs) is ``units[j] * slope(outputs, j)``.
    linear : bool
        Whether number j is output j in its unit: slopes are then the same for any outputs.
    """

    name: str
    linear: bool
    labels: tuple[Any, ...] | None
    units: NDArray[np.float64]

    def of(self, outputs: NDArray[Any]) -> NDArray[np.float64]:
        """Return the numbers, shape (m, q), of outputs (m, n_out)."""

    def slope(self, outputs: NDArray[Any], j: int) -> NDArray[Any]:
        """Return the slope of number j by the outputs, of their shape and dtype."""


class Units:
    """Amounts in the target's units, in ascending order where they are quantiles.

    Parameters
    ----------
    mean, deviation : float or array-like, shape (k,)
        What outputs of 0 and 1 stand for.
    labels : sequence, optional
        Of the amounts, where there are several.
    ordered : bool
        Whether they are put in order, as `TabularRegressor` does with quantiles.
    """

    name = "target"

    def __init__(
        self, mean: Any, deviation: Any, labels: Sequence[Any] | None = None, *, ordered: bool
    ) -> None:
        n_outputs = 1 if labels is None else len(labels)
        self._mean = np.broadcast_to(np.asarray(mean, np.float64), n_outputs)
        self.units = np.broadcast_to(np.asarray(deviation, np.float64), n_outputs)
        self.labels = tuple(labels) if labels is not None and n_outputs > 1 else None
        self._ordered = ordered
        self.linear = not ordered

    def of(self, outputs: NDArray[Any]) -> NDArray[np.float64]:
        """Return the amounts."""
        some = np.sort(outputs, axis=1) if self._ordered else outputs
        return some.astype(np.float64) * self.units + self._mean

    def slope(self, outputs: NDArray[Any], j: int) -> NDArray[Any]:
        """Return ones where the outputs are that become amount j."""
        result = np.zeros_like(outputs)
        places = np.argsort(outputs, axis=1, kind="stable")[:, j] if self._ordered else j
        result[np.arange(len(outputs)), places] = 1.0
        return result


class Logits:
    """Logits of probabilities: of two classes log-odds, of more their logarithms minus the mean.

    Parameters
    ----------
    labels : sequence
        The classes.
    """

    def __init__(self, labels: Sequence[Any]) -> None:
        self.linear, self._two = False, len(labels) == 2
        self.name = "log-odds" if self._two else "logits"
        self.labels = tuple(labels) if len(labels) > 2 else None
        self.units = np.ones(len(labels) - self._two)

    def of(self, outputs: NDArray[Any]) -> NDArray[np.float64]:
        """Return the logits; probabilities below the dtype's normal numbers count as the least."""
        logs = np.log(np.maximum(outputs, np.finfo(outputs.dtype).tiny).astype(np.float64))
        others = logs[:, :1] if self._two else logs.mean(axis=1, keepdims=True)
        found: NDArray[np.float64] = logs[:, int(self._two) :] - others
        return found

    def slope(self, outputs: NDArray[Any], j: int) -> NDArray[Any]:
        """Return 1 / p for the class itself, and what the others take away."""
        tiny = np.finfo(outputs.dtype).tiny
        inverse = np.where(outputs > tiny, 1.0 / np.maximum(outputs, tiny), 0.0)
        n_classes = outputs.shape[1]
        shares = np.full(n_classes, -1.0 if self._two else -1.0 / n_classes)
        shares[j + self._two] += 2.0 if self._two else 1.0
        result: NDArray[Any] = (inverse * shares).astype(outputs.dtype)
        return result


class Probabilities:
    """Probabilities, as `predict_proba` returns them; of two classes that of the second.

    Parameters
    ----------
    labels : sequence
        The classes.
    """

    name = "probabilities"

    def __init__(self, labels: Sequence[Any]) -> None:
        self.linear, self._two = False, len(labels) == 2
        self.labels = tuple(labels) if len(labels) > 2 else None
        self.units = np.ones(len(labels) - self._two)

    def of(self, outputs: NDArray[Any]) -> NDArray[np.float64]:
        """Return the probabilities."""
        return outputs[:, int(self._two) :].astype(np.float64)

    def slope(self, outputs: NDArray[Any], j: int) -> NDArray[Any]:
        """Return ones for the class itself."""
        result = np.zeros_like(outputs)
        result[:, j + self._two] = 1.0
        return result
