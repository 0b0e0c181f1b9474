"""The scale of a regression's targets: learnt around 0 with deviation 1, predicted in their units.

While a training runs, the network predicts ``(y - mean) / deviation``; when it ends, the last
layer's weights and biases take the inverse in: ``w deviation`` and ``b deviation + mean``.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pymlp._arrays import FloatArray
from pymlp.architecture import Architecture, CoreNetwork
from pymlp.tensors import Tensor
from pymlp.training.options import FitOptions
from pymlp.training.samples import Samples

LOSSES = ("mse", "mae", "huber", "log_cosh", "quantile")
# A first step of usual size goes some hundredths: what lies far beyond is reached late or never.
DEVIATIONS = (0.05, 20.0)
FARTHEST_MEAN = 20.0
_ROWS = 4096
_LARGE = 2.0**500


def _weighted_mean(
    of: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    values: FloatArray,
    weights: FloatArray | None,
) -> NDArray[np.float64]:
    """Return the mean of a function of the rows, which is taken of some thousands at a time."""
    total, weight = np.zeros(values.shape[1]), 0.0
    for first in range(0, len(values), _ROWS):
        some = of(values[first : first + _ROWS].astype(np.float64))
        w = np.ones(len(some)) if weights is None else weights[first : first + _ROWS]
        total += w @ some
        weight += float(w.sum(dtype=np.float64))
    return total / weight


class TargetScale:
    """Mean and deviation of each output's targets.

    Parameters
    ----------
    samples : Samples
        Their values (m, k) and weights; a constant column has the deviation 1.

    Attributes
    ----------
    mean, deviation : ndarray of float64, shape (k,)
    """

    def __init__(self, samples: Samples) -> None:
        _, _, values, weights = samples
        assert values is not None
        # The squares of very large numbers would overflow; a power of two changes no digit.
        unit = _LARGE**2 if max(float(values.max()), -float(values.min())) > _LARGE else 1.0
        mean = _weighted_mean(lambda y: y / unit, values, weights)
        squares = _weighted_mean(lambda y: (y / unit - mean) ** 2, values, weights)
        self.mean, spread = mean * unit, np.sqrt(squares) * unit
        # The deviation of equal numbers is their mean's rounding error.
        varies = spread > 1e-12 * np.abs(self.mean)
        self.varies = varies
        self.deviation = np.where(varies, spread, 1.0)

    @classmethod
    def known(cls, mean: NDArray[np.float64], deviation: NDArray[np.float64]) -> Self:
        """Return the scale of these numbers, as a file has them."""
        made = cls.__new__(cls)
        made.mean, made.deviation, made.varies = mean, deviation, deviation != 1.0
        return made

    def scaled(self, samples: Samples) -> Samples:
        """Return samples with their values scaled."""
        X, labels, values, weights = samples
        assert values is not None
        self.refuse_too_large()
        return X, labels, ((values - self.mean) / self.deviation).astype(X.dtype), weights

    def refuse_too_large(self) -> None:
        """Refuse targets whose scale, folded into the last layer, would overflow."""
        if max(self.deviation.max(), np.abs(self.mean).max()) > _LARGE:
            raise ValueError(
                "y is too large to be scaled: the squares of its errors are beyond float64; "
                "divide it by a power of ten"
            )

    def unscaled(self, values: FloatArray) -> NDArray[np.float64]:
        """Return scaled values in the target's units."""
        return values * self.deviation + self.mean

    def unscaled_arena(self, arena: FloatArray, architecture: Architecture) -> FloatArray:
        """Return the arena of a network that predicts in the target's units."""
        found = arena.copy()
        _transform(found, _tensors_of_last(architecture), self.deviation, self.mean)
        return found

    def in_network(self, core: CoreNetwork, architecture: Architecture) -> InNetwork:
        """Let the network predict scaled values in the meantime: a context.

        One whose last biases are all 0, as those of a new network are, begins as it is; any other
        begins with what it predicts.
        """
        return InNetwork(self, core, architecture)


