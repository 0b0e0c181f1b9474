"""Names that editors complete: those of the tables, and of modules what users need."""

import importlib
import inspect
import sys
import typing
from typing import Any, get_args

import pytest

import pymlp
from pymlp import _names, activations, architecture, initializers, losses, optimizers, schedules
from pymlp.metrics import named

TABLES: dict[str, list[str]] = {
    "ActivationName": list(activations.TABLE),
    "LossName": ["auto", *losses.TABLE],
    "OptimizerName": list(optimizers.TABLE),
    "InitializerName": list(initializers._TABLE),
    "NormName": list(architecture.NORMS),
    "MetricName": list(named.TABLE),
    "MonitorName": ["loss", *named.TABLE],
    "Mode": ["auto", "min", "max"],
    "Ties": ["first", "last"],
    "ArithmeticName": ["exact", "blas"],
    "DTypeName": ["float32", "float64"],
    "ScheduledName": list(schedules.NUMBERS),
}


def literals(kind: Any) -> list[str]:
    """Return the strings of a Literal, or of a union that has some."""
    if typing.get_origin(kind) is typing.Literal:
        return list(get_args(kind))
    return [name for part in get_args(kind) for name in literals(part)]


@pytest.mark.parametrize("name", TABLES)
def test_types_of_names_are_the_tables(name: str) -> None:
    assert literals(getattr(_names, name)) == TABLES[name]


def test_every_type_of_names_is_held_to_a_table() -> None:
    types = {name for name, kind in vars(_names).items() if literals(kind)}
    assert types - {"Metric", "Metrics"} == set(TABLES)


@pytest.mark.parametrize(
    ("function", "argument", "of"),
    [
        (pymlp.Network.__init__, "hidden", "ActivationName"),
        (pymlp.Network.__init__, "output", "ActivationName"),
        (pymlp.Network.__init__, "init", "InitializerName"),
        (pymlp.Network.__init__, "norm", "NormName"),
        (pymlp.Network.__init__, "arithmetic", "ArithmeticName"),
        (pymlp.Network.__init__, "dtype", "DTypeName"),
        (pymlp.Network.fit, "optimizer", "OptimizerName"),
        (pymlp.Network.fit, "loss", "LossName"),
        (pymlp.Network.fit, "metrics", "MetricName"),
        (pymlp.Network.fit, "schedule", "ScheduledName"),
        (pymlp.Network.evaluate, "metrics", "MetricName"),
        (pymlp.Network.loss, "loss", "LossName"),
        (pymlp.Network.train_batch, "loss", "LossName"),
        (pymlp.EarlyStopping.__init__, "monitor", "MonitorName"),
        (pymlp.EarlyStopping.__init__, "mode", "Mode"),
        (pymlp.EarlyStopping.__init__, "ties", "Ties"),
        (pymlp.diagnose, "loss", "LossName"),
        (pymlp.arithmetic, "name", "ArithmeticName"),
        (pymlp.set_arithmetic, "name", "ArithmeticName"),
        (pymlp.Parametric.__init__, "activation", "ActivationName"),
    ],
)
def test_signatures_name_them(function: Any, argument: str, of: str) -> None:
    places = vars(sys.modules[function.__module__]) | {"History": pymlp.History}
    annotation = eval(inspect.signature(function).parameters[argument].annotation, places)
    assert set(TABLES[of]) <= set(literals(annotation))


# ---- modules -------------------------------------------------------------------------------------

MODULES = [
    "activations", "initializers", "losses", "metrics", "optimizers", "plot", "schedules",
]  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_a_module_shows_what_users_need_and_no_more(name: str) -> None:
    module = importlib.import_module(f"pymlp.{name}")
    assert set(dir(module)) >= set(module.__all__)
    own = {
        key
        for key, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__
    }
    assert set(dir(module)) == {key for key in own if not key.startswith("_")} | set(module.__all__)


def test_the_package_shows_its_public_names() -> None:
    assert dir(pymlp) == sorted(pymlp.__all__)
    for name in pymlp.__all__:
        getattr(pymlp, name)


def test_a_network_shows_no_stray_names() -> None:
    net = pymlp.Network([2, 1])
    shown = {name for name in dir(net) if not name.startswith("_")}
    assert shown == {
        *("arithmetic", "bias", "biases", "check_gradients", "copy", "dropout", "dtype"),
        *("embed", "embedded_width", "embedding", "embedding_parameters", "evaluate"),
        *("feature_names", "fit", "forward", "gradients", "history", "initialize_from"),
        *("input_gradients",),
        *("input_dropout", "input_scale", "layers", "loss", "n_parameters", "norm", "parameters"),
        *("plan", "predict", "release_memory", "residual", "save", "scale_inputs", "seed"),
        *("summary", "train_batch", "vjp", "weights", "widths"),
    }
