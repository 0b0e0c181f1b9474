"""``pymlp train``: from a file of a table to a file of a model."""

from __future__ import annotations

import argparse
import functools
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import pymlp
from pymlp.cli import report
from pymlp.cli.files import chosen, column_named, file_options, model_path, replacing, writable
from pymlp.cli.options import WrongCommandLine
from pymlp.cli.scores import score_amounts, score_classes
from pymlp.cli.targets import (
    Target,
    find_target,
    refuse_missing,
    with_target,
    without_slips,
)
from pymlp.tabular import Columns, Decision, TableEncoder, TabularClassifier, TabularRegressor
from pymlp.tabular.encoder import NoColumnsError
from pymlp.tabular.kinds import decide, forced
from pymlp.tabular.reading import read_table
from pymlp.tabular.splitting import split_by_time, split_groups, split_rows

_FORCED = ("ignore", "keep", "categorical", "numeric")
_FEWEST = 20  # of fewer rows none are held out: what they say would be chance


def train(arguments: argparse.Namespace) -> int:
    """Run ``pymlp train`` and return the exit status: 130 where Ctrl-C ended it."""
    quiet = arguments.quiet or arguments.json
    say: Callable[[dict[str, str]], None] = (lambda texts: None) if quiet else report.say
    checkpoint = _checkpoint(arguments)
    goes_on = arguments.resume and checkpoint is not None and checkpoint.exists()
    if goes_on:
        arguments.force = True  # it writes over what it left when it was interrupted
    out = model_path(arguments, checkpoint)
    if arguments.plot is not None:
        writable(arguments.plot, arguments.data, out, force=arguments.force)
        _need_matplotlib(arguments.plot)
    columns, target, about = _read(arguments)
    facts: dict[str, Any] = {"data": about}
    say(report.lines(facts))
    data, facts["rows"] = _prepare(columns, target, arguments)
    model = _model(arguments, data)
    model.on_start = functools.partial(_started, data, facts, say)
    begun = time.perf_counter()
    interrupted = _fit(model, data, arguments)
    seconds = time.perf_counter() - begun
    histories = [network.history or pymlp.History() for network in model.networks_]
    facts["training"] = _training(histories, interrupted, own_epochs=arguments.epochs is not None)
    if len(data.test):
        facts["test"] = _score(model, data)
    model.notes_ = facts
    with replacing(out) as part:
        model.save(part)
    # The speed is not kept: the same seed and data shall make the same file.
    made = {
        "speed": report.describe_speed(
            () if goes_on else histories, model.n_rows_["training"], seconds
        ),
        "model": str(out),
    }
    if arguments.plot is not None:
        _plot(histories[0], arguments.plot)
        made["curve"] = str(arguments.plot)
    say(report.results(facts) | made)
    if arguments.json:
        print(json.dumps({**facts, **made}, ensure_ascii=False, indent=1))
    return 130 if interrupted else 0


def _started(
    data: Data,
    facts: dict[str, Any],
    say: Callable[[dict[str, str]], None],
    encoder: TableEncoder,
    networks: Sequence[pymlp.Network],
    n_rows: dict[str, int],
) -> None:
    """Tell what becomes of the columns, before the first epoch."""
    decisions = _by_all_rows(encoder.decisions_, data)
    encoder.fields_ = tuple(
        field._replace(absent=data.absent.get(field.name, ())) for field in encoder.fields_
    )
    facts["columns"] = [report.facts_of_column(d, data.columns[d.name]) for d in decisions]
    facts["rows"] = {**n_rows, **facts["rows"]}
    facts["network"] = report.describe_networks(networks)
    say(report.preparations(facts))


def _by_all_rows(decisions: Sequence[Decision], data: Data) -> list[Decision]:
    """Return what was decided by all rows: the model was told to ignore what was left out then."""
    return [
        # A column may have one value only in the rows to learn from.
        d if d.kind == "left out" != data.decisions[d.name].kind else data.decisions[d.name]
        for d in decisions
    ]


