"""A network learns in a stack, bit for bit, what it learns alone."""

from __future__ import annotations

import copy
import inspect
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pymlp
from pymlp import History, Network, NetworkStack, schedules

K, M, N = 5, 90, 4
RNG = np.random.default_rng(7)
X = RNG.standard_normal((M, N)).astype(np.float32)
NUMBERS = (X[:, :1] * X[:, 1:2] + 0.1 * RNG.standard_normal((M, 1))).astype(np.float32)
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.3)
WEIGHTS = RNG.uniform(0.5, 2.0, M)
FOLD = np.arange(M) % K
ROWS = [np.flatnonzero(i != FOLD) for i in range(K)]
HELD = [np.flatnonzero(i == FOLD) for i in range(K)]


def networks(k: int = K, output: str = "linear", **options: Any) -> list[Network]:
    widths = [N, 12, 12, 1 if output == "linear" else 3]
    return [Network(widths, output=output, seed=100 + i, **options) for i in range(k)]


def what(network: Network, history: History) -> tuple[bytes, dict[str, Any], Any]:
    record = history.to_dict()
    del record["seconds"]
    held_out = history.held_out if history.held_out is None else history.held_out.tolist()
    return network.__getstate__()["parameters"].tobytes(), record, held_out


def alone(nets: list[Network], fits: list[dict[str, Any]]) -> list[Any]:
    return [what(net, net.fit(**fit)) for net, fit in zip(nets, fits, strict=True)]


def together(nets: list[Network], **options: Any) -> list[Any]:
    stack = NetworkStack(nets)
    histories = stack.fit(**options)
    assert all(net.history is history for net, history in zip(stack, histories, strict=True))
    return [what(net, history) for net, history in zip(nets, histories, strict=True)]


ADAMW: dict[str, Any] = {
    "optimizer": pymlp.AdamW(
        0.01,
        weight_decay=0.02,
        groups={"biases": {"learning_rate": 0.1, "weight_decay": 0}, "scale": {"learning_rate": 6}},
    ),
}
NETWORKS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": ({}, {}),
    "lanes": ({"hidden": "tanh"}, {"batch_size": 7}),
    "float64": ({"dtype": "float64"}, {"optimizer": "sgd"}),
    "all rows": ({}, {"batch_size": None}),
    "in order": ({}, {"shuffle": False}),
    "recipe": (
        {"output": "softmax", "hidden": pymlp.Parametric("silu"), "dropout": 0.15,
         "scale_inputs": True, "residual": True},
        {**ADAMW, "early_stopping": pymlp.EarlyStopping(3, monitor="accuracy"),
         "metrics": ["accuracy", "log_loss"],
         "loss": pymlp.losses.CrossEntropy(label_smoothing=0.1),
         "schedule": {"learning_rate": schedules.CosLog4(per="step"),
                      "dropout": schedules.FlatCos(per="step"),
                      "label_smoothing": schedules.Function(lambda t: 1 - t)}},
    ),
    "batch norm": ({"norm": "batch", "output": "softmax"}, {"class_weight": "balanced"}),
    "average": ({"norm": "layer"}, {"average": 0.9, "l2": 0.01, "clip_norm": 1.0}),
    "schedule-free": ({}, {"optimizer": "schedulefreeadamw", "freeze": [0]}),
    "scaled": ({}, {"scale_target": True, "early_stopping": 2}),
    "plateau": ({}, {"schedule": schedules.ReduceOnPlateau(patience=1), "learning_rate": 0.1}),
}  # fmt: skip


def targets(net: dict[str, Any]) -> Any:
    return LABELS if net.get("output") == "softmax" else NUMBERS


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("weighted", [False, True])
def test_folds_are_what_each_learns_alone(kind: str, weighted: bool) -> None:
    net, options = NETWORKS[kind]
    y, w = targets(net), WEIGHTS if weighted else None
    common = {"epochs": 6, **options}
    fits = [
        {"X": X[rows], "y": y[rows], "sample_weight": None if w is None else w[rows],
         "validation": (X[held], y[held]) if w is None else (X[held], y[held], w[held]), **common}
        for rows, held in zip(ROWS, HELD, strict=True)
    ]  # fmt: skip
    fits = [fit | {"optimizer": copy.copy(fit["optimizer"])} if "optimizer" in fit else fit
            for fit in fits]  # fmt: skip
    expected = alone(networks(**net), fits)
    for threads in (1, 2, 3):
        found = together(
            networks(**net), X=X, y=y, sample_weight=w, rows=ROWS, validation_rows=HELD,
            threads=threads, **common,
        )  # fmt: skip
        assert found == expected


