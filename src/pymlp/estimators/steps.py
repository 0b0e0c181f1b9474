"""How the numbers of a step change from step to step, so that steps are those of scikit-learn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp._optimizer import CoreOptimizer
from pymlp.network import Network
from pymlp.optimizers import Optimizer
from pymlp.schedules import Schedule


class AdamEpsilon(Schedule):
    """scikit-learn adds epsilon to the root before it is corrected for its short past.

    That is ``epsilon / sqrt(1 - beta2^t)`` behind the correction, where pymlp adds it.
    """

    def __init__(self, beta2: float, steps_before: int) -> None:
        super().__init__(per="step")
        self.beta2 = beta2
        self.steps_before = steps_before

    def rate_at(self, rate: float, t: int, total: int) -> float:
        """Return epsilon in step `t`."""
        return rate / math.sqrt(1.0 - self.beta2 ** (self.steps_before + t + 1))


class PerBatch(Schedule):
    """A number for each batch of an epoch, as a factor: the same in every epoch."""

    def __init__(self, factors: list[float]) -> None:
        super().__init__(per="step")
        self.factors = factors

    def rate_at(self, rate: float, t: int, total: int) -> float:
        """Return the number in step `t`."""
        return rate * self.factors[t % len(self.factors)]


def batch_weights(
    rows: int, batch_size: int, steps: int, weights: NDArray[Any] | None, *, in_order: bool
) -> NDArray[np.float64]:
    """Return the sum of the sample weights in each batch of an epoch.

    Parameters
    ----------
    rows, batch_size, steps : int
        Of an epoch; the last batch has what is left.
    weights : ndarray, optional
    in_order : bool
        Whether the rows are visited as they stand. Otherwise nobody knows which are in a batch, and
        each has its share of the total.
    """
    ends = np.minimum(np.arange(1, steps + 1) * batch_size, rows)
    ends[-1] = rows
    rows_of_batches: NDArray[np.float64] = np.diff(ends, prepend=0).astype(np.float64)
    if weights is None:
        return rows_of_batches
    total = np.cumsum(weights, dtype=np.float64)
    if not in_order:
        return rows_of_batches * float(total[-1] / rows)
    sums: NDArray[np.float64] = np.diff(total[ends - 1], prepend=0.0)
    return sums


def penalty_unit(sums: NDArray[np.float64]) -> tuple[float, Schedule | None]:
    """Return what alpha is divided by, and how that changes from batch to batch.

    scikit-learn divides alpha by the batch's sum of weights.
    """
    usual = float(sums[0]) if sums[0] > 0 else float(sums.mean())
    if np.ptp(sums) <= 1e-12 * usual:
        return usual, None
    return usual, PerBatch([usual / total if total > 0 else 0.0 for total in sums.tolist()])


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Set the learning rate as scikit-learn does, whose velocity has the rate in it.

    pymlp's, as PyTorch's, has not, and is rescaled: the next step then goes on as fast.
    """
    before = optimizer.learning_rate
    if rate == before:
        return
    if optimizer.rule == "sgd" and optimizer.options["momentum"] and optimizer.steps:
        state = optimizer._core
        assert state is not None  # which has taken steps
        state.state[:] *= before / rate
    optimizer.learning_rate = rate


def core_of(optimizer: Optimizer, network: Network) -> CoreOptimizer:
    """Return the state of an optimiser that trains this network, made at first use."""
    if optimizer._core is None:
        optimizer._core = optimizer._new_core(network.dtype, network.n_parameters)
    return optimizer._core
