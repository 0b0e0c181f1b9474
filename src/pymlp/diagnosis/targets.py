"""The numbers of a diagnosis that are about targets, and about values as dtypes hold them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pymlp import _arrays, losses
from pymlp._arrays import FloatArray
from pymlp.diagnosis.report import TargetReport
from pymlp.losses import Loss
from pymlp.network import Network
from pymlp.training.target_scale import LOSSES as OF_NUMBERS

_OF_CLASSES = ("cross_entropy", "binary_cross_entropy", "kl_divergence")
_FEW_SAMPLES = 30  # whose own mean is too good a guess, and three of each class


def steps(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[np.float64]:
    """Return for each column how far numbers of a dtype lie apart there, over its deviation.

    0 where the dtype has all of the values; where they come in it, nobody knows what they were.
    """
    with np.errstate(all="ignore"):
        x = values.astype(np.float64)
        apart = np.spacing(np.abs(x.mean(axis=0)).astype(dtype)).astype(np.float64)
        share = apart / x.std(axis=0)
        kept = (x.astype(dtype) == x).all(axis=0) & (values.dtype != dtype)
        constant = x.max(axis=0) == x.min(axis=0)  # whose deviation is rounding
    return np.where(kept | constant | ~np.isfinite(share), 0.0, share)


def measure_targets(
    net: Network,
    outputs: FloatArray,
    y: ArrayLike,
    loss: str | Loss,
    sample_weight: ArrayLike | None,
    epochs: int,
) -> TargetReport:
    """Return what is seen of the targets beside the outputs for the same samples."""
    kind = losses.resolve(loss, net.layers[-1].activation)
    m, k = outputs.shape
    labels, values = _arrays.targets(y, kind.name, m, k, net.dtype)
    weights = _arrays.sample_weights(sample_weight, m, net.dtype)
    shares = np.eye(k)[labels] if labels is not None else np.asarray(values, np.float64)
    report = TargetReport(
        constant_loss=_constant_loss(net, kind, shares, y, weights),
        of_classes=kind.name in _OF_CLASSES,
        epochs=epochs,
    )
    if kind.name not in OF_NUMBERS or net.layers[-1].activation.name != "linear":
        return report
    with np.errstate(all="ignore"):  # what is not finite is among the findings
        given = _arrays.numbers("y", y).reshape(m, k)
        a = outputs.astype(np.float64)
        return TargetReport(
            *(report.constant_loss, report.of_classes, report.epochs),
            mean=shares.mean(axis=0),
            std=shares.std(axis=0),
            step=steps(given, net.dtype),
            predicted_mean=a.mean(axis=0),
            predicted_std=a.std(axis=0),
            error=np.sqrt(np.square(a - shares).mean(axis=0)),
        )


def _constant_loss(
    net: Network, loss: Loss, values: NDArray[np.float64], y: ArrayLike, weights: FloatArray | None
) -> float | None:
    """Return the loss of a network whose outputs are the mean of the targets, whatever comes in."""
    m, k = values.shape
    spread = values.max(axis=0) > values.min(axis=0)
    if not spread.any() or m < max(_FEW_SAMPLES, 3 * k if loss.name in _OF_CLASSES else 0):
        return None
    z = _before(net.layers[-1].activation.name, loss, np.average(values, axis=0, weights=weights))
    if z is None:
        return None
    constant = Network([1, k], output=net.layers[-1].activation, init="zeros", dtype=net.dtype)
    constant.biases[0] = z
    return constant.loss(np.zeros((m, 1), net.dtype), y, loss=loss, sample_weight=weights)


def _before(output: str, loss: Loss, mean: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return what the output's activation makes a mean of; None where that is not known."""
    tiny = 1e-12
    if output == "linear" and loss.name in OF_NUMBERS:
        return mean
    if output == "linear" and loss.name == "hinge":  # the class that most are of
        return np.where(mean < 0, -1.0, 1.0)
    if output in ("softmax", "log_softmax") and loss.name in _OF_CLASSES:
        return np.log(np.maximum(mean, tiny))
    if output == "sigmoid" and loss.name == "binary_cross_entropy":
        share = np.clip(mean, tiny, 1 - tiny)
        return np.log(share / (1 - share))
    if output == "exp" and loss.name in ("poisson", *OF_NUMBERS):
        return np.log(np.maximum(mean, tiny))
    return None
