"""The numbers of a diagnosis: norms, slopes and gains of every layer."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp._arrays import FloatArray
from pymlp.diagnosis.report import InputReport, LayerReport
from pymlp.layers import Gradients, Layer, Trace

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


def measure_layers(
    layers: Sequence[Layer], trace: Trace, grads: Gradients
) -> tuple[InputReport, list[LayerReport], NDArray[np.float64] | None]:
    """Return what is seen of the inputs and the layers, and the product of a chain of single units.

    Parameters
    ----------
    layers : sequence of Layer
    trace : Trace
        A forward pass.
    grads : Gradients
        With dz, of the same samples.
    """
    X = trace.a[0]
    with np.errstate(all="ignore"):  # what is not finite is among the findings
        pairs = zip(layers, trace.z[1:], strict=True)
        slopes = [layer.activation.derivative(z) for layer, z in pairs if z is not None]
        seen = zip(slopes, trace.a[1:], (grads.dz or [])[1:], grads.weights, strict=True)
        reports = [_layer_report(layers, i, *arrays) for i, arrays in enumerate(seen)]
        return _input_report(X), _with_gains(reports), _chain_product(layers, X, slopes)


def _layer_report(
    layers: Sequence[Layer],
    i: int,
    slope: FloatArray,
    a: FloatArray,
    dz: Any,
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
    limit = 0.0 if activation == "custom" else _DEAD  # the scale of a user function is not known
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
    layers: Sequence[Layer], X: FloatArray, slopes: Sequence[FloatArray]
) -> NDArray[np.float64] | None:
    if max(X.shape[1], *(layer.weights.shape[1] for layer in layers)) > 1:
        return None
    product = X[:, 0].astype(np.float64)
    for slope in slopes:
        product *= slope[:, 0]
    for layer in layers[1:]:
        product *= float(layer.weights[0, 0])
    return product