@pytest.mark.parametrize("kind", NETWORKS)
def test_one_x_for_all(kind: str) -> None:
    net, options = NETWORKS[kind]
    fit = {"X": X, "y": targets(net), "epochs": 4, "validation": 0.2, **options}
    fits = [fit | {"optimizer": copy.copy(options["optimizer"])} if "optimizer" in options else fit
            for _ in range(K)]  # fmt: skip
    expected = alone(networks(**net), fits)
    assert together(networks(**net), **fit) == expected


def test_any_order_of_the_networks() -> None:
    fit: dict[str, Any] = {"X": X, "y": NUMBERS, "epochs": 3, "dtype": None}
    del fit["dtype"]
    expected = together(networks(), rows=ROWS, **fit)
    turned = together(networks()[::-1], rows=ROWS[::-1], **fit)
    assert turned[::-1] == expected


@pytest.mark.parametrize("form", ["array", "list", "lists of numbers"])
def test_own_samples(form: str) -> None:
    Xs, ys = RNG.standard_normal((3, 40, N)), RNG.standard_normal((3, 40))
    expected = alone(
        networks(3), [{"X": x, "y": y, "epochs": 3} for x, y in zip(Xs, ys, strict=True)]
    )
    makes: dict[str, Callable[[Any], Any]] = {
        "array": np.asarray, "list": list, "lists of numbers": lambda a: a.tolist(),
    }  # fmt: skip
    make = makes[form]
    assert together(networks(3), X=make(Xs), y=make(ys), epochs=3) == expected


def test_own_samples_of_different_numbers() -> None:
    sizes = [17, 64, 33]
    Xs = [RNG.standard_normal((m, N)) for m in sizes]
    ys = [RNG.integers(0, 3, m) for m in sizes]
    ws = [None, RNG.uniform(1, 2, 64), None]
    own = [(Xs[1], ys[1]), (Xs[2], ys[2], np.ones(33)), (Xs[0], ys[0])]
    fits = [
        {"X": x, "y": y, "sample_weight": w, "validation": v, "epochs": 4, "early_stopping": 1}
        for x, y, w, v in zip(Xs, ys, ws, own, strict=True)
    ]
    expected = alone(networks(3, "softmax"), fits)
    found = together(
        networks(3, "softmax"), X=Xs, y=ys, sample_weight=ws, validation=own, epochs=4,
        early_stopping=1,
    )  # fmt: skip
    assert found == expected


def test_own_targets_of_one_x() -> None:
    ys = np.stack([NUMBERS[:, 0] * (i + 1) for i in range(3)])
    expected = alone(networks(3), [{"X": X, "y": y, "epochs": 2} for y in ys])
    assert together(networks(3), X=X, y=ys, epochs=2) == expected
    assert together(networks(3), X=X, y=ys[:, :, np.newaxis], epochs=2) == expected


def test_rows_may_come_several_times_and_as_masks() -> None:
    drawn = [RNG.integers(0, M, 50) for _ in range(3)]
    fits = [{"X": X[rows], "y": NUMBERS[rows], "epochs": 2} for rows in drawn]
    assert together(networks(3), X=X, y=NUMBERS, rows=drawn, epochs=2) == alone(networks(3), fits)
    masks = [i != FOLD for i in range(3)]
    fits = [{"X": X[rows], "y": NUMBERS[rows], "epochs": 2} for rows in masks]
    assert together(networks(3), X=X, y=NUMBERS, rows=masks, epochs=2) == alone(networks(3), fits)


def test_rows_of_validation_of_a_share() -> None:
    nets = networks(3)
    histories = NetworkStack(nets).fit(X, NUMBERS, rows=ROWS[:3], validation=0.25, epochs=2)
    fits = [
        {"X": X[rows], "y": NUMBERS[rows], "validation": 0.25, "epochs": 2} for rows in ROWS[:3]
    ]
    twins = networks(3)
    for net, history, fit, rows in zip(twins, histories, fits, ROWS, strict=False):
        own = net.fit(**fit)
        assert own.held_out is not None
        assert history.held_out is not None
        assert history.held_out.tolist() == rows[own.held_out].tolist()
        assert history.val_loss == own.val_loss
    assert all((a.parameters == b.parameters).all() for a, b in zip(nets, twins, strict=True))


