"""What ties one training to its checkpoint: what it goes on from, and what it leaves there."""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import Any, NamedTuple

from pymlp._arrays import FloatArray
from pymlp.training.checkpoint import Checkpoint
from pymlp.training.history import History
from pymlp.training.kept_run import Run, ended, run_of


class Keeping(NamedTuple):
    """A training in a checkpoint.

    Attributes
    ----------
    checkpoint : Checkpoint
    number : int
        Of the training among those of the call.
    described : dict
        What it was asked for; see `pymlp.training.described`.
    seed : int
    run : Run or None
        What it goes on from.
    shown : callable
        Makes of an arena that steps go on from the one that users see.
    metrics : set of str
        The names of those that the record has.
    """

    checkpoint: Checkpoint
    number: int
    described: dict[str, Any]
    seed: int
    run: Run | None
    shown: Callable[[FloatArray], FloatArray]
    metrics: Set[str]

    @property
    def has_ended(self) -> bool:
        """Whether there is nothing left to train."""
        return self.run is not None and ended(self.run, self.described["epochs"])

    def is_due(self, done: int) -> bool:
        """Tell whether a checkpoint is due after so many epochs."""
        return self.checkpoint.is_due(self.number, done)

    def keep(
        self, boundary: Any, best: FloatArray | None, rate: float, network: Any, history: History
    ) -> None:
        """Take a training as it is between two epochs for the next file."""
        if boundary[0] == 0:
            return
        numbers = {"learning_rate": rate, "seed": self.seed, "stopped_by": "running"}
        arena = self.shown(boundary[2])
        state = network.__getstate__()
        kept = run_of(boundary, arena, best, numbers, self.described, state, history, self.metrics)
        self.checkpoint.keep(self.number, kept)

    def finish(self, network: Any, history: History) -> None:
        """Take what a training left, once it ended on its own."""
        kept = self.checkpoint.kept(self.number)
        if kept is None or kept.epochs != len(history.loss):
            return
        if history.stopped_by in ("diverged", "interrupted", "running"):
            return
        numbers = kept.numbers | {"stopped_by": history.stopped_by, "seconds": history.seconds}
        kept = kept._replace(state=network.__getstate__(), numbers=numbers)
        self.checkpoint.keep(self.number, kept)
