"""One training of an estimator's network, with what its parameters mean there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pymlp import _core
from pymlp.estimators import parameters, sparse, steps
from pymlp.estimators.epochs import Epochs
from pymlp.estimators.inputs import SparseRows
from pymlp.estimators.objective import Objective
from pymlp.estimators.scores import Validation
from pymlp.network import Network
from pymlp.schedules import Schedule
from pymlp.training import History, target_scale


class Samples(NamedTuple):
    """What is trained on.

    Attributes
    ----------
    X : ndarray or SparseRows
    y : ndarray
        Targets as the loss takes them, in their own units.
    weights : ndarray, optional
    """

    X: Any
    y: NDArray[Any]
    weights: NDArray[Any] | None


def run(
    of: Any, samples: Samples, objective: Objective, epochs: Epochs, max_iter: int, seed: int | None
) -> str:
    """Train the network of an estimator; return what ended it.

    Parameters
    ----------
    of : estimator
    samples : Samples
    objective : Objective
    epochs : Epochs
        What is called after every epoch.
    max_iter : int
    seed : int, optional
        Of orders and dropout; None goes on from the network's own.
    """
    X, weights = samples.X, samples.weights
    given = _options(of, X, weights, objective) | {
        "epochs": max_iter, "seed": seed, "loss": objective.loss, "callbacks": [epochs],
        "sample_weight": weights, "checkpoint": epochs.checkpoint,
    }  # fmt: skip
    train = sparse.fit if isinstance(X, SparseRows) else _fit
    history: History = train(of.network_, X, _targets(of, samples.y), given)
    return history.stopped_by


def _fit(network: Network, X: Any, y: Any, given: dict[str, Any]) -> History:
    with target_scale.any_units():
        return network.fit(X, y, **given)


def _targets(of: Any, y: NDArray[Any]) -> NDArray[Any]:
    scale = of._target_scale
    if scale is None:
        return y
    scaled: NDArray[Any] = (y.reshape(len(y), -1) - scale.mean) / scale.deviation
    return scaled.astype(of.network_.dtype)


@contextlib.contextmanager
def in_scale(of: Any) -> Iterator[None]:
    """Let the network of an estimator that scales its targets predict scaled ones meanwhile.

    One whose last biases are all 0 has learnt nothing yet and begins as it is.
    """
    scale, last = of._target_scale, of.network_.layers[-1]
    if scale is None:
        yield
        return
    if last.biases.any():
        last.weights[...] /= scale.deviation
        last.biases[...] = (last.biases - scale.mean) / scale.deviation
    of._learns_scaled = True
    try:
        yield
    finally:
        del of._learns_scaled
        last.weights[...] *= scale.deviation
        last.biases[...] = last.biases * scale.deviation + scale.mean


def _options(of: Any, X: Any, weights: NDArray[Any] | None, objective: Objective) -> dict[str, Any]:
    """Return the options of a network's `fit` that an estimator's parameters stand for."""
    lbfgs, rows = parameters.is_lbfgs(of), X.shape[0]
    size = rows if lbfgs else _batch_size(of, rows)
    penalty, penalties = _penalty_unit(of, rows, size, weights)
    unit = penalty * objective.factor
    return {
        "batch_size": None if lbfgs else size, "optimizer": of._optimizer,
        "shuffle": bool(of.shuffle), "schedule": {} if lbfgs else _schedules(of, penalties),
        "l2": of.alpha / unit, "l1": of.l1 / unit,
        "clip_norm": None if of.clip_norm is None else of.clip_norm / objective.factor,
        "average": of.average, "threads": parameters.threads(of), "max_seconds": of.max_seconds,
    }  # fmt: skip


def _batch_size(of: Any, rows: int) -> int:
    return min(200 if of.batch_size == "auto" else int(of.batch_size), rows)


def _penalty_unit(
    of: Any, rows: int, size: int, weights: NDArray[Any] | None
) -> tuple[float, Schedule | None]:
    """Return what alpha is divided by, and how that changes from batch to batch."""
    joins = of.norm == "batch" and len(of.network_.widths) > 2
    n_steps = _core.steps_of_epoch(rows, size, joins)
    return steps.penalty_unit(
        steps.batch_weights(rows, size, n_steps, weights, in_order=not of.shuffle)
    )


def _schedules(of: Any, penalties: Schedule | None) -> dict[str, Schedule]:
    found: dict[str, Schedule] = {}
    if isinstance(of.learning_rate, Schedule):
        found["learning_rate"] = of.learning_rate
    if isinstance(of.solver, str) and of.solver == "adam":
        found["epsilon"] = steps.AdamEpsilon(float(of.beta_2), of._optimizer.steps)
    if penalties is not None:
        found |= {name: penalties for name, value in (("l2", of.alpha), ("l1", of.l1)) if value}
    return found


def constant_of(samples: Samples, objective: Objective) -> float:
    """Return what scikit-learn's loss has beyond the network's."""
    return objective.constant(samples.y.reshape(len(samples.y), -1), samples.weights)


def loss_now(of: Any, samples: Samples, objective: Objective) -> float:
    """Return the loss with its penalty of the parameters as they are, as estimators show it."""
    penalty, _ = _penalty_unit(of, samples.X.shape[0], samples.X.shape[0], samples.weights)
    squares = sum(float((w.astype(np.float64) ** 2).sum()) for w in of.network_.weights)
    loss = _loss(of, samples.X, samples.y, samples.weights, objective)
    return loss * objective.shown + float(of.alpha) / 2 * squares / penalty


def loss_of_validation(of: Any, given: Validation, objective: Objective) -> float:
    """Return the loss of validation samples, without a penalty."""
    loss = _loss(of, given.X, _targets(of, given.targets), given.weights, objective)
    return loss * objective.shown


def _loss(
    of: Any, X: Any, y: NDArray[Any], weights: NDArray[Any] | None, objective: Objective
) -> float:
    network: Network = of.network_
    threads = parameters.threads(of)
    if isinstance(X, SparseRows):
        return sparse.loss(network, X, y, objective.loss, weights, threads)
    return network.loss(X, y, loss=objective.loss, sample_weight=weights, threads=threads)
