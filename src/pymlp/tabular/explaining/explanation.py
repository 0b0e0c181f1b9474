"""`Explanation`: what each column of a table contributes to each prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp import _html

__all__ = ["Explanation"]

_SHOWN = 12  # columns


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """What the columns of a table contribute to the predictions of its rows.

    The values of a row and `base` add up to its `outputs`, up to `gap`. It cannot be changed, its
    arrays neither.

    Attributes
    ----------
    values : ndarray of float64, shape (m, n_columns) or (m, n_columns, q)
        What each column adds to the output of each row; q where there are several outputs. 0 for
        columns that the model leaves out.
    base : float or ndarray, shape (q,)
        The output that values are counted from: at the mean row of the background, or the mean over
        its rows.
    outputs : ndarray, shape (m,) or (m, q)
        What is explained: log-odds, logits, probabilities, or numbers in the target's units.
    error : ndarray, shape of `values`, or (m, 1) or (m, 1, q)
        Of sampled values the standard error of each. Of integrated gradients by how much the values
        of a row miss its output.
    columns : tuple of str
        The table's columns.
    labels : tuple or None
        The class, quantile or target of each output; None where there is one output.
    method : str
        "integrated_gradients", "expected_gradients" or "shapley".
    output : str
        What the outputs are: "log-odds", "logits", "probabilities" or "target".
    """

    values: NDArray[np.float64]
    base: Any
    outputs: NDArray[np.float64]
    error: NDArray[np.float64]
    columns: tuple[str, ...]
    labels: tuple[Any, ...] | None
    method: str
    output: str

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.values)

    @property
    def gap(self) -> NDArray[np.float64]:
        """By how much values miss: output - base - their sum, shape (m,) or (m, q)."""
        found: NDArray[np.float64] = self.outputs - self.base - self.values.sum(axis=1)
        return found

    @property
    def importances(self) -> NDArray[np.float64]:
        """The mean size of each column's values over rows and outputs, shape (n_columns,)."""
        sizes = np.abs(self.values)
        found: NDArray[np.float64] = sizes.mean(axis=tuple(i for i in range(sizes.ndim) if i != 1))
        return found

    def to_dict(self, label: Any = None) -> dict[str, NDArray[np.float64]]:
        """Return the values of each column by its name, of which frames can be made.

        Parameters
        ----------
        label : optional
            One of `labels`, where there are several outputs.

        Raises
        ------
        ValueError
            If there is no such label, or one is needed.

        Examples
        --------
        >>> table = {"age": [20, 30, None, 61] * 8, "city": ["Bern", "Chur", "Bern", None] * 8}
        >>> model = pymlp.TabularClassifier(random_state=0).fit(table, ["no", "yes"] * 16)
        >>> {name: values.shape for name, values in model.explain(table).to_dict().items()}
        {'age': (32,), 'city': (32,)}
        """
        values = self._of_label(label)
        return {name: values[:, i] for i, name in enumerate(self.columns)}

    def _of_label(self, label: Any) -> NDArray[np.float64]:
        if self.labels is None:
            if label is not None:
                raise ValueError(f"label must be None, as there is one output, not {label!r}")
            return self.values
        if label not in self.labels:
            raise ValueError(f"label must be one of {list(self.labels)}, not {label!r}")
        found: NDArray[np.float64] = self.values[..., self.labels.index(label)]
        return found

    # ---- shown -----------------------------------------------------------------------------------

    def __repr__(self) -> str:
        rows = self._rows()
        width = max(len(row[0]) for row in rows)
        wide = max(len(row[1]) for row in rows)
        lines = [f"  {name:<{width}}  {size:>{wide}}" for name, size in rows[1:]]
        return "\n".join([f"{self._title()}, {rows[0][1]}:", *lines])

    def _repr_html_(self) -> str:
        return _html.block(_html.text(self._title(), strong=True), _html.table(self._rows(), [1]))

    def _title(self) -> str:
        what = {"target": "the target"}.get(self.output, self.output)
        return f"Explanation of {what} of {_counted(len(self), 'row')} by {self.method}"

    def _rows(self) -> list[tuple[str, str]]:
        """Return the columns that matter most, one row of the table, or the mean over its rows."""
        one = len(self) == 1 and self.labels is None
        sizes = self.values[0] if one else self.importances
        order = np.argsort(-np.abs(sizes), kind="stable")
        found = [(self.columns[i], f"{sizes[i]:{'+' if one else ''}.4g}") for i in order[:_SHOWN]]
        if one:
            found = [("(base)", f"{self.base:.4g}"), *found]
        more = len(self.columns) - _SHOWN
        if more > 0:
            found.append((f"({_counted(more, 'column')} more)", ""))
        return [("column", "value" if one else "mean size of a value"), *found]


def _counted(n: int, word: str) -> str:
    return f"{n:,} {word}{'s' * (n != 1)}"


def explanation_of(parts: Sequence[Any], columns: Sequence[str], *, where: Any, quantity: Any,
                   method: str) -> Explanation:  # fmt: skip
    """Return an explanation of attributions of pieces of a table.

    Parameters
    ----------
    parts : sequence of Attribution
        Of the columns that become inputs.
    columns : sequence of str
        All columns of the table.
    where : sequence of int
        The places of the former among the latter.
    quantity : Quantity
    method : str
    """
    shape = (len(columns), len(quantity.units))
    values, errors = (
        np.concatenate([_spread(getattr(part, name), where, shape) for part in parts])
        for name in ("values", "error")
    )
    outputs, base = np.concatenate([part.outputs for part in parts]), parts[0].base
    if quantity.labels is None:
        values, errors, outputs = values[..., 0], errors[..., 0], outputs[:, 0]
        base = float(base[0])
    return Explanation(
        values, base, outputs, errors, tuple(columns), quantity.labels, method, quantity.name
    )


def _spread(found: NDArray[Any], where: Any, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return what is known of some columns at their places among all; the others have 0."""
    if found.shape[1] != len(where):  # of all columns together
        return found
    result = np.zeros((len(found), *shape))
    result[:, where] = found
    return result
