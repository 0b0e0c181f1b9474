"""``pymlp show``: what a model file holds."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from typing import Any

import numpy as np

import pymlp
from pymlp.cli import report
from pymlp.cli.scores import label_text
from pymlp.files.checkpoint import ENDED, trainings
from pymlp.files.stored import MALFORMED
from pymlp.tabular import TabularClassifier, TabularRegressor
from pymlp.tabular.encoder import Field
from pymlp.tabular.fields import Category, Date
from pymlp.tabular.model import TableModel

_MOST = 20  # categories that are named


def show(arguments: argparse.Namespace) -> None:
    """Run ``pymlp show``."""
    model = pymlp.load(arguments.model)
    if arguments.json:
        notes = model.notes_ if isinstance(model, TableModel) else {}
        print(json.dumps(notes, ensure_ascii=False, indent=1))
        return
    if isinstance(model, TableModel):
        _show_model(model)
    elif isinstance(model, pymlp.Network):
        print(model.summary())
        how = "position" if model.feature_names is None else "name"
        print(f"no preprocessing: input columns are numbers, taken by {how} as they are")
        _show_trainings(arguments.model)
    else:
        stack = isinstance(model, pymlp.NetworkStack)
        print((model[0] if stack else model.network_).summary())
        print(f"of {model!r}\npymlp.load gives it back in Python")
        _show_trainings(arguments.model)


def _show_trainings(path: str) -> None:
    """Tell how far a checkpoint is."""
    runs, networks = trainings(path)
    if not runs:
        return
    states = Counter(
        f"{run.epochs} of {run.options['epochs']} epochs"
        + (", has ended" if run.numbers["stopped_by"] in ENDED else "")
        for run in runs
    )
    states["not begun"] += networks - len(runs)
    told = [f"{count} x {state}" if networks > 1 else state for state, count in (+states).items()]
    print(f"a checkpoint: {'; '.join(told)}")


def _show_model(model: TableModel) -> None:
    print(model.network_.summary())
    fields = model.encoder_.fields_
    print("\ninputs")
    width = max(len(report.cut(field.name)) for field in fields)
    for field in fields:
        print(f"  {report.cut(field.name):<{width}}  {_describe(field)}")
    print("\n".join(["target", *_targets(model), ""]))
    report.say(_told(model.notes_))


def _told(notes: dict[str, Any]) -> dict[str, str]:
    """Return what the notes of ``pymlp train`` say; they may be somebody else's."""
    try:
        if "report" in notes:  # what version 0.1 wrote: lines by their labels
            found = {label: str(text) for label, text in notes["report"].items()}
        else:
            found = report.lines(notes)
    except MALFORMED:
        return {"notes": "not those of pymlp train; --json prints them"}
    return {label: text for label, text in found.items() if label != "network"}


def _describe(field: Field) -> str:
    encoding = field.encoding
    if isinstance(encoding, Category):
        return f"one of {_named(encoding.names)}{', or another' if encoding.other else ''}"
    if isinstance(encoding, Date):
        return f"date, as {', '.join(encoding.parts)}"
    decimal = ", decimal comma" if field.style == "," else ""
    missing = f", {encoding.fill:.6g} where it is missing" if encoding.flag else ""
    measured = f"mean {encoding.mean:.6g}, standard deviation {encoding.scale:.6g}"
    return f"number{decimal}, {measured}{missing}"


def _targets(model: TableModel) -> list[str]:
    """Return a line for each target."""
    name = model.target_name_ or "y"
    if isinstance(model, TabularClassifier):
        labels = list(map(label_text, model.classes_.tolist()))
        return [f"  {report.cut(name)}  one of {_named(labels)}"]
    assert isinstance(model, TabularRegressor)
    scales = np.column_stack([model.scale_.mean, model.scale_.deviation]).tolist()
    names = [name] * len(scales) if isinstance(name, str) else name
    return [
        f"  {report.cut(name)}  number, mean {mean:.6g}, standard deviation {deviation:.6g}"
        for name, (mean, deviation) in zip(names, scales, strict=True)
    ]


def _named(names: tuple[str, ...] | list[str]) -> str:
    more = f" and {len(names) - _MOST:,} more" if len(names) > _MOST else ""
    return ", ".join(map(report.cut, names[:_MOST])) + more
