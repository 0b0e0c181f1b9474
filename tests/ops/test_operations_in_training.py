"""Training networks with norms, residuals, scales and parametric activations, and what it leaves.

Steps are those of the reference, running statistics and predictions included; layers stand still
where they are frozen; copies, pickles and files go on alike.
"""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import reference
from cases import (
    AssertClose,
    Rng,
    flat_parameters,
    random_inputs,
    random_network,
    random_targets,
)
from operation_cases import NETWORKS, Case, by_name, case, network
from reference import Mode
from rules import Rule, by_rule

import pymlp
from pymlp import Network, _core_test

THREADS = (1, 3)
TRAINING = Mode(training=True)

# ---- against the reference -----------------------------------------------------------------------
INPUTS = 0xFFFFFFFE  # in the place of a layer's number


def mask(m: int, n: int, rate: float, seed: int, step: int, layer: int) -> list[list[float]]:
    if rate == 0.0:
        return [[1.0] * n] * m
    result: list[list[float]] = _core_test.dropout(
        np.ones((m, n)), rate, seed, step, layer
    ).tolist()
    return result


def masks_of(net: Network, m: int, seed: int, step: int) -> list[list[list[float]]]:
    return [
        mask(m, n, rate, seed, step, layer)
        for layer, (n, rate) in enumerate(zip(net.widths[1:-1], net.dropout, strict=True))
    ]


def input_mask_of(net: Network, m: int, seed: int, step: int) -> list[list[float]]:
    return mask(m, net.embedded_width, net.input_dropout, seed, step, INPUTS)


SEED = 2**40 + 5


def recipe_of(net: Network, rule: Rule, **options: Any) -> reference.Recipe:
    return reference.Recipe(
        "mse", rule.name, rule.options,
        masks=lambda step, m: masks_of(net, m, SEED, step),
        input_mask=lambda step, m: input_mask_of(net, m, SEED, step),
        **{"epochs": 2, "batch_size": 4, **options},
    )  # fmt: skip


def assert_same_training(
    assert_close: AssertClose, case: Case, rule: Rule, freeze: tuple[int, ...] = ()
) -> None:
    net, twin, X, Y = case
    recipe = recipe_of(net, rule, freeze=freeze)
    trained, expected = reference.train(twin, X.tolist(), Y.tolist(), recipe)
    optimizer = rule.make()
    history = net.fit(
        X, Y, loss="mse", epochs=2, batch_size=4, shuffle=False, optimizer=optimizer, seed=SEED,
        freeze=freeze,
    )  # fmt: skip
    assert optimizer.steps == expected.steps
    assert_close(net.parameters, flat_parameters(trained), "training")
    assert_close(np.array(history.loss, net.dtype), expected.loss, "training")
    for layer, statistics in zip(net.layers, trained.running, strict=False):
        assert_close(layer.running_mean, statistics[0], "training")
        assert_close(layer.running_variance, statistics[1], "training")
    assert_close(net.predict(X), reference.predict(trained, X.tolist()), "training")


SGD = Rule(pymlp.SGD, {"learning_rate": 0.05, "momentum": 0.9})
# Biases before a batch norm have no gradient but what rounding leaves, which an optimiser that
# divides by its size would make much of, were epsilon not larger.
ADAMW = Rule(
    pymlp.AdamW,
    {"learning_rate": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 0.1, "weight_decay": 0.1},
)


@by_name
@pytest.mark.parametrize("rule", [SGD, ADAMW], ids=["sgd", "adamw"])
def test_training(name: str, rule: Rule, dtype: str, assert_close: AssertClose) -> None:
    # The last batch has one sample, which batch norm adds to the one before it.
    assert_same_training(assert_close, case(name, 9, dtype), rule)


@by_rule
def test_training_with_every_optimiser(rule: Rule, dtype: str, assert_close: AssertClose) -> None:
    assert_same_training(assert_close, case("scale, parametric", 10, dtype), rule)


@pytest.mark.parametrize("freeze", [(0,), (1,), (3,), (0, 1), (0, 2), (1, 3), (0, 1, 2), (1, 2, 3)])
@pytest.mark.parametrize("name", [f"all, {norm} norm" for norm in ("layer", "rms", "batch")])
def test_training_with_frozen_layers(
    name: str, freeze: tuple[int, ...], dtype: str, assert_close: AssertClose
) -> None:
    trained = case(name, 9, dtype)
    before = pickle.loads(pickle.dumps(trained.net))
    assert_same_training(assert_close, trained, ADAMW, freeze)
    names = "weights", "biases", "gain", "shift", "alpha", "running_mean", "running_variance"
    for layer, (own, earlier) in enumerate(zip(trained.net.layers, before.layers, strict=True)):
        for attribute in names:
            if (array := getattr(own, attribute)) is not None:
                stands_still = array.tobytes() == getattr(earlier, attribute).tobytes()
                assert stands_still == (layer in freeze), (layer, attribute)
    scale_stands_still = (trained.net.input_scale == before.input_scale).all()
    assert scale_stands_still == (0 in freeze)


