"""Training agrees with the reference, sees every sample, and repeats itself bit by bit."""

from typing import Any, NamedTuple

import numpy as np
import pytest
import reference
from cases import (
    AssertClose,
    FloatArray,
    Rng,
    flat_parameters,
    random_inputs,
    random_labels,
    random_network,
    random_targets,
    rows_of,
    to_reference,
)
from reference_optimizers import State, update
from rules import Rule, by_rule

import pymlp
from pymlp import Network, _core


class Samples(NamedTuple):
    """A network with samples for it."""

    net: Network
    X: FloatArray
    y: FloatArray

    def trained(self, **options: Any) -> Network:
        """Return a copy of the network after `fit` with these options."""
        net = self.net.copy()
        net.fit(self.X, self.y, **options)
        return net


def classifier(rng: Rng, m: int, dtype: str, widths: tuple[int, ...] = (4, 6, 3)) -> Samples:
    net = random_network(rng, list(widths), hidden="tanh", output="softmax", dtype=dtype)
    return Samples(net, random_inputs(rng, m, net), random_labels(rng, m, widths[-1]))


# ---- against the reference -----------------------------------------------------------------------
@by_rule
@pytest.mark.parametrize(
    ("output", "loss", "bias"),
    [("softmax", "cross_entropy", True), ("linear", "mse", True), ("sigmoid", "mse", False)],
)
def test_ten_steps(
    rule: Rule, output: str, loss: str, bias: bool, dtype: str, rng: Rng, assert_close: AssertClose
) -> None:
    # Two epochs of four batches of 4 and one of 2.
    net = random_network(rng, [4, 6, 3], hidden="tanh", output=output, bias=bias, dtype=dtype)
    y = (
        random_labels(rng, 18, 3)
        if output == "softmax"
        else random_targets(rng, 18, 3, loss, dtype)
    )
    X, w = random_inputs(rng, 18, net), None
    if output == "linear":
        w = rng.uniform(0.5, 2.0, 18).astype(dtype)
    recipe = reference.Recipe(loss, rule.name, rule.options, epochs=2, batch_size=4)
    twin, expected = reference.train(
        to_reference(net), X.tolist(), rows_of(y, 3), recipe, None if w is None else w.tolist()
    )
    optimizer = rule.make()
    history = net.fit(
        X, y, epochs=2, batch_size=4, loss=loss, optimizer=optimizer, sample_weight=w,
        shuffle=False,
    )  # fmt: skip
    assert optimizer.steps == expected.steps == 10
    assert_close(net.parameters, flat_parameters(twin), "training")
    assert_close(np.array(history.loss, dtype), expected.loss, "training")


@by_rule
def test_optimiser_alone(rule: Rule, dtype: str, rng: Rng, assert_close: AssertClose) -> None:
    for n in (1, 7, 16, 41):
        core = rule.make()._new_core(np.dtype(dtype), n)
        w = rng.normal(size=n).astype(dtype)
        flat, state = w.tolist(), State()
        for _ in range(20):
            g = rng.normal(size=n).astype(dtype)
            core.update(w, g)
            flat = update(rule.name, flat, g.tolist(), state, **rule.options)
        assert core.steps == 20
        assert_close(w, flat, "training", scale=1.0)


# ---- which samples a step sees -------------------------------------------------------------------
@pytest.mark.parametrize("batch_size", [1, 3, 4, 12])
@pytest.mark.parametrize("shuffle", [True, False])
def test_every_epoch_visits_every_sample_once(batch_size: int, shuffle: bool) -> None:
    # Sample i is the only one with an input i, so weight i moves towards its target when the sample
    # is visited and stays where it is otherwise: by 2 rate / batch_size of the distance.
    m = 12
    targets = np.arange(1.0, m + 1.0)
    net = Network([m, 1], init="zeros", bias=False, dtype="float64")
    seen = []
    net.fit(
        np.eye(m), targets, epochs=5, batch_size=batch_size, optimizer=pymlp.SGD(0.25),
        shuffle=shuffle, callbacks=[lambda n, h: seen.append(n.parameters / targets)],
    )  # fmt: skip
    for epoch, share in enumerate(seen, start=1):
        assert share == pytest.approx(np.full(m, 1 - (1 - 0.5 / batch_size) ** epoch), rel=1e-13)


def test_shuffled_order_is_that_of_its_stream(dtype: str, rng: Rng) -> None:
    samples = classifier(rng, 23, dtype)
    shuffled = samples.trained(epochs=3, batch_size=5, optimizer=pymlp.SGD(0.1), seed=7)
    by_hand, optimizer, order = samples.net.copy(), pymlp.SGD(0.1), np.arange(23)
    for epoch in range(3):
        order = order[_core.permutation(23, 7, 2**32 + epoch)]
        by_hand.fit(
            samples.X[order], samples.y[order], epochs=1, batch_size=5, optimizer=optimizer,
            shuffle=False,
        )  # fmt: skip
    assert (shuffled.parameters == by_hand.parameters).all()


