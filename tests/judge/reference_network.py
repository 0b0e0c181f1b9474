"""What the judge trains: a network as plain lists, its gradients, and all of either in one list."""

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from reference_embeddings import Column, entries_of, with_entries
from reference_initializers import random_weights
from reference_matrices import Matrix, Vector
from reference_operations import Statistics


@dataclass(frozen=True)
class Network:
    weights: list[Matrix]  # W[l], (n[l], n[l+1])
    biases: list[Vector]  # b[l], (n[l+1],)
    activations: list[tuple[str, dict[str, float]]]  # g[l]: its name and parameters
    bias: bool = True  # without, the biases are 0 and stay 0
    # Of a list by layer, what a layer does not have is [] or beyond the end.
    scale: Vector = field(default_factory=list)  # of the inputs, (n[0],)
    embedding: list[Column] = field(default_factory=list)  # of each column of X; []: none
    norm: str | None = None  # of the hidden layers: "layer", "rms" or "batch"
    gains: list[Vector] = field(default_factory=list)  # of norms, (n[l+1],)
    shifts: list[Vector] = field(default_factory=list)  # of layer and batch norms, (n[l+1],)
    running: list[Statistics] = field(default_factory=list)  # of batch norms; they are not learnt
    alphas: list[Vector] = field(default_factory=list)  # of parametric activations, (n[l+1],)
    residual: bool = False  # a hidden layer as wide as its inputs adds these to its outputs

    @property
    def widths(self) -> list[int]:
        return [len(self.weights[0]), *(len(b) for b in self.biases)]

    def is_hidden(self, layer: int) -> bool:
        return layer < len(self.weights) - 1

    def adds_its_inputs(self, layer: int) -> bool:
        n_in, n_out = self.widths[layer : layer + 2]
        return self.residual and self.is_hidden(layer) and n_in == n_out


@dataclass(frozen=True)
class Gradients:
    dW: list[Matrix]
    db: list[Vector]
    dX: Matrix
    dscale: Vector = field(default_factory=list)
    dgain: list[Vector] = field(default_factory=list)
    dshift: list[Vector] = field(default_factory=list)
    dalpha: list[Vector] = field(default_factory=list)
    dZ: list[Matrix] = field(default_factory=list)
    dembedding: list[Column] = field(default_factory=list)


def of_layer(vectors: list[Any], layer: int) -> Any:
    """[] where there is none."""
    return vectors[layer] if layer < len(vectors) else []


def new_network(
    widths: list[int], names: list[str], initializer: str = "glorot_uniform", seed: int = 0
) -> Network:
    """Weights are drawn, so that the units of a layer differ; biases are 0."""
    weights = [
        random_weights(initializer, n_in, n_out, seed=seed + layer)
        for layer, (n_in, n_out) in enumerate(pairwise(widths))
    ]
    return Network(weights, [[0.0] * n for n in widths[1:]], [(name, {}) for name in names])


# All parameters, or gradients, in one list: the scale, then per layer the weights row by row, the
# biases, gain, shift and alpha. Those of the embedding stand before.
def flatten(
    weights: list[Matrix], biases: list[Vector], scale: Vector | None = None, *others: list[Vector]
) -> Vector:
    flat = list(scale or [])
    for layer, (W, b) in enumerate(zip(weights, biases, strict=True)):
        for row in [*W, b, *(of_layer(vectors, layer) for vectors in others)]:
            flat.extend(row)
    return flat


def flat_parameters(network: Network) -> Vector:
    others = network.gains, network.shifts, network.alphas
    embedding = entries_of(network.embedding)
    return embedding + flatten(network.weights, network.biases, network.scale, *others)


def flat_gradients(g: Gradients) -> Vector:
    embedding = entries_of(g.dembedding)
    return embedding + flatten(g.dW, g.db, g.dscale, g.dgain, g.dshift, g.dalpha)


def unflatten(flat: Vector, widths: list[int]) -> tuple[list[Matrix], list[Vector]]:
    """Weights and biases of a network of these widths."""
    entries = iter(flat)
    weights: list[Matrix] = []
    biases: list[Vector] = []
    for n_in, n_out in pairwise(widths):
        *W, b = [[next(entries) for _ in range(n_out)] for _ in range(n_in + 1)]
        weights.append(W)
        biases.append(b)
    return weights, biases


def with_parameters(network: Network, flat: Vector) -> Network:
    """The same with other parameters, in the order of `flat_parameters`."""
    entries = iter(flat)

    def next_like(vector: Vector) -> Vector:
        return [next(entries) for _ in vector]

    embedding = with_entries(network.embedding, entries)
    scale = next_like(network.scale)
    names = "biases", "gains", "shifts", "alphas"
    weights: list[Matrix] = []
    vectors: dict[str, list[Vector]] = {name: [] for name in names}
    for layer, W in enumerate(network.weights):
        weights.append([next_like(row) for row in W])
        for name in names:
            vectors[name].append(next_like(of_layer(getattr(network, name), layer)))
    return replace(network, weights=weights, scale=scale, embedding=embedding, **vectors)


def with_layers_of(network: Network, other: Network, layers: tuple[int, ...]) -> Network:
    """The network with some layers, scale and embedding with the first, as they are in another."""

    def mixed(name: str) -> list[Any]:
        ours, theirs = getattr(network, name), getattr(other, name)
        return [of_layer(theirs if layer in layers else ours, layer) for layer in range(len(ours))]

    names = "weights", "biases", "gains", "shifts", "running", "alphas"
    first = other if 0 in layers else network
    of_inputs = {"scale": first.scale, "embedding": first.embedding}
    return replace(network, **of_inputs, **{name: mixed(name) for name in names})
