"""Stacks in files, pickles and copies."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pymlp
from pymlp import Network, NetworkStack

X = np.linspace(-1, 1, 60).reshape(20, 3)
Y = np.linspace(0, 1, 20)


def stack(k: int = 4, **options: Any) -> NetworkStack:
    return NetworkStack(Network([3, 5, 1], seed=i, **options) for i in range(k))


def same(one: NetworkStack, other: NetworkStack) -> bool:
    states = [[net.__getstate__() for net in s] for s in (one, other)]
    arenas = [[state.pop("parameters").tobytes() for state in s] for s in states]
    return states[0] == states[1] and arenas[0] == arenas[1]


@pytest.mark.parametrize(
    "options",
    [{}, {"norm": "batch", "hidden": pymlp.Parametric("selu")}, {"dtype": "float64"},
     {"scale_inputs": True, "bias": False, "feature_names": ["a", "b", "c"]}],
)  # fmt: skip
def test_a_file_gives_back_the_stack(tmp_path: Path, options: dict[str, Any]) -> None:
    ours, path = stack(**options), tmp_path / "stack.safetensors"
    ours.fit(X, Y, epochs=1)
    ours.save(path)
    theirs = pymlp.load(path)
    assert type(theirs) is NetworkStack
    assert same(ours, theirs)
    assert (ours.predict(X) == theirs.predict(X)).all()
    for one in (ours, theirs):  # later draws too
        one.fit(X, Y, epochs=1)
    assert same(ours, theirs)


def test_tensors_have_the_networks_in_front(tmp_path: Path) -> None:
    from safetensors import safe_open

    ours, path = stack(4), tmp_path / "stack.safetensors"
    ours.save(path)
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["pymlp"])
        weights = file.get_tensor("layers.1.weights")
        assert sorted(file.keys()) == [
            "layers.0.biases", "layers.0.weights", "layers.1.biases", "layers.1.weights",
        ]  # fmt: skip
    assert weights.shape == (4, 5, 1)
    assert (weights[2] == ours[2].weights[1]).all()
    assert header["format_version"] == 3
    assert header["members"] == [{"seed": i, "fits": 0} for i in range(4)]


CHANGES: dict[str, tuple[Any, str]] = {
    "no list": (lambda header: header.update(members=4), "its members must be a list"),
    "nobody": (lambda header: header.update(members=[]), "its members must be a list"),
    "one too few": (lambda header: header["members"].pop(), "its tensors do not have the"),
    "no seed": (lambda header: header["members"][1].pop("seed"), "seed"),
    "a seed below 0": (lambda header: header["members"][1].update(seed=-1), "seed must be"),
    "fits of a half": (lambda header: header["members"][1].update(fits=0.5), "fits must be"),
    "a network's": (lambda header: header.pop("members"), "do not have the 26 parameters"),
    "a model's": (
        lambda header: header["metadata"].update(estimator="{}"), "has one network, not a stack",
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_files_that_somebody_changed_are_refused(tmp_path: Path, change: str) -> None:
    from safetensors.numpy import load_file, save_file

    path, (edit, message) = tmp_path / "stack.safetensors", CHANGES[change]
    stack().save(path)
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(json.loads(file.read(size))["__metadata__"]["pymlp"])
    edit(header)
    save_file(load_file(path), path, {"pymlp": json.dumps(header)})
    with pytest.raises(pymlp.FileFormatError, match=message):
        pymlp.load(path)


def test_user_functions_do_not_go_into_files(tmp_path: Path) -> None:
    square = pymlp.Activation(forward=lambda z: z * z, derivative=lambda z: 2 * z)
    with pytest.raises(ValueError, match="holds no functions"):
        stack(2, hidden=square).save(tmp_path / "stack.safetensors")


def test_copies_are_independent() -> None:
    ours = stack()
    ours[0].mark = "mine"  # type: ignore[attr-defined]
    ours.fit(X, Y, epochs=1)
    for twin in (ours.copy(), copy.copy(ours), copy.deepcopy(ours)):
        assert same(ours, twin)
        assert twin[0] is not ours[0]
        assert twin[0].mark == "mine"
        twin.fit(X, Y, epochs=1)
        assert not same(ours, twin)


def test_pickles() -> None:
    ours = stack()
    ours.fit(X, Y, epochs=1)
    theirs = pickle.loads(pickle.dumps(ours))
    assert type(theirs) is NetworkStack
    assert same(ours, theirs)
    for one in (ours, theirs):
        one.fit(X, Y, epochs=1)
    assert same(ours, theirs)
