"""What users hold and cannot change: attributes are set by the constructor alone."""

from __future__ import annotations

import abc
import inspect
from typing import Any, NoReturn


class Immutable:
    """An object whose attributes cannot be assigned or deleted."""

    def __setattr__(self, name: str, value: Any) -> None:
        if "_open" not in vars(self):
            self._refuse(name)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        self._refuse(name)

    def _refuse(self, name: str) -> NoReturn:
        kind = type(self).__name__
        raise AttributeError(f"{kind} is immutable: '{name}' cannot be assigned; make a new {kind}")


def constructor_signature(cls: type) -> inspect.Signature:
    """Return that of `__init__`, for metaclasses whose `__call__` would say nothing."""
    whole = inspect.signature(cls.__init__)  # type: ignore[misc]
    return whole.replace(parameters=[*whole.parameters.values()][1:])


class OpenWhileMade(abc.ABCMeta):
    """The class of immutable classes that users derive from: `__init__` may assign attributes."""

    def __call__(cls, *args: Any, **options: Any) -> Any:
        made: Any = cls.__new__(cls, *args, **options)  # type: ignore[arg-type]
        vars(made)["_open"] = True
        made.__init__(*args, **options)
        del vars(made)["_open"]
        return made

    @property
    def __signature__(cls) -> inspect.Signature:
        return constructor_signature(cls)


class Value(Immutable):
    """Named fields; two values are equal where their kind and their fields are."""

    def __init__(self, **fields: Any) -> None:
        vars(self).update(fields)

    def __repr__(self) -> str:
        fields = ", ".join(
            f"{name.removeprefix('_')}={shown(value)}" for name, value in vars(self).items()
        )
        return f"{type(self).__name__}({fields})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Value):
            return NotImplemented
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self).__name__, *vars(self).items()))


def shown(value: Any) -> str:
    """Return the text of a value, of a float the shortest that gives it back."""
    short = f"{value:g}" if isinstance(value, float) else repr(value)
    return short if not isinstance(value, float) or float(short) == value else repr(value)
