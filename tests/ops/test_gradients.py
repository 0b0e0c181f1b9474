"""Every gradient by name against the reference, and the laws that gradients obey."""

from typing import Any

import numpy as np
import pytest
import reference
from cases import (
    ACTIVATIONS,
    FUSED_PAIRS,
    PAIRS,
    AssertClose,
    FloatArray,
    Rng,
    assert_gradients,
    inputs_off_kinks,
    options_of,
    random_inputs,
    random_labels,
    random_network,
    random_network_for,
    random_targets,
    random_widths,
    rows_of,
    to_reference,
)
from hypothesis import given
from hypothesis import strategies as st

import pymlp
from pymlp import Gradients, Network

SEEDS = st.integers(0, 2**32 - 1)


def small_network(rng: Rng, layers: int, **options: Any) -> Network:
    return random_network(rng, random_widths(rng, layers, 7), **options)


# ---- against the reference -----------------------------------------------------------------------
def assert_gradients_by_name(
    assert_close: AssertClose, rng: Rng, net: Network, loss: pymlp.losses.Loss
) -> None:
    """Compare J and its gradients for samples, targets and weights that are drawn here."""
    m, k = int(rng.integers(1, 21)), net.widths[-1]
    X = inputs_off_kinks(rng, m, net, loss)
    with_labels = loss.name == "cross_entropy" and bool(rng.integers(2))
    y = random_labels(rng, m, k) if with_labels else random_targets(rng, m, k, loss.name, net.dtype)
    w = rng.uniform(0.1, 2.0, m).astype(net.dtype) if rng.integers(2) else None
    J, grads = net.gradients(X, y, loss=loss, sample_weight=w)
    assert net.loss(X, y, loss=loss, sample_weight=w) == J
    if net.layers[-1].activation.name == "step" and loss.name != "mse":
        # The probabilities 0 and 1: its loss is large, and nothing flows back through a step.
        assert np.isfinite(J)
        assert not grads.flat.any()
        return
    twin, options = to_reference(net), options_of(loss, net.dtype)
    targets, weights = rows_of(y, k), None if w is None else w.tolist()
    expected_J, expected = reference.gradients(
        twin, X.tolist(), targets, loss.name, weights, **options
    )
    outputs = reference.predict(twin, X.tolist())
    _, dA = reference.output_loss(twin, outputs, targets, loss.name, weights, **options)
    assert_close(np.array(J, net.dtype), expected_J, "gradients", scale=max(1.0, expected_J))
    assert_gradients(assert_close, net, grads, expected, dA)


@pytest.mark.parametrize("layers", [1, 2, 4])
@pytest.mark.parametrize(("output", "loss"), PAIRS, ids=str)
def test_gradients_by_name(
    output: pymlp.Activation,
    loss: pymlp.losses.Loss,
    layers: int,
    dtype: str,
    assert_close: AssertClose,
) -> None:
    rng = np.random.default_rng([PAIRS.index((output, loss)), layers])
    # Units that are 0 for a sample leave the next layer, where it has no biases, at a kink.
    bias = layers > 2 or output.name.startswith("relu") or bool(rng.integers(3))
    net = random_network_for(rng, layers, 7, output, loss, dtype=dtype, bias=bias)
    assert_gradients_by_name(assert_close, rng, net, loss)


@pytest.mark.parametrize("layers", [2, 4])
@pytest.mark.parametrize(("output", "loss"), PAIRS, ids=str)
def test_gradients_by_name_of_all_operations(
    output: pymlp.Activation,
    loss: pymlp.losses.Loss,
    layers: int,
    dtype: str,
    assert_close: AssertClose,
) -> None:
    rng = np.random.default_rng([PAIRS.index((output, loss)), layers, 2])
    net = random_network_for(rng, layers, 7, output, loss, dtype=dtype, operations=True)
    assert_gradients_by_name(assert_close, rng, net, loss)


@pytest.mark.parametrize("widths", [[4, 6, 3], [3, 40, 70]])
def test_gradients_of_a_quantile_for_each_output(
    widths: list[int], dtype: str, rng: Rng, assert_close: AssertClose
) -> None:
    levels = tuple(rng.uniform(0.05, 0.95, widths[-1]).tolist())
    net = random_network(rng, widths, hidden=pymlp.Tanh(), dtype=dtype)
    assert_gradients_by_name(assert_close, rng, net, pymlp.losses.Quantile(levels))


