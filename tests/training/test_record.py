"""What a record says, under every optimiser: losses with their weights, and who sees which."""

import functools
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import FloatArray, Rng, random_network
from rules import RULES

import pymlp
from pymlp import History, Network

OPTIMIZERS = {name: rule.make for name, rule in RULES.items()}
ALL = OPTIMIZERS | {"lbfgs": pymlp.LBFGS}
CLASS_WEIGHT = {0: 3.0, 2: 0.5}


class Samples:
    """Training and validation samples of three classes, all weighted."""

    def __init__(self, rng: Rng) -> None:
        self.X, self.Xv = rng.normal(size=(23, 4)), rng.normal(size=(11, 4))
        self.y, self.yv = np.arange(23) % 3, np.arange(11) % 3
        self.w, self.wv = rng.uniform(0.5, 2.0, 23), rng.uniform(0.5, 2.0, 11)

    @staticmethod
    def by_class(y: Any, w: FloatArray) -> FloatArray:
        return w * np.array([3.0, 1.0, 0.5])[y]

    def options(self) -> dict[str, Any]:
        return {
            "sample_weight": self.w,
            "class_weight": CLASS_WEIGHT,
            "validation": (self.Xv, self.yv, self.wv),
        }


def classifier(rng: Rng) -> Network:
    return random_network(rng, [4, 5, 3], hidden="tanh", output="softmax", dtype="float64")


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_callbacks_see_what_the_last_validation_was_measured_with(make: Any, rng: Rng) -> None:
    net, samples, seen = classifier(rng), Samples(rng), []

    def look(net: Network, history: History) -> None:
        weights = samples.by_class(samples.yv, samples.wv)
        loss = net.loss(samples.Xv, samples.yv, sample_weight=weights)
        assert history.val_loss[-1] == pytest.approx(loss, rel=1e-12)
        seen.append(len(history.loss))

    history = net.fit(
        samples.X, samples.y, **samples.options(), epochs=12, optimizer=make(),
        early_stopping=pymlp.EarlyStopping(3, min_delta=1e9), callbacks=[look],
    )  # fmt: skip
    assert history.stopped_by == "early_stopping"
    assert seen == list(range(1, len(history.loss) + 1)) == [1, 2, 3, 4]
    assert len(history.val_loss) == len(history.penalty) == len(history.learning_rate) == 4


@pytest.mark.parametrize("l1", [0.0, 0.01])
@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_losses_have_weights_and_no_penalties(l1: float, l2: float, rng: Rng) -> None:
    net, samples = classifier(rng), Samples(rng)
    weights = samples.by_class(samples.y, samples.w)
    first = net.loss(samples.X, samples.y, sample_weight=weights)
    W = np.concatenate([w.reshape(-1) for w in net.weights])
    history = net.fit(
        samples.X, samples.y, **samples.options(), epochs=1, batch_size=None, l1=l1, l2=l2
    )
    assert history.loss == [pytest.approx(first, rel=1e-12)]
    penalty = l1 * np.abs(W).sum() + l2 / 2 * (W**2).sum()
    assert history.penalty == [pytest.approx(penalty, rel=1e-12, abs=0.0)]
    weights = samples.by_class(samples.yv, samples.wv)
    after = net.loss(samples.Xv, samples.yv, sample_weight=weights)
    assert history.val_loss == [pytest.approx(after, rel=1e-12)]


@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_of_lbfgs_too(l2: float, rng: Rng) -> None:
    net, samples = classifier(rng), Samples(rng)
    history = net.fit(samples.X, samples.y, **samples.options(), epochs=3, l2=l2, optimizer="lbfgs")
    # An iteration's loss is that of the point that it reached.
    loss = net.loss(samples.X, samples.y, sample_weight=samples.by_class(samples.y, samples.w))
    penalty = sum(l2 / 2 * float((w**2).sum()) for w in net.weights)
    assert len(history.loss) == 3
    assert history.loss[-1] == pytest.approx(loss, rel=1e-12)
    assert history.penalty[-1] == pytest.approx(penalty, rel=1e-12, abs=0.0)


