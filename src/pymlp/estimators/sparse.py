"""Training on sparse rows: batches are made dense one at a time, the whole never.

It goes the way of `Network.fit`, with a step for each batch from Python.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp import _core
from pymlp.estimators.inputs import SparseRows
from pymlp.estimators.snapshots import Snapshot, restore, snapshot
from pymlp.estimators.steps import core_of
from pymlp.losses import Loss
from pymlp.network import Network
from pymlp.optimizers import LBFGS
from pymlp.schedules import ReduceOnPlateau, Schedule
from pymlp.training import History, TrainingDiverged
from pymlp.training.lbfgs import reason
from pymlp.training.options import FitOptions

# Every option of a network's `fit`: what an estimator does not set is as it is there.
_USUAL = {
    name: parameter.default
    for name, parameter in inspect.signature(Network.fit).parameters.items()
    if parameter.kind is inspect.Parameter.KEYWORD_ONLY
}
_ORDERS = 2**34  # the stream of the orders of rows, apart from those of the core


def fit(network: Network, X: SparseRows, y: NDArray[Any], given: dict[str, Any]) -> History:
    """Train a network on sparse rows with the options of `Network.fit`, and return the record.

    Raises
    ------
    ValueError
        If an option needs all rows at once.
    TrainingDiverged
        When the loss is not finite; the parameters are as they were when the epoch began.
    """
    options = FitOptions(_USUAL | given, network.layers[-1].activation)
    if options.average:
        raise ValueError("average does not go with sparse X; X.toarray() is dense")
    if network.norm == "batch":
        raise ValueError("norm='batch' does not go with sparse X; X.toarray() is dense")
    if isinstance(options.schedules.get("learning_rate"), ReduceOnPlateau):
        raise ValueError("ReduceOnPlateau does not go with sparse X; X.toarray() is dense")
    loop = _Minimum if isinstance(options.optimizer, LBFGS) else _Steps
    return loop(network, X, y, options).run()


def loss(
    network: Network, X: SparseRows, y: NDArray[Any], loss: Loss, weights: Any, threads: int | None
) -> float:
    """Return the mean loss of sparse rows."""
    total = 0.0
    for part, share in _shares(X, weights):
        w = None if weights is None else weights[part]
        options: dict[str, Any] = {"loss": loss, "sample_weight": w, "threads": threads}
        total += share * network.loss(X[part], y[part], **options)
    return total


def _shares(X: SparseRows, weights: Any) -> Iterator[tuple[slice, float]]:
    """Yield slices of rows, each with its share of the weight of all, which is not 0."""
    rows = np.ones(X.shape[0]) if weights is None else weights
    total = float(rows.sum(dtype=np.float64))
    for part in X.parts():
        share = float(rows[part].sum(dtype=np.float64)) / total
        if share > 0:
            yield part, share


class _Loop:
    def __init__(
        self, network: Network, X: SparseRows, y: NDArray[Any], options: FitOptions
    ) -> None:
        self.network, self.X, self.y, self.options = network, X, y, options
        self.weights = options.sample_weight
        self.l2 = options.regularization.l2
        self.history = network.history = History()
        self.started = perf_counter()

    def after_epoch(self, loss: float, penalty: float, rate: float) -> bool:
        """Record an epoch, and call back; return whether training ends."""
        history = self.history
        history.loss.append(loss)
        history.penalty.append(penalty)
        history.learning_rate.append(rate)
        history.seconds = perf_counter() - self.started
        answers = [callback(self.network, history) for callback in self.options.callbacks]
        if any(answers):
            history.stopped_by = "callback"
        elif history.seconds >= self.options.max_seconds:
            history.stopped_by = "max_seconds"
        return history.stopped_by != "running"

    def diverged(self, before: Snapshot) -> TrainingDiverged:
        restore(self.network, before)
        self.history.stopped_by = "diverged"
        return TrainingDiverged(f"training diverged in epoch {len(self.history.loss) + 1}")


class _Steps(_Loop):
    def run(self) -> History:
        """Take a step for every batch, epoch by epoch."""
        options, rows = self.options, self.X.shape[0]
        self.core = core_of(options.optimizer, self.network)
        past = self.network.seed + (self.core.steps + 1) * 0x9E3779B97F4A7C15
        seed = past % 2**64 if options.seed is None else options.seed
        size = options.rows_per_batch(rows)
        self.t = 0
        self.scheduled = self._scheduled(-(-rows // size))
        try:
            self._epochs(rows, size, seed)
        finally:  # a schedule's last values are not the user's
            self.core.learning_rate = options.optimizer.learning_rate
            for name in self.scheduled.keys() & options.optimizer.options.keys():
                self.core.set_option(name, options.optimizer.options[name])
        return self.history

    def _epochs(self, rows: int, size: int, seed: int) -> None:
        options, order = self.options, np.arange(rows)
        for epoch in range(options.epochs):
            if options.shuffle:
                order = _core.permutation(rows, seed, _ORDERS + epoch)
            before = snapshot(self.network)
            loss, penalty = self._epoch(order, size, before)
            if self.after_epoch(loss, penalty, self.core.learning_rate):
                return
        self.history.stopped_by = "epochs"

    def _epoch(self, order: NDArray[Any], size: int, before: Snapshot) -> tuple[float, float]:
        losses, penalties, shares = [], [], []
        for first in range(0, len(order), size):
            rows = order[first : first + size]
            weights = None if self.weights is None else self.weights[rows]
            if weights is not None and not weights.any():
                self.t += 1
                continue  # nothing pulls, and a mean needs weights
            limits = self._limits()
            penalty = self._penalty(limits)
            try:
                J = self.network.train_batch(
                    self.X[rows], self.y[rows], optimizer=self.options.optimizer,
                    loss=self.options.loss, sample_weight=weights, threads=self.options.threads,
                    **limits,
                )  # fmt: skip
            except TrainingDiverged:
                raise self.diverged(before) from None
            losses.append(J - penalty)
            penalties.append(penalty)
            shares.append(len(rows) if weights is None else float(weights.sum()))
        return float(np.average(losses, weights=shares)), float(
            np.average(penalties, weights=shares)
        )

    def _scheduled(self, steps: int) -> dict[str, Callable[[int], float]]:
        """Return the numbers that change, each as a function of the step."""
        return {
            name: self._values(schedule, self._base(name), steps)
            for name, schedule in self.options.schedules.items()
        }

    def _base(self, name: str) -> float:
        optimizer = self.options.optimizer
        if name == "learning_rate":
            return optimizer.learning_rate
        if name in optimizer.options:
            return float(optimizer.options[name])
        return float(getattr(self.options.regularization, name))

    def _values(self, schedule: Schedule, base: float, steps: int) -> Callable[[int], float]:
        by_epoch = schedule.per == "epoch"
        total = self.options.epochs * (1 if by_epoch else steps)
        return lambda t: schedule.rate_at(base, t // steps if by_epoch else t, total)

    def _limits(self) -> dict[str, Any]:
        """Return the penalties of the next step, and set the optimiser's numbers."""
        limits = self.options.regularization
        found: dict[str, Any] = {
            "l1": limits.l1,
            "l2": limits.l2,
            "clip_norm": limits.clip_norm or None,
        }
        for name, value in self.scheduled.items():
            if name in found:
                found[name] = value(self.t)
            elif name == "learning_rate":
                self.core.learning_rate = value(self.t)
            else:
                self.core.set_option(name, value(self.t))
        self.t += 1
        return found

    def _penalty(self, limits: dict[str, Any]) -> float:
        l1, l2 = limits["l1"], limits["l2"]
        total = 0.0
        for weights in self.network.weights if l1 or l2 else ():
            w = weights.astype(np.float64, copy=False)
            total += l1 * float(np.abs(w).sum()) + l2 / 2 * float((w * w).sum())
        return total