@pytest.mark.parametrize("hidden", ACTIVATIONS, ids=repr)
def test_gradients_through_every_hidden_activation(
    hidden: pymlp.Activation, dtype: str, assert_close: AssertClose
) -> None:
    rng = np.random.default_rng(ACTIVATIONS.index(hidden))
    net = random_network(rng, [4, 6, 5, 3], hidden=[hidden, hidden], dtype=dtype)
    assert_gradients_by_name(assert_close, rng, net, pymlp.losses.MSE())


@pytest.mark.parametrize("output", ACTIVATIONS, ids=repr)
@pytest.mark.parametrize("layers", [1, 3])
def test_vjp_by_name_and_by_inputs(
    output: pymlp.Activation, layers: int, dtype: str, assert_close: AssertClose
) -> None:
    rng = np.random.default_rng([ACTIVATIONS.index(output), layers])
    net = small_network(rng, layers, output=output, dtype=dtype)
    X = inputs_off_kinks(rng, 9, net)
    dY = rng.normal(size=(9, net.widths[-1])).astype(dtype)
    grads, dX = net.vjp(X, dY)
    twin = to_reference(net)
    expected = reference.backward(twin, *reference.forward(twin, X.tolist()), dY.tolist())
    assert_gradients(assert_close, net, grads, expected)
    assert_close(dX, expected.dX, "gradients")
    assert (net.input_gradients(X, dY) == dX).all()


@pytest.mark.parametrize(("m", "threads"), [(700, 1), (700, 3)])
def test_large_batch_split_among_threads(
    m: int, threads: int, dtype: str, rng: Rng, assert_close: AssertClose
) -> None:
    net = random_network(rng, [6, 9, 5], hidden="tanh", output="softmax", dtype=dtype)
    X, y = random_inputs(rng, m, net), random_labels(rng, m, 5)
    _, grads = net.gradients(X, y, threads=threads)
    _, expected = reference.gradients(to_reference(net), X.tolist(), rows_of(y, 5), "cross_entropy")
    assert_gradients(assert_close, net, grads, expected)


# ---- fused and general form ----------------------------------------------------------------------
@pytest.mark.parametrize(("output", "loss"), FUSED_PAIRS)
@pytest.mark.parametrize("k", [1, 3])
def test_fused_form_equals_general_form(
    output: str, loss: str, k: int, dtype: str, rng: Rng, assert_close: AssertClose
) -> None:
    net = random_network(rng, [5, 6, k], output=output, hidden="tanh", dtype=dtype)
    X = random_inputs(rng, 12, net)
    Y = random_targets(rng, 12, k, loss, dtype)
    dY = reference.output_loss(to_reference(net), net.predict(X).tolist(), Y.tolist(), loss)[1]
    general, _ = net.vjp(X, dY)
    _, fused = net.gradients(X, Y, loss=loss)
    # One output under softmax is the constant 1: both forms must then give 0, to rounding.
    assert_close(fused.flat, general.flat, "gradients", scale=max(1.0, np.abs(general.flat).max()))


# ---- laws ----------------------------------------------------------------------------------------
class Problem:
    """A network with samples, all drawn from one seed."""

    def __init__(self, seed: int, m: int) -> None:
        rng = np.random.default_rng(seed)
        self.net = small_network(rng, int(rng.integers(1, 4)), output="softmax", dtype="float64")
        self.X = random_inputs(rng, m, self.net)
        self.y = random_labels(rng, m, self.net.widths[-1])
        self.dY = rng.normal(size=(2, m, self.net.widths[-1]))

    def gradient(self, **options: Any) -> FloatArray:
        return self.net.gradients(self.X, self.y, **options)[1].flat

    def one(self, i: int) -> FloatArray:
        return self.net.gradients(self.X[[i]], self.y[[i]])[1].flat


def size(*gradients: FloatArray) -> float:
    return max(float(np.abs(g).max()) for g in gradients)


@given(SEEDS, st.integers(1, 9))
def test_batch_gradient_is_the_mean_of_its_samples(
    assert_close: AssertClose, seed: int, m: int
) -> None:
    problem = Problem(seed, m)
    each = [problem.one(i) for i in range(m)]
    assert_close(problem.gradient(), np.mean(each, axis=0), "gradients", scale=size(*each))


