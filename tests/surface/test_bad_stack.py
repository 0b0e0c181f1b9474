"""Wrong calls of a stack are refused, with what is wrong and of which network; nothing is drawn."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import pymlp
from pymlp import Network, NetworkStack

X = np.linspace(-1, 1, 60).reshape(20, 3)
Y = np.linspace(0, 1, 20)


def networks(k: int = 3) -> list[Network]:
    return [Network([3, 4, 1], seed=i) for i in range(k)]


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: 3, TypeError, "networks must be an iterable of networks, not int"),
        (lambda: Network([2, 1]), TypeError, "must be an iterable of networks, not Network"),
        (list, ValueError, "networks must be at least one, not none"),
        (lambda: [Network([2, 1]), 3], TypeError, "networks[1] must be a Network, not int"),
        (lambda: [networks(1)[0]] * 2, ValueError, "networks[1] is networks[0]"),
        (
            lambda: [Network([2, 3, 1]), Network([2, 4, 1])],
            ValueError,
            "networks[1] has widths [2, 4, 1], not [2, 3, 1]",
        ),
        (
            lambda: [Network([2, 3, 1]), Network([2, 3, 1], hidden="tanh", dtype="float64")],
            ValueError,
            "networks[1] has activations [Tanh(), Linear()], not [ReLU(), Linear()]; dtype float64,"
            " not float32",
        ),
        (
            lambda: [Network([2, 3, 1]), Network([2, 3, 1], dropout=0.5)],
            ValueError,
            "dropout [0.5], not [0.0]",
        ),
    ],
)
def test_what_is_no_stack(make: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=re.escape(message)):
        NetworkStack(make())


def test_a_network_that_changed_since_is_refused() -> None:
    stack = NetworkStack(networks())
    stack[1].feature_names = ["a", "b", "c"]
    with pytest.raises(ValueError, match=r"networks\[1\] has feature_names"):
        stack.fit(X, Y)


BAD: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "X of another number": ({"X": np.zeros((2, 20, 3))}, ValueError,
        "X must be one for each of the 3 networks, not 2"),
    "columns": ({"X": [X, X[:, :2], X]}, ValueError,
        "networks[1]: X must have 3 columns, not 2"),
    "columns of all": ({"X": X[:, :2]}, ValueError, "X must have 3 columns, not 2"),
    "not finite": ({"X": [X, X, X * np.nan]}, ValueError, "networks[2]: X must be finite"),
    "y of another number": ({"y": [Y, Y]}, ValueError,
        "y must be one for each of the 3 networks, not 2"),
    "y of another length": ({"y": [Y, Y[:3], Y]}, ValueError,
        "networks[1]: y must have 20 rows, as X has, not 3"),
    "weights": ({"sample_weight": [None, None, -np.ones(20)]}, ValueError,
        "networks[2]: sample_weight must not be negative"),
    "rows of another number": ({"rows": [[0], [1]]}, ValueError,
        "rows must be one for each of the 3 networks, not 2"),
    "rows out of range": ({"rows": [[0], [20], [1]]}, ValueError,
        "rows[1] must be from 0 to 19, but rows[1][0] is 20"),
    "negative rows": ({"rows": [[0], [-1], [1]]}, ValueError, "rows[1] must be from 0 to 19"),
    "no rows": ({"rows": [[0], [], [1]]}, ValueError, "rows[1] must have at least 1 row, not 0"),
    "rows of numbers": ({"rows": [[0], [0.5], [1]]}, TypeError,
        "rows[1] must hold row numbers, not dtype float64"),
    "a mask of another length": ({"rows": [[0], [True], [1]]}, ValueError,
        "rows[1] must say True or False of 20 rows, not 1"),
    "rows that are none": ({"rows": 3}, TypeError,
        "rows must be an array of row numbers for each network, not int"),
    "a matrix of rows": ({"rows": np.zeros((3, 2, 2), int)}, ValueError,
        "rows[0] must be a vector of row numbers, not of 2 dimensions"),
    "rows of an own X": ({"X": [X, X, X], "rows": [[0], [1], [2]]}, ValueError,
        "rows needs one X (m, n_in) that all networks share, not one for each"),
    "rows of validation of an own X": ({"X": [X] * 3, "validation_rows": [[0]] * 3}, ValueError,
        "validation_rows needs one X"),
    "two validations": ({"validation_rows": [[0]] * 3, "validation": 0.5}, ValueError,
        "validation and validation_rows do not go together"),
    "validation of another number": ({"validation": [(X, Y)]}, ValueError,
        "validation must be one for each of the 3 networks, not 1"),
    "wrong validation": ({"validation": [(X, Y), (X[:, :1], Y), (X, Y)]}, ValueError,
        "networks[1]: validation: X must have 3 columns, not 1"),
    "weights of rows": (
        {"sample_weight": np.arange(20) > 5, "rows": [[9], [1, 2], [9]]}, ValueError,
        "networks[1]: sample_weight must not be 0 for every one of its rows"),
    "a share that leaves none": ({"rows": [[0, 1], [2], [3, 4]], "validation": 0.5}, ValueError,
        "networks[1]: validation=0.5 of 1 samples leaves none to train on"),
    "lbfgs": ({"optimizer": "lbfgs"}, ValueError, "optimizer must not be lbfgs in a stack"),
    "optimisers of another number": ({"optimizer": [pymlp.SGD(0.1)]}, ValueError,
        "optimizer must be one for each of the 3 networks, not 1"),
    "names of optimisers": ({"optimizer": ["adam"] * 3}, TypeError,
        "optimizer[0] must be an Optimizer, not str"),
    "one optimiser twice": ({"optimizer": [pymlp.SGD(0.1)] * 3}, ValueError,
        "optimizer[1] is the optimizer of another network, too"),
    "seeds": ({"seed": [1, 2]}, ValueError, "seed must be one for each of the 3 networks, not 2"),
    "epochs": ({"epochs": 0}, ValueError, "epochs must be at least 1, not 0"),
    "freeze": ({"freeze": [7]}, ValueError, "freeze must name layers from 0 to 1, not 7"),
    "schedule": ({"schedule": {"dropout": pymlp.schedules.Cosine()}}, ValueError,
        "schedule['dropout'] would change nothing"),
    "progress": ({"progress": 1}, TypeError, "progress must be True or False, not int"),
    "another word": ({"n_epochs": 3}, TypeError,
        "NetworkStack.fit() got an unexpected keyword argument 'n_epochs'; use epochs"),
    "close": ({"row": 3}, TypeError, "unexpected keyword argument 'row'; use rows"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_wrong_calls_change_nothing(case: str) -> None:
    options, kind, message = BAD[case]
    nets = networks()
    before = [net.__getstate__() for net in nets]
    with pytest.raises(kind, match=re.escape(message)):
        NetworkStack(nets).fit(**({"X": X, "y": Y} | options))
    for net, state in zip(nets, before, strict=True):
        now = net.__getstate__()
        assert now.pop("parameters").tobytes() == state.pop("parameters").tobytes()
        assert now == state
        assert net.history is None


def test_an_optimiser_that_has_taken_steps_is_no_rule() -> None:
    used = pymlp.Adam()
    Network([3, 1]).fit(X, Y, epochs=1, optimizer=used)
    with pytest.raises(ValueError, match="optimizer remembers the steps of one network"):
        NetworkStack(networks()).fit(X, Y, optimizer=used)


def test_targets_that_may_be_meant_in_two_ways_are_refused() -> None:
    nets = [Network([3, 2], seed=i) for i in range(2)]
    with pytest.raises(ValueError, match="may be one for all networks or a row for each"):
        NetworkStack(nets).fit(X[:2], np.zeros((2, 2)), loss="mse")


@pytest.mark.parametrize(
    ("X", "options", "message"),
    [
        (X[:, :2], {}, "X must have 3 columns, not 2"),
        ([X, X[:, :2], X], {}, "networks[1]: X must have 3 columns, not 2"),
        (np.zeros((2, 5, 3)), {}, "X must be one for each of the 3 networks, not 2"),
        (X, {"out": np.zeros((20, 1), np.float32)}, "out must have shape (3, 20, 1)"),
        ([X, X[:2], X], {"out": np.zeros((3, 20, 1))}, "out goes with as many rows"),
        (X, {"threads": 0}, "threads must be at least 1, not 0"),
    ],
)
def test_wrong_predictions(X: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        NetworkStack(networks()).predict(X, **options)


def test_wrong_losses_tell_the_network() -> None:
    stack = NetworkStack(networks())
    with pytest.raises(ValueError, match=r"networks\[2\]: y must have 20 rows"):
        stack.loss(X, [Y, Y, Y[:3]])
