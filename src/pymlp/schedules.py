"""Schedules: how the learning rate changes while a network learns.

``t`` counts epochs from 0, or steps where ``per="step"``; ``rate`` is the optimiser's learning
rate. The formulas are those of `torch.optim.lr_scheduler`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Generator, Iterator, Sequence
from typing import Any, Literal

from pymlp import _checks
from pymlp._values import OpenWhileMade, Value

__all__ = [
    "Constant",
    "Cosine",
    "Exponential",
    "InverseScaling",
    "OneCycle",
    "ReduceOnPlateau",
    "Schedule",
    "Step",
    "WarmUp",
]

Per = Literal["epoch", "step"]


class Schedule(Value, metaclass=OpenWhileMade):
    """A learning rate for every epoch, or for every step.

    A schedule of the user's own defines `rate_at`. Its ``__init__`` may set attributes; afterwards
    it is immutable, as all schedules are.

    Parameters
    ----------
    per : {"epoch", "step"}, default "epoch"
        What `t` counts.

    Examples
    --------
    >>> class Halved(pymlp.schedules.Schedule):
    ...     def __init__(self, every):
    ...         super().__init__(per="epoch")
    ...         self.every = every
    ...
    ...     def rate_at(self, rate, t, total):
    ...         return rate / 2 ** (t // self.every)
    >>> Halved(2).rates(1.0, 5, 1)
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    per: Per = "epoch"

    def __init__(self, *, per: Per = "epoch") -> None:
        Value.__init__(self, per=_checked_per(per))

    def rate_at(self, rate: float, t: int, total: int) -> float:
        """Return the learning rate at time `t` of `total`, at least 0.

        `fit` asks for some times ahead of what it has reached, in ascending order.
        """
        raise NotImplementedError

    def rates(self, rate: float, epochs: int, steps_per_epoch: int) -> list[float]:
        """Return the learning rates of all epochs, or of all steps, as a list."""
        total = epochs if self.per == "epoch" else epochs * steps_per_epoch
        return [self.rate_at(rate, t, total) for t in range(total)]


def _checked_per(per: Any) -> str:
    if per not in ("epoch", "step"):
        raise ValueError(f"per must be 'epoch' or 'step', not {per!r}")
    return str(per)


class Constant(Schedule):
    """``rate``.

    Examples
    --------
    >>> pymlp.schedules.Constant().rates(0.1, 3, 1)
    [0.1, 0.1, 0.1]
    """

    def rate_at(self, rate: float, t: int, total: int) -> float:  # noqa: D102
        return rate


class Step(Schedule):
    """``rate gamma^floor(t / step_size)``.

    Examples
    --------
    >>> pymlp.schedules.Step(2, gamma=0.5).rates(1.0, 5, 1)
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    step_size: int
    gamma: float

    def __init__(self, step_size: int, *, gamma: float = 0.1, per: Per = "epoch") -> None:
        Value.__init__(
            self,
            per=_checked_per(per),
            step_size=_checks.integer("step_size", step_size, minimum=1),
            gamma=_checks.number("gamma", gamma, above=0.0),
        )

    def rate_at(self, rate: float, t: int, total: int) -> float:  # noqa: D102
        return rate * _power(self.gamma, t // self.step_size)


class Exponential(Schedule):
    """``rate gamma^t``.

    Examples
    --------
    >>> pymlp.schedules.Exponential(0.5).rates(1.0, 3, 1)
    [1.0, 0.5, 0.25]
    """

    gamma: float

    def __init__(self, gamma: float, *, per: Per = "epoch") -> None:
        Value.__init__(
            self,
            per=_checked_per(per),
            gamma=_checks.number("gamma", gamma, above=0.0),
        )

    def rate_at(self, rate: float, t: int, total: int) -> float:  # noqa: D102
        return rate * _power(self.gamma, t)


def _power(gamma: float, n: int) -> float:
    try:
        return gamma**n
    except OverflowError:
        return math.inf  # training diverges there, if it did not before


class InverseScaling(Schedule):
    """``rate / (1 + t)^power``: scikit-learn's ``invscaling``, which counts samples.

    Examples
    --------
    >>> pymlp.schedules.InverseScaling().rates(1.0, 4, 1)[::3]
    [1.0, 0.5]
    """

    power: float

    def __init__(self, power: float = 0.5, *, per: Per = "epoch") -> None:
        Value.__init__(
            self,
            per=_checked_per(per),
            power=_checks.number("power", power, minimum=0.0),
        )

    def rate_at(self, rate: float, t: int, total: int) -> float:  # noqa: D102
        return rate / math.pow(1 + t, self.power)


class Cosine(Schedule):
    """``minimum + (rate - minimum) (1 + cos(pi t / period)) / 2``, with restarts where asked for.

    Parameters
    ----------
    period : int, optional
        Epochs (or steps) from `rate` down to `minimum`; None takes the whole training.
    minimum : float, default 0
    restarts : bool, default False
        Begin anew after every period instead of rising again as the cosine does.
    multiplier : int, default 1
        Each period is this many times as long as the one before; goes with restarts.

    Examples
    --------
    >>> [round(rate, 2) for rate in pymlp.schedules.Cosine().rates(1.0, 4, 1)]
    [1.0, 0.85, 0.5, 0.15]

    References
    ----------
    Loshchilov and Hutter, "SGDR", arXiv:1608.03983.
    """

    period: int | None
    minimum: float
    restarts: bool
    multiplier: int

    def __init__(
        self,
        period: int | None = None,
        *,
        minimum: float = 0.0,
        restarts: bool = False,
        multiplier: int = 1,
        per: Per = "epoch",
    ) -> None:
        Value.__init__(
            self,
            per=_checked_per(per),
            period=None if period is None else _checks.integer("period", period, minimum=1),
            minimum=_checks.number("minimum", minimum, minimum=0.0),
            restarts=_checks.flag("restarts", restarts),
            multiplier=_checks.integer("multiplier", multiplier, minimum=1),
        )
        if restarts and period is None:
            raise ValueError("restarts need a period, not None")
        if multiplier > 1 and not restarts:
            raise ValueError("multiplier goes with restarts=True")

    def rate_at(self, rate: float, t: int, total: int) -> float:  # noqa: D102
        period = total if self.period is None else self.period
        if self.restarts and self.multiplier == 1:
            t %= period
        while self.restarts and t >= period:
            t -= period
            period *= self.multiplier
        return self.minimum + (rate - self.minimum) * (1 + math.cos(math.pi * t / period)) / 2


class OneCycle(Schedule):
    """Up from ``rate / initial_divisor`` to `rate`, then down to that over `final_divisor`.

    Both ways along half a cosine; `t` counts steps.

    Parameters
    ----------
    warm_up : float, default 0.3
        The share of all steps spent going up, in (0, 1).
    initial_divisor : float, default 25
    final_divisor : float, default 1e4

    Examples
    --------
    >>> [round(rate, 2) for rate in pymlp.schedules.OneCycle().rates(1.0, 2, 5)]
    [0.04, 0.52, 1.0, 0.95, 0.81, 0.61, 0.39, 0.19, 0.05, 0.0]

    References
    ----------
    Smith and Topin, "Super-convergence", arXiv:1708.07120.
    """

    warm_up: float
    initial_divisor: float
    final_divisor: float

    def __init__(
        self, *, warm_up: float = 0.3, initial_divisor: float = 25.0, final_divisor: float = 1e4
    ) -> None:
        Value.__init__(
            self,
            per="step",
            warm_up=_checks.number("warm_up", warm_up, above=0.0, below=1.0),
            initial_divisor=_checks.number("initial_divisor", initial_divisor, above=0.0),
            final_divisor=_checks.number("final_divisor", final_divisor, above=0.0),
        )

    def rate_at(self, rate: float, t: int, total: int) -> float:  # noqa: D102
        start = rate / self.initial_divisor
        peak = self.warm_up * total - 1
        if t <= peak:
            return _cosine_between(start, rate, t / peak if peak > 0.0 else 1.0)
        return _cosine_between(rate, start / self.final_divisor, (t - peak) / (total - 1 - peak))


def _cosine_between(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


class WarmUp(Schedule):
    """Linearly from ``start rate`` to `rate` over `length`, then another schedule.

    Parameters
    ----------
    length : int
        Epochs (or steps) until `rate` is reached.
    start : float, default 0.1
        The share of `rate` at t = 0, in (0, 1].
    then : Schedule, optional
        What follows, its own t from 0; it counts what this one counts. None keeps `rate`.

    Examples
    --------
    >>> [round(rate, 2) for rate in pymlp.schedules.WarmUp(2, start=0.5).rates(1.0, 4, 1)]
    [0.5, 0.75, 1.0, 1.0]
    """

    length: int
    start: float
    then: Schedule | None

    def __init__(
        self, length: int, *, start: float = 0.1, then: Schedule | None = None, per: Per = "epoch"
    ) -> None:
        if not isinstance(then, Schedule | None):
            raise TypeError(f"then must be a Schedule, not {_checks.type_name(then)}")
        if isinstance(then, ReduceOnPlateau):
            raise TypeError("then must be a schedule of time alone, not ReduceOnPlateau")
        if then is not None and then.per != per:
            raise ValueError(f"then must count per {per}, as this schedule does, not {then.per}")
        Value.__init__(
            self,
            per=_checked_per(per),
            length=_checks.integer("length", length, minimum=1),
            start=_checks.number("start", start, above=0.0, maximum=1.0),
            then=then,
        )

    def rate_at(self, rate: float, t: int, total: int) -> float:  # noqa: D102
        if t < self.length:
            return rate * (self.start + (1 - self.start) * t / self.length)
        if self.then is None:
            return rate
        return self.then.rate_at(rate, t - self.length, max(1, total - self.length))


class ReduceOnPlateau(Schedule):
    """Multiply the rate by `factor` when the watched loss has stopped falling.

    It watches the validation loss, or the training loss where there is no validation.

    Parameters
    ----------
    factor : float, default 0.1
        In (0, 1).
    patience : int, default 10
        Epochs without improvement after which the rate is reduced, at least 1: counted as by
        `EarlyStopping`. PyTorch's ``patience=p`` waits for one more and is ``p + 1`` here.
    threshold : float, default 1e-4
        An improvement is a loss below ``best (1 - threshold)``.
    cooldown : int, default 0
        Epochs after a reduction in which nothing is counted.
    minimum : float, default 0
        The rate does not go below this.

    Examples
    --------
    >>> pymlp.schedules.ReduceOnPlateau(patience=2).rate_after(1.0, [3.0, 2.0, 2.0, 2.0])
    0.1
    """

    factor: float
    patience: int
    threshold: float
    cooldown: int
    minimum: float

    def __init__(
        self,
        *,
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        cooldown: int = 0,
        minimum: float = 0.0,
    ) -> None:
        Value.__init__(
            self,
            per="epoch",
            factor=_checks.number("factor", factor, above=0.0, below=1.0),
            patience=_checks.integer("patience", patience, minimum=1),
            threshold=_checks.number("threshold", threshold, minimum=0.0, below=1.0),
            cooldown=_checks.integer("cooldown", cooldown, minimum=0),
            minimum=_checks.number("minimum", minimum, minimum=0.0),
        )

    def rates(self, rate: float, epochs: int, steps_per_epoch: int) -> list[float]:
        """Return nothing: the rate depends on the losses, not on time."""
        return []

    def rate_after(self, rate: float, losses: Sequence[float]) -> float:
        """Return the rate for the next epoch, given the watched losses of all epochs so far.

        `rate` is the one that training began with.
        """
        rates = self.follow(rate)
        result = next(rates)
        for loss in losses:
            result = rates.send(loss)
        return result

    def follow(self, rate: float) -> Generator[float, float, None]:
        """Yield `rate`, then the rate for the next epoch for each watched loss that is sent."""
        best, bad, cooling = math.inf, 0, 0
        while True:
            loss = yield rate
            if loss < best * (1 - self.threshold):
                best, bad = loss, 0
            else:
                bad += 1
            if cooling > 0:
                cooling, bad = cooling - 1, 0
            if bad >= self.patience:
                rate = min(rate, max(rate * self.factor, self.minimum))
                bad, cooling = 0, self.cooldown


_BLOCK = 1024  # rates that are asked for at once


def blocks(schedule: Schedule, rate: float, epochs: int, steps: int) -> Iterator[list[float]]:
    """Return the learning rates of all epochs, or of `steps` in each, block by block.

    A training may have more steps than memory has bytes. The first block is asked for at once.

    Raises
    ------
    TypeError, ValueError
        If `rate_at` returns no number, or one below 0.
    """
    total = epochs if schedule.per == "epoch" else epochs * steps

    def block(first: int) -> list[float]:
        times = range(first, min(first + _BLOCK, total))
        return [_checked_rate(schedule, schedule.rate_at(rate, t, total), t) for t in times]

    return itertools.chain([block(0)], map(block, range(_BLOCK, total, _BLOCK)))


def _checked_rate(schedule: Schedule, rate: Any, t: int) -> float:
    """Return a rate of at least 0, which may be infinite: training then diverges."""
    if isinstance(rate, float) and rate >= 0.0:
        return rate
    return _checks.number(f"{type(schedule).__name__}.rate_at(t={t})", rate, minimum=0.0)


def resolve(schedule: Any) -> Schedule | None:
    """Return `schedule`, which must be a Schedule or None."""
    if not isinstance(schedule, Schedule | None):
        raise TypeError(f"schedule must be a Schedule, not {_checks.type_name(schedule)}")
    return schedule
