"""Built-in activations and losses, written again as a user would write them."""

from typing import Any

import numpy as np
from cases import FloatArray

from pymlp import Activation


def positive(z: FloatArray) -> FloatArray:
    return np.where(z <= 0, 0, z)


def is_positive(z: FloatArray) -> Any:
    return z > 0  # whatever is a number is converted


def tanh_slope(z: FloatArray) -> FloatArray:
    return 1 - np.tanh(z) ** 2


def gaussian(z: FloatArray) -> FloatArray:
    return np.exp(-(z**2))


def gaussian_slope(z: FloatArray) -> FloatArray:
    return -2 * z * np.exp(-(z**2))


def squared(a: FloatArray, y: FloatArray) -> tuple[Any, Any]:
    return ((a - y) ** 2).mean(axis=1), 2 * (a - y) / a.shape[1]


def absolute(a: FloatArray, y: FloatArray) -> tuple[Any, Any]:
    return np.abs(a - y).mean(axis=1), np.sign(a - y) / a.shape[1]


def log_loss(a: FloatArray, labels: Any) -> tuple[Any, Any]:
    rows = np.arange(len(a))
    gradient = np.zeros_like(a)
    gradient[rows, labels] = -1 / a[rows, labels]
    return -np.log(a[rows, labels]), gradient


TWINS = {
    "relu": Activation(forward=positive, derivative=is_positive),
    "tanh": Activation(forward=np.tanh, derivative=tanh_slope),
    "gaussian": Activation(forward=gaussian, derivative=gaussian_slope),
}
