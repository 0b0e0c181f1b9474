"""Optimisers. Formulas are those of `torch.optim`; `g` is the gradient, `t` the step from 1.

An optimiser keeps its state from step to step: one object used in several calls continues. It
belongs to the first network that it trains.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeAlias

from pymlp import _checks, parameter_groups
from pymlp._names import OptimizerName
from pymlp._optimizer import Optimizer as Optimizer
from pymlp._registry import Registry
from pymlp.architecture import Architecture
from pymlp.parameter_groups import Groups

__all__ = [
    "LBFGS",
    "SGD",
    "TABLE",
    "AMSGrad",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "Momentum",
    "Nadam",
    "Optimizer",
    "RMSProp",
    "ScheduleFreeAdamW",
]


def __dir__() -> list[str]:
    return sorted(__all__)


class SGD(Optimizer):
    """Stochastic gradient descent, with classical or Nesterov momentum.

    ``w -= learning_rate g``; with momentum ``v = momentum v + (1 - dampening) g`` (``v = g`` at the
    first step) and ``w -= learning_rate v``, or ``w -= learning_rate (g + momentum v)`` with
    Nesterov.

    Parameters
    ----------
    learning_rate : float, default 0.01
        Above 0.
    momentum : float, default 0
        In [0, 1).
    dampening : float, default 0
        In [0, 1]; 0 with Nesterov.
    nesterov : bool, default False
        Needs momentum above 0.
    weight_decay : float, default 0
        Adds ``weight_decay w`` to the gradient of every parameter.
    maximize : bool, default False
        Climb instead of descend.
    groups : dict, optional
        Factors (at least 0) of the learning rate and of the weight decay, by the kind of parameter:
        "weights", "biases", "scale" (of inputs), "activation" (learnt ones), "norm" (gain and
        shift), "embedding"; or by kind and layer, such as "weights[0]" or, of the last layer,
        "biases[-1]". What a layer's factors do not name is as for its kind; what no key names keeps
        the optimiser's numbers. They are looked up in the network at its first step.

    Examples
    --------
    >>> pymlp.SGD(0.1, momentum=0.9, nesterov=True)
    SGD(learning_rate=0.1, momentum=0.9, dampening=0.0, nesterov=True, weight_decay=0.0,
    maximize=False)

    Biases ten times slower and without decay, the first weights not at all:

    >>> net = pymlp.Network([2, 3, 1], init="zeros")
    >>> opt = pymlp.SGD(groups={
    ...     "biases": dict(learning_rate=0.1, weight_decay=0), "weights[0]": dict(learning_rate=0),
    ... })
    >>> J = net.train_batch([[1.0, 2.0]], [1.0], optimizer=opt)
    >>> round(float(net.biases[1][0]), 6)
    0.002

    References
    ----------
    Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.
    """

    rule = "sgd"

    def __init__(
        self,
        learning_rate: float = 0.01,
        *,
        momentum: float = 0.0,
        dampening: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        maximize: bool = False,
        groups: Groups | None = None,
    ) -> None:
        momentum = _checks.number("momentum", momentum, minimum=0.0, below=1.0)
        dampening = _checks.number("dampening", dampening, minimum=0.0, maximum=1.0)
        if _checks.flag("nesterov", nesterov) and (momentum == 0.0 or dampening != 0.0):
            raise ValueError("nesterov needs momentum above 0, and dampening 0")
        super().__init__(
            learning_rate,
            momentum=momentum,
            dampening=dampening,
            nesterov=nesterov,
            **_decay(weight_decay, maximize, groups),
        )


class Momentum(Optimizer):
    """Steps along an exponentially weighted average of the gradients.

    ``v = beta v + (1 - beta) g``, ``w -= learning_rate v``.

    Parameters
    ----------
    learning_rate : float, default 0.01
        Above 0.
    beta : float, default 0.9
        In [0, 1).
    weight_decay, maximize, groups
        As for `SGD`.

    Examples
    --------
    >>> pymlp.Momentum(0.1)
    Momentum(learning_rate=0.1, beta=0.9, weight_decay=0.0, maximize=False)
    """

    rule = "momentum"

    def __init__(
        self,
        learning_rate: float = 0.01,
        *,
        beta: float = 0.9,
        weight_decay: float = 0.0,
        maximize: bool = False,
        groups: Groups | None = None,
    ) -> None:
        super().__init__(
            learning_rate, beta=_share("beta", beta), **_decay(weight_decay, maximize, groups)
        )


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
    weight_decay, maximize, groups
        As for `SGD`.

    Examples
    --------
    >>> pymlp.RMSProp(0.01)
    RMSProp(learning_rate=0.01, beta=0.9, epsilon=1e-08, momentum=0.0, centered=False,
    weight_decay=0.0, maximize=False)

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
        weight_decay: float = 0.0,
        maximize: bool = False,
        groups: Groups | None = None,
    ) -> None:
        super().__init__(
            learning_rate,
            beta=_share("beta", beta),
            epsilon=_checks.number("epsilon", epsilon, above=0.0),
            momentum=_share("momentum", momentum),
            centered=_checks.flag("centered", centered),
            **_decay(weight_decay, maximize, groups),
        )


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all squared gradients.

    ``s += g^2``, ``w -= learning_rate / (1 + (t - 1) learning_rate_decay) g / (sqrt(s) +
    epsilon)``.

    Parameters
    ----------
    learning_rate : float, default 0.01
        Above 0.
    learning_rate_decay : float, default 0
    initial_accumulator : float, default 0
        What ``s`` begins with.
    epsilon : float, default 1e-10
        Above 0.
    weight_decay, maximize, groups
        As for `SGD`.

    Examples
    --------
    >>> pymlp.Adagrad(0.1)
    Adagrad(learning_rate=0.1, learning_rate_decay=0.0, initial_accumulator=0.0, epsilon=1e-10,
    weight_decay=0.0, maximize=False)

    References
    ----------
    Duchi et al., "Adaptive subgradient methods", JMLR 12, 2011.
    """

    rule = "adagrad"

    def __init__(
        self,
        learning_rate: float = 0.01,
        *,
        learning_rate_decay: float = 0.0,
        initial_accumulator: float = 0.0,
        epsilon: float = 1e-10,
        weight_decay: float = 0.0,
        maximize: bool = False,
        groups: Groups | None = None,
    ) -> None:
        super().__init__(
            learning_rate,
            learning_rate_decay=_not_negative("learning_rate_decay", learning_rate_decay),
            initial_accumulator=_not_negative("initial_accumulator", initial_accumulator),
            epsilon=_checks.number("epsilon", epsilon, above=0.0),
            **_decay(weight_decay, maximize, groups),
        )


