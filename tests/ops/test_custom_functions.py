"""User functions: equal to built-in ones, refused where they are wrong, and safe."""

import copy
import gc
import pickle
import re
import threading
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import AssertClose, FloatArray, Rng, random_inputs, random_labels, random_network
from own_functions import TWINS, absolute, is_positive, log_loss, positive, squared, tanh_slope

import pymlp
from pymlp import Activation, Network, TrainingDiverged
from pymlp.losses import Loss


# ---- built-in ones, made again -------------------------------------------------------------------
class Twins:
    """Two networks with the same parameters, one with functions of its own, and samples."""

    def __init__(self, rng: Rng, own: Activation, name: str, output: str, dtype: str) -> None:
        widths = [4, 17, 5, 3]  # too wide for samples as lanes, which own functions do without
        self.ours = random_network(rng, widths, hidden=name, output=output, dtype=dtype)
        outer = own if output == name else output
        self.own = Network(widths, hidden=own, output=outer, dtype=dtype, seed=self.ours.seed)
        self.own.parameters = self.ours.parameters
        self.X = random_inputs(rng, 300, self.ours)
        self.Y = rng.normal(size=(300, 3)).astype(dtype)
        self.labels = random_labels(rng, 300, 3)


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize("place", ["hidden", "hidden and output"])
def test_activation_equals_the_built_in_one(
    name: str, place: str, dtype: str, rng: Rng, assert_close: AssertClose
) -> None:
    twins = Twins(rng, TWINS[name], name, name if "output" in place else "linear", dtype)
    X, Y, w = twins.X, twins.Y, rng.uniform(0.5, 2.0, 300)
    exact = name == "relu"

    def same(actual: FloatArray, expected: FloatArray, kind: str = "gradients") -> None:
        assert not exact or (actual == expected).all()
        assert_close(actual, expected, kind)

    same(twins.own.predict(X), twins.ours.predict(X))
    same(twins.own.forward(X).a[1], twins.ours.forward(X).a[1])
    grads, expected = (
        net.gradients(X, Y, loss="mse", sample_weight=w) for net in (twins.own, twins.ours)
    )
    assert grads[0] == pytest.approx(expected[0], rel=1e-5)
    same(grads[1].flat, expected[1].flat)
    pulled, others = (net.vjp(X, Y) for net in (twins.own, twins.ours))
    same(pulled[0].flat, others[0].flat)
    same(pulled[1], others[1])
    for net in (twins.own, twins.ours):
        net.fit(X, Y, epochs=2, batch_size=64, optimizer=pymlp.SGD(0.01), seed=1)
    same(twins.own.parameters, twins.ours.parameters, "training")


@pytest.mark.parametrize(
    ("function", "name", "output"),
    [
        (squared, "mse", "linear"),
        (squared, "mse", "softmax"),
        (absolute, "mae", "tanh"),
        (log_loss, "cross_entropy", "softmax"),
    ],
)
def test_loss_equals_the_built_in_one(
    function: Callable[..., Any], name: str, output: str, dtype: str, rng: Rng,
    assert_close: AssertClose,
) -> None:  # fmt: skip
    net = random_network(rng, [4, 6, 3], hidden="tanh", output=output, dtype=dtype)
    X = random_inputs(rng, 300, net)
    y = random_labels(rng, 300, 3) if function is log_loss else rng.normal(size=(300, 3))
    w = rng.uniform(0.0, 2.0, 300)
    twin, loss = net.copy(), Loss(function)
    J, grads = net.gradients(X, y, loss=name, sample_weight=w)
    own_J, own = twin.gradients(X, y, loss=loss, sample_weight=w)
    assert own_J == pytest.approx(J, rel=1e-5)
    assert twin.loss(X, y, loss=loss, sample_weight=w) == own_J
    assert_close(own.flat, grads.flat, "gradients", scale=max(0.1, np.abs(grads.flat).max()))
    histories = [
        n.fit(
            X, y, loss=kind, sample_weight=w, epochs=3, seed=2, batch_size=64,
            optimizer=pymlp.SGD(0.05), validation=0.25,
        )
        for n, kind in ((net, name), (twin, loss))
    ]  # fmt: skip
    assert_close(twin.parameters, net.parameters, "training")
    assert histories[1].val_loss == pytest.approx(histories[0].val_loss, rel=1e-5)