@given(SEEDS, st.lists(st.integers(0, 4), min_size=1, max_size=8).filter(any))
def test_weights_are_repetitions(assert_close: AssertClose, seed: int, counts: list[int]) -> None:
    problem = Problem(seed, len(counts))
    rows = np.repeat(np.arange(len(counts)), counts)
    J, repeated = problem.net.gradients(problem.X[rows], problem.y[rows])
    weighted_J, weighted = problem.net.gradients(problem.X, problem.y, sample_weight=counts)
    assert_close(np.array(weighted_J), J, "gradients")
    each = [problem.one(i) for i in range(len(counts))]
    assert_close(weighted.flat, repeated.flat, "gradients", scale=size(*each))


@given(SEEDS, st.floats(1e-3, 1e3))
def test_weights_count_by_their_ratio(assert_close: AssertClose, seed: int, factor: float) -> None:
    problem = Problem(seed, 5)
    w = np.array([0.5, 2.0, 0.0, 1.0, 3.0])
    scaled = problem.gradient(sample_weight=factor * w)
    each = [problem.one(i) for i in range(5)]
    assert_close(scaled, problem.gradient(sample_weight=w), "gradients", scale=size(*each))


@given(SEEDS, st.floats(-3.0, 3.0))
def test_vjp_is_linear(assert_close: AssertClose, seed: int, factor: float) -> None:
    problem = Problem(seed, 4)
    (g0, x0), (g1, x1), (g, x) = (
        problem.net.vjp(problem.X, dY)
        for dY in (*problem.dY, problem.dY[0] + factor * problem.dY[1])
    )
    terms = g0.flat, factor * g1.flat
    assert_close(g.flat, sum(terms), "gradients", scale=size(*terms))
    assert_close(x, x0 + factor * x1, "gradients", scale=size(x0, factor * x1))


@given(SEEDS)
def test_order_of_samples_does_not_matter(assert_close: AssertClose, seed: int) -> None:
    problem = Problem(seed, 7)
    order = np.random.default_rng(seed).permutation(7)
    _, shuffled = problem.net.gradients(problem.X[order], problem.y[order])
    each = [problem.one(i) for i in range(7)]
    assert_close(shuffled.flat, problem.gradient(), "gradients", scale=size(*each))


# ---- check_gradients -----------------------------------------------------------------------------
@pytest.mark.parametrize("hidden", ["sigmoid", "tanh", "elu", "softmax", "linear"])
@pytest.mark.parametrize(("output", "loss"), [*FUSED_PAIRS, ("sigmoid", "cross_entropy")])
def test_check_gradients_of_a_healthy_network_is_small(
    hidden: str, output: str, loss: str, dtype: str, rng: Rng
) -> None:
    net = random_network(rng, [3, 5, 4, 2], hidden=hidden, output=output, dtype=dtype)
    X, Y = random_inputs(rng, 6, net), random_targets(rng, 6, 2, loss, dtype)
    before = net.parameters.copy()
    assert net.check_gradients(X, Y, loss=loss) < {"float64": 1e-6, "float32": 1e-3}[dtype]
    assert (net.parameters == before).all()


def test_check_gradients_sees_one_wrong_entry(rng: Rng, monkeypatch: pytest.MonkeyPatch) -> None:
    net = random_network(rng, [3, 4, 2], hidden="tanh", dtype="float64")
    X, Y = random_inputs(rng, 6, net), random_targets(rng, 6, 2, "mse", "float64")
    right = Network.gradients

    def wrong(self: Network, *samples: Any, **options: Any) -> tuple[float, Gradients]:
        J, grads = right(self, *samples, **options)
        grads.weights[0][1, 2] *= 1.01
        return J, grads

    assert net.check_gradients(X, Y) < 1e-6
    monkeypatch.setattr(Network, "gradients", wrong)
    assert net.check_gradients(X, Y) == pytest.approx(0.01, rel=0.02)


def test_check_gradients_sees_a_kink() -> None:
    # At z = 0 the derivative of relu is 0 here; the difference across the kink is half the slope.
    net = Network([1, 1, 1], hidden="relu", init=pymlp.initializers.Constant(1.0), dtype="float64")
    assert net.check_gradients([[0.0]], [[1.0]]) > 0.5
    assert net.check_gradients([[0.5]], [[1.0]]) < 1e-6
