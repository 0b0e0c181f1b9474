"""What ``pymlp train`` prints: the data, the network, the score on the test rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pymlp
from pymlp.cli.preprocessing import Field, IntArray, Numbers, Parts, Preprocessing
from pymlp.cli.table import Table

# A confusion matrix of more characters across is no longer read; its worst cells are.
_PAGE_WIDTH = 120
_WORST_CELLS = 10


def say(report: Mapping[str, str]) -> None:
    """Print a report, label by label."""
    for label, text in report.items():
        print(f"{label:<11}" + text.replace("\n", "\n" + 11 * " "), flush=True)


def describe_data(table: Table, preprocessing: Preprocessing) -> str:
    """Return a line on the file."""
    header = "a header" if table.has_header else "no header"
    classes = len(preprocessing.classes)
    kind = f"{classes} classes" if classes else "amounts"
    return (
        f"{table.source}: {header}, {table.n_rows:,} rows, {len(preprocessing.inputs):,} input "
        f"columns, target {preprocessing.target.name!r} ({kind})"
    )


def describe_rows(parts: Parts) -> str:
    """Return a line on how the rows are divided."""
    training, validation, test = map(len, parts)
    return f"{training:,} to learn from, {validation:,} for validation, {test:,} for the test"


def describe_network(network: pymlp.Network) -> str:
    """Return a line on the network."""
    widths = "-".join(map(str, network.widths))
    activations = ", ".join(repr(layer.activation) for layer in network.layers)
    return f"{widths}, {activations}, {network.n_parameters:,} parameters, {network.dtype}"


def describe_training(history: pymlp.History) -> str:
    """Return a line on the training."""
    reasons = {"early_stopping": "the validation loss stopped falling", "epochs": "the last epoch"}
    reason = reasons.get(history.stopped_by, history.stopped_by)
    return f"{len(history.loss):,} epochs, until {reason}"


def describe_speed(history: pymlp.History, n_samples: int) -> str:
    """Return a line on the speed."""
    samples = len(history.loss) * n_samples
    rate = samples / max(history.seconds, 1e-9)
    return f"{rate:,.0f} samples/s, {history.seconds:.2f} s of training"


def test_score(
    network: pymlp.Network, X: NDArray[Any], table: Table, target: Field, rows: IntArray
) -> tuple[dict[str, float], dict[str, str]]:
    """Return the scores on the test rows, and what to print of them."""
    if not len(rows):
        return {}, {"test": "no rows held out"}
    outputs, column = network.predict(X[rows]), table.columns[target.position]
    if isinstance(target.encoding, Numbers):
        return _test_amounts(column.numbers()[rows], target.encoding.decode(outputs))
    labels, classes = target.encoding.codes(column)[rows], target.encoding.names
    return _test_classes(classes, labels, outputs.argmax(axis=1))


def _test_classes(
    classes: Sequence[str], labels: IntArray, predicted: IntArray
) -> tuple[dict[str, float], dict[str, str]]:
    counts = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(counts, (labels, predicted), 1)
    n_correct, n_rows = int(counts.trace()), len(labels)
    accuracy = n_correct / n_rows
    text = f"accuracy {100 * accuracy:.2f} % ({n_correct:,} of {n_rows:,})"
    return {"accuracy": accuracy}, {"test": text, "confusion": _confusion_text(counts, classes)}


def _confusion_text(counts: IntArray, classes: Sequence[str]) -> str:
    cells = [
        ["", *classes],
        *([name, *map(str, row)] for name, row in zip(classes, counts, strict=True)),
    ]
    width = 2 + max(len(cell) for row in cells for cell in row)
    if width * len(cells) <= _PAGE_WIDTH:
        lines = ["".join(cell.rjust(width) for cell in row) for row in cells]
        return "\n".join(["(rows: actual, columns: predicted)", *lines])
    wrong = counts - np.diag(counts.diagonal())
    worst = np.argsort(-wrong, axis=None, kind="stable")[:_WORST_CELLS]
    pairs = [divmod(int(cell), len(classes)) for cell in worst if wrong.flat[cell]]
    lines = [f"{wrong[i, j]:>6,} times {classes[i]} taken for {classes[j]}" for i, j in pairs]
    return "\n".join(["the worst", *lines])


def _test_amounts(
    truth: NDArray[Any], predicted: NDArray[Any]
) -> tuple[dict[str, float], dict[str, str]]:
    error = predicted - truth
    variance = float(truth.var())
    mse = float((error**2).mean())
    score = {
        "rmse": mse**0.5,
        "mae": float(np.abs(error).mean()),
        "r2": 1.0 - mse / variance if variance else 0.0,
    }
    text = "RMSE {rmse:.6g}, MAE {mae:.6g}, R2 {r2:.4f}".format(**score)
    return score, {"test": f"{text} ({len(truth):,} rows)"}
