"""Metrics that `fit` records and early stopping watches, and `evaluate`."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import pymlp
from pymlp import EarlyStopping, metrics

CLASSES = ("accuracy", "balanced_accuracy", "f1", "roc_auc", "log_loss", "brier", "ece")


def blobs(m: int, k: int = 3, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, k, m)
    return rng.normal(size=(m, 4)) + 1.5 * np.eye(k, 4)[y], y


def classifier() -> pymlp.Network:
    return pymlp.Network([4, 8, 3], output="softmax", dtype="float64", seed=0)


def test_each_epoch_is_measured_with_the_parameters_that_it_left() -> None:
    X, y = blobs(90)
    net = classifier()
    seen: list[dict[str, float]] = []

    def look(network: pymlp.Network, history: pymlp.History) -> None:
        P = network.predict(X[60:])
        seen.append(
            {
                "accuracy": metrics.accuracy(y[60:], P.argmax(axis=1)),
                "balanced_accuracy": metrics.balanced_accuracy(y[60:], P.argmax(axis=1)),
                "f1": metrics.f1(y[60:], P.argmax(axis=1), average="macro"),
                "roc_auc": metrics.roc_auc(y[60:], P),
                "log_loss": metrics.log_loss(y[60:], P),
                "brier": metrics.brier(y[60:], P),
                "ece": metrics.ece(y[60:], P),
            }
        )
        assert len(history.metrics["val_accuracy"]) == len(history.loss)  # measured before

    history = net.fit(
        X[:60], y[:60], epochs=3, validation=(X[60:], y[60:]), metrics=CLASSES, callbacks=[look]
    )
    for name in CLASSES:
        assert history.metrics[f"val_{name}"] == [values[name] for values in seen]
        assert len(history.metrics[name]) == 3
    assert history.metrics["val_log_loss"] == pytest.approx(history.val_loss, rel=1e-12)
    assert history.metrics["accuracy"][-1] == net.evaluate(X[:60], y[:60])["accuracy"]


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_metrics_change_nothing_of_training(optimizer: str) -> None:
    X, y = blobs(60)
    plain, measured = classifier(), classifier()
    plain.fit(X, y, epochs=4, optimizer=optimizer, seed=1)
    history = measured.fit(X, y, epochs=4, optimizer=optimizer, seed=1, metrics="accuracy")
    assert plain.parameters.tobytes() == measured.parameters.tobytes()
    assert len(history.metrics["accuracy"]) == len(history.loss)


def test_a_metric_without_a_value_does_not_stop() -> None:
    X, y = blobs(120)
    rule = EarlyStopping(3, monitor="nothing", mode="max")

    def nothing(y: Any, a: Any) -> float:
        return float("nan")

    with pytest.raises(ValueError, match="monitor 'nothing' has no value to stop by: it was nan"):
        classifier().fit(X, y, epochs=20, validation=0.2, metrics=nothing, early_stopping=rule)


def test_early_stopping_by_a_metric_leaves_its_best_parameters() -> None:
    X, y = blobs(120)
    net = classifier()
    rule = EarlyStopping(4, monitor="accuracy")
    history = net.fit(
        X[:60], y[:60], epochs=200, learning_rate=0.02, validation=(X[60:], y[60:]),
        metrics=["accuracy"], early_stopping=rule,
    )  # fmt: skip
    recorded = history.metrics["val_accuracy"]
    assert history.watched == recorded
    assert history.stopped_by == "early_stopping"
    assert history.best_epoch == int(np.argmax(recorded))
    assert len(recorded) == history.best_epoch + 1 + rule.patience
    assert net.evaluate(X[60:], y[60:])["accuracy"] == max(recorded)


def test_a_function_of_ones_own_with_its_mode() -> None:
    X, y = blobs(60)

    def errors(labels: Any, outputs: Any) -> int:
        assert labels.shape == (60,)
        assert outputs.shape == (60, 3)
        return int((labels != outputs.argmax(axis=1)).sum())

    history = classifier().fit(
        X, y, epochs=30, metrics=errors,
        early_stopping=EarlyStopping(2, monitor="errors", mode="min", min_delta=1),
    )  # fmt: skip
    values = history.metrics["errors"]
    best = values[0]
    for value in values:
        best = value if value < best - 1 else best
    assert history.best_epoch is not None
    assert values[history.best_epoch] == best


def test_weights_are_those_of_the_loss() -> None:
    X, y = blobs(60)
    w = np.linspace(0.0, 2.0, 60)
    seen = []

    def weighted(labels: Any, outputs: Any, sample_weight: Any) -> float:
        seen.append(sample_weight)
        return metrics.accuracy(labels, outputs.argmax(axis=1), sample_weight=sample_weight)

    net = classifier()
    history = net.fit(X, y, epochs=2, sample_weight=w, class_weight={1: 3.0},
                      metrics=[weighted, "accuracy"])  # fmt: skip
    np.testing.assert_allclose(seen[0], w * np.where(y == 1, 3.0, 1.0))
    assert history.metrics["weighted"] == history.metrics["accuracy"]
    expected = metrics.accuracy(y, net.predict(X).argmax(axis=1), sample_weight=w)
    assert net.evaluate(X, y, sample_weight=w)["accuracy"] == pytest.approx(expected, rel=1e-12)


def test_two_classes_and_tables_of_labels() -> None:
    X, y = blobs(60, k=2)
    net = pymlp.Network([4, 8, 1], output="sigmoid", dtype="float64", seed=0)
    p = net.predict(X)[:, 0]
    scores = net.evaluate(X, y, metrics=[*CLASSES, "top_k_accuracy"])
    assert scores["accuracy"] == metrics.accuracy(y, p > 0.5)
    assert scores["f1"] == metrics.f1(y, p > 0.5)
    assert scores["roc_auc"] == metrics.roc_auc(y, p)
    assert scores["log_loss"] == pytest.approx(scores["loss"], rel=1e-12)
    table = np.column_stack([y, 1 - y, y])
    net = pymlp.Network([4, 8, 3], output="sigmoid", dtype="float64", seed=0)
    P = net.predict(X)
    scores = net.evaluate(X, table, metrics=["accuracy", "f1", "roc_auc"])
    assert scores["accuracy"] == metrics.accuracy(table, (P > 0.5).astype(int))
    assert scores["f1"] == metrics.f1(table, (P > 0.5).astype(int), average="macro")
    assert scores["roc_auc"] == metrics.roc_auc(table, P)


def test_numbers() -> None:
    X, _ = blobs(60)
    Y = X[:, :2] ** 2
    net = pymlp.Network([4, 8, 2], dtype="float64", seed=0)
    scores = net.evaluate(X, Y, metrics=["r2", "rmse", "mae", "mape", "quantile"])
    assert scores["r2"] == metrics.r2(Y, net.predict(X))
    assert scores["rmse"] == metrics.rmse(Y, net.predict(X))
    assert set(net.evaluate(X, Y)) == {"loss", "r2"}
    one = pymlp.Network([4, 1], seed=0)
    y = X[:, 0]
    assert one.evaluate(X, y, metrics=metrics.mae) == one.evaluate(X, y, metrics="mae")


def test_a_class_that_does_not_occur_is_left_out_of_the_area() -> None:
    X, y = blobs(40, k=2)
    assert np.isfinite(classifier().evaluate(X, y, metrics="roc_auc")["roc_auc"])
    assert np.isnan(classifier().evaluate(X[:5], [1] * 5, metrics="roc_auc")["roc_auc"])


def test_outputs_that_are_not_finite_give_nan() -> None:
    net = pymlp.Network([4, 1], init="zeros")
    net.weights[0] = np.full((4, 1), 3e38)
    assert np.isnan(net.evaluate(np.ones((2, 4)), [0.0, 1.0])["r2"])


def test_the_record_goes_into_json() -> None:
    X, y = blobs(60)
    history = classifier().fit(X, y, epochs=3, validation=0.5, metrics="accuracy")
    told = json.loads(json.dumps(history.to_dict()))
    assert told["val_accuracy"] == history.metrics["val_accuracy"]
    assert len({len(value) for value in told.values() if isinstance(value, list)}) == 1


BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"metrics": "acuracy"}, ValueError, "unknown metric 'acuracy'; did you mean 'accuracy'"),
    ({"metrics": 3}, TypeError, "metrics must be names of metrics or functions .* not int"),
    ({"metrics": ["accuracy", 3]}, TypeError, "metrics must be names .* not int"),
    ({"metrics": ["accuracy", "acc"]}, ValueError, "names of their own, and 'accuracy' is taken"),
    ({"metrics": "r2"}, ValueError, "metric 'r2': it compares numbers, and y holds classes"),
    ({"early_stopping": EarlyStopping(monitor="f1")}, ValueError, "monitor must be .*not 'f1'"),
    (
        {"metrics": lambda y, a: 1.0, "early_stopping": EarlyStopping(monitor="<lambda>")},
        ValueError,
        "mode must be 'min' or 'max' for '<lambda>'",
    ),
    ({"metrics": lambda y, a: None}, TypeError, "metric '<lambda>' must return a number, not None"),
]


@pytest.mark.parametrize(("options", "kind", "message"), BAD)
def test_what_does_not_go_is_refused(
    options: dict[str, Any], kind: type[Exception], message: str
) -> None:
    X, y = blobs(30)
    net = classifier()
    with pytest.raises(kind, match=message):
        net.fit(X, y, epochs=2, **options)
    if "None" not in message:
        assert net.parameters.tobytes() == classifier().parameters.tobytes()


def test_metrics_of_classes_need_classes() -> None:
    X, _ = blobs(30)
    with pytest.raises(ValueError, match="metric 'accuracy': it needs classes, and y holds numb"):
        pymlp.Network([4, 1]).fit(X, X[:, 0], metrics="accuracy")
    with pytest.raises(ValueError, match="metric 'brier': it needs probabilities"):
        pymlp.Network([4, 2], output="sigmoid").evaluate(X, X[:, :2] > 0, metrics="brier")


def test_what_early_stopping_refuses() -> None:
    with pytest.raises(ValueError, match="mode must be 'auto', 'min' or 'max', not 'less'"):
        EarlyStopping(mode="less")
    with pytest.raises(TypeError, match="monitor must be 'loss' or the name of a metric, not int"):
        EarlyStopping(monitor=3)  # type: ignore[arg-type]


@pytest.mark.parametrize(("epochs", "improving"), [(20, True), (3000, False)])
def test_the_record_says_whether_more_epochs_would_have_helped(
    epochs: int, improving: bool
) -> None:
    X = np.linspace(-1, 1, 20)[:, np.newaxis]
    net = pymlp.Network([1, 1], dtype="float64", seed=0)
    history = net.fit(X, 2.0 * X, epochs=epochs, batch_size=None, learning_rate=0.005)
    assert repr(history).endswith("stopped_by='epochs', still improving)") == improving
