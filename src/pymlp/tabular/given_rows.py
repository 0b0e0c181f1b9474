"""What `fit` is given row by row: the table, its target, weights, groups and times."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pymlp import _arrays
from pymlp.tabular.columns import Columns
from pymlp.tabular.frames import column_of

__all__ = ["GivenRows", "by_row", "need_column", "weighted", "weights_of"]


class GivenRows(NamedTuple):
    """Rows to learn from: those with a weight above 0."""

    columns: Columns
    y: NDArray[Any]
    weights: NDArray[np.float64] | None
    groups: NDArray[Any] | None
    time: NDArray[Any] | None


def need_column(columns: Columns, name: str, argument: str) -> None:
    """Refuse the name of a column that is not there."""
    if name not in columns:
        from pymlp._registry import nearest
        from pymlp.tabular.kinds import shown

        near = nearest(name, columns.names)
        hint = f"did you mean {near!r}?" if near else f"it has {shown(columns.names)}"
        raise ValueError(f"{argument}: {columns.source} has no column {name!r}; {hint}")


def by_row(given: Any, columns: Columns, argument: str) -> NDArray[Any] | None:
    """Return groups or times of the rows: codes, numbers or dates; none may be missing."""
    if given is None:
        return None
    if isinstance(given, str):
        need_column(columns, given, argument)
    column = columns[given] if isinstance(given, str) else column_of(given, argument)
    if len(column.values) != columns.n_rows:
        raise ValueError(
            f"{argument} must have {columns.n_rows} rows, as {columns.source} has, not "
            f"{len(column.values)}"
        )
    if column.n_missing:
        raise ValueError(f"{argument} must not have missing values, but has {column.n_missing:,}")
    if argument == "time" and column.is_text:
        raise ValueError(f"time must be numbers or dates, but {column.name!r} holds texts")
    return column.values


def weights_of(given: Any, n_rows: int) -> NDArray[np.float64] | None:
    """Return weights of rows, which must not all be 0."""
    if given is None:
        return None
    array = np.asarray(given)
    if array.size and not array.any():
        raise ValueError("sample_weight must not be zero for every row")
    weights = _arrays.sample_weights(array, n_rows, np.dtype(np.float64))
    return None if weights is None else weights.astype(np.float64)


def weighted(table: GivenRows) -> GivenRows:
    """Return the rows of a weight above 0: the others are as if they were not there."""
    weights = table.weights
    if weights is None or weights.all():
        return table
    rows = np.flatnonzero(weights)
    vectors = [None if v is None else v[rows] for v in table[1:]]
    return GivenRows(table.columns.take(rows), *vectors)  # type: ignore[arg-type]
