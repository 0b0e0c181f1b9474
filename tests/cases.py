"""Networks and samples that several test files draw, and the same as the reference takes them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import reference
from numpy.typing import NDArray

import pymlp
from pymlp import Activation, _core, losses
from pymlp.losses import Loss

FloatArray = NDArray[np.floating[Any]]
Rng = np.random.Generator
AssertClose = Callable[..., None]  # the fixture of conftest

# Every activation, with the parameters that it may have.
ACTIVATIONS: list[Activation] = [
    *(kind() for kind in pymlp.activations.TABLE.values()),
    pymlp.Step(0.3),
    pymlp.LeakyReLU(0.2, threshold=0.1),
    pymlp.LeakyReLU(0.5, threshold=-0.3),
    pymlp.ELU(1.5),
    pymlp.ELU(0.3),
    pymlp.CELU(2.0),
    pymlp.CELU(0.4),
]

# Every loss, with the options that it may have.
LOSSES: list[Loss] = [
    *(kind() for kind in losses.TABLE.values()),
    losses.CrossEntropy(label_smoothing=0.1),
    losses.BinaryCrossEntropy(label_smoothing=0.3),
    losses.Huber(0.3),
    losses.Huber(2.5),
    losses.Quantile(0.9),
]


def may_follow(output: Activation, loss: Loss) -> bool:
    """Return whether the library lets this loss read these outputs."""
    try:
        _core.check_pair(loss.name, output.name)
    except ValueError:
        return False
    return True


# Every loss behind every output whose values it is particular about; of the others, which read any
# numbers, mse behind every output and the rest behind these.
ANY_NUMBERS = ("mae", "huber", "log_cosh", "quantile", "hinge")
OF_PROBABILITIES = ("cross_entropy", "binary_cross_entropy", "kl_divergence")
OUTPUTS_OF_ANY_NUMBERS = (pymlp.Linear(), pymlp.Tanh(), pymlp.ELU(1.5), pymlp.Softmax())
PAIRS: list[tuple[Activation, Loss]] = [
    (output, loss)
    for loss in LOSSES
    for output in (OUTPUTS_OF_ANY_NUMBERS if loss.name in ANY_NUMBERS else ACTIVATIONS)
    if may_follow(output, loss)
]

# The pairs whose gradient is computed in one step.
FUSED_PAIRS = [
    ("softmax", "cross_entropy"),
    ("softmax", "kl_divergence"),
    ("log_softmax", "cross_entropy"),
    ("log_softmax", "kl_divergence"),
    ("sigmoid", "binary_cross_entropy"),
    ("exp", "poisson"),
    ("linear", "mse"),
]


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
    """Return targets (m, k) that the loss takes."""
    if loss == "hinge":
        return rng.choice([-1.0, 1.0], (m, k)).astype(dtype)
    if loss == "poisson":
        return rng.poisson(2.0, (m, k)).astype(dtype)
    if loss in ("mse", *ANY_NUMBERS):
        return rng.normal(size=(m, k)).astype(dtype)
    values = rng.uniform(0.05, 1.0, (m, k))
    if loss in ("cross_entropy", "kl_divergence"):
        values /= values.sum(axis=1, keepdims=True)
    return values.astype(dtype)


def random_labels(rng: Rng, m: int, k: int) -> NDArray[np.int32]:
    return rng.integers(k, size=m, dtype=np.int32)


# Where a derivative jumps.
KINKS: dict[str, tuple[float, ...]] = {
    "relu": (0.0,),
    "elu": (0.0,),
    "selu": (0.0,),
    "hard_sigmoid": (-3.0, 3.0),
    "hard_swish": (-3.0, 3.0),
    "hard_tanh": (-1.0, 1.0),
    "relu6": (0.0, 6.0),
}


def distances_to_kinks(net: pymlp.Network, X: FloatArray) -> FloatArray:
    """Return how near each sample's pre-activations come to a place where a derivative jumps."""
    nearest = np.full(len(X), np.inf)
    for layer, z in zip(net.layers, net.forward(X).z[1:], strict=True):
        g = layer.activation
        for kink in (*KINKS.get(g.name, ()), *([g.threshold] if hasattr(g, "threshold") else [])):
            nearest = np.minimum(nearest, np.abs(z - kink).min(axis=1))
    return nearest


