"""Columns of a table as the arrays that a network takes, in training and in every later use."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pymlp.cli.table import Column, FloatArray, Table, is_number, suggestion

IntArray = NDArray[np.int64]
Task = Literal["classification", "regression"]

# Up to here distinct values may be codes of a few classes; beyond, they are amounts or names.
FEW_VALUES = 20

# Standard deviations from the mean beyond which an input grows with its logarithm only: one rare
# outlier, or the first non-zero pixel of a nearly constant column, must not outweigh the rest.
_USUAL = 3.0

_FORMAT = 1


@dataclass(frozen=True)
class Numbers:
    """A column of numbers, standardised: its mean becomes 0 and its standard deviation 1."""

    mean: float
    scale: float
    width: ClassVar[int] = 1

    @classmethod
    def fit(cls, values: FloatArray) -> Numbers:
        """Measure mean and standard deviation; a constant column keeps its scale."""
        largest = float(np.abs(values).max())
        unit = largest or 1.0  # the squares of very large numbers would overflow
        scale = float((values / unit).std()) * unit
        noise = 8 * np.finfo(np.float64).eps * largest  # rounding alone spreads equal numbers
        return cls(float((values / unit).mean()) * unit, scale if scale > noise else 1.0)

    def scores(self, column: Column) -> FloatArray:
        """Return the distances from the mean in standard deviations, shape (rows,)."""
        with np.errstate(over="ignore"):
            return (column.numbers() - self.mean) / self.scale

    def encode(self, column: Column) -> FloatArray:
        """Return the scores, damped where they are far out, shape (rows, 1)."""
        scores = self.scores(column)
        excess = np.clip(np.abs(scores) - _USUAL, 0.0, np.finfo(np.float64).max)
        damped = np.copysign(_USUAL + np.log1p(excess), scores)
        return np.where(excess > 0.0, damped, scores)[:, np.newaxis]

    def decode(self, outputs: NDArray[Any]) -> FloatArray:
        """Map a network's outputs back, to as many digits as its precision carries."""
        values = outputs[:, 0].astype(np.float64) * self.scale + self.mean
        digits = np.finfo(outputs.dtype).precision - int(np.floor(np.log10(self.scale)))
        return values.round(min(digits, 300))


@dataclass(frozen=True)
class Categories:
    """A column of categories, one-hot; or, as a target, the classes."""

    names: tuple[str, ...]

    @classmethod
    def fit(cls, column: Column) -> Categories:
        """Collect the distinct cells: numbers first, in numerical order, then text."""
        names: dict[float | str, str] = {}
        for text in dict.fromkeys(column.texts()):
            names.setdefault(_category_key(text), text)
        order = sorted(names, key=lambda key: (isinstance(key, str), key))
        return cls(tuple(names[key] for key in order))

    @property
    def width(self) -> int:
        """The number of categories."""
        return len(self.names)

    def codes(self, column: Column) -> IntArray:
        """Return the index of each cell's category, shape (rows,); an unknown one is an error."""
        known = {_category_key(name): code for code, name in enumerate(self.names)}
        texts = column.texts()
        found = {text: known.get(_category_key(text), -1) for text in set(texts)}
        codes = np.fromiter((found[text] for text in texts), np.int64, len(texts))
        if -1 in found.values():
            row = int(np.argmin(codes))
            hint = suggestion(texts[row], self.names)
            raise ValueError(f"{column.place(row)}: unknown category {texts[row]!r}; {hint}")
        return codes

    def encode(self, column: Column) -> FloatArray:
        """Return a one in the place of each cell's category, shape (rows, width)."""
        codes = self.codes(column)
        one_hot = np.zeros((len(codes), self.width))
        one_hot[np.arange(len(codes)), codes] = 1.0
        return one_hot


def _category_key(text: str) -> float | str:
    # "3" and "3.0" are one category, whichever way a file writes it.
    return float(text) if is_number(text) else text


@dataclass(frozen=True)
class Field:
    """A column's name and position in the training file, and what becomes of its cells."""

    name: str
    position: int
    encoding: Numbers | Categories