def test_seeds_go_on_as_those_of_single_networks() -> None:
    nets, twins = networks(2), networks(2)
    for _ in range(2):
        expected = alone(twins, [{"X": X, "y": NUMBERS, "epochs": 1}] * 2)
        assert together(nets, X=X, y=NUMBERS, epochs=1) == expected
    expected = alone(twins, [{"X": X, "y": NUMBERS, "epochs": 1, "seed": s} for s in (3, 4)])
    assert together(nets, X=X, y=NUMBERS, epochs=1, seed=[3, 4]) == expected


def test_optimisers_of_a_list_go_on() -> None:
    nets, twins = networks(2), networks(2)
    ours, theirs = ([pymlp.Adam(0.01), pymlp.SGD(0.1)] for _ in range(2))
    for _ in range(2):
        fits = [{"X": X, "y": NUMBERS, "epochs": 2, "optimizer": one} for one in theirs]
        expected = alone(twins, fits)
        assert together(nets, X=X, y=NUMBERS, epochs=2, optimizer=ours) == expected
    assert [one.steps for one in ours] == [one.steps for one in theirs] == [12, 12]


def test_a_rule_takes_no_steps_itself() -> None:
    rule = pymlp.Adam(0.01)
    NetworkStack(networks(2)).fit(X, NUMBERS, epochs=1, optimizer=rule)
    assert rule.steps == 0


def test_more_networks_than_are_in_memory_at_once() -> None:
    nets = [Network([N, 2, 1], seed=i) for i in range(150)]
    twins = [Network([N, 2, 1], seed=i) for i in range(150)]
    expected = alone(twins, [{"X": X, "y": NUMBERS, "epochs": 2}] * 150)
    assert together(nets, X=X, y=NUMBERS, epochs=2, threads=2) == expected


def test_user_functions() -> None:
    square = pymlp.Activation(forward=lambda z: z * z, derivative=lambda z: 2 * z)
    expected = alone(networks(2, hidden=square), [{"X": X, "y": NUMBERS, "epochs": 2}] * 2)
    nets = networks(2, hidden=square)
    assert together(nets, X=X, y=NUMBERS, epochs=2, threads=2) == expected
    assert (NetworkStack(nets).predict(X)[1] == nets[1].predict(X)).all()


# ---- what is looked at between epochs ------------------------------------------------------------


def test_callbacks_are_of_each_network() -> None:
    nets, seen = networks(3), []

    def callback(network: Network, history: History) -> bool:
        seen.append((nets.index(network), len(history.loss)))
        return network is nets[1]

    histories = NetworkStack(nets).fit(X, NUMBERS, epochs=2, callbacks=[callback])
    assert sorted(seen) == [(0, 1), (0, 2), (1, 1), (2, 1), (2, 2)]
    assert [history.stopped_by for history in histories] == ["epochs", "callback", "epochs"]


def test_an_error_of_a_callback_tells_its_network() -> None:
    nets = networks(3)

    def callback(network: Network, history: History) -> None:
        if network is nets[2]:
            raise KeyError("mine")

    with pytest.raises(KeyError) as caught:
        NetworkStack(nets).fit(X, NUMBERS, epochs=3, callbacks=[callback])
    assert caught.value.__notes__ == ["This came of networks[2] of the stack."]
    assert [net.history and net.history.stopped_by for net in nets] == ["interrupted"] * 3
    NetworkStack(nets).fit(X, NUMBERS, epochs=1)  # none of them is in training any more


def test_a_network_that_diverges_leaves_the_others_trained() -> None:
    optimizers = [pymlp.SGD(0.01), pymlp.SGD(1e30), pymlp.SGD(0.01)]
    nets, twins = networks(3), networks(3)
    with pytest.raises(pymlp.TrainingDiverged, match=r"networks\[1\] in epoch 1, of 3"):
        NetworkStack(nets).fit(X, NUMBERS, epochs=3, optimizer=optimizers)
    reasons = [net.history and net.history.stopped_by for net in nets]
    assert reasons == ["epochs", "diverged", "epochs"]
    for i in (0, 2):
        twins[i].fit(X, NUMBERS, epochs=3, optimizer=pymlp.SGD(0.01))
        assert (nets[i].parameters == twins[i].parameters).all()
    assert (nets[1].parameters == twins[1].parameters).all()


