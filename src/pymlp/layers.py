"""Layers, traces and gradients: names for views of a network's arrays."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from pymlp._arrays import FloatArray
from pymlp.activations import Activation

__all__ = ["Gradients", "Layer", "Trace", "split"]


class Layer:
    """One dense layer: ``a = activation(x @ weights + biases)``.

    Attributes
    ----------
    weights : ndarray, shape (n_in, n_out)
        A writable view of the network's parameters.
    biases : ndarray, shape (n_out,), or None
        A writable view of the network's parameters; None in a network without biases.
    activation : Activation
    """

    def __init__(
        self, weights: FloatArray, biases: FloatArray | None, activation: Activation
    ) -> None:
        self.weights = weights
        self.biases = biases
        self.activation = activation

    def __repr__(self) -> str:
        n_in, n_out = self.weights.shape
        return f"Layer({n_in} -> {n_out}, {self.activation!r})"


class Trace:
    """What a forward pass computed.

    Attributes
    ----------
    a : list of ndarray
        Activations: ``a[0]`` is X, ``a[l]`` (m, n[l]) the output of layer l, ``a[-1]`` the last.
    z : list of ndarray
        Pre-activations: ``z[l]`` (m, n[l]) belongs to ``a[l]``; ``z[0]`` is None: inputs have none.
    """

    def __init__(self, z: list[FloatArray | None], a: list[FloatArray]) -> None:
        self.z = z
        self.a = a


class Gradients:
    """The gradient of a scalar with respect to a network's parameters.

    Attributes
    ----------
    flat : ndarray, shape (n_parameters,)
        In the order of `Network.parameters`.
    weights, biases : list of ndarray
        Views of `flat`, shaped as those of the network's layers.
    """

    def __init__(self, flat: FloatArray, widths: Sequence[int], bias: bool) -> None:
        self.flat = flat
        self.weights, self.biases = split(flat, widths, bias)


def split(
    flat: FloatArray, widths: Sequence[int], bias: bool
) -> tuple[list[FloatArray], list[FloatArray]]:
    """Return views of an arena: layer by layer the weights, row-major, then the biases."""
    weights, biases = [], []
    start = 0
    for n_in, n_out in itertools.pairwise(widths):
        weights.append(flat[start : start + n_in * n_out].reshape(n_in, n_out))
        start += n_in * n_out
        if bias:
            biases.append(flat[start : start + n_out])
            start += n_out
    return weights, biases
