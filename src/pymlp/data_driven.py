"""Initial values that follow from data: units begin with variance 1 over them, and bend there."""

from __future__ import annotations

from typing import Any

import numpy as np

from pymlp import _arrays, _core
from pymlp._arrays import FloatArray

__all__ = ["begin"]

_ROWS = 10_000  # enough for a deviation; the values of all layers are held for so many
_SAMPLES = 5  # of which a bias is the mean
_STREAM = 2**35  # apart from those of layers, epochs, splits and embedded columns


def begin(net: Any, X: FloatArray, seed: int) -> None:
    """Give the layers of a network whose weights were just drawn a start that suits the data."""
    if len(X) > _ROWS:
        X = _arrays.taken(X, np.sort(_core.permutation(len(X), seed, _STREAM)[:_ROWS]))
    random = np.random.Generator(np.random.Philox(key=seed))
    for number, layer in enumerate(net.layers):
        if layer.gain is not None:  # a norm sees to the variance, whatever the weights are
            continue
        z = net.forward(X).z[number + 1]
        deviation = z.std(axis=0, dtype=np.float64)
        deviation[~((deviation > 0) & np.isfinite(deviation))] = 1.0  # nothing goes in there
        layer.weights /= deviation.astype(net.dtype)
        if layer.biases is not None:
            layer.biases[:] = -_between_samples(z / deviation, random)


def _between_samples(z: FloatArray, random: np.random.Generator) -> FloatArray:
    """Return for each unit a point between a few of its values, which are drawn."""
    units = z.shape[1]
    rows = random.integers(len(z), size=(_SAMPLES, units))
    shares = random.standard_exponential((_SAMPLES, units))
    result: FloatArray = (shares * z[rows, np.arange(units)]).sum(axis=0) / shares.sum(axis=0)
    return result
