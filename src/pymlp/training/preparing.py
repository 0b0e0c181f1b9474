"""From samples and options to a task: what is left to be checked and drawn before a training."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pymlp import config
from pymlp._arrays import FloatArray
from pymlp.architecture import Architecture
from pymlp.optimizers import LBFGS
from pymlp.training import target_scale
from pymlp.training.epoch_metrics import EpochMetrics
from pymlp.training.history import History
from pymlp.training.options import FitOptions
from pymlp.training.samples import Samples, of_rows
from pymlp.training.scheduled import scheduled
from pymlp.training.target_scale import TargetScale
from pymlp.training.task import Task, Trainee

if TYPE_CHECKING:
    from pymlp.training.keeping import Keeping

Rows = NDArray[np.int64] | None


def prepared(
    trainee: Trainee,
    samples: Samples,
    validation: Samples | None,
    options: FitOptions,
    history: History,
    seed: int,
    rows: Rows = None,
    validation_rows: Rows = None,
    number: int = 0,
) -> Task:
    """Return the task of a training, in which all that could be refused has been refused.

    Parameters
    ----------
    trainee : Trainee
    options, history, seed
        As in `Task`.
    samples, validation : Samples
        Checked and weighted, with targets in their own units; `rows` of them are meant.
    rows, validation_rows : ndarray of int64, optional
    number : int, default 0
        Of the training among those of the call.
    """
    network, core, architecture = trainee.network, trainee.core, trainee.architecture
    numbers = scheduled(options, architecture, len(samples[0] if rows is None else rows))
    _check_optimizer(network, architecture, options)
    described = None
    if options.checkpoint is not None:
        if any(g.name == "custom" for g in architecture.activations):
            raise ValueError(
                "checkpoint: a network with a user function as its activation cannot be written to "
                "a file, which holds no functions"
            )
        from pymlp.training import described as description

        described = description.described(
            options,
            architecture,
            network.arithmetic or config.get_arithmetic(),
            seed,
            samples,
            validation,
            (rows, validation_rows),
        )
    scale = None
    if options.scale_target:
        target_scale.check(options, architecture)
        scale = TargetScale(of_rows(samples, rows))
        samples = scale.scaled(samples)
        validation = None if validation is None else scale.scaled(validation)
    if options.metrics:
        EpochMetrics(core, architecture, options, samples, validation, scale).check()
    return Task(
        network,
        core,
        architecture,
        samples,
        validation,
        options,
        history,
        seed,
        numbers,
        scale,
        rows,
        validation_rows,
        None if described is None else _keeping(trainee, options, described, seed, scale, number),
    )


def _keeping(
    trainee: Trainee,
    options: FitOptions,
    described: dict[str, Any],
    seed: int,
    scale: TargetScale | None,
    number: int,
) -> Keeping:
    """Return what ties a training to its checkpoint, which was looked at."""
    from pymlp.training.described import check_epochs
    from pymlp.training.keeping import Keeping
    from pymlp.training.kept_run import check_arrays

    assert options.checkpoint is not None
    run = options.checkpoint.run(number, described)
    if run is not None:
        check_epochs(options, run)
        if not isinstance(options.optimizer, LBFGS):
            core = options.optimizer.core_for(trainee.network, trainee.architecture)
            check_arrays(run, core, options.average)
    architecture = trainee.architecture

    def shown(arena: FloatArray) -> FloatArray:
        return arena if scale is None else scale.unscaled_arena(arena, architecture)

    return Keeping(
        options.checkpoint, number, described, seed, run, shown, {m.name for m in options.metrics}
    )


def in_scale(task: Task) -> AbstractContextManager[None]:
    """Let the network of a task predict in the scale that its targets are learnt in."""
    if task.scale is None:
        return contextlib.nullcontext()
    return task.scale.in_network(task.core, task.architecture)


def take_ended(task: Task) -> None:
    """Give a network what the checkpoint has of a training that has ended."""
    from pymlp.training.kept_run import take_optimizer, take_record

    assert task.keeping is not None
    assert task.keeping.run is not None
    run, history, optimizer = task.keeping.run, task.history, task.options.optimizer
    task.core.write(run.state["parameters"])
    if not isinstance(optimizer, LBFGS):
        take_optimizer(run, optimizer.core_for(task.network, task.architecture))
        optimizer.learning_rate = run.numbers["learning_rate"]
    take_record(run, history, task.keeping.metrics)
    history._monitor = task.options.monitor
    history.stopped_by = run.numbers["stopped_by"]
    task.network.history = history


def finish(task: Task) -> None:
    """Take for the checkpoint, where there is one, what a training left."""
    if task.keeping is not None:
        task.keeping.finish(task.network, task.history)


def _check_optimizer(network: Any, architecture: Architecture, options: FitOptions) -> None:
    """Refuse an optimiser that is another network's, or options that it cannot keep."""
    if isinstance(options.optimizer, LBFGS):
        from pymlp.training import lbfgs

        lbfgs.check(architecture, options)
    else:
        options.optimizer.core_for(network, architecture)
        options.optimizer.belong_to(network)
