"""What early stopping watches, and which of two values of it is better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from pymlp.training.early_stopping import EarlyStopping

if TYPE_CHECKING:
    from pymlp.metrics.named import Metric


class Monitor(NamedTuple):
    """A loss or a metric, and how much better a value must be to count.

    Attributes
    ----------
    name : str
        "loss", or that of a metric.
    more_is_better : bool
    min_delta : float
    ties : bool
        Whether one that is as good counts as better.
    """

    name: str = "loss"
    more_is_better: bool = False
    min_delta: float = 0.0
    ties: bool = False

    @property
    def worst(self) -> float:
        """What every number is better than."""
        return -math.inf if self.more_is_better else math.inf

    def improves(self, value: float, best: float) -> bool:
        """Tell whether a value is better than the best one before; NaN never is."""
        if self.more_is_better:
            return value > best + self.min_delta or (self.ties and value == best + self.min_delta)
        return value < best - self.min_delta or (self.ties and value == best - self.min_delta)


def monitor_of(rule: EarlyStopping | None, metrics: Sequence[Metric]) -> Monitor:
    """Return what a rule watches.

    Raises
    ------
    ValueError
        If it is not among the metrics, or it is not known whether more of it is better.
    """
    if rule is None:
        return Monitor()
    if rule.monitor == "loss":
        return Monitor("loss", rule.mode == "max", rule.min_delta, rule.ties == "last")
    names = [metric.name for metric in metrics]
    if rule.monitor not in names:
        known = ", ".join(f"'{name}'" for name in ["loss", *names])
        raise ValueError(
            f"monitor must be 'loss' or one of fit's metrics, here {known}, not '{rule.monitor}'"
        )
    more = metrics[names.index(rule.monitor)].more_is_better
    if rule.mode == "auto" and more is None:
        raise ValueError(
            f"mode must be 'min' or 'max' for '{rule.monitor}', a function of your own: whether "
            "more of it is better is not known"
        )
    more_is_better = bool(more) if rule.mode == "auto" else rule.mode == "max"
    return Monitor(rule.monitor, more_is_better, rule.min_delta, rule.ties == "last")
