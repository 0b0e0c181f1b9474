"""Bytes choose a network, arrays and options: a call is refused in the documented way, or works.

``python -m fuzz.calls FOLDER -max_total_time=60``
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from typing import Any

import atheris
import numpy as np

with atheris.instrument_imports(include=["pymlp"]):
    import pymlp
    from fuzz import own_functions
    from pymlp import activations, initializers, losses, optimizers, schedules

warnings.simplefilter("ignore")
# ImportError: of SciPy, by L-BFGS. RuntimeError: a callback that trains what is being trained.
REFUSED = (
    ValueError, TypeError, pymlp.TrainingDiverged, ImportError, RuntimeError, own_functions.Own,
)  # fmt: skip
DTYPES = ["f4", "f8", "f2", "i1", "i8", "u8", "?", "c8", "U1", "O", ">f4", "M8[s]"]
ODD: list[Any] = [
    None, True, 0, 1, 2, -1, 2**31, 2**63, 10**400, 0.0, 0.5, 1.0, 1e-300, 1e308, -0.5,
    float("nan"), float("inf"), "", "auto", "x", "adam", "mse", [], {}, (), b"", [0.5], {"a": 1},
]  # fmt: skip
ACTIVATIONS = [*activations.TABLE, "rleu", "parametric"]
FIT = {
    "epochs": [1, 2, 3], "batch_size": ["auto", None, 1, 2, 7, 10**6], "loss": [*losses.TABLE],
    "optimizer": [*optimizers.TABLE], "learning_rate": [0.01, 1e-9, 100.0],
    "validation": [0.2, 0.5, 0.99], "early_stopping": [True, 2], "shuffle": [False],
    "drop_last": [True], "metrics": ["accuracy", "r2", ["mae"], "f1"], "threads": [1, 2, 3],
    "max_seconds": [1.0], "scale_target": [True], "l1": [0.1], "l2": [0.1], "clip_norm": [0.1],
    "clip_value": [0.1], "max_norm": [0.5], "average": [0.9], "freeze": [[0], ["layers.0"]],
    "class_weight": ["balanced", {0: 2.0}], "seed": [0, 2**64 - 1],
    "callbacks": own_functions.CALLBACKS,
    "schedule": [
        schedules.Cosine(), schedules.OneCycle(), schedules.ReduceOnPlateau(patience=1),
        schedules.Function(own_functions.of_step), schedules.Function(own_functions.raises),
        {"l2": schedules.Constant()}, {"learning_rate": schedules.Cosine(per="step")},
        {"dropout": schedules.FlatCos(), "weight_decay": schedules.Exponential(0.5)},
        {"momentum": schedules.WarmUp(2)}, {"label_smoothing": schedules.CosLog4()},
    ],
}  # fmt: skip


class Choices:
    """What bytes choose."""

    def __init__(self, data: bytes) -> None:
        self._bytes = atheris.FuzzedDataProvider(data)

    def of(self, values: Any) -> Any:
        """Return one of some values; now and then something else entirely."""
        odd = self._bytes.ConsumeIntInRange(0, 30) == 0
        return self._bytes.PickValueInList(ODD if odd else list(values))

    def chance(self, n: int) -> bool:
        """Tell whether one case in n is this one."""
        return self._bytes.ConsumeIntInRange(0, n - 1) == n - 1

    def integer(self, low: int, high: int) -> int:
        """Return an integer from low to high."""
        return self._bytes.ConsumeIntInRange(low, high)

    def array(self, rows: int, columns: int | None) -> Any:
        """Return an array of a shape that is mostly right, of any dtype and layout."""
        if self.chance(15):
            return self.of(ODD)
        columns = self.integer(0, 5) if self.chance(15) else columns
        shape = (rows,) if columns is None else (rows, columns)
        numbers = np.random.default_rng(self.integer(0, 255)).normal(size=shape)
        array = numbers.astype("f4") if self.chance(2) else self._cast(numbers)
        if self.chance(8) and array.size and array.dtype.kind == "f":
            array.flat[0] = self._bytes.PickValueInList([np.nan, np.inf, 1e30, -0.0])
        layouts = [np.asarray, np.asfortranarray, lambda a: a[::-1], lambda a: a.tolist()]
        return self._bytes.PickValueInList(layouts)(array)

    def _cast(self, numbers: Any) -> Any:
        dtype = self._bytes.PickValueInList(DTYPES)
        return np.rint(np.abs(numbers)).astype("i8").astype(dtype)


def own(choose: Choices, built_in: Any, users: Any) -> list[Any]:
    """Return functions that are built in, or now and then what a user has written."""
    return users if choose.chance(8) else built_in


def network(choose: Choices) -> pymlp.Network:
    """Return a network of a few units."""
    widths = [choose.integer(1, 5) for _ in range(choose.integer(2, 4))]
    if choose.chance(12):
        widths[choose.integer(0, len(widths) - 1)] = choose.of([0, -1, 2**31, 2.5, "3"])
    options = {
        "hidden": own(choose, ACTIVATIONS, own_functions.ACTIVATIONS),
        "output": own(choose, ACTIVATIONS, own_functions.ACTIVATIONS), "bias": [True, False],
        "norm": ["layer", "rms", "batch"],
        "init": ["auto", "orthogonal", "zeros", initializers.Uniform(3.0)],
        "dropout": [0.1, 0.999], "input_dropout": [0.1], "residual": [True], "scale_inputs": [True],
        "dtype": ["float32", "float64"], "seed": [0, 5], "feature_names": [["a", "b"]],
        "embedding": [
            pymlp.embeddings.Periodic([0]), pymlp.embeddings.Periodic(),
            pymlp.embeddings.Categories({0: 3}), pymlp.embeddings.PiecewiseLinear({0: [0.0, 1.0]}),
        ],
    }  # fmt: skip
    given = {name: choose.of(values) for name, values in options.items() if choose.chance(3)}
    return pymlp.Network(widths, **given)


def given(data: bytes) -> None:
    """Make a network and call one or two of its methods."""
    choose = Choices(data)
    try:
        net = network(choose)
    except REFUSED:
        return
    before = net.parameters.copy()
    m, n_out = choose.integer(0, 40), net.widths[-1]
    X = choose.array(m, net.widths[0])
    y = choose.array(m, None if choose.chance(3) else n_out)
    fit = {name: choose.of(values) for name, values in FIT.items() if choose.chance(6)}
    if choose.chance(10):
        fit["loss"] = choose.of(own_functions.LOSSES)
    loss = {"loss": fit["loss"]} if "loss" in fit else {}
    calls: list[Any] = [
        lambda: net.predict(X), lambda: net.forward(X), lambda: net.loss(X, y, **loss),
        lambda: net.gradients(X, y, **loss), lambda: net.vjp(X, y),
        lambda: net.evaluate(X, y, **loss),
        lambda: pymlp.NetworkStack([net, net.copy()]).predict(X), lambda: net.summary(),
    ]  # fmt: skip
    for _ in range(2):
        with contextlib.suppress(*REFUSED):
            calls[choose.integer(0, len(calls) - 1)]()
    assert (net.parameters == before).all(), "a question has changed the network"
    fit = {"epochs": 2} | fit
    if choose.chance(4):
        return learn_as_one_of_a_stack(net, X, y, fit)
    if fit["epochs"] not in (1, 2, 3):  # any other number of them may take any time
        fit["max_seconds"] = 0.05
    try:
        net.fit(X, y, **fit)
    except REFUSED:
        assert np.isfinite(net.parameters).all()
        return
    assert np.isfinite(net.parameters).all(), "it has learnt what is no number"


def learn_as_one_of_a_stack(net: pymlp.Network, X: Any, y: Any, fit: dict[str, Any]) -> None:
    """Train two networks together: each learns what it learns alone."""
    alone, fit = net.copy(), fit | {"max_seconds": None, "epochs": 2}
    stack = pymlp.NetworkStack([net, net.copy()])
    try:
        stack.fit(X, y, **fit)
    except REFUSED:
        return
    alone.fit(X, y, **fit)
    assert all((one.parameters == alone.parameters).all() for one in stack)


if __name__ == "__main__":
    atheris.Setup(sys.argv, given)
    atheris.Fuzz()
