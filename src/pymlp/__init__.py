"""Multilayer perceptrons on a CPU: trained and run fast and exactly, on NumPy arrays."""

import importlib as _importlib
import typing as _typing

from pymlp import initializers
from pymlp._core import __version__
from pymlp.activations import (
    ELU,
    Activation,
    LeakyReLU,
    Linear,
    ReLU,
    Sigmoid,
    Softmax,
    Step,
    Tanh,
)
from pymlp.config import get_num_threads, set_num_threads, show_config
from pymlp.layers import Gradients, Layer, Trace
from pymlp.network import Network
from pymlp.optimizers import SGD, Adam, Optimizer, RMSProp
from pymlp.training import EarlyStopping, History, TrainingDiverged

if _typing.TYPE_CHECKING:
    from pymlp.serialization import load

__all__ = [
    "ELU",
    "SGD",
    "Activation",
    "Adam",
    "EarlyStopping",
    "Gradients",
    "History",
    "Layer",
    "LeakyReLU",
    "Linear",
    "Network",
    "Optimizer",
    "RMSProp",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "Step",
    "Tanh",
    "Trace",
    "TrainingDiverged",
    "__version__",
    "get_num_threads",
    "initializers",
    "load",
    "set_num_threads",
    "show_config",
]

# What costs time to import and is not needed by every script: loaded when first asked for.
_LAZY = {"load": "pymlp.serialization"}


def __getattr__(name: str) -> _typing.Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'pymlp' has no attribute '{name}'")
    value = globals()[name] = getattr(_importlib.import_module(_LAZY[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
