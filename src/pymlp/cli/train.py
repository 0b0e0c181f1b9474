"""``pymlp train``: from a CSV file to a model file."""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

import pymlp
from pymlp.cli import report
from pymlp.cli.preprocessing import (
    Categories,
    Parts,
    Preprocessing,
    Task,
    choose_task,
    fit_preprocessing,
    fit_target,
    split_rows,
)
from pymlp.cli.table import Column, Table, read_table
from pymlp.files import safetensors

_VALIDATION_FRACTION = 0.1


def train(arguments: argparse.Namespace) -> None:
    """Run ``pymlp train``."""
    say = (lambda texts: None) if arguments.quiet else report.say
    out = _model_path(arguments)
    table, preprocessing, parts = _prepare(arguments)
    network = _make_network(preprocessing, arguments)
    about = {
        "data": report.describe_data(table, preprocessing),
        "rows": report.describe_rows(parts),
        "network": report.describe_network(network),
    }
    say(about)
    X = preprocessing.encode_inputs(table, arguments.dtype)
    y = preprocessing.encode_target(table, arguments.dtype)
    history = _fit(network, X, y, parts, arguments)
    score, result = report.test_score(network, X, table, preprocessing.target, parts.test)
    result = {"training": report.describe_training(history), **result}
    record = json.dumps({"score": score, "report": {**about, **result}})
    texts = {"preprocessing": preprocessing.to_json(), "training": record}
    safetensors.write(out, network.__getstate__(), texts)
    # The speed is not kept: the same seed and data shall make the same file.
    say({**result, "speed": report.describe_speed(history, len(parts.training)), "model": str(out)})


def _model_path(arguments: argparse.Namespace) -> Path:
    """Return where the model goes; a place that cannot take it is an error before training."""
    path: Path = arguments.out or Path(Path(arguments.data).stem + ".safetensors")
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", str(path.parent))
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise PermissionError(errno.EACCES, "cannot be written to", str(path))
    return path


def _prepare(arguments: argparse.Namespace) -> tuple[Table, Preprocessing, Parts]:
    table = read_table(arguments)
    target = table.position(arguments.target)
    ignored = [table.position(name) for name in arguments.ignore]
    task = arguments.task or choose_task(table.columns[target])
    parts = _divide(table.columns[target], task, arguments.test_fraction, arguments.seed)
    preprocessing = fit_preprocessing(
        table, target, task=task, rows=parts.training, ignored=ignored
    )
    return table, preprocessing, parts


def _divide(target: Column, task: Task, test_fraction: float, seed: int) -> Parts:
    generator = np.random.default_rng(seed)
    everything = np.arange(len(target.cells))
    encoding = fit_target(target, task, everything)
    labels = np.zeros_like(everything)
    if isinstance(encoding, Categories):
        labels = encoding.codes(target)
    rest, test = split_rows(labels, test_fraction, generator)
    training, validation = split_rows(labels[rest], _VALIDATION_FRACTION, generator)
    if not len(validation) or (test_fraction and not len(test)):
        raise ValueError(f"{target.source}: {len(everything)} rows are too few to hold out a part")
    return Parts(rest[training], rest[validation], test)


def _make_network(preprocessing: Preprocessing, arguments: argparse.Namespace) -> pymlp.Network:
    n_outputs = preprocessing.target.encoding.width
    return pymlp.Network(
        [preprocessing.n_inputs, *arguments.hidden, n_outputs],
        hidden=arguments.activation,
        output="softmax" if preprocessing.classes else "linear",
        dtype=arguments.dtype,
        seed=arguments.seed,
    )


def _fit(
    network: pymlp.Network,
    X: NDArray[Any],
    y: NDArray[Any],
    parts: Parts,
    arguments: argparse.Namespace,
) -> pymlp.History:
    n_outputs, targets = network.widths[-1], y[parts.training]
    if n_outputs > 1:
        targets = _soften(targets, n_outputs, arguments.label_smoothing, X.dtype)
    return network.fit(
        X[parts.training],
        targets,
        epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        optimizer=arguments.optimizer,
        learning_rate=arguments.learning_rate,
        validation=(X[parts.validation], y[parts.validation]),
        early_stopping=pymlp.EarlyStopping(patience=arguments.patience, restore_best=True),
        progress=sys.stderr.isatty() and not arguments.quiet,
        seed=arguments.seed,
    )


def _soften(
    labels: NDArray[Any], n_classes: int, smoothing: float, dtype: DTypeLike
) -> NDArray[Any]:
    """Return probabilities: most of each goes to the label, the rest to all classes alike."""
    probabilities = np.full((len(labels), n_classes), smoothing / n_classes, dtype)
    probabilities[np.arange(len(labels)), labels] += 1.0 - smoothing
    return probabilities
