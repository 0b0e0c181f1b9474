"""The diagnosis of a network: how far gradients reach, layer by layer, and what is in their way."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pymlp import _checks, _core, _summary, config, losses
from pymlp._arrays import FloatArray
from pymlp.activations import Activation
from pymlp.findings import Finding, findings
from pymlp.layers import Layer
from pymlp.losses import Loss
from pymlp.network import Network

__all__ = ["Diagnosis", "InputReport", "LayerReport", "diagnose"]

# Functions that are flat on both sides, and their largest slopes.
_LARGEST_SLOPE = {
    "sigmoid": 0.25,
    "softmax": 0.25,
    "tanh": 1.0,
    "softsign": 1.0,
    "hard_sigmoid": 1 / 6,
    "hard_tanh": 1.0,
    "gaussian": float(np.sqrt(2 / np.e)),
}
_SATURATED = 0.01  # of the largest slope
_DEAD = 1e-4  # a slope that no ReLU with a leak comes down to

# Derivatives that are a matrix for each sample: the diagonal, what z_i does to a_i.
_DIAGONAL: dict[str, Callable[[FloatArray], FloatArray]] = {
    "softmax": lambda a: a * (1 - a),
    "log_softmax": lambda a: 1 - np.exp(a),
}


@dataclasses.dataclass(frozen=True, eq=False)
class InputReport:
    """What was seen of the inputs.

    Attributes
    ----------
    samples : int
    mean, std, reach : ndarray, shape (n_in,)
        Of each column: mean, standard deviation, and largest deviation from the mean.
    finite : bool
        Whether no entry is NaN or infinite.
    """

    samples: int
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    reach: NDArray[np.float64]
    finite: bool


@dataclasses.dataclass(frozen=True)
class LayerReport:
    """What was seen of one layer. Norms are Euclidean, over all entries.

    Attributes
    ----------
    number : int
        The first layer behind the inputs is 1.
    activation : str
    units : int
    dz, dw : float
        Norms of the gradients of the mean loss by the pre-activations and by the weights.
    weights : float
        Norm of the weights.
    gain : float or None
        What the gradient was multiplied by on its way from the next layer: ``dz`` over the next
        layer's ``dz``. None for the last layer, and where both are 0.
    expected_gain : float
        The same by rule of thumb, for a gradient of any direction: ``slope`` times the size of the
        next layer's weights, ``norm(W) / sqrt(units)``. The last layer's is its ``slope``.
    slope, steepest : float
        Mean and largest ``|g'(z)|``; of softmax and log_softmax the Jacobian's diagonal.
    saturated : float or None
        The share of activations whose slope is below 1 % of the function's largest; None where the
        function is not flat on both sides.
    dead : tuple of int
        Units whose slope is 0 (below 1e-4) for every sample, of relu and others with a flat side.
    equal : tuple of tuple of int
        Groups of hidden units with the same weights in, bias and weights out.
    not_finite : tuple of str
        Which of "parameters", "outputs" and "gradients" hold NaN or infinity.
    """

    number: int
    activation: str
    units: int
    dz: float
    dw: float
    weights: float
    gain: float | None
    expected_gain: float
    slope: float
    steepest: float
    saturated: float | None
    dead: tuple[int, ...]
    equal: tuple[tuple[int, ...], ...]
    not_finite: tuple[str, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class Diagnosis:
    """Numbers of every layer and what they mean; prints as a table with the findings below it.

    Attributes
    ----------
    loss : float
        The mean loss.
    inputs : InputReport
    layers : list of LayerReport
    findings : list of Finding
        What is wrong and what to try; empty for a network in good health.
    chain_product : ndarray, shape (m,), or None
        For a network whose layers all have one unit, one input included: for each sample
        ``x w_2 ... w_L g_1'(z_1) ... g_L'(z_L)``, the derivative of the output by the first weight.
    """

    loss: float
    inputs: InputReport
    layers: list[LayerReport]
    findings: list[Finding]
    chain_product: NDArray[np.float64] | None

    @property
    def expected_product(self) -> float:
        """The product of the expected gains: what a change of the first layer does to the output.

        For layers of one unit and one sample, ``|x|`` times this is ``|chain_product|``.
        """
        return float(np.prod([layer.expected_gain for layer in self.layers]))

    def __str__(self) -> str:
        table = _summary.aligned([_HEADER, *map(_row, self.layers)], right={0, *range(2, 11)})
        said = [
            textwrap.fill(str(finding), 100, subsequent_indent="    ") for finding in self.findings
        ]
        totals = f"{self.inputs.samples:,} samples, loss {self.loss:.4g}"
        return "\n".join([*table, totals, *(said or ["nothing to report"])])


def diagnose(
    net: Network,
    X: ArrayLike,
    y: ArrayLike,
    *,
    loss: str | Loss = "auto",
    sample_weight: ArrayLike | None = None,
    threads: int | None = None,
) -> Diagnosis:
    """Return how gradients fare in a network, layer by layer, with findings in words.

    Found are gradients that vanish, explode or are cut off, dead and saturated units, units that
    stay equal, unscaled inputs, and numbers that are not finite. A few hundred samples suffice.

    Parameters
    ----------
    net : Network
        Not changed. Dropout is off.
    X, y, loss, sample_weight, threads
        As in `Network.loss`; shares and means over samples take all as equal.

    Returns
    -------
    Diagnosis

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(200, 4)), rng.normal(size=200)
    >>> net = pymlp.Network([4, 8, 8, 1], hidden="relu", seed=0)
    >>> net.biases[1][:] = -100
    >>> diagnosis = pymlp.diagnose(net, X, y)
    >>> diagnosis.findings[0].kind, diagnosis.findings[0].layers
    ('dead', (2,))
    >>> print(diagnosis.findings[0].sentence)
    Layer 2 (relu): 100 % of the units are dead: flat for every sample, so they tell nothing and
    get no gradient.
    """
    if not isinstance(net, Network):
        raise TypeError(f"net must be a Network, not {_checks.type_name(net)}")
    J, grads = net.gradients(X, y, loss=loss, sample_weight=sample_weight, threads=threads)
    rule = losses.resolve(loss, net.layers[-1].activation)
    samples = net._samples(X, y, sample_weight, rule)
    _, dz = net._core.gradient(
        *samples, rule.for_core(), grads.flat, True, config.threads(threads)
    )
    trace = net.forward(samples[0], threads=threads)
    with np.errstate(all="ignore"):  # what is not finite is among the findings
        slopes = _slopes(net.layers, trace.z[1:], trace.a[1:])
        seen = zip(slopes, trace.a[1:], dz, grads.weights, strict=True)
        layers = [_layer_report(net.layers, i, *arrays) for i, arrays in enumerate(seen)]
        layers = _with_gains(layers)
        inputs = _input_report(samples[0])
        product = _chain_product(net, samples[0], slopes)
    return Diagnosis(J, inputs, layers, findings(inputs, layers), product)


# ---- numbers -------------------------------------------------------------------------------------


def _slopes(layers: Sequence[Layer], z: Sequence[Any], a: Sequence[FloatArray]) -> list[FloatArray]:
    return [_slope(layer.activation, *za) for layer, *za in zip(layers, z, a, strict=True)]


def _slope(g: Activation, z: FloatArray, a: FloatArray) -> FloatArray:
    """Return g'(z), entry by entry."""
    name, parameters, _, derivative = g.for_core()
    if derivative is not None:
        return np.asarray(derivative(z))
    if name in _DIAGONAL:
        return _DIAGONAL[name](a)
    return _core.activation_backward(name, parameters, np.ones_like(z), z, a)


