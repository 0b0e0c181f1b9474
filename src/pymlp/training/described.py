"""What a training was asked for, as JSON has it: two of one description take the same steps."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp._values import Value
from pymlp.architecture import Architecture
from pymlp.files.checkpoint import Run
from pymlp.files.values import plain
from pymlp.optimizers import LBFGS
from pymlp.schedules import ReduceOnPlateau
from pymlp.training.options import FitOptions
from pymlp.training.samples import Samples

_TIMES = 100_000  # at which two schedules are compared, of more
_REGULARIZATION = ("l1", "l2", "clip_norm", "clip_value", "max_norm")
_OF_SAMPLES = ("X", "y", "y", "sample_weight or class_weight")

Digest = Callable[[NDArray[Any]], str]


def described(
    options: FitOptions,
    architecture: Architecture,
    arithmetic: str,
    seed: int,
    training: Samples,
    validation: Samples | None,
    rows: tuple[NDArray[np.int64] | None, NDArray[np.int64] | None],
) -> dict[str, Any]:
    """Return what steps follow from, by the names of `fit` and `Network`; of data digests.

    User functions are known by their names alone.
    """
    optimizer = options.optimizer
    assert options.checkpoint is not None
    found = {name: value for name, value in architecture.to_dict().items() if value}
    found |= {
        "loss": _value("loss", options.loss),
        "optimizer": _value("optimizer", optimizer),
        "batch_size": options.rows_per_batch(len(training[0] if rows[0] is None else rows[0])),
        "seed": seed,
        "early_stopping": _value("early_stopping", options.early_stopping),
        "schedule": {name: _value(name, s) for name, s in sorted(options.schedules.items())},
        "arithmetic": arithmetic,
        "freeze": sorted(options.freeze),
        **{name: getattr(options, name) for name in ("epochs", "shuffle", "drop_last", "average")},
        **{name: getattr(options.regularization, name) for name in _REGULARIZATION},
        "scale_target": options.scale_target,
        "held_out": _share(options.validation),
    }
    if isinstance(optimizer, LBFGS):  # which begins anew at each checkpoint
        found["checkpoint_every"] = options.checkpoint.every
    data = _data(training, validation, rows, options.checkpoint.digest)
    described: dict[str, Any] = json.loads(json.dumps(found | data))
    return described


def _share(validation: Any) -> float | None:
    """Return the share of rows that is held out, where samples are not given."""
    return None if validation is None or isinstance(validation, tuple | list) else float(validation)


def _value(name: str, value: Any) -> Any:
    try:
        return plain(name, value)
    except ValueError:  # a class or a function of the user's own
        if not isinstance(value, Value):
            named = value if hasattr(value, "__qualname__") else type(value)
            return f"{named.__module__}.{named.__qualname__}"
        fields = {key: _value(key, field) for key, field in vars(value).items()}
        return {type(value).__qualname__: fields}


def _data(
    training: Samples, validation: Samples | None, rows: Any, digest: Digest
) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: digest(array)
        for name, array in zip(_OF_SAMPLES, training, strict=True)
        if array is not None
    }
    if validation is not None:
        found["validation"] = [None if array is None else digest(array) for array in validation]
    for name, numbers in zip(("rows", "validation_rows"), rows, strict=True):
        if numbers is not None:
            found[name] = digest(numbers)
    return found


def check_epochs(options: FitOptions, run: Run) -> None:
    """Refuse other epochs than a run planned for, where its steps would have been others.

    Raises
    ------
    ValueError
        If there are less than the run has done, or a schedule depends on how many there are.
    """
    before, now, done = run.options["epochs"], options.epochs, run.epochs
    if now < done:
        raise ValueError(f"epochs must be at least {done}, which the checkpoint has, not {now}")
    if now == before:
        return
    for name, schedule in options.schedules.items():
        if isinstance(schedule, ReduceOnPlateau):
            continue
        unit, taken = (1, done) if schedule.per == "epoch" else _steps(run)
        times = np.unique(np.linspace(0, taken - 1, min(taken, _TIMES)).astype(np.int64)).tolist()
        of_before, of_now = (
            [schedule.rate_at(1.0, t, n * unit) for t in times] for n in (before, now)
        )
        if of_before != of_now:
            raise ValueError(
                f"epochs is {now}, and was {before}: schedule['{name}'] depends on how many there "
                "are"
            )


def _steps(run: Run) -> tuple[int, int]:
    """Return the steps of an epoch, and all that were taken."""
    steps: int = run.numbers["steps"]
    return -(-steps // run.epochs), steps  # fewer in an epoch that the time ended
