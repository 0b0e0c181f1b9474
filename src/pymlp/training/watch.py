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
        self._optimizer = optimizer
        self._rates: Any = None
        plateau = options.schedules.get("learning_rate")
        if isinstance(plateau, ReduceOnPlateau):
            self._rates = plateau.follow(optimizer.learning_rate)
            next(self._rates)
        self._bar = _bar(options.epochs * samples) if options.progress else None
        history._monitor = options.monitor
        looks = bool(self._rule or options.callbacks or self._rates or metrics)
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
        self.history.seconds = self._elapsed()
        if error is not None:  # Ctrl-C, or what a callback raised
            self.history.stopped_by = "interrupted"
        if self._bar is not None:
            self._bar.close()

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
        self.history.seconds = self._elapsed()
        if self._rule:
            self._keep_best(self._rule)
        if self._called_back():
            return "callback"
        if self._rule and self._epochs_without_improvement >= self._rule.patience:
            return "early_stopping"
        if self._rates:
            self._optimizer.learning_rate = self._rates.send(
                (self.history.val_loss or self.history.loss)[-1]
            )
        return "max_seconds" if self.time_is_up() else None

    def _called_back(self) -> bool:
        """Call every callback, also after one that ends training; tell whether one does."""
        answers = [callback(self._network, self.history) for callback in self._options.callbacks]
        return any(isinstance(answer, bool | np.bool_) and bool(answer) for answer in answers)

    def _keep_best(self, rule: EarlyStopping) -> None:
        value = self.history.watched[-1]
        if not self._options.monitor.improves(value, self._best):
            self._epochs_without_improvement += 1
            return
        self._best, self._epochs_without_improvement = value, 0
        if not rule.restore_best:
            return
        self._best_parameters = self._core.snapshot()

    def show(self, samples_seen: int) -> None:
        """Show on the bar, where there is one, how far training is."""
        if self._bar is None:
            return
        history, epochs = self.history, self._options.epochs
        self._bar.set_description(f"epoch {min(len(history.loss) + 1, epochs)}/{epochs}")
        columns = {"loss": history.loss, "val_loss": history.val_loss, **history.metrics}
        shown = {name: f"{values[-1]:.4g}" for name, values in columns.items() if values}
        self._bar.set_postfix(shown, refresh=False)
        self._bar.update(samples_seen - self._bar.n)

    def finish(self, reason: str) -> None:
        """Record why training ended; on its own, it leaves the best parameters."""
        self.history.stopped_by = reason
        if self._best_parameters is not None and reason != "diverged":
            self._core.write(self._best_parameters)


def _bar(total: int) -> Any:
    from tqdm import tqdm  # type: ignore[import-untyped]

    return tqdm(total=total, unit=" samples", unit_scale=True)
