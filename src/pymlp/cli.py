"""The command line: ``pymlp train``, ``pymlp predict`` and ``pymlp show``."""

from __future__ import annotations

import argparse
import csv
import errno
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TextIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

import pymlp
from pymlp.preprocessing import (
    Categories,
    Field,
    IntArray,
    Numbers,
    Preprocessing,
    Task,
    choose_task,
    fit_preprocessing,
    fit_target,
    split_rows,
)
from pymlp.serialization import read_network, write_network
from pymlp.table import Column, Table, read_csv

_VALIDATION_FRACTION = 0.1

# A confusion matrix of more characters across is no longer read; its worst cells are.
_PAGE_WIDTH = 120
_WORST_CELLS = 10

_ABOUT_FILES = """\
CSV files are UTF-8 text. The delimiter is a comma, or a semicolon or tab where the first line has
those and no comma. The first row is a header if it has text over a column of numbers, or, in a file
of text alone, if none of its cells occurs again in its column; without a header, columns are named
0, 1, 2 and so on. A column with a text cell is a category column. An empty cell, NA, N/A, NaN, null
and ? are missing values, which are refused.
"""


class _Parser(argparse.ArgumentParser):
    """Reports a wrong command line in one line, as every other error is."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"pymlp: error: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line, by default that of the process, and return its exit status."""
    try:
        arguments = _parser().parse_args(argv)
        arguments.run(arguments)
        sys.stdout.flush()
    except SystemExit as stop:  # from argparse, after --help or a message of its own
        return int(stop.code or 0)
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except BrokenPipeError:
        # The reader of the output has left; nor may the flush at exit complain of that.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error), 1)
    except (ValueError, TypeError, ArithmeticError, MemoryError, ImportError) as error:
        return _fail(str(error) or type(error).__name__, 1)
    return 0


def _fail(message: str, status: int) -> int:
    print("pymlp: error:", " ".join(message.split()), file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="pymlp", description=pymlp.__doc__)
    parser.add_argument("--version", action="version", version=f"pymlp {pymlp.__version__}")
    commands = parser.add_subparsers(metavar="{train,predict,show}", required=True)
    for run, purpose, add_options in (
        (_train, "learn one column of a CSV file from the others", _add_train_options),
        (_predict, "predict for each row of a CSV file", _add_predict_options),
        (_show, "describe a model file", _add_show_options),
    ):
        command = commands.add_parser(run.__name__[1:], help=purpose, description=purpose)
        command.set_defaults(run=run)
        add_options(command)
    return parser


def _add_train_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("data", metavar="DATA.csv", help="the samples, one a row")
    add("--target", metavar="COLUMN", required=True, help="name, or index from 0 (-1 is the last)")
    add("--task", choices=("classification", "regression"), help="by default as the target looks")
    add("--ignore", metavar="COLUMN", action="append", default=[], help="leave out; repeatable")
    _add_file_options(parser)
    add("--hidden", type=widths, default=(128,), metavar="N,N", help="hidden layers, or none (128)")
    add("--activation", default="relu", metavar="NAME", help="of the hidden layers (%(default)s)")
    add("--optimizer", default="adam", metavar="NAME", help="(%(default)s)")
    add("--learning-rate", type=float, metavar="R", help="by default the optimizer's own")
    add("--epochs", type=int, default=200, metavar="N", help="at most (%(default)s)")
    add("--batch-size", type=int, default=32, metavar="N", help="(%(default)s)")
    add(
        "--patience",
        type=int,
        default=10,
        metavar="N",
        help="""stop after so many epochs without
        a better loss on the tenth of the training rows kept for validation (%(default)s)""",
    )
    add(
        "--label-smoothing",
        type=fraction,
        default=0.05,
        metavar="F",
        help="""share of certainty
        taken from each class label and spread over all classes (%(default)s)""",
    )
    add("--test-fraction", type=fraction, default=0.2, metavar="F", help="(%(default)s)")
    add(
        "--seed", type=natural, default=0, metavar="N", help="fixes every random draw (%(default)s)"
    )
    add("--dtype", choices=("float32", "float64"), default="float32", help="(%(default)s)")
    add("--out", type=Path, metavar="MODEL", help="by default DATA.safetensors, in this folder")
    add("--quiet", action="store_true", help="print nothing but errors")


def _add_predict_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("model", metavar="MODEL.safetensors")
    add("data", metavar="DATA.csv", help="columns are found by name, or by position without names")
    _add_file_options(parser)
    add("--probabilities", action="store_true", help="add a column for each class")
    add("--out", type=Path, metavar="FILE.csv", help="by default standard output")


def _add_show_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL.safetensors")


