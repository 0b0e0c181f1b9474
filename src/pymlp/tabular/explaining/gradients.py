"""Integrated gradients, and their mean over a background.

On the straight path from a base b to a row x, the gradient of the function is integrated:
``(x - b) * integral of f'(b + t (x - b)) dt over t in [0, 1]``. These sum to f(x) - f(b).
Sundararajan et al., arXiv:1703.01365. With b drawn from a background they are expected gradients:
Erion et al., arXiv:1906.10670.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp.tabular.explaining.background import draws_of, standard_error
from pymlp.tabular.explaining.function import Attribution, Function, blocks

__all__ = ["expected_gradients", "integrated_gradients"]


def integrated_gradients(
    function: Function, X: NDArray[Any], base: NDArray[Any], n_nodes: int
) -> Attribution:
    """Return integrated gradients from one base, by Gauss and Legendre's rule.

    Parameters
    ----------
    function : Function
    X : ndarray, shape (m, n_in)
    base : ndarray, shape (n_in,)
    n_nodes : int
        Points on each path.

    Returns
    -------
    Attribution
        Its error is by how much the values of a row miss f(x) - f(base).
    """
    nodes, shares = _rule(n_nodes)
    t, w = nodes.astype(X.dtype)[:, np.newaxis], shares.astype(X.dtype)
    path = X - base
    total = np.zeros((function.n_numbers, *X.shape))
    for rows, points in blocks(len(X), n_nodes, X.shape[1]):
        some = base + t[points] * path[rows, np.newaxis]
        for j, gradient in enumerate(function.gradients(some.reshape(-1, X.shape[1]))):
            total[j, rows] += np.einsum("p,rpi->ri", w[points], gradient.reshape(some.shape))
    values = _in_units(function, function.by_column(total * path))
    outputs, at_base = function(X), function(base[np.newaxis])[0]
    missing = np.abs(outputs - at_base - values.sum(axis=1))
    return Attribution(values, missing[:, np.newaxis], at_base, outputs)


@functools.cache
def _rule(n_nodes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return nodes in (0, 1) and their weights, which sum to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(n_nodes)
    return (nodes + 1.0) / 2.0, weights / 2.0


def _in_units(function: Function, by_number: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values (m, columns, q) of the slopes' (q, m, columns)."""
    return np.moveaxis(by_number, 0, -1) * function.quantity.units


def expected_gradients(
    function: Function,
    X: NDArray[Any],
    background: NDArray[Any],
    n_draws: int,
    generator: np.random.Generator,
) -> Attribution:
    """Return the mean of integrated gradients from the rows of a background.

    Every row of the background has as many points, which divide all paths evenly.

    Parameters
    ----------
    function : Function
    X : ndarray, shape (m, n_in)
    background : ndarray, shape (b, n_in)
    n_draws : int
        Points for each row, at least; fewer than b take as many rows of the background.
    generator : Generator

    Returns
    -------
    Attribution
        Its error is the standard error of independent draws, which these are better than.
    """
    draws = draws_of(background, n_draws, generator)
    begins = background[draws.rows]
    t = _places_on_paths(draws.rows, draws.chosen, generator).astype(X.dtype)[:, np.newaxis]
    n = len(begins)
    shape = (function.n_numbers, len(X), function.n_columns)
    total, squares = np.zeros(shape), np.zeros(shape)
    for rows, points in blocks(len(X), n, X.shape[1]):
        path = X[rows, np.newaxis] - begins[points]
        some = begins[points] + t[points] * path
        for j, gradient in enumerate(function.gradients(some.reshape(-1, X.shape[1]))):
            found = function.by_column(path * gradient.reshape(path.shape)).astype(np.float64)
            total[j, rows] += found.sum(axis=1)
            squares[j, rows] += (found**2).sum(axis=1)
    values, error = total / n, standard_error(total, squares, n)
    base = function(background[draws.chosen]).mean(axis=0)
    error = np.abs(_in_units(function, error))
    return Attribution(_in_units(function, values), error, base, function(X))


def _places_on_paths(
    rows: NDArray[np.intp], chosen: NDArray[np.intp], generator: np.random.Generator
) -> NDArray[np.float64]:
    """Return where on its path each draw lies: one in each n-th of [0, 1], and each row evenly."""
    times, n = len(rows) // len(chosen), len(rows)
    offsets = (generator.permutation(len(chosen)) + generator.random(len(chosen))) / len(chosen)
    places = (np.repeat(np.arange(times), len(chosen)) + np.tile(offsets, times)) / times
    assert len(places) == n
    return places