class _Minimum(_Loop):
    """L-BFGS on the sum over parts of the rows."""

    def run(self) -> History:
        """Minimise the mean loss over all rows, an iteration for an epoch."""
        from scipy.optimize import minimize

        self.twin = self.network.copy()  # points are tried here
        self.are_weights = _are_weights(self.twin)
        options = self.options.optimizer.options
        try:
            result = minimize(
                self.value_and_gradient,
                self.network.parameters.astype(np.float64),
                jac=True,
                method="L-BFGS-B",
                callback=self.after_iteration,
                options={
                    "maxiter": self.options.epochs,
                    "maxfun": options["max_evaluations"] or sys.maxsize,
                    "maxcor": options["history_size"],
                    "gtol": options["tolerance_gradient"],
                    "ftol": options["tolerance_change"],
                    "maxls": options["max_line_search"],
                },
            )
        except StopIteration:
            return self.history
        if self.history.stopped_by == "running":
            self.history.stopped_by = reason(result, self.options.epochs)
        return self.history

    def value_and_gradient(self, x: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        """Return the loss and its gradient, part by part."""
        self.twin.parameters = x
        self.loss, gradient = 0.0, np.zeros_like(x)
        for part, share in _shares(self.X, self.weights):
            weights = None if self.weights is None else self.weights[part]
            J, grads = self.twin.gradients(
                self.X[part], self.y[part], loss=self.options.loss, sample_weight=weights,
                threads=self.options.threads,
            )  # fmt: skip
            self.loss += share * J
            gradient += share * grads.flat.astype(np.float64)
        penalised = self.are_weights * x
        self.penalty = 0.5 * self.l2 * float(penalised @ penalised)
        gradient += self.l2 * penalised
        if not (np.isfinite(self.loss) and np.isfinite(gradient).all()):
            raise self.diverged(snapshot(self.network))
        return self.loss + self.penalty, gradient

    def after_iteration(self, intermediate_result: Any) -> None:
        """Record an iteration as an epoch; it was at the point that was tried last."""
        self.network.parameters = intermediate_result.x
        if self.after_epoch(self.loss, self.penalty, 1.0):
            raise StopIteration


def _are_weights(network: Network) -> NDArray[Any]:
    """Return 1 where a parameter is a weight, else 0."""
    marked = network.copy()
    marked.parameters[:] = 0.0
    for weights in marked.weights:
        weights[...] = 1.0
    return marked.parameters.astype(np.float64)
