"""The networks of a table's model trained: each on rows of its own, judged by those it lacks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pymlp import optimizers
from pymlp.network import Network
from pymlp.stack import NetworkStack
from pymlp.training import EarlyStopping, History
from pymlp.training.checkpoint import Checkpoint
from pymlp.training.watch import ends_training

__all__ = ["ROUND", "Division", "Judged", "Samples", "Training", "train"]

_NEVER = 2**62  # epochs without an improvement; the same for any number of epochs
ROUND = 8  # networks that are trained together, at most: in as many folds, where they have any

# The rows that a member is trained on, and those that it is judged by.
Division: TypeAlias = tuple[NDArray[np.intp], NDArray[np.intp]]


class Samples(NamedTuple):
    """Rows as a network takes them."""

    X: NDArray[Any]
    y: NDArray[Any]
    weights: NDArray[np.float64] | None

    def take(self, rows: NDArray[np.intp]) -> Samples:
        """Return some of the rows."""
        return Samples(*(None if part is None else part[rows] for part in self))  # type: ignore[arg-type]


class Judged(NamedTuple):
    """Outputs of networks for rows that they were not trained on, and these rows' targets."""

    outputs: NDArray[Any]
    y: NDArray[Any]
    weights: NDArray[np.float64] | None


class Training(NamedTuple):
    """How networks are trained.

    Attributes
    ----------
    fit : dict
        Options of `Network.fit`.
    patience : int or None
        None: all epochs are trained, and the best one is kept.
    metric : str or None
        That the best epoch is chosen by; None: the loss.
    target : Classes or Scale
        Makes the metric of outputs, and softens labels.
    """

    fit: dict[str, Any]
    patience: int | None
    metric: str | None
    target: Any


def train(
    networks: Sequence[Network],
    samples: Samples,
    divisions: Sequence[Division],
    given: Samples | None,
    options: Training,
) -> tuple[list[Network], KeyboardInterrupt | None]:
    """Train networks and leave the best parameters of each.

    They are trained in rounds of `ROUND` networks; a later round begins where the time is thought
    to be enough for it.

    Parameters
    ----------
    networks : sequence of Network
    samples : Samples
        All rows.
    divisions : sequence of Division
        Of each network.
    given : Samples or None
        Rows that judge all networks, instead of those that they hold out.
    options : Training

    Returns
    -------
    networks : list of Network
        Those that were trained: fewer after an interrupt, or where time was short.
    interrupt : KeyboardInterrupt or None
        What ended it, if there was an epoch before it.
    """
    judged = given is not None or bool(len(divisions[0][1]))
    best = _Best()
    fit = _watched(options, [best] if judged else [])
    targets = options.target.softened(samples)
    trained: list[Network] = []
    for some, seconds in _rounds(len(networks), fit["max_seconds"]):
        fit["max_seconds"] = seconds
        if (checkpoint := fit.get("checkpoint")) is not None:
            checkpoint.first = some.start
            best.take(networks[some], checkpoint)
        try:
            _fit(networks[some], samples, divisions[some], given, targets, fit)
        except KeyboardInterrupt as interrupt:
            begun = [n for n in networks[some] if n.history is not None and n.history.loss]
            if not trained and not begun:
                raise
            best.restore(begun)
            return trained + begun, interrupt
        trained += networks[some]
        if judged and options.metric is not None:
            _refuse_no_value(networks[some], fit["early_stopping"].monitor)
        if any(map(_ended_by_callback, networks[some])):
            break
    return trained, None


def _rounds(n_networks: int, limit: float | None) -> Iterator[tuple[slice, float | None]]:
    """Yield the networks of each round, and the seconds left for it.

    A later round begins where the longest one before it would end in time.
    """
    begun, longest = time.monotonic(), 0.0
    for first in range(0, n_networks, ROUND):
        now, left = time.monotonic(), limit
        if left is not None and first:
            left -= now - begun
            if longest > left:
                return
        yield slice(first, first + ROUND), left
        longest = max(longest, time.monotonic() - now)


