"""Activations: names, and objects where a parameter differs from its default.

The formulas stand in the table of each class; `z` is the pre-activation, `a` the activation.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pymlp import _checks


class Activation:
    """An element-wise function (softmax: a function of the row) and its derivative.

    Two activations are equal when they are of one kind and have the same parameters.
    """

    name: ClassVar[str]
    unit_interval: ClassVar[bool] = False

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters by name, in the order of the constructor."""
        return dict(vars(self))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value:g}" for name, value in self.parameters.items())
        return f"{type(self).__name__}({shown})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Activation):
            return NotImplemented
        return type(self) is type(other) and self.parameters == other.parameters

    def __hash__(self) -> int:
        return hash((self.name, *self.parameters.items()))


class Linear(Activation):
    """a = z."""

    name = "linear"


class Step(Activation):
    """a = 1 if z > threshold else 0. Its derivative is 0 everywhere, so nothing below it learns."""

    name = "step"
    unit_interval = True

    def __init__(self, threshold: float = 0.0) -> None:
        self.threshold = _checks.number("threshold", threshold)


class Sigmoid(Activation):
    """a = 1 / (1 + e^-z)."""

    name = "sigmoid"
    unit_interval = True


class Softmax(Activation):
    """a_i = e^(z_i) / sum_j e^(z_j), over each row."""

    name = "softmax"
    unit_interval = True


class Tanh(Activation):
    """a = tanh z."""

    name = "tanh"


class ReLU(Activation):
    """a = max(0, z); the derivative at 0 is 0."""

    name = "relu"


class LeakyReLU(Activation):
    """a = z if z > threshold else slope z."""

    name = "leaky_relu"

    def __init__(self, slope: float = 0.01, *, threshold: float = 0.0) -> None:
        self.slope = _checks.number("slope", slope)
        self.threshold = _checks.number("threshold", threshold)


class ELU(Activation):
    """a = z if z > 0 else alpha (e^z - 1)."""

    name = "elu"

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = _checks.number("alpha", alpha)


_CLASSES: dict[str, type[Activation]] = {
    kind.name: kind for kind in (Linear, Step, Sigmoid, Softmax, Tanh, ReLU, LeakyReLU, ELU)
}
_ALIASES = {"identity": "linear", "logistic": "sigmoid"}


def resolve(argument: str, value: Any) -> Activation:
    """Return the activation that a name or an object stands for.

    Raises
    ------
    TypeError
        If `value` is neither a string nor an `Activation`.
    ValueError
        If no activation has that name.
    """
    if isinstance(value, Activation):
        return value
    if not isinstance(value, str):
        raise TypeError(
            f"{argument} must be a name or an Activation, not {_checks.type_name(value)}"
        )
    kind = _CLASSES.get(_ALIASES.get(value, value))
    if kind is None:
        raise _checks.unknown_name("activation", value, [*_CLASSES, *_ALIASES])
    return kind()


def from_parameters(name: str, parameters: dict[str, float]) -> Activation:
    """Return the activation with this name and these parameters, as a saved model tells them."""
    activation = resolve("activation", name)
    if parameters.keys() != activation.parameters.keys():
        raise ValueError(
            f"activation '{name}' has parameters {list(activation.parameters)}, "
            f"not {list(parameters)}"
        )
    return type(activation)(**parameters)
