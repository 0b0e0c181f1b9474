"""Schedules: how a number, such as the learning rate, changes while a network learns.

``t`` counts epochs from 0, or steps where ``per="step"``; ``rate`` is the number without a
schedule: the optimiser's learning rate, or another one that ``fit(schedule={...})`` names. The core
computes the formulas, the same bits on every machine; they are those of
`torch.optim.lr_scheduler`, where that has them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from pymlp import _checks, _core
from pymlp._names import ScheduledName
from pymlp._registry import unknown_name
from pymlp._values import OpenWhileMade, Value

__all__ = [
    "Constant",
    "CosLog4",
    "Cosine",
    "Exponential",
    "FlatCos",
    "Function",
    "InverseScaling",
    "OneCycle",
    "ReduceOnPlateau",
    "Schedule",
    "Step",
    "WarmUp",
]


def __dir__() -> list[str]:
    return sorted(__all__)


Per = Literal["epoch", "step"]
_MOST = 2**63 - 1  # that the core counts


class Schedule(Value, metaclass=OpenWhileMade):
    """A number for every epoch, or for every step.

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
        """Return the number at time `t` of `total`, at least 0.

        `fit` asks for some times ahead of what it has reached, in ascending order.
        """
        raise NotImplementedError

    def rates(self, rate: float, epochs: int, steps_per_epoch: int) -> list[float]:
        """Return the numbers of all epochs, or of all steps, as a list."""
        total = epochs if self.per == "epoch" else epochs * steps_per_epoch
        return [self.rate_at(rate, t, total) for t in range(total)]

    def for_core(self) -> _core.Schedule | None:
        """Return the formula as the core takes it; None where `rate_at` is not the module's own."""
        own = type(self).rate_at.__module__ != __name__
        return None if own else self._formula()

    def _formula(self) -> _core.Schedule | None:
        return None


def _checked_per(per: Any) -> str:
    if per not in ("epoch", "step"):
        raise ValueError(f"per must be 'epoch' or 'step', not {per!r}")
    return str(per)


class _Formula(Schedule):
    """A schedule that the core computes."""

    def rate_at(self, rate: float, t: int, total: int) -> float:
        formula = self._formula()
        assert formula is not None  # every class below has one
        return formula.value(rate, min(t, _MOST), min(total, _MOST))


class Constant(_Formula):
    """``rate``.

    Examples
    --------
    >>> pymlp.schedules.Constant().rates(0.1, 3, 1)
    [0.1, 0.1, 0.1]
    """

    def _formula(self) -> _core.Schedule:
        return _core.Schedule("constant")


class Step(_Formula):
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

    def _formula(self) -> _core.Schedule:
        return _core.Schedule("step", step_size=self.step_size, gamma=self.gamma)


class Exponential(_Formula):
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

    def _formula(self) -> _core.Schedule:
        return _core.Schedule("step", gamma=self.gamma)


class InverseScaling(_Formula):
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

    def _formula(self) -> _core.Schedule:
        return _core.Schedule("inverse_scaling", power=self.power)


class Cosine(_Formula):
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

    def _formula(self) -> _core.Schedule:
        return _core.Schedule(
            "cosine",
            period=self.period or 0,
            minimum=self.minimum,
            restarts=self.restarts,
            multiplier=self.multiplier,
        )


class OneCycle(_Formula):
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

    def _formula(self) -> _core.Schedule:
        return _core.Schedule(
            "one_cycle",
            warm_up=self.warm_up,
            initial_divisor=self.initial_divisor,
            final_divisor=self.final_divisor,
        )


class _Periodic(_Formula):
    """A formula of the share of a period; it begins anew where that ends."""

    period: int | None

    def __init__(self, period: int | None = None, *, per: Per = "step") -> None:
        Value.__init__(
            self,
            per=_checked_per(per),
            period=None if period is None else _checks.integer("period", period, minimum=1),
        )


class CosLog4(_Periodic):
    """``rate (1 - cos(2 pi log2(1 + 15 s))) / 2``, s being the share t / period.

    Up from 0 and down to 0 four times, each time in twice as many steps as the time before.

    Parameters
    ----------
    period : int, optional
        Steps (or epochs) until it begins anew; None takes the whole training.

    Examples
    --------
    >>> [round(rate, 2) for rate in pymlp.schedules.CosLog4().rates(1.0, 3, 5)]
    [0.0, 0.0, 0.93, 0.0, 0.72, 0.93, 0.32, 0.0, 0.26, 0.72, 0.98, 0.93, 0.65, 0.32, 0.08]

    References
    ----------
    Holzmüller et al., "Better by default: strong pre-tuned MLPs and boosted trees on tabular data",
    arXiv:2407.04491.
    """

    def _formula(self) -> _core.Schedule:
        return _core.Schedule("cos_log4", period=self.period or 0)


