"""Optimisers. Formulas are those of `torch.optim`; `g` is the gradient, `t` the step from 1.

An optimiser remembers its state from step to step, so one object used in several calls goes on
where it was. It belongs to the first network that it trains.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np

from pymlp import _checks, _core

if TYPE_CHECKING:
    from pymlp.network import Network

CoreOptimizer: TypeAlias = "_core._Optimizer[Any]"

_CORE: dict[np.dtype[Any], type[CoreOptimizer]] = {
    np.dtype(np.float32): _core.OptimizerFloat32,
    np.dtype(np.float64): _core.OptimizerFloat64,
}


class Optimizer:
    """A rule that turns gradients into steps, and what it remembers between them."""

    rule: ClassVar[str]

    def __init__(self, learning_rate: float, **options: Any) -> None:
        self._options = options
        self._learning_rate = _checks.number("learning_rate", learning_rate, above=0.0)
        self._core: CoreOptimizer | None = None
        self._owner: weakref.ref[Network] | None = None

    @property
    def learning_rate(self) -> float:
        """The learning rate; may be set between steps."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self._learning_rate = _checks.number("learning_rate", value, above=0.0)
        if self._core is not None:
            self._core.learning_rate = self._learning_rate

    @property
    def steps(self) -> int:
        """How many steps it has taken."""
        return 0 if self._core is None else self._core.steps

    def core_for(self, network: Network) -> CoreOptimizer:
        """Return the state for this network, made at first use."""
        if self._owner is not None and self._owner() is not network:
            raise ValueError(
                "optimizer remembers the steps of another network; give each network its own"
            )
        if self._core is None:
            self._core = self._new_core(network.dtype, network.n_parameters)
        elif (
            type(self._core) is not _CORE[network.dtype]
            or self._core.n_parameters != network.n_parameters
        ):
            raise ValueError(
                f"optimizer remembers {self._core.n_parameters} parameters of another network, "
                f"not {network.n_parameters} of dtype {network.dtype}"
            )
        self._owner = weakref.ref(network)
        return self._core

    def _new_core(self, dtype: np.dtype[Any], n_parameters: int) -> CoreOptimizer:
        return _CORE[dtype](
            self.rule, n_parameters, learning_rate=self._learning_rate, **self._options
        )

    def __repr__(self) -> str:
        options = {"learning_rate": self._learning_rate, **self._options}
        shown = ", ".join(f"{name}={value!r}" for name, value in options.items())
        return f"{type(self).__name__}({shown})"

    def __getstate__(self) -> dict[str, Any]:
        state = {"learning_rate": self._learning_rate, "options": self._options}
        if self._core is not None:
            state |= {
                "n_parameters": self._core.n_parameters,
                "steps": self._core.steps,
                "state": np.array(self._core.state),
            }
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        Optimizer.__init__(self, state["learning_rate"], **state["options"])
        if "steps" in state:
            core = self._new_core(state["state"].dtype, state["n_parameters"])
            core.state[:] = state["state"]
            core.steps = state["steps"]
            self._core = core


class SGD(Optimizer):
    """Stochastic gradient descent, with classical or Nesterov momentum.

    ``w -= learning_rate g``; with momentum ``v = momentum v + g`` and ``w -= learning_rate v``, or
    ``w -= learning_rate (g + momentum v)`` with Nesterov.

    Parameters
    ----------
    learning_rate : float, default 0.01
        Above 0.
    momentum : float, default 0
        In [0, 1).
    nesterov : bool, default False
        Needs momentum above 0.

    References
    ----------
    Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.
    """

    rule = "sgd"

    def __init__(
        self, learning_rate: float = 0.01, *, momentum: float = 0.0, nesterov: bool = False
    ) -> None:
        momentum = _checks.number("momentum", momentum, minimum=0.0, below=1.0)
        if _checks.flag("nesterov", nesterov) and momentum == 0.0:
            raise ValueError("nesterov needs momentum above 0, not 0")
        super().__init__(learning_rate, momentum=momentum, nesterov=nesterov)


class RMSProp(Optimizer):
    """Steps divided by a running root mean square of the gradients.

    ``s = beta s + (1 - beta) g^2``, ``w -= learning_rate g / (sqrt(s) + epsilon)``.

    Parameters
    ----------
    learning_rate : float, default 0.001
        Above 0.
    beta : float, default 0.9
        Decay of the mean square, in [0, 1).
    epsilon : float, default 1e-8
        Above 0.
    momentum : float, default 0
        In [0, 1): the quotient goes through a velocity ``v = momentum v + quotient``.
    centered : bool, default False
        Subtract the squared running mean of the gradients from ``s``.

    References
    ----------
    Hinton, "Neural networks for machine learning", lecture 6e, 2012; Graves, arXiv:1308.0850.
    """

    rule = "rmsprop"

    def __init__(
        self,
        learning_rate: float = 0.001,
        *,
        beta: float = 0.9,
        epsilon: float = 1e-8,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        super().__init__(
            learning_rate,
            beta=_checks.number("beta", beta, minimum=0.0, below=1.0),
            epsilon=_checks.number("epsilon", epsilon, above=0.0),
            momentum=_checks.number("momentum", momentum, minimum=0.0, below=1.0),
            centered=_checks.flag("centered", centered),
        )


class Adam(Optimizer):
    """Steps along a running mean of the gradients, divided by their running root mean square.

    ``m = beta1 m + (1 - beta1) g``, ``v = beta2 v + (1 - beta2) g^2``,
    ``w -= learning_rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)``.

    Parameters
    ----------
    learning_rate : float, default 0.001
        Above 0.
    beta1, beta2 : float, default 0.9 and 0.999
        Decay of the mean and of the mean square, in [0, 1).
    epsilon : float, default 1e-8
        Above 0.

    References
    ----------
    Kingma and Ba, "Adam: a method for stochastic optimization", arXiv:1412.6980.
    """

    rule = "adam"

    def __init__(
        self,
        learning_rate: float = 0.001,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__(
            learning_rate,
            beta1=_checks.number("beta1", beta1, minimum=0.0, below=1.0),
            beta2=_checks.number("beta2", beta2, minimum=0.0, below=1.0),
            epsilon=_checks.number("epsilon", epsilon, above=0.0),
        )


_NAMES: dict[str, Callable[..., Optimizer]] = {kind.rule: kind for kind in (SGD, RMSProp, Adam)}


def resolve(optimizer: Any, learning_rate: float | None) -> Optimizer:
    """Return the optimiser that a name or an object stands for.

    A name makes a fresh one, with `learning_rate` where that is given.
    """
    if isinstance(optimizer, Optimizer):
        if learning_rate is not None:
            raise ValueError(
                "learning_rate goes with the name of an optimizer; this object has its own, "
                f"{optimizer.learning_rate:g}"
            )
        return optimizer
    if not isinstance(optimizer, str):
        raise TypeError(
            f"optimizer must be a name or an Optimizer, not {_checks.type_name(optimizer)}"
        )
    if optimizer not in _NAMES:
        raise _checks.unknown_name("optimizer", optimizer, _NAMES)
    kind = _NAMES[optimizer]
    return kind() if learning_rate is None else kind(learning_rate)