def test_every_order_is_as_likely_as_any_other() -> None:
    n = 6000
    orders, counts = np.unique(
        [_core.permutation(3, seed, 0) for seed in range(n)], axis=0, return_counts=True
    )
    assert len(orders) == 6
    assert np.abs(counts - n / 6).max() < 5 * (n * 1 / 6 * 5 / 6) ** 0.5


def test_shuffling_changes_the_order(rng: Rng) -> None:
    samples = classifier(rng, 23, "float64")
    options = {"epochs": 1, "batch_size": 5, "optimizer": "sgd", "learning_rate": 0.1}
    runs = [
        samples.trained(**options, shuffle=False),
        samples.trained(**options, seed=1),
        samples.trained(**options, seed=2),
    ]
    assert len({run.parameters.tobytes() for run in runs}) == 3


def test_train_batch_equals_fit(dtype: str, rng: Rng) -> None:
    samples = classifier(rng, 18, dtype)
    w = rng.uniform(0.5, 2.0, 18)
    fitted = samples.trained(
        epochs=2, batch_size=4, optimizer=pymlp.Adam(0.01), sample_weight=w, shuffle=False
    )
    stepped, optimizer = samples.net.copy(), pymlp.Adam(0.01)
    for i in [*range(0, 18, 4)] * 2:
        rows = slice(i, i + 4)
        J = stepped.loss(samples.X[rows], samples.y[rows], sample_weight=w[rows])
        before = stepped.train_batch(
            samples.X[rows], samples.y[rows], optimizer=optimizer, sample_weight=w[rows]
        )
        assert before == J
    assert (fitted.parameters == stepped.parameters).all()


@by_rule
def test_optimiser_object_goes_on_and_a_fresh_one_starts_afresh(rule: Rule, rng: Rng) -> None:
    samples = classifier(rng, 20, "float64")
    options = {"batch_size": None, "optimizer": rule.make()}
    whole = samples.trained(epochs=10, batch_size=None, optimizer=rule.make())
    halves = samples.net.copy()
    for _ in range(2):
        halves.fit(samples.X, samples.y, epochs=5, **options)
    assert options["optimizer"].steps == 10
    assert (whole.parameters == halves.parameters).all()
    fresh = samples.net.copy()
    for _ in range(2):
        fresh.fit(samples.X, samples.y, epochs=5, batch_size=None, optimizer=rule.make())
    assert (fresh.parameters == whole.parameters).all() != rule.remembers


# ---- the same bits -------------------------------------------------------------------------------
def test_seed_of_the_network_fixes_its_fits(rng: Rng) -> None:
    X, y = rng.normal(size=(30, 4)), rng.integers(3, size=30)

    def run(seed: int, fits: int) -> bytes:
        net = Network([4, 5, 3], output="softmax", seed=seed)
        for _ in range(fits):
            net.fit(X, y, epochs=2, batch_size=4, optimizer=pymlp.SGD(0.1))
        return net.parameters.tobytes()

    assert run(1, 2) == run(1, 2)
    assert run(1, 2) != run(2, 2)


# ---- sample weights ------------------------------------------------------------------------------
@pytest.mark.parametrize("wild", [1e30, -1e18])
def test_samples_of_weight_0_are_left_out_whatever_their_targets(
    wild: float, dtype: str, rng: Rng, assert_close: AssertClose
) -> None:
    net = random_network(rng, [4, 5, 2], hidden="tanh", dtype=dtype)
    X, y = random_inputs(rng, 20, net), random_targets(rng, 20, 2, "mse", dtype)
    kept = np.arange(20) % 3 != 0
    y[~kept] = wild
    options = {"epochs": 5, "batch_size": None, "optimizer": "sgd", "learning_rate": 0.1}
    with_zeros, without = net.copy(), net.copy()
    history = with_zeros.fit(X, y, sample_weight=kept.astype(float), **options)
    expected = without.fit(X[kept], y[kept], **options)
    assert_close(with_zeros.parameters, without.parameters, "training")
    assert_close(np.array(history.loss, dtype), expected.loss, "training")


def test_batch_of_samples_of_weight_0_changes_nothing(rng: Rng) -> None:
    samples = classifier(rng, 12, "float64")
    w = np.repeat([1.0, 0.0, 2.0], 4)
    options = {"epochs": 1, "batch_size": 4, "optimizer": "sgd", "shuffle": False}
    kept = w > 0
    trained = samples.trained(sample_weight=w, **options)
    expected = Samples(samples.net, samples.X[kept], samples.y[kept]).trained(
        sample_weight=w[kept], **options
    )
    assert (trained.parameters == expected.parameters).all()
