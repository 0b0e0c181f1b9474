"""Training with L-BFGS: SciPy's minimiser on the flat vector of parameters."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from pymlp import _core
from pymlp._arrays import FloatArray
from pymlp.architecture import Architecture
from pymlp.training.kept_run import take_record
from pymlp.training.options import FitOptions
from pymlp.training.task import Task
from pymlp.training.watch import Watch

_EPOCHS = 50  # from one checkpoint to the next, where none are given


class _Moved(Exception):  # noqa: N818  # not an error
    """Leaves the minimiser from inside: a callback wrote other parameters."""


class _Ended(Exception):  # noqa: N818  # not an error
    """Leaves the minimiser from inside; the reason is its argument."""


def check(architecture: Architecture, options: FitOptions) -> None:
    """Refuse what does not go with one smooth function of all samples, or SciPy's absence."""
    if options.batch_size not in ("auto", None):
        raise ValueError(
            "lbfgs works on all samples at once: batch_size must be 'auto' or None, not "
            f"{options.batch_size}"
        )
    refused = {
        "norm='batch'": architecture.norm == "batch",
        "schedule": bool(options.schedules),
        "dropout": any(architecture.dropout),
        "input_dropout": architecture.input_dropout > 0.0,
        "l1": options.regularization.l1 > 0.0,
        "clip_norm": options.regularization.clip_norm > 0.0,
        "clip_value": options.regularization.clip_value > 0.0,
        "max_norm": options.regularization.max_norm > 0.0,
    }
    for name, present in refused.items():
        if present:
            raise ValueError(f"{name} does not go with lbfgs, which needs one smooth function")
    try:
        import scipy.optimize  # noqa: F401
    except ImportError as error:
        raise ImportError("lbfgs needs SciPy: pip install 'pymlp[lbfgs]'") from error


def fit(task: Task) -> None:
    """Minimise the mean loss over all samples, an iteration for an epoch, and fill the record.

    The loss and its gradient, penalties among them, are those that every other optimiser sees.
    """
    with task.watch() as watch:
        run = _Run(task, watch)
        run.go_on()
        try:
            reason = run.minimize()
        except _Ended as ended:
            reason = str(ended)
        if reason != "diverged":
            run.keep()
        watch.finish(reason)


def reason(result: Any, epochs: int) -> str:
    """Return what ended SciPy's minimiser."""
    if result.nit >= epochs:
        return "epochs"
    if result.status == 1:
        return "evaluations"
    return "converged" if result.success else "line_search"


