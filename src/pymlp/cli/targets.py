"""The column to predict: what kind of question it asks, and the rows that have an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pymlp.tabular import Column, Columns, Decision
from pymlp.tabular.kinds import FEW_VALUES
from pymlp.tabular.targets import vector
from pymlp.tabular.text import read_as, strays_of

Task = Literal["classification", "regression"]

_SLIPS = 0.1  # the share of texts among numbers below which they are no classes
_SHOWN = 5


class Target(NamedTuple):
    """The column to predict, as numbers for regression, and as whole numbers or texts else."""

    column: Column
    task: Task
    n_classes: int
    """0 in regression."""

    @property
    def name(self) -> str:
        """The name of the column."""
        return self.column.name

    def values(self, columns: Columns) -> NDArray[Any]:
        """Return the labels or numbers of a table's rows."""
        found: NDArray[Any] = vector(columns[self.name], columns.n_rows, "target")
        return found

    def codes(self, columns: Columns) -> NDArray[np.intp]:
        """Return the class of each row as a whole number; 0 in regression."""
        if not self.n_classes:
            return np.zeros(columns.n_rows, np.intp)
        return np.unique(columns[self.name].values, return_inverse=True)[1]


def find_target(columns: Columns, name: str, task: Task | None) -> Target:
    """Return the column to predict.

    Parameters
    ----------
    columns : Columns
    name : str
    task : {"classification", "regression"}, optional
        By default texts, and few whole numbers that recur, are classes; other numbers are amounts.

    Raises
    ------
    ValueError
        Where its cells do not suit the task; the rows are named.
    """
    column = columns[name]
    if column.n_missing == columns.n_rows:
        raise ValueError(f"{columns.source}: target {name!r} has no values")
    if column.is_date:
        raise ValueError(f"{columns.source}: target {name!r} holds dates, which are no target")
    if task is None:
        task = "classification" if _is_classes(columns, column) else "regression"
    if task == "regression":
        return Target(_as_amounts(columns, column), task, 0)
    if column.is_number and not column.whole:
        column = _as_texts(column)
    present = column.values[~column.missing]
    n_classes = len(set(present.tolist()))
    _refuse_names(columns, column, n_classes, len(present))
    return Target(column, task, n_classes)


def _is_classes(columns: Columns, column: Column) -> bool:
    if column.is_text:
        strays = read_as(column, column.style or ".").strays
        numbers = len(column.categories or ()) > FEW_VALUES and column.style in (".", ",")
        if numbers and np.count_nonzero(strays) < _SLIPS * (len(strays) - column.n_missing):
            raise _not_numbers(columns, column, strays, " or --task classification")
        return True
    values = column.values[~column.missing]
    few = min(FEW_VALUES, max(2, len(values) // 5))
    return column.whole and len(set(values.tolist())) <= few


def _as_amounts(columns: Columns, column: Column) -> Column:
    read, strays = read_as(column, column.style or ".")
    if strays.any():
        raise _not_numbers(columns, column, strays, "")
    return read


def _not_numbers(
    columns: Columns, column: Column, strays: NDArray[np.bool_], else_say: str
) -> ValueError:
    rows = np.flatnonzero(strays)
    texts = column.take(rows[:_SHOWN]).texts()
    places = [columns.place(int(row), column.name) for row in rows[:_SHOWN]]
    found = [f"{place}: {text!r:.50}" for place, text in zip(places, texts, strict=True)]
    more = f" (and {len(rows) - _SHOWN:,} more)" if len(rows) > _SHOWN else ""
    no = "is not a number" if len(rows) == 1 else "are no numbers"
    return ValueError(f"{'; '.join(found)}{more} {no}; mend or empty the cells{else_say}")


def _as_texts(column: Column) -> Column:
    present, codes = np.unique(column.values[~column.missing], return_inverse=True)
    texts = Column(column.name, present).texts()
    values = np.full(len(column.values), -1, np.int32)
    values[~column.missing] = codes
    return Column(column.name, values, tuple(text or "" for text in texts))


def _refuse_names(columns: Columns, column: Column, n_classes: int, n_rows: int) -> None:
    if n_classes > max(FEW_VALUES, n_rows // 2):
        text = column.take(np.flatnonzero(~column.missing)[:1]).texts()[0]
        raise ValueError(
            f"{columns.source}, column {column.name!r}: {n_classes:,} different values in "
            f"{n_rows:,} rows, such as {text!r:.50}, are too many for classes; --target names "
            "another column, --task regression predicts numbers"
        )


def with_target(columns: Columns, target: Target) -> tuple[Columns, list[str]]:
    """Return the rows that have a target, and what is to be said of it."""
    found = [target.column if column.name == target.name else column for column in columns]
    lines = columns.lines
    result = Columns(found, columns.n_rows, columns.source, lines=lines, named=columns.named)
    notes = []
    if target.column.n_missing:
        n = target.column.n_missing
        notes.append(f"{n:,} {'row' if n == 1 else 'rows'} without a target left out")
        result = result.take(np.flatnonzero(~target.column.missing))
    values = target.values(result)
    if (values == values[0]).all():
        one = "class" if target.n_classes else "value"
        notes.append(f"target {target.name!r} has one {one} only, which every prediction will be")
    return result, notes


# ---- with --strict -------------------------------------------------------------------------------


def refuse_missing(columns: Columns, target: Target) -> None:
    """Refuse rows without a target."""
    missing = target.column.missing
    if missing.any():
        place = columns.place(int(np.argmax(missing)), target.name)
        raise ValueError(f"{place}: missing, and {int(missing.sum()) - 1:,} more")


# ---- texts among numbers -------------------------------------------------------------------------


class Slips(NamedTuple):
    """Texts among numbers."""

    places: list[str]
    """The first of each column, as messages name it."""
    texts: dict[str, tuple[str, ...]]
    """Those of each column, which are taken as missing from now on."""


def without_slips(columns: Columns, decisions: Mapping[str, Decision]) -> tuple[Columns, Slips]:
    """Return columns of numbers without the texts among them, and what these were."""
    found, slips, texts = [], [], {}
    for column in columns:
        decision = decisions.get(column.name)
        if column.is_text and decision is not None and decision.kind == "number":
            read, strays = read_as(column, column.style or ".")
            row = int(np.argmax(strays))
            text, n = column.take(slice(row, row + 1)).texts()[0], np.count_nonzero(strays)
            place = columns.place(row, column.name)
            texts[column.name] = strays_of(column)
            slips.append(f"{place}: {text!r:.50} is not a number ({n:,} such cells)")
            column = read
        found.append(column)
    lines, named = columns.lines, columns.named
    result = Columns(found, columns.n_rows, columns.source, lines=lines, named=named)
    return result, Slips(slips, texts)
