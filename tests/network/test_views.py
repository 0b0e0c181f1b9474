"""Parameters and gradients by layer: views that are written to, and what is copied into them."""

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
        (lambda n: n.weights.__setitem__(2, 1.0), IndexError, "range"),
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
