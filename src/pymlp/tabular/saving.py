"""Models of tables to files: a network's file with a text that says the rest.

What is written here `loading` reads.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from typing import Any

from pymlp.files import safetensors
from pymlp.files.values import plain
from pymlp.training import History

__all__ = ["FORMAT", "HISTORY", "TEXT", "write"]

TEXT = "table"  # its name in the file
FORMAT = 1
# Without the seconds: the same seed and data shall make the same file.
HISTORY = ("loss", "val_loss", "penalty", "metrics", "learning_rate", "stopped_by")


def write(path: str | os.PathLike[str], model: Any, kind: str, target: dict[str, Any]) -> None:
    """Write a fitted model to one file.

    Parameters
    ----------
    path : str or path
    model : TabularClassifier or TabularRegressor
    kind : str
        Which of the two.
    target : dict
        What it knows of its target, as JSON holds it.
    """
    histories = [network.history or History() for network in model.networks_]
    stored = {
        "format": FORMAT,
        "kind": kind,
        "parameters": _parameters(model.get_params()),
        "encoder": json.loads(model.encoder_.to_json()),
        "histories": [{name: getattr(h, name) for name in HISTORY} for h in histories],
        "monitor": list(histories[0]._monitor),
        "rows": model.n_rows_,
        "target": target,
        "explaining": model._explaining_to_dict(),
        "notes": model.notes_,
    }
    try:
        text = json.dumps(stored, ensure_ascii=False)
    except TypeError as error:  # all else is made of what JSON holds
        raise TypeError(f"notes_ must hold what JSON does: {error}") from None
    states = [network.__getstate__() for network in model.networks_]
    # Readers of the first format would take the network without its columns.
    safetensors.write(path, states if len(states) > 1 else states[0], {TEXT: text}, first_version=2)


def _parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that a file can hold."""
    found = {}
    for name, value in given.items():
        with contextlib.suppress(ValueError):
            found[name] = plain(name, value)
    return found