class InNetwork:
    """The context of `TargetScale.in_network`; leaving it is safe however far entering came."""

    def __init__(self, scale: TargetScale, core: CoreNetwork, architecture: Architecture) -> None:
        self._scale, self._core = scale, core
        self._layer = _LastLayer(core, architecture)
        self._before: FloatArray | None = None
        self._begins: FloatArray | None = None

    def __enter__(self) -> None:
        scale = self._scale
        self._before = self._core.snapshot()
        if self._layer.has_learnt():
            self._layer.write(1.0 / scale.deviation, -scale.mean / scale.deviation)
        self._begins = self._core.snapshot()

    def __exit__(self, *_: object) -> None:
        if self._before is None:
            return
        now = self._core.snapshot().tobytes()
        if self._begins is None or now == self._begins.tobytes():
            self._core.write(self._before)  # nothing was learnt; there and back again would round
        else:
            self._layer.write(self._scale.deviation, self._scale.mean)


class _LastLayer:
    def __init__(self, core: CoreNetwork, architecture: Architecture) -> None:
        self._core = core
        self._tensors = _tensors_of_last(architecture)

    def has_learnt(self) -> bool:
        return bool(self._tensors["biases"].view(self._core.snapshot()).any())

    def write(self, factor: NDArray[np.float64], addend: NDArray[np.float64]) -> None:
        """Make of its outputs z ``factor z + addend``."""
        arena = self._core.snapshot()
        _transform(arena, self._tensors, factor, addend)
        self._core.write(arena)


def _tensors_of_last(architecture: Architecture) -> dict[str, Tensor]:
    last = len(architecture.shapes) - 1
    return {t.kind: t for t in architecture.tensors if t.layer == last}


def _transform(
    arena: FloatArray,
    tensors: dict[str, Tensor],
    factor: NDArray[np.float64],
    addend: NDArray[np.float64],
) -> None:
    weights, biases = (tensors[kind].view(arena) for kind in ("weights", "biases"))
    weights[...] = weights * factor
    biases[...] = biases * factor + addend


def check(options: FitOptions, architecture: Architecture) -> None:
    """Refuse a scale that the last layer could not take in.

    Raises
    ------
    ValueError
        With the reason.
    """
    output, last = architecture.activations[-1].name, len(architecture.shapes) - 1
    reasons = {
        f"output='linear', not '{output}'": output != "linear",
        f"a loss of numbers ({', '.join(LOSSES)}), not '{options.loss.name}'": (
            options.loss.name not in LOSSES
        ),
        "biases, which this network was made without": not architecture.bias,
        f"a last layer that learns, and freeze names {last}": last in options.freeze,
    }
    wrong = [reason for reason, holds in reasons.items() if holds]
    if wrong:
        raise ValueError(f"scale_target needs {'; and '.join(wrong)}")


_ANY_UNITS: ContextVar[bool] = ContextVar("any_units", default=False)


@contextlib.contextmanager
def any_units() -> Iterator[None]:
    """Let trainings of this thread take targets in any units, without a warning."""
    token = _ANY_UNITS.set(True)
    try:
        yield
    finally:
        _ANY_UNITS.reset(token)


def warn_of_units(
    samples: Samples, options: FitOptions, architecture: Architecture, *, stacklevel: int
) -> None:
    """Warn of targets that are learnt badly as they are, and tell the remedy."""
    if options.loss.name not in LOSSES or architecture.activations[-1].name != "linear":
        return
    if _ANY_UNITS.get():
        return
    scale = TargetScale(samples)
    least, most = DEVIATIONS
    far = np.abs(scale.mean) > FARTHEST_MEAN
    wrong = scale.varies & ((scale.deviation < least) | (scale.deviation > most) | far)
    if not wrong.any():
        return
    column = int(np.argmax(wrong))
    which = "y" if len(wrong) == 1 else f"y[:, {column}]"
    warnings.warn(
        f"{which} has a mean of {scale.mean[column]:.4g} and a standard deviation of "
        f"{scale.deviation[column]:.4g}; a network learns targets around 0 with a deviation near 1 "
        "best: scale_target=True learns them so, and predicts in the units of y",
        stacklevel=stacklevel,
    )
