"""Several targets at once: columns of a table of targets, or columns of X by their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pymlp.tabular.columns import Columns
from pymlp.tabular.frames import columns_of
from pymlp.tabular.targets import amounts_of_column

__all__ = ["Targets", "names_in", "several_of"]


class Targets(NamedTuple):
    """The targets of a table's rows.

    Attributes
    ----------
    values : ndarray of float64, shape (n_rows, k)
    names : tuple of str or None
        None where they have none.
    """

    values: NDArray[np.float64]
    names: tuple[str, ...] | None


def names_in(y: Any, columns: Columns) -> list[str]:
    """Return the columns of X that y names; none where it holds the target itself."""
    names = [y] if isinstance(y, str) else y
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        return []
    texts = len(names) == columns.n_rows and not any(name in columns for name in names)
    return [] if texts and not isinstance(y, str) else list(names)


def several_of(y: Any, n_rows: int) -> Targets | None:
    """Return targets of two columns or more; None where y is one column.

    Raises
    ------
    TypeError, ValueError
        If they are not finite numbers, or have another length; all columns are named.
    """
    if not _is_table(y):
        return None
    columns = columns_of(y, source="y")
    if len(columns) < 2:
        return None
    if columns.n_rows != n_rows:
        raise ValueError(f"y must have {n_rows} rows, as X has, not {columns.n_rows}")
    values, faults = np.empty((n_rows, len(columns))), []
    for j, column in enumerate(columns):
        try:
            values[:, j] = amounts_of_column(column)
        except (TypeError, ValueError) as error:
            faults.append(f"column {column.name!r}: {error}")
    if faults:
        raise ValueError(f"y: {'; '.join(faults)}")
    return Targets(values, columns.names if columns.named else None)


def _is_table(y: Any) -> bool:
    if isinstance(y, Columns | Mapping):
        return True
    shape = getattr(y, "shape", None)
    if shape is None and isinstance(y, list | tuple):
        return bool(len(y)) and isinstance(y[0], list | tuple | np.ndarray)
    return shape is not None and len(shape) == 2
