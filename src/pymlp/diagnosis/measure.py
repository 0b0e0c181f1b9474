"""The numbers of a diagnosis: norms, slopes and gains of every layer."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp._arrays import FloatArray
from pymlp.activations import Activation, Parametric
from pymlp.diagnosis.report import InputReport, LayerReport
from pymlp.layers import Gradients, Layer, Trace
from pymlp.network import Network

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
_FAINT = 1e-4  # a gain or an alpha, which begin with 1
_CONSTANT = 1e-8  # a running variance, a thousandth of what batch norm adds to it
_LEARNT = ("weights", "biases", "gain", "shift", "alpha")
_STATES = ("running_mean", "running_variance")


def measure_layers(
    net: Network, trace: Trace, grads: Gradients
) -> tuple[InputReport, list[LayerReport], NDArray[np.float64] | None]:
    """Return what is seen of the inputs and the layers, and the product of a chain of single units.

    Parameters
    ----------
    net : Network
    trace : Trace
        A forward pass.
    grads : Gradients
        With dz, of the same samples.
    """
    with np.errstate(all="ignore"):  # what is not finite is among the findings
        pairs = zip(net.layers, trace.z[1:], strict=True)
        slopes = [_slope(layer, z) for layer, z in pairs if z is not None]
        read = net.embed(trace.a[0])
        reports = [
            _layer_report(net, i, slope, [read, *trace.a[1:]], grads)
            for i, slope in enumerate(slopes)
        ]
        inputs = _input_report(net, read, grads)
        return inputs, _with_gains(reports), _chain_product(net, trace.a[0], slopes)


def _slope(layer: Layer, z: FloatArray) -> FloatArray:
    slope = layer.activation.derivative(z)
    return slope if layer.alpha is None else 1 + layer.alpha * (slope - 1)


def _layer_report(
    net: Network, i: int, slope: FloatArray, a: Sequence[FloatArray], grads: Gradients
) -> LayerReport:
    layer, learnt = net.layers[i], grads.layers[i]
    dz: Any = (grads.dz or [])[i + 1]
    function = _function(layer.activation)
    steepness = np.abs(slope)
    mean_slope = float(steepness.mean(dtype=np.float64))
    return LayerReport(
        number=i + 1,
        activation=f"parametric {function}" if layer.alpha is not None else function,
        units=a[i + 1].shape[1],
        dz=_norm(dz),
        dw=_norm(learnt.weights),
        weights=_norm(layer.weights),
        gain=None,
        expected_gain=_expected_gain(net, i, mean_slope),
        slope=mean_slope,
        steepest=float(steepness.max()),
        saturated=_saturated(function, steepness),
        dead=_dead(function, steepness),
        equal=_equal_units(net, i),
        not_finite=_not_finite(net, i, a[i + 1], dz, grads),
        db=_norm_of(learnt.biases),
        dgain=_norm_of(learnt.gain),
        dshift=_norm_of(learnt.shift),
        dalpha=_norm_of(learnt.alpha),
        norm=net.norm if layer.gain is not None else None,
        faint=_below(layer.gain, _FAINT),
        constant=_below(layer.running_variance, _CONSTANT),
        untouched=_has_untouched_statistics(layer),
        linear=() if function == "linear" else _below(layer.alpha, _FAINT),
        branch=_branch(net, i, a),
    )


def _function(activation: Activation) -> str:
    return (activation.activation if isinstance(activation, Parametric) else activation).name


def _expected_gain(net: Network, i: int, mean_slope: float) -> float | None:
    if i + 1 == len(net.layers):
        return mean_slope
    following = net.layers[i + 1]
    if following.gain is not None or following.residual:
        return None
    return mean_slope * _norm(following.weights) / float(np.sqrt(following.weights.shape[1]))


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


def _norm_of(values: FloatArray | None) -> float | None:
    return None if values is None else _norm(values)


def _below(values: FloatArray | None, limit: float) -> tuple[int, ...]:
    return () if values is None else tuple(np.flatnonzero(np.abs(values) <= limit).tolist())


def _has_untouched_statistics(layer: Layer) -> bool:
    """Whether running statistics are the first ones, and gain or shift is not."""
    mean, variance, gain, shift = (
        layer.running_mean, layer.running_variance, layer.gain, layer.shift,
    )  # fmt: skip
    if mean is None or variance is None or gain is None or shift is None:
        return False
    is_fresh = bool((mean == 0).all() and (variance == 1).all())
    return is_fresh and bool((gain != 1).any() or (shift != 0).any())


def _branch(net: Network, i: int, a: Sequence[FloatArray]) -> float | None:
    """Return how large the outputs of a layer are beside the inputs that it adds to them."""
    if not net.layers[i].residual:
        return None
    inputs = a[i].astype(np.float64)
    if i == 0 and net.input_scale is not None:
        inputs *= net.input_scale
    size = _norm(inputs)
    return _norm(a[i + 1] - inputs) / size if size > 0 else None


def _saturated(activation: str, steepness: FloatArray) -> float | None:
    if activation not in _LARGEST_SLOPE:
        return None
    return float((steepness < _SATURATED * _LARGEST_SLOPE[activation]).mean())


def _dead(activation: str, steepness: FloatArray) -> tuple[int, ...]:
    if activation in _LARGEST_SLOPE or activation == "step":
        return ()
    limit = 0.0 if activation == "custom" else _DEAD  # the scale of a user function is not known
    return tuple(np.flatnonzero(steepness.max(axis=0) <= limit).tolist())


def _equal_units(net: Network, i: int) -> tuple[tuple[int, ...], ...]:
    if i + 1 == len(net.layers):
        return ()
    layer, following = net.layers[i : i + 2]
    if layer.residual or following.residual:  # what is added to a unit parts it from others
        return ()
    own = [getattr(layer, name) for name in _LEARNT]
    arrays = [array for array in (*own, following.weights.T) if array is not None]
    units = np.vstack(arrays).T + 0.0  # -0.0 becomes 0.0
    groups: dict[bytes, list[int]] = {}
    for unit, values in enumerate(units):
        groups.setdefault(values.tobytes(), []).append(unit)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def _not_finite(net: Network, i: int, a: FloatArray, dz: Any, grads: Gradients) -> tuple[str, ...]:
    layer, learnt = net.layers[i], grads.layers[i]
    parts: dict[str, list[FloatArray | None]] = {
        "parameters": [getattr(layer, name) for name in _LEARNT],
        "running statistics": [getattr(layer, name) for name in _STATES],
        "outputs": [a],
        "gradients": [dz, *(getattr(learnt, name) for name in _LEARNT)],
    }
    if i == 0:
        parts["parameters"].append(net.input_scale)
        parts["gradients"].append(grads.input_scale)
        for kind, of in (("parameters", net), ("gradients", grads)):
            for views in of.embedding_parameters.values():
                parts[kind].extend(views.values())
    return tuple(
        name
        for name, arrays in parts.items()
        if not all(array is None or np.isfinite(array).all() for array in arrays)
    )


def _input_report(net: Network, X: FloatArray, grads: Gradients) -> InputReport:
    mean = X.mean(axis=0, dtype=np.float64)
    high, low = X.max(axis=0).astype(np.float64), X.min(axis=0).astype(np.float64)
    return InputReport(
        samples=X.shape[0],
        mean=mean,
        std=X.std(axis=0, dtype=np.float64),
        reach=np.where(high == low, 0.0, np.maximum(high - mean, mean - low)),
        finite=bool(np.isfinite(X).all()),
        scale=None if net.input_scale is None else net.input_scale.astype(np.float64),
        dscale=_norm_of(grads.input_scale),
    )


def _chain_product(
    net: Network, X: FloatArray, slopes: Sequence[FloatArray]
) -> NDArray[np.float64] | None:
    if max(net.widths) > 1 or net.embedding or net.norm is not None or net.residual:
        return None
    product = X[:, 0].astype(np.float64)
    if net.input_scale is not None:
        product *= float(net.input_scale[0])
    for slope in slopes:
        product *= slope[:, 0]
    for layer in net.layers[1:]:
        product *= float(layer.weights[0, 0])
    return product
