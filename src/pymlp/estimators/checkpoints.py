"""What an estimator keeps in a checkpoint beside its network's training."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp.estimators.files import ARRAYS, learnt
from pymlp.estimators.inputs import SparseRows
from pymlp.estimators.scores import Validation
from pymlp.files.safetensors import FileFormatError
from pymlp.files.stored import MALFORMED, said
from pymlp.training.checkpoint import AnotherTraining, Checkpoint, resolve
from pymlp.training.difference import labels, parameters_of

# Of the record, which an epoch changes.
_KEPT = (
    "n_iter_", "t_", "loss_", "loss_curve_", "validation_scores_", "best_validation_score_",
    "best_loss_", "_no_improvement_count",
)  # fmt: skip
# What a training that goes on may have otherwise, and what is compared by the network's.
_FREE = ("verbose", "n_jobs", "callbacks", "max_seconds", "max_iter", "warm_start", "random_state")


def opened(of: Any, path: Any, every: Any, resume: Any) -> Checkpoint | None:
    """Return the checkpoint of an estimator, whose draws go on from those of the file."""
    given = {"checkpoint": path, "checkpoint_every": every, "resume": resume}
    checkpoint = resolve(given)
    if checkpoint is None:
        return None
    checkpoint.beside = {"random_state": int(np.random.default_rng().integers(2**32))}
    checkpoint.beside["parameters"] = parameters = parameters_of(of, _FREE)
    checkpoint.beside["first"] = not (of.warm_start and hasattr(of, "network_"))
    checkpoint.open(stacked=False)
    if "parameters" not in checkpoint.beside:
        raise FileFormatError(f"'{path}' is a checkpoint of a network, not of an estimator")
    try:
        kept = dict(checkpoint.beside["parameters"])
        seed = checkpoint.beside["random_state"]
        if type(seed) is not int or not 0 <= seed < 2**32:
            raise ValueError("random_state must be an integer")
    except MALFORMED as error:
        fault = f"'{path}' is no checkpoint of an estimator: {said(error)}"
        raise FileFormatError(fault) from None
    checkpoint.beside["parameters"] = kept
    checkpoint.compare("parameters", parameters)
    return checkpoint


@contextlib.contextmanager
def as_before_a_refusal(of: Any) -> Iterator[None]:
    """Let an estimator be what it was where a file turns out to be of another training."""
    before = dict(vars(of))
    try:
        yield
    except AnotherTraining:
        vars(of).clear()
        vars(of).update(before)
        raise


def begins_anew(checkpoint: Checkpoint | None) -> bool:
    """Tell whether a training made a network, also where `warm_start` has one by now."""
    return checkpoint is not None and checkpoint.beside.get("first") is True


def take_record(of: Any, checkpoint: Checkpoint | None) -> list[NDArray[Any]] | None:
    """Give an estimator the record of a file, and return the best parameters that it has."""
    if checkpoint is None or "record" not in checkpoint.beside:
        return None
    try:
        vars(of).update(_checked(of, dict(checkpoint.beside["record"])))
        count = int(checkpoint.beside["best"])
        # Copies, which do not keep the whole file in memory.
        return [checkpoint.arrays[f"best.{i}"].copy() for i in range(count)] or None
    except MALFORMED as error:
        fault = f"'{checkpoint.path}' lacks what an estimator keeps: {said(error)}"
        raise FileFormatError(fault) from None


def _checked(of: Any, record: dict[str, Any]) -> dict[str, Any]:
    """Return a record's part that is kept: each value of its kind, and None where it is now."""
    known = vars(of)
    found = {name: learnt(name, record[name]) for name in _KEPT if name in record}
    for name, value in found.items():
        if (value is None) != (known.get(name, value) is None):
            raise ValueError(f"{name} must not be {value!r:.50}")
    return found


def keep_record(of: Any, checkpoint: Checkpoint | None, best: list[NDArray[Any]] | None) -> None:
    """Take the record of an estimator for the next file."""
    if checkpoint is None:
        return
    known = vars(of)
    checkpoint.beside["record"] = {name: known[name] for name in _KEPT if name in known}
    checkpoint.beside["best"] = len(best or ())
    checkpoint.arrays = {f"best.{i}": array for i, array in enumerate(best or ())}


def check(
    of: Any, samples: Any, held_out: Validation | None, checkpoint: Checkpoint | None
) -> None:
    """Refuse other names or samples to score than a file's, and sparse ones, of another loop."""
    if checkpoint is None:
        return
    if isinstance(samples.X, SparseRows):
        raise ValueError("checkpoint does not go with sparse X: X.toarray() is dense")
    names = {name: labels(vars(of)[name]) for name in ARRAYS if name in vars(of)}
    checkpoint.compare("names", names)
    arrays = () if held_out is None else (held_out.X, held_out.targets, held_out.weights)
    now = [checkpoint.digest(np.asarray(a)) for a in arrays if a is not None]
    checkpoint.compare("held_out", {"validation": now})