class Adadelta(Optimizer):
    """Steps in proportion to the root mean squares of past steps over those of the gradients.

    ``s = beta s + (1 - beta) g^2``, ``d = sqrt(r + epsilon) / sqrt(s + epsilon) g``,
    ``r = beta r + (1 - beta) d^2``, ``w -= learning_rate d``.

    Parameters
    ----------
    learning_rate : float, default 1
        Above 0.
    beta : float, default 0.9
        In [0, 1).
    epsilon : float, default 1e-6
        Above 0.
    weight_decay, maximize, groups
        As for `SGD`.

    Examples
    --------
    >>> pymlp.Adadelta()
    Adadelta(learning_rate=1.0, beta=0.9, epsilon=1e-06, weight_decay=0.0, maximize=False)

    References
    ----------
    Zeiler, "ADADELTA", arXiv:1212.5701.
    """

    rule = "adadelta"

    def __init__(
        self,
        learning_rate: float = 1.0,
        *,
        beta: float = 0.9,
        epsilon: float = 1e-6,
        weight_decay: float = 0.0,
        maximize: bool = False,
        groups: Groups | None = None,
    ) -> None:
        super().__init__(
            learning_rate,
            beta=_share("beta", beta),
            epsilon=_checks.number("epsilon", epsilon, above=0.0),
            **_decay(weight_decay, maximize, groups),
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
    amsgrad : bool, default False
        Divide by the largest ``v`` so far. Reddi et al., ICLR 2018.
    weight_decay, maximize, groups
        As for `SGD`.

    Examples
    --------
    >>> pymlp.Adam(0.01)
    Adam(learning_rate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-08, amsgrad=False,
    weight_decay=0.0, maximize=False)

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
        amsgrad: bool = False,
        weight_decay: float = 0.0,
        maximize: bool = False,
        groups: Groups | None = None,
    ) -> None:
        super().__init__(
            learning_rate,
            **_moments(beta1, beta2, epsilon),
            amsgrad=_checks.flag("amsgrad", amsgrad),
            **_decay(weight_decay, maximize, groups),
        )


