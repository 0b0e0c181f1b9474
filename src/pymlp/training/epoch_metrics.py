"""Metrics of a network on samples: of an epoch, or when asked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pymlp.architecture import Architecture, CoreNetwork
from pymlp.losses import Loss
from pymlp.training.history import History
from pymlp.training.options import FitOptions
from pymlp.training.samples import Samples
from pymlp.training.target_scale import TargetScale

if TYPE_CHECKING:
    from pymlp.metrics.comparison import Comparison


def evaluate(
    core: CoreNetwork,
    architecture: Architecture,
    samples: Samples,
    loss: Loss,
    metrics: Any,
    threads: int,
) -> dict[str, float]:
    """Return metrics by their names; None takes the usual one."""
    from pymlp.metrics import named

    wanted = None if metrics is None else named.resolve(metrics)
    given = _compared(core, architecture, samples, loss, threads)
    if wanted is None:
        wanted = named.resolve("r2" if given.kind == "numbers" else "accuracy")
    return named.measure(wanted, given)


def _compared(
    core: CoreNetwork, architecture: Architecture, samples: Samples, loss: Loss, threads: int
) -> Comparison:
    from pymlp.metrics.comparison import compared

    X, labels, values, weights = samples
    outputs = core.predict(X, threads)
    return compared(labels, values, weights, outputs, architecture.activations[-1].name, loss.name)


class EpochMetrics:
    """Measures a network after every epoch.

    Parameters
    ----------
    core : network of the core
    architecture : Architecture
    options : FitOptions
    training : Samples
    validation : Samples, optional
    scale : TargetScale, optional
        That of the samples' values and the network's outputs: metrics are in the target's units.
    """

    def __init__(
        self,
        core: CoreNetwork,
        architecture: Architecture,
        options: FitOptions,
        training: Samples,
        validation: Samples | None,
        scale: TargetScale | None,
    ) -> None:
        self._scale = scale
        self._core, self._architecture, self._options = core, architecture, options
        self._samples = {"": training} | ({} if validation is None else {"val_": validation})

    def append_to(self, history: History) -> None:
        """Record every metric of the parameters as they are."""
        from pymlp.metrics import named

        for prefix, samples in self._samples.items():
            values = named.measure(self._options.metrics, self._compared(samples))
            for name, value in values.items():
                unknown = [math.nan] * (len(history.loss) - 1)  # of epochs before a checkpoint
                history.metrics.setdefault(prefix + name, unknown).append(value)

    def check(self) -> None:
        """Refuse a built-in metric that does not go with the samples, by the first of them."""
        from pymlp.metrics import named

        built_in = [metric for metric in self._options.metrics if metric.name in named.TABLE]
        for X, labels, values, _ in self._samples.values():
            first = None if labels is None else labels[:1], None if values is None else values[:1]
            named.measure(built_in, self._compared((X[:1], *first, None)))

    def _compared(self, samples: Samples) -> Comparison:
        options = self._options
        given = _compared(self._core, self._architecture, samples, options.loss, options.threads)
        return given if self._scale is None else _unscaled(given, self._scale)


def _unscaled(given: Comparison, scale: TargetScale) -> Comparison:
    targets = scale.unscaled(given.targets)
    return given._replace(y=targets, targets=targets, outputs=scale.unscaled(given.outputs))
