"""Files of models that are in order, of every kind: what `fuzz.mutants` changes."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import pymlp
from pymlp import cli

GoOn = Callable[..., None]
ROOT = Path(__file__).parents[1]
X = np.random.default_rng(0).normal(size=(40, 3))
LABELS = np.array(["a", "b", "c", "a"] * 10)
TABLE = {
    "size": [None, *X[1:, 0].tolist()],
    "city": ["Bern", "Chur", None, "Chur"] * 10,
    "day": (np.datetime64("2024-01-01") + 5 * np.arange(40)).tolist(),
}
TEXTS = ("table", "estimator", "preprocessing", "training", "checkpoint", "optimizer")


def _networks(folder: Path) -> dict[str, Any]:
    ramps = pymlp.embeddings.PiecewiseLinear({0: [-1.0, 0.5], 2: [0.0, 1.0, 2.0]}, width=3)
    embedding = [ramps, pymlp.embeddings.Periodic([1], frequencies=2)]
    networks: dict[str, Any] = {
        "network": pymlp.Network(
            [3, 4, 2], norm="batch", hidden=pymlp.Parametric("gelu"), output="softmax",
            dropout=0.1, scale_inputs=True, feature_names=["a", "b", "c"], seed=0,
        ),
        "plain": pymlp.Network([3, 2], dtype="float64", bias=False, seed=1),
        "embedded": pymlp.Network([3, 4, 2], embedding=embedding, seed=0),
        "categories": pymlp.Network([3, 2], embedding=pymlp.embeddings.Categories({1: 9}), seed=0),
        "stack": pymlp.NetworkStack(pymlp.Network([3, 4, 2], seed=i) for i in range(3)),
    }  # fmt: skip
    for name, network in networks.items():
        network.save(folder / name)
    return dict.fromkeys(networks, np.abs(np.rint(X)))


def _models(folder: Path) -> dict[str, Any]:
    given = {"hidden_layer_sizes": 4, "epochs": 2, "random_state": 0}
    pairs = np.stack([X[:, 0], X[:, 1]], axis=1)
    embeds = {"activation": pymlp.Parametric("selu"), "optimizer": pymlp.Adam(0.01)}
    pymlp.TabularClassifier(**given, n_members=2).fit(TABLE, LABELS).save(folder / "table")
    pymlp.TabularRegressor(**given, **embeds).fit(TABLE, X[:, 1]).save(folder / "amounts")
    pymlp.TabularRegressor(**given, quantiles=[0.1, 0.5, 0.9]).fit(TABLE, X[:, 1]).save(
        folder / "quantiles"
    )
    pymlp.TabularRegressor(**given).fit(TABLE, pairs).save(folder / "pairs")
    return dict.fromkeys(("table", "amounts", "quantiles", "pairs"), TABLE)


def _estimators(folder: Path) -> dict[str, Any]:
    given = {"hidden_layer_sizes": (4,), "max_iter": 2, "random_state": 0, "scale": True}
    early = pymlp.MLPClassifier(**given, early_stopping=True, activation=pymlp.ELU(0.5))
    early.fit(X, LABELS).save(folder / "classifier")
    pymlp.MLPRegressor(**given, loss=pymlp.losses.Huber(2.0)).fit(X, X[:, 0]).save(
        folder / "regressor"
    )
    return dict.fromkeys(("classifier", "regressor"), X)


def _trained(folder: Path) -> dict[str, Any]:
    lines = [f"{size},{city}" for size, city in zip(X[:, 0], TABLE["city"], strict=True)]
    data = folder / "data.csv"
    data.write_text("\n".join(["size,city", *(line.replace("None", "") for line in lines)]))
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        line = ["train", str(data), "--target", "size", "--epochs", "2", "--force", "--out"]
        assert cli.main([*line, str(folder / "trained")]) == 0
    earlier = ROOT / "tests/network/data/table-0.1.0.safetensors"
    (folder / "earlier").write_bytes(earlier.read_bytes())
    rows = {"sort": ["a"], "length": [1.0], "width": [2.0]}
    return {"trained": {"city": TABLE["city"]}, "earlier": rows}


def _checkpoints(folder: Path) -> dict[str, Any]:
    for name, go_on in GO_ON.items():
        go_on(folder / name, 2)
    net = pymlp.Network([3, 4, 2], seed=0)
    adam = pymlp.Adam()
    net.train_batch(X, X[:, :2], optimizer=adam)
    net.save(folder / "optimizer", optimizer=adam)
    return dict.fromkeys((*GO_ON, "optimizer"), X) | {"run_of_table": TABLE}


def _go_on_network(path: Path, epochs: int = 3) -> None:
    net = pymlp.Network([3, 4, 2], norm="batch", dropout=0.1, output="softmax", seed=0)
    net.fit(
        X, LABELS == "a", epochs=epochs, validation=0.3, early_stopping=5, metrics="f1",
        average=0.9, checkpoint=path, resume=True,
    )  # fmt: skip


def _go_on_stack(path: Path, epochs: int = 3) -> None:
    stack = pymlp.NetworkStack(pymlp.Network([3, 4, 2], seed=i) for i in range(3))
    stack.fit(X, X[:, :2], epochs=epochs, optimizer="sgd", checkpoint=path, resume=True)


def _go_on_lbfgs(path: Path, epochs: int = 3) -> None:
    net = pymlp.Network([3, 2], seed=0)
    net.fit(X, X[:, :2], epochs=epochs, optimizer="lbfgs", checkpoint=path, resume=True)


def _go_on_estimator(path: Path, epochs: int = 3) -> None:
    given = {"hidden_layer_sizes": (4,), "early_stopping": True, "random_state": 0}
    model = pymlp.MLPClassifier(max_iter=epochs, **given)
    model.fit(X, LABELS, checkpoint=path, resume=True)


def _go_on_table(path: Path, epochs: int = 2) -> None:
    model = pymlp.TabularClassifier(hidden_layer_sizes=4, epochs=2, n_members=2, random_state=0)
    model.fit(TABLE, LABELS, checkpoint=path, resume=True)


# Trainings by their checkpoints' kinds: begun, or gone on with, until so many epochs.
GO_ON: dict[str, GoOn] = {
    "run": _go_on_network,
    "run_of_stack": _go_on_stack,
    "run_of_lbfgs": _go_on_lbfgs,
    "run_of_estimator": _go_on_estimator,
    "run_of_table": _go_on_table,
}


class Original(NamedTuple):
    """A file that is in order."""

    data: bytes
    rows: Any
    """What its model predicts for."""
    go_on: GoOn | None
    """The training whose checkpoint it is."""


def originals(folder: Path) -> dict[str, Original]:
    """Return a file of every kind."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that two epochs are few
        rows = _networks(folder) | _models(folder) | _trained(folder)
        with contextlib.suppress(ImportError):
            rows |= _estimators(folder) | _checkpoints(folder)
    return {
        name: Original((folder / name).read_bytes(), inputs, GO_ON.get(name))
        for name, inputs in rows.items()
    }