def test_check_gradients_judges_functions_of_ones_own(rng: Rng) -> None:
    wrong = Activation(forward=np.tanh, derivative=lambda z: 1.01 * tanh_slope(z))
    for own, expected in ((TWINS["tanh"], 0.0), (wrong, 0.0099)):
        net = Network([4, 5, 3], hidden=own, dtype="float64", seed=1)
        X = random_inputs(rng, 20, net)
        error = net.check_gradients(X, rng.normal(size=(20, 3)), loss=Loss(squared))
        assert error == pytest.approx(expected, abs=1e-6 + 1e-2 * expected)


def test_threads_do_not_matter(dtype: str, rng: Rng) -> None:
    net = random_network(rng, [4, 64, 3], hidden=TWINS["tanh"], dtype=dtype)
    X = random_inputs(rng, 3000, net)
    assert (net.predict(X, threads=4) == net.predict(X, threads=1)).all()


# ---- what the functions get and may return -------------------------------------------------------
def test_functions_get_copies_of_the_networks_dtype(dtype: str, rng: Rng) -> None:
    seen: list[FloatArray] = []

    def spoil(z: FloatArray) -> FloatArray:
        seen.append(z)
        result = z * 2
        z[:] = np.nan
        return result

    net = Network(
        [3, 2], output=Activation(forward=spoil, derivative=lambda z: z * 0 + 2), dtype=dtype
    )
    X = random_inputs(rng, 7, net)
    assert (net.predict(X) == 2 * (net.forward(X).z[-1])).all()
    assert {z.dtype for z in seen} == {np.dtype(dtype)}
    assert all(z.flags.c_contiguous and z.shape[1] == 2 for z in seen)


@pytest.mark.parametrize("make", [np.asfortranarray, np.float32, np.float64, np.ndarray.tolist])
def test_results_are_converted(make: Callable[[Any], Any], dtype: str, rng: Rng) -> None:
    own = Activation(forward=lambda z: make(z * 2), derivative=lambda z: make(z * 0 + 2))
    net = Network([3, 2, 2], hidden=own, dtype=dtype, seed=3)
    X = random_inputs(rng, 5, net)
    hidden = 2 * net.forward(X).z[1]
    assert net.forward(X).a[1] == pytest.approx(hidden, rel=1e-6)
    assert np.isfinite(net.gradients(X, np.ones((5, 2)))[1].flat).all()


def test_nan_from_a_function_is_divergence(rng: Rng) -> None:
    own = Activation(forward=lambda z: z * np.nan, derivative=np.ones_like)
    net = Network([3, 2], output=own, seed=0)
    before = net.parameters.copy()
    with pytest.raises(TrainingDiverged):
        net.fit(np.ones((5, 3)), np.ones((5, 2)))
    assert (net.parameters == before).all()