class AMSGrad(Optimizer):
    """Adam divided by the largest ``v`` so far: ``Adam(..., amsgrad=True)``.

    Examples
    --------
    >>> pymlp.AMSGrad(0.01)
    AMSGrad(learning_rate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-08, weight_decay=0.0,
    maximize=False)

    References
    ----------
    Reddi et al., "On the convergence of Adam and beyond", ICLR 2018.
    """

    rule = "adam"
    _fixed: ClassVar[dict[str, bool]] = {"amsgrad": True}

    def __init__(
        self,
        learning_rate: float = 0.001,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        maximize: bool = False,
        groups: Groups | None = None,
    ) -> None:
        super().__init__(
            learning_rate,
            **_moments(beta1, beta2, epsilon),
            **_decay(weight_decay, maximize, groups),
        )


class AdamW(Optimizer):
    """Adam with decoupled weight decay: ``w *= 1 - learning_rate weight_decay`` before each step.

    Parameters
    ----------
    learning_rate, beta1, beta2, epsilon, amsgrad, maximize, groups
        As for `Adam`.
    weight_decay : float, default 0.01
        Of every parameter.

    Examples
    --------
    >>> pymlp.AdamW(weight_decay=0.1)
    AdamW(learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08, amsgrad=False,
    weight_decay=0.1, maximize=False)

    References
    ----------
    Loshchilov and Hutter, "Decoupled weight decay regularization", arXiv:1711.05101.
    """

    rule = "adam"
    _fixed: ClassVar[dict[str, bool]] = {"decoupled_weight_decay": True}

    def __init__(
        self,
        learning_rate: float = 0.001,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
        amsgrad: bool = False,
        maximize: bool = False,
        groups: Groups | None = None,
    ) -> None:
        super().__init__(
            learning_rate,
            **_moments(beta1, beta2, epsilon),
            amsgrad=_checks.flag("amsgrad", amsgrad),
            **_decay(weight_decay, maximize, groups),
        )


class Adamax(Optimizer):
    """Adam with the largest gradient, slowly forgotten, in the place of the root mean square.

    ``u = max(beta2 u, |g| + epsilon)``, ``w -= learning_rate (m / (1 - beta1^t)) / u``.

    Parameters
    ----------
    learning_rate : float, default 0.002
        Above 0.
    beta1, beta2, epsilon, weight_decay, maximize, groups
        As for `Adam`.

    Examples
    --------
    >>> pymlp.Adamax()
    Adamax(learning_rate=0.002, beta1=0.9, beta2=0.999, epsilon=1e-08, weight_decay=0.0,
    maximize=False)

    References
    ----------
    Kingma and Ba, arXiv:1412.6980, section 7.
    """

    rule = "adamax"

    def __init__(
        self,
        learning_rate: float = 0.002,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        maximize: bool = False,
        groups: Groups | None = None,
    ) -> None:
        super().__init__(
            learning_rate,
            **_moments(beta1, beta2, epsilon),
            **_decay(weight_decay, maximize, groups),
        )


class Nadam(Optimizer):
    """Adam with Nesterov momentum.

    With ``mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2)`` and ``p_t`` the product of all mu so
    far: ``w -= learning_rate ((1 - mu_t) g / (1 - p_t) + mu_(t+1) m / (1 - p_(t+1)))
    / (sqrt(v / (1 - beta2^t)) + epsilon)``.

    Parameters
    ----------
    learning_rate : float, default 0.002
        Above 0.
    beta1, beta2, epsilon, weight_decay, maximize, groups
        As for `Adam`.
    momentum_decay : float, default 0.004
    decoupled_weight_decay : bool, default False
        Weight decay as that of `AdamW`.

    Examples
    --------
    >>> pymlp.Nadam()
    Nadam(learning_rate=0.002, beta1=0.9, beta2=0.999, epsilon=1e-08, momentum_decay=0.004,
    decoupled_weight_decay=False, weight_decay=0.0, maximize=False)

    References
    ----------
    Dozat, "Incorporating Nesterov momentum into Adam", 2016.
    """

    rule = "nadam"

    def __init__(
        self,
        learning_rate: float = 0.002,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        momentum_decay: float = 0.004,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
        groups: Groups | None = None,
    ) -> None:
        super().__init__(
            learning_rate,
            **_moments(beta1, beta2, epsilon),
            momentum_decay=_not_negative("momentum_decay", momentum_decay),
            decoupled_weight_decay=_checks.flag("decoupled_weight_decay", decoupled_weight_decay),
            **_decay(weight_decay, maximize, groups),
        )


