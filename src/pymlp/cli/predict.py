"""``pymlp predict``: a prediction for each row of a file, which may be larger than memory."""

from __future__ import annotations

import argparse
import csv
import dataclasses
import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

import pymlp
from pymlp.cli.counts import Counts
from pymlp.cli.files import chosen, file_options, replacing, unknown_columns, writable
from pymlp.cli.scores import label_text
from pymlp.tabular import Columns, TabularClassifier, TabularRegressor
from pymlp.tabular.encoder import Field
from pymlp.tabular.model import TableModel
from pymlp.tabular.reading import FileOptions, Table, read_pieces
from pymlp.tabular.text import read_as


class _Predictions(NamedTuple):
    """What is written for some rows."""

    titles: list[str]
    columns: list[Sequence[str]]


_Work: TypeAlias = Callable[[Table, Counts], _Predictions]


def predict(arguments: argparse.Namespace) -> int:
    """Run ``pymlp predict`` and return the exit status."""
    if arguments.out == Path("-"):
        arguments.out = None
    if arguments.out is not None:
        writable(arguments.out, arguments.model, arguments.data, force=arguments.force)
    model, options = pymlp.load(arguments.model), file_options(arguments)
    if not isinstance(model, TableModel | pymlp.Network):
        raise ValueError(
            f"{arguments.model} holds {_named(model)}, which takes arrays: "
            "pymlp.load(...).predict(X) in Python"
        )
    if arguments.probabilities and not isinstance(model, TabularClassifier):
        raise ValueError(f"{arguments.model} has no classes, so there are no probabilities of them")
    expected: list[str] = []
    work: _Work
    if isinstance(model, TableModel):
        expected, options = _as_trained(model, options)
        work = functools.partial(_predictions, model, arguments.probabilities)
    else:
        expected = list(model.feature_names or ())
        work = functools.partial(_outputs, model)
    counts = Counts(strict=arguments.strict)
    keep = functools.partial(chosen, texts=arguments.keep)
    pieces = read_pieces(arguments.data, options, expected=expected, keep=keep)
    parts = (_with_kept(piece, work(piece, counts)) for piece in pieces)
    if arguments.out is None:
        _write(sys.stdout, parts)
    else:
        with replacing(arguments.out) as part, part.open("w", encoding="utf-8", newline="") as file:
            _write(file, parts)
    counts.tell()
    return 0


# ---- a model of a table --------------------------------------------------------------------------


def _as_trained(model: TableModel, options: FileOptions) -> tuple[list[str], FileOptions]:
    """Return the names of the columns that are needed, and how the file is read.

    A decimal mark that the user says holds for all columns of numbers, else each has that of the
    training.
    """
    encoder = model.encoder_
    marks = {field.style for field in encoder.fields_} & {".", ","}
    if options.decimal is not None:
        encoder.fields_ = tuple(_with_mark(field, options.decimal) for field in encoder.fields_)
    elif "," in marks:
        options = dataclasses.replace(options, decimal=",")
    return [field.name for field in encoder.fields_] if encoder.named else [], options


def _with_mark(field: Field, decimal: str) -> Field:
    return field._replace(style=decimal) if field.style in (".", ",") else field


def _predictions(
    model: TableModel, with_probabilities: bool, table: Table, counts: Counts
) -> _Predictions:
    columns = model.arranged(table.columns)
    rows = np.flatnonzero(counts.wrong_rows(table))
    if len(rows) < columns.n_rows:
        columns = columns.take(rows)
    good = counts.cells(model.encoder_, columns)
    if not good.all():
        rows, columns = rows[good], columns.take(np.flatnonzero(good))
    titles = ["prediction"]
    if isinstance(model, TabularClassifier) and with_probabilities:
        titles += map(label_text, model.classes_.tolist())
    found = _decoded(model, columns, with_probabilities) if len(rows) else [[]] * len(titles)
    return _Predictions(titles, [_placed(c, rows, table.columns.n_rows) for c in found])


def _decoded(model: TableModel, columns: Columns, with_probabilities: bool) -> list[Sequence[str]]:
    if isinstance(model, TabularRegressor):
        return [_texts(model.predict(columns))]
    assert isinstance(model, TabularClassifier)
    probabilities = model.predict_proba(columns)
    labels = list(map(label_text, model.classes_.tolist()))
    chosen = [labels[place] for place in probabilities.argmax(axis=1).tolist()]
    return [chosen, *map(_texts, probabilities.T if with_probabilities else ())]


def _placed(texts: Sequence[str], rows: NDArray[np.intp], n_rows: int) -> Sequence[str]:
    """Return texts at their rows, and empty ones elsewhere."""
    if len(rows) == n_rows:
        return texts
    placed = [""] * n_rows
    for row, text in zip(rows.tolist(), texts, strict=True):
        placed[row] = text
    return placed


def _texts(values: NDArray[Any]) -> Sequence[str]:
    # As text, a float32 has the fewest digits that tell it from its neighbours.
    texts: list[str] = values.astype(str).tolist()
    return texts


# ---- a bare network ------------------------------------------------------------------------------


def _outputs(network: pymlp.Network, table: Table, counts: Counts) -> _Predictions:
    columns, n_inputs = table.columns, network.widths[0]
    if network.feature_names is not None and columns.named:
        lacking = [name for name in network.feature_names if name not in columns]
        if lacking:
            raise unknown_columns(columns, lacking)
        columns = columns.select(network.feature_names)
    if len(columns) != n_inputs:
        raise ValueError(
            f"{columns.source} has {len(columns)} columns, the network {n_inputs} inputs, and "
            "there is no preprocessing in the model to tell which is which"
        )
    good = counts.wrong_rows(table)
    X = np.column_stack([_numbers(columns, name, good) for name in columns.names])
    outputs, rows = network.predict(X[good]), np.flatnonzero(good)
    titles = [f"output_{i}" for i in range(outputs.shape[1])]
    return _Predictions(titles, [_placed(_texts(c), rows, len(X)) for c in outputs.T])


def _numbers(columns: Columns, name: str, good: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the numbers of a column; a bare network knows nothing of missing ones."""
    column, strays = read_as(columns[name], ".")
    wrong = (strays | ~np.isfinite(column.values)) & good
    if wrong.any():
        row = int(np.argmax(wrong))
        text = columns[name].take(slice(row, row + 1)).texts()[0] or ""
        raise ValueError(f"{columns.place(row, name)}: {text!r:.50} is not a number")
    return column.values


# ---- what is written -----------------------------------------------------------------------------


def _with_kept(table: Table, found: _Predictions) -> _Predictions:
    kept = [[text or "" for text in texts] for texts in table.kept.values()]
    return _Predictions([*table.kept, *found.titles], [*kept, *found.columns])


def _write(file: TextIO, parts: Iterator[_Predictions]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    for i, part in enumerate(parts):
        if i == 0:
            writer.writerow(part.titles)
        writer.writerows(zip(*part.columns, strict=True))


def _named(model: Any) -> str:
    name = type(model).__name__
    return f"an {name}" if name.startswith("MLP") else f"a {name}"
