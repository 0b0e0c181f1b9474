"""Multilayer perceptrons on a CPU: trained and run fast and exactly, on NumPy arrays."""

import importlib as _importlib
import typing as _typing

from pymlp import activations, embeddings, initializers, losses, schedules
from pymlp._core import __version__
from pymlp.activations import (
    CELU,
    ELU,
    GELU,
    SELU,
    Activation,
    Exp,
    Gaussian,
    GELUTanh,
    HardSigmoid,
    HardSwish,
    HardTanh,
    LeakyReLU,
    Linear,
    LogSoftmax,
    Mish,
    Parametric,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Sin,
    Softmax,
    Softplus,
    Softsign,
    Step,
    Tanh,
)
from pymlp.config import (
    arithmetic,
    get_arithmetic,
    get_num_threads,
    set_arithmetic,
    set_num_threads,
    show_config,
)
from pymlp.layers import Gradients, Layer, Trace
from pymlp.network import Network
from pymlp.optimizers import (
    LBFGS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    AMSGrad,
    Lion,
    Momentum,
    Nadam,
    Optimizer,
    RMSProp,
    ScheduleFreeAdamW,
)
from pymlp.training import EarlyStopping, History, TrainingDiverged

if _typing.TYPE_CHECKING:
    from pymlp import metrics, plot, tabular
    from pymlp.certificate import Certificate, selftest
    from pymlp.diagnosis import Diagnosis, diagnose
    from pymlp.estimators import MLPClassifier, MLPRegressor, from_sklearn, to_sklearn
    from pymlp.files.load import load
    from pymlp.files.safetensors import FileFormatError
    from pymlp.stack import NetworkStack
    from pymlp.tabular.classifier import TabularClassifier
    from pymlp.tabular.regressor import TabularRegressor

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "LBFGS",
    "SELU",
    "SGD",
    "AMSGrad",
    "Activation",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Certificate",
    "Diagnosis",
    "EarlyStopping",
    "Exp",
    "FileFormatError",
    "GELUTanh",
    "Gaussian",
    "Gradients",
    "HardSigmoid",
    "HardSwish",
    "HardTanh",
    "History",
    "Layer",
    "LeakyReLU",
    "Linear",
    "Lion",
    "LogSoftmax",
    "MLPClassifier",
    "MLPRegressor",
    "Mish",
    "Momentum",
    "Nadam",
    "Network",
    "NetworkStack",
    "Optimizer",
    "Parametric",
    "RMSProp",
    "ReLU",
    "ReLU6",
    "ScheduleFreeAdamW",
    "SiLU",
    "Sigmoid",
    "Sin",
    "Softmax",
    "Softplus",
    "Softsign",
    "Step",
    "TabularClassifier",
    "TabularRegressor",
    "Tanh",
    "Trace",
    "TrainingDiverged",
    "__version__",
    "activations",
    "arithmetic",
    "diagnose",
    "embeddings",
    "from_sklearn",
    "get_arithmetic",
    "get_num_threads",
    "initializers",
    "load",
    "losses",
    "metrics",
    "plot",
    "schedules",
    "selftest",
    "set_arithmetic",
    "set_num_threads",
    "show_config",
    "tabular",
    "to_sklearn",
]

# What costs time to import and is not needed by every script: loaded when first asked for.
_LAZY = {
    "Certificate": "certificate",
    "Diagnosis": "diagnosis",
    "FileFormatError": "files.safetensors",
    "NetworkStack": "stack",
    "diagnose": "diagnosis",
    "load": "files.load",
    "metrics": "metrics",
    "plot": "plot",
    "selftest": "certificate",
    "tabular": "tabular",
    "TabularClassifier": "tabular.classifier",
    "TabularRegressor": "tabular.regressor",
    **dict.fromkeys(("MLPClassifier", "MLPRegressor", "from_sklearn", "to_sklearn"), "estimators"),
}


def __getattr__(name: str) -> _typing.Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'pymlp' has no attribute '{name}'")
    module = _importlib.import_module(f"pymlp.{_LAZY[name]}")
    value = globals()[name] = module if name == _LAZY[name] else getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
