"""Training: the loop around the core's trainer.

The core trains whole epochs, and many at once where nothing in Python is waiting: control comes
back after every epoch if there are callbacks, ten times a second if there is a bar, else at the
end.
"""

from __future__ import annotations

import contextlib
import math
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from pymlp import _core
from pymlp._options import Options
from pymlp._samples import Samples
from pymlp.history import History, TrainingDiverged
from pymlp.losses import Loss
from pymlp.optimizers import LBFGS, CoreOptimizer, Optimizer
from pymlp.schedules import ReduceOnPlateau

if TYPE_CHECKING:
    from pymlp.network import Network

# mean losses of all epochs, those on the validation samples, samples seen
Show: TypeAlias = Callable[[list[float], list[float], int], None]
CoreTrainer: TypeAlias = "_core._Trainer[Any]"

_TRAINERS: dict[np.dtype[Any], type[CoreTrainer]] = {
    np.dtype(np.float32): _core.TrainerFloat32,
    np.dtype(np.float64): _core.TrainerFloat64,
}


def warn_of_steps(network: Network) -> None:
    """Warn that nothing up to a step layer will learn."""
    steps = [i for i, layer in enumerate(network.layers, 1) if layer.activation.name == "step"]
    if steps:
        warnings.warn(
            f"layer {steps[-1]} has a step activation, whose derivative is 0: no gradient passes "
            "it, and neither it nor the layers before it learn",
            stacklevel=3,
        )


@contextlib.contextmanager
def only_one(lock: threading.Lock) -> Iterator[None]:
    """Refuse a second training of a network while one is going on."""
    if not lock.acquire(blocking=False):
        raise RuntimeError("this network is being trained already; wait for that to end")
    try:
        yield
    finally:
        lock.release()


def check_optimizer(network: Network, optimizer: Optimizer, options: Options) -> None:
    """Refuse an optimiser that is another network's, or options that it cannot keep."""
    if isinstance(optimizer, LBFGS):
        from pymlp import lbfgs

        lbfgs.check(network, options)
    else:
        optimizer.core_for(network)


def fit(
    network: Network,
    optimizer: Optimizer,
    loss: Loss,
    samples: Samples,
    validation: Samples | None,
    options: Options,
    seed: int,
) -> History:
    """Train `network` and return the record, which the network keeps however this ends."""
    history = History()
    if isinstance(optimizer, LBFGS):
        _fit_lbfgs(network, optimizer, loss, samples, validation, options, history)
    else:
        _fit_steps(network, optimizer, loss, samples, validation, options, history, seed)
    if history.stopped_by == "diverged":
        raise TrainingDiverged(
            f"training diverged in epoch {len(history.loss) + 1}: the loss or a parameter is not "
            "finite any more; the parameters are as they were when the epoch began. A smaller "
            "learning_rate or scaled inputs may help"
        )
    return history


def _fit_lbfgs(
    network: Network,
    optimizer: LBFGS,
    loss: Loss,
    samples: Samples,
    validation: Samples | None,
    options: Options,
    history: History,
) -> None:
    from pymlp import lbfgs

    with _on_record(network, history), _bar(options, samples[0].shape[0]) as show:
        history.stopped_by = lbfgs.fit(
            network, optimizer, loss, samples, validation, options, history, show
        )


def _fit_steps(
    network: Network,
    optimizer: Optimizer,
    loss: Loss,
    samples: Samples,
    validation: Samples | None,
    options: Options,
    history: History,
    seed: int,
) -> None:
    state = optimizer.core_for(network)
    core = _TRAINERS[network.dtype](
        network._core,
        state,
        loss.for_core(),
        samples,
        validation,
        options.for_core(samples[0].shape[0], seed, optimizer.learning_rate),
    )
    try:
        with _on_record(network, history), _bar(options, samples[0].shape[0]) as show:
            history.stopped_by = _run(core, network, history, options, state, show)
    finally:
        _record(history, core)
        state.learning_rate = optimizer.learning_rate  # a schedule's last value is not the user's


@contextlib.contextmanager
def _on_record(network: Network, history: History) -> Iterator[None]:
    network.history = history
    try:
        yield
    except BaseException:  # Ctrl-C, or whatever a callback raised
        history.stopped_by = "interrupted"
        raise


def _run(
    core: Any,
    network: Network,
    history: History,
    options: Options,
    optimizer: CoreOptimizer,
    show: Show,
) -> str:
    plateau = options.schedule if isinstance(options.schedule, ReduceOnPlateau) else None
    if plateau:
        rates = plateau.follow(optimizer.learning_rate)
        next(rates)
    epochs_a_look = 1 if options.callbacks or plateau else options.epochs
    seconds_a_look = 0.1 if options.progress else math.inf
    while True:
        status: str = core.run(epochs_a_look, seconds_a_look)
        new_epochs = _record(history, core)
        show(history.loss, history.val_loss, core.samples_seen)
        if new_epochs:
            if any([callback(network, history) is True for callback in options.callbacks]):
                return "callback"
            if plateau:
                optimizer.learning_rate = rates.send((history.val_loss or history.loss)[-1])
        if status != "running":
            return status


def _record(history: History, core: CoreTrainer) -> int:
    """Append the epochs that ended since the last look; return how many they are."""
    loss, val_loss, learning_rate = core.take_records()
    history.loss += loss
    history.val_loss += val_loss
    history.learning_rate += learning_rate
    history.seconds = core.seconds
    return len(loss)


@contextlib.contextmanager
def _bar(options: Options, samples: int) -> Iterator[Show]:
    """Yield a function that shows how far training is: on a bar, or not at all."""
    if not options.progress:
        yield lambda loss, val_loss, samples_seen: None
        return
    from tqdm import tqdm  # type: ignore[import-untyped]

    with tqdm(total=options.epochs * samples, unit=" samples", unit_scale=True) as bar:

        def show(loss: list[float], val_loss: list[float], samples_seen: int) -> None:
            bar.set_description(f"epoch {min(len(loss) + 1, options.epochs)}/{options.epochs}")
            last = {"loss": loss[-1:], "val_loss": val_loss[-1:]}
            bar.set_postfix({name: f"{v[0]:.4g}" for name, v in last.items() if v}, refresh=False)
            bar.update(samples_seen - bar.n)

        yield show