class _Run:
    def __init__(self, task: Task, watch: Watch) -> None:
        self.task = task
        self.watch = watch
        # Points are tried here; the network itself has whole iterations only.
        self.core = task.architecture.new_core()
        self.parameters = self.core.arena[: task.network.n_parameters]
        self.loss = task.options.loss.for_core()
        self.gradient = np.empty_like(task.network.parameters)
        freeze, tensors = task.options.freeze, task.architecture.tensors
        self.still = [tensor for tensor in tensors if tensor.layer in freeze]
        self.data_loss = self.penalty = 0.0
        self.epochs = 0  # iterations, as the record counts them
        self.evaluations = 0  # of all minimisers

    def go_on(self) -> None:
        """Come to where the checkpoint is that the task goes on from, if there is one."""
        keeping = self.task.keeping
        if keeping is None or keeping.run is None:
            return
        self.task.core.write(keeping.run.arrays["arena"])
        self.epochs, self.evaluations = keeping.run.epochs, keeping.run.numbers["steps"]
        take_record(keeping.run, self.watch.history, keeping.metrics)
        self.watch.go_on(keeping.run.arrays.get("best"))
        keeping.checkpoint.was_taken(keeping.number)

    def minimize(self) -> str:
        """Run SciPy's minimiser, anew from what a callback wrote; return why it ended.

        What it remembers cannot be kept: with a checkpoint it begins anew after each.
        """
        while (epochs := self.task.options.epochs - self.epochs) > 0:
            with contextlib.suppress(_Moved):
                reason = self._minimize(min(epochs, self._epochs_to_checkpoint()))
                if reason != "epochs" or self.epochs == self.task.options.epochs:
                    return reason
            if self._epochs_to_checkpoint() == self._epochs_of_checkpoints:
                self.keep()
                self.task.keeping.checkpoint.write()  # type: ignore[union-attr]
        return "epochs"

    @property
    def _epochs_of_checkpoints(self) -> int:
        keeping = self.task.keeping
        return 0 if keeping is None else keeping.checkpoint.every or _EPOCHS

    def _epochs_to_checkpoint(self) -> int:
        every = self._epochs_of_checkpoints
        return every - self.epochs % every if every else sys.maxsize

    def keep(self) -> None:
        """Take the training for a checkpoint, where there is one."""
        if self.task.keeping is not None:
            nothing = self.gradient[:0]
            arena = self.task.core.snapshot()
            boundary = (self.epochs, self.evaluations, arena, nothing, nothing, 0, 0.0)
            self.task.keeping.keep(
                boundary, self.watch.best_parameters, 1.0, self.task.network, self.watch.history
            )

    def _minimize(self, epochs: int) -> str:
        from scipy.optimize import minimize

        settings = self.task.options.optimizer.options
        most = settings.get("max_evaluations")
        if most and self.evaluations >= most:
            return "evaluations"
        result = minimize(
            self.value_and_gradient,
            self.task.network.parameters.astype(np.float64),
            jac=True,
            method="L-BFGS-B",
            callback=self.after_iteration,
            options={
                "maxiter": epochs,
                "maxfun": most - self.evaluations if most else sys.maxsize,
                "maxcor": settings["history_size"],
                "gtol": settings["tolerance_gradient"],
                "ftol": settings["tolerance_change"],
                "maxls": settings["max_line_search"],
            },
        )
        return reason(result, epochs)

    def value_and_gradient(self, x: FloatArray) -> tuple[float, FloatArray]:
        """Return J and dJ/dx at `x`, in float64 as SciPy works."""
        self.evaluations += 1
        self.parameters[:] = x
        with self._guard():
            self.data_loss, _ = self.core.gradient(
                *self.task.samples, self.loss, None, self.gradient, False, self.task.options.threads
            )
        gradient = self.gradient.astype(np.float64)
        if not (math.isfinite(self.data_loss) and _core.all_finite(gradient)):
            raise _Ended("diverged")
        self.penalty = self._penalize(x, gradient)
        for tensor in self.still:
            tensor.view(gradient)[...] = 0.0
        return self.data_loss + self.penalty, gradient

    def _guard(self) -> contextlib.AbstractContextManager[None]:
        user_functions = self.task.calls_user_functions
        return self._refused_writes() if user_functions else contextlib.nullcontext()

    @contextlib.contextmanager
    def _refused_writes(self) -> Iterator[None]:
        """Put back what a user function writes to the parameters, and refuse it, as steps do."""
        parameters = self.task.network.parameters
        before = parameters.copy()
        try:
            yield
        finally:
            written = before.tobytes() != parameters.tobytes()
            if written:
                self.task.core.write(before)
        if written:
            raise RuntimeError(
                "the parameters were written in the middle of a step, by a user function or by "
                "another thread; they are put back: write them in a callback, between epochs"
            )

    def _penalize(self, x: FloatArray, gradient: FloatArray) -> float:
        l2 = self.task.options.regularization.l2
        if l2 == 0.0:
            return 0.0
        penalty = 0.0
        for tensor in self.task.architecture.tensors:
            if tensor.kind == "weights" and tensor.layer not in self.task.options.freeze:
                weights, slot = tensor.view(x), tensor.view(gradient)
                penalty += 0.5 * l2 * float((weights * weights).sum())
                slot += l2 * weights
        return penalty

    def after_iteration(self, intermediate_result: Any) -> None:
        """Record an iteration as an epoch; it was at the point that was tried last."""
        history, parameters = self.watch.history, self.task.network.parameters
        val_loss = self._validation_loss(intermediate_result.x)
        if not np.isfinite(val_loss).all():
            raise _Ended("diverged")  # the network is still as the epoch before left it
        reached = intermediate_result.x.astype(parameters.dtype)
        self.task.core.write(reached)
        self.epochs += 1
        history.loss.append(self.data_loss)
        history.penalty.append(self.penalty)
        history.learning_rate.append(1.0)
        history.val_loss += val_loss
        self.watch.show(self.epochs * self.task.samples[0].shape[0])
        reason = self.watch.after_epoch()
        if reason is not None:
            raise _Ended(reason)
        if not np.array_equal(parameters, reached):
            raise _Moved

    def _validation_loss(self, x: FloatArray) -> list[float]:
        """Return the loss at `x` over the validation samples; nothing where there are none."""
        if self.task.validation is None:
            return []
        self.parameters[:] = x
        with self._guard():
            return [
                self.core.loss(*self.task.validation, self.loss, None, self.task.options.threads)
            ]
