"""Training with L-BFGS: SciPy's minimiser on the flat vector of parameters."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from pymlp._arrays import FloatArray
from pymlp.layers import split
from pymlp.losses import Loss

if TYPE_CHECKING:
    from pymlp._options import Options
    from pymlp._samples import Samples
    from pymlp.history import History
    from pymlp.network import Network
    from pymlp.optimizers import LBFGS
    from pymlp.training import Show


class _Ended(Exception):  # noqa: N818  # not an error
    """Leaves the minimiser from inside; the reason is its argument."""


def fit(
    network: Network,
    optimizer: LBFGS,
    loss: Loss,
    samples: Samples,
    validation: Samples | None,
    options: Options,
    history: History,
    show: Show,
) -> str:
    """Minimise the mean loss over all samples; return why it ended.

    The loss and its gradient, penalties among them, are those that every other optimiser sees.
    """
    from scipy.optimize import minimize

    run = _Run(network, loss, samples, validation, options, history, show)
    settings = optimizer.options
    try:
        result = minimize(
            run.value_and_gradient,
            network.parameters.astype(np.float64),
            jac=True,
            method="L-BFGS-B",
            callback=run.after_iteration,
            options={
                "maxiter": options.epochs,
                "maxfun": sys.maxsize,
                "maxcor": settings["history_size"],
                "gtol": settings["tolerance_gradient"],
                "ftol": settings["tolerance_change"],
                "maxls": settings["max_line_search"],
            },
        )
    except _Ended as reason:
        return run.finish(str(reason))
    finally:
        history.seconds = time.perf_counter() - run.started
    if result.nit >= options.epochs:
        return run.finish("epochs")
    return run.finish("converged" if result.success else "line_search")


def check(network: Network, options: Options) -> None:
    """Refuse what does not go with one smooth function of all samples, or SciPy's absence."""
    refused = {
        "batch_size": options.batch_size is not None,
        "schedule": options.schedule is not None,
        "dropout": any(network.dropout),
        "l1": options.regularization.l1 > 0.0,
        "clip_norm": options.regularization.clip_norm > 0.0,
        "clip_value": options.regularization.clip_value > 0.0,
        "max_norm": options.regularization.max_norm > 0.0,
    }
    for name, present in refused.items():
        if present and name == "batch_size":
            raise ValueError("lbfgs works on all samples at once: it needs batch_size=None")
        if present:
            raise ValueError(f"{name} does not go with lbfgs, which needs one smooth function")
    try:
        import scipy.optimize  # noqa: F401
    except ImportError as error:
        raise ImportError("lbfgs needs SciPy: pip install pymlp[lbfgs]") from error


class _Run:
    def __init__(
        self,
        network: Network,
        loss: Loss,
        samples: Samples,
        validation: Samples | None,
        options: Options,
        history: History,
        show: Show,
    ) -> None:
        self.network = network
        self.twin = network.copy()  # tries points; the network itself has whole iterations only
        self.loss = loss.for_core()
        self.samples = samples
        self.validation = validation
        self.options = options
        self.history = history
        self.show = show
        self.gradient = np.empty_like(network.parameters)
        self.best = np.inf
        self.best_parameters: FloatArray | None = None
        self.bad_epochs = 0
        self.started = time.perf_counter()

    def value_and_gradient(self, x: FloatArray) -> tuple[float, FloatArray]:
        """Return J and dJ/dx at `x`, in float64 as SciPy works."""
        self.twin.parameters[:] = x
        core, threads = self.twin._core, self.options.threads
        J, _ = core.gradient(*self.samples, self.loss, self.gradient, False, threads)
        gradient = self.gradient.astype(np.float64)
        if not (np.isfinite(J) and np.isfinite(gradient).all()):
            raise _Ended("diverged")
        return J + self._penalize(x, gradient), gradient

    def _penalize(self, x: FloatArray, gradient: FloatArray) -> float:
        l2 = self.options.regularization.l2
        if l2 == 0.0:
            return 0.0
        penalty = 0.0
        pairs = zip(
            split(x, self.network.widths, self.network.bias)[0],
            split(gradient, self.network.widths, self.network.bias)[0],
            strict=True,
        )
        for weights, slot in pairs:
            penalty += 0.5 * l2 * float((weights * weights).sum())
            slot += l2 * weights
        return penalty

    def after_iteration(self, intermediate_result: Any) -> None:
        """Record an iteration as an epoch, and ask all that may end training."""
        J = float(intermediate_result.fun)
        self.network.parameters[:] = intermediate_result.x
        self.history.loss.append(J)
        self.history.learning_rate.append(1.0)
        self.history.seconds = time.perf_counter() - self.started
        if self.validation is not None:
            core = self.network._core
            J = core.loss(*self.validation, self.loss, self.options.threads)
            self.history.val_loss.append(J)
        seen = len(self.history.loss) * self.samples[0].shape[0]
        self.show(self.history.loss, self.history.val_loss, seen)
        self._watch(J)
        if any([f(self.network, self.history) is True for f in self.options.callbacks]):
            raise _Ended("callback")
        if 0.0 < self.options.max_seconds <= self.history.seconds:
            raise _Ended("max_seconds")

    def _watch(self, J: float) -> None:
        rule = self.options.early_stopping
        if rule is None:
            return
        if self.best - rule.min_delta > J:
            self.best, self.bad_epochs = J, 0
            self.best_parameters = self.network.parameters.copy() if rule.restore_best else None
            return
        self.bad_epochs += 1
        if self.bad_epochs >= rule.patience:
            raise _Ended("early_stopping")

    def finish(self, reason: str) -> str:
        """Leave the best parameters where training ended on its own, and return the reason."""
        if self.best_parameters is not None and reason not in ("callback", "diverged"):
            self.network.parameters[:] = self.best_parameters
        return reason
