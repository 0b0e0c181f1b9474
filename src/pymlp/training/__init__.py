"""Training: options and samples are checked, a loop takes steps, a watch decides when to end."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from typing import Any

from numpy.typing import ArrayLike

from pymlp import _core, config
from pymlp.architecture import Architecture, CoreNetwork
from pymlp.optimizers import LBFGS
from pymlp.training import loop, samples, target_scale
from pymlp.training.early_stopping import EarlyStopping
from pymlp.training.epoch_metrics import EpochMetrics, evaluate
from pymlp.training.history import History, TrainingDiverged
from pymlp.training.options import FitOptions
from pymlp.training.scheduled import scheduled
from pymlp.training.target_scale import TargetScale
from pymlp.training.task import Task

__all__ = ["EarlyStopping", "FitOptions", "History", "TrainingDiverged", "evaluate", "fit"]


def fit(
    network: Any,
    core: CoreNetwork,
    architecture: Architecture,
    X: ArrayLike,
    y: ArrayLike,
    options: FitOptions,
    next_seed: Callable[[], int],
    take_seed: Callable[[], None],
) -> History:
    """Train a network and return the record, which the network keeps however this ends.

    Parameters
    ----------
    network : Network
        Given to the callbacks.
    core : network of the core
        Where its parameters are.
    architecture : Architecture
    X, y : array-like
    options : FitOptions
    next_seed, take_seed : callable
        Return the seed for options that have none, and count it as taken.
    """
    options.check_freeze(len(architecture.activations))
    training, validation, held_out = samples.for_fit(X, y, options, architecture)
    # Whatever this calls computes as it does when it begins.
    arithmetic = config.arithmetic(config.get_arithmetic())
    with _core.Training(core), arithmetic:  # refused where one is going on
        numbers = scheduled(options, architecture, training[0].shape[0] - held_out)
        seed = next_seed() if options.seed is None else options.seed
        history = History()
        if held_out > 0:
            training, validation, history.held_out = samples.split(training, held_out, seed)
        _check_optimizer(network, architecture, options)
        scale = _scale_of(training, options, architecture)
        if scale is not None:
            training = scale.scaled(training)
            validation = None if validation is None else scale.scaled(validation)
        if options.metrics:
            EpochMetrics(core, architecture, options, training, validation, scale).check()
        # Whatever is refused is refused by now, and nothing has changed.
        if options.seed is None:
            take_seed()
        task = Task(
            network,
            core,
            architecture,
            training,
            validation,
            options,
            history,
            seed,
            numbers,
            scale,
        )
        in_scale = scale.in_network(core, architecture) if scale else contextlib.nullcontext()
        try:
            with in_scale:
                _loop_of(options)(task)
        finally:
            if history.stopped_by == "running":  # an interrupt came before the first step
                history.stopped_by = "interrupted"
    if history.stopped_by == "diverged":
        raise TrainingDiverged(
            f"training diverged in epoch {len(history.loss) + 1}: the loss or a parameter is not "
            "finite any more; the parameters are as they were when the epoch began. A smaller "
            "learning_rate or scaled inputs may help"
        )
    return history


def _scale_of(
    training: samples.Samples, options: FitOptions, architecture: Architecture
) -> TargetScale | None:
    """Return the scale that the targets are learnt in; None: their own."""
    if options.scale_target:
        target_scale.check(options, architecture)
        return TargetScale(training)
    target_scale.warn_of_units(training, options, architecture, stacklevel=5)
    return None


def _loop_of(options: FitOptions) -> Callable[[Task], None]:
    if isinstance(options.optimizer, LBFGS):
        from pymlp.training import lbfgs

        return lbfgs.fit
    return loop.fit


def _check_optimizer(network: Any, architecture: Architecture, options: FitOptions) -> None:
    """Refuse an optimiser that is another network's, or options that it cannot keep."""
    warn_of_steps(architecture, stacklevel=5)
    if isinstance(options.optimizer, LBFGS):
        from pymlp.training import lbfgs

        lbfgs.check(architecture, options)
    else:
        options.optimizer.core_for(network, architecture)
        options.optimizer.belong_to(network)


def warn_of_steps(architecture: Architecture, *, stacklevel: int) -> None:
    """Warn that nothing up to a step layer will learn."""
    functions = [getattr(g, "activation", g) for g in architecture.activations]
    steps = [i for i, g in enumerate(functions, 1) if g.name == "step"]
    if steps:
        warnings.warn(
            f"layer {steps[-1]} has a step activation, whose derivative is 0: no gradient passes "
            "it, and neither it nor the layers before it learn",
            stacklevel=stacklevel,
        )
