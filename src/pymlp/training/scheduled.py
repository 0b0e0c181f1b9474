"""Scheduled numbers: what each schedule of a training changes, and what that is without one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

from pymlp import _checks, _core, schedules
from pymlp.architecture import Architecture
from pymlp.optimizers import LBFGS
from pymlp.schedules import ReduceOnPlateau, Schedule
from pymlp.training.options import FitOptions

_BLOCK = 256  # values that are asked for at once


class Scheduled(NamedTuple):
    """A number that changes.

    Attributes
    ----------
    for_core : ScheduledNumber of the core
    values : iterator
        Of blocks of its values, where a schedule is evaluated in Python; else empty.
    per : str
        What these are counted by: "epoch" or "step".
    """

    for_core: _core.ScheduledNumber
    values: Iterator[list[float]]
    per: str

    def values_from(self, epochs: int, steps: int) -> Iterator[list[float]]:
        """Return the blocks from a time on: after so many epochs, and steps."""
        left = epochs if self.per == "epoch" else steps
        for block in self.values:
            if left < len(block):
                yield block[left:]
            left = max(left - len(block), 0)


def scheduled(options: FitOptions, architecture: Architecture, samples: int) -> list[Scheduled]:
    """Return the numbers that change with time while `samples` are trained on.

    Raises
    ------
    TypeError, ValueError
        If a schedule would change nothing, or begins with a value that its number cannot be.
    """
    if isinstance(options.optimizer, LBFGS):  # which refuses every schedule
        return []
    steps = options.steps_per_epoch(samples, architecture)
    return [
        _scheduled(name, schedule, rate, layers, options.epochs, steps)
        for name, schedule in options.schedules.items()
        for rate, layers in _without_schedule(name, options, architecture).items()
        if not isinstance(schedule, ReduceOnPlateau)  # the watch follows the losses
    ]


def _scheduled(
    name: str, schedule: Schedule, rate: float, layers: list[int], epochs: int, steps: int
) -> Scheduled:
    formula = schedule.for_core()
    if formula is None:
        values = _blocks(name, schedule, rate, epochs, steps)
    else:
        total = epochs if schedule.per == "epoch" else epochs * steps
        _core.check_scheduled(name, schedule.rate_at(rate, 0, total), 0)
        values = iter(())
    number = _core.ScheduledNumber(name, rate, schedule.per, formula, layers)
    return Scheduled(number, values, schedule.per)


def _blocks(
    name: str, schedule: Schedule, rate: float, epochs: int, steps: int
) -> Iterator[list[float]]:
    """Return the values of a number in all epochs, or in `steps` of each, block by block.

    A training may have more steps than memory has bytes. The first block is asked for at once.

    Raises
    ------
    TypeError, ValueError
        If `rate_at` returns no number, or one that the number cannot be.
    """
    total = epochs if schedule.per == "epoch" else epochs * steps

    def block(first: int) -> list[float]:
        times = range(first, min(first + _BLOCK, total))
        return [_checked(name, schedule, schedule.rate_at(rate, t, total), t) for t in times]

    return itertools.chain([block(0)], map(block, range(_BLOCK, total, _BLOCK)))


def _checked(name: str, schedule: Schedule, value: Any, t: int) -> float:
    """Return a value of at least 0, which may be infinite: training then diverges."""
    if not (isinstance(value, float) and value >= 0.0):
        value = _checks.number(f"{type(schedule).__name__}.rate_at(t={t})", value, minimum=0.0)
    _core.check_scheduled(name, value, t)
    return float(value)


def _without_schedule(
    name: str, options: FitOptions, architecture: Architecture
) -> dict[float, list[int]]:
    """Return what a number is without its schedule; of dropout each rate with its layers."""
    found: dict[float, list[int]] = {}
    for layer, value in enumerate(_values_of(name, options, architecture)):
        if value > 0.0:
            found.setdefault(value, []).append(layer)
    if not found:
        raise ValueError(f"schedule['{name}'] would change nothing: {_why(name, options)}")
    return found


def _values_of(name: str, options: FitOptions, architecture: Architecture) -> tuple[float, ...]:
    optimizer = options.optimizer
    if name == "learning_rate":
        return (optimizer.learning_rate,)
    if schedules.NUMBERS[name]:
        return (optimizer.options.get(name, 0.0),)
    if name == "label_smoothing":
        return (options.loss.label_smoothing,)
    if name == "dropout":
        return architecture.dropout
    if name == "input_dropout":
        return (architecture.input_dropout,)
    value: float = getattr(options.regularization, name)
    return (value,)


def _why(name: str, options: FitOptions) -> str:
    optimizer = options.optimizer
    if schedules.NUMBERS[name]:
        zero = name in optimizer.options
        return f"{name} of {type(optimizer).__name__} is 0" if zero else f"no {name} in {optimizer}"
    if name == "label_smoothing":
        return f"the loss {options.loss} smooths no labels"
    if "dropout" in name:
        return f"the network has no {name}"
    return f"{name} is {'0' if name in ('l1', 'l2') else 'None'}"
