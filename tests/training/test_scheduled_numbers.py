"""Schedules of other numbers than the learning rate: each step has its own, and none stays."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import reference
from cases import (
    AssertClose,
    FloatArray,
    Rng,
    flat_parameters,
    random_labels,
    random_network,
    rows_of,
    to_reference,
)
from rules import RULES, Rule

import pymlp
from pymlp import History, Network, _core, _core_test, losses
from pymlp.schedules import (
    Constant,
    Cosine,
    CosLog4,
    Exponential,
    FlatCos,
    Function,
    ReduceOnPlateau,
    Schedule,
    Step,
    WarmUp,
)

EPOCHS, SAMPLES, BATCH, STEPS = 6, 22, 5, 5  # the last of five batches has two samples
TOTAL = EPOCHS * STEPS
SEED = 2**40 + 1
Samples = tuple[FloatArray, Any]


class Falls(Schedule):
    """A schedule that Python evaluates."""

    def rate_at(self, rate: float, t: int, total: int) -> float:
        return rate * (1 - t / total)


SCHEDULES: dict[str, Schedule] = {
    "per step": FlatCos(),
    "per epoch": Exponential(0.7),
    "anew": Cosine(4, restarts=True, per="step"),
    "warmed up": WarmUp(3, start=0.5, then=Cosine(minimum=0.01)),
    "of ones own": Falls(per="step"),
    "of ones own, warmed up": WarmUp(2, start=0.5, then=Falls()),
    "function": Function(lambda t: 1.0 - t),
}
by_schedule = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)


def at(schedule: Schedule, base: float, step: int) -> float:
    """Return what a number is in a step."""
    epochs = schedule.per == "epoch"
    return schedule.rate_at(base, step // STEPS if epochs else step, EPOCHS if epochs else TOTAL)


def classifier(rng: Rng, **options: Any) -> tuple[Network, Samples]:
    given = {"hidden": "tanh", "output": "softmax", "dtype": "float64", **options}
    net = random_network(rng, [4, 7, 5, 3], **given)
    return net, (rng.normal(size=(SAMPLES, 4)), random_labels(rng, SAMPLES, 3))


def fit(net: Network, samples: Samples, **options: Any) -> History:
    given = {"epochs": EPOCHS, "batch_size": BATCH, "shuffle": False, "seed": SEED, **options}
    return net.fit(*samples, **given)


def by_the_reference(net: Network, samples: Samples, rule: Rule, **options: Any) -> FloatArray:
    recipe = reference.Recipe("cross_entropy", rule.name, rule.options, EPOCHS, BATCH, **options)
    X, y = samples
    twin, _ = reference.train(to_reference(net), X.tolist(), rows_of(y, 3), recipe)
    return np.array(flat_parameters(twin))


# ---- options of optimisers -----------------------------------------------------------------------
OPTIONS = {
    "nesterov": ["momentum", "weight_decay"],
    "rmsprop centered momentum": ["momentum", "epsilon", "weight_decay"],
    "adamw": ["learning_rate", "weight_decay", "epsilon"],
    "adagrad options": ["learning_rate", "epsilon"],
}


@by_schedule
@pytest.mark.parametrize("name", OPTIONS)
def test_options_of_an_optimiser(
    name: str, schedule: Schedule, rng: Rng, assert_close: AssertClose
) -> None:
    rule, names = RULES[name], OPTIONS[name]
    net, samples = classifier(rng)
    expected = by_the_reference(
        net, samples, rule,
        scheduled=lambda _, step: {n: at(schedule, rule.options[n], step) for n in names},
    )  # fmt: skip
    unscheduled = net.copy()
    fit(unscheduled, samples, optimizer=rule.make())
    fit(net, samples, optimizer=rule.make(), schedule=dict.fromkeys(names, schedule))
    assert_close(net.parameters, expected, "training")
    assert (net.parameters != unscheduled.parameters).any()


@pytest.mark.parametrize("name", ["nesterov", "rmsprop momentum", "rmsprop centered momentum"])
def test_a_momentum_of_0_keeps_the_velocity(name: str, rng: Rng, assert_close: AssertClose) -> None:
    rule = RULES[name]
    net, samples = classifier(rng)

    def momentum(_: int, step: int) -> dict[str, float]:
        return {"momentum": 0.0 if 10 <= step < 15 else rule.options["momentum"]}

    expected = by_the_reference(net, samples, rule, scheduled=momentum)
    off_and_on = Function(lambda t: 0.0 if 0.3 < t < 0.4 else 1.0)  # in the third epoch
    fit(net, samples, optimizer=rule.make(), schedule={"momentum": off_and_on})
    assert_close(net.parameters, expected, "training")


# ---- penalties, limits, smoothing ----------------------------------------------------------------
@by_schedule
@pytest.mark.parametrize("name", ["l1", "l2", "clip_norm", "clip_value", "max_norm"])
def test_penalties_and_limits(name: str, schedule: Schedule, rng: Rng) -> None:
    net, (X, y) = classifier(rng)
    twin, optimizer = net.copy(), pymlp.Adam(0.02)
    base = {"l1": 0.01, "l2": 0.1, "clip_norm": 0.2, "clip_value": 0.05, "max_norm": 0.7}[name]
    fit(net, (X, y), optimizer=pymlp.Adam(0.02), schedule={name: schedule}, **{name: base})
    for step in range(TOTAL):
        rows = slice(step % STEPS * BATCH, (step % STEPS + 1) * BATCH)
        twin.train_batch(X[rows], y[rows], optimizer=optimizer, **{name: at(schedule, base, step)})
    assert (net.parameters == twin.parameters).all()


@by_schedule
def test_label_smoothing(schedule: Schedule, rng: Rng) -> None:
    net, (X, y) = classifier(rng)
    held_out = rng.normal(size=(9, 4)), random_labels(rng, 9, 3)
    twin, optimizer, J = net.copy(), pymlp.Adam(0.02), []
    smooth = losses.CrossEntropy(label_smoothing=0.4)
    history = fit(
        net, (X, y), optimizer=pymlp.Adam(0.02), loss=smooth,
        schedule={"label_smoothing": schedule}, validation=held_out,
    )  # fmt: skip
    for step in range(TOTAL):
        rows = slice(step % STEPS * BATCH, (step % STEPS + 1) * BATCH)
        loss = losses.CrossEntropy(label_smoothing=at(schedule, 0.4, step))
        J.append(len(X[rows]) * twin.train_batch(X[rows], y[rows], optimizer=optimizer, loss=loss))
    assert (net.parameters == twin.parameters).all()
    assert history.loss == pytest.approx(np.reshape(J, (EPOCHS, STEPS)).sum(axis=1) / SAMPLES)
    assert history.val_loss[-1] == net.loss(*held_out, loss=smooth)  # all of one loss


# ---- dropout -------------------------------------------------------------------------------------
@by_schedule
@pytest.mark.parametrize("dropout", [[0.2, 0.4], [0.5, 0.5]], ids=str)
def test_dropout(
    dropout: list[float], schedule: Schedule, rng: Rng, assert_close: AssertClose
) -> None:
    net, samples = classifier(rng, dropout=dropout)

    def masks(step: int, m: int) -> list[reference.Matrix]:
        rates = [at(schedule, rate, step) for rate in dropout]
        return [
            _core_test.dropout(np.ones((m, n)), rate, SEED, step, layer).tolist()
            for layer, (n, rate) in enumerate(zip((7, 5), rates, strict=True))
        ]

    expected = by_the_reference(net, samples, RULES["adam"], masks=masks)
    fit(net, samples, optimizer=RULES["adam"].make(), schedule={"dropout": schedule})
    assert_close(net.parameters, expected, "training")
    assert net.dropout == tuple(dropout)


def test_a_dropout_of_0_is_none(rng: Rng) -> None:
    _, samples = classifier(rng)
    widths = [4, 17, 5, 3]  # too wide for samples as lanes, which dropout does without
    net = Network(widths, hidden="tanh", output="softmax", dtype="float64", seed=1)
    twin = Network(widths, hidden="tanh", output="softmax", dtype="float64", dropout=0.5)
    twin.parameters = net.parameters
    fit(net, samples)
    fit(twin, samples, schedule={"dropout": Function(lambda t: 0.0)})
    assert (net.parameters == twin.parameters).all()


def test_one_layer_alone_drops(rng: Rng) -> None:
    net, samples = classifier(rng, dropout=[0.0, 0.6])
    twin = Network([4, 7, 5, 3], hidden="tanh", output="softmax", dtype="float64", dropout=[0, 0.3])
    twin.parameters = net.parameters
    fit(net, samples, schedule={"dropout": Function(lambda t: 0.5)})
    fit(twin, samples)
    assert (net.parameters == twin.parameters).all()


# ---- all at once ---------------------------------------------------------------------------------
def everything(net: Network, samples: Samples, **options: Any) -> History:
    """Train with a schedule for every number."""
    given = {
        "optimizer": pymlp.RMSProp(0.01, momentum=0.5, weight_decay=0.01),
        "loss": losses.CrossEntropy(label_smoothing=0.1), "l1": 1e-4, "l2": 1e-3,
        "clip_norm": 1.0, "clip_value": 0.5, "max_norm": 1.0,
        "schedule": {
            "learning_rate": CosLog4(), "momentum": FlatCos(), "epsilon": Exponential(1.5),
            "weight_decay": Cosine(per="step"), "dropout": FlatCos(8), "l1": Falls(per="step"),
            "label_smoothing": Function(lambda t: 1 - t), "l2": Step(2, gamma=0.5),
            "clip_norm": WarmUp(3), "clip_value": Constant(), "max_norm": Cosine(minimum=0.5),
        },
        **options,
    }  # fmt: skip
    return fit(net, samples, **given)


def test_the_same_bits_on_any_number_of_threads(rng: Rng) -> None:
    net = random_network(rng, [20, 96, 96, 10], hidden="relu", output="softmax", dropout=0.3)
    samples = rng.normal(size=(700, 20)), random_labels(rng, 700, 10)
    found = set()
    for threads in (1, 2, 3):
        twin = net.copy()
        everything(twin, samples, batch_size=256, threads=threads)
        found.add(twin.parameters.tobytes())
    assert len(found) == 1


def test_learning_rates_alone_are_recorded(rng: Rng) -> None:
    net, samples = classifier(rng, dropout=0.3)
    history = everything(net, samples)
    assert history.learning_rate == CosLog4().rates(0.01, EPOCHS, STEPS)[STEPS - 1 :: STEPS]


def stop(net: Network, history: History) -> None:
    if len(history.loss) == 3:
        raise KeyboardInterrupt


@pytest.mark.parametrize("callbacks", [[], [stop]])
def test_the_optimisers_own_options_stay(callbacks: list[Any], rng: Rng) -> None:
    net, samples = classifier(rng, dropout=0.3)
    optimizer = pymlp.RMSProp(0.01, momentum=0.5, weight_decay=0.01)
    shown = repr(optimizer)
    if callbacks:
        with pytest.raises(KeyboardInterrupt):
            everything(net, samples, optimizer=optimizer, callbacks=callbacks)
    else:
        everything(net, samples, optimizer=optimizer)
    assert repr(optimizer) == shown
    assert net.dropout == (0.3, 0.3)
    # And the steps that follow have them: those of an optimiser with the same state.
    twin, its = net.copy(), pymlp.RMSProp(0.01, momentum=0.5, weight_decay=0.01)
    core = its.core_for(twin, twin._architecture)
    core.state[:], core.steps = optimizer.core_for(net, net._architecture).state, optimizer.steps
    fit(net, samples, optimizer=optimizer)
    fit(twin, samples, optimizer=its)
    assert (net.parameters == twin.parameters).all()


def test_a_plateau_beside_others(rng: Rng) -> None:
    net, samples = classifier(rng)
    plateau = ReduceOnPlateau(factor=0.5, patience=1, threshold=0.9)
    optimizer = pymlp.AdamW(0.01)
    history = fit(
        net, samples, optimizer=optimizer,
        schedule={"learning_rate": plateau, "weight_decay": FlatCos()},
    )  # fmt: skip
    assert history.learning_rate == [
        plateau.rate_after(0.01, history.loss[:n]) for n in range(EPOCHS)
    ]
    assert history.learning_rate[-1] < 0.01 == optimizer.learning_rate


def test_no_schedule_at_all(rng: Rng) -> None:
    net, samples = classifier(rng)
    twin = net.copy()
    fit(net, samples)
    fit(twin, samples, schedule={})
    assert (net.parameters == twin.parameters).all()


# ---- functions -----------------------------------------------------------------------------------
def test_a_function_is_asked_once_an_epoch(rng: Rng) -> None:
    net, samples = classifier(rng)
    asked = []

    def f(t: float) -> float:
        asked.append(t)
        return 1.0 - t

    history = fit(net, samples, learning_rate=0.5, optimizer="sgd", schedule=Function(f))
    assert asked == [epoch / EPOCHS for epoch in range(EPOCHS)]
    assert history.learning_rate == [0.5 * (1.0 - t) for t in asked]


class Halved(Cosine):
    """A schedule of the library, changed in Python."""

    def rate_at(self, rate: float, t: int, total: int) -> float:
        return super().rate_at(rate, t, total) / 2


class Same(Cosine):
    """A schedule of the library by another name."""


def test_what_derives_from_a_schedule(rng: Rng) -> None:
    net, samples = classifier(rng)
    assert Same().for_core() is not None
    assert Halved().for_core() is None
    rates = Cosine().rates(0.5, EPOCHS, STEPS)
    for schedule, expected in ((Same(), rates), (Halved(), [rate / 2 for rate in rates])):
        history = fit(net.copy(), samples, optimizer=pymlp.SGD(0.5), schedule=schedule)
        assert history.learning_rate == expected


def test_several_numbers_in_blocks(rng: Rng) -> None:
    net, (X, y) = classifier(rng)
    twin, optimizer = net.copy(), pymlp.SGD(0.1)
    falls, slowly = Falls(per="step"), Falls()
    fit(
        net, (X, y), epochs=1100, optimizer=pymlp.SGD(0.1),
        schedule={"l2": falls, "learning_rate": slowly, "clip_norm": Falls(per="step")},
        l2=0.1, clip_norm=0.5,
    )  # fmt: skip
    for step in range(1100 * STEPS):
        rows = slice(step % STEPS * BATCH, (step % STEPS + 1) * BATCH)
        optimizer.learning_rate = slowly.rate_at(0.1, step // STEPS, 1100)
        l2, clip_norm = (falls.rate_at(base, step, 1100 * STEPS) for base in (0.1, 0.5))
        twin.train_batch(X[rows], y[rows], optimizer=optimizer, l2=l2, clip_norm=clip_norm)
    assert (net.parameters == twin.parameters).all()


# ---- out of range --------------------------------------------------------------------------------
LATER: dict[str, tuple[str, Schedule, str]] = {
    "dropout": ("dropout", Exponential(1.5), "must give numbers in [0, 1), not 1.0125"),
    "smoothing": ("label_smoothing", Step(3, gamma=3.0), "numbers in [0, 1), not 1.2"),
    "momentum": ("momentum", Exponential(1.2, per="step"), "numbers in [0, 1), not 1.08"),
    "clip_norm": ("clip_norm", CosLog4(6, per="epoch"), "numbers above 0, not 0"),
    "own": ("dropout", Function(lambda t: 1.0 if t < 0.4 else 3.0), "numbers in [0, 1), not 1.35"),
}


@pytest.mark.parametrize(("name", "schedule", "message"), LATER.values(), ids=LATER)
def test_a_number_that_goes_out_of_its_range(
    name: str, schedule: Schedule, message: str, rng: Rng
) -> None:
    net, samples = classifier(rng, dropout=0.45)
    optimizer = pymlp.SGD(0.1, momentum=0.9)
    before = net.__getstate__()
    with pytest.raises(ValueError, match=re.escape(f"schedule['{name}']")) as caught:
        fit(
            net, samples, optimizer=optimizer, schedule={name: schedule}, clip_norm=1.0, seed=None,
            loss=losses.CrossEntropy(label_smoothing=0.4),
        )  # fmt: skip
    assert message in str(caught.value)
    after = net.__getstate__()
    at_once = schedule.for_core() is None or name == "clip_norm"  # before anything is drawn
    assert (before.pop("parameters") == after.pop("parameters")).all() == at_once
    assert (before == after) == at_once
    assert np.isfinite(net.parameters).all()
    assert optimizer.options["momentum"] == 0.9


def test_the_core_refuses_values_out_of_range() -> None:
    refused: Callable[..., Any] = _core.check_scheduled
    for name in ("dropout", "input_dropout", "momentum", "label_smoothing"):
        refused(name, 0.0, 0)
        with pytest.raises(ValueError, match="numbers in"):
            refused(name, 1.0, 0)
    for name in ("epsilon", "clip_norm", "clip_value", "max_norm"):
        refused(name, 1e-300, 0)
        with pytest.raises(ValueError, match="numbers above 0, not 0"):
            refused(name, 0.0, 0)
    for name in _core.scheduled_numbers():
        for value in (-1.0, np.nan):
            with pytest.raises(ValueError, match=re.escape(f"schedule['{name}']")):
                refused(name, value, 7)
