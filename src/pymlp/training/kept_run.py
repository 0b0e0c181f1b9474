"""A training as a checkpoint has it: made at a boundary between epochs, and taken up again."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp._arrays import FloatArray
from pymlp.files.checkpoint import ENDED, Run
from pymlp.files.safetensors import FileFormatError

__all__ = [
    "Run", "check_arrays", "check_steps", "ended", "run_of", "take_optimizer", "take_record"
]  # fmt: skip


def record_arrays(history: Any, metrics: Set[str]) -> dict[str, NDArray[np.float64]]:
    """Return the lists of a record as arrays by their names; what callbacks added stays behind."""
    lists = {name: getattr(history, name) for name in ("loss", "penalty", "learning_rate")}
    lists |= {"val_loss": history.val_loss} if history.val_loss else {}
    lists |= {
        f"metrics.{name}": values
        for name, values in history.metrics.items()
        if name.removeprefix("val_") in metrics
    }
    return {name: np.array(values, np.float64) for name, values in lists.items()}


def take_record(run: Run, history: Any, metrics: Set[str]) -> None:
    """Give a record the epochs of a run, and of metrics those that are measured on."""
    for name, array in run.arrays.items():
        if name in ("loss", "penalty", "learning_rate", "val_loss"):
            setattr(history, name, array.tolist())
        metric = name.removeprefix("metrics.")
        if metric != name and metric.removeprefix("val_") in metrics:
            history.metrics[metric] = array.tolist()
    history.seconds = run.numbers["seconds"]


def check_arrays(run: Run, core: Any, average: float) -> None:
    """Refuse a run whose arrays are not those of this optimiser's state, or lack the average.

    Raises
    ------
    FileFormatError
        With which it is.
    """
    state = run.arrays.get("optimizer", np.zeros(0, core.state.dtype))
    if state.shape != core.state.shape:
        raise FileFormatError(
            f"the checkpoint's state of the optimizer must be {core.state.size} numbers, not "
            f"{state.size}"
        )
    if ("averaged" in run.arrays) != (average > 0.0):
        raise FileFormatError("the checkpoint lacks what is averaged")


def check_steps(run: Run, per_epoch: int) -> None:
    """Refuse more steps than epochs have: of one that the time ended they are fewer.

    Raises
    ------
    FileFormatError
        If there are more.
    """
    if run.numbers["steps"] > run.epochs * per_epoch:
        raise FileFormatError(
            f"the checkpoint's steps must be at most {run.epochs * per_epoch}, not "
            f"{run.numbers['steps']}"
        )


def take_optimizer(run: Run, core: Any) -> None:
    """Give the state of an optimiser what a run has of it."""
    core.state[:] = run.arrays.get("optimizer", core.state)
    core.steps = run.numbers["optimizer_steps"]
    core.weight_sum = run.numbers["weight_sum"]


def ended(run: Run, epochs: int) -> bool:
    """Tell whether a training would not go on, were it asked for so many epochs."""
    reason = run.numbers["stopped_by"]
    return reason in ENDED and (reason != "epochs" or run.epochs >= epochs)


def run_of(
    boundary: Any, arena: FloatArray, best: FloatArray | None, numbers: Mapping[str, Any],
    options: dict[str, Any], state: dict[str, Any], history: Any, metrics: Set[str],
) -> Run:  # fmt: skip
    """Return a training at a boundary of the core's, whose parameters users see as `arena`."""
    epochs, steps, own_arena, averaged, optimizer, optimizer_steps, weight_sum = boundary
    arrays = {"arena": own_arena, "averaged": averaged, "optimizer": optimizer, "best": best}
    kept = {name: a for name, a in arrays.items() if a is not None and a.size}
    return Run(
        options,
        state | {"parameters": arena},
        {
            **numbers, "epochs": epochs, "steps": steps, "optimizer_steps": optimizer_steps,
            "weight_sum": weight_sum, "seconds": history.seconds,
        },
        kept | {k: a[:epochs] for k, a in record_arrays(history, metrics).items()},
    )  # fmt: skip
