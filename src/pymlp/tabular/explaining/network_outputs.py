"""The outputs of networks, from behind their embeddings.

Codes of categories have no path from one to another; what a network's embedding makes of them has.
So has what it makes of numbers, and it need not be made again for each point of a path.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp.network import Network

__all__ = ["EnsembleOutputs", "NetworkOutputs"]


class NetworkOutputs:
    """What explains one network; see `Outputs`.

    Parameters
    ----------
    network : Network
    threads : int or None
    """

    def __init__(self, network: Network, threads: int | None) -> None:
        self._network, self._threads = network, threads
        self._behind = behind_embedding(network)
        self.inputs = np.repeat(np.arange(network.widths[0]), embedded_widths(network))

    def embedded(self, X: NDArray[Any]) -> NDArray[Any]:
        """Return what the first layer reads."""
        return self._network.embed(X, threads=self._threads)

    def outputs(self, X: NDArray[Any]) -> NDArray[Any]:
        """Return the outputs, shape (m, n_out)."""
        return self._behind.predict(X, threads=self._threads)

    def pulled_back(self, X: NDArray[Any], dY: NDArray[Any]) -> NDArray[Any]:
        """Return the gradient by X, shape (m, n_in)."""
        return self._behind.input_gradients(X, dY, threads=self._threads)


class EnsembleOutputs:
    """What explains the mean of several networks; see `Outputs`.

    Each embeds inputs in its own way: embedded inputs are those of all networks, side by side.

    Parameters
    ----------
    networks : sequence of Network
    threads : int or None
    owners : ndarray of int, shape (m,), optional
        The network whose outputs are wanted of each row; None: the mean of all.
    """

    def __init__(
        self,
        networks: Sequence[Network],
        threads: int | None,
        owners: NDArray[np.intp] | None = None,
    ) -> None:
        self._members = [NetworkOutputs(network, threads) for network in networks]
        self._owners = owners
        self.inputs = np.concatenate([member.inputs for member in self._members])
        self._ends = np.cumsum([len(member.inputs) for member in self._members])[:-1]

    def embedded(self, X: NDArray[Any]) -> NDArray[Any]:
        """Return what the first layers read."""
        return np.concatenate([member.embedded(X) for member in self._members], axis=1)

    def outputs(self, X: NDArray[Any]) -> NDArray[Any]:
        """Return the outputs, shape (m, n_out)."""
        found = np.stack([member.outputs(x) for member, x in self._each(X)])
        if self._owners is not None:
            own: NDArray[Any] = found[self._owners, np.arange(len(X))]
            return own
        mean: NDArray[Any] = found.mean(axis=0, dtype=np.float64).astype(X.dtype)
        return mean

    def pulled_back(self, X: NDArray[Any], dY: NDArray[Any]) -> NDArray[Any]:
        """Return the gradient by X, shape (m, n_in)."""
        share = dY / dY.dtype.type(len(self._members))
        parts = [member.pulled_back(x, share) for member, x in self._each(X)]
        return np.concatenate(parts, axis=1)

    def _each(self, X: NDArray[Any]) -> Iterator[tuple[NetworkOutputs, NDArray[Any]]]:
        """Yield every network with its part of embedded inputs."""
        for member, part in zip(self._members, np.split(X, self._ends, axis=1), strict=True):
            yield member, np.ascontiguousarray(part)


def embedded_widths(network: Network) -> list[int]:
    """Return how many numbers each input becomes."""

    def width(named: Any) -> int:
        return len(named["biases"]) + 1 if "biases" in named else named["table"].shape[1]

    parameters = getattr(network, "embedding_parameters", {})
    known = {column: width(named) for column, named in parameters.items()}
    return [known.get(column, 1) for column in range(network.widths[0])]


def behind_embedding(network: Network) -> Network:
    """Return the network that takes embedded inputs: itself where it embeds none."""
    if not getattr(network, "embedding", ()):
        return network
    layers = network.layers
    behind = Network(
        [sum(embedded_widths(network)), *network.widths[1:]],
        hidden=[layer.activation for layer in layers[:-1]],
        output=layers[-1].activation,
        norm=network.norm,
        residual=network.residual,
        scale_inputs=network.scale_inputs,
        bias=network.bias,
        init="zeros",
        dtype=network.dtype,
        arithmetic=network.arithmetic,
    )
    behind.parameters = network.parameters[-behind.n_parameters :]  # those of embeddings come first
    for own, given in zip(behind.layers, layers, strict=True):
        if own.running_mean is not None and own.running_variance is not None:
            own.running_mean[:] = given.running_mean
            own.running_variance[:] = given.running_variance
    return behind
