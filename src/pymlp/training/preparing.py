"""From samples and options to a task: what is left to be checked and drawn before a training."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    """
    network, core, architecture = trainee.network, trainee.core, trainee.architecture
    numbers = scheduled(options, architecture, len(samples[0] if rows is None else rows))
    _check_optimizer(network, architecture, options)
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
    )


def in_scale(task: Task) -> AbstractContextManager[None]:
    """Let the network of a task predict in the scale that its targets are learnt in."""
    if task.scale is None:
        return contextlib.nullcontext()
    return task.scale.in_network(task.core, task.architecture)


def _check_optimizer(network: Any, architecture: Architecture, options: FitOptions) -> None:
    """Refuse an optimiser that is another network's, or options that it cannot keep."""
    if isinstance(options.optimizer, LBFGS):
        from pymlp.training import lbfgs

        lbfgs.check(architecture, options)
    else:
        options.optimizer.core_for(network, architecture)
        options.optimizer.belong_to(network)
