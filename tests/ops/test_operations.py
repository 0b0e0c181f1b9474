"""Norms, residuals, scales and parametric activations: every kind, alone and with the others.

A table of networks is walked, and what a network computes is compared with the reference.
"""

import pickle

import numpy as np
import pytest
import reference
from cases import (
    AssertClose,
    Rng,
    assert_gradients,
    random_inputs,
    random_network,
    random_targets,
    size_of_gradients,
)
from operation_cases import NETWORKS, by_name, by_rows, case
from own_functions import TWINS
from reference import Mode

import pymlp
from pymlp import Network, Parametric

NORMS = pytest.mark.parametrize("norm", ["layer", "rms", "batch"])
THREADS = (1, 3)


# ---- against the reference -----------------------------------------------------------------------
@by_rows
def test_forward(name: str, m: int, dtype: str, assert_close: AssertClose) -> None:
    net, twin, X, _ = case(name, m, dtype)
    Z, A = reference.forward(twin, X.tolist())
    for threads in THREADS:
        trace = net.forward(X, threads=threads)
        assert trace.z[0] is None
        for z, expected in zip(trace.z[1:], Z, strict=True):
            assert_close(z, expected, "gradients")
        for a, expected in zip(trace.a, A, strict=True):
            assert_close(a, expected, "gradients")
        assert net.predict(X, threads=threads).tobytes() == trace.a[-1].tobytes()


@by_rows
@pytest.mark.parametrize("training", [False, True])
def test_gradients(
    name: str, m: int, training: bool, dtype: str, assert_close: AssertClose
) -> None:
    net, twin, X, Y = case(name, m, dtype, dropout=0.0, input_dropout=0.0)
    if training and m == 1 and "batch" in name:
        pytest.skip("one row has no statistics")
    w = np.random.default_rng(m).uniform(0.5, 2.0, m).astype(dtype)
    J, expected = reference.gradients(
        twin, X.tolist(), Y.tolist(), "mse", w.tolist(), mode=Mode(training=training)
    )
    before = pickle.dumps(net)
    options = {"loss": "mse", "sample_weight": w, "training": training}
    for threads in THREADS:
        value, grads = net.gradients(X, Y, dz=True, threads=threads, **options)
        assert_close(np.array(value, dtype), J, "gradients")
        assert net.loss(X, Y, threads=threads, **options) == value
        assert_gradients(assert_close, net, grads, expected)
        assert grads.dz is not None
        assert grads.dz[0] is None
        for dz, wanted in zip(grads.dz[1:], expected.dZ, strict=True):
            assert_close(dz, wanted, "gradients", scale=size_of_gradients(net, expected))
    assert pickle.dumps(net) == before


@by_name
@pytest.mark.parametrize("bias", [True, False])
def test_gradients_with_and_without_biases(
    name: str, bias: bool, dtype: str, assert_close: AssertClose
) -> None:
    net, twin, X, Y = case(name, 9, dtype, bias=bias, dropout=0.0, input_dropout=0.0)
    for mode in (Mode(), Mode(training=True)):
        _, grads = net.gradients(X, Y, loss="mse", training=mode.training)
        _, expected = reference.gradients(twin, X.tolist(), Y.tolist(), "mse", mode=mode)
        assert_gradients(assert_close, net, grads, expected)


@by_rows
def test_vjp(name: str, m: int, dtype: str, assert_close: AssertClose) -> None:
    net, twin, X, dY = case(name, m, dtype)
    Z, A = reference.forward(twin, X.tolist())
    expected = reference.backward(twin, Z, A, dY.tolist())
    for threads in THREADS:
        grads, dX = net.vjp(X, dY, threads=threads)
        assert_gradients(assert_close, net, grads, expected)
        assert_close(dX, expected.dX, "gradients", scale=size_of_gradients(net, expected))
        assert net.input_gradients(X, dY, threads=threads).tobytes() == dX.tobytes()


@by_name
def test_check_gradients(name: str, dtype: str) -> None:
    net, _, X, Y = case(name, 6, dtype)
    assert net.check_gradients(X, Y, loss="mse") < {"float64": 1e-6, "float32": 1e-3}[dtype]


@by_name
def test_dropout_is_off_outside_of_training(name: str, dtype: str) -> None:
    net, _, X, Y = case(name, 7, dtype)
    _, options = NETWORKS[name]
    widths = list(net.widths)
    same = Network(
        widths,
        **{"hidden": "tanh", **options, "dtype": dtype, "dropout": 0.0, "input_dropout": 0.0},
    )
    same._core.arena[:] = net._core.arena
    assert (net.predict(X) == same.predict(X)).all()
    assert net.loss(X, Y, loss="mse") == same.loss(X, Y, loss="mse")
    assert (net.vjp(X, Y)[0].flat == same.vjp(X, Y)[0].flat).all()


# ---- laws ----------------------------------------------------------------------------------------
@NORMS
@pytest.mark.parametrize("n", [1, 2, 3, 17, 33, 130])
def test_norms_begin_with_gain_1_and_shift_0(norm: str, n: int, dtype: str) -> None:
    net = Network([4, n, n, 2], norm=norm, dtype=dtype, seed=0)
    for layer in net.layers[:-1]:
        assert layer.gain.tolist() == [1.0] * n
        assert layer.gain.dtype == dtype
        assert (layer.shift is None) == (norm == "rms")
        assert (layer.running_mean is None) == (norm != "batch")
    if norm != "rms":
        assert net.layers[0].shift.tolist() == [0.0] * n
    if norm == "batch":
        assert net.layers[0].running_mean.tolist() == [0.0] * n
        assert net.layers[0].running_variance.tolist() == [1.0] * n
    output = net.layers[-1]
    names = "gain", "shift", "alpha", "running_mean", "running_variance"
    assert [getattr(output, name) for name in names] == [None] * 5


