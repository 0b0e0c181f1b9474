"""Dropout: the steps that are taken behind masks, and that there is none anywhere else."""

import pickle
from typing import Any

import numpy as np
import pytest
import reference
from cases import (
    AssertClose,
    FloatArray,
    Rng,
    flat_gradients,
    flat_parameters,
    random_inputs,
    random_network,
    random_targets,
    to_reference,
)

import pymlp
from pymlp import Network, _core_test


def mask(m: int, n: int, rate: float, *, seed: int, step: int = 0, layer: int = 0) -> Any:
    """Return what a layer's outputs (m, n) are multiplied by, in float64."""
    return _core_test.dropout(np.ones((m, n)), rate, seed, step, layer)


# ---- steps behind a mask -------------------------------------------------------------------------
def masks_of(net: Network, m: int, seed: int, step: int) -> list[reference.Matrix]:
    """Return what the outputs of each hidden layer are multiplied by, by the library's draws."""
    return [
        mask(m, n, rate, seed=seed, step=step, layer=layer).tolist() if rate else [[1.0] * n] * m
        for layer, (n, rate) in enumerate(zip(net.widths[1:-1], net.dropout, strict=True))
    ]


def gradient_behind_masks(net: Network, X: FloatArray, y: FloatArray, seed: int, step: int) -> Any:
    """Return J and its gradient by the reference."""
    masks = masks_of(net, len(X), seed, step)
    J, g = reference.gradients(to_reference(net), X.tolist(), y.tolist(), "mse", masks=masks)
    return J, np.array(flat_gradients(net, g))


WIDTHS = [4, 17, 7, 2]  # too wide for samples as lanes, which a network with dropout does without


def regression(rng: Rng, dropout: Any, **options: Any) -> tuple[Network, FloatArray, FloatArray]:
    net = random_network(
        rng, WIDTHS, hidden="tanh", dropout=dropout, **{"dtype": "float64", **options}
    )
    return net, random_inputs(rng, 6, net), random_targets(rng, 6, 2, "mse", net.dtype)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dropout", [0.5, [0.3, 0.0], [0.0, 0.8], [0.2, 0.6]])
def test_steps_of_fit_equal_the_reference(
    dropout: Any, bias: bool, dtype: str, rng: Rng, assert_close: AssertClose
) -> None:
    net, X, y = regression(rng, dropout, dtype=dtype, bias=bias)
    seed = 2**40 + 5
    recipe = reference.Recipe(
        "mse", "sgd", {"learning_rate": 0.1}, epochs=3, batch_size=4,
        masks=lambda step, m: masks_of(net, m, seed, step),
    )  # fmt: skip
    twin, expected = reference.train(to_reference(net), X.tolist(), y.tolist(), recipe)
    history = net.fit(
        X, y, epochs=3, batch_size=4, shuffle=False, optimizer=pymlp.SGD(0.1), seed=seed
    )
    assert_close(net.parameters, flat_parameters(twin), "training")
    assert_close(np.array(history.loss, dtype), expected.loss, "training")


def test_every_sample_of_a_large_batch_has_its_own_draws(
    rng: Rng, assert_close: AssertClose
) -> None:
    # Large enough to be worked on in several blocks of rows.
    net = random_network(rng, [4, 9, 2], hidden="tanh", dtype="float64", dropout=0.5)
    X, y = random_inputs(rng, 300, net), random_targets(rng, 300, 2, "mse", "float64")
    _, g = gradient_behind_masks(net, X, y, 3, 0)
    expected = net.parameters - 0.1 * g
    net.fit(X, y, epochs=1, batch_size=None, optimizer=pymlp.SGD(0.1), seed=3)
    assert_close(net.parameters, expected, "training")


def test_train_batch_draws_anew_each_time(rng: Rng, assert_close: AssertClose) -> None:
    net, X, y = regression(rng, 0.5)
    start, losses = net.parameters.copy(), []
    for _ in range(4):
        net.parameters = start
        seed = net.copy()._next_seed()
        J, g = gradient_behind_masks(net, X, y, seed, 0)
        losses.append(net.train_batch(X, y, optimizer=pymlp.SGD(0.1)))
        assert_close(net.parameters, start - 0.1 * g, "training")
        assert losses[-1] == pytest.approx(J, rel=1e-12)
    assert len(set(losses)) == 4


def test_softmax_and_labels_too(rng: Rng) -> None:
    # One step on one sample: a dropped unit has no part in it.
    net = random_network(
        rng, [4, 30, 3], hidden="sigmoid", output="softmax", dtype="float64", dropout=0.5
    )
    before = net.copy()
    net.fit(random_inputs(rng, 1, net), [1], epochs=1, optimizer=pymlp.SGD(0.1), seed=9)
    dropped = mask(1, 30, 0.5, seed=9)[0] == 0.0
    assert 5 < dropped.sum() < 25
    unmoved = (net.weights[1] == before.weights[1]).all(axis=1)
    assert (unmoved == dropped).all()
    assert ((net.weights[0] == before.weights[0]).all(axis=0) == dropped).all()
    assert ((net.biases[0] == before.biases[0]) == dropped).all()