def _watched(options: Training, first: Sequence[Any]) -> dict[str, Any]:
    """Return options of `fit` with what chooses the best epoch, where `first` keeps it."""
    fit = dict(options.fit)
    watched: dict[str, Any] = {}
    if options.metric is not None:
        metric, more_is_better = options.target.metric(options.metric)
        fit["metrics"] = (metric,)
        name = metric if isinstance(metric, str) else metric.__name__
        watched = {"monitor": name, "mode": "max" if more_is_better else "min"}
    if first:
        fit["early_stopping"] = EarlyStopping(options.patience or _NEVER, **watched)
    fit["callbacks"] = [*first, *_ending_all(fit["callbacks"])]
    return fit


def _fit(
    networks: Sequence[Network],
    samples: Samples,
    divisions: Sequence[Division],
    given: Samples | None,
    targets: NDArray[Any],
    fit: dict[str, Any],
) -> None:
    if given is not None:
        fit["validation"] = tuple(part for part in given if part is not None)
    held_out = [held for _, held in divisions]
    rule = optimizers.resolve(fit["optimizer"], fit.get("learning_rate"))
    if isinstance(rule, optimizers.LBFGS):
        _fit_alone(networks, samples, divisions, targets, fit)
        return
    rows = [training for training, _ in divisions]
    if len(rows[0]) < len(samples.X):
        fit["rows"] = rows
    if len(held_out[0]):
        fit["validation_rows"] = held_out
    NetworkStack(networks).fit(samples.X, targets, sample_weight=samples.weights, **fit)


def _fit_alone(
    networks: Sequence[Network],
    samples: Samples,
    divisions: Sequence[Division],
    targets: NDArray[Any],
    fit: dict[str, Any],
) -> None:
    """Train one after the other: a stack takes no optimiser with a line search of its own."""
    soft, checkpoint = samples._replace(y=targets), fit.get("checkpoint")
    for network, (training, held_out) in zip(networks, divisions, strict=True):
        if len(held_out):
            fit["validation"] = tuple(p for p in samples.take(held_out) if p is not None)
        X, y, weights = soft.take(training)
        network.fit(X, y, sample_weight=weights, **fit)
        if checkpoint is not None:
            checkpoint.first += 1


def _ended_by_callback(network: Network) -> bool:
    return network.history is not None and network.history.stopped_by == "callback"


def _refuse_no_value(networks: Sequence[Network], metric: str) -> None:
    """Refuse a metric that chose no epoch, such as ROC AUC of one class: all are equally bad."""
    for network in networks:
        if network.history and np.isnan(network.history.metrics[f"val_{metric}"]).all():
            raise ValueError(
                f"metric {metric!r} has no value on the held-out rows: it is NaN after every epoch"
            )


def _ending_all(
    callbacks: Sequence[Callable[[Network, History], bool | None]],
) -> list[Callable[[Network, History], bool]]:
    """Return callbacks of which a True ends the training of all networks."""
    ended = False

    def made(callback: Callable[[Network, History], bool | None]) -> Any:
        def called(network: Network, history: History) -> bool:
            nonlocal ended
            ended = ends_training(callback(network, history)) or ended
            return ended

        return called

    return [made(callback) for callback in callbacks]


class _Best:
    """Keeps the parameters of the best epochs: an interrupt leaves those of the last steps."""

    def __init__(self) -> None:
        self._parameters: dict[int, NDArray[Any]] = {}

    def __call__(self, network: Network, history: History) -> None:
        if history.best_epoch == len(history.loss) - 1:
            self._parameters[id(network)] = network.parameters.copy()

    def take(self, networks: Sequence[Network], checkpoint: Checkpoint) -> None:
        """Take what a checkpoint has."""
        for number, network in enumerate(networks):
            run = checkpoint.kept(number)
            if run is not None and "best" in run.arrays:
                self._parameters[id(network)] = run.arrays["best"][: network.n_parameters]

    def restore(self, networks: Sequence[Network]) -> None:
        """Put the best parameters back, where there are any."""
        for network in networks:
            if id(network) in self._parameters:
                network.parameters = self._parameters[id(network)]