def _layer_report(
    layers: Sequence[Layer],
    i: int,
    slope: FloatArray,
    a: FloatArray,
    dz: FloatArray,
    dw: FloatArray,
) -> LayerReport:
    name = layers[i].activation.name
    steepness = np.abs(slope)
    mean_slope = float(steepness.mean(dtype=np.float64))
    following = layers[i + 1].weights if i + 1 < len(layers) else np.ones((1, 1))
    return LayerReport(
        number=i + 1,
        activation=name,
        units=a.shape[1],
        dz=_norm(dz),
        dw=_norm(dw),
        weights=_norm(layers[i].weights),
        gain=None,
        expected_gain=mean_slope * _norm(following) / float(np.sqrt(following.shape[1])),
        slope=mean_slope,
        steepest=float(steepness.max()),
        saturated=_saturated(name, steepness),
        dead=_dead(name, steepness),
        equal=_equal_units(layers[i], layers[i + 1]) if i + 1 < len(layers) else (),
        not_finite=_not_finite(layers[i], a, dz, dw),
    )


def _with_gains(layers: Sequence[LayerReport]) -> list[LayerReport]:
    above = [layer.dz for layer in layers[1:]]
    gains = [float(np.divide(low.dz, high)) for low, high in zip(layers, above, strict=False)]
    known = [None if np.isnan(gain) else gain for gain in gains]
    return [
        dataclasses.replace(layer, gain=gain)
        for layer, gain in zip(layers, [*known, None], strict=True)
    ]


