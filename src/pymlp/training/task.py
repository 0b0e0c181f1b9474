"""The task of a loop: a network, its samples and the options."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pymlp.architecture import Architecture, CoreNetwork
from pymlp.training.epoch_metrics import EpochMetrics
from pymlp.training.history import History
from pymlp.training.options import FitOptions
from pymlp.training.samples import Samples
from pymlp.training.scheduled import Scheduled
from pymlp.training.target_scale import TargetScale
from pymlp.training.watch import Watch

if TYPE_CHECKING:
    from pymlp.files.checkpoint import Run
    from pymlp.training.keeping import Keeping


class Trainee(NamedTuple):
    """A network, as a training gets it.

    Attributes
    ----------
    network : Network
        Given to the callbacks.
    core : network of the core
        Where its parameters are.
    architecture : Architecture
    next_seed, take_seed : callable
        Return the seed for options that have none, and count it as taken.
    put_draws : callable
        Takes a seed and a count of what was taken, as a checkpoint has them.
    """

    network: Any
    core: CoreNetwork
    architecture: Architecture
    next_seed: Callable[[], int]
    take_seed: Callable[[], None]
    put_draws: Callable[[int, int], None]

    def named_by(self, X: Any) -> Trainee:
        """Return the same with the names of a frame's columns, where it has none so far."""
        return self._replace(architecture=self.architecture.named_by(X))

    def accept(self, seed: int | None, run: Run | None = None) -> None:
        """Change what a training that is not refused changes beside the parameters."""
        if run is not None:
            self.put_draws(run.state["seed"], run.state["fits"])
            seed = run.numbers["seed"]
        if seed is None:
            self.take_seed()
        if self.network.feature_names != self.architecture.feature_names:
            self.network.feature_names = self.architecture.feature_names


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
    rows, validation_rows : ndarray of int64, or None
        Which of the samples are meant; None: all.
    keeping : Keeping or None
        What ties it to a checkpoint.
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
    rows: NDArray[np.int64] | None = None
    validation_rows: NDArray[np.int64] | None = None
    keeping: Keeping | None = None

    @property
    def n_samples(self) -> int:
        """How many samples are trained on."""
        return len(self.samples[0] if self.rows is None else self.rows)

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
        return Watch(
            self.network,
            self.core,
            self.options,
            self.history,
            self.n_samples,
            optimizer,
            self.metrics(),
        )
