"""The task of a loop: a network, its samples and the options."""

from __future__ import annotations

from typing import Any, NamedTuple

from pymlp.architecture import Architecture, CoreNetwork
from pymlp.training.epoch_metrics import EpochMetrics
from pymlp.training.history import History
from pymlp.training.options import FitOptions
from pymlp.training.samples import Samples
from pymlp.training.scheduled import Scheduled
from pymlp.training.target_scale import TargetScale
from pymlp.training.watch import Watch


class Task(NamedTuple):
    """One training.

    Attributes
    ----------
    network : Network
        Given to the callbacks.
    core : network of the core
        Where its parameters are.
    architecture : Architecture
    samples, validation : Samples
        Checked and weighted; `validation` may be None.
    options : FitOptions
    history : History
        The record, which the loop fills.
    seed : int
    scheduled : list of Scheduled
        The numbers that change with time.
    scale : TargetScale or None
        That of the samples' values, where it is not their own.
    """

    network: Any
    core: CoreNetwork
    architecture: Architecture
    samples: Samples
    validation: Samples | None
    options: FitOptions
    history: History
    seed: int
    scheduled: list[Scheduled]
    scale: TargetScale | None

    @property
    def calls_user_functions(self) -> bool:
        """Whether an activation or the loss is a user function."""
        kinds = [self.options.loss.name, *(g.name for g in self.architecture.activations)]
        return "custom" in kinds

    def metrics(self) -> EpochMetrics | None:
        """Return what measures an epoch, where metrics are asked for."""
        if not self.options.metrics:
            return None
        return EpochMetrics(
            self.core, self.architecture, self.options, self.samples, self.validation, self.scale
        )

    def watch(self, optimizer: Any = None) -> Watch:
        """Return the watch of the training; a plateau reduces the rate of `optimizer`."""
        m = self.samples[0].shape[0]
        return Watch(
            self.network, self.core, self.options, self.history, m, optimizer, self.metrics()
        )
