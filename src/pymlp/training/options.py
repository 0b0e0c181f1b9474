"""The options of `fit`, checked: the one list of them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from pymlp import _checks, _core, architecture, config, losses, optimizers, schedules
from pymlp.activations import Activation
from pymlp.training.early_stopping import EarlyStopping
from pymlp.training.history import History
from pymlp.training.monitor import monitor_of

if TYPE_CHECKING:
    from pymlp.metrics.named import Metric
    from pymlp.training.checkpoint import Checkpoint

_AUTO = 32  # samples a step

Callback: TypeAlias = "Callable[[Any, History], bool | None]"


class FitOptions:
    """The options of `Network.fit`, checked; `given` are its arguments by name."""

    def __init__(self, given: Mapping[str, Any], output: Activation) -> None:
        self.loss = losses.resolve(given["loss"], output)
        self.optimizer = optimizers.resolve(given["optimizer"], given["learning_rate"])
        self.epochs = _checks.integer("epochs", given["epochs"], minimum=1)
        self.batch_size = _batch_size(given["batch_size"])
        self.shuffle = _checks.flag("shuffle", given["shuffle"])
        self.drop_last = _checks.flag("drop_last", given["drop_last"])
        self.seed = None if given["seed"] is None else architecture.checked_seed(given["seed"])
        self.early_stopping = _early_stopping(given["early_stopping"])
        self.metrics = _metrics(given["metrics"])
        self.monitor = monitor_of(self.early_stopping, self.metrics)
        self.callbacks = _callbacks(given["callbacks"])
        self.progress = _checks.flag("progress", given["progress"])
        self.threads = config.threads(given["threads"])
        self.max_seconds = _max_seconds(given["max_seconds"])
        self.schedules = schedules.resolve(given["schedule"])
        self.regularization = regularization(given)
        self.average = _average(given["average"], self.optimizer)
        self.freeze = _layers("freeze", given["freeze"])
        self.scale_target = _checks.flag("scale_target", given["scale_target"])
        self.validation = given["validation"]
        self.sample_weight = given["sample_weight"]
        self.class_weight = given["class_weight"]
        self.checkpoint = checkpoint_of(given)

    def rows_per_batch(self, samples: int) -> int:
        """Return how many samples a step takes."""
        size = _AUTO if self.batch_size == "auto" else self.batch_size
        return samples if size is None else min(int(size), samples)

    def check_freeze(self, n_layers: int) -> None:
        """Refuse layers that a network does not have, and all that it has."""
        for layer in self.freeze:
            if layer >= n_layers:
                raise ValueError(f"freeze must name layers from 0 to {n_layers - 1}, not {layer}")
        if len(self.freeze) == n_layers:
            raise ValueError("freeze must leave a layer to train, and it names all of them")

    def joins(self, of: architecture.Architecture) -> bool:
        """Tell whether a step normalises with its batch's own statistics."""
        n_hidden = len(of.widths) - 2
        return of.norm == "batch" and any(l not in self.freeze for l in range(n_hidden))  # noqa: E741

    def steps_per_epoch(self, samples: int, of: architecture.Architecture) -> int:
        """Return how many steps see all samples.

        Raises
        ------
        ValueError
            If a batch norm would get batches of one row.
        """
        rows = self.rows_per_batch(samples)
        joins = self.joins(of)
        if joins and samples < 2:
            raise ValueError(
                "X must have at least 2 rows to train a network with batch norm, besides those "
                f"held out for validation, not {samples}"
            )
        if joins and rows < 2:
            raise ValueError("batch_size must be at least 2 for a network with batch norm, not 1")
        return _core.steps_of_epoch(samples, rows, joins, self.drop_last)

    def for_core(
        self,
        samples: int,
        n_layers: int,
        seed: int,
        scheduled: Sequence[_core.ScheduledNumber],
    ) -> _core.FitOptions:
        """Return what the core's trainer needs of them."""
        return _core.FitOptions(
            epochs=self.epochs,
            batch_size=self.rows_per_batch(samples),
            shuffle=self.shuffle,
            seed=seed,
            threads=self.threads,
            regularization=self.regularization,
            scheduled=scheduled,
            average=self.average,
            frozen=[layer in self.freeze for layer in range(n_layers)] if self.freeze else [],
            drop_last=self.drop_last,
        )