# ---- nothing was changed -------------------------------------------------------------------------
@pytest.mark.parametrize("limits", [{}, {"clip_norm": 1.0}, {"max_norm": 0.5}])
@pytest.mark.parametrize("penalty", [{"l2": 1e308}, {"l1": 1e308}])
@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_step_behind_an_infinite_penalty_changes_nothing(
    make: Any, penalty: dict[str, float], limits: dict[str, float], rng: Rng
) -> None:
    net, samples, optimizer = classifier(rng), Samples(rng), make()
    net.parameters *= 100.0
    net.train_batch(samples.X, samples.y, optimizer=optimizer)
    before, state = net.parameters.copy(), optimizer.__getstate__()
    with pytest.raises(pymlp.TrainingDiverged, match="the loss is inf; nothing was changed"):
        net.train_batch(samples.X, samples.y, optimizer=optimizer, **penalty, **limits)
    after = optimizer.__getstate__()
    assert (net.parameters == before).all()
    assert (state.pop("state") == after.pop("state")).all()
    assert state == after


@pytest.mark.parametrize("name", sorted(set(pymlp.optimizers.TABLE) - {"lbfgs"}))
def test_a_step_that_would_leave_a_parameter_infinite_changes_nothing(name: str, rng: Rng) -> None:
    net = Network([3, 4, 2], dropout=0.5, seed=0)
    X, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    optimizer = pymlp.optimizers.TABLE[name]()
    net.train_batch(X, y, optimizer=optimizer)
    before, state = net.parameters.copy(), pickle.dumps(optimizer)
    twin = net.copy()
    optimizer.learning_rate = 1e308
    for limits in ({}, {"clip_norm": 1.0}, {"l2": 0.1}, {"max_norm": 1.0}):
        with pytest.raises(pymlp.TrainingDiverged, match="a parameter is not finite after it"):
            net.train_batch(X, y, optimizer=optimizer, **limits)
        assert np.array_equal(net.parameters, before)
        assert optimizer.steps == 1
    optimizer.learning_rate = pickle.loads(state).learning_rate
    assert pickle.dumps(optimizer) == state
    # The next draws are those that the twin makes.
    J = net.train_batch(X, y, optimizer=optimizer)
    assert twin.train_batch(X, y, optimizer=pickle.loads(state)) == J
    assert np.array_equal(net.parameters, twin.parameters)


def test_an_optimiser_of_no_step_is_free(rng: Rng) -> None:
    optimizer = pymlp.SGD(1e308)
    X, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    with pytest.raises(pymlp.TrainingDiverged):
        Network([3, 4, 2]).train_batch(X, y, optimizer=optimizer)
    optimizer.learning_rate = 0.01
    Network([3, 2], dtype="float64").train_batch(X, y, optimizer=optimizer)
    with pytest.raises(ValueError, match="another network"):
        Network([3, 2], dtype="float64").train_batch(X, y, optimizer=optimizer)


# ---- step activations ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("options", "layer"),
    [({"hidden": "step"}, 2), ({"hidden": ["step", "relu"]}, 1), ({"output": "step"}, 3)],
)
def test_a_step_activation_is_warned_of_where_the_user_is(
    options: dict[str, Any], layer: int, rng: Rng
) -> None:
    net = random_network(rng, [3, 4, 4, 2], **options)
    X, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    warns = functools.partial(pytest.warns, UserWarning, match=f"^layer {layer} has a step activ")
    with warns() as of_fit:
        net.fit(X, y, epochs=1)
    with warns() as of_step:
        net.train_batch(X, y, optimizer=pymlp.SGD())
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    for call, caught in (("net.fit(X, y", of_fit), ("net.train_batch(X, y", of_step)):
        assert [Path(w.filename).name for w in caught] == [Path(__file__).name]
        assert call in lines[caught[0].lineno - 1]


def test_a_warning_that_is_an_error_changes_nothing(rng: Rng) -> None:
    net = random_network(rng, [3, 4, 2], hidden="step", dropout=0.5)
    before, optimizer = net.__getstate__(), pymlp.SGD()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning):
            net.fit(np.ones((5, 3)), np.ones((5, 2)))
        with pytest.raises(UserWarning):
            net.train_batch(np.ones((5, 3)), np.ones((5, 2)), optimizer=optimizer)
    after = net.__getstate__()
    assert (before.pop("parameters") == after.pop("parameters")).all()
    assert before == after
    assert optimizer.steps == 0


def test_other_networks_are_not_warned_of(rng: Rng) -> None:
    net = random_network(rng, [3, 4, 2], hidden="relu")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.fit(np.ones((5, 3)), np.ones((5, 2)), epochs=1)