@pytest.mark.parametrize("limit", [{"max_norm": 0.1}, {"l1": 0.1}, {"l2": 0.1}])
def test_limits_and_penalties_leave_frozen_layers_alone(limit: dict[str, float], rng: Rng) -> None:
    net = random_network(rng, [4, 6, 6, 3], hidden="tanh", norm="layer", dtype="float64")
    X, Y = random_inputs(rng, 9, net), random_targets(rng, 9, 3, "mse", "float64")
    before = net.copy()
    net.fit(X, Y, epochs=2, batch_size=3, optimizer=pymlp.SGD(0.1), freeze=(1,), **limit)
    assert (net.weights[1] == before.weights[1]).all()
    for layer in (0, 2):
        assert (net.weights[layer] != before.weights[layer]).any()


@pytest.mark.parametrize("name", ["all, layer norm", "all, batch norm"])
def test_a_step_follows_the_gradients_of_training(
    name: str, dtype: str, assert_close: AssertClose
) -> None:
    # With the same draws, which looking at them leaves where they are.
    net, _, X, Y = case(name, 8, dtype)
    before = net.parameters.copy()
    states = [pickle.dumps(net)]
    for _ in range(2):
        J, grads = net.gradients(X, Y, loss="mse", training=True)
        assert net.loss(X, Y, loss="mse", training=True) == J
        states.append(pickle.dumps(net))
    assert len(set(states)) == 1
    assert net.loss(X, Y, loss="mse") != J
    assert net.train_batch(X, Y, loss="mse", optimizer=pymlp.SGD(0.5)) == J
    assert_close(net.parameters, before - 0.5 * grads.flat.astype("float64"), "training")
    assert net.loss(X, Y, loss="mse", training=True) != J


@pytest.mark.parametrize("name", ["batch norm", "all, batch norm"])
def test_running_statistics_follow_every_step(
    name: str, dtype: str, assert_close: AssertClose
) -> None:
    net, twin, X, Y = case(name, 8, dtype, dropout=0.0, input_dropout=0.0)
    expected = reference.with_new_statistics(twin, X.tolist(), None, TRAINING)
    net.train_batch(X, Y, loss="mse", optimizer=pymlp.SGD(0.0001))
    for layer, (mean, variance) in zip(net.layers, expected.running, strict=False):
        assert_close(layer.running_mean, mean, "training")
        assert_close(layer.running_variance, variance, "training")


def test_many_steps_bring_the_statistics_of_the_data(rng: Rng) -> None:
    net = Network([3, 8, 2], norm="batch", hidden="tanh", dtype="float64", seed=0)
    X = rng.normal(2.0, 3.0, (64, 3))
    Y = rng.normal(size=(64, 2))
    net.fit(X, Y, epochs=300, batch_size=None, optimizer=pymlp.SGD(1e-9))
    z = X @ net.weights[0] + net.biases[0]
    assert net.layers[0].running_mean == pytest.approx(z.mean(axis=0), rel=1e-6)
    assert net.layers[0].running_variance == pytest.approx(z.var(axis=0, ddof=1), rel=1e-6)


@pytest.mark.parametrize("m", [300, 700])
@pytest.mark.parametrize("name", ["batch norm", "together, batch norm", "layer norm"])
def test_a_step_of_many_rows(name: str, m: int, dtype: str, assert_close: AssertClose) -> None:
    net, twin, X, Y = case(name, m, dtype)
    recipe = recipe_of(net, SGD, epochs=1, batch_size=m)
    trained, _ = reference.train(twin, X.tolist(), Y.tolist(), recipe)
    for threads in THREADS:
        other = net.copy()
        other.fit(
            X, Y, loss="mse", epochs=1, batch_size=None, shuffle=False, optimizer=SGD.make(),
            seed=SEED, threads=threads,
        )  # fmt: skip
        assert_close(other.parameters, flat_parameters(trained), "training")
        for layer, (mean, variance) in zip(other.layers, trained.running, strict=False):
            assert_close(layer.running_mean, mean, "training")
            assert_close(layer.running_variance, variance, "training")


