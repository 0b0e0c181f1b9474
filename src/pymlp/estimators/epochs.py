"""What happens after every epoch: the record, scikit-learn's rule to stop, the learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pymlp.estimators import parameters
from pymlp.estimators.checkpoints import keep_record, take_record
from pymlp.estimators.objective import Objective
from pymlp.estimators.scores import Monitor
from pymlp.estimators.snapshots import Snapshot, restore, snapshot
from pymlp.estimators.steps import set_rate
from pymlp.network import Network
from pymlp.training import History
from pymlp.training.checkpoint import Checkpoint

_LEAST_RATE = 1e-6  # of "adaptive", which ends there


class Epochs:
    """Keeps the fitted attributes of an estimator up to date while it learns.

    Parameters
    ----------
    of : estimator
    objective : Objective
    rows : int
        How many samples an epoch sees.
    constant : float
        What the shown loss has beyond the network's.
    monitor : Monitor
    score : callable, optional
        Returns the score of the validation samples, where there are some.
    checkpoint : Checkpoint, optional
        Keeps the attributes too, and has those that a training goes on from.
    by_score : bool
        Whether the score decides when to stop, and the best is restored; else the loss does.
    """

    def __init__(
        self,
        of: Any,
        objective: Objective,
        rows: int,
        constant: float,
        monitor: Monitor,
        score: Callable[[], float] | None,
        checkpoint: Checkpoint | None,
        *,
        by_score: bool,
    ) -> None:
        self._of = of
        self._objective = objective
        self._rows = rows
        self._constant = constant
        self._monitor = monitor
        self._score = score
        self._by_score = by_score
        self._callbacks = parameters.callbacks(of)
        self._lbfgs = parameters.is_lbfgs(of)
        self.checkpoint = checkpoint
        self._best: Snapshot | None = take_record(of, checkpoint)
        if by_score and self._best is None:
            self._best = snapshot(of.network_)
        self.stopped = False

    def __call__(self, network: Network, history: History) -> bool:
        """Look at the epoch that was recorded last; return whether training ends."""
        of = self._of
        of.n_iter_ += 1
        of.t_ += 0 if self._lbfgs else self._rows  # which scikit-learn counts for rates alone
        self._record(history.loss[-1], history.penalty[-1])
        self._count(network)
        self._schedule()
        answers = [callback(of, history) for callback in self._callbacks]
        patience_is_over = not self._lbfgs_runs and of._no_improvement_count > of.n_iter_no_change
        self.stopped = patience_is_over and self._stops()
        keep_record(of, self.checkpoint, self._best)
        return self.stopped or any(answer is True or answer is np.True_ for answer in answers)

    @property
    def _lbfgs_runs(self) -> bool:
        """Whether L-BFGS is to find the end itself."""
        return self._lbfgs and not self._by_score

    def _record(self, loss: float, penalty: float) -> None:
        of, unit = self._of, self._objective
        of.loss_ = loss * unit.shown + penalty * unit.factor + self._constant
        of.loss_curve_.append(of.loss_)
        if of.verbose:
            print(f"Iteration {of.n_iter_}, loss = {of.loss_:.8f}")
        if self._score is not None:
            of.validation_scores_.append(self._score())
            if of.verbose:
                print(f"Validation score: {of.validation_scores_[-1]:f}")

    def _count(self, network: Network) -> None:
        """Count the epochs without an improvement, by scikit-learn's two rules."""
        of, monitor = self._of, self._monitor
        if self._score is not None:
            score = of.validation_scores_[-1]
            gain = monitor.gain(score, of.best_validation_score_)
            if gain > 0:
                of.best_validation_score_ = score
                self._best = snapshot(network) if self._by_score else None
        if self._by_score:
            improved = gain >= of.tol  # NaN is none
        else:
            improved = not of.loss_ > of.best_loss_ - of.tol
            of.best_loss_ = min(of.best_loss_, of.loss_)
        of._no_improvement_count = 0 if improved else of._no_improvement_count + 1

    def _schedule(self) -> None:
        of = self._of
        if of.learning_rate == "invscaling" and self._has_rate:
            set_rate(of._optimizer, of._base_rate / (of.t_ + 1) ** of.power_t)

    @property
    def _has_rate(self) -> bool:
        return not self._lbfgs and not (
            isinstance(self._of.solver, str) and self._of.solver == "adam"
        )

    @property
    def _rate_factor(self) -> float:
        return self._objective.factor if self._of.solver == "sgd" else 1.0

    def _stops(self) -> bool:
        """Say why there is an end; "adaptive" goes on with a fifth of its rate."""
        of = self._of
        what = "Validation score" if self._by_score else "Training loss"
        said = f"{what} did not improve more than tol={of.tol:f} for {of.n_iter_no_change} "
        said += "consecutive epochs."
        if not (of.learning_rate == "adaptive" and self._has_rate):
            return self._say(f"{said} Stopping.")
        rate = of._optimizer.learning_rate / self._rate_factor
        if rate <= _LEAST_RATE:
            return self._say(f"{said} Learning rate too small. Stopping.")
        self._say(f"{said} Setting learning rate to {rate / 5:f}")
        set_rate(of._optimizer, of._optimizer.learning_rate / 5)
        of._no_improvement_count = 0
        return False

    def _say(self, text: str) -> bool:
        if self._of.verbose:
            print(text)
        return True

    def diverged(self) -> None:
        """Record the score of a network whose numbers are not finite any more."""
        if self._score is not None:
            self._of.validation_scores_.append(math.nan)

    def restore_best(self, network: Network) -> None:
        """Leave the parameters with the best validation score."""
        if self._best is not None:
            restore(network, self._best)
