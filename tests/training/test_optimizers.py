"""Optimisers as objects: whom they belong to, what they keep, and how they are shown."""

import copy
import gc
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import FloatArray, Rng, random_network
from rules import RULES, Rule, by_rule

import pymlp
from pymlp import Network, Optimizer

Arrays = tuple[FloatArray, FloatArray]
KINDS = sorted({rule.kind for rule in RULES.values()}, key=lambda kind: kind.__name__)
NAMES = sorted(kind.__name__.lower() for kind in KINDS)


def regression(rng: Rng, dtype: str = "float64") -> tuple[Network, Arrays]:
    net = random_network(rng, [3, 6, 2], hidden="tanh", dtype=dtype)
    return net, (rng.normal(size=(20, 3)), rng.normal(size=(20, 2)))


def test_rules_are_those_of_the_library() -> None:
    assert {*KINDS, pymlp.LBFGS} == set(Optimizer.__subclasses__())
    for rule in RULES.values():
        assert rule.options.keys() <= rule.make()._options.keys() | {"learning_rate"}


# What scripts that name no options rely on.
ADAM = "beta1=0.9, beta2=0.999, epsilon=1e-08"
DEFAULTS = [
    "SGD(learning_rate=0.01, momentum=0.0, dampening=0.0, nesterov=False, {})",
    "Momentum(learning_rate=0.01, beta=0.9, {})",
    "RMSProp(learning_rate=0.001, beta=0.9, epsilon=1e-08, momentum=0.0, centered=False, {})",
    "Adagrad(learning_rate=0.01, learning_rate_decay=0.0, initial_accumulator=0.0, "
    "epsilon=1e-10, {})",
    "Adadelta(learning_rate=1.0, beta=0.9, epsilon=1e-06, {})",
    f"Adam(learning_rate=0.001, {ADAM}, amsgrad=False, {{}})",
    f"AMSGrad(learning_rate=0.001, {ADAM}, {{}})",
    f"AdamW(learning_rate=0.001, {ADAM}, amsgrad=False, weight_decay=0.01, maximize=False)",
    f"Adamax(learning_rate=0.002, {ADAM}, {{}})",
    f"Nadam(learning_rate=0.002, {ADAM}, momentum_decay=0.004, decoupled_weight_decay=False, {{}})",
    "Lion(learning_rate=0.0001, beta1=0.9, beta2=0.99, {})",
    f"ScheduleFreeAdamW(learning_rate=0.0025, {ADAM}, warm_up=0, {{}})",
    "LBFGS(history_size=10, tolerance_gradient=1e-05, tolerance_change=1e-09, max_line_search=20, "
    "max_evaluations=None)",
]


@pytest.mark.parametrize("shown", DEFAULTS, ids=lambda shown: shown.partition("(")[0])
def test_defaults(shown: str) -> None:
    kind = getattr(pymlp, shown.partition("(")[0])
    assert repr(kind()) == shown.format("weight_decay=0.0, maximize=False")


def test_every_optimiser_has_its_defaults_above() -> None:
    assert {shown.partition("(")[0] for shown in DEFAULTS} == {
        kind.__name__ for kind in Optimizer.__subclasses__()
    }


def test_a_line_search_tries_a_whole_step_first() -> None:
    assert pymlp.LBFGS().learning_rate == 1.0


def test_all_of_the_momentum_may_be_dampened() -> None:
    assert pymlp.SGD(momentum=0.9, dampening=1.0).options["dampening"] == 1.0


@by_rule
def test_pickle_keeps_options_and_state(rule: Rule, dtype: str, rng: Rng) -> None:
    net, samples = regression(rng, dtype)
    optimizer = rule.make()
    net.fit(*samples, epochs=3, batch_size=6, optimizer=optimizer)
    for duplicate in (pickle.loads(pickle.dumps(optimizer)), copy.deepcopy(optimizer)):
        twin, original = net.copy(), pickle.loads(pickle.dumps(optimizer))
        assert type(duplicate) is rule.kind
        assert repr(duplicate) == repr(optimizer)
        assert duplicate.steps == optimizer.steps == 12
        twin.fit(*samples, epochs=2, optimizer=duplicate, seed=1)
        expected = net.copy()
        expected.fit(*samples, epochs=2, optimizer=original, seed=1)
        assert (twin.parameters == expected.parameters).all()
        # What it goes on from is not a fresh start.
        afresh = net.copy()
        afresh.fit(*samples, epochs=2, optimizer=rule.make(), seed=1)
        assert (twin.parameters == afresh.parameters).all() != rule.remembers
    # The original was not moved by its copies.
    assert optimizer.steps == 12


@by_rule
def test_a_fresh_optimiser_survives_pickle(rule: Rule, rng: Rng) -> None:
    net, samples = regression(rng)
    twin = net.copy()
    net.fit(*samples, epochs=2, optimizer=rule.make(), seed=1)
    twin.fit(*samples, epochs=2, optimizer=pickle.loads(pickle.dumps(rule.make())), seed=1)
    assert (net.parameters == twin.parameters).all()


@pytest.mark.parametrize(
    "make",
    [*(rule.make for rule in RULES.values()), lambda: pymlp.LBFGS(history_size=3)],
    ids=[*RULES, "lbfgs"],
)
def test_repr_makes_the_same_optimiser(make: Callable[[], Optimizer]) -> None:
    optimizer = make()
    shown = repr(optimizer)
    twin = eval(shown, vars(pymlp))
    assert (type(twin), repr(twin), twin._options) == (type(optimizer), shown, optimizer._options)


