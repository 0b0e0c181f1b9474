"""Training by steps: the core takes them, and many epochs at once where nobody looks at each."""

from __future__ import annotations

from types import TracebackType
from typing import Any, TypeAlias

import numpy as np

from pymlp import _core
from pymlp.schedules import NUMBERS
from pymlp.training.task import Task

CoreTrainer: TypeAlias = "_core._Trainer[Any]"

_TRAINERS: dict[np.dtype[Any], type[CoreTrainer]] = {
    np.dtype(np.float32): _core.TrainerFloat32,
    np.dtype(np.float64): _core.TrainerFloat64,
}


def fit(task: Task) -> None:
    """Train the network of a task, and fill its record."""
    with Loop(task) as loop:
        loop.go_on()
        while not loop.ended:
            loop.give_values()
            loop.is_between_looks = True
            loop.trainer.run(loop.epochs_a_look, loop.seconds_a_look)
            loop.look()
            loop.write_checkpoint()


class Loop:
    """One training by steps, as a context: its trainer, and the watch that looks at it.

    Parameters
    ----------
    task : Task

    Attributes
    ----------
    trainer : trainer of the core
        Takes the steps.
    watch : Watch
    ended : bool
        Whether the record says by now why the training ended.
    is_between_looks : bool
        Whether an exception comes of its steps, and not of what looks at them: what the checkpoint
        is to have then is the last epoch.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self._optimizer = task.options.optimizer
        self._state = self._optimizer.core_for(task.network, task.architecture)
        self.trainer = _trainer(task, self._state)
        self.watch = task.watch(self._state)
        self.ended = False
        self._values = [number.values for number in task.scheduled]
        self.is_between_looks = False

    def __enter__(self) -> Loop:
        self.watch.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self.is_between_looks and isinstance(error, KeyboardInterrupt):
                self._keep_interrupted()
        finally:
            self._leave(kind, error, trace)

    def _keep_interrupted(self) -> None:
        """Look at an epoch that ended before an interrupt was seen, and keep it, if it is no end.

        Without a checkpoint nobody needs what an interrupt leaves to be looked at.
        """
        if self.task.keeping is None or not self.watch.looks:
            return
        self.is_between_looks = False
        ends = self._record() > 0 and self.watch.after_epoch() not in (None, "max_seconds")
        self.is_between_looks = not ends

    def _leave(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.watch.__exit__(kind, error, trace)
        finally:
            unseen = self._record()
            if self.is_between_looks and not (unseen and self.watch.looks):
                self.keep()
            if self.task.options.schedules:
                self._undo_schedules()

    def _undo_schedules(self) -> None:
        """Give the optimiser back the values that the user gave it."""
        self._state.learning_rate = self._optimizer.learning_rate
        for name in self._optimizer.options.keys() & NUMBERS.keys():
            self._state.set_option(name, self._optimizer.options[name])

    def give_values(self) -> None:
        """Give the trainer the values that schedules have in Python, as far as it lacks them."""
        while (lacking := self.trainer.lacks_values) is not None:
            self.trainer.give_values(lacking, next(self._values[lacking]))

    # ---- checkpoints -----------------------------------------------------------------------------

    def go_on(self) -> None:
        """Come to where the checkpoint is that the task goes on from, if there is one."""
        keeping = self.task.keeping
        if keeping is None or keeping.run is None:
            return
        from pymlp.training.kept_run import check_steps, take_optimizer, take_record

        run, numbers, task = keeping.run, keeping.run.numbers, self.task
        check_steps(run, task.options.steps_per_epoch(task.n_samples, task.architecture))
        take_optimizer(run, self._state)
        self._optimizer.learning_rate = numbers["learning_rate"]
        self.task.core.write(run.arrays["arena"])
        averaged = run.arrays.get("averaged", run.arrays["arena"][:0])
        self.trainer.go_on(run.epochs, numbers["steps"], averaged)
        self._values = [s.values_from(run.epochs, numbers["steps"]) for s in self.task.scheduled]
        take_record(run, self.task.history, keeping.metrics)
        self.watch.go_on(run.arrays.get("best"))
        keeping.checkpoint.was_taken(keeping.number)

    @property
    def epochs_a_look(self) -> int:
        """How many epochs may go by until the training must be looked at."""
        keeping, epochs = self.task.keeping, self.watch.epochs_a_look
        done = len(self.task.history.loss)
        return epochs if keeping is None else min(epochs, keeping.checkpoint.epochs_left(done))

    @property
    def seconds_a_look(self) -> float:
        """How long training may go on until it must be looked at."""
        keeping, seconds = self.task.keeping, self.watch.seconds_a_look
        return seconds if keeping is None else min(seconds, keeping.checkpoint.seconds_left)

    def write_checkpoint(self) -> None:
        """Write a checkpoint where one is due."""
        if self.keep_if_due():
            self.task.keeping.checkpoint.write()  # type: ignore[union-attr]

    def keep_if_due(self) -> bool:
        """Take the training for a checkpoint, where one is due; tell whether it is."""
        keeping = self.task.keeping
        if keeping is None or self.ended or not keeping.is_due(len(self.task.history.loss)):
            return False
        return self.keep()

    def keep(self) -> bool:
        """Take the training for a checkpoint, where there is one; tell whether there is."""
        if self.task.keeping is not None:
            self.task.keeping.keep(
                self.trainer.boundary(),
                self.watch.best_parameters,
                self._optimizer.learning_rate,
                self.task.network,
                self.task.history,
            )
        return self.task.keeping is not None

    # ---- looking ---------------------------------------------------------------------------------

    def look(self) -> None:
        """Record the epochs that ended, and end the training where something ends it."""
        self.is_between_looks = False
        watch, status = self.watch, self.trainer.status
        new_epochs = self._record()
        if status == "running" and watch.time_is_up():
            status = self.trainer.close_epoch()
            new_epochs += self._record()
            status = "max_seconds" if status in ("running", "epochs") else status
        watch.show(self.trainer.samples_seen)
        reason = watch.after_epoch() if new_epochs else None
        reason = status if status == "diverged" else reason or status
        if reason != "running":
            self.ended = True
            self.keep()
            watch.finish(reason)

    def _record(self) -> int:
        """Append the epochs that ended since the last look; return how many they are."""
        history = self.task.history
        loss, penalty, val_loss, learning_rate = self.trainer.take_records()
        history.loss += loss
        history.penalty += penalty
        history.val_loss += val_loss
        history.learning_rate += learning_rate
        return len(loss)


def _trainer(task: Task, state: Any) -> CoreTrainer:
    return _TRAINERS[task.architecture.dtype](
        task.core,
        state,
        task.options.loss.for_core(),
        task.samples,
        task.validation,
        task.options.for_core(
            task.n_samples,
            len(task.architecture.activations),
            task.seed,
            [number.for_core for number in task.scheduled],
        ),
        task.rows,
        task.validation_rows,
    )
