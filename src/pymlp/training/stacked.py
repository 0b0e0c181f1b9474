"""From a call of `NetworkStack.fit` to the tasks of its networks."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pymlp import _checks, _core, architecture, config
from pymlp.optimizers import LBFGS, Optimizer
from pymlp.training import seed_of, together, warn
from pymlp.training.history import History, TrainingDiverged
from pymlp.training.member_samples import MemberSamples, name, naming, of_members
from pymlp.training.options import FitOptions, checkpoint_of
from pymlp.training.preparing import prepared, take_ended
from pymlp.training.task import Task, Trainee


def fit(
    trainees: Sequence[Trainee],
    X: Any,
    y: Any,
    given: Mapping[str, Any],
    rows: Any,
    validation_rows: Any,
) -> list[History]:
    """Train networks of one architecture together; return their records.

    Parameters
    ----------
    trainees : sequence of Trainee
    X, y, rows, validation_rows
        As in `NetworkStack.fit`.
    given : dict
        The options of `Network.fit` by name, as they were given.
    """
    progress = _checks.flag("progress", given["progress"])
    checkpoint = checkpoint_of(given)
    if checkpoint is not None:
        checkpoint.open(stacked=True)
        if checkpoint is not given["checkpoint"]:  # which may have rounds of several stacks
            checkpoint.check_count(len(trainees))
    own = {"progress": False, "checkpoint": checkpoint, "checkpoint_every": None, "resume": None}
    options, seeds = _options({**given, **own}, trainees)
    named = trainees[0].named_by(X[0] if isinstance(X, list | tuple) and X else X).architecture
    trainees = [trainee._replace(architecture=named) for trainee in trainees]
    of_each = of_members(len(trainees), X, y, rows, validation_rows, options[0], named)
    arithmetic = config.arithmetic(config.get_arithmetic())
    with contextlib.ExitStack() as trainings, arithmetic:
        for i, trainee in enumerate(trainees):
            _begin(trainings, i, trainee)
        tasks = [
            _task(i, *member)
            for i, member in enumerate(zip(trainees, of_each, options, seeds, strict=True))
        ]
        warn(_some_targets(of_each), options[0], named, stacklevel=4)
        # Whatever is refused is refused by now, and nothing has changed.
        for trainee, seed, task in zip(trainees, seeds, tasks, strict=True):
            trainee.accept(seed, None if task.keeping is None else task.keeping.run)
        try:
            together.train(_not_ended(tasks), progress=progress)
        finally:
            if checkpoint is not None:
                checkpoint.write()
    histories = [task.history for task in tasks]
    _raise_of_diverged(histories)
    return histories


# ---- options -------------------------------------------------------------------------------------


def _options(
    given: Mapping[str, Any], trainees: Sequence[Trainee]
) -> tuple[list[FitOptions], list[int | None]]:
    """Return the options of each network, which differ in the optimiser alone, and the seeds."""
    output, count = trainees[0].architecture.activations[-1], len(trainees)
    seeds, optimizers = _seeds(given["seed"], count), _each_optimizer(given["optimizer"], count)
    given = {**given, "seed": None}
    if optimizers is None:
        shared = FitOptions(given, output)
        _refuse_lbfgs(shared.optimizer)
        options = [_with_optimizer(shared, one) for one in _fresh(shared.optimizer, count)]
    else:
        options = []
        for i, one in enumerate(optimizers):
            with naming(i):
                _refuse_lbfgs(one)
                options.append(FitOptions({**given, "optimizer": one}, output))
    options[0].check_freeze(len(trainees[0].architecture.activations))
    return options, seeds


def _with_optimizer(shared: FitOptions, optimizer: Optimizer) -> FitOptions:
    options = copy.copy(shared)
    options.optimizer = optimizer
    return options


def _refuse_lbfgs(optimizer: Optimizer) -> None:
    if isinstance(optimizer, LBFGS):
        raise ValueError(
            "optimizer must not be lbfgs in a stack: its line search takes steps of its own; call "
            "fit of each network"
        )


def _each_optimizer(optimizer: Any, count: int) -> list[Optimizer] | None:
    """Return the optimiser of each network; None where all take one rule."""
    if not isinstance(optimizer, list | tuple):
        return None
    if len(optimizer) != count:
        raise ValueError(
            f"optimizer must be one for each of the {count} networks, not {len(optimizer)}"
        )
    for i, one in enumerate(optimizer):
        if not isinstance(one, Optimizer):
            raise TypeError(f"optimizer[{i}] must be an Optimizer, not {type(one).__name__}")
        if any(one is other for other in optimizer[:i]):
            raise ValueError(f"optimizer[{i}] is the optimizer of another network, too")
    return list(optimizer)


def _fresh(optimizer: Optimizer, count: int) -> list[Optimizer]:
    if optimizer.steps > 0:
        raise ValueError(
            "optimizer remembers the steps of one network; give a list of one for each network, or "
            "optimizer.fresh()"
        )
    return [optimizer.fresh() for _ in range(count)]


def _seeds(seed: Any, count: int) -> list[int | None]:
    """Return the seed of each network; None where it goes on from the network's own."""
    if seed is None:
        return [None] * count
    if not isinstance(seed, list | tuple | np.ndarray):
        return [architecture.checked_seed(seed)] * count
    if len(seed) != count:
        raise ValueError(f"seed must be one for each of the {count} networks, not {len(seed)}")
    return [architecture.checked_seed(one) for one in seed]