class FlatCos(_Periodic):
    """``rate (1 + cos(pi (max(1, 2 s) - 1))) / 2``, s being the share t / period.

    `rate` for the first half, then down to 0 along half a cosine.

    Parameters
    ----------
    period : int, optional
        Steps (or epochs) until it begins anew; None takes the whole training.

    Examples
    --------
    >>> [round(rate, 2) for rate in pymlp.schedules.FlatCos().rates(1.0, 2, 4)]
    [1.0, 1.0, 1.0, 1.0, 1.0, 0.85, 0.5, 0.15]

    References
    ----------
    Holzmüller et al., "Better by default: strong pre-tuned MLPs and boosted trees on tabular data",
    arXiv:2407.04491.
    """

    def _formula(self) -> _core.Schedule:
        return _core.Schedule("flat_cos", period=self.period or 0)


class Function(Schedule):
    """``rate f(t / total)``: a factor from a function of the share of training that is done.

    Parameters
    ----------
    f : callable
        Gets a float in [0, 1) and returns a number, at least 0. `fit` asks it once for every epoch
        and number that it schedules, some epochs ahead, in ascending order.

    Examples
    --------
    >>> pymlp.schedules.Function(lambda t: 1 - t).rates(8.0, 4, 1)
    [8.0, 6.0, 4.0, 2.0]
    """

    f: Callable[[float], float]

    def __init__(self, f: Callable[[float], float]) -> None:
        if not callable(f):
            raise TypeError(f"f must be callable, not {_checks.type_name(f)}")
        Value.__init__(self, per="epoch", f=f)

    def rate_at(self, rate: float, t: int, total: int) -> float:  # noqa: D102
        share = t / total
        return rate * _checks.number(f"f({share:g})", self.f(share), minimum=0.0)


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
        if self.then is None or t < self.length:
            return self._before(Constant()._formula()).value(rate, min(t, _MOST), 1)
        return self.then.rate_at(rate, t - self.length, max(1, total - self.length))

    def _formula(self) -> _core.Schedule | None:
        then = (self.then or Constant()).for_core()
        return None if then is None else self._before(then)

    def _before(self, then: _core.Schedule) -> _core.Schedule:
        return then.behind_warm_up(self.length, self.start)


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


NUMBERS = _core.scheduled_numbers()  # name -> whether it is an option of the optimiser
_ELSEWHERE = {"lr": "learning_rate", "wd": "weight_decay", "eps": "epsilon"}
_CONSTANT = ("beta", "beta1", "beta2", "betas")


def resolve(schedule: Any) -> dict[str, Schedule]:
    """Return the schedules by what they change: one alone is of the learning rate.

    Raises
    ------
    TypeError, ValueError
        If it is no schedule and no dict of these, or if a key names no number that changes.
    """
    if schedule is None:
        return {}
    if isinstance(schedule, Schedule):
        return {"learning_rate": schedule}
    if not isinstance(schedule, Mapping):
        raise TypeError(f"schedule must be a Schedule or a dict of these, not {_came(schedule)}")
    for name, value in schedule.items():
        _check_entry(name, value)
    return dict(schedule)


def _check_entry(name: Any, schedule: Any) -> None:
    if not isinstance(name, str):
        raise TypeError(f"schedule must name numbers by str, not {_checks.type_name(name)}")
    if name in _CONSTANT:
        raise ValueError(
            f"schedule['{name}']: betas cannot be scheduled, as corrections of the moments take "
            "them for constant"
        )
    if name in _ELSEWHERE:
        raise ValueError(f"unknown number in schedule '{name}'; use {_ELSEWHERE[name]}")
    if name not in NUMBERS:
        raise unknown_name("number in schedule", name, NUMBERS)
    if not isinstance(schedule, Schedule):
        raise TypeError(f"schedule['{name}'] must be a Schedule, not {_came(schedule)}")
    if isinstance(schedule, ReduceOnPlateau) and name != "learning_rate":
        raise TypeError(
            f"schedule['{name}'] must be a schedule of time alone: ReduceOnPlateau goes with "
            "learning_rate"
        )


def _came(value: Any) -> str:
    """Return what came in a schedule's place; a name or a class is told how schedules are made."""
    hint = "; make one, such as pymlp.schedules.Cosine()" if isinstance(value, (str, type)) else ""
    return _checks.type_name(value) + hint


AnySchedule: TypeAlias = Schedule | Mapping[ScheduledName, Schedule] | Mapping[str, Schedule]