def test_scales_and_alphas_begin_with_1(dtype: str) -> None:
    net = Network([4, 3, 2], hidden=Parametric("selu"), scale_inputs=True, dtype=dtype, seed=0)
    same = Network([4, 3, 2], hidden="selu", dtype=dtype, seed=0)
    assert net.input_scale.tolist() == [1.0] * 4
    assert net.layers[0].alpha.tolist() == [1.0] * 3
    assert net.layers[1].alpha is None
    assert same.input_scale is None
    X = np.random.default_rng(0).normal(size=(9, 4)).astype(dtype)
    assert net.predict(X) == pytest.approx(same.predict(X), rel=1e-6)


def test_alpha_0_is_linear(dtype: str, rng: Rng) -> None:
    net = random_network(rng, [3, 5, 2], hidden=Parametric("softplus"), dtype=dtype)
    net.layers[0].alpha[:] = 0.0
    linear = Network([3, 5, 2], hidden="linear", dtype=dtype)
    linear.weights[:], linear.biases[:] = net.weights, net.biases
    X = random_inputs(rng, 9, net)
    assert (net.predict(X) == linear.predict(X)).all()


@NORMS
def test_parameters_lie_in_program_order(norm: str) -> None:
    net = Network(
        [2, 3, 2], norm=norm, scale_inputs=True, hidden=Parametric("tanh"),
        output=Parametric("tanh"),
    )  # fmt: skip
    net.parameters = np.arange(net.n_parameters)
    hidden, output = net.layers
    arrays = [net.input_scale, hidden.weights, hidden.biases, hidden.gain, hidden.shift,
              hidden.alpha, output.weights, output.biases, output.alpha]  # fmt: skip
    flat = np.concatenate([array.ravel() for array in arrays if array is not None])
    assert flat.tolist() == list(range(net.n_parameters))
    assert all(np.shares_memory(array, net.parameters) for array in arrays if array is not None)
    if norm == "batch":
        for array in (hidden.running_mean, hidden.running_variance):
            assert not np.shares_memory(array, net.parameters)
    _, grads = net.gradients([[1.0, 2.0]], [[3.0, 4.0]])
    assert grads.flat.shape == net.parameters.shape
    assert np.shares_memory(grads.layers[0].gain, grads.flat)
    assert np.shares_memory(grads.input_scale, grads.flat)


def test_layers_can_be_assigned_and_say_what_they_do_not_have() -> None:
    net = Network([2, 3, 1], norm="layer", scale_inputs=True)
    net.layers[0].gain = [1, 2, 3]
    net.layers[0].shift[:] = 0.5
    net.input_scale = [4, 5]
    assert net.layers[0].gain.tolist() == [1.0, 2.0, 3.0]
    assert net.input_scale.tolist() == [4.0, 5.0]
    with pytest.raises(ValueError, match="gain must have shape"):
        net.layers[0].gain = [1, 2]
    with pytest.raises(AttributeError, match="running_mean"):
        net.layers[0].running_mean = [1, 2, 3]
    with pytest.raises(AttributeError, match="gain"):
        net.layers[1].gain = [1]


@pytest.mark.parametrize("norm", [None, "layer", "rms", "batch"])
def test_own_functions_stand_between_norm_and_residual(
    norm: str | None, dtype: str, rng: Rng, assert_close: AssertClose
) -> None:
    options = {"norm": norm, "residual": True, "scale_inputs": True, "dtype": dtype}
    net = random_network(rng, [4, 4, 4, 2], hidden="tanh", **options)
    own = Network([4, 4, 4, 2], hidden=TWINS["tanh"], **options)
    own._core.arena[:] = net._core.arena
    X, Y = random_inputs(rng, 9, net), random_targets(rng, 9, 2, "mse", dtype)
    assert_close(own.predict(X), net.predict(X), "gradients")
    for training in (False, True):
        J, grads = own.gradients(X, Y, training=training)
        expected, wanted = net.gradients(X, Y, training=training)
        assert pytest.approx(expected, rel=1e-5) == J
        assert_close(grads.flat, wanted.flat, "gradients")


@by_name
def test_diagnosis_looks_through_all_layers(name: str) -> None:
    net, _, X, Y = case(name, 33, "float32", dropout=0.0, input_dropout=0.0)
    found = pymlp.diagnose(net, X, Y)
    assert len(found.layers) == len(net.layers)
    _, grads = net.gradients(X, Y)
    norms = [float(np.linalg.norm(dW)) for dW in grads.weights]
    assert [layer.dw for layer in found.layers] == pytest.approx(norms, rel=1e-4)


@pytest.mark.parametrize("activation", ["selu", "sigmoid", "tanh", "relu", "mish"])
def test_a_parametric_activation_begins_as_the_plain_one(
    activation: str, rng: Rng, dtype: str
) -> None:
    """To the last bit, also where z is so large that g(z) - z forgets g(z)."""
    plain = Network([3, 5, 2], hidden=activation, output=activation, dtype=dtype, seed=0)
    g = Parametric(activation)
    learnt = Network([3, 5, 2], hidden=g, output=g, dtype=dtype, seed=0)
    X = 10.0 ** rng.uniform(-3, 9, (40, 3)) * rng.choice([-1, 1], (40, 3))
    dY = rng.standard_normal((40, 2))
    assert np.array_equal(learnt.predict(X), plain.predict(X))
    (grads, dX), (expected, expected_dX) = learnt.vjp(X, dY), plain.vjp(X, dY)
    assert np.array_equal(dX, expected_dX)
    for weights, of_plain in zip(grads.weights, expected.weights, strict=True):
        assert np.array_equal(weights, of_plain)
