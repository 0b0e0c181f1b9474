"""Every attribute of what users hold: assigning takes effect everywhere, or is refused."""

import inspect
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pymlp
from pymlp import Network, activations, losses, optimizers, schedules

X, Y = np.arange(12.0).reshape(4, 3) / 12.0, np.ones((4, 2))


def network() -> Network:
    return Network([3, 4, 2], hidden=pymlp.LeakyReLU(0.2), dropout=0.1, seed=0)


def every_operation(**others: Any) -> Network:
    return Network(
        [3, 4, 4, 2], hidden=pymlp.Parametric("silu"), norm="batch", residual=True,
        scale_inputs=True, input_dropout=0.1, seed=0, **others,
    )  # fmt: skip


def made(kind: Any) -> Any:
    """Return an object of this kind, with the arguments that it needs."""
    needed = {
        schedules.Step: (3,), schedules.Exponential: (0.5,), schedules.WarmUp: (3,),
        schedules.Function: (abs,),
        losses.Loss: (max,), pymlp.Activation: (np.tanh, np.cos),
    }  # fmt: skip
    given = needed.get(kind, ())
    return kind(forward=given[0], derivative=given[1]) if kind is pymlp.Activation else kind(*given)


OBJECTS: dict[str, Any] = {
    "Network": network(),
    "Layer": network().layers[0],
    "layer's activation": network().layers[0].activation,
    "Gradients": network().gradients(X, Y, dz=True)[1],
    "LayerGradients": network().gradients(X, Y)[1].layers[0],
    "Views": network().weights,
    "Network with every operation": every_operation(),
    "Layer with every operation": every_operation().layers[1],
    "learnt activation": every_operation().layers[1].activation,
    "Gradients by every operation": every_operation().gradients(X, Y, dz=True)[1],
    "LayerGradients by every operation": every_operation().gradients(X, Y)[1].layers[1],
    "PlannedOperation of a norm": every_operation().plan().operations[3],
    "Plan": network().plan(),
    "PlanLimits": network().plan().limits,
    "PlannedOperation": network().plan().operations[0],
    "EarlyStopping": pymlp.EarlyStopping(),
    **{f"activation {n}": made(kind) for n, kind in activations.TABLE.items()},
    "Activation": made(pymlp.Activation),
    **{f"loss {n}": made(kind) for n, kind in losses.TABLE.items()},
    "Loss": made(losses.Loss),
    **{f"optimizer {n}": made(kind) for n, kind in optimizers.TABLE.items()},
    **{f"schedule {n}": made(getattr(schedules, n)) for n in schedules.__all__},
}
# What takes effect; tested below. `history` is the user's to replace.
ASSIGNABLE: dict[str, set[str]] = {
    "Network": {"parameters", "history", "feature_names"},
    "Layer": {"weights", "biases"},
    "Network with every operation": {"parameters", "history", "feature_names", "input_scale"},
    "Layer with every operation": {
        "weights",
        "biases",
        "gain",
        "shift",
        "alpha",
        "running_mean",
        "running_variance",
    },
    **{f"optimizer {n}": {"learning_rate"} for n in optimizers.TABLE if n != "lbfgs"},
}


def attributes(thing: Any) -> list[str]:
    """Return the public attributes, functions apart, and the options of an optimiser."""
    names = {name for name in dir(thing) if not name.startswith("_")}
    names = {name for name in names if not inspect.isroutine(getattr(thing, name))}
    return sorted(names | set(getattr(thing, "options", ())))


@pytest.mark.parametrize(("what", "thing"), OBJECTS.items(), ids=OBJECTS)
def test_the_rest_cannot_be_assigned(what: str, thing: Any) -> None:
    names = attributes(thing)
    shown = repr(thing)
    assert names or what == "Views"
    assert ASSIGNABLE.get(what, set()) <= set(names)
    for name in set(names) - ASSIGNABLE.get(what, set()):
        value = getattr(thing, name, 0.5)
        for new in (value, 0.5, None):
            with pytest.raises(AttributeError):
                setattr(thing, name, new)
        with pytest.raises(AttributeError):
            delattr(thing, name)
    assert repr(thing) == shown