def _need_matplotlib(path: Path) -> None:
    """Fail before the training where the picture could not be drawn after it."""
    try:
        formats = _figure().canvas.get_supported_filetypes()
    except ImportError:
        raise ImportError("--plot needs matplotlib: pip install 'pymlp[plot]'") from None
    if path.suffix[1:].lower() not in formats:
        raise WrongCommandLine(
            f"--plot {path}: the ending must be one of {', '.join(sorted(formats))}"
        )


def _figure() -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _plot(history: pymlp.History, path: Path) -> None:
    figure = _figure()
    history.plot(ax=figure.subplots())
    figure.savefig(path)


class Data(NamedTuple):
    """A table with its target, and which rows are for what."""

    columns: Columns
    target: Target
    learn: NDArray[np.intp]
    """To learn from, those of the validation among them."""
    test: NDArray[np.intp]
    by: dict[str, str]
    """The columns that "group" and "time" name."""
    forced: dict[str, list[str]]
    """The columns of which options say what becomes of them."""
    decisions: dict[str, Decision]
    """What becomes of each column."""
    absent: dict[str, tuple[str, ...]]
    """Texts among the numbers of columns."""


# ---- the data ------------------------------------------------------------------------------------


def _read(arguments: argparse.Namespace) -> tuple[Columns, Target, dict[str, Any]]:
    """Return the rows that have a target, and what is told of them."""
    table = read_table(arguments.data, file_options(arguments))
    columns = table.columns
    target = find_target(columns, column_named(columns, arguments.target), arguments.task)
    if arguments.label_smoothing and target.task == "regression":
        raise ValueError(f"--label-smoothing is for classes, and {target.name!r} is of numbers")
    if arguments.strict:
        refuse_missing(columns, target)
    columns, notes = with_target(columns, target)
    about = {
        "source": columns.source,
        "header": columns.named,
        "rows": columns.n_rows,
        "columns": len(columns),
        "target": target.name,
        "task": target.task,
        "classes": target.n_classes,
        "notes": [*table.notes, *notes],
    }
    return columns, target, about


def _prepare(
    columns: Columns, target: Target, arguments: argparse.Namespace
) -> tuple[Data, dict[str, Any]]:
    """Decide what becomes of columns and rows, and return what is told of the rows."""
    given = {name: chosen(columns, getattr(arguments, name)) for name in _FORCED}
    by = {
        option: column_named(columns, text)
        for option in ("group", "time")
        if (text := getattr(arguments, option)) is not None
    }
    for option, names in [*given.items(), *((option, [name]) for option, name in by.items())]:
        if target.name in names:
            raise ValueError(f"--{option} names the target, {target.name!r}")
    decisions = _decide(columns.without([target.name]), given)
    columns, slips = without_slips(columns, decisions)
    if arguments.strict and slips.places:
        raise ValueError("; ".join(slips.places))
    learn, test, division = _divide(columns, target, by, arguments)
    return Data(columns, target, learn, test, by, given, decisions, slips.texts), division


def _decide(columns: Columns, given: dict[str, list[str]]) -> dict[str, Decision]:
    """Decide what becomes of each column, by all rows: those to learn from hide row numbers."""
    says = forced(columns, given)
    return {c.name: decide(c, says, named=columns.named) for c in columns}


def _divide(
    columns: Columns, target: Target, by: dict[str, str], arguments: argparse.Namespace
) -> tuple[NDArray[np.intp], NDArray[np.intp], dict[str, Any]]:
    """Return the rows to learn from and those of the test, and what is told of that."""
    n_rows, fraction = columns.n_rows, arguments.test_fraction
    rows = np.arange(n_rows)
    why = "no rows held out"
    if fraction and n_rows < _FEWEST and not by:
        fraction, why = 0.0, f"no rows held out: {n_rows} are too few for a test"
    if not fraction:
        return rows, rows[:0], {"test": 0, "why_no_test": why}
    generator = np.random.default_rng(arguments.seed)
    if "time" in by:
        learn, test = split_by_time(_values(columns, by["time"]), fraction)
        division = f"the latest by {by['time']!r}"
    elif "group" in by:
        learn, test = split_groups(_values(columns, by["group"]), fraction, generator)
        division = f"whole groups of {by['group']!r}, drawn at random"
    else:
        learn, test = split_rows(target.codes(columns), fraction, generator)
        division = "drawn at random" + (", classes in proportion" if target.n_classes else "")
    if len(learn) < 2:
        raise ValueError(
            f"--test-fraction {fraction:g} leaves {len(learn)} of {n_rows:,} rows to learn from; a "
            "model needs 2 at least"
        )
    return learn, test, {"test": len(test), "division": division}