def test_time_is_for_all_together() -> None:
    nets = networks(K)
    histories = NetworkStack(nets).fit(X, NUMBERS, epochs=10**9, max_seconds=0.2, rows=ROWS)
    assert {history.stopped_by for history in histories} == {"max_seconds"}
    epochs = [len(history.loss) for history in histories]
    assert min(epochs) > 0.5 * max(epochs)  # they take turns


def test_a_second_training_is_refused() -> None:
    nets = networks(2)
    found: list[str] = []

    def callback(network: Network, history: History) -> None:
        with pytest.raises(RuntimeError, match=r"networks\[0\]: this network is being trained"):
            NetworkStack(nets).fit(X, NUMBERS, epochs=1)
        with pytest.raises(RuntimeError, match="being trained already"):
            nets[1].fit(X, NUMBERS, epochs=1)
        found.append("refused")

    NetworkStack(nets).fit(X, NUMBERS, epochs=1, callbacks=[callback])
    assert found == ["refused"] * 2
    NetworkStack(nets).fit(X, NUMBERS, epochs=1)


def test_the_progress_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tqdm")
    NetworkStack(networks(3)).fit(X, NUMBERS, epochs=2, progress=True)
    shown = capsys.readouterr().err
    assert "3/3 networks" in shown
    assert "540" in shown


def test_another_thread_may_predict_meanwhile() -> None:
    nets = networks(3)
    stack, stop, wrong = NetworkStack(nets), threading.Event(), []

    def predict() -> None:
        while not stop.is_set():
            if not np.isfinite(stack.predict(X)).all():
                wrong.append(1)

    reader = threading.Thread(target=predict)
    reader.start()
    try:
        stack.fit(X, NUMBERS, epochs=20)
    finally:
        stop.set()
        reader.join()
    assert wrong == []


# ---- what it is ----------------------------------------------------------------------------------


def test_options_are_those_of_a_network() -> None:
    ours = inspect.signature(NetworkStack.fit).parameters
    theirs = inspect.signature(Network.fit).parameters
    assert set(theirs) - set(ours) == {"unknown"}
    assert set(ours) - set(theirs) == {"rows", "validation_rows"}
    assert all(ours[name].default == p.default for name, p in theirs.items() if name != "unknown")


def test_prediction() -> None:
    nets = networks(3)
    stack, Xs = NetworkStack(nets), RNG.standard_normal((3, 700, N)).astype(np.float32)
    each = np.stack([net.predict(X) for net in nets])
    own = np.stack([net.predict(x) for net, x in zip(nets, Xs, strict=True)])
    for threads in (1, 2, 3):
        assert (stack.predict(X, threads=threads) == each).all()
        assert (stack(Xs, threads=threads) == own).all()
    assert (stack.predict(list(Xs)) == own).all()
    ragged = stack.predict([Xs[0], Xs[1][:5], Xs[2][:9]])
    assert [y.shape for y in ragged] == [(700, 1), (5, 1), (9, 1)]
    out = np.empty((3, M, 1), np.float32)
    assert stack.predict(X, out=out) is out
    assert (out == each).all()


def test_losses_and_metrics() -> None:
    nets = networks(3)
    stack = NetworkStack(nets)
    assert stack.loss(X, NUMBERS).tolist() == [net.loss(X, NUMBERS) for net in nets]
    scores = stack.evaluate(X, NUMBERS, metrics=["r2", "mae"])
    assert scores["mae"].tolist() == [
        net.evaluate(X, NUMBERS, metrics="mae")["mae"] for net in nets
    ]


def test_it_is_a_sequence_of_the_users_networks() -> None:
    nets = networks(4)
    stack = NetworkStack(iter(nets))
    assert stack.networks == tuple(nets)
    assert list(stack) == nets
    assert len(stack) == 4
    assert stack[1] is nets[1]
    assert stack[-1] is nets[-1]
    assert list(stack[1:3]) == nets[1:3]
    assert isinstance(stack[1:3], NetworkStack)
    assert list(stack[[3, 0]]) == [nets[3], nets[0]]
    assert list(stack[np.array([True, False, False, True])]) == [nets[0], nets[3]]
    assert stack.widths == (N, 12, 12, 1)
    assert stack.dtype == np.float32
    assert repr(stack).startswith("NetworkStack(4 x Network([4, 12, 12, 1]")
    assert "4 networks of one shape" in stack._repr_html_()
    assert stack.histories == [None] * 4