def _add_file_options(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _ABOUT_FILES
    boolean = argparse.BooleanOptionalAction
    parser.add_argument("--header", action=boolean, help="whether the first row names the columns")
    parser.add_argument("--delimiter", metavar="C", help="one character, or the word tab")


def widths(text: str) -> tuple[int, ...]:
    """Read "128,64" or "none"."""
    return () if text == "none" else tuple(int(width) for width in text.split(","))


def natural(text: str) -> int:
    """Read a whole number from 0."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be at least 0, not {text}")
    return value


def fraction(text: str) -> float:
    """Read a number from 0 to below 1."""
    value = float(text)
    if not 0.0 <= value < 1.0:
        raise argparse.ArgumentTypeError(f"must be from 0 to below 1, not {text}")
    return value


# ---- train ---------------------------------------------------------------------------------------


class _Parts(NamedTuple):
    """The rows to learn from, those that tell when to stop, and those that test the result."""

    training: IntArray
    validation: IntArray
    test: IntArray


def _train(arguments: argparse.Namespace) -> None:
    say = (lambda report: None) if arguments.quiet else _say
    out = _model_path(arguments)
    table, preprocessing, parts = _prepare(arguments)
    network = _make_network(preprocessing, arguments)
    about = {
        "data": _describe_data(table, preprocessing),
        "rows": _describe_rows(parts),
        "network": _describe_network(network),
    }
    say(about)
    X = preprocessing.encode_inputs(table, arguments.dtype)
    y = preprocessing.encode_target(table, arguments.dtype)
    history = _fit(network, X, y, parts, arguments)
    score, result = _test(network, X, table, preprocessing.target, parts.test)
    result = {"training": _describe_training(history), **result}
    record = json.dumps({"score": score, "report": {**about, **result}})
    write_network(out, network, {"preprocessing": preprocessing.to_json(), "training": record})
    # The speed is not kept: the same seed and data shall make the same file.
    say({**result, "speed": _describe_speed(history, len(parts.training)), "model": str(out)})


def _model_path(arguments: argparse.Namespace) -> Path:
    """Return where the model goes; a place that cannot take it is an error before training."""
    path: Path = arguments.out or Path(Path(arguments.data).stem + ".safetensors")
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", str(path.parent))
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise PermissionError(errno.EACCES, "cannot be written to", str(path))
    return path


def _read_table(arguments: argparse.Namespace, expected: Sequence[str] = ()) -> Table:
    delimiter = "\t" if arguments.delimiter == "tab" else arguments.delimiter
    return read_csv(arguments.data, delimiter=delimiter, header=arguments.header, expected=expected)


def _prepare(arguments: argparse.Namespace) -> tuple[Table, Preprocessing, _Parts]:
    table = _read_table(arguments)
    target = table.position(arguments.target)
    ignored = [table.position(name) for name in arguments.ignore]
    task = arguments.task or choose_task(table.columns[target])
    parts = _divide(table.columns[target], task, arguments.test_fraction, arguments.seed)
    preprocessing = fit_preprocessing(
        table, target, task=task, rows=parts.training, ignored=ignored
    )
    return table, preprocessing, parts


def _divide(target: Column, task: Task, test_fraction: float, seed: int) -> _Parts:
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
    return _Parts(rest[training], rest[validation], test)


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
    parts: _Parts,
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


# ---- what is printed -----------------------------------------------------------------------------


def _say(report: Mapping[str, str]) -> None:
    for label, text in report.items():
        print(f"{label:<11}" + text.replace("\n", "\n" + 11 * " "), flush=True)


def _describe_data(table: Table, preprocessing: Preprocessing) -> str:
    header = "a header" if table.has_header else "no header"
    classes = len(preprocessing.classes)
    kind = f"{classes} classes" if classes else "amounts"
    return (
        f"{table.source}: {header}, {table.n_rows:,} rows, {len(preprocessing.inputs):,} input "
        f"columns, target {preprocessing.target.name!r} ({kind})"
    )


def _describe_rows(parts: _Parts) -> str:
    training, validation, test = map(len, parts)
    return f"{training:,} to learn from, {validation:,} for validation, {test:,} for the test"


def _describe_network(network: pymlp.Network) -> str:
    widths = "-".join(map(str, network.widths))
    activations = ", ".join(repr(layer.activation) for layer in network.layers)
    return f"{widths}, {activations}, {network.n_parameters:,} parameters, {network.dtype}"


def _describe_training(history: pymlp.History) -> str:
    reasons = {"early_stopping": "the validation loss stopped falling", "epochs": "the last epoch"}
    reason = reasons.get(history.stopped_by, history.stopped_by)
    return f"{len(history.loss):,} epochs, until {reason}"


def _describe_speed(history: pymlp.History, n_samples: int) -> str:
    samples = len(history.loss) * n_samples
    rate = samples / max(history.seconds, 1e-9)
    return f"{rate:,.0f} samples/s, {history.seconds:.2f} s of training"


def _test(
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


# ---- predict and show ----------------------------------------------------------------------------


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


def _predict(arguments: argparse.Namespace) -> None:
    network, preprocessing, _ = _load(arguments.model)
    if arguments.probabilities and not (preprocessing and preprocessing.classes):
        raise ValueError(f"{arguments.model} has no classes, so there are no probabilities of them")
    if preprocessing is None:
        titles, columns = _raw_outputs(network, _read_table(arguments))
    else:
        expected = [field.name for field in preprocessing.inputs if preprocessing.has_header]
        X = preprocessing.encode_inputs(_read_table(arguments, expected), network.dtype)
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


def _show(arguments: argparse.Namespace) -> None:
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
    _say({label: text for label, text in record.get("report", {}).items() if label != "network"})


def _describe(encoding: Numbers | Categories) -> str:
    if isinstance(encoding, Numbers):
        return f"number, mean {encoding.mean:.6g}, standard deviation {encoding.scale:.6g}"
    return f"one of {', '.join(encoding.names)}"
