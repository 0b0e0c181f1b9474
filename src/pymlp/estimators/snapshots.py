"""What a network has learnt, kept and put back."""

from __future__ import annotations

from typing import TypeAlias

from pymlp._arrays import FloatArray
from pymlp.network import Network

Snapshot: TypeAlias = list[FloatArray]


def snapshot(network: Network) -> Snapshot:
    """Return copies of the parameters and of the running statistics."""
    return [array.copy() for array in _arrays_of(network)]


def restore(network: Network, kept: Snapshot) -> None:
    """Write them back."""
    for array, values in zip(_arrays_of(network), kept, strict=True):
        array[...] = values


def _arrays_of(network: Network) -> list[FloatArray]:
    statistics = [
        statistic
        for layer in network.layers
        for statistic in (layer.running_mean, layer.running_variance)
        if statistic is not None
    ]
    return [network.parameters, *statistics]
