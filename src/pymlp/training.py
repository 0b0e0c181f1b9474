"""Training: the options of `fit`, its record, and the loop around the core's trainer.

The core trains whole epochs, and many at once where nothing in Python is waiting: control comes
back after every epoch if there are callbacks, ten times a second if there is a bar, else at the
end.
"""

from __future__ import annotations

import contextlib
import math
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from pymlp import _arrays, _checks, _core, config, schedules
from pymlp._arrays import FloatArray, LabelArray
from pymlp.losses import Loss
from pymlp.optimizers import LBFGS, CoreOptimizer, Optimizer
from pymlp.schedules import ReduceOnPlateau, Schedule

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pymlp.network import Network

# X, labels, values, sample_weight: of labels and values one is None
Samples: TypeAlias = tuple[FloatArray, LabelArray | None, FloatArray | None, FloatArray | None]
# mean losses of all epochs, those on the validation samples, samples seen
Show: TypeAlias = Callable[[list[float], list[float], int], None]
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
        Of the last step of each epoch.
    seconds : float
        Time spent training.
    stopped_by : str
        "epochs", "early_stopping", "max_seconds", "callback", "diverged" or "interrupted"; of
        L-BFGS also "converged" or "line_search" (which found no lower point); "running" until then.
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

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw the learning curve, as `pymlp.plot.history` does; needs matplotlib."""
        from pymlp import plot

        return plot.history(self, ax=ax)


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
        schedule: Schedule | None,
        regularization: _core.Regularization,
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
        self.schedule = schedules.resolve(schedule)
        self.regularization = regularization

    def for_core(self, samples: int, seed: int, learning_rate: float) -> _core.FitOptions:
        """Return them as the core takes them."""
        watch = self.early_stopping
        batch_size = samples if self.batch_size is None else min(self.batch_size, samples)
        steps_per_epoch = -(-samples // batch_size)
        return _core.FitOptions(
            epochs=self.epochs,
            batch_size=batch_size,
            shuffle=self.shuffle,
            seed=seed,
            threads=self.threads,
            max_seconds=self.max_seconds,
            early_stopping=None
            if watch is None
            else _core.EarlyStopping(watch.patience, watch.min_delta, watch.restore_best),
            regularization=self.regularization,
            learning_rates=[]
            if self.schedule is None
            else self.schedule.rates(learning_rate, self.epochs, steps_per_epoch),
        )


def warn_of_steps(network: Network) -> None:
    """Warn that nothing up to a step layer will learn."""
    steps = [i for i, layer in enumerate(network.layers, 1) if layer.activation.name == "step"]
    if steps:
        warnings.warn(
            f"layer {steps[-1]} has a step activation, whose derivative is 0: no gradient passes "
            "it, and neither it nor the layers before it learn",
            stacklevel=3,
        )


def regularization(
    l1: float,
    l2: float,
    clip_norm: float | None,
    clip_value: float | None,
    max_norm: float | None,
) -> _core.Regularization:
    """Return penalties and limits, checked, as the core takes them."""
    limits = {"clip_norm": clip_norm, "clip_value": clip_value, "max_norm": max_norm}
    return _core.Regularization(
        l1=_checks.number("l1", l1, minimum=0.0),
        l2=_checks.number("l2", l2, minimum=0.0),
        **{
            name: 0.0 if limit is None else _checks.number(name, limit, above=0.0)
            for name, limit in limits.items()
        },
    )


def with_class_weights(samples: Samples, class_weight: Any, outputs: int) -> Samples:
    """Return samples whose weights are multiplied by those of their classes."""
    if class_weight is None:
        return samples
    X, labels, values, weights = samples
    classes = _class_of_each(labels, values)
    n_classes = max(2, outputs)
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise _checks.unknown_name("class_weight", class_weight, ["balanced"])
        counts = np.bincount(classes, minlength=n_classes)
        table = len(classes) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    else:
        table = _class_weight_table(class_weight, n_classes)
    with np.errstate(over="ignore", invalid="ignore"):  # said in words below
        factor = table[classes].astype(X.dtype)
        product = factor if weights is None else weights * factor
    _arrays.finite("class_weight times sample_weight", product)
    if not product.any():
        raise ValueError("class_weight must not leave a weight of 0 for every sample")
    return X, labels, values, product


def _class_of_each(labels: LabelArray | None, values: FloatArray | None) -> Any:
    if labels is not None:
        return labels
    if values is not None and values.shape[1] == 1 and np.isin(values, (0, 1)).all():
        return values[:, 0].astype(np.int32)
    raise ValueError("class_weight needs a y of integer labels, or of 0 and 1 for one output")


def _class_weight_table(class_weight: Any, n_classes: int) -> Any:
    if not isinstance(class_weight, Mapping):
        raise TypeError(
            "class_weight must be a dict of weights or 'balanced', not "
            f"{_checks.type_name(class_weight)}"
        )
    table = np.ones(n_classes)
    for label, weight in class_weight.items():
        position = _checks.integer("class_weight's labels", label, minimum=0)
        if position >= n_classes:
            raise ValueError(
                f"class_weight must name labels from 0 to {n_classes - 1}, not {position}"
            )
        table[position] = _checks.number(f"class_weight[{position}]", weight, minimum=0.0)
    return table


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


def held_out_share(validation: Any, m: int) -> int:
    """Return how many of m samples a share of them is."""
    if validation is None:
        return 0
    share = _checks.number("validation", validation, above=0.0, below=1.0)
    held_out = max(1, math.floor(share * m + 0.5))
    if held_out >= m:
        raise ValueError(f"validation={share:g} of {m} samples leaves none to train on")
    return held_out


def split(samples: Samples, held_out: int, seed: int) -> tuple[Samples, Samples]:
    """Return (training, validation) samples; so many are drawn at random and held out."""
    order = _core.permutation(samples[0].shape[0], seed, _SPLIT_STREAM)
    return _take(samples, order[held_out:]), _take(samples, order[:held_out])


def _take(samples: Samples, rows: Any) -> Samples:
    X, labels, values, weights = samples
    return (
        X[rows],
        None if labels is None else labels[rows],
        None if values is None else values[rows],
        None if weights is None else weights[rows],
    )


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
    rate = optimizer.learning_rate
    epochs_a_look = 1 if options.callbacks or plateau else options.epochs
    seconds_a_look = 0.1 if options.progress else math.inf
    done = 0
    while True:
        status: str = core.run(epochs_a_look, seconds_a_look)
        show(core.loss, core.validation_loss, core.samples_seen)
        if len(core.loss) > done:
            done = len(core.loss)
            _record(history, core)
            if any([callback(network, history) is True for callback in options.callbacks]):
                return "callback"
            if plateau:
                optimizer.learning_rate = plateau.rate_after(rate, history.val_loss or history.loss)
        if status != "running":
            return status


def _record(history: History, core: CoreTrainer) -> None:
    history.loss = core.loss
    history.val_loss = core.validation_loss
    history.learning_rate = core.learning_rate
    history.seconds = core.seconds


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
