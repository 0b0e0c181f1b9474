"""Networks whose results are known: every kind of operation, every optimiser that takes steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pymlp import config, losses
from pymlp._optimizer import Optimizer
from pymlp.activations import Parametric
from pymlp.certificate.inputs import numbers
from pymlp.embeddings import Categories, Periodic, PiecewiseLinear
from pymlp.network import Network
from pymlp.optimizers import TABLE

CATEGORIES = 3


class Case(NamedTuple):
    """A network by its widths and options."""

    widths: list[int]
    options: dict[str, Any]


_ALL = {"residual": True, "scale_inputs": True, "hidden": Parametric("silu")}
_EMBEDDING = [
    Periodic([0], frequencies=2, width=2),
    Categories({1: CATEGORIES}, width=2),
    PiecewiseLinear({2: [-1.0, 0.25, 1.5]}, width=2),
]
# Small, as the reference computes in plain Python.
OPERATIONS = {
    "dense": Case([3, 4, 2], {"output": "softmax"}),
    "layer norm": Case([3, 3, 2], {"norm": "layer", **_ALL}),
    "rms norm": Case([3, 3, 2], {"norm": "rms", **_ALL}),
    "batch norm": Case([3, 3, 2], {"norm": "batch", **_ALL}),
    "embeddings": Case([3, 3, 2], {"embedding": _EMBEDDING}),
}
RULES = [name for name in TABLE if name != "lbfgs"]
STEPS = 3


def network(case: Case, dtype: str) -> Network:
    """Return a network whose parameters are known."""
    net = Network(case.widths, **{"hidden": "tanh", **case.options}, dtype=dtype, seed=0)
    net.parameters = numbers((net.n_parameters,), dtype, low=-1.0, width=2.0)
    return net


def samples(net: Network, m: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return inputs, and targets between 0 and 1 that sum to 1."""
    dtype = str(net.dtype)
    X = numbers((m, net.widths[0]), dtype, low=-2.0, width=4.0)
    for column, size in ((c, s) for one in net.embedding for c, s in getattr(one, "sizes", ())):
        X[:, column] = np.arange(m) % size
    k = net.widths[-1]
    y = np.eye(k, dtype=dtype)[np.arange(m) % k] if k > 1 else np.abs(X[:, :1]) / 4
    return X, y


def gradients(dtype: str) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the loss and the gradient of every kind of operation, as a training step has them."""
    for name, case in OPERATIONS.items():
        net = network(case, dtype)
        loss, found = net.gradients(*samples(net, 5), loss="mse", training=True)
        yield f"{name}, loss", np.array([loss])
        yield f"{name}, gradient", found.flat


def optimizer(rule: str) -> Optimizer:
    """Return one with a learning rate that moves parameters far."""
    return TABLE[rule](learning_rate=0.05)


def steps(dtype: str) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the parameters after some steps of every optimiser."""
    for rule in RULES:
        net = network(Case([2, 2, 1], {}), dtype)
        X, y = samples(net, 4)
        net.fit(X, y, loss="mse", epochs=STEPS, batch_size=4, shuffle=False,
                optimizer=optimizer(rule), threads=1)  # fmt: skip
        yield f"{rule}, {STEPS} steps", net.parameters


# ---- trainings -----------------------------------------------------------------------------------
class Training(NamedTuple):
    """A network, and how it is trained."""

    widths: list[int]
    options: dict[str, Any]
    rule: str
    fit: dict[str, Any]
    labels: bool = False  # of classes, with weights of samples


# Odd widths: whole tiles and what is left of them, samples as lanes, several blocks.
TRAININGS = {
    "dense": Training([31, 100, 47, 10], {"dropout": 0.2}, "adam", {"clip_norm": 0.05}),
    "layer norm": Training(
        [17, 17, 64, 5], {"norm": "layer", "dropout": 0.1, **_ALL}, "adamw", {"l1": 1e-4}
    ),
    "rms norm": Training([5, 130, 31, 2], {"norm": "rms"}, "lion", {"average": 0.9}),
    "batch norm": Training(
        [17, 33, 33, 3], {"norm": "batch", "input_dropout": 0.1, **_ALL}, "nadam", {"l2": 1e-3}
    ),
    "embeddings": Training([3, 33, 5], {"embedding": _EMBEDDING}, "rmsprop", {"max_norm": 1.5}),
    "samples as lanes": Training([4, 16, 9, 3], {"output": "softmax"}, "sgd", {}),
    "schedule-free": Training([9, 20, 1], {"hidden": "gelu"}, "schedulefreeadamw", {}),
    "labels": Training([7, 19, 5], {"output": "softmax"}, "momentum", {"clip_value": 0.01}, True),
    "labels of many classes": Training(
        [5, 9, 40], {"output": "log_softmax"}, "adagrad", {"clip_norm": 0.5}, True
    ),
    "yes or no": Training([6, 17, 1], {"output": "sigmoid"}, "amsgrad", {"l2": 1e-3}, True),
}
ROWS, BATCH, EPOCHS = 120, 64, 2


def labels(net: Network) -> NDArray[np.int64]:
    """Return the classes of the samples, in no order that rows have."""
    return np.arange(ROWS) ** 2 % 113 % max(2, net.widths[-1])


def _weighted(net: Network) -> dict[str, Any]:
    kind = losses.BinaryCrossEntropy if net.widths[-1] == 1 else losses.CrossEntropy
    weights = numbers((ROWS,), str(net.dtype), low=0.25, width=2.0)
    return {"loss": kind(label_smoothing=0.1), "sample_weight": weights}


def trained(name: str, dtype: str, threads: int | None = None) -> list[NDArray[Any]]:
    """Return losses, parameters and predictions of a training, in the exact arithmetic."""
    case = TRAININGS[name]
    net = Network(case.widths, **{"hidden": "tanh", **case.options}, dtype=dtype, seed=7)
    X, y = samples(net, ROWS)
    given = {"loss": "mse", **case.fit}
    if case.labels:
        y, given = labels(net), {**case.fit, **_weighted(net)}
    with config.arithmetic("exact"):
        history = net.fit(X, y, epochs=EPOCHS, batch_size=BATCH, seed=5,
                          optimizer=optimizer(case.rule), threads=threads, **given)  # fmt: skip
        rows = net.predict(X, threads=threads)
        return [np.array(history.loss), net.parameters, rows, net.predict(X[:1])]