@pytest.mark.parametrize(("what", "thing"), OBJECTS.items(), ids=OBJECTS)
def test_no_attribute_is_invented(what: str, thing: Any) -> None:
    if what.startswith("Network"):
        thing.note = "of the user's own"  # which copies keep
        assert thing.copy().note == thing.note
        return
    with pytest.raises(AttributeError):
        thing.slopee = 0.5


@pytest.mark.parametrize("kind", ["options", "parameters", "layers", "activations"])
def test_what_holds_them_is_read_only(kind: str) -> None:
    net = network()
    holders: dict[str, Any] = {
        "options": pymlp.Adam().options, "parameters": pymlp.LeakyReLU().parameters,
        "layers": net.layers, "activations": [layer.activation for layer in net.layers],
    }  # fmt: skip
    if kind == "activations":  # a list of the user's own: the network does not see it
        holders[kind][0] = pymlp.Tanh()
        assert repr(net.layers[0].activation) == repr(pymlp.LeakyReLU(0.2))
        return
    first = {"options": "beta1", "parameters": "slope", "layers": 0}[kind]
    with pytest.raises(TypeError, match="does not support item assignment"):
        holders[kind][first] = 0.5


# ---- what takes effect does so everywhere --------------------------------------------------------
def subtract_from_weights(net: Network) -> None:
    net.weights[1] -= np.full((4, 2), 0.5, net.dtype)