class ScheduleFreeAdamW(Optimizer):
    """AdamW that needs no schedule: the network has an average of the points it comes through.

    Gradients are taken at ``y = (1 - beta1) z + beta1 x``. Then ``v = beta2 v + (1 - beta2) g^2``,
    ``gamma_t = learning_rate sqrt(1 - beta2^t) min(1, t / warm_up)``, ``z -= gamma_t (g / (sqrt(v)
    + epsilon) + weight_decay y)`` and ``x = (1 - c) x + c z``, where ``c`` is ``gamma_t^2`` over
    the sum of these squares so far. Between steps the network's parameters are ``x``, the average;
    what is written to them moves ``y`` and ``z`` along. ``max_norm`` limits ``x``. The running
    statistics of a batch norm are those of ``y``, which is close to ``x`` after a while.

    Parameters
    ----------
    learning_rate : float, default 0.0025
        Above 0. Good ones are larger than those of `AdamW`.
    beta1 : float, default 0.9
        In [0, 1): the share of ``x`` in the point where gradients are taken.
    beta2 : float, default 0.999
        Decay of the mean square, in [0, 1).
    epsilon : float, default 1e-8
        Above 0.
    weight_decay : float, default 0
        Decoupled.
    warm_up : int, default 0
        Steps over which the learning rate rises from 0.
    maximize, groups
        As for `SGD`.

    Examples
    --------
    >>> pymlp.ScheduleFreeAdamW(warm_up=100)
    ScheduleFreeAdamW(learning_rate=0.0025, beta1=0.9, beta2=0.999, epsilon=1e-08, warm_up=100,
    weight_decay=0.0, maximize=False)

    References
    ----------
    Defazio et al., "The road less scheduled", arXiv:2405.15682, algorithm 1.
    """

    rule = "schedulefreeadamw"

    def __init__(
        self,
        learning_rate: float = 0.0025,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        warm_up: int = 0,
        maximize: bool = False,
        groups: Groups | None = None,
    ) -> None:
        super().__init__(
            learning_rate,
            **_moments(beta1, beta2, epsilon),
            warm_up=_checks.integer("warm_up", warm_up, minimum=0),
            **_decay(weight_decay, maximize, groups),
        )


class Lion(Optimizer):
    """Steps of one size, along the sign of an average of the gradients.

    ``w *= 1 - learning_rate weight_decay``, ``w -= learning_rate sign(beta1 m + (1 - beta1) g)``,
    ``m = beta2 m + (1 - beta2) g``.

    Parameters
    ----------
    learning_rate : float, default 0.0001
        Above 0.
    beta1, beta2 : float, default 0.9 and 0.99
        In [0, 1).
    weight_decay : float, default 0
        Decoupled.
    maximize, groups
        As for `SGD`.

    Examples
    --------
    >>> pymlp.Lion()
    Lion(learning_rate=0.0001, beta1=0.9, beta2=0.99, weight_decay=0.0, maximize=False)

    References
    ----------
    Chen et al., "Symbolic discovery of optimization algorithms", arXiv:2302.06675.
    """

    rule = "lion"
    _fixed: ClassVar[dict[str, bool]] = {"decoupled_weight_decay": True}

    def __init__(
        self,
        learning_rate: float = 0.0001,
        *,
        beta1: float = 0.9,
        beta2: float = 0.99,
        weight_decay: float = 0.0,
        maximize: bool = False,
        groups: Groups | None = None,
    ) -> None:
        super().__init__(
            learning_rate,
            beta1=_share("beta1", beta1),
            beta2=_share("beta2", beta2),
            **_decay(weight_decay, maximize, groups),
        )


