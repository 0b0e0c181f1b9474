"""Rows divided into those to learn from and those that are held out."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Parts", "fold_groups", "fold_rows", "split_by_time", "split_groups", "split_rows"]

Rows: TypeAlias = NDArray[np.intp]
# Kept and held-out rows, each in ascending order.
Parts: TypeAlias = tuple[Rows, Rows]


def split_rows(labels: NDArray[Any], fraction: float, generator: np.random.Generator) -> Parts:
    """Divide rows at random, every class in proportion.

    One row of each class at least is kept.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,)
        The class of each row; all the same where there are no classes.
    fraction : float
        The share to hold out.
    generator : Generator

    Returns
    -------
    kept, held_out : ndarray of int
        Row numbers in ascending order.
    """
    order = generator.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    first_of_class = np.diff(labels[order], prepend=-1) != 0
    candidates = order[~first_of_class]
    n_held = min(int(fraction * len(labels) + 0.5), len(candidates))
    picks = (2 * np.arange(n_held) + 1) * len(candidates) // max(2 * n_held, 1)
    return _parts(len(labels), candidates[picks])


def split_groups(groups: NDArray[Any], fraction: float, generator: np.random.Generator) -> Parts:
    """Divide rows so that all rows of a group stay together.

    Groups are drawn at random until the next one would lead further away from the share.

    Parameters
    ----------
    groups : ndarray of int, shape (n_rows,)
        The group of each row.
    fraction : float
        The share of rows to hold out.
    generator : Generator

    Returns
    -------
    kept, held_out : ndarray of int
        Row numbers in ascending order.

    Raises
    ------
    ValueError
        If there is one group only.
    """
    _, codes, counts = np.unique(groups, return_inverse=True, return_counts=True)
    _need_groups(len(counts))
    order = generator.permutation(len(counts))
    ends = np.cumsum(counts[order])
    n_groups = int(np.argmin(np.abs(ends - fraction * len(groups)))) + 1
    held = order[: min(n_groups, len(counts) - 1)]
    return _parts(len(groups), np.flatnonzero(np.isin(codes, held)))


def split_by_time(times: NDArray[Any], fraction: float) -> Parts:
    """Divide rows so that those held out are the latest ones.

    Rows of the same time stay together: they are held out.

    Parameters
    ----------
    times : ndarray, shape (n_rows,)
        Numbers or dates.
    fraction : float
        The share of rows to hold out, at least.

    Returns
    -------
    kept, held_out : ndarray of int
        Row numbers in ascending order.

    Raises
    ------
    ValueError
        If all rows have the same time, or so many the same that none would be left.
    """
    n_held = max(1, int(fraction * len(times) + 0.5))
    first = np.sort(times)[len(times) - n_held]
    if first == times.min():  # the earliest must stay
        later = times[times > first]
        if not len(later):
            raise ValueError("time must differ among the rows, so that the latest can be held out")
        first = later.min()
    return _parts(len(times), np.flatnonzero(times >= first))


def fold_rows(labels: NDArray[Any], n_folds: int, generator: np.random.Generator) -> Rows:
    """Divide rows into folds at random, every class in proportion.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,)
        The class of each row; all the same where there are no classes.
    n_folds : int
    generator : Generator

    Returns
    -------
    ndarray of int, shape (n_rows,)
        The fold of each row; their sizes differ by 1 at most.
    """
    order = generator.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    folds = np.empty(len(labels), np.intp)
    folds[order] = np.arange(len(labels)) % n_folds
    return folds


def fold_groups(groups: NDArray[Any], n_folds: int, generator: np.random.Generator) -> Rows:
    """Divide rows into folds so that all rows of a group stay together.

    The largest group first, each goes to the fold that has the fewest rows; the generator orders
    groups of one size.

    Parameters
    ----------
    groups : ndarray, shape (n_rows,)
        The group of each row.
    n_folds : int
        At most; no fold is empty.
    generator : Generator

    Returns
    -------
    ndarray of int, shape (n_rows,)
        The fold of each row.

    Raises
    ------
    ValueError
        If there is one group only.
    """
    _, codes, counts = np.unique(groups, return_inverse=True, return_counts=True)
    _need_groups(len(counts))
    order = generator.permutation(len(counts))
    order = order[np.argsort(-counts[order], kind="stable")]
    sizes = np.zeros(min(n_folds, len(counts)), np.int64)
    folds = np.empty(len(counts), np.intp)
    for group in order:
        folds[group] = np.argmin(sizes)
        sizes[folds[group]] += counts[group]
    return folds[codes]


def _need_groups(n_groups: int) -> None:
    if n_groups < 2:
        raise ValueError("groups must be two at least, so that one can be held out")


def _parts(n_rows: int, held: Rows) -> Parts:
    kept = np.ones(n_rows, bool)
    kept[held] = False
    return np.flatnonzero(kept), np.sort(held)
