"""Many trainings in one call: the core takes their steps together, a watch looks at each."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Any

from pymlp import _core
from pymlp.training.bar import StackBar
from pymlp.training.loop import Loop
from pymlp.training.member_samples import name
from pymlp.training.preparing import finish, in_scale
from pymlp.training.task import Task

# Trainings that have memory at the same time: they are enough to keep threads busy to the end.
_AT_ONCE = 64


def train(tasks: Sequence[Task], *, progress: bool) -> None:
    """Train the networks of all tasks, and fill their records.

    Their options are equal but for the optimiser, and show no bar of their own. One that diverges,
    or that ends early, does not keep the others from going on.
    """
    if not tasks:
        return
    options = tasks[0].options
    bar = StackBar(tasks) if progress else None
    limited = options.max_seconds < math.inf  # then all have their share of it
    try:
        _train(tasks, len(tasks) if limited else _AT_ONCE, options.threads, bar)
    finally:
        for task in tasks:
            if task.history.stopped_by == "running":  # it had not begun
                task.history.stopped_by = "interrupted"
                task.network.history = task.history
        if bar is not None:
            bar.end()


def _train(tasks: Sequence[Task], at_once: int, threads: int, bar: StackBar | None) -> None:
    waiting, active = deque(map(_Member, range(len(tasks)), tasks)), list[_Member]()
    try:
        while waiting or active:
            while waiting and len(active) < at_once:
                active.append(waiting.popleft())
                active[-1].begin()
            _advance(active, threads, bar)
            for member in active:
                member.look()
            _write_checkpoint(active)
            if bar is not None:
                bar.show(active)
            active = [member for member in active if not member.ended]
    except BaseException as error:
        for member in active:
            member.end(error)
        raise


def _write_checkpoint(active: Sequence[_Member]) -> None:
    """Write a checkpoint of all trainings where it is due."""
    checkpoint = active[0].task.options.checkpoint
    if checkpoint is None:
        return
    if any([member.loop.keep_if_due() for member in active if not member.ended]):
        checkpoint.write()


def _advance(active: Sequence[_Member], threads: int, bar: StackBar | None) -> None:
    """Let every training come to where it is looked at, or as far as there is time for."""
    for member in active:
        member.loop.give_values()
    seconds = min(member.loop.seconds_a_look for member in active)
    if bar is not None:
        seconds = min(seconds, bar.seconds)
    trainers: Any = [member.loop.trainer for member in active]
    epochs = min(member.loop.epochs_a_look for member in active)
    for member in active:
        member.loop.is_between_looks = True
    _core.train_together(trainers, epochs, seconds, threads)


class _Member:
    """One of the trainings.

    It may end, by an exception, in the middle of `begin`.
    """

    def __init__(self, number: int, task: Task) -> None:
        self.number, self.task = number, task
        self.samples_seen = 0
        self.ended = False
        self._scale = in_scale(task)

    def begin(self) -> None:
        """Take the memory that the training needs, and write what it begins with."""
        self.loop = Loop(self.task)
        self._scale.__enter__()
        self.loop.__enter__()
        self.loop.go_on()

    def look(self) -> None:
        """Look at the training, where it has not ended."""
        try:
            self.loop.look()
        except Exception as error:
            error.add_note(f"This came of {name(self.number)} of the stack.")
            raise
        self.samples_seen = self.loop.trainer.samples_seen
        if self.loop.ended:
            self.end(None)

    def end(self, error: BaseException | None) -> None:
        """End the training, and let go of its memory."""
        loop = vars(self).pop("loop", None)
        self.ended = True
        if loop is None:
            return
        if error is not None and self._finished_unseen(loop):
            loop.look()
            error = None
        loop.__exit__(type(error), error, None)
        self._scale.__exit__(None, None, None)
        self.task.history.seconds = loop.watch.seconds_before + loop.trainer.seconds
        finish(self.task)

    @staticmethod
    def _finished_unseen(loop: Loop) -> bool:
        """Tell whether all steps were taken, with nobody to look at it but the record."""
        return not loop.watch.looks and loop.trainer.status in ("epochs", "diverged")