def test_best_parameters_come_with_their_statistics(rng: Rng) -> None:
    net = random_network(rng, [3, 6, 2], hidden="tanh", norm="batch", dtype="float64")
    X, Y = random_inputs(rng, 20, net), random_targets(rng, 20, 2, "mse", "float64")
    kept: list[Network] = []
    history = net.fit(
        X, Y, epochs=30, batch_size=5, validation=(X, -Y), optimizer=pymlp.SGD(0.2),
        early_stopping=pymlp.EarlyStopping(patience=3),
        callbacks=[lambda net, history: kept.append(net.copy())],
    )  # fmt: skip
    best = kept[history.best_epoch]
    assert net.loss(X, -Y) == pytest.approx(min(history.val_loss), rel=1e-12)
    assert (net.layers[0].running_mean == best.layers[0].running_mean).all()
    assert (net.layers[0].running_variance == best.layers[0].running_variance).all()


@pytest.mark.parametrize("name", ["layer norm, residual", "rms norm, wide", "scale, parametric"])
def test_lbfgs_learns_everything(name: str) -> None:
    net, _, X, Y = case(name, 20, "float64")
    before, J = net.copy(), net.loss(X, Y, loss="mse")
    net.fit(X, Y, loss="mse", optimizer="lbfgs", epochs=15)
    assert net.loss(X, Y, loss="mse") < 0.7 * J
    assert (net.parameters != before.parameters).all()


# ---- copies and files ----------------------------------------------------------------------------
@by_name
def test_copies_pickles_and_files_have_everything(name: str, dtype: str, tmp_path: Path) -> None:
    net, _, X, Y = case(name, 8, dtype)
    net.fit(X, Y, loss="mse", epochs=1, batch_size=4, optimizer=pymlp.SGD(0.05))
    net.save(tmp_path / "net.safetensors")
    twins = net.copy(), pickle.loads(pickle.dumps(net)), pymlp.load(tmp_path / "net.safetensors")
    for twin in twins:
        assert repr(twin) == repr(net)
        assert twin._core.arena.tobytes() == net._core.arena.tobytes()
        assert (twin.predict(X) == net.predict(X)).all()
        assert twin.summary() == net.summary()
    for each in (*twins, net):
        each.fit(X, Y, loss="mse", epochs=2, batch_size=4, optimizer=pymlp.Adam())
    assert len({each._core.arena.tobytes() for each in (*twins, net)}) == 1


@by_name
def test_it_says_what_it_is(name: str) -> None:
    net = network(np.random.default_rng(0), name, "float32")
    _, options = NETWORKS[name]
    shown = repr(net)
    for option in ("norm", "residual", "scale_inputs", "input_dropout", "embedding"):
        assert (option in shown) == (option in options), option
    assert ("Parametric" in shown) == ("Parametric" in repr(options))
    header, *rows, totals = net.summary().splitlines()
    rows, embedded = rows[: len(net.layers)], rows[len(net.layers) :]
    counts = [int(row.split()[-1].replace(",", "")) for row in rows]
    counts += [int(row.split()[-2].replace(",", "")) for row in embedded[-1:]]
    assert embedded[:-1] == [repr(one) for one in net.embedding]
    assert sum(counts) == net.n_parameters
    assert f"{net.n_parameters:,} parameters" in totals
    assert ("running means and variances" in totals) == (options.get("norm") == "batch")
    layers = [vars(layer)["_views"] for layer in net.layers]
    shown_of = {name for views in layers for name in views if not name.startswith("running")}
    assert shown_of <= set(header.split())
    assert ("norm" in header.split(), "residual" in header.split()) == (
        "norm" in options,
        "residual" in options,
    )


@by_name
def test_its_plan_adds_up(name: str) -> None:
    net = network(np.random.default_rng(0), name, "float32")
    _, options = NETWORKS[name]
    plan = net.plan(batch_size=64)
    _, header, *table = str(plan).splitlines()
    rows = table[: len(plan.operations)]
    place = header.index("parameters") + len("parameters")
    cells = [row[:place].split()[-1] for row in rows]
    counts = [
        int(cell.replace(",", ""))
        for cell, operation in zip(cells, plan.operations, strict=True)
        if operation.parameters
    ]
    assert sum(counts) == net.n_parameters == plan.n_parameters
    numbers = [row.split()[0] for row in rows if not row.startswith("      ")]
    assert numbers == [str(i + 1) for i in range(len(net.layers))]
    assert ("batch norm needs all rows" in str(plan)) == (options.get("norm") == "batch")
    assert "<table" in plan._repr_html_()
