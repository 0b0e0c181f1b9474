"""Metrics: how good predictions are, by scikit-learn's definitions and with its arguments.

Each takes the truth first and returns a float. `TABLE` has them by the names that `Network.fit` and
`Network.evaluate` take.
"""

from pymlp.metrics.classes import accuracy, balanced_accuracy, f1
from pymlp.metrics.numbers import mae, mape, quantile, r2, rmse
from pymlp.metrics.probabilities import brier, ece, log_loss, roc_auc, top_k_accuracy

__all__ = [
    "accuracy",
    "balanced_accuracy",
    "brier",
    "ece",
    "f1",
    "log_loss",
    "mae",
    "mape",
    "quantile",
    "r2",
    "rmse",
    "roc_auc",
    "top_k_accuracy",
]


def __dir__() -> list[str]:
    return sorted(__all__)