def reads_logarithms(output: Activation, loss: Loss) -> bool:
    """Return whether the loss takes logarithms of outputs, and sends a gradient back through."""
    computed_from_logits = (output.name, loss.name) in FUSED_PAIRS
    particular = loss.name in (*OF_PROBABILITIES, "poisson")
    return particular and not computed_from_logits and output.name != "step"


def random_network_for(
    rng: Rng, layers: int, widest: int, output: Activation, loss: Loss, **options: Any
) -> pymlp.Network:
    """Return a network whose outputs are what the loss reads.

    Where that takes logarithms they are few, more than one, and mostly well above 0 and below 1.
    """
    widths = random_widths(rng, layers, widest)
    careful = reads_logarithms(output, loss)
    if careful:
        widths[-1] = 2 + widths[-1] % 3
    net = random_network(rng, widths, output=output, **options)
    if careful:
        z = net.forward(random_inputs(rng, 64, net)).z[-1]
        share = 0.3 / max(float(z.std(axis=0).max()), 0.3)
        net.weights[-1][:] *= share
        if net.bias:
            centre = share * (z.mean(axis=0) - net.biases[-1])
            net.biases[-1][:] = rng.uniform(0.5, 1.5, widths[-1]) - centre
    return net


def inputs_off_kinks(rng: Rng, m: int, net: pymlp.Network, loss: Loss | None = None) -> FloatArray:
    """Return inputs whose rounding cannot take a pre-activation to the other side of a kink.

    Where a loss takes logarithms of what is not computed from logits, the outputs also keep away
    from 0 and 1: there its gradient has the rounding errors of 1 / a and 1 / (1 - a).
    """
    careful = loss is not None and reads_logarithms(net.layers[-1].activation, loss)
    low = 0.01 if careful else -np.inf
    high = 0.99 if careful and loss.name in OF_PROBABILITIES else np.inf
    found: list[FloatArray] = []
    for _ in range(200):
        X = random_inputs(rng, 64, net)
        off_kinks = distances_to_kinks(net, X) > 50 * np.finfo(net.dtype).eps
        A = net.predict(X)
        found.extend(X[off_kinks & ((low < A) & (high > A)).all(axis=1)])
        if len(found) >= m:
            return np.array(found[:m])
    raise AssertionError(f"{net!r} is at a kink wherever it is looked at")


# ---- the same in plain lists ---------------------------------------------------------------------
def parameters_of(g: Activation, dtype: Any) -> dict[str, float]:
    """Return an activation's parameters as the library of this dtype sees them."""
    return {name: float(np.dtype(dtype).type(value)) for name, value in g.parameters.items()}


def options_of(loss: Loss, dtype: Any) -> dict[str, float]:
    """Return a loss's options as the library of this dtype sees them."""
    return {name: float(np.dtype(dtype).type(value)) for name, value in vars(loss).items()}


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
    return reference.Network(weights, biases, activations, net.bias)


def flat_gradients(net: pymlp.Network, g: reference.Gradients) -> list[float]:
    """Return gradients in the order of the network's parameters."""
    return reference.flatten(g.dW, g.db if net.bias else [[] for _ in g.db])


def flat_parameters(twin: reference.Network) -> list[float]:
    """Return parameters of the reference in the order of the library's."""
    return reference.flatten(twin.weights, twin.biases if twin.bias else [[] for _ in twin.biases])


def rows_of(y: NDArray[Any], k: int) -> list[list[float]]:
    """Return labels (m,) or targets (m, k) as rows."""
    return reference.one_hot(y.tolist(), k) if y.ndim == 1 else y.tolist()