def _values(columns: Columns, name: str) -> NDArray[Any]:
    column = columns[name]
    if column.n_missing:
        place = columns.place(int(np.argmax(column.missing)), name)
        raise ValueError(f"{place}: missing, and {column.n_missing - 1:,} more; each row needs one")
    return column.values


# ---- the model -----------------------------------------------------------------------------------


def _model(arguments: argparse.Namespace, data: Data) -> TabularClassifier | TabularRegressor:
    left_out = [name for name, d in data.decisions.items() if d.kind == "left out"]
    options: dict[str, Any] = {
        "quality": arguments.quality,
        "n_members": arguments.members,
        "max_seconds": arguments.max_seconds,
        "random_state": arguments.seed,
        "hidden_layer_sizes": arguments.hidden,
        "activation": arguments.activation,
        "optimizer": arguments.optimizer,
        "learning_rate": arguments.learning_rate,
        "epochs": arguments.epochs,
        "batch_size": arguments.batch_size,
        "patience": arguments.patience,
        "dtype": arguments.dtype,
        **data.forced,
        "ignore": list(dict.fromkeys([*data.forced["ignore"], *left_out])),
    }
    if data.target.task == "regression":
        return TabularRegressor(**options)
    return TabularClassifier(label_smoothing=arguments.label_smoothing, **options)


def _fit(
    model: TabularClassifier | TabularRegressor, data: Data, arguments: argparse.Namespace
) -> bool:
    """Fit a model, and return whether Ctrl-C ended that; without an epoch it goes on."""
    try:
        model.fit(
            data.columns.take(data.learn),
            data.target.name,
            progress=sys.stderr.isatty() and not arguments.quiet,
            groups=data.by.get("group"),
            time=data.by.get("time"),
            checkpoint=_checkpoint(arguments),
            checkpoint_every=arguments.checkpoint_every,
            resume=arguments.resume,
        )
    except NoColumnsError as error:
        told = NoColumnsError(error.source, _by_all_rows(error.decisions, data))
        raise ValueError(told.told("--{option} {name}")) from None
    except KeyboardInterrupt:
        if not model.__sklearn_is_fitted__():
            raise
        return True
    return False


def _checkpoint(arguments: argparse.Namespace) -> Path | None:
    """Return where checkpoints go; with --resume alone beside the model."""
    if arguments.checkpoint is None and arguments.resume:
        if arguments.out is None:
            raise WrongCommandLine("--resume needs --checkpoint or --out")
        return Path(f"{arguments.out}.checkpoint")
    if arguments.checkpoint is None and arguments.checkpoint_every is not None:
        raise WrongCommandLine("--checkpoint-every needs --checkpoint or --resume")
    path: Path | None = arguments.checkpoint
    return path


def _training(
    histories: Sequence[pymlp.History], interrupted: bool, *, own_epochs: bool
) -> dict[str, Any]:
    return {
        "networks": len(histories),
        "epochs": max(len(history.loss) for history in histories),
        "stopped_by": "interrupt" if interrupted else histories[0].stopped_by,
        # A schedule ends where the rate is 0, however the loss falls until then.
        "still_improving": own_epochs and any(history.still_improving for history in histories),
    }


def _score(model: TabularClassifier | TabularRegressor, data: Data) -> dict[str, Any]:
    test = data.columns.take(data.test)
    learnt = data.target.values(data.columns.take(data.learn))
    truth = data.target.values(test)
    if isinstance(model, TabularRegressor):
        return score_amounts(truth, model.predict(test), float(learnt.mean()))
    ((usual, _),) = Counter(learnt.tolist()).most_common(1)
    probabilities = model.predict_proba(test)
    return score_classes(model.classes_, truth, probabilities, usual)
