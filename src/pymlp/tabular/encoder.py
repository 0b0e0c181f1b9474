"""The encoder: a table's columns as the array that a network takes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from pymlp import _arrays, _checks
from pymlp.files import stored as checks
from pymlp.files.stored import MALFORMED
from pymlp.tabular.columns import Column, Columns, refuse_duplicates
from pymlp.tabular.contract import Estimator
from pymlp.tabular.fields import (
    Category,
    Date,
    Encoding,
    FloatArray,
    Number,
    distinct,
    field_from_dict,
    write_numbers,
)
from pymlp.tabular.frames import columns_of
from pymlp.tabular.kinds import Decision, decide, forced, shown
from pymlp.tabular.text import read_as, read_text, strays_of, without_texts

__all__ = ["Field", "NoColumnsError", "Refused", "TableEncoder", "Unusual"]

FORMAT = 2  # 1 is what version 0.1 wrote: see earlier.py


class Field(NamedTuple):
    """A column that becomes inputs.

    Attributes
    ----------
    name, position
        In the training table.
    encoding : Number, Category or Date
    style : {".", ",", "dmy", "mdy", "text"}
        How its texts are read: with this decimal mark, with this order of day and month, or as
        they are.
    absent : tuple of str
        Texts among the numbers of the training, which were taken as missing ones: they are so later
        as well.
    """

    name: str
    position: int
    encoding: Encoding
    style: str
    absent: tuple[str, ...] = ()


class Refused(NamedTuple):
    """Cells of a column that cannot be what the column was: their rows, and an example."""

    name: str
    rows: NDArray[np.intp]
    reason: str


class Unusual(NamedTuple):
    """Cells that are missing, and those whose category the training did not have."""

    name: str
    n_missing: int
    n_unknown: int
    unknown: tuple[str, ...]  # the first of them


class NoColumnsError(ValueError):
    """All columns of a table are left out."""

    def __init__(self, source: str, decisions: Sequence[Decision]) -> None:
        self.source, self.decisions = source, decisions
        super().__init__(self.told("{option}=[{name!r}]"))

    def told(self, option: str) -> str:
        """Return the message, with options in this form: see `Decision.line`."""
        if not self.decisions:
            return f"{self.source} has no column beside the target"
        lines = "; ".join(decision.line(option) for decision in self.decisions[:10])
        return f"{self.source} has no column to learn from: {lines}"


class TableEncoder(Estimator):
    """Columns of a table as an array of numbers around 0: what a network takes.

    Numbers are standardised, and beyond 3 standard deviations they grow with their logarithm only.
    A missing number becomes the median, and a further input says that it was missing. Categories
    become an input each, which is 1 where a row has it; one more stands for missing, rare and
    unknown ones, if rows of the training had such, and otherwise these have the share of each
    category. Dates become year, month, day of the week, days
    since the first one and hour, as far as these differ. Left out, and said why in `decisions_`,
    are columns without a value or with one only, and in tables with names row numbers, ids and free
    text.

    Parameters
    ----------
    categorical, numeric, ignore, keep : names of columns, or their positions
        Columns that are categories, that are numbers (texts among them count as missing), that are
        left out, and that are not left out.
    max_categories : int, default 100
        The most frequent ones that a column keeps; the others are one.
    dtype : float32 or float64, default float32
        Of the array.

    Attributes
    ----------
    decisions_ : tuple of Decision
        What became of each column; `str` makes a sentence of one.
    fields_ : tuple of Field
        The columns that become inputs, and how.
    n_inputs_ : int
        The number of inputs.
    n_features_in_ : int
        The number of columns of the training table.
    feature_names_in_ : ndarray of str
        Their names, if it had names.

    Examples
    --------
    >>> from pymlp.tabular import TableEncoder
    >>> table = {"age": [20, 30, None, 40], "city": ["Bern", "Chur", "Bern", "Bern"]}
    >>> encoder = TableEncoder().fit(table)
    >>> encoder.transform(table).round(1)
    array([[-1.2,  0. ,  1. ,  0. ],
           [ 0. ,  0. ,  0. ,  1. ],
           [ 0. ,  1. ,  1. ,  0. ],
           [ 1.2,  0. ,  1. ,  0. ]], dtype=float32)
    >>> encoder.get_feature_names_out().tolist()
    ['age', 'age missing', 'city=Bern', 'city=Chur']
    """

    def __init__(
        self,
        *,
        categorical: Sequence[str | int] | str = (),
        numeric: Sequence[str | int] | str = (),
        ignore: Sequence[str | int] | str = (),
        keep: Sequence[str | int] | str = (),
        max_categories: int = 100,
        dtype: DTypeLike = "float32",
    ) -> None:
        self.categorical = categorical
        self.numeric = numeric
        self.ignore = ignore
        self.keep = keep
        self.max_categories = max_categories
        self.dtype = dtype

    # ---- fitting -------------------------------------------------------------------------------

    def fit(
        self,
        X: Any,
        y: object = None,
        *,
        sample_weight: ArrayLike | None = None,
        rows: NDArray[np.intp] | None = None,
    ) -> Self:
        """Decide what becomes of each column, and measure it.

        Parameters
        ----------
        X : table
            See `columns_of`.
        y : None
            Not looked at.
        sample_weight : array-like, shape (n_rows,), optional
            Of the rows, in means and deviations.
        rows : ndarray of int, optional
            Those that are measured, by default all; kinds of columns are decided by all rows.

        Returns
        -------
        TableEncoder
            Itself.

        Raises
        ------
        TypeError, ValueError
            If it is no table, a number is infinite, or no column is left; all columns are named.
        """
        columns = columns_of(X)
        most = _checks.integer("max_categories", self.max_categories, minimum=1)
        _arrays.float_dtype(self.dtype)
        options = {
            name: getattr(self, name) for name in ("categorical", "numeric", "ignore", "keep")
        }
        says = forced(columns, options)
        self.decisions_ = tuple(decide(c, says, named=columns.named) for c in columns)
        kept = {d.name: d.kind for d in self.decisions_ if d.kind != "left out"}
        _refuse_infinite(columns.select(kept))
        if not kept:
            raise NoColumnsError(columns.source, self.decisions_)
        weights = _arrays.sample_weights(sample_weight, columns.n_rows, np.dtype(np.float64))
        measured: Any = slice(None) if rows is None else rows
        some = None if weights is None else weights[measured]
        self.fields_ = tuple(
            _field(column.take(measured), place, kept[column.name], some, most)._replace(
                absent=strays_of(column) if kept[column.name] == "number" else ()
            )
            for place, column in enumerate(columns)
            if column.name in kept
        )
        self._remember(columns.names, columns.named)
        return self

    def _remember(self, names: Sequence[str | None], named: bool) -> None:
        self.n_features_in_ = len(names)
        self._names, self._named = tuple(names), named
        if named and None not in names:
            self.feature_names_in_ = np.array(names, object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    @property
    def named(self) -> bool:
        """Whether names tell which column is which; else their positions do."""
        self._check_fitted()
        return self._named

    @property
    def n_inputs_(self) -> int:
        """The number of inputs that the columns become."""
        return sum(field.encoding.width for field in self.fields_)

    @property
    def number_inputs_(self) -> list[int]:
        """The places of the inputs that are amounts; others are categories and flags."""
        ends = np.cumsum([0, *(field.encoding.width for field in self.fields_)])
        pairs = zip(self.fields_, ends[:-1].tolist(), strict=True)
        return [first + place for field, first in pairs for place in field.encoding.number_places]

    # ---- using ---------------------------------------------------------------------------------

    def fit_transform(self, X: Any, y: object = None, **options: Any) -> NDArray[Any]:
        """Fit, and return what `transform` would."""
        columns = columns_of(X)
        return self.fit(columns, y, **options).transform(columns)

    def transform(self, X: Any) -> NDArray[Any]:
        """Return a table as an array.

        Parameters
        ----------
        X : table
            Columns are found by name where the training table had names and this one has; others
            than those of the training are not looked at. Otherwise they go by position.

        Returns
        -------
        ndarray, shape (n_rows, n_inputs_)

        Raises
        ------
        TypeError, ValueError
            If columns are missing, or their cells cannot be what they were; all are named.
        """
        columns = self.arranged(X)
        refused = self.refused(columns)
        if refused:
            texts = [f"{columns.place(int(r.rows[0]), r.name)}: {r.reason}" for r in refused[:10]]
            raise ValueError("; ".join(texts))
        result = np.zeros((columns.n_rows, self.n_inputs_), self.dtype)
        place, arrays, numbers, places = 0, [], [], []
        for field, column in zip(self.fields_, columns, strict=True):
            encoding = field.encoding
            if isinstance(encoding, Category):
                encoding.write(result, place, column)
            else:
                parts = _number_parts(encoding, read_as(column, field.style).column)
                starts = place + np.cumsum([0, *(part.width for part, _ in parts)])
                places += starts[:-1].tolist()
                numbers += [part for part, _ in parts]
                arrays += [values for _, values in parts]
            place += encoding.width
        write_numbers(result, arrays, numbers, places)
        return result

    def arranged(self, X: Any) -> Columns:
        """Return the columns that become inputs, in their order, whatever the order in X.

        Raises
        ------
        ValueError
            If some are not there; all are named.
        """
        self._check_fitted()
        columns = columns_of(X, read=False)
        names = [field.name for field in self.fields_]
        if self.finds_by_name(columns):
            lacking = [name for name in names if name not in columns]
            if lacking:
                raise ValueError(
                    f"{columns.source} lacks columns that the model was trained on: "
                    f"{shown(lacking)}; it has {shown(columns.names)}"
                )
            return self._read(columns.select(names))
        if len(columns) == self.n_features_in_:
            places = [field.position for field in self.fields_]
        elif len(columns) == len(names):
            places = list(range(len(names)))
        else:
            raise ValueError(
                f"{columns.source} has {len(columns)} features, but {self._expecting} is expecting "
                f"{self.n_features_in_} features as input"
            )
        found = [columns[i].renamed(name) for i, name in zip(places, names, strict=True)]
        lines = columns.lines
        return self._read(
            Columns(found, columns.n_rows, columns.source, lines=lines, named=columns.named)
        )

    def finds_by_name(self, columns: Columns) -> bool:
        """Tell whether names tell which column is which, or their positions do."""
        return self._named and columns.named

    def _read(self, columns: Columns) -> Columns:
        """Read texts as those of the training were."""
        found = [
            read_text(without_texts(columns[field.name], field.absent), field.style)
            for field in self.fields_
        ]
        lines = columns.lines
        return Columns(found, columns.n_rows, columns.source, lines=lines, named=columns.named)

    _expecting = "TableEncoder"

    def refused(self, X: Any) -> list[Refused]:
        """Return the cells that `transform` would refuse: texts for numbers, infinite numbers."""
        found, columns = [], self.arranged(X)
        for field, column in zip(self.fields_, columns, strict=True):
            rows, reason = _wrong_cells(field, column)
            if len(rows):
                found.append(Refused(column.name, rows, reason))
        return found

    def unusual(self, X: Any) -> list[Unusual]:
        """Return which columns have missing cells or unknown categories, and how many."""
        found, columns = [], self.arranged(X)
        for field, column in zip(self.fields_, columns, strict=True):
            unknown = _unknown(field.encoding, column)
            n_unknown = sum(unknown.values())
            if n_unknown or column.n_missing:
                found.append(Unusual(field.name, column.n_missing, n_unknown, (*unknown,)[:5]))
        return found

    @property
    def styles(self) -> dict[str, str]:
        """How texts of columns are read, by name: see `Field`."""
        return {field.name: field.style for field in self.fields_}

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the names of the inputs, such as "age", "age missing" and "city=Bern"."""
        self._check_fitted()
        names = [label for f in self.fields_ for label in f.encoding.labels(f.name)]
        return np.array(names, object)

    # ---- keeping -------------------------------------------------------------------------------

    def to_json(self) -> str:
        """Return all that was fitted as JSON, of which `from_json` makes an equal encoder."""
        self._check_fitted()
        fields = [
            [f.name, f.position, f.encoding.to_dict(), f.style, *([f.absent] if f.absent else [])]
            for f in self.fields_
        ]
        return json.dumps(
            {
                "format": FORMAT,
                "dtype": str(np.dtype(self.dtype)),
                "names": self._names,
                "named": self._named,
                "fields": fields,
                "decisions": self.decisions_,
            },
            ensure_ascii=False,
        )

    @classmethod
    def from_json(cls, text: str) -> TableEncoder:
        """Return the encoder that `to_json` wrote.

        Raises
        ------
        ValueError
            If it is something else, or of a later version.
        """
        try:
            stored = checks.parsed(text)
            if stored["format"] != FORMAT:
                raise ValueError(f"format {stored['format']!r} is unknown to this version")
            names = [name if name is None else str(name) for name in stored["names"]]
            fields = [_stored_field(len(names), *field) for field in stored["fields"]]
            refuse_duplicates((field.name for field in fields), "the table of the training")
            dtype = _arrays.float_dtype(stored["dtype"]).name
            decisions = [Decision(*map(str, decision)) for decision in stored["decisions"]]  # type: ignore[arg-type]
            return cls.of(fields, names, bool(stored["named"]), dtype, decisions=decisions)
        except MALFORMED as error:
            raise ValueError(f"the encoder cannot be read: {error}") from None

    @classmethod
    def of(
        cls,
        fields: Sequence[Field],
        names: Sequence[str | None],
        named: bool,
        dtype: DTypeLike,
        decisions: Sequence[Decision] = (),
    ) -> TableEncoder:
        """Return a fitted encoder of these fields of a table with these columns."""
        encoder = cls(dtype=dtype)
        encoder.fields_, encoder.decisions_ = tuple(fields), tuple(decisions)
        encoder._remember(names, named)
        return encoder


