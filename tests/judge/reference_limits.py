"""The judge of what a training adds to its steps: penalties, limits, groups and the average.

penalty      adds l1 sum |w| + l2 / 2 sum w^2 to J, over weights and not biases
clip_norm    scales a longer gradient back to this length, before values are clipped
clip_value   holds every entry of the gradient within this
max_norm     scales longer columns of weights, those into one unit, back to this
average d    gives e = d e + (1 - d) w after each step, e = w after the first
groups       multiply learning rate and weight decay of some parameters
"""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import reference
from reference_losses import sign
from reference_matrices import Matrix, Vector, transpose
from reference_network import Gradients, Network, flat_gradients, flat_parameters, with_parameters
from reference_optimizers import State, update


@dataclass(frozen=True)
class Limits:
    """What is added to steps; None and 0 are none."""

    l1: float = 0.0
    l2: float = 0.0
    clip_norm: float | None = None
    clip_value: float | None = None
    max_norm: float | None = None
    average: float | None = None
    # Factors of learning rate and weight decay of the biases.
    biases: tuple[float, float] = (1.0, 1.0)


def with_penalty(g: Gradients, network: Network, l1: float, l2: float) -> Gradients:
    """The gradients of loss and penalty."""

    def added(dW: Matrix, W: Matrix) -> Matrix:
        return [
            [d + l1 * sign(w) + l2 * w for d, w in zip(*pair, strict=True)]
            for pair in zip(dW, W, strict=True)
        ]

    return replace(g, dW=[added(*pair) for pair in zip(g.dW, network.weights, strict=True)])


def clipped(g: Vector, clip_norm: float | None, clip_value: float | None) -> Vector:
    """A gradient that is no longer and no larger; 1e-6 stands beside the length, as in PyTorch."""
    length = math.sqrt(math.fsum(x * x for x in g))
    share = 1.0 if clip_norm is None else min(1.0, clip_norm / (length + 1e-6))
    most = math.inf if clip_value is None else clip_value
    return [max(-most, min(most, share * x)) for x in g]


def with_limited_columns(W: Matrix, max_norm: float) -> Matrix:
    """The weights, none of whose columns is longer."""
    lengths = [math.sqrt(math.fsum(w * w for w in column)) for column in transpose(W)]
    shares = [max_norm / length if length > max_norm else 1.0 for length in lengths]
    return [[w * share for w, share in zip(row, shares, strict=True)] for row in W]


def averaged(average: Vector | None, w: Vector, d: float) -> Vector:
    """The average after a step has come to w."""
    if average is None:
        return w
    return [d * e + (1.0 - d) * x for e, x in zip(average, w, strict=True)]


def is_bias(network: Network) -> list[bool]:
    """Of every parameter, in the order of `flat_parameters`."""
    marked = replace(
        network,
        weights=[[[0.0] * len(row) for row in W] for W in network.weights],
        biases=[[1.0] * len(b) for b in network.biases],
    )
    return [entry == 1.0 for entry in flat_parameters(marked)]


@dataclass(frozen=True)
class Samples:
    """Samples, the share that each has in the loss, and what the loss is asked."""

    X: Matrix
    Y: Matrix
    weight: Vector
    loss: str
    options: dict[str, float] = field(default_factory=dict)

    def batches(self, size: int) -> list["Samples"]:
        """Those of each step, in order."""
        starts = range(0, len(self.X), size)
        cuts = [slice(start, start + size) for start in starts]
        return [replace(self, X=self.X[c], Y=self.Y[c], weight=self.weight[c]) for c in cuts]


@dataclass
class Training:
    """A network in training, and what is remembered from step to step."""

    network: Network
    optimizer: str
    options: dict[str, Any]  # learning rate and weight decay among them
    limits: Limits
    states: tuple[State, State] = field(default_factory=lambda: ([], []))  # of biases, of others
    average: Vector | None = None

    def step(self, samples: Samples) -> float:
        """Take one; give J as it was before, without penalty."""
        network, limits = self.network, self.limits
        J, g = reference.gradients(
            network, samples.X, samples.Y, samples.loss, samples.weight,
            mode=reference.Mode(training=True), **samples.options,
        )  # fmt: skip
        seen = flat_gradients(with_penalty(g, network, limits.l1, limits.l2))
        w = self._moved(clipped(seen, limits.clip_norm, limits.clip_value))
        network = with_parameters(network, w)
        if limits.max_norm is not None:
            limited = [with_limited_columns(W, limits.max_norm) for W in network.weights]
            network = replace(network, weights=limited)
        self.network = network
        if limits.average is not None:
            self.average = averaged(self.average, flat_parameters(network), limits.average)
        return J

    def _moved(self, g: Vector) -> Vector:
        flat, biases = flat_parameters(self.network), is_bias(self.network)
        for group, state in zip((True, False), self.states, strict=True):
            places = [i for i, bias in enumerate(biases) if bias is group]
            rate, decay = self.limits.biases if group else (1.0, 1.0)
            options = dict(self.options)
            options["learning_rate"] *= rate
            options["weight_decay"] = decay * options.get("weight_decay", 0.0)
            of_group = [[x[i] for i in places] for x in (flat, g)]
            for i, x in zip(
                places, update(self.optimizer, *of_group, state, **options), strict=True
            ):
                flat[i] = x
        return flat

    @property
    def parameters(self) -> Vector:
        """What the network shows: its parameters, or their average."""
        return flat_parameters(self.network) if self.average is None else self.average
