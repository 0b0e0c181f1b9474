"""Initialisers: names, and objects for those with a parameter.

Names: ``auto`` (He normal for the ReLU family, LeCun normal for selu, Glorot uniform otherwise),
``zeros``, ``normal``, ``uniform``, ``glorot_uniform``, ``glorot_normal``, ``he_uniform``,
``he_normal``, ``lecun_uniform``, ``lecun_normal``, ``orthogonal``; PyTorch's ``xavier_*`` are
``glorot_*``, its ``kaiming_*`` are ``he_*``. Biases start at 0.

``orthogonal`` is uniformly distributed over the matrices whose rows or columns, whichever are
fewer, are orthonormal. While it is drawn it takes the memory of the layer's weights in double, and
half as much again at most.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from pymlp import _checks
from pymlp._names import InitializerName
from pymlp._registry import Registry
from pymlp._values import Value, shown

__all__ = ["Constant", "Initializer", "Normal", "Uniform"]


def __dir__() -> list[str]:
    return sorted(__all__)


class Initializer(Value):
    """How the weights of every layer begin.

    Attributes
    ----------
    name : str
        The name that the core knows it by.
    scale : float
        The constant, standard deviation or bound; 0 where there is none.
    """

    name: str
    scale: float

    def __init__(self, name: str, scale: float = 0.0) -> None:
        super().__init__(name=name, scale=scale)

    def __repr__(self) -> str:
        named = type(self) is Initializer
        return f"{type(self).__name__}({shown(self.name if named else self.scale)})"


class Constant(Initializer):
    """Every weight is `value`.

    Examples
    --------
    >>> pymlp.Network([2, 1], init=pymlp.initializers.Constant(0.5)).weights[0].tolist()
    [[0.5], [0.5]]
    """

    def __init__(self, value: float) -> None:
        super().__init__("constant", _checks.number("value", value))


class Normal(Initializer):
    """Normal draws with mean 0 and standard deviation `std`.

    Examples
    --------
    >>> net = pymlp.Network([300, 300], init=pymlp.initializers.Normal(0.1), seed=0)
    >>> bool(abs(net.weights[0].std() - 0.1) < 1e-3)
    True
    """

    def __init__(self, std: float = 0.01) -> None:
        super().__init__("normal", _checks.number("std", std, minimum=0.0))


class Uniform(Initializer):
    """Uniform draws in [-bound, bound).

    Examples
    --------
    >>> net = pymlp.Network([300, 300], init=pymlp.initializers.Uniform(0.1), seed=0)
    >>> bool(abs(net.weights[0]).max() <= 0.1)
    True
    """

    def __init__(self, bound: float = 0.05) -> None:
        super().__init__("uniform", _checks.number("bound", bound, minimum=0.0))


_TABLE: dict[str, Initializer] = {
    name: Initializer(name)
    for name in (
        "auto",
        "glorot_uniform",
        "glorot_normal",
        "he_uniform",
        "he_normal",
        "lecun_uniform",
        "lecun_normal",
        "orthogonal",
    )
} | {"zeros": Constant(0.0), "normal": Normal(), "uniform": Uniform()}
_ALIASES = {
    "xavier_uniform": "glorot_uniform",
    "xavier_normal": "glorot_normal",
    "kaiming_uniform": "he_uniform",
    "kaiming_normal": "he_normal",
    "random_normal": "normal",
    "random_uniform": "uniform",
}
_NAMES = Registry("init", _TABLE, _ALIASES)


def resolve(init: Any) -> Initializer:
    """Return the initialiser that a name or an object stands for."""
    if isinstance(init, Initializer):
        return init
    if not isinstance(init, str):
        raise TypeError(f"init must be a name or an Initializer, not {_checks.type_name(init)}")
    return _NAMES.find(init)


AnyInitializer: TypeAlias = InitializerName | str | Initializer