# ---- whose it is ---------------------------------------------------------------------------------
@by_rule
def test_an_optimiser_belongs_to_one_network(rule: Rule, rng: Rng) -> None:
    net, samples = regression(rng)
    other, optimizer = net.copy(), rule.make()
    net.fit(*samples, epochs=1, optimizer=optimizer)
    kept = pickle.dumps(optimizer)
    before = other.parameters.copy()
    for use in (other.fit, other.train_batch):
        with pytest.raises(ValueError, match="optimizer remembers the steps of another network"):
            use(*samples, optimizer=optimizer)
    assert (other.parameters == before).all()
    assert other.history is None
    assert pickle.dumps(optimizer) == kept
    net.fit(*samples, epochs=1, optimizer=optimizer)


def test_an_optimiser_whose_network_is_gone_starts_no_other(rng: Rng) -> None:
    net, samples = regression(rng)
    other, optimizer = net.copy(), pymlp.Adam()
    net.train_batch(*samples, optimizer=optimizer)
    del net
    gc.collect()
    with pytest.raises(ValueError, match="another network"):
        other.train_batch(*samples, optimizer=optimizer)


@pytest.mark.parametrize("change", ["widths", "dtype"])
def test_a_pickled_optimiser_goes_on_with_its_like_only(change: str, rng: Rng) -> None:
    net, samples = regression(rng)
    optimizer = pymlp.Adam()
    net.fit(*samples, epochs=1, optimizer=optimizer)
    again = pickle.loads(pickle.dumps(optimizer))
    other = Network([3, 7, 2]) if change == "widths" else Network([3, 6, 2], dtype="float32")
    with pytest.raises(ValueError, match="remembers 38 float64 parameters of another"):
        other.fit(*samples, optimizer=again)
    assert other.history is None
    net.copy().fit(*samples, optimizer=again)


def test_one_that_was_refused_still_belongs_to_nobody(rng: Rng) -> None:
    net, (X, y) = regression(rng)
    other, optimizer = net.copy(), pymlp.Adam()
    wrong: list[dict[str, Any]] = [
        {"validation": 1.0}, {"validation": (X, y[:3])}, {"seed": -1}, {"epochs": 0}, {"l1": -1.0},
    ]  # fmt: skip
    for options in wrong:
        with pytest.raises(ValueError, match=r"."):
            net.fit(X, y, optimizer=optimizer, **options)
    assert net.history is None
    other.fit(X, y, optimizer=optimizer)


def test_a_refused_fit_draws_nothing(rng: Rng) -> None:
    net, (X, y) = regression(rng)
    twin, other, foreign = net.copy(), net.copy(), pymlp.Adam()
    other.train_batch(X, y, optimizer=foreign)
    wrong: list[dict[str, Any]] = [
        {"validation": 1.0}, {"validation": (X, y[:3])}, {"optimizer": foreign},
        {"optimizer": "lbfgs", "batch_size": 3},
    ]  # fmt: skip
    for options in wrong:
        with pytest.raises(ValueError, match=r"."):
            net.fit(X, y, **options)
    net.fit(X, y, epochs=2, batch_size=3)
    twin.fit(X, y, epochs=2, batch_size=3)
    assert (net.parameters == twin.parameters).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_fresh_one_has_the_options_and_no_state(kind: type[pymlp.Optimizer], rng: Rng) -> None:
    net, samples = regression(rng)
    twin, optimizer = net.copy(), kind()
    if kind is not pymlp.LBFGS:
        optimizer.learning_rate = 0.003
    first, second = optimizer, optimizer.fresh()
    net.fit(*samples, epochs=2, optimizer=first, seed=1)
    again = first.fresh()
    assert (repr(second), repr(again)) == (repr(first), repr(first))
    assert again.steps == second.steps == 0
    twin.fit(*samples, epochs=2, optimizer=again, seed=1)
    assert (net.parameters == twin.parameters).all()


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_learning_rate_can_be_assigned(kind: type[pymlp.Optimizer]) -> None:
    for name in ("beta1", "rule", "steps", "momentun"):
        with pytest.raises(AttributeError, match=f"'{name}' of {kind.__name__} cannot be assigned"):
            setattr(kind(), name, 0.5)


# ---- names ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", NAMES)
def test_a_name_makes_a_fresh_one_with_its_defaults(name: str, rng: Rng) -> None:
    net, samples = regression(rng)
    kind = next(kind for kind in KINDS if kind.__name__.lower() == name)
    twin, rate = net.copy(), net.copy()
    for _ in range(2):
        net.fit(*samples, epochs=2, batch_size=6, optimizer=name, seed=2)
        twin.fit(*samples, epochs=2, batch_size=6, optimizer=kind(), seed=2)
    assert (net.parameters == twin.parameters).all()
    history = rate.fit(*samples, epochs=1, optimizer=name, learning_rate=0.123)
    assert history.learning_rate == [0.123]


# That of the points in an average is one of their weights.
@pytest.mark.parametrize(
    "rule", [rule for rule in RULES.values() if rule.kind is not pymlp.ScheduleFreeAdamW]
)
def test_the_learning_rate_may_be_set_between_steps(rule: Rule, rng: Rng) -> None:
    net, samples = regression(rng)
    optimizer = rule.make()
    before = optimizer.learning_rate
    net.train_batch(*samples, optimizer=optimizer)
    kept, state = net.parameters.copy(), pickle.dumps(optimizer)
    moves = []
    for factor in (1.0, 0.5):
        net.parameters = kept
        again = pickle.loads(state)
        again.learning_rate = factor * before
        net.train_batch(*samples, optimizer=again)
        assert again.learning_rate == factor * before
        moves.append(net.parameters - kept)
    # No velocity has a learning rate in it.
    np.testing.assert_allclose(moves[1], 0.5 * moves[0], rtol=1e-6, atol=1e-12)