# ---- where there is none -------------------------------------------------------------------------
def test_it_is_off_in_everything_but_training(dtype: str, rng: Rng) -> None:
    net, X, y = regression(rng, 0.7, dtype=dtype)
    plain = Network(WIDTHS, hidden="tanh", dtype=dtype)
    plain.parameters = net.parameters
    assert (net.predict(X) == plain.predict(X)).all()
    assert net.loss(X, y) == plain.loss(X, y)
    for own, other in zip(net.forward(X).a, plain.forward(X).a, strict=True):
        assert (own == other).all()
    (J, gradients), (other_J, other_gradients) = net.gradients(X, y), plain.gradients(X, y)
    assert other_J == J
    assert (gradients.flat == other_gradients.flat).all()
    assert (net.vjp(X, y)[0].flat == plain.vjp(X, y)[0].flat).all()
    # And in the validation loss.
    history = net.fit(X, y, epochs=2, validation=(X, y))
    assert history.val_loss[-1] == pytest.approx(net.loss(X, y), rel=1e-6)


@pytest.mark.parametrize("dropout", [0.0, [0.0, 0.0]])
def test_zero_rate_is_none_bit_for_bit(dropout: Any, dtype: str, rng: Rng) -> None:
    X, y = rng.normal(size=(40, 4)), rng.normal(size=(40, 2))
    results = set()
    for options in ({}, {"dropout": dropout}):
        net = Network([4, 9, 7, 2], hidden="tanh", dtype=dtype, seed=3, **options)
        net.fit(X, y, epochs=3, batch_size=7)
        optimizer = pymlp.Adam()
        for _ in range(2):
            net.train_batch(X, y, optimizer=optimizer)
        net.fit(X, y, epochs=1, batch_size=7)
        results.add(net.parameters.tobytes())
    assert len(results) == 1


# ---- seeds ---------------------------------------------------------------------------------------
def test_seeds_fix_every_draw(rng: Rng) -> None:
    net, X, y = regression(rng, 0.5)

    def trained(seed: int | None) -> bytes:
        twin = net.copy()
        twin.fit(X, y, epochs=2, batch_size=None, seed=seed)
        for _ in range(2):
            twin.train_batch(X, y, optimizer=pymlp.SGD())
        return twin.parameters.tobytes()

    assert trained(1) == trained(1)
    assert trained(None) == trained(None)
    assert len({trained(seed) for seed in (1, 2, 2**63, None)}) == 4


def test_a_copy_keeps_its_rates_and_goes_on_alike(rng: Rng) -> None:
    net, X, y = regression(rng, [0.5, 0.1])
    net.train_batch(X, y, optimizer=pymlp.SGD())
    for twin in (net.copy(), pickle.loads(pickle.dumps(net))):
        assert twin.dropout == net.dropout == (0.5, 0.1)
        original = net.copy()
        results = set()
        for each in (twin, original):
            each.train_batch(X, y, optimizer=pymlp.SGD())
            each.fit(X, y, epochs=2)
            results.add(each.parameters.tobytes())
        assert len(results) == 1


# ---- steps that are not taken --------------------------------------------------------------------
def refused(net: Network, optimizer: pymlp.Optimizer) -> list[Any]:
    """Return calls of `train_batch` and `fit`, each refused or diverging, and their errors."""
    X, y = np.ones((6, 4)), np.ones((6, 2))
    other = pymlp.Adam()
    Network([4, 2]).train_batch(X, y, optimizer=other)

    def broken(a: Any, y: Any) -> Any:
        raise RuntimeError("on purpose")

    return [
        (lambda: net.train_batch(X[:, 1:], y, optimizer=optimizer), ValueError),
        (lambda: net.train_batch(X, y, optimizer=optimizer, threads=0), ValueError),
        (lambda: net.train_batch(X, y, optimizer=optimizer, loss="nothing"), ValueError),
        (lambda: net.train_batch(X, y, optimizer=other), ValueError),
        (lambda: net.train_batch(X, y, optimizer=pymlp.LBFGS()), ValueError),
        (
            lambda: net.train_batch(X, y, optimizer=optimizer, loss=pymlp.losses.Loss(broken)),
            RuntimeError,
        ),
        (lambda: net.train_batch(X, 1e300 * y, optimizer=optimizer), pymlp.TrainingDiverged),
        (lambda: net.train_batch(X, y, optimizer=optimizer, l2=1e308), pymlp.TrainingDiverged),
        (lambda: net.fit(X[:, 1:], y), ValueError),
        (lambda: net.fit(X, y, epochs=2**63), ValueError),
        (lambda: net.fit(X, y, optimizer=other), ValueError),
        (lambda: net.fit(X, y, optimizer="lbfgs"), ValueError),
        (lambda: net.fit(X, y, sample_weight=[0, 0, 0, 0, 0, 1], validation=0.5), ValueError),
        (lambda: net.fit(X, y, schedule=pymlp.schedules.Schedule()), NotImplementedError),
    ]


def test_what_is_not_done_draws_nothing(rng: Rng) -> None:
    net, X, y = regression(rng, 0.5)
    net.parameters *= 1e3
    optimizer = pymlp.Adam()
    net.train_batch(X, y, optimizer=optimizer)
    twin, same = net.copy(), pickle.loads(pickle.dumps(optimizer))
    for call, error in refused(net, optimizer):
        with pytest.raises(error):
            call()
    assert (net.parameters == twin.parameters).all()
    assert optimizer.steps == same.steps
    assert net.train_batch(X, y, optimizer=optimizer) == twin.train_batch(X, y, optimizer=same)
    net.fit(X, y, epochs=2)
    twin.fit(X, y, epochs=2)
    assert (net.parameters == twin.parameters).all()


def test_networks_without_dropout_draw_for_fit_alone(rng: Rng) -> None:
    net, X, y = regression(rng, 0.0)
    before = net.__getstate__()["fits"]
    net.train_batch(X, y, optimizer=pymlp.Adam())
    assert net.__getstate__()["fits"] == before