# (forward, derivative, exception, message)
WRONG_ACTIVATIONS = [
    (lambda z: z[:, :1], np.ones_like, ValueError, "forward(z) must have shape (9, 3), as z has"),
    (lambda z: z[0], np.ones_like, ValueError, "not (3,)"),
    (lambda z: 1.0, np.ones_like, ValueError, "not ()"),
    (lambda z: z + 1j, np.ones_like, TypeError, "forward(z) must hold real numbers, not dtype com"),
    (lambda z: z.astype(str), np.ones_like, TypeError, "forward(z) must hold real numbers"),
    (lambda z: None, np.ones_like, TypeError, "forward(z) must hold real numbers, not None"),
    (lambda z: [[1.0], [1.0, 2.0]], np.ones_like, ValueError, "forward(z) must be an array"),
    (lambda z: np.ma.masked_less(z, 0), np.ones_like, TypeError, "must not be a masked array"),
    (lambda z: z, lambda z: 1.0, ValueError, "derivative(z) must have shape (9, 3), as z has"),
    (lambda z: z, lambda z: z.T, ValueError, "derivative(z) must have shape (9, 3), as z has"),
    (lambda z: z, lambda z: z * 1j, TypeError, "derivative(z) must hold real numbers"),
    (lambda z: z, lambda z, a: z, TypeError, "missing 1 required positional argument: 'a'"),
]
WRONG_LOSSES = [
    (lambda a, y: a, TypeError, "a loss function must return (losses, gradient), not ndarray"),
    (lambda a, y: (a, a, a), TypeError, "a loss function must return (losses, gradient), not tupl"),
    (lambda a, y: [a[:, 0], a], TypeError, "must return (losses, gradient), not list"),
    (lambda a, y: (0.0, a), ValueError, "losses must have shape (9,), not ()"),
    (lambda a, y: (a, a), ValueError, "losses must have shape (9,), not (9, 3)"),
    (lambda a, y: (a[:, 0], a[:, 0]), ValueError, "gradient must have shape (9, 3), not (9,)"),
    (lambda a, y: (a[:, 0], a + 1j), TypeError, "gradient must hold real numbers, not dtype comp"),
    (lambda a, y: (None, a), TypeError, "losses must hold real numbers, not None"),
]


@pytest.mark.parametrize(("forward", "derivative", "error", "message"), WRONG_ACTIVATIONS)
@pytest.mark.parametrize("hidden", [True, False], ids=["hidden", "output"])
def test_wrong_result_of_an_activation_is_refused(
    forward: Any, derivative: Any, error: type[Exception], message: str, hidden: bool
) -> None:
    own = Activation(forward=forward, derivative=derivative)
    net = Network([4, 3, 3], **{"hidden" if hidden else "output": own}, seed=0)
    assert_refused(net, error, message, "mse")


@pytest.mark.parametrize(("function", "error", "message"), WRONG_LOSSES)
def test_wrong_result_of_a_loss_is_refused(
    function: Any, error: type[Exception], message: str
) -> None:
    assert_refused(Network([4, 3, 3], seed=0), error, message, Loss(function))


def assert_refused(net: Network, error: type[Exception], message: str, loss: Any) -> None:
    before, optimizer = net.parameters.copy(), pymlp.Adam()
    X, Y = np.ones((9, 4)), np.zeros((9, 3))
    for call in (
        lambda: net.gradients(X, Y, loss=loss),
        lambda: net.fit(X, Y, loss=loss, optimizer=optimizer),
        lambda: net.train_batch(X, Y, loss=loss, optimizer=optimizer),
    ):
        with pytest.raises(error, match=re.escape(message)) as caught:
            call()
        assert type(caught.value) is error
    assert (net.parameters == before).all()
    assert optimizer.steps == 0


# ---- keeping them --------------------------------------------------------------------------------
@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, Network.copy])
def test_copies_have_the_same_functions(make: Callable[[Network], Network]) -> None:
    net = Network([4, 3, 3], hidden=Activation(forward=lambda z: z * 3, derivative=np.ones_like))
    twin = make(net)
    assert twin.layers[0].activation == net.layers[0].activation
    assert (twin.predict(np.ones(4)) == net.predict(np.ones(4))).all()


def test_a_user_loss_runs_on_the_callers_thread_after_a_built_in_one(rng: Rng) -> None:
    net = Network([40, 64, 64, 1], seed=0)
    X, y = rng.normal(size=(4096, 40)).astype(np.float32), rng.normal(size=(4096, 1))
    threads: set[int] = set()

    def loss(a: FloatArray, y: Any) -> tuple[FloatArray, FloatArray]:
        threads.add(threading.get_ident())
        net.predict(X[:1])  # the caller's thread may read the network, another would wait for ever
        return squared(a, y)

    opt = pymlp.SGD(1e-3)
    net.train_batch(X, y, optimizer=opt, threads=2)
    net.train_batch(X, y, optimizer=opt, loss=Loss(loss), threads=2)
    assert threads == {threading.get_ident()}