def checkpoint_of(given: Mapping[str, Any]) -> Checkpoint | None:
    """Return what the options of checkpoints say; what reads and writes them is imported then."""
    found, every, resume = map(given.get, ("checkpoint", "checkpoint_every", "resume"))
    if found is None and every is None and resume in (None, False):
        return None
    from pymlp.training.checkpoint import resolve

    return resolve(given)


_LIMITS = ("l1", "l2", "clip_norm", "clip_value", "max_norm")
_PLAIN = {float, int, type(None)}


def regularization(given: Mapping[str, Any]) -> _core.Regularization:
    """Return penalties and limits, checked, as the core takes them."""
    values = [given[name] for name in _LIMITS]
    # Loops of one's own give the same ones in every step.
    plain = _PLAIN.issuperset(map(type, values))
    return (_same_regularization if plain else _regularization)(*values)


def _regularization(
    l1: Any, l2: Any, clip_norm: Any, clip_value: Any, max_norm: Any
) -> _core.Regularization:
    def limit(name: str, value: Any) -> float:
        return 0.0 if value is None else _checks.number(name, value, above=0.0)

    return _core.Regularization(
        l1=_checks.number("l1", l1, minimum=0.0),
        l2=_checks.number("l2", l2, minimum=0.0),
        clip_norm=limit("clip_norm", clip_norm),
        clip_value=limit("clip_value", clip_value),
        max_norm=limit("max_norm", max_norm),
    )


_same_regularization = functools.lru_cache(_regularization)


def _average(value: Any, optimizer: optimizers.Optimizer) -> float:
    """Return the decay of the average; 0 for none."""
    if value is None:
        return 0.0
    average = _checks.number("average", value, above=0.0, below=1.0)
    if isinstance(optimizer, optimizers.LBFGS):
        raise ValueError("average does not go with lbfgs, whose steps find the minimum themselves")
    if isinstance(optimizer, optimizers.ScheduleFreeAdamW):
        raise ValueError("average does not go with ScheduleFreeAdamW, which averages by itself")
    return average


def _layers(name: str, value: Any) -> tuple[int, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TypeError(f"{name} must be a sequence of layers, not {_checks.type_name(value)}")
    layers = [_checks.integer(f"{name}[{i}]", layer, minimum=0) for i, layer in enumerate(value)]
    for layer in layers:
        if layers.count(layer) > 1:
            raise ValueError(f"{name} must name every layer once, and {layer} is there twice")
    return tuple(layers)


def _batch_size(value: Any) -> Any:
    if value is None or (isinstance(value, str) and value == "auto"):
        return value
    if isinstance(value, str):
        raise ValueError(f"batch_size must be an integer, 'auto' or None, not {value!r}")
    return _checks.integer("batch_size", value, minimum=1)


def plan_rows(batch_size: Any) -> int:
    """Return the rows of a batch that is planned where there are no samples yet."""
    if batch_size is None:
        raise TypeError(
            "batch_size must be an integer or 'auto', not None: without samples, a plan needs the "
            "number of rows, such as len(X)"
        )
    size = _batch_size(batch_size)
    return _AUTO if size == "auto" else _checks.integer("batch_size", size, minimum=1, below=2**40)


def _early_stopping(value: Any) -> EarlyStopping | None:
    if value is None or value is False:
        return None
    if value is True:
        return EarlyStopping()
    if isinstance(value, EarlyStopping):
        return value
    if hasattr(value, "__index__"):
        return EarlyStopping(_checks.integer("early_stopping", value, minimum=1))
    raise TypeError(
        "early_stopping must be an EarlyStopping, True or a patience, not "
        f"{_checks.type_name(value)}"
    )


def _metrics(given: Any) -> tuple[Metric, ...]:
    if isinstance(given, tuple | list) and not given:
        return ()
    from pymlp.metrics import named

    return named.resolve(given)


def _max_seconds(value: Any) -> float:
    return math.inf if value is None else _checks.number("max_seconds", value, above=0.0)


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
