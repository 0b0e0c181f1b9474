"""Training: options and samples are checked, a loop takes steps, a watch decides when to end."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from pymlp import _core, config
from pymlp.architecture import Architecture
from pymlp.optimizers import LBFGS
from pymlp.training import loop, samples, target_scale
from pymlp.training.early_stopping import EarlyStopping
from pymlp.training.epoch_metrics import evaluate
from pymlp.training.history import History, TrainingDiverged
from pymlp.training.options import FitOptions
from pymlp.training.preparing import finish, in_scale, prepared, take_ended
from pymlp.training.task import Task, Trainee

if TYPE_CHECKING:
    from pymlp.training.checkpoint import Checkpoint

__all__ = [
    "EarlyStopping",
    "FitOptions",
    "History",
    "Trainee",
    "TrainingDiverged",
    "evaluate",
    "fit",
]


def fit(trainee: Trainee, X: ArrayLike, y: ArrayLike, options: FitOptions) -> History:
    """Train a network and return the record, which the network keeps however this ends."""
    options.check_freeze(len(trainee.architecture.activations))
    checkpoint = options.checkpoint
    if checkpoint is not None:
        checkpoint.open(stacked=False)
    trainee = trainee.named_by(X)
    architecture = trainee.architecture
    training, validation, held_out = samples.for_fit(X, y, options, architecture)
    # Whatever this calls computes as it does when it begins.
    arithmetic = config.arithmetic(config.get_arithmetic())
    with _core.Training(trainee.core), arithmetic:  # refused where one is going on
        seed = seed_of(trainee, options.seed, checkpoint, 0)
        history = History()
        if held_out > 0:
            training, validation, history.held_out = samples.split(training, held_out, seed)
        task = prepared(trainee, training, validation, options, history, seed)
        warn(training, options, architecture, stacklevel=4)
        # Whatever is refused is refused by now, and nothing has changed.
        trainee.accept(options.seed, None if task.keeping is None else task.keeping.run)
        if task.keeping is not None and task.keeping.has_ended:
            take_ended(task)
            return history
        try:
            with in_scale(task):
                _loop_of(options)(task)
        finally:
            if history.stopped_by == "running":  # an interrupt came before the first step
                history.stopped_by = "interrupted"
            finish(task)
            if checkpoint is not None:
                checkpoint.write()
    if history.stopped_by == "diverged":
        raise TrainingDiverged(
            f"training diverged in epoch {len(history.loss) + 1}: the loss or a parameter is not "
            "finite any more; the parameters are as they were when the epoch began. A smaller "
            "learning_rate or scaled inputs may help"
        )
    return history


def seed_of(trainee: Trainee, given: int | None, checkpoint: Checkpoint | None, number: int) -> int:
    """Return the seed of a training: its own, else a checkpoint's, else the network's next."""
    kept = None if checkpoint is None else checkpoint.seed(number)
    if given is not None:
        return given
    return trainee.next_seed() if kept is None else kept


def _loop_of(options: FitOptions) -> Callable[[Task], None]:
    if isinstance(options.optimizer, LBFGS):
        from pymlp.training import lbfgs

        return lbfgs.fit
    return loop.fit


def warn(
    training: samples.Samples, options: FitOptions, architecture: Architecture, *, stacklevel: int
) -> None:
    """Warn of layers that will not learn, and of targets that are learnt badly as they are."""
    warn_of_steps(architecture, stacklevel=stacklevel + 1)
    if not options.scale_target:
        target_scale.warn_of_units(training, options, architecture, stacklevel=stacklevel + 1)


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
