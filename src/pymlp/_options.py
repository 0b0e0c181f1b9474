"""The options of `fit` that do not concern arrays, checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from pymlp import _checks, _core, config, schedules
from pymlp.history import EarlyStopping, History
from pymlp.schedules import Schedule

if TYPE_CHECKING:
    from pymlp.network import Network

Callback: TypeAlias = "Callable[[Network, History], bool | None]"


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
