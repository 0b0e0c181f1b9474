"""The watch, which looks at training after every epoch: one rule for every loop.

After an epoch is recorded, in this order: metrics are measured, the best parameters are kept, early
stopping counts, every callback is called, the plateau's learning rate is set, the time is looked
at. Until then the parameters are those that the epoch's losses were measured with. However training
ends on its own (all epochs, early stopping, time, a callback's True, convergence), the best
parameters stay where `restore_best` asks for them; after an exception or divergence they do not.
"""

from __future__ import annotations

from time import perf_counter
from types import TracebackType
from typing import Any

import numpy as np

from pymlp._arrays import FloatArray
from pymlp.architecture import CoreNetwork
from pymlp.schedules import ReduceOnPlateau
from pymlp.training.bar import Bar
from pymlp.training.early_stopping import EarlyStopping
from pymlp.training.epoch_metrics import EpochMetrics
from pymlp.training.history import History
from pymlp.training.options import FitOptions

_SECONDS_OF_PROGRESS = 0.1  # from one update of the bar to the next


class Watch:
    """Looks at a training after every epoch, and finishes the record and the parameters.

    Parameters
    ----------
    network : Network
        Given to the callbacks.
    core : network of the core
        Where its parameters are.
    options : FitOptions
    history : History
        The record, which the loop fills.
    samples : int
        How many are seen in an epoch.
    optimizer : Optimizer of the core, optional
        Whose learning rate a plateau reduces.
    metrics : EpochMetrics, optional

    Attributes
    ----------
    looks : bool
        Whether it has more to do after an epoch than to record it.
    seconds_before : float
        Of a training that goes on from a checkpoint.
    epochs_a_look : int
        How many epochs may go by until `after_epoch` must be called.
    """

    def __init__(
        self,
        network: Any,
        core: CoreNetwork,
        options: FitOptions,
        history: History,
        samples: int,
        optimizer: Any,
        metrics: EpochMetrics | None,
    ) -> None:
        self.history = history
        self._network = network
        self._core = core
        self._options = options
        self._rule = options.early_stopping
        self._metrics = metrics
        self._best = options.monitor.worst
        self._best_parameters: FloatArray | None = None
        self._epochs_without_improvement = 0
        self._started = 0.0
        self.seconds_before = 0.0
        self._optimizer = optimizer
        self._rates: Any = None
        plateau = options.schedules.get("learning_rate")
        if isinstance(plateau, ReduceOnPlateau):
            self._rates = plateau.follow(optimizer.learning_rate)
            next(self._rates)
        self._bar = Bar(options.epochs, samples) if options.progress else None
        history._monitor = options.monitor
        looks = bool(self._rule or options.callbacks or self._rates or metrics)
        self.looks = looks
        self.epochs_a_look = 1 if looks else options.epochs

    def __enter__(self) -> Watch:
        self._network.history = self.history
        self._started = perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.history.seconds = self.seconds_before + self._elapsed()
        if error is not None:  # Ctrl-C, or what a callback raised
            self.history.stopped_by = "interrupted"
        if self._bar is not None:
            self._bar.end(self.history)

    @property
    def best_parameters(self) -> FloatArray | None:
        """Those of the best epoch, where they are restored."""
        return self._best_parameters

    def go_on(self, best: FloatArray | None) -> None:
        """Come to where a record leads that has epochs already, and to the best parameters."""
        self.seconds_before = self.history.seconds
        for value in self.history.watched if self._rule else ():
            self._count(value)
        self._best_parameters = None if best is None else best.copy()  # not the file's memory
        for loss in (self.history.val_loss or self.history.loss) if self._rates else ():
            self._optimizer.learning_rate = self._rates.send(loss)

    @property
    def seconds_a_look(self) -> float:
        """How long training may go on until it must be asked whether time is up."""
        left = self._options.max_seconds - self._elapsed()
        return min(left, _SECONDS_OF_PROGRESS) if self._bar is not None else left

    def time_is_up(self) -> bool:
        """Tell whether training has taken as long as it may."""
        return self._elapsed() >= self._options.max_seconds

    def _elapsed(self) -> float:
        return perf_counter() - self._started

    def after_epoch(self) -> str | None:
        """Look at the epoch that was recorded last; return why training ends, or None."""
        if self._metrics is not None:
            self._metrics.append_to(self.history)
        self.history.seconds = self.seconds_before + self._elapsed()
        # Before callbacks, which may change the record.
        loss = (self.history.val_loss or self.history.loss)[-1]
        if self._rule:
            self._keep_best(self._rule)
        if self._called_back():
            return "callback"
        if self._rule and self._epochs_without_improvement >= self._rule.patience:
            self._refuse_no_value()
            return "early_stopping"
        if self._rates:
            self._optimizer.learning_rate = self._rates.send(loss)
        return "max_seconds" if self.time_is_up() else None

    def _called_back(self) -> bool:
        """Call every callback, also after one that ends training; tell whether one does."""
        epochs = len(self.history.loss)
        answers = [callback(self._network, self.history) for callback in self._options.callbacks]
        if self._options.checkpoint is not None and len(self.history.loss) != epochs:
            raise ValueError(
                f"a callback has left {len(self.history.loss)} of {epochs} epochs in history.loss, "
                "of which a checkpoint keeps all"
            )
        return any(map(ends_training, answers))

    def _refuse_no_value(self) -> None:
        """Refuse a metric that chose no epoch, such as ROC AUC of one class: NaN after each."""
        monitor = self._options.monitor
        if self._best == monitor.worst:
            raise ValueError(
                f"monitor '{monitor.name}' has no value to stop by: it was "
                f"{self.history.watched[-1]} after every epoch"
            )

    def _keep_best(self, rule: EarlyStopping) -> None:
        if self._count(self.history.watched[-1]) and rule.restore_best:
            self._best_parameters = self._core.snapshot()

    def _count(self, value: float) -> bool:
        """Count an epoch; tell whether it is the best one so far."""
        if not self._options.monitor.improves(value, self._best):
            self._epochs_without_improvement += 1
            return False
        self._best, self._epochs_without_improvement = value, 0
        return True

    def show(self, samples_seen: int) -> None:
        """Show on the bar, where there is one, how far training is."""
        if self._bar is not None:
            self._bar.show(self.history, samples_seen)

    def finish(self, reason: str) -> None:
        """Record why training ended; on its own, it leaves the best parameters."""
        self.history.stopped_by = reason
        if self._best_parameters is not None and reason != "diverged":
            self._core.write(self._best_parameters)


def ends_training(answer: object) -> bool:
    """Tell whether the answer of a callback ends training: a truth value that is true."""
    return isinstance(answer, bool | np.bool_) and bool(answer)
