"""Permutation importance: what a metric loses where a column's values are shuffled.

Breiman, Machine Learning 45, 2001, on rows that the model was not trained on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp import _html
from pymlp.metrics import named

__all__ = ["Importances", "metric_of", "permutation_losses"]

_SHOWN = 12  # columns


@dataclass(frozen=True, eq=False, repr=False)
class Importances:
    """What a metric of a model loses where a column's values are shuffled.

    Attributes
    ----------
    values : ndarray of float64, shape (n_columns, n_repeats)
        For each column and shuffle how much worse the metric is: above 0 where the column helps,
        around 0 where it does not. 0 for columns that the model leaves out.
    columns : tuple of str
        The table's columns.
    metric : str
    score : float
        The metric of the rows as they are.
    """

    values: NDArray[np.float64]
    columns: tuple[str, ...]
    metric: str
    score: float

    def __post_init__(self) -> None:
        self.values.setflags(write=False)

    @property
    def mean(self) -> NDArray[np.float64]:
        """The mean over the shuffles, shape (n_columns,)."""
        found: NDArray[np.float64] = self.values.mean(axis=1)
        return found

    @property
    def deviation(self) -> NDArray[np.float64]:
        """The standard deviation over the shuffles, shape (n_columns,)."""
        found: NDArray[np.float64] = self.values.std(axis=1)
        return found

    def to_dict(self) -> dict[str, float]:
        """Return the mean of each column by its name, the largest first."""
        mean = self.mean
        order = np.argsort(-mean, kind="stable")
        return {self.columns[i]: float(mean[i]) for i in order}

    def __repr__(self) -> str:
        rows = self._rows()
        width = max(len(row[0]) for row in rows)
        lines = [f"  {name:<{width}}  {loss:>9}  ± {by}" for name, loss, by in rows[1:]]
        return "\n".join([f"{self._title()}:", *(line.removesuffix("  ± ") for line in lines)])

    def _repr_html_(self) -> str:
        rows = self._rows()
        return _html.block(_html.text(self._title(), strong=True), _html.table(rows, [1, 2]))

    def _title(self) -> str:
        return f"Importances: what {self.metric} loses without a column, from {self.score:.4g}"

    def _rows(self) -> list[tuple[str, str, str]]:
        mean, deviation = self.mean, self.deviation
        order = np.argsort(-mean, kind="stable")[:_SHOWN]
        found = [(self.columns[i], f"{mean[i]:.4g}", f"{deviation[i]:.2g}") for i in order]
        more = len(self.columns) - _SHOWN
        if more > 0:
            found.append((f"({more:,} more columns)", "", ""))
        return [("column", "loss", "deviation"), *found]


def metric_of(given: str) -> named.Metric:
    """Return the built-in metric that a name stands for.

    Raises
    ------
    TypeError, ValueError
        If there is no such metric, or it is a function of the user's own.
    """
    (metric,) = named.resolve(given)
    if metric.more_is_better is None:
        raise ValueError(f"metric must be the name of a metric of pymlp.metrics, not {given!r}")
    return metric


def permutation_losses(
    score: Callable[[NDArray[Any]], float],
    X: NDArray[Any],
    columns: NDArray[np.intp],
    n_repeats: int,
    generator: np.random.Generator,
) -> tuple[float, NDArray[np.float64]]:
    """Return the score of rows, and what it loses by shuffles of each column.

    Parameters
    ----------
    score : callable
        Of inputs (m, n_in); more is better.
    X : ndarray, shape (m, n_in)
    columns : ndarray of int, shape (n_in,)
        The column of each input; all from 0 to the last are there.
    n_repeats : int
    generator : Generator

    Returns
    -------
    score : float
    losses : ndarray, shape (n_columns, n_repeats)
    """
    whole, shuffled = score(X), X.copy()
    losses = np.empty((int(columns.max()) + 1, n_repeats))
    orders = [generator.permutation(len(X)) for _ in range(n_repeats)]
    for column in range(len(losses)):
        inputs = np.flatnonzero(columns == column)
        for repeat, order in enumerate(orders):
            shuffled[:, inputs] = X[np.ix_(order, inputs)]
            losses[column, repeat] = whole - score(shuffled)
        shuffled[:, inputs] = X[:, inputs]
    return whole, losses
