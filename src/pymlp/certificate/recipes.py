"""What trainings are asked beside an optimiser: kinds of targets, weights of samples, limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pymlp import losses
from pymlp.certificate.inputs import numbers, shares
from pymlp.certificate.networks import Case, network
from pymlp.network import Network
from pymlp.optimizers import TABLE

ROWS, BATCH, EPOCHS = 37, 16, 2  # rows are lanes of vectors here and there
RATE = 0.125


class Samples(NamedTuple):
    """What a network is trained with."""

    X: NDArray[Any]
    y: NDArray[Any]
    weight: NDArray[Any] | None


class Recipe(NamedTuple):
    """A network, the kind of its targets, and how it is trained."""

    case: Case
    labels: bool = True  # integers; otherwise shares of classes
    smoothing: float = 0.0
    weighted: bool = False
    rule: str = "adam"
    options: Mapping[str, Any] = MappingProxyType({})  # of the optimiser
    limits: Mapping[str, Any] = MappingProxyType({})

    @property
    def loss(self) -> losses.Loss:
        """The cross-entropy that belongs to the output."""
        classes = "softmax" in self.case.options["output"]
        kind: Any = losses.CrossEntropy if classes else losses.BinaryCrossEntropy
        return kind(label_smoothing=self.smoothing)  # type: ignore[no-any-return]


_FEW = Case([3, 3, 4], {"output": "softmax"})
_LOGARITHMS = Case([3, 3, 4], {"output": "log_softmax"})
_MANY = Case([2, 1, 34], {"output": "softmax"})  # more than rows in lanes are made for
_YES_OR_NO = Case([3, 3, 1], {"output": "sigmoid"})
_SEVERAL = Case([3, 3, 4], {"output": "sigmoid"})
_ALL: dict[str, Any] = {"smoothing": 0.25, "weighted": True}

GRADIENTS = {
    "labels": Recipe(_FEW),
    "labels, smoothed": Recipe(_FEW, smoothing=0.25),
    "labels, weighted": Recipe(_FEW, weighted=True),
    "labels of logarithms, smoothed, weighted": Recipe(_LOGARITHMS, **_ALL),
    "labels of many classes, smoothed, weighted": Recipe(_MANY, **_ALL),
    "shares of classes, smoothed, weighted": Recipe(_FEW, labels=False, **_ALL),
    "yes or no": Recipe(_YES_OR_NO),
    "yes or no, smoothed": Recipe(_YES_OR_NO, smoothing=0.25),
    "yes or no, weighted": Recipe(_YES_OR_NO, weighted=True),
    "several times yes or no, smoothed, weighted": Recipe(_SEVERAL, **_ALL),
}
_NETWORK = Case([6, 6, 5], {"output": "softmax"})  # 77 parameters
_SIGMOID = Case([6, 9, 1], {"output": "sigmoid"})
_BIASES = {"groups": {"biases": {"learning_rate": 0.5, "weight_decay": 0.25}}, "weight_decay": 0.5}
TRAININGS = {
    "labels": Recipe(_NETWORK),
    "labels, smoothed, weighted": Recipe(_NETWORK, rule="momentum", **_ALL),
    "yes or no, smoothed, weighted": Recipe(_SIGMOID, rule="momentum", **_ALL),
    "l1": Recipe(_NETWORK, rule="sgd", limits={"l1": 0.125}),
    "l2": Recipe(_NETWORK, rule="sgd", limits={"l2": 0.5}),
    "clip_value": Recipe(_NETWORK, rule="sgd", limits={"clip_value": 0.015625}),
    "clip_norm": Recipe(_NETWORK, rule="sgd", limits={"clip_norm": 0.0625}),
    "both clipped": Recipe(
        _NETWORK, rule="adadelta", limits={"clip_norm": 0.125, "clip_value": 0.015625}
    ),
    "max_norm": Recipe(_NETWORK, rule="adamw", limits={"max_norm": 0.75}),
    "average": Recipe(_NETWORK, rule="adamax", limits={"average": 0.75}),
    "groups": Recipe(_NETWORK, rule="adamw", options=_BIASES),
}


def samples(recipe: Recipe, net: Network) -> Samples:
    """Return what this network is trained with."""
    dtype, k = str(net.dtype), net.widths[-1]
    X = numbers((ROWS, net.widths[0]), dtype, low=-2.0, width=4.0)
    weight = numbers((ROWS,), dtype, low=0.25, width=2.0) if recipe.weighted else None
    # Every class, in no order that rows have.
    order = np.arange(ROWS) ** 2 % 31
    if isinstance(recipe.loss, losses.CrossEntropy):
        return Samples(X, order % k if recipe.labels else shares((ROWS, k), dtype), weight)
    y = (order[:, np.newaxis] >> np.arange(k)) % 2
    return Samples(X, y[:, 0] if k == 1 else y, weight)


def gradients(dtype: str) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield loss and gradient for every kind of targets."""
    for name, recipe in GRADIENTS.items():
        net = network(recipe.case, dtype)
        X, y, weight = samples(recipe, net)
        loss, found = net.gradients(X, y, loss=recipe.loss, sample_weight=weight, training=True)
        yield f"{name}, loss", np.array([loss])
        yield f"{name}, gradient", found.flat


def steps(dtype: str) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the parameters after trainings, the last of whose batches are small."""
    for name, recipe in TRAININGS.items():
        net = network(recipe.case, dtype)
        X, y, weight = samples(recipe, net)
        optimizer = TABLE[recipe.rule](learning_rate=RATE, **recipe.options)
        net.fit(X, y, loss=recipe.loss, sample_weight=weight, epochs=EPOCHS, batch_size=BATCH,
                shuffle=False, optimizer=optimizer, threads=1, **recipe.limits)  # fmt: skip
        yield f"trained: {name}", net.parameters
