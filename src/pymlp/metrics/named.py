"""Metrics as `Network.fit` and `Network.evaluate` take them: by name, or a function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from pymlp import _checks
from pymlp._registry import Registry
from pymlp.metrics import classes, numbers, probabilities
from pymlp.metrics.comparison import Comparison


class Metric(NamedTuple):
    """A number that says how good a network's outputs are.

    Attributes
    ----------
    name : str
        Its key in `History.metrics`.
    of : Callable[[Comparison], float]
    more_is_better : bool or None
        None: it is not known.
    """

    name: str
    of: Callable[[Comparison], float]
    more_is_better: bool | None


def _need_classes(given: Comparison) -> None:
    if given.kind == "numbers":
        raise ValueError("it needs classes, and y holds numbers: output='softmax' or 'sigmoid'")


def _of_classes(function: Callable[..., Any]) -> Callable[[Comparison], float]:
    def of(given: Comparison) -> float:
        _need_classes(given)
        options = {}
        if function is classes.f1 and (given.kind == "labels" or given.n_classes > 2):
            options["average"] = "macro"
        return float(function(given.y, given.classes, sample_weight=given.weights, **options))

    return of


def _of_probabilities(function: Callable[..., Any]) -> Callable[[Comparison], float]:
    def of(given: Comparison) -> float:
        _need_classes(given)
        P, all_classes = given.probabilities, np.arange(given.n_classes)
        return float(function(given.y, P, sample_weight=given.weights, labels=all_classes))

    return of


def _top_k_accuracy(given: Comparison) -> float:
    if given.kind != "classes":
        raise ValueError("it needs classes that exclude each other: output='softmax'")
    return probabilities.top_k_accuracy(
        given.y, given.scores, sample_weight=given.weights, labels=np.arange(given.n_classes)
    )


def _roc_auc(given: Comparison) -> float:
    """Return the mean over the classes of which some samples are and some are not."""
    _need_classes(given)
    options: dict[str, Any] = {"sample_weight": given.weights}
    if given.kind == "classes":
        options["labels"] = np.arange(given.n_classes)
    areas = np.atleast_1d(probabilities.roc_auc(given.y, given.scores, average=None, **options))
    known = areas[~np.isnan(areas)]
    return float(known.mean()) if len(known) else float("nan")


def _of_numbers(function: Callable[..., Any]) -> Callable[[Comparison], float]:
    def of(given: Comparison) -> float:
        if given.kind != "numbers":
            raise ValueError("it compares numbers, and y holds classes")
        return float(function(given.y, given.outputs, sample_weight=given.weights))

    return of


_FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[[Comparison], float], bool]] = {
    **{
        function.__name__: (function, _of_classes(function), True)
        for function in (classes.accuracy, classes.balanced_accuracy, classes.f1)
    },
    "top_k_accuracy": (probabilities.top_k_accuracy, _top_k_accuracy, True),
    "roc_auc": (probabilities.roc_auc, _roc_auc, True),
    **{
        function.__name__: (function, _of_probabilities(function), False)
        for function in (probabilities.log_loss, probabilities.brier, probabilities.ece)
    },
    "r2": (numbers.r2, _of_numbers(numbers.r2), True),
    **{
        function.__name__: (function, _of_numbers(function), False)
        for function in (numbers.rmse, numbers.mae, numbers.mape, numbers.quantile)
    },
}

_ALIASES = {
    "acc": "accuracy",
    "auc": "roc_auc",
    "brier_score": "brier",
    "expected_calibration_error": "ece",
    "mean_absolute_error": "mae",
    "mean_absolute_percentage_error": "mape",
    "pinball": "quantile",
    "root_mean_squared_error": "rmse",
}

TABLE: dict[str, Metric] = {
    name: Metric(name, of, more) for name, (_, of, more) in _FUNCTIONS.items()
}

_registry = Registry("metric", TABLE, _ALIASES)


def resolve(given: Any) -> tuple[Metric, ...]:
    """Return the metrics that an argument names: one, or several of different names.

    Raises
    ------
    TypeError, ValueError
        Where one is no metric, or its name is taken.
    """
    single = isinstance(given, str) or callable(given)
    if not single and not isinstance(given, Iterable):
        raise TypeError(
            "metrics must be names of metrics or functions (y, outputs), not "
            f"{_checks.type_name(given)}"
        )
    found = tuple(_metric(item) for item in ([given] if single else given))
    names = [metric.name for metric in found]
    for name in names:
        if names.count(name) > 1 or name == "loss":
            raise ValueError(f"metrics must have names of their own, and '{name}' is taken")
    return found


def _metric(given: Any) -> Metric:
    if isinstance(given, str):
        return _registry.find(given)
    if not callable(given):
        raise TypeError(
            "metrics must be names of metrics or functions (y, outputs), not "
            f"{_checks.type_name(given)}"
        )
    for name, (function, _, _) in _FUNCTIONS.items():
        if given is function:
            return TABLE[name]
    return _own(given)


def _own(function: Callable[..., Any]) -> Metric:
    """Return a metric of a user function, which gets weights where it has a parameter for them."""
    name = str(getattr(function, "__name__", type(function).__name__))
    takes_weights = _takes_weights(function)

    def of(given: Comparison) -> float:
        options = {"sample_weight": given.weights} if takes_weights else {}
        value = function(given.targets, given.outputs, **options)
        try:
            return float(value)
        except (TypeError, ValueError):
            raise TypeError(
                f"metric '{name}' must return a number, not {_checks.type_name(value)}"
            ) from None

    return Metric(name, of, None)


def _takes_weights(function: Callable[..., Any]) -> bool:
    import inspect

    try:
        return "sample_weight" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # of a built-in function
        return False


def measure(metrics: Iterable[Metric], given: Comparison) -> dict[str, float]:
    """Return every metric of outputs; NaN for a built-in one where these are not finite.

    Raises
    ------
    TypeError, ValueError
        If one does not go with what is compared; the message names it.
    """
    finite = bool(np.isfinite(given.outputs).all())
    values = {}
    for metric in metrics:
        if metric.name in TABLE and not finite:
            values[metric.name] = float("nan")
            continue
        try:
            values[metric.name] = metric.of(given)
        except (TypeError, ValueError) as error:
            if metric.name not in TABLE:
                raise
            raise type(error)(f"metric '{metric.name}': {error}") from None
    return values
