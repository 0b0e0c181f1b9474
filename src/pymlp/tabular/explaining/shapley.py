"""Interventional Shapley values by sampling.

The value of a set of columns is the mean of f over a background whose rows have these columns of
the explained row. A column's Shapley value is what it adds, averaged over all orders in which
columns come in: Strumbelj and Kononenko, Knowledge and Information Systems 41, 2014. Each order is
walked forth and back, which makes the error smaller: Mitchell et al., JMLR 23, 2022.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp.tabular.explaining.background import draws_of, standard_error
from pymlp.tabular.explaining.function import Attribution, Function, blocks

__all__ = ["shapley_values"]


def shapley_values(
    function: Function,
    X: NDArray[Any],
    background: NDArray[Any],
    n_pairs: int,
    generator: np.random.Generator,
) -> Attribution:
    """Return Shapley values, which add up exactly.

    Parameters
    ----------
    function : Function
    X : ndarray, shape (m, n_in)
    background : ndarray, shape (b, n_in)
    n_pairs : int
        Orders, each walked forth and back from a row of the background, at least; fewer than b take
        as many rows of the background.
    generator : Generator

    Returns
    -------
    Attribution
        Its error is the standard error, of the draw of rows and orders.
    """
    draws = draws_of(background, n_pairs, generator)
    begins, n = background[draws.rows], len(draws.rows)
    n_columns = function.n_columns
    orders = generator.permuted(np.tile(np.arange(n_columns), (n, 1)), axis=1)
    places = np.argsort(orders, axis=1)  # of each column in each order
    outputs = function(X)
    at_begins = function(background[draws.chosen])
    bases = np.tile(at_begins, (n // len(draws.chosen), 1))
    total = np.zeros((len(X), n_columns, function.n_numbers))
    squares = np.zeros_like(total)
    for rows, pairs in blocks(len(X), n, 2 * (n_columns - 1) * X.shape[1]):
        steps = _steps(function, X[rows], begins[pairs], places[pairs], outputs[rows], bases[pairs])
        total[rows] += steps.sum(axis=1)
        squares[rows] += (steps**2).sum(axis=1)
    return Attribution(
        total / n, standard_error(total, squares, n), at_begins.mean(axis=0), outputs
    )


def _steps(
    function: Function,
    X: NDArray[Any],
    begins: NDArray[Any],
    places: NDArray[np.intp],
    outputs: NDArray[np.float64],
    bases: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return what columns add on a walk forth and back, shape (m, n_pairs, n_columns, q)."""
    m, n_pairs, n_steps = len(X), len(begins), 2 * (function.n_columns - 1)
    walks = np.empty((m, n_pairs, 2, n_steps // 2 + 2, function.n_numbers))
    walks[..., 0, :] = bases[:, np.newaxis]
    walks[..., -1, :] = outputs[:, np.newaxis, np.newaxis]
    inner = np.empty((m, n_pairs, n_steps, function.n_numbers))
    for _, some in blocks(1, n_steps, m * n_pairs * X.shape[1]):
        taken = _taken(places, np.arange(n_steps)[some])[..., function.columns]
        points = np.where(taken, X[:, np.newaxis, np.newaxis], begins[:, np.newaxis])
        found = function(points.reshape(-1, X.shape[1]))
        inner[:, :, some] = found.reshape(*points.shape[:3], -1)
    walks[..., 1:-1, :] = inner.reshape(m, n_pairs, 2, n_steps // 2, function.n_numbers)
    steps = np.diff(walks, axis=3)
    # The last step of the way back is that of the column that comes first.
    of_places = (steps[:, :, 0] + steps[:, :, 1, ::-1]) / 2
    return np.take_along_axis(of_places, places[np.newaxis, :, :, np.newaxis], axis=2)


def _taken(places: NDArray[np.intp], steps: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which columns are the row's behind these steps, forth and then back.

    Shape (n_pairs, n_steps, n_columns).
    """
    on_the_way = places.shape[1] - 1
    place, step = places[:, np.newaxis], steps[:, np.newaxis]
    back = 2 * on_the_way - step
    return np.where(step < on_the_way, place <= step, place >= back)