@dataclass(frozen=True)
class Preprocessing:
    """Everything needed to turn rows of a file into inputs, and outputs into predictions.

    Attributes
    ----------
    inputs, target
        The fields, inputs in the order in which the network takes them.
    n_columns, has_header
        The shape of the training file: what stands where in a file without names.
    """

    inputs: tuple[Field, ...]
    target: Field
    n_columns: int
    has_header: bool

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes in the order of the outputs; none in regression."""
        encoding = self.target.encoding
        return encoding.names if isinstance(encoding, Categories) else ()

    @property
    def n_inputs(self) -> int:
        """The number of inputs of the network."""
        return sum(field.encoding.width for field in self.inputs)

    def encode_inputs(self, table: Table, dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """Return the table's inputs, shape (rows, n_inputs)."""
        X = np.empty((table.n_rows, self.n_inputs), dtype)
        start = 0
        for field, column in zip(self.inputs, self._input_columns(table), strict=True):
            stop = start + field.encoding.width
            X[:, start:stop] = field.encoding.encode(column)
            start = stop
        return X

    def encode_target(self, table: Table, dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """Return the training file's class labels or standardised amounts, shape (rows,)."""
        column, encoding = table.columns[self.target.position], self.target.encoding
        if isinstance(encoding, Categories):
            return encoding.codes(column)
        return encoding.scores(column).astype(dtype)

    def _input_columns(self, table: Table) -> list[Column]:
        if self.has_header and table.has_header:
            return table.select([field.name for field in self.inputs])
        if len(table.columns) == self.n_columns:
            return [table.columns[field.position] for field in self.inputs]
        if len(table.columns) == len(self.inputs):
            return list(table.columns)
        raise ValueError(
            f"{table.source} has {len(table.columns)} columns, not the {len(self.inputs)} inputs "
            f"of the model or the {self.n_columns} columns of its training file"
        )

    def to_json(self) -> str:
        """Write as JSON, from which ``from_json`` makes an equal object."""
        return json.dumps({"format": _FORMAT, **asdict(self)}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Preprocessing:
        """Read what ``to_json`` wrote; anything else raises ValueError."""
        try:
            stored = json.loads(text)
            if stored["format"] != _FORMAT:
                raise ValueError(f"format {stored['format']!r} is unknown to this version")
            inputs = tuple(map(_read_field, stored["inputs"]))
            target = _read_field(stored["target"])
            return cls(inputs, target, int(stored["n_columns"]), bool(stored["has_header"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"the preprocessing in the model cannot be read: {error}") from error


def _read_field(stored: dict[str, Any]) -> Field:
    encoding = stored["encoding"]
    read = (
        Categories(tuple(map(str, encoding["names"])))
        if "names" in encoding
        else Numbers(float(encoding["mean"]), float(encoding["scale"]))
    )
    return Field(str(stored["name"]), int(stored["position"]), read)


def choose_task(column: Column) -> Task:
    """Take text, and few distinct whole numbers that recur, for classes; others for amounts."""
    if _is_categorical(column):
        return "classification"
    values = column.numbers()
    few = min(FEW_VALUES, max(2, len(values) // 5))
    whole = bool((values == np.rint(values)).all())
    return "classification" if whole and len(np.unique(values)) <= few else "regression"


def fit_preprocessing(
    table: Table, target: int, *, task: Task, rows: IntArray, ignored: Sequence[int] = ()
) -> Preprocessing:
    """Decide how each column is encoded.

    Parameters
    ----------
    table
        The whole file: the kinds of its columns and their categories come from every row.
    target, ignored
        The positions of the column to predict, for which `task` is meant, and of those left out.
    rows
        The rows to take means and standard deviations from: those that training sees.
    """
    inputs = tuple(
        Field(column.name, position, _fit_input(column, rows))
        for position, column in enumerate(table.columns)
        if position != target and position not in ignored
    )
    if not inputs:
        raise ValueError(f"{table.source} has no column beside the target to learn from")
    column = table.columns[target]
    field = Field(column.name, target, fit_target(column, task, rows))
    return Preprocessing(inputs, field, len(table.columns), table.has_header)


def _fit_input(column: Column, rows: IntArray) -> Numbers | Categories:
    if _is_categorical(column):
        return Categories.fit(column)
    return Numbers.fit(column.numbers()[rows])


def fit_target(column: Column, task: Task, rows: IntArray) -> Numbers | Categories:
    """Collect the classes of a target or measure its amounts, of which two must differ."""
    values, first = column.values, column.texts()[0]
    if len(set(column.texts())) == 1 if values is None else bool(np.ptp(values) == 0):
        one = "class" if task == "classification" else "value"
        raise ValueError(f"{column.source}: target {column.name!r} has one {one} only, {first!r}")
    if task == "regression":
        return Numbers.fit(column.numbers()[rows])
    classes = Categories.fit(column)
    _refuse_names(column, classes.width)
    return classes


def _is_categorical(column: Column) -> bool:
    """Tell categories from numbers, and refuse a slip among numbers and a column of names."""
    if column.values is not None:
        return False
    counts = Counter(column.texts())
    stray = {text for text in counts if not is_number(text)}
    share = sum(counts[text] for text in stray) / len(column.cells)
    if len(counts) > FEW_VALUES and share < 0.1:
        row = next(i for i, cell in enumerate(column.cells) if cell.strip() in stray)
        text = column.cells[row].strip()
        raise ValueError(f"{column.place(row)}: {text!r} is not a number, as most cells there are")
    _refuse_names(column, len(counts))
    return True


def _refuse_names(column: Column, n_distinct: int) -> None:
    n_rows = len(column.cells)
    if n_distinct > max(FEW_VALUES, n_rows // 2):
        raise ValueError(
            f"{column.source}, column {column.name!r}: {n_distinct:,} different values in "
            f"{n_rows:,} rows, such as {column.cells[0].strip()!r}, are too many for categories; "
            "an input can be left out with --ignore"
        )


def split_rows(
    labels: IntArray, fraction: float, generator: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Divide rows at random into kept and held-out ones, every class in proportion.

    One row of each class at least is kept. Both results are in ascending order.
    """
    order = generator.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    first_of_class = np.diff(labels[order], prepend=-1) != 0
    candidates = order[~first_of_class]
    n_held = min(int(fraction * len(labels) + 0.5), len(candidates))
    picks = (2 * np.arange(n_held) + 1) * len(candidates) // max(2 * n_held, 1)
    held = np.sort(candidates[picks])
    return np.setdiff1d(order, held), held


class Parts(NamedTuple):
    """The rows to learn from, those that tell when to stop, and those that test the result."""

    training: IntArray
    validation: IntArray
    test: IntArray
