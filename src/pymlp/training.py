"""Training: the options of `fit`, its record, and the loop around the core's trainer.

The core trains whole epochs, and many at once where nothing in Python is waiting: control comes
back after every epoch if there are callbacks, ten times a second if there is a bar, else at the
end.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from pymlp import _arrays, _checks, _core, config
from pymlp._arrays import FloatArray, LabelArray

if TYPE_CHECKING:
    from pymlp.network import Network
    from pymlp.optimizers import Optimizer

# X, labels, values, sample_weight: of labels and values one is None
Samples: TypeAlias = tuple[FloatArray, LabelArray | None, FloatArray | None, FloatArray | None]
Callback: TypeAlias = "Callable[[Network, History], bool | None]"
CoreTrainer: TypeAlias = "_core._Trainer[Any]"

_TRAINERS: dict[np.dtype[Any], type[CoreTrainer]] = {
    np.dtype(np.float32): _core.TrainerFloat32,
    np.dtype(np.float64): _core.TrainerFloat64,
}
_SPLIT_STREAM = 2**33  # apart from the streams of layers and of epochs


class TrainingDiverged(ArithmeticError):  # noqa: N818
    """The loss or a parameter stopped being finite.

    The parameters are as they were when the epoch (in `train_batch`: the step) began.
    """


class EarlyStopping:
    """End training when the watched loss has not improved for a while.

    Parameters
    ----------
    patience : int, default 10
        Epochs without improvement that are waited for.
    min_delta : float, default 0
        An improvement is a decrease by more than this.
    restore_best : bool, default True
        Leave the parameters of the best epoch, not of the last one.
    """

    def __init__(
        self, patience: int = 10, *, min_delta: float = 0.0, restore_best: bool = True
    ) -> None:
        self.patience = _checks.integer("patience", patience, minimum=1)
        self.min_delta = _checks.number("min_delta", min_delta, minimum=0.0)
        self.restore_best = _checks.flag("restore_best", restore_best)

    def __repr__(self) -> str:
        return (
            f"EarlyStopping(patience={self.patience}, min_delta={self.min_delta:g}, "
            f"restore_best={self.restore_best})"
        )


class History:
    """The record of one `fit`.

    Attributes
    ----------
    loss : list of float
        Mean training loss of each epoch, over its batches as they were seen.
    val_loss : list of float
        Mean loss on the validation samples after each epoch; empty without validation.
    learning_rate : list of float
        Of each epoch.
    seconds : float
        Time spent training.
    stopped_by : str
        "epochs", "early_stopping", "max_seconds", "callback", "diverged" or "interrupted";
        "running" until then.
    """

    def __init__(self) -> None:
        self.loss: list[float] = []
        self.val_loss: list[float] = []
        self.learning_rate: list[float] = []
        self.seconds = 0.0
        self.stopped_by = "running"

    def __repr__(self) -> str:
        last = f", loss={self.loss[-1]:.6g}" if self.loss else ""
        last += f", val_loss={self.val_loss[-1]:.6g}" if self.val_loss else ""
        return (
            f"History({len(self.loss)} epochs{last}, seconds={self.seconds:.3g}, "
            f"stopped_by='{self.stopped_by}')"
        )


class Options:
    """The options of `fit` that do not concern arrays, checked."""

    def __init__(
        self,
        *,
        epochs: int,
        batch_size: int | None,
        shuffle: bool,
        early_stopping: EarlyStopping | None,
        callbacks: Iterable[Callback],
        progress: bool,
        threads: int | None,
        max_seconds: float | None,
    ) -> None:
        self.epochs = _checks.integer("epochs", epochs, minimum=1)
        self.batch_size = (
            None if batch_size is None else _checks.integer("batch_size", batch_size, minimum=1)
        )
        self.shuffle = _checks.flag("shuffle", shuffle)
        if not isinstance(early_stopping, EarlyStopping | None):
            raise TypeError(
                f"early_stopping must be an EarlyStopping, not {_checks.type_name(early_stopping)}"
            )
        self.early_stopping = early_stopping
        self.callbacks = _callbacks(callbacks)
        self.progress = _checks.flag("progress", progress)
        self.threads = config.threads(threads)
        self.max_seconds = (
            0.0 if max_seconds is None else _checks.number("max_seconds", max_seconds, above=0.0)
        )

    def for_core(self, samples: int, seed: int) -> _core.FitOptions:
        """Return them as the core takes them."""
        watch = self.early_stopping
        return _core.FitOptions(
            epochs=self.epochs,
            batch_size=samples if self.batch_size is None else min(self.batch_size, samples),
            shuffle=self.shuffle,
            seed=seed,
            threads=self.threads,
            max_seconds=self.max_seconds,
            early_stopping=None
            if watch is None
            else _core.EarlyStopping(watch.patience, watch.min_delta, watch.restore_best),
        )


def _callbacks(callbacks: Any) -> list[Callback]:
    if not isinstance(callbacks, Iterable):
        raise TypeError(
            f"callbacks must be an iterable of callables, not {_checks.type_name(callbacks)}"
        )
    result = list(callbacks)
    for i, callback in enumerate(result):
        if not callable(callback):
            raise TypeError(f"callbacks[{i}] must be callable, not {_checks.type_name(callback)}")
    return result


@contextlib.contextmanager
def only_one(lock: threading.Lock) -> Iterator[None]:
    """Refuse a second training of a network while one is going on."""
    if not lock.acquire(blocking=False):
        raise RuntimeError("this network is being trained already; wait for that to end")
    try:
        yield
    finally:
        lock.release()


def finite(samples: Samples) -> Samples:
    """Return samples whose inputs are finite; targets and weights were looked at before."""
    _arrays.finite("X", samples[0])
    return samples


def validation_pair(validation: Any) -> tuple[Any, Any]:
    """Return (Xv, yv)."""
    if len(validation) != 2:
        raise ValueError(f"it must be (Xv, yv), not {len(validation)} items")
    return validation[0], validation[1]


def split(samples: Samples, validation: Any, seed: int) -> tuple[Samples, Samples | None]:
    """Return (training, validation) samples; a share is drawn at random and held out."""
    if validation is None:
        return samples, None
    share = _checks.number("validation", validation, above=0.0, below=1.0)
    m = samples[0].shape[0]
    held_out = max(1, math.floor(share * m + 0.5))
    if held_out >= m:
        raise ValueError(f"validation={share:g} of {m} samples leaves none to train on")
    order = _core.permutation(m, seed, _SPLIT_STREAM)
    return _take(samples, order[held_out:]), _take(samples, order[:held_out])


def _take(samples: Samples, rows: Any) -> Samples:
    X, labels, values, weights = samples
    return (
        X[rows],
        None if labels is None else labels[rows],
        None if values is None else values[rows],
        None if weights is None else weights[rows],
    )


def fit(
    network: Network,
    optimizer: Optimizer,
    loss: str,
    samples: Samples,
    validation: Samples | None,
    options: Options,
    seed: int,
) -> History:
    """Train `network` and return the record, which the network keeps however this ends."""
    core = _TRAINERS[network.dtype](
        network._core,
        optimizer.core_for(network),
        loss,
        samples,
        validation,
        options.for_core(samples[0].shape[0], seed),
    )
    history = network.history = History()
    try:
        with _bar(options, samples[0].shape[0]) as show:
            history.stopped_by = _run(core, network, history, options, show)
    except BaseException:  # Ctrl-C, or whatever a callback raised
        history.stopped_by = "interrupted"
        raise
    finally:
        _record(history, core)
    if history.stopped_by == "diverged":
        raise TrainingDiverged(
            f"training diverged in epoch {len(history.loss) + 1}: the loss or a parameter is not "
            "finite any more; the parameters are as they were when the epoch began. A smaller "
            "learning_rate or scaled inputs may help"
        )
    return history


def _run(
    core: CoreTrainer,
    network: Network,
    history: History,
    options: Options,
    show: Callable[[CoreTrainer], None],
) -> str:
    epochs_a_look = 1 if options.callbacks else options.epochs
    seconds_a_look = 0.1 if options.progress else math.inf
    done = 0
    while True:
        status = core.run(epochs_a_look, seconds_a_look)
        show(core)
        if options.callbacks and len(core.loss) > done:
            done = len(core.loss)
            _record(history, core)
            if any([callback(network, history) is True for callback in options.callbacks]):
                return "callback"
        if status != "running":
            return status


def _record(history: History, core: CoreTrainer) -> None:
    history.loss = core.loss
    history.val_loss = core.validation_loss
    history.learning_rate = core.learning_rate
    history.seconds = core.seconds


@contextlib.contextmanager
def _bar(options: Options, samples: int) -> Iterator[Callable[[CoreTrainer], None]]:
    """Yield a function that shows how far a trainer is: on a bar, or not at all."""
    if not options.progress:
        yield lambda core: None
        return
    from tqdm import tqdm  # type: ignore[import-untyped]

    with tqdm(total=options.epochs * samples, unit=" samples", unit_scale=True) as bar:

        def show(core: CoreTrainer) -> None:
            bar.set_description(f"epoch {min(len(core.loss) + 1, options.epochs)}/{options.epochs}")
            losses = {"loss": core.loss[-1:], "val_loss": core.validation_loss[-1:]}
            bar.set_postfix({name: f"{v[0]:.4g}" for name, v in losses.items() if v}, refresh=False)
            bar.update(core.samples_seen - bar.n)

        yield show