def test_a_user_loss_must_not_train_the_network_that_a_step_is_taken_of(rng: Rng) -> None:
    net = Network([3, 1], seed=0)
    X, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 1))
    before = net.parameters.copy()

    def loss(a: FloatArray, y: Any) -> tuple[FloatArray, FloatArray]:
        net.train_batch(X, y, optimizer=pymlp.SGD(0.1))
        return squared(a, y)

    for step in (net.fit, partial(net.train_batch, optimizer=pymlp.Adam())):
        with pytest.raises(RuntimeError, match="is being trained already"):
            step(X, y, loss=Loss(loss))
    assert np.array_equal(net.parameters, before)


def test_a_user_loss_that_trains_its_network_is_measured_at_the_parameters_it_began_with(
    rng: Rng,
) -> None:
    net = Network([3, 1], seed=0)
    X, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 1))
    J = net.loss(X, y)

    def loss(a: FloatArray, y: Any) -> tuple[FloatArray, FloatArray]:
        net.train_batch(X, y, optimizer=pymlp.SGD(0.1))
        return squared(a, y)

    assert net.loss(X, y, loss=Loss(loss)) == pytest.approx(J, rel=1e-6)
    assert net.loss(X, y) < J


def writes_parameters(net: Network) -> Loss:
    def loss(a: FloatArray, y: Any) -> tuple[FloatArray, FloatArray]:
        net.parameters[:] += 1
        return squared(a, y)

    return Loss(loss)


def test_parameters_written_in_the_middle_of_a_step_are_refused_and_put_back(rng: Rng) -> None:
    net, opt = Network([3, 4, 1], hidden="tanh", seed=0), pymlp.Adam()
    X, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 1))
    before = net.parameters.copy()
    for step in (net.fit, partial(net.train_batch, optimizer=opt)):
        with pytest.raises(RuntimeError, match="written in the middle of a step"):
            step(X, y, loss=writes_parameters(net))
        assert np.array_equal(net.parameters, before)
    assert opt.steps == 0
    twin = net.copy()
    net.fit(X, y, epochs=3, seed=1)
    twin.fit(X, y, epochs=3, seed=1)
    assert np.array_equal(net.parameters, twin.parameters)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
@pytest.mark.parametrize("when", ["training", "validation"])
def test_so_they_are_under_every_optimiser_and_in_validation(
    optimizer: str, when: str, rng: Rng
) -> None:
    net = Network([3, 4, 1], hidden="tanh", seed=0)
    X, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 1))
    seen: list[FloatArray] = []

    def loss(a: FloatArray, y: Any) -> tuple[FloatArray, FloatArray]:
        if (len(a) == 5) == (when == "validation"):
            seen.append(net.parameters.copy())
            net.parameters[:] += 1
        return squared(a, y)

    with pytest.raises(RuntimeError, match="written in the middle of a step"):
        net.fit(X, y, loss=Loss(loss), optimizer=optimizer, validation=(X[:5], y[:5]))
    assert np.array_equal(net.parameters, seen[0])


def test_parameters_are_put_back_where_the_function_raises_too(rng: Rng) -> None:
    net = Network([3, 4, 1], hidden="tanh", seed=0)
    X, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 1))
    before = net.parameters.copy()

    def loss(a: FloatArray, y: Any) -> tuple[FloatArray, FloatArray]:
        net.parameters[:] += 1
        raise KeyError("mine")

    for step in (net.fit, partial(net.train_batch, optimizer=pymlp.Adam())):
        with pytest.raises(KeyError, match="mine"):
            step(X, y, loss=Loss(loss))
        assert np.array_equal(net.parameters, before)


