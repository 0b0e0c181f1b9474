"""Which rows each network of a model is trained on, and by which it is judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pymlp.tabular.members import ROUND, Division, Samples
from pymlp.tabular.splitting import (
    fold_groups,
    fold_rows,
    split_by_time,
    split_groups,
    split_rows,
)

__all__ = ["Rows", "counts", "divided", "own_rows"]

# With fewer rows none are held out: what they say would be chance.
_FEWEST = 20
_SHARE = 0.1  # of the rows, which one network alone holds out


class Rows(NamedTuple):
    """What is known of the rows of a table.

    Attributes
    ----------
    labels : ndarray of int, shape (n_rows,)
        Of which each part has the same shares.
    groups, time : ndarray, shape (n_rows,), or None
        Rows of a group stay together; the latest rows are held out.
    """

    labels: NDArray[Any]
    groups: NDArray[Any] | None
    time: NDArray[Any] | None


def divided(
    rows: Rows, share: float | None, n_members: int, generator: np.random.Generator
) -> list[Division]:
    """Return the division of each member.

    Parameters
    ----------
    rows : Rows
    share : float or None
        Of the rows, which all members hold out; 0 for none. None: each row is held out by one
        member of every round; one member alone holds out a tenth.
    n_members : int
    generator : Generator

    Raises
    ------
    ValueError
        If both groups and time say which rows are held out.
    """
    n_rows = len(rows.labels)
    if rows.groups is not None and rows.time is not None:
        raise ValueError("groups and time cannot both say which rows are held out")
    few = n_rows < _FEWEST and rows.groups is None and rows.time is None
    if share == 0.0 or few:
        return [(np.arange(n_rows), np.empty(0, np.intp))] * n_members
    if share is None and n_members > 1 and rows.time is None:
        return _folds(rows, n_members, generator)
    return [_one(rows, _SHARE if share is None else share, generator)] * n_members


def _one(rows: Rows, share: float, generator: np.random.Generator) -> Division:
    if rows.groups is not None:
        return split_groups(rows.groups, share, generator)
    if rows.time is not None:
        return split_by_time(rows.time, share)
    return split_rows(rows.labels, share, generator)


def _folds(rows: Rows, n_members: int, generator: np.random.Generator) -> list[Division]:
    divisions: list[Division] = []
    while (left := n_members - len(divisions)) > 0:
        n_folds = max(min(left, ROUND), 2)
        if rows.groups is not None:
            folds = fold_groups(rows.groups, n_folds, generator)
        else:
            folds = fold_rows(rows.labels, n_folds, generator)
        numbers = range(min(left, int(folds.max()) + 1))
        divisions += [(np.flatnonzero(folds != i), np.flatnonzero(folds == i)) for i in numbers]
    return divisions


def counts(divisions: Sequence[Division], given: Samples | None) -> dict[str, int]:
    """Return how many rows are for what; in folds each is for both."""
    learnt, held_out = (np.unique(np.concatenate(parts)) for parts in zip(*divisions, strict=True))
    found = {"training": len(learnt), "validation": len(held_out)}
    if given is not None:
        found["validation"] = len(given.X)
    elif len(np.intersect1d(learnt, held_out)):
        found["folds"] = len(divisions)
    return found


def own_rows(
    divisions: Sequence[Division],
) -> tuple[NDArray[np.intp], NDArray[np.intp] | None]:
    """Return rows that networks were not trained on, and in folds which network of each.

    Where none are held out these are the rows of the training.
    """
    held_out = [held for _, held in divisions]
    rows = np.unique(np.concatenate(held_out))
    if len(rows) == len(held_out[0]):  # all hold out the same
        return (rows if len(rows) else divisions[0][0]), None
    owners = np.empty(len(rows), np.intp)
    for member, held in reversed(list(enumerate(held_out))):
        owners[np.searchsorted(rows, held)] = member
    return rows, owners
