"""How good an estimator is on validation samples: what stops its training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pymlp import _checks
from pymlp.metrics import named
from pymlp.metrics.comparison import Comparison


class Validation(NamedTuple):
    """Samples that are not trained on.

    Attributes
    ----------
    X : ndarray or CSR matrix
        As the network takes it.
    targets : ndarray
        As the loss takes them.
    codes : ndarray
        Class numbers (m,), indicators (m, k), or numbers (m, k).
    weights : ndarray, optional
    """

    X: Any
    targets: NDArray[Any]
    codes: NDArray[Any]
    weights: NDArray[Any] | None


class Monitor(NamedTuple):
    """What is watched.

    Attributes
    ----------
    name : str
        "loss", the name of a metric, or "" of a user's function.
    more_is_better : bool
    of : callable, optional
        The metric of a `Comparison`, or the user's function; None for the loss.
    """

    name: str
    more_is_better: bool
    of: Callable[..., Any] | None

    @property
    def worst(self) -> float:
        """What every number is better than."""
        return -np.inf if self.more_is_better else np.inf

    def gain(self, value: float, best: float) -> float:
        """Return by how much a value is better."""
        return value - best if self.more_is_better else best - value


def resolve(given: Any, usual: str) -> Monitor:
    """Return what the parameter `monitor` stands for; None: the usual score.

    Raises
    ------
    TypeError, ValueError
        If it is none of these.
    """
    if given is not None and not isinstance(given, str) and callable(given):
        return Monitor("", True, given)
    if given is not None and not isinstance(given, str):
        raise TypeError(
            "monitor must be 'loss', the name of a metric, or a function (y_true, y_pred), not "
            f"{_checks.type_name(given)}"
        )
    if given == "loss":
        return Monitor("loss", False, None)
    try:
        (metric,) = named.resolve(usual if given is None else given)
    except ValueError as error:
        raise ValueError(f"monitor: {error}") from None
    return Monitor(metric.name, bool(metric.more_is_better), metric.of)


def measure(monitor: Monitor, given: Comparison) -> float:
    """Return a metric of outputs; NaN where they are not finite."""
    if not np.isfinite(given.outputs).all():
        return float("nan")
    assert monitor.of is not None
    return float(monitor.of(given))