def test_an_activation_that_writes_the_parameters_is_refused_too(rng: Rng) -> None:
    def forward(z: FloatArray) -> FloatArray:
        if armed:
            net.weights[0][...] = 0
        return z

    armed: list[bool] = []
    net = Network([3, 4, 1], hidden=Activation(forward=forward, derivative=np.ones_like), seed=0)
    X, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 1))
    before = net.parameters.copy()
    armed.append(True)
    with pytest.raises(RuntimeError, match="write them in a callback, between epochs"):
        net.fit(X, y, epochs=1)
    assert np.array_equal(net.parameters, before)


def test_gradients_are_those_of_the_parameters_that_a_call_began_with(rng: Rng) -> None:
    net = Network([3, 4, 1], hidden="tanh", seed=0, dtype="float64")
    X, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 1))
    _, expected = net.gradients(X, y)
    _, found = net.gradients(X, y, loss=writes_parameters(net))
    assert np.allclose(found.flat, expected.flat, rtol=1e-12, atol=1e-15)


def network_in_a_ring() -> Network:
    """Return a network whose activation refers to it."""
    owner: list[Network] = []

    def forward(z: FloatArray) -> FloatArray:
        return z * owner[0].n_parameters

    net = Network([3, 4, 1], hidden=Activation(forward=forward, derivative=np.ones_like))
    owner.append(net)
    return net


def test_networks_with_functions_that_refer_to_them_are_collected() -> None:
    net = network_in_a_ring()
    net.predict(np.ones(3))
    net.fit(np.ones((4, 3)), np.ones(4), epochs=1)
    gone, view = weakref.ref(net), net.parameters
    del net
    gc.collect()
    assert gone() is None
    assert np.isfinite(view).all()  # the memory lives as long as its view


def test_losses_and_trainings_in_a_ring_are_collected(rng: Rng) -> None:
    class Own:
        """A loss that keeps what refers to it, and the exception that it raised."""

        def __init__(self) -> None:
            self.net = Network([3, 1])
            self.loss = Loss(self)
            self.core = self.loss.for_core()
            self.error: Exception | None = None

        def __call__(self, a: FloatArray, y: Any) -> Any:
            raise KeyError("mine")

    def fail() -> weakref.ref[Own]:
        own = Own()
        for step in (own.net.fit, partial(own.net.train_batch, optimizer=pymlp.Adam())):
            try:
                step(np.ones((4, 3)), np.ones(4), loss=own.loss)
            except KeyError as error:
                own.error = error
        return weakref.ref(own)

    gone = fail()
    gc.collect()
    assert gone() is None


def test_network_of_module_level_functions_pickles() -> None:
    net = Network([4, 3, 3], hidden=TWINS["gaussian"], output=TWINS["relu"], seed=0)
    twin = pickle.loads(pickle.dumps(net))
    assert (twin.predict(np.ones(4)) == net.predict(np.ones(4))).all()
    assert [layer.activation for layer in twin.layers] == [TWINS["gaussian"], TWINS["relu"]]
    assert pickle.loads(pickle.dumps(Loss(squared))) == Loss(squared)


def test_network_of_a_lambda_does_not_pickle() -> None:
    net = Network([4, 3], output=Activation(forward=lambda z: z, derivative=np.ones_like))
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(net)


def test_saving_is_refused(tmp_path: Path) -> None:
    net = Network([4, 3], output=TWINS["tanh"])
    with pytest.raises(ValueError, match="cannot be written to a file, which holds no functions"):
        net.save(tmp_path / "net.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_what_functions_are_called() -> None:
    assert TWINS["tanh"] == Activation(forward=np.tanh, derivative=tanh_slope)
    assert TWINS["tanh"] != Activation(forward=np.tanh, derivative=np.ones_like)
    assert TWINS["tanh"] != pymlp.Tanh()
    assert hash(TWINS["relu"]) == hash(Activation(forward=positive, derivative=is_positive))
    assert repr(TWINS["relu"]).startswith("Activation(forward=<function positive")
    assert repr(Loss(squared)).startswith("Loss(function=<function squared")
    assert Loss(squared) == Loss(squared) != Loss(absolute)
