"""What trainings go on from, in one safetensors file: a network, or a stack, and what is beside it.

The networks are as users see them between two epochs. The text ``checkpoint`` is JSON: of each
training its number, what it was asked for, and numbers; arrays are kept by ``<number>.<name>``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pymlp.files import safetensors
from pymlp.files.safetensors import FileFormatError
from pymlp.files.stored import MALFORMED, from_zero, integer, number, optimizer_state, parsed, said

__all__ = ["ENDED", "Run", "check_arrays", "read", "trainings", "write"]

# What a training does not go on from, but with more epochs.
ENDED = ("epochs", "early_stopping", "callback", "converged", "line_search", "evaluations")
_REASONS = (*ENDED, "running", "max_seconds")
_BESIDE = "beside."
_FINITE = ("loss", "penalty", "val_loss")
_PER_EPOCH = ("loss", "penalty", "learning_rate")


class Run(NamedTuple):
    """One training, at the end of an epoch.

    Attributes
    ----------
    options : dict
        What it was asked for, by name, as JSON has it.
    state : dict
        The network's, as users see it; see `Network.__getstate__`.
    numbers : dict
        epochs, steps, optimizer_steps, weight_sum, learning_rate, seed, seconds, stopped_by.
    arrays : dict of ndarray
        arena, where steps go on; averaged, optimizer and best where there are such; of the record
        loss, penalty, learning_rate, val_loss and ``metrics.<name>``.
    """

    options: dict[str, Any]
    state: dict[str, Any]
    numbers: dict[str, Any]
    arrays: dict[str, NDArray[Any]]

    @property
    def epochs(self) -> int:
        """How many are done."""
        return int(self.numbers["epochs"])


def write(
    path: str | os.PathLike[str],
    runs: Mapping[int, Run],
    beside: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    *,
    stacked: bool,
) -> None:
    """Write trainings by their numbers, and what the caller wants beside: for JSON, and arrays.

    The file is replaced whole or not at all.
    """
    listed = [
        {"number": i, "options": run.options, "numbers": run.numbers} for i, run in runs.items()
    ]
    states = [run.state for run in runs.values()]
    safetensors.write(
        path,
        states if stacked else states[0],
        {"checkpoint": json.dumps({"runs": listed, "beside": dict(beside)}, sort_keys=True)},
        kept={f"{i}.{name}": a for i, run in runs.items() for name, a in run.arrays.items()}
        | {_BESIDE + name: array for name, array in arrays.items()},
    )


def read(
    path: str | os.PathLike[str], stacked: bool
) -> tuple[dict[int, Run], dict[str, Any], dict[str, NDArray[Any]]]:
    """Return what `write` wrote.

    Raises
    ------
    FileFormatError
        If the file is cut short, or no checkpoint of this kind.
    """
    found = safetensors.read(path)
    if "checkpoint" not in found[1]:
        raise FileFormatError(f"'{path}' is no checkpoint, but a model that was saved")
    if isinstance(found[0], list) != stacked:
        kind = "one network" if stacked else "several networks"
        raise FileFormatError(f"'{path}' is a checkpoint of {kind}")
    return _held(path, *found)


def _held(
    path: str | os.PathLike[str],
    states: Any,
    texts: Mapping[str, str],
    kept: Mapping[str, NDArray[Any]],
) -> tuple[dict[int, Run], dict[str, Any], dict[str, NDArray[Any]]]:
    try:
        stored = parsed(texts["checkpoint"])
        of_each = zip(stored["runs"], states if isinstance(states, list) else [states], strict=True)
        runs = {
            integer("number", one["number"], below=2**31): _run(one, state, kept)
            for one, state in of_each
        }
        arrays = {k.removeprefix(_BESIDE): a for k, a in kept.items() if k.startswith(_BESIDE)}
        return runs, dict(stored["beside"]), arrays
    except MALFORMED as error:
        raise FileFormatError(f"'{path}' does not hold a checkpoint: {said(error)}") from None


def trainings(path: str | os.PathLike[str]) -> tuple[list[Run], int]:
    """Return those of a checkpoint, none of another file, and how many there are to be."""
    found = safetensors.read(path)
    if "checkpoint" not in found[1]:
        return [], 0
    runs, beside, _ = _held(path, *found)
    networks = beside.get("networks")
    return list(runs.values()), max(len(runs), networks if type(networks) is int else 0)


def _run(stored: dict[str, Any], state: dict[str, Any], kept: Mapping[str, NDArray[Any]]) -> Run:
    prefix = f"{stored['number']}."
    arrays = {k.removeprefix(prefix): a for k, a in kept.items() if k.startswith(prefix)}
    numbers, options = _numbers(stored["numbers"]), dict(stored["options"])
    integer("epochs", options["epochs"], below=2**63)
    run = Run(options, state, numbers, arrays)
    check_arrays(run)
    return run


def _numbers(stored: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: integer(name, stored[name], below=2**53)
        for name in ("epochs", "steps", "optimizer_steps")
    }
    if not (found["epochs"] and found["steps"]):
        raise ValueError("epochs and steps must be at least 1")
    found["seed"] = integer("seed", stored["seed"], below=2**64)
    for name in ("weight_sum", "seconds"):
        found[name] = from_zero(name, stored[name])
    found["learning_rate"] = number("learning_rate", stored["learning_rate"], above=0.0)
    if stored["stopped_by"] not in _REASONS:
        raise ValueError(f"stopped_by must not be {stored['stopped_by']!r:.50}")
    return found | {"stopped_by": stored["stopped_by"]}


def check_arrays(run: Run) -> None:
    """Refuse a run whose arrays are not those of its network and its epochs.

    Raises
    ------
    ValueError
        With which it is.
    """
    arrays, arena, epochs = run.arrays, run.state["parameters"], run.epochs
    for name in ("arena", "averaged", "best"):
        array = arrays.get(name)
        if array is None and name != "arena":
            continue
        if array is None or array.dtype != arena.dtype or array.shape != arena.shape:
            raise ValueError(f"{name} must be {arena.dtype} {arena.shape}")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} has numbers that are not finite")
    for name, array in arrays.items():
        of_record = name in (*_PER_EPOCH, "val_loss") or name.startswith("metrics.")
        if of_record and (array.dtype != np.float64 or array.shape != (epochs,)):
            raise ValueError(f"{name} must be float64 ({epochs},), not {array.dtype} {array.shape}")
        if of_record and name in _FINITE and not np.isfinite(array).all():
            raise ValueError(f"{name} has numbers that are not finite")
    missing = [name for name in _PER_EPOCH if name not in arrays]
    if missing:
        raise ValueError(f"it lacks {', '.join(missing)}")
    state = arrays.get("optimizer")
    if state is not None:
        optimizer_state(state, arena.dtype)
