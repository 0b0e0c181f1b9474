"""Multilayer perceptrons on a CPU: trained and run fast and exactly, on NumPy arrays."""

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
from pymlp.network import Gradients, Layer, Network, Trace
from pymlp.optimizers import SGD, Adam, Optimizer, RMSProp
from pymlp.serialization import load
from pymlp.training import EarlyStopping, History, TrainingDiverged

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