_STYLES = (".", ",", "dmy", "mdy", "text")


def _stored_field(
    n_columns: int, name: str, position: int, stored: Any, style: str, absent: Sequence[str] = ()
) -> Field:
    if not isinstance(name, str) or style not in _STYLES:
        raise ValueError(f"there is no column {name!r:.50} with texts read as {style!r:.50}")
    place = checks.integer(f"the position of {name!r}", position, below=n_columns)
    return Field(name, place, field_from_dict(stored), style, tuple(map(str, absent)))


def _field(column: Column, place: int, kind: str, weights: FloatArray | None, most: int) -> Field:
    encoding: Encoding
    if kind == "category":
        encoding, style = Category.fit(column, most, weights), "text"
    elif kind == "date":
        encoding, style = Date.fit(column.values, weights), column.style or "mdy"
    else:
        style = column.style or "."
        encoding = Number.fit(read_as(column, style).column.values, weights)
    return Field(column.name, place, encoding, style)


def _number_parts(encoding: Number | Date, column: Column) -> list[tuple[Number, FloatArray]]:
    if isinstance(encoding, Number):
        return [(encoding, column.values)]
    values = column.values
    if not column.is_date:  # then all are missing, as it is not refused
        values = np.full(len(values), "NaT", "datetime64[s]")
    return list(zip(encoding.parts.values(), encoding.numbers(values), strict=True))


