"""``pymlp predict`` and ``pymlp show``: what is done with a model file."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

import pymlp
from pymlp.cli import report
from pymlp.cli.preprocessing import Categories, Numbers, Preprocessing
from pymlp.cli.table import Table, read_table
from pymlp.files.load import read_network


def _load(path: str) -> tuple[pymlp.Network, Preprocessing | None, dict[str, Any]]:
    network, metadata = read_network(path)
    if "preprocessing" not in metadata:
        return network, None, {}
    try:
        preprocessing = Preprocessing.from_json(metadata["preprocessing"])
        record = json.loads(metadata.get("training", "{}"))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return network, preprocessing, record


def predict(arguments: argparse.Namespace) -> None:
    """Run ``pymlp predict``."""
    network, preprocessing, _ = _load(arguments.model)
    if arguments.probabilities and not (preprocessing and preprocessing.classes):
        raise ValueError(f"{arguments.model} has no classes, so there are no probabilities of them")
    if preprocessing is None:
        titles, columns = _raw_outputs(network, read_table(arguments))
    else:
        expected = [field.name for field in preprocessing.inputs if preprocessing.has_header]
        X = preprocessing.encode_inputs(read_table(arguments, expected), network.dtype)
        titles, columns = _predictions(preprocessing, network.predict(X), arguments.probabilities)
    if arguments.out is None:
        _write_csv(sys.stdout, titles, columns)
    else:
        with open(arguments.out, "w", encoding="utf-8", newline="") as file:
            _write_csv(file, titles, columns)


def _raw_outputs(network: pymlp.Network, table: Table) -> tuple[list[str], list[NDArray[Any]]]:
    if len(table.columns) != network.widths[0]:
        raise ValueError(
            f"{table.source} has {len(table.columns)} columns, the network {network.widths[0]} "
            "inputs, and there is no preprocessing in the model to tell which is which"
        )
    X = np.column_stack([column.numbers() for column in table.columns])
    outputs = network.predict(X)
    return [f"output_{i}" for i in range(outputs.shape[1])], list(outputs.T)


def _predictions(
    preprocessing: Preprocessing, outputs: NDArray[Any], probabilities: bool
) -> tuple[list[str], list[NDArray[Any]]]:
    encoding = preprocessing.target.encoding
    if isinstance(encoding, Numbers):
        return ["prediction"], [encoding.decode(outputs)]
    chosen = np.array(encoding.names)[outputs.argmax(axis=1)]
    if not probabilities:
        return ["prediction"], [chosen]
    return ["prediction", *encoding.names], [chosen, *outputs.T]


def _write_csv(file: TextIO, titles: Sequence[str], columns: Sequence[NDArray[Any]]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(titles)
    # As text, a float32 has the fewest digits that tell it from its neighbours.
    writer.writerows(zip(*(column.astype(str).tolist() for column in columns), strict=True))


def show(arguments: argparse.Namespace) -> None:
    """Run ``pymlp show``."""
    network, preprocessing, record = _load(arguments.model)
    print(network.summary())
    if preprocessing is None:
        print("no preprocessing: input columns are numbers, taken by position as they are")
        return
    print("\ninputs")
    width = max(len(field.name) for field in preprocessing.inputs)
    for field in preprocessing.inputs:
        print(f"  {field.name:<{width}}  {_describe(field.encoding)}")
    print(f"target\n  {preprocessing.target.name}  {_describe(preprocessing.target.encoding)}\n")
    report.say(
        {label: text for label, text in record.get("report", {}).items() if label != "network"}
    )


def _describe(encoding: Numbers | Categories) -> str:
    if isinstance(encoding, Numbers):
        return f"number, mean {encoding.mean:.6g}, standard deviation {encoding.scale:.6g}"
    return f"one of {', '.join(encoding.names)}"