class LBFGS(Optimizer):
    """Limited-memory BFGS with a line search that satisfies the strong Wolfe conditions.

    Works on all samples at once (``batch_size=None``), an iteration for an epoch, through SciPy's
    L-BFGS-B on the flat vector of parameters: ``pip install 'pymlp[lbfgs]'``. It keeps nothing from
    one `fit` to the next, and stops by itself where it has converged (`History.stopped_by` is
    "converged").

    Parameters
    ----------
    history_size : int, default 10
        Pairs of steps and gradient differences that are kept; below 10,000.
    tolerance_gradient : float, default 1e-5
        Converged where no entry of the gradient is larger.
    tolerance_change : float, default 1e-9
        Converged where the loss falls by no more than this share of itself, or of 1 where it is
        smaller than 1.
    max_line_search : int, default 20
        Evaluations in one line search.
    max_evaluations : int, optional
        Evaluations of the loss in a `fit`, after which the iteration in progress is the last one
        (`History.stopped_by` is "evaluations").

    Examples
    --------
    >>> pymlp.LBFGS(history_size=20)
    LBFGS(history_size=20, tolerance_gradient=1e-05, tolerance_change=1e-09, max_line_search=20,
    max_evaluations=None)

    References
    ----------
    Liu and Nocedal, Mathematical Programming 45, 1989; Byrd et al., SIAM J. Sci. Comput. 16, 1995.
    """

    rule = "lbfgs"

    def __init__(
        self,
        *,
        history_size: int = 10,
        tolerance_gradient: float = 1e-5,
        tolerance_change: float = 1e-9,
        max_line_search: int = 20,
        max_evaluations: int | None = None,
    ) -> None:
        super().__init__(
            1.0,  # what a line search tries first
            history_size=_checks.integer("history_size", history_size, minimum=1, below=10_000),
            tolerance_gradient=_not_negative("tolerance_gradient", tolerance_gradient),
            tolerance_change=_not_negative("tolerance_change", tolerance_change),
            max_line_search=_checks.integer(
                "max_line_search", max_line_search, minimum=1, below=2**31
            ),
            max_evaluations=None
            if max_evaluations is None
            else _checks.integer("max_evaluations", max_evaluations, minimum=1),
        )

    @property
    def learning_rate(self) -> float:
        """1, what a line search tries first; it cannot be set."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        raise AttributeError(_NO_LEARNING_RATE)

    def core_for(self, network: Any, architecture: Architecture) -> Any:
        """Refuse: there is no step on one batch."""
        raise ValueError("LBFGS works on all samples at once, in fit; it takes no single steps")

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self._options.items())
        return f"LBFGS({shown})"


_NO_LEARNING_RATE = "learning_rate does not go with lbfgs, whose line search finds the step"


def _not_negative(name: str, value: float) -> float:
    return _checks.number(name, value, minimum=0.0)


def _share(name: str, value: float) -> float:
    return _checks.number(name, value, minimum=0.0, below=1.0)


def _moments(beta1: float, beta2: float, epsilon: float) -> dict[str, float]:
    return {
        "beta1": _share("beta1", beta1),
        "beta2": _share("beta2", beta2),
        "epsilon": _checks.number("epsilon", epsilon, above=0.0),
    }


def _decay(weight_decay: float, maximize: bool, groups: Groups | None) -> dict[str, Any]:
    given = {} if groups is None else {"groups": parameter_groups.checked(groups)}
    return {
        "weight_decay": _not_negative("weight_decay", weight_decay),
        "maximize": _checks.flag("maximize", maximize),
    } | given


TABLE = {kind.__name__.lower(): kind for kind in Optimizer.__subclasses__()}
_NAMES = Registry("optimizer", TABLE, {"lbfgsb": "lbfgs"})  # SciPy's name of the minimiser


def resolve(optimizer: Any, learning_rate: float | None) -> Optimizer:
    """Return the optimiser that a name or an object stands for.

    A name makes a fresh one, with `learning_rate` where that is given.
    """
    if not isinstance(optimizer, str | Optimizer):
        came = _checks.type_name(optimizer)
        raise TypeError(f"optimizer must be a name or an Optimizer, not {came}")
    kind = _NAMES.find(optimizer) if isinstance(optimizer, str) else type(optimizer)
    if learning_rate is not None and issubclass(kind, LBFGS):
        raise ValueError(_NO_LEARNING_RATE)
    if isinstance(optimizer, str):
        return kind() if learning_rate is None else kind(learning_rate)  # type: ignore[call-arg]
    if learning_rate is not None:
        raise ValueError(
            "learning_rate goes with the name of an optimizer; this object has its own, "
            f"{optimizer.learning_rate:g}"
        )
    return optimizer


def check_object(optimizer: Any) -> None:
    """Refuse what keeps no state from call to call, such as a name."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            "optimizer must be an Optimizer, which keeps its state from call to call, not "
            f"{_checks.type_name(optimizer)}"
        )


AnyOptimizer: TypeAlias = OptimizerName | str | Optimizer