def _refuse_infinite(columns: Columns) -> None:
    wrong = [(c.name, np.flatnonzero(np.isinf(c.values))) for c in columns if c.is_number]
    texts = [
        f"{columns.place(int(rows[0]), name)} ({len(rows):,} in all)"
        for name, rows in wrong
        if len(rows)
    ]
    if texts:
        raise ValueError(
            "numbers must be finite, or missing (NaN), but these are infinite: "
            + "; ".join(texts[:10])
        )


_NO_ROWS = np.empty(0, np.intp)


def _wrong_cells(field: Field, column: Column) -> tuple[NDArray[np.intp], str]:
    """Return the rows that cannot be encoded, and why the first of them cannot."""
    if isinstance(field.encoding, Category) or column.n_missing == len(column.values):
        return _NO_ROWS, ""
    read, strays = read_as(column, field.style)
    wanted = "a date" if isinstance(field.encoding, Date) else "a number"
    if read.is_date != isinstance(field.encoding, Date):
        rows = np.flatnonzero(~read.missing)
    elif read.is_number and np.isinf(read.values).any():
        rows, wanted = np.flatnonzero(np.isinf(read.values)), "a finite number"
    else:
        rows = np.flatnonzero(strays)
    if not len(rows):
        return _NO_ROWS, ""
    return rows, f"{column.take(rows[:1]).texts()[0]!r:.50} is not {wanted}"


def _unknown(encoding: Encoding, column: Column) -> dict[str, int]:
    """Return the values that are no categories, and how many rows have each."""
    if not isinstance(encoding, Category):
        return {}
    unknown = (encoding.codes(column) < 0) & ~column.missing
    if not unknown.any():
        return {}
    texts, codes = distinct(column)
    found, counts = np.unique(codes[unknown], return_counts=True)
    return {texts[code]: int(n) for code, n in zip(found, counts, strict=True)}
