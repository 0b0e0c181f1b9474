"""Parameters and gradients by layer: views that are written to, and what is copied into them."""

import copy
import pickle
import weakref
from typing import Any

import numpy as np
import pytest
from cases import Rng, random_network

import pymlp
from pymlp import Network


def test_assigning_copies_in(dtype: str, rng: Rng) -> None:
    net = random_network(rng, [3, 4, 2], dtype=dtype)
    before = [W.copy() for W in net.weights]
    views = list(net.weights)
    step = rng.normal(size=(3, 4)).astype(dtype)
    net.weights[0] -= step
    net.weights[-1] = np.ones((4, 2), int)
    net.biases[:] = [np.arange(4), [5, 6]]
    np.testing.assert_array_equal(net.weights[0], before[0] - step)
    assert [W is view for W, view in zip(net.weights, views, strict=True)] == [True, True]
    assert net.parameters[-10:].tolist() == [1.0] * 8 + [5.0, 6.0]
    twin = net.copy()
    twin.parameters = net.parameters * 2
    net.parameters = twin.parameters
    assert net.biases[1].tolist() == [10.0, 12.0]


def test_they_are_sequences(rng: Rng) -> None:
    net = random_network(rng, [3, 4, 5, 2])
    assert len(net.weights) == 3
    assert [W.shape for W in net.weights] == [(3, 4), (4, 5), (5, 2)]
    assert [W.shape for W in net.weights[1:]] == [(4, 5), (5, 2)]
    assert net.weights[-1] is net.layers[2].weights
    assert [b.shape for b in reversed(net.biases)] == [(2,), (5,), (4,)]
    assert repr(net.biases) == "<biases of 3 layers: (4,), (5,), (2,)>"
    assert len(Network([2, 3], bias=False).biases) == 0
    net.weights[1:][0][:] = 7.0  # a slice has the same views
    assert (net.weights[1] == 7.0).all()
    with pytest.raises(AttributeError, match="weights"):
        net.weights = []  # type: ignore[misc, assignment]


@pytest.mark.parametrize(
    ("assign", "error", "message"),
    [
        (lambda n: n.weights.__setitem__(0, np.ones(6)), ValueError, "weights[0] must have shape"),
        (lambda n: n.biases.__setitem__(1, [1j]), TypeError, "biases[1] must hold real numbers"),
        (lambda n: n.weights.__setitem__(0, [[1e300] * 3] * 2), ValueError, "but weights[0][0, 0]"),
        (lambda n: n.weights.__setitem__(slice(None), []), ValueError, "must get 2 arrays, not 0"),
        (lambda n: n.weights.__setitem__(slice(None), 3), ValueError, "must get 2 arrays, not int"),
        (
            lambda n: n.weights.__setitem__(2, 1.0),
            IndexError,
            "weights[2] is out of range: there are 2 arrays, one a layer",
        ),
        (lambda n: n.biases[-3], IndexError, "biases[-3] is out of range: there are 2 arrays"),
        (
            lambda n: n.biases.__setitem__(slice(1, None), [[1.0, 2.0]]),
            ValueError,
            "biases[1] must have shape (1,)",
        ),
        (
            lambda n: n.biases.__setitem__(slice(None, None, -1), [[1.0], [1.0]]),
            ValueError,
            "biases[0] must have shape (3,)",
        ),
        (lambda n: setattr(n, "parameters", [1.0]), ValueError, "parameters must have shape (13,)"),
    ],
)
def test_what_does_not_fit_is_refused(assign: Any, error: type[Exception], message: str) -> None:
    net = Network([2, 3, 1], seed=0)
    before = net.parameters.copy()
    with pytest.raises(error) as caught:
        assign(net)
    assert message in str(caught.value)
    assert (net.parameters == before).all()


def test_a_slice_takes_views_of_itself() -> None:
    net = Network([2, 2, 2], init="zeros")
    net.weights[:] = [np.ones((2, 2)), np.zeros((2, 2))]
    net.weights[:] = net.weights[::-1]
    assert [W[0, 0] for W in net.weights] == [0.0, 1.0]


