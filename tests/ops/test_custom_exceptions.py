"""User functions that raise, and such as use the network that called them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import FloatArray, Rng, random_inputs
from own_functions import TWINS, squared, tanh_slope

import pymlp
from pymlp import Activation, Network
from pymlp.losses import Loss


class Fuse:
    """A function that raises its exception in one of its calls."""

    def __init__(self, function: Callable[..., Any], error: BaseException) -> None:
        self.function, self.error, self.calls_left = function, error, -1

    def __call__(self, *arguments: Any) -> Any:
        self.calls_left -= 1
        if self.calls_left == 0:
            raise self.error
        return self.function(*arguments)


ERRORS = [ZeroDivisionError("mine"), KeyboardInterrupt("mine"), RuntimeError("mine")]
METHODS: dict[str, Callable[[Network, Any], Any]] = {
    "predict": lambda net, loss: net.predict(np.ones((9, 4))),
    "forward": lambda net, loss: net.forward(np.ones((9, 4))),
    "loss": lambda net, loss: net.loss(np.ones((9, 4)), np.zeros((9, 3)), loss=loss),
    "gradients": lambda net, loss: net.gradients(np.ones((9, 4)), np.zeros((9, 3)), loss=loss),
    "vjp": lambda net, loss: net.vjp(np.ones((9, 4)), np.zeros((9, 3))),
    "train_batch": lambda net, loss: net.train_batch(
        np.ones((9, 4)), np.zeros((9, 3)), optimizer=pymlp.Adam(), loss=loss
    ),
    "fit": lambda net, loss: net.fit(np.ones((9, 4)), np.zeros((9, 3)), loss=loss),
}
OF_LOSS = ("loss", "gradients", "train_batch", "fit")
OF_DERIVATIVE = ("gradients", "vjp", "train_batch", "fit")


@pytest.mark.parametrize(
    ("method", "place"),
    [
        *((method, "forward") for method in METHODS),
        *((method, "derivative") for method in OF_DERIVATIVE),
        *((method, "loss") for method in OF_LOSS),
    ],
)
@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_exception_surfaces_unchanged_and_loses_nothing(
    method: str, place: str, error: BaseException
) -> None:
    fuses = {
        "forward": Fuse(np.tanh, error),
        "derivative": Fuse(tanh_slope, error),
        "loss": Fuse(squared, error),
    }
    own = Activation(forward=fuses["forward"], derivative=fuses["derivative"])
    net = Network([4, 3, 3], hidden=own, seed=0)
    before = net.parameters.copy()
    fuses[place].calls_left = 1
    with pytest.raises(type(error)) as caught:
        METHODS[method](net, Loss(fuses["loss"]))
    assert caught.value is error
    assert (net.parameters == before).all()
    assert net.history is None or net.history.stopped_by == "interrupted"
    for again in METHODS.values():  # nothing is locked or half done
        again(net, Loss(fuses["loss"]))


@pytest.mark.parametrize("place", ["forward", "derivative", "loss"])
def test_exception_in_a_later_step_leaves_whole_steps(place: str, rng: Rng) -> None:
    # Each step of 4 samples calls each function once, so the third raises in its sixth step.
    error = ValueError("mine")
    fuses = {
        "forward": Fuse(np.tanh, error),
        "derivative": Fuse(tanh_slope, error),
        "loss": Fuse(squared, error),
    }
    own = Activation(forward=fuses["forward"], derivative=fuses["derivative"])
    net = Network([4, 3, 3], hidden=own, seed=0)
    X, Y = random_inputs(rng, 16, net), rng.normal(size=(16, 3))
    options = {"batch_size": 4, "shuffle": False, "loss": Loss(fuses["loss"])}
    expected = net.copy()
    expected.fit(X, Y, epochs=1, optimizer=pymlp.SGD(0.1), **options)
    expected.fit(X[:4], Y[:4], epochs=1, optimizer=pymlp.SGD(0.1), **options)
    optimizer = pymlp.SGD(0.1)
    fuses[place].calls_left = 6
    with pytest.raises(ValueError, match="mine") as caught:
        net.fit(X, Y, epochs=3, optimizer=optimizer, **options)
    assert caught.value is error
    assert (net.parameters == expected.parameters).all()
    assert optimizer.steps == 5
    net.fit(X, Y, epochs=1, optimizer=optimizer, **options)
    assert optimizer.steps == 9


# ---- a function that uses its own network --------------------------------------------------------
@pytest.mark.parametrize("method", METHODS)
def test_function_may_read_the_network_that_called_it(method: str) -> None:
    inside: list[FloatArray] = []

    def curious(z: FloatArray) -> FloatArray:
        if not inside:
            inside.append(np.empty(0))
            inside[0] = net.predict(np.ones((2, 4)))
        return np.tanh(z)

    net = Network([4, 3, 3], hidden=Activation(forward=curious, derivative=tanh_slope), seed=0)
    expected = Network([4, 3, 3], hidden=TWINS["tanh"], seed=0).predict(np.ones((2, 4)))
    METHODS[method](net, Loss(squared))
    assert (inside[0] == expected).all()


@pytest.mark.parametrize("method", ["train_batch", "fit"])
def test_function_may_not_train_the_network_that_called_it(method: str) -> None:
    def greedy(z: FloatArray) -> FloatArray:
        METHODS[method](net, "mse")
        return z

    net = Network([4, 3, 3], hidden=Activation(forward=greedy, derivative=np.ones_like), seed=0)
    before = net.parameters.copy()
    for outer in METHODS.values():
        with pytest.raises((RuntimeError, ValueError), match="train"):
            outer(net, "mse")
    assert (net.parameters == before).all()


def test_two_networks_may_call_each_other() -> None:
    # While `first` is trained, its activation asks `second`, and that one's asks `first` again.
    inside: list[str] = []

    def ask(name: str, other: str) -> Callable[[FloatArray], FloatArray]:
        def forward(z: FloatArray) -> FloatArray:
            if name not in inside:
                inside.append(name)
                networks[other].predict(np.ones((2, 2)))
                inside.remove(name)
            return z

        return forward

    networks = {
        name: pymlp.Network(
            [2, 2],
            output=pymlp.Activation(forward=ask(name, other), derivative=np.ones_like),
            seed=0,
        )
        for name, other in (("first", "second"), ("second", "first"))
    }
    history = networks["first"].fit(np.ones((4, 2)), np.ones((4, 2)), epochs=2)
    assert len(history.loss) == 2
