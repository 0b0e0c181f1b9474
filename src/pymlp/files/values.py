"""Parameters of models as JSON holds them, and back.

Nothing in a file runs: objects of pymlp are written as the name of their class and their fields.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from pymlp import activations, embeddings, initializers, losses, optimizers, schedules
from pymlp._values import Value
from pymlp.optimizers import Optimizer

__all__ = ["plain", "restored"]

_MODULES: dict[str, ModuleType] = {
    module.__name__: module for module in (activations, embeddings, initializers, losses, schedules)
}


def plain(name: str, value: Any) -> Any:
    """Return a value as JSON holds it.

    Raises
    ------
    ValueError
        If it is, or holds, what a file cannot: a function, a generator; the message has the name.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value.item() if isinstance(value, np.generic) else value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.dtype) or value is float or _is_of_numpy(value):
        return np.dtype(value).name
    if isinstance(value, tuple | list | np.ndarray):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [plain(name, item) for item in value]}
    if isinstance(value, Mapping):
        return {"dict": [[plain(name, k), plain(name, v)] for k, v in value.items()]}
    if isinstance(value, Optimizer):
        rate = None if isinstance(value, optimizers.LBFGS) else value.learning_rate
        fields = {key: v for key, v in value._options.items() if v is not None}
        return {"optimizer": type(value).__name__, "rate": rate, "fields": plain(name, fields)}
    if isinstance(value, Value) and type(value).__module__ in _MODULES:
        fields = plain(name, vars(value))
        return {"module": type(value).__module__, "class": type(value).__name__, "fields": fields}
    raise ValueError(
        f"{name} holds what cannot be written to a file, which holds no functions: {value!r:.60}; "
        "pickle it instead"
    )


def _is_of_numpy(value: Any) -> bool:
    """Tell whether it is a type of NumPy's scalars, such as a dtype is given by."""
    return isinstance(value, type) and issubclass(value, np.generic)


def restored(value: Any) -> Any:
    """Return what a value of JSON stands for."""
    if not isinstance(value, dict):
        return value
    if "tuple" in value:
        return tuple(map(restored, value["tuple"]))
    if "list" in value:
        return [restored(item) for item in value["list"]]
    if "dict" in value:
        return {restored(k): restored(v) for k, v in value["dict"]}
    if "optimizer" in value:
        rate = () if value["rate"] is None else (value["rate"],)
        return _class(optimizers, value["optimizer"], Optimizer)(*rate, **restored(value["fields"]))
    return _made(
        _class(_MODULES[value["module"]], value["class"], Value), restored(value["fields"])
    )


def _made(kind: Any, fields: dict[str, Any]) -> Any:
    """Return what the constructor makes of fields that are the arguments, or follow from them."""
    made: Any
    if issubclass(kind, embeddings.Embedding):
        made = embeddings.from_parameters(kind.name, fields)
    elif issubclass(kind, initializers.Initializer):
        named = kind is initializers.Initializer
        made = initializers.resolve(fields["name"]) if named else kind(fields["scale"])
    else:
        known = inspect.signature(kind).parameters
        made = kind(**{name: value for name, value in fields.items() if name in known})
    if vars(made) != fields:
        raise ValueError(f"this {kind.__name__} cannot be: {fields!r:.200}")
    return made


def _class(module: ModuleType, name: str, base: type) -> Any:
    kind = getattr(module, name, None) if name in dir(module) else None
    if not (isinstance(kind, type) and issubclass(kind, base)):
        raise ValueError(f"this pymlp does not know its {name}")
    return kind