WRITES: dict[str, Any] = {
    "layer.weights": lambda net: setattr(net.layers[0], "weights", np.full((3, 4), 0.25)),
    "layer.biases": lambda net: setattr(net.layers[1], "biases", [3.0, -3.0]),
    "layer.weights[...]": lambda net: net.layers[0].weights.fill(2.0),
    "weights[l]": lambda net: net.weights.__setitem__(0, np.full((3, 4), 0.25)),
    "weights[l] -= step": subtract_from_weights,
    "weights[:]": lambda net: net.weights.__setitem__(slice(None), [W * 2 for W in net.weights]),
    "biases[l]": lambda net: net.biases.__setitem__(1, [3.0, -3.0]),
    "parameters": lambda net: setattr(net, "parameters", net.parameters * 3),
    "parameters[...]": lambda net: net.parameters.__imul__(3),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_parameters_are_the_same_everywhere(write: Any, dtype: str, tmp_path: Path) -> None:
    net = Network([3, 4, 2], hidden=pymlp.LeakyReLU(0.2), dtype=dtype, seed=0)
    before, parameters = net.predict(X), net.parameters.copy()
    write(net)
    after = net.predict(X)
    assert (after != before).any()
    assert (net.parameters != parameters).any()
    views = [a.reshape(-1) for layer in net.layers for a in (layer.weights, layer.biases)]  # type: ignore[union-attr]
    assert (np.concatenate(views) == net.parameters).all()
    net.save(tmp_path / "net.safetensors")
    for twin in (
        net.copy(),
        pickle.loads(pickle.dumps(net)),
        pymlp.load(tmp_path / "net.safetensors"),
    ):
        assert (twin.predict(X) == after).all()
        assert repr(twin) == repr(net)
    Z = np.asarray(X, net.dtype)
    for layer in net.layers:
        Z = layer.activation.forward(Z @ layer.weights + layer.biases)
    np.testing.assert_allclose(Z, after, rtol=1e-5, atol=1e-6)


ARRAYS: dict[str, Any] = {
    "input_scale": (lambda net: net, (3,)),
    "weights": (lambda net: net.layers[1], (4, 4)),
    **{
        name: (lambda net: net.layers[1], (4,))
        for name in ("biases", "gain", "shift", "alpha", "running_mean", "running_variance")
    },
}


@pytest.mark.parametrize("name", ARRAYS)
def test_every_array_takes_a_copy(name: str, dtype: str, tmp_path: Path) -> None:
    find, shape = ARRAYS[name]
    net = every_operation(dtype=dtype)
    view, before, parameters = getattr(find(net), name), net.predict(X), net.parameters.copy()
    assert view.shape == shape
    given = np.linspace(0.5, 1.5, view.size).reshape(shape)
    setattr(find(net), name, given)
    assert getattr(find(net), name) is view
    assert (view == given.astype(dtype)).all()
    given[:] = 7.0
    assert not (view == 7.0).any()
    after = net.predict(X)
    assert (after != before).any()
    assert (net.parameters != parameters).any() == (not name.startswith("running"))
    net.save(tmp_path / "net.safetensors")
    twins = net.copy(), pickle.loads(pickle.dumps(net)), pymlp.load(tmp_path / "net.safetensors")
    for twin in twins:
        assert (twin.predict(X) == after).all()
        assert (getattr(find(twin), name) == view).all()
    for wrong in (np.ones(5), 1.0, np.ones((4, 5))):
        with pytest.raises(ValueError, match=f"{name} must have shape"):
            setattr(find(net), name, wrong)
    assert (net.predict(X) == after).all()


@pytest.mark.parametrize("name", sorted(set(ARRAYS) - {"weights", "biases"}))
def test_an_array_that_is_not_there_cannot_be_assigned(name: str) -> None:
    net = network()
    where = ARRAYS[name][0](net)
    assert getattr(where, name) is None
    with pytest.raises(AttributeError, match=f"'{name}'.* cannot be assigned"):
        setattr(where, name, np.ones(ARRAYS[name][1]))


def test_layers_have_what_their_network_gives_them() -> None:
    learnt = {"weights", "biases", "gain", "shift", "alpha"}
    for options, has in (
        ({}, set()),
        ({"norm": "rms"}, {"gain"}),
        ({"norm": "layer"}, {"gain", "shift"}),
        ({"norm": "batch"}, {"gain", "shift", "running_mean", "running_variance"}),
        ({"hidden": pymlp.Parametric("silu")}, {"alpha"}),
    ):
        net = Network([3, 4, 4, 2], **options)  # type: ignore[arg-type]
        _, grads = net.gradients(X, Y)
        for i, (layer, gradients) in enumerate(zip(net.layers, grads.layers, strict=True)):
            expected = {"weights", "biases", *(has if i < 2 else ())}
            names = [*learnt, "running_mean", "running_variance"]
            assert {n for n in names if getattr(layer, n) is not None} == expected
            assert {n for n in learnt if getattr(gradients, n) is not None} == expected & learnt
    residual = Network([3, 4, 4, 4], residual=True)
    assert [layer.residual for layer in residual.layers] == [False, True, False]


@pytest.mark.parametrize("name", [n for n in optimizers.TABLE if n != "lbfgs"])
def test_a_learning_rate_that_is_set_is_the_one_that_steps_have(name: str) -> None:
    kind = optimizers.TABLE[name]
    net, twin = network(), network()
    assigned, given = kind(0.5), kind(0.125)
    assigned.learning_rate = 0.125
    assert repr(assigned) == repr(given)
    net.train_batch(X, Y, optimizer=assigned)
    twin.train_batch(X, Y, optimizer=given)
    assigned.learning_rate = given.learning_rate = 0.25
    net.train_batch(X, Y, optimizer=assigned)
    twin.train_batch(X, Y, optimizer=given)
    assert (net.parameters == twin.parameters).all()
    assert repr(pickle.loads(pickle.dumps(assigned))) == repr(given)
    assert assigned.fresh().learning_rate == 0.25
    for wrong, error in ((0.0, ValueError), (-1.0, ValueError), ("0.1", TypeError)):
        with pytest.raises(error, match="learning_rate must be"):
            assigned.learning_rate = wrong
    assert assigned.learning_rate == 0.25
