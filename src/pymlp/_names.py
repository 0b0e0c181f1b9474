"""The names that arguments take, as types that editors complete; a test holds them to the tables.

Other spellings and other libraries' names are known as well, so signatures say ``LossName | str``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

ActivationName: TypeAlias = Literal[
    "linear", "step", "sigmoid", "softmax", "tanh", "relu", "leaky_relu", "elu", "selu", "celu",
    "gelu", "gelu_tanh", "silu", "mish", "softplus", "softsign", "hard_sigmoid", "hard_swish",
    "hard_tanh", "relu6", "exp", "sin", "gaussian", "log_softmax",
]  # fmt: skip
LossName: TypeAlias = Literal[
    "auto", "cross_entropy", "binary_cross_entropy", "mse", "mae", "huber", "log_cosh", "poisson",
    "quantile", "hinge", "kl_divergence",
]  # fmt: skip
OptimizerName: TypeAlias = Literal[
    "sgd", "momentum", "rmsprop", "adagrad", "adadelta", "adam", "amsgrad", "adamw", "adamax",
    "nadam", "schedulefreeadamw", "lion", "lbfgs",
]  # fmt: skip
InitializerName: TypeAlias = Literal[
    "auto", "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform",
    "lecun_normal", "orthogonal", "zeros", "normal", "uniform",
]  # fmt: skip
NormName: TypeAlias = Literal["layer", "rms", "batch"]
MetricName: TypeAlias = Literal[
    "accuracy", "balanced_accuracy", "f1", "top_k_accuracy", "roc_auc", "log_loss", "brier", "ece",
    "r2", "rmse", "mae", "mape", "quantile",
]  # fmt: skip
Metric: TypeAlias = MetricName | str | Callable[..., float]
Metrics: TypeAlias = Metric | Iterable[Metric]
MonitorName: TypeAlias = Literal["loss"] | MetricName
Mode: TypeAlias = Literal["auto", "min", "max"]
Ties: TypeAlias = Literal["first", "last"]
ArithmeticName: TypeAlias = Literal["exact", "blas"]
DTypeName: TypeAlias = Literal["float32", "float64"]
ScheduledName: TypeAlias = Literal[
    "learning_rate", "weight_decay", "momentum", "epsilon", "l1", "l2", "clip_norm", "clip_value",
    "max_norm", "label_smoothing", "dropout", "input_dropout",
]  # fmt: skip