# ---- tasks ---------------------------------------------------------------------------------------


def _begin(trainings: contextlib.ExitStack, number: int, trainee: Trainee) -> None:
    try:
        trainings.enter_context(_core.Training(trainee.core))
    except RuntimeError as error:
        raise RuntimeError(f"{name(number)}: {error}") from None


def _task(
    number: int, trainee: Trainee, of_it: MemberSamples, options: FitOptions, seed: int | None
) -> Task:
    with naming(number):
        seed = seed_of(trainee, seed, options.checkpoint, number)
        history = History()
        held_out = of_it.held_out
        of_it = of_it.split(seed)
        if held_out:
            history.held_out = of_it.validation_rows
        if options.metrics:
            of_it = of_it.copied()
        return prepared(
            trainee,
            of_it.training,
            of_it.validation,
            options,
            history,
            seed,
            of_it.rows,
            of_it.validation_rows,
            number,
        )


def _not_ended(tasks: Sequence[Task]) -> list[Task]:
    """Return the trainings that are left; the others are as the checkpoint has them."""
    left = []
    for task in tasks:
        if task.keeping is not None and task.keeping.has_ended:
            take_ended(task)
        else:
            left.append(task)
    return left


def _some_targets(of_each: Sequence[MemberSamples]) -> Any:
    """Return the targets of all networks as those of one, to look at their units."""
    X, labels, values, weights = of_each[0].training
    distinct = {id(member.training[2]): member.training[2] for member in of_each}
    if values is None or len(distinct) == 1:
        return X, labels, values, weights
    return X, None, np.concatenate([v for v in distinct.values() if v is not None]), None


def _raise_of_diverged(histories: Sequence[History]) -> None:
    diverged = [i for i, history in enumerate(histories) if history.stopped_by == "diverged"]
    if not diverged:
        return
    shown = ", ".join(f"{name(i)} in epoch {len(histories[i].loss) + 1}" for i in diverged[:5])
    more = f" and {len(diverged) - 5} more" if len(diverged) > 5 else ""
    raise TrainingDiverged(
        f"training diverged: {shown}{more}, of {len(histories)}: the loss or a parameter is not "
        "finite any more; their parameters are as they were when the epoch began, and the other "
        "networks are trained. A smaller learning_rate or scaled inputs may help"
    )