def _norm(values: NDArray[Any]) -> float:
    # In float64, where squares of float32 neither overflow nor vanish.
    return float(np.sqrt(np.square(values, dtype=np.float64).sum()))


def _saturated(activation: str, steepness: FloatArray) -> float | None:
    if activation not in _LARGEST_SLOPE:
        return None
    return float((steepness < _SATURATED * _LARGEST_SLOPE[activation]).mean())


def _dead(activation: str, steepness: FloatArray) -> tuple[int, ...]:
    if activation in _LARGEST_SLOPE or activation == "step":
        return ()
    limit = 0.0 if activation == "custom" else _DEAD  # of the user's own the scale is not known
    return tuple(np.flatnonzero(steepness.max(axis=0) <= limit).tolist())


def _equal_units(layer: Layer, following: Layer) -> tuple[tuple[int, ...], ...]:
    biases = np.zeros((0, layer.weights.shape[1])) if layer.biases is None else layer.biases[None]
    units = np.vstack([layer.weights, biases, following.weights.T]).T + 0.0  # -0.0 becomes 0.0
    groups: dict[bytes, list[int]] = {}
    for unit, values in enumerate(units):
        groups.setdefault(values.tobytes(), []).append(unit)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def _not_finite(layer: Layer, a: FloatArray, dz: FloatArray, dw: FloatArray) -> tuple[str, ...]:
    parts: dict[str, Iterable[FloatArray | None]] = {
        "parameters": (layer.weights, layer.biases),
        "outputs": (a,),
        "gradients": (dz, dw),
    }
    return tuple(
        name
        for name, arrays in parts.items()
        if not all(array is None or np.isfinite(array).all() for array in arrays)
    )


def _input_report(X: FloatArray) -> InputReport:
    mean = X.mean(axis=0, dtype=np.float64)
    high, low = X.max(axis=0).astype(np.float64), X.min(axis=0).astype(np.float64)
    return InputReport(
        samples=X.shape[0],
        mean=mean,
        std=X.std(axis=0, dtype=np.float64),
        reach=np.where(high == low, 0.0, np.maximum(high - mean, mean - low)),
        finite=bool(np.isfinite(X).all()),
    )


def _chain_product(
    net: Network, X: FloatArray, slopes: Sequence[FloatArray]
) -> NDArray[np.float64] | None:
    if max(net.widths) > 1:
        return None
    product = X[:, 0].astype(np.float64)
    for slope in slopes:
        product *= slope[:, 0]
    for weights in net.weights[1:]:
        product *= float(weights[0, 0])
    return product


# ---- the table -----------------------------------------------------------------------------------

_HEADER = (
    *("layer", "activation", "units", "|dZ|", "gain", "|dW|", "|W|", "mean |g'|"),
    *("saturated", "dead", "equal"),
)


def _row(layer: LayerReport) -> tuple[str, ...]:
    return (
        str(layer.number),
        layer.activation,
        str(layer.units),
        f"{layer.dz:.2e}",
        "-" if layer.gain is None else f"{layer.gain:.3g}",
        f"{layer.dw:.2e}",
        f"{layer.weights:.3g}",
        f"{layer.slope:.3g}",
        "-" if layer.saturated is None else f"{100 * layer.saturated:.0f} %",
        str(len(layer.dead)),
        str(sum(map(len, layer.equal))),
    )