@pytest.mark.parametrize(
    "change",
    [
        lambda n, g: n.layers.__setitem__(0, 1), lambda n, g: setattr(n.weights, "_views", ()),
        lambda n, g: delattr(n.weights, "_views"), lambda n, g: setattr(g, "flat", 1),
        lambda n, g: setattr(g, "weights", []), lambda n, g: setattr(g, "dz", []),
        lambda n, g: setattr(g.layers[0], "weights", 0), lambda n, g: delattr(g, "biases"),
        lambda n, g: g.layers.__setitem__(0, 1), lambda n, g: delattr(g.layers[0], "biases"),
        lambda n, g: n.layers[0].activation.parameters.__setitem__("slope", 0.9),
        lambda n, g: pymlp.SGD().options.__setitem__("momentum", 0.9),
        lambda n, g: delattr(pymlp.SGD(), "_core"), lambda n, g: delattr(pymlp.SGD(), "options"),
    ],
)  # fmt: skip
def test_what_would_be_lost_cannot_be_assigned(change: Any) -> None:
    net = Network([2, 3, 1], hidden=pymlp.LeakyReLU(0.2), seed=0)
    _, grads = net.gradients([[1.0, 2.0]], [1.0])
    with pytest.raises((AttributeError, TypeError)):
        change(net, grads)


@pytest.mark.parametrize("bias", [True, False])
def test_gradients_stay_views_of_their_vector(bias: bool) -> None:
    net = Network([2, 3, 1], bias=bias, seed=0)
    _, first = net.gradients([[1.0, 2.0]], [1.0], dz=True)
    for grads in (first, copy.deepcopy(first), pickle.loads(pickle.dumps(first))):
        assert grads.flat.tobytes() == first.flat.tobytes()
        assert len(grads.dz) == 3
        assert len(grads.biases) == 2 * bias
    grads.weights[0] = np.full((2, 3), 7.0)
    grads.weights[0] += 1.0
    grads.layers[1].weights[:] = 9.0
    assert grads.flat[:6].tolist() == [8.0] * 6
    assert (grads.weights[1] == 9.0).all()


@pytest.mark.parametrize("bias", [True, False])
def test_gradients_by_layer(bias: bool, rng: Rng) -> None:
    net = Network([3, 4, 2], hidden="tanh", bias=bias, dtype="float64", seed=1)
    X, y = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
    J, grads = net.gradients(X, y, dz=True)
    trace = net.forward(X)
    assert grads.dz is not None
    assert grads.dz[0] is None
    for i in (1, 2):
        dz = grads.dz[i]
        assert dz is not None
        np.testing.assert_allclose(trace.a[i - 1].T @ dz, grads.layers[i - 1].weights, atol=1e-12)
        b = grads.layers[i - 1].biases
        if b is None:
            assert not bias
        else:
            np.testing.assert_allclose(dz.sum(axis=0), b, atol=1e-12)
    assert np.shares_memory(grads.layers[0].weights, grads.flat)
    plain_J, plain = net.gradients(X, y)
    assert plain.dz is None
    assert (plain_J, plain.flat.tobytes()) == (J, grads.flat.tobytes())


def test_the_worst_gradient_is_named(rng: Rng) -> None:
    net = Network([2, 3, 1], hidden="tanh", dtype="float64", seed=0)
    error = net.check_gradients(rng.normal(size=(4, 2)), rng.normal(size=4))
    assert isinstance(error, float)
    places = [f"weights[0][{i}, {j}]" for i in range(2) for j in range(3)]
    places += [f"biases[0][{j}]" for j in range(3)] + [f"weights[1][{j}, 0]" for j in range(3)]
    assert error.parameter in [*places, "biases[1][0]"]


def test_networks_take_weak_references_and_attributes() -> None:
    net = Network([2, 1])
    net.purpose = "mine"  # type: ignore[attr-defined]
    reference = weakref.ref(net)
    assert reference() is net
    del net
    assert reference() is None


def test_objects_that_are_numbers() -> None:
    from decimal import Decimal
    from fractions import Fraction

    net = Network([2, 3], output="softmax", dtype="float64", seed=0)
    mixed = np.array([[Fraction(1, 2), Decimal("0.25")], [True, np.float32(3)]], object)
    plain = [[0.5, 0.25], [1.0, 3.0]]
    assert (net.predict(mixed) == net.predict(plain)).all()
    labels = np.array([2, np.int8(1)], object)
    assert net.loss(plain, labels) == net.loss(plain, [2, 1])
    with pytest.raises(ValueError, match=r"X must hold numbers within float64"):
        net.predict(np.array([[Fraction(10**400), 1]], object))
    assert pymlp.Network([2, 1], dtype="float32").predict([[1e-300, 3]]).dtype == np.float32
