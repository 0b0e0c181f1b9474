"""Networks and samples that several test files draw, and the same as the reference takes them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import reference
from numpy.typing import NDArray

import pymlp
from pymlp import Activation

FloatArray = NDArray[np.floating[Any]]
Rng = np.random.Generator
AssertClose = Callable[..., None]  # the fixture of conftest

# Every activation, with the parameters that it may have.
ACTIVATIONS: list[Activation] = [
    pymlp.Linear(),
    pymlp.Step(),
    pymlp.Step(0.3),
    pymlp.Sigmoid(),
    pymlp.Softmax(),
    pymlp.Tanh(),
    pymlp.ReLU(),
    pymlp.LeakyReLU(),
    pymlp.LeakyReLU(0.2, threshold=0.1),
    pymlp.LeakyReLU(0.5, threshold=-0.3),
    pymlp.ELU(),
    pymlp.ELU(1.5),
    pymlp.ELU(0.3),
]

# Every loss behind every output that it may follow.
PAIRS: list[tuple[Activation, str]] = [(g, "mse") for g in ACTIVATIONS] + [
    (g, loss)
    for g in ACTIVATIONS
    if g.unit_interval
    for loss in ("cross_entropy", "binary_cross_entropy")
]

# The pairs whose gradient is computed in one step.
FUSED_PAIRS = [("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy"), ("linear", "mse")]


def random_widths(rng: Rng, layers: int, widest: int) -> list[int]:
    return [int(n) for n in rng.integers(1, widest + 1, layers + 1)]


def random_network(rng: Rng, widths: list[int], **options: Any) -> pymlp.Network:
    """Return a network whose biases are not 0 and whose activations are drawn unless given."""
    if "hidden" not in options:
        options["hidden"] = [
            ACTIVATIONS[i] for i in rng.integers(len(ACTIVATIONS), size=len(widths) - 2)
        ]
    net = pymlp.Network(widths, init="glorot_normal", seed=int(rng.integers(2**32)), **options)
    for b in net.biases:
        b[:] = rng.normal(0.0, 0.5, b.shape)
    return net


def random_inputs(rng: Rng, m: int, net: pymlp.Network) -> FloatArray:
    return rng.normal(size=(m, net.widths[0])).astype(net.dtype)


def random_targets(rng: Rng, m: int, k: int, loss: str, dtype: Any) -> FloatArray:
    """Return targets (m, k) that the loss takes: probabilities, or any numbers for mse."""
    if loss == "mse":
        return rng.normal(size=(m, k)).astype(dtype)
    values = rng.uniform(0.05, 1.0, (m, k))
    if loss == "cross_entropy":
        values /= values.sum(axis=1, keepdims=True)
    return values.astype(dtype)


def random_labels(rng: Rng, m: int, k: int) -> NDArray[np.int32]:
    return rng.integers(k, size=m, dtype=np.int32)


def distance_to_kinks(net: pymlp.Network, X: FloatArray) -> float:
    """Return how near the pre-activations come to a place where a derivative jumps."""
    nearest = np.inf
    for layer, z in zip(net.layers, net.forward(X).z[1:], strict=True):
        g = layer.activation
        if g.name in ("step", "relu", "leaky_relu", "elu"):
            kink = g.parameters.get("threshold", 0.0)
            nearest = min(nearest, float(np.abs(z - kink).min()))
    return nearest


def inputs_off_kinks(rng: Rng, m: int, net: pymlp.Network) -> FloatArray:
    """Return inputs whose rounding cannot take a pre-activation to the other side of a kink."""
    for _ in range(100):
        X = random_inputs(rng, m, net)
        if distance_to_kinks(net, X) > 50 * np.finfo(net.dtype).eps:
            return X
    raise AssertionError(f"{net!r} is at a kink wherever it is looked at")


# ---- the same in plain lists ---------------------------------------------------------------------
def parameters_of(g: Activation, dtype: Any) -> dict[str, float]:
    """Return an activation's parameters as the library of this dtype sees them."""
    return {name: float(np.dtype(dtype).type(value)) for name, value in g.parameters.items()}


def to_reference(net: pymlp.Network, parameters: FloatArray | None = None) -> reference.Network:
    """Return the network in plain lists, with other parameters where these are given."""
    flat = iter((net.parameters if parameters is None else parameters).tolist())
    weights, biases = [], []
    for layer in net.layers:
        n_in, n_out = layer.weights.shape
        weights.append([[next(flat) for _ in range(n_out)] for _ in range(n_in)])
        biases.append([next(flat) if net.bias else 0.0 for _ in range(n_out)])
    activations = [
        (layer.activation.name, parameters_of(layer.activation, net.dtype)) for layer in net.layers
    ]
    return reference.Network(weights, biases, activations)


def flat_gradients(net: pymlp.Network, g: reference.Gradients) -> list[float]:
    """Return gradients in the order of the network's parameters."""
    biases = g.db if net.bias else [[] for _ in g.db]
    return [value for W, b in zip(g.dW, biases, strict=True) for row in [*W, b] for value in row]


def rows_of(y: NDArray[Any], k: int) -> list[list[float]]:
    """Return labels (m,) or targets (m, k) as rows."""
    return reference.one_hot(y.tolist(), k) if y.ndim == 1 else y.tolist()
