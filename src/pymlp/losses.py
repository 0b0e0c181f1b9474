"""Losses: names, objects where an option differs from its default, and user functions.

Each is the mean over samples of the loss of one sample; `a` are the outputs, `y` the targets, `k`
the number of outputs. The value and its gradient always share one normalisation.

Names that scikit-learn, Keras and PyTorch have for the same are known too (`ALIASES`), in any
spelling; "auto" goes by the output activation, and so does scikit-learn's "log_loss".
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeAlias

from pymlp import _arrays, _checks, _core
from pymlp._arrays import FloatArray
from pymlp._names import LossName
from pymlp._registry import Registry, folded
from pymlp._values import Value
from pymlp.activations import Activation

__all__ = [
    "ALIASES",
    "MAE",
    "MSE",
    "TABLE",
    "BinaryCrossEntropy",
    "CrossEntropy",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "Poisson",
    "Quantile",
]


def __dir__() -> list[str]:
    return sorted(__all__)


class Loss(Value):
    """A loss of one sample, and its gradient.

    ``Loss(function)`` makes one from a user function. It is called on blocks of rows, by one
    thread, which is slower than the built-in ones; its exceptions pass through unchanged.

    Parameters
    ----------
    function : callable
        ``function(a, y)`` gets outputs (m, k) and targets, (m, k) or integer labels (m,) as they
        were given, and returns ``(losses, gradient)``: the loss of each sample (m,) and its
        derivative by that sample's outputs (m, k). Weights and means are not its concern.

    Examples
    --------
    >>> def squared(a, y):
    ...     return ((a - y) ** 2).sum(axis=1), 2 * (a - y)
    >>> net = pymlp.Network([1, 2], init="zeros")
    >>> net.loss([[1.0]], [[3.0, 4.0]], loss=pymlp.losses.Loss(squared))
    25.0
    """

    name: ClassVar[str] = "custom"
    label_smoothing: float = 0.0
    function: Callable[[FloatArray, Any], tuple[Any, Any]]

    def __init__(self, function: Callable[[FloatArray, Any], tuple[Any, Any]]) -> None:
        if not callable(function):
            raise TypeError(f"function must be callable, not {_checks.type_name(function)}")
        super().__init__(function=function)

    def for_core(self) -> _core.Loss:
        """Return it as the core takes it."""
        return _core.Loss(self.name, [], 0.0, _checked(self.function))


def _checked(function: Callable[[FloatArray, Any], Any]) -> Callable[[FloatArray, Any], Any]:
    """Return `function`, its results refused or converted as the user's arrays are."""

    def call(a: FloatArray, y: Any) -> tuple[FloatArray, FloatArray]:
        result = function(a, y)
        if not isinstance(result, tuple) or len(result) != 2:
            raise TypeError(
                f"a loss function must return (losses, gradient), not {_checks.type_name(result)}"
            )
        values = _arrays.numbers("losses", result[0])
        gradient = _arrays.numbers("gradient", result[1])
        for name, array, shape in (
            ("losses", values, a.shape[:1]),
            ("gradient", gradient, a.shape),
        ):
            if array.shape != shape:
                raise ValueError(f"{name} must have shape {shape}, not {array.shape}")
        return _arrays.converted(values, a.dtype), _arrays.converted(gradient, a.dtype)

    return call


class _BuiltIn(Loss):
    def __init__(self) -> None:
        Value.__init__(self)

    def for_core(self) -> _core.Loss:
        return _core.Loss(self.name, [], self.label_smoothing, None)


class _Smoothed(_BuiltIn):
    def __init__(self, *, label_smoothing: float = 0.0) -> None:
        smoothing = _checks.number("label_smoothing", label_smoothing, minimum=0.0, below=1.0)
        Value.__init__(self, label_smoothing=smoothing)


class CrossEntropy(_Smoothed):
    """``-sum_k y_k log a_k`` behind softmax; y are labels (m,) or probabilities (m, k).

    Behind softmax and log_softmax it is computed from the logits, so it is finite for every finite
    logit. Label smoothing takes ``(1 - label_smoothing) y + label_smoothing / k`` for y.

    Examples
    --------
    >>> net = pymlp.Network([1, 2], output="softmax", init="zeros")
    >>> round(net.loss([[1.0]], [0], loss=pymlp.losses.CrossEntropy(label_smoothing=0.1)), 4)
    0.6931
    """

    name = "cross_entropy"


class BinaryCrossEntropy(_Smoothed):
    """``-mean_k [y log a + (1 - y) log(1 - a)]`` behind sigmoid; y in [0, 1].

    Behind sigmoid it is computed from the logits. Label smoothing takes
    ``(1 - label_smoothing) y + label_smoothing / 2`` for y.

    Examples
    --------
    >>> net = pymlp.Network([1, 1], output="sigmoid", init="zeros")
    >>> round(net.loss([[1.0]], [1], loss=pymlp.losses.BinaryCrossEntropy()), 4)
    0.6931
    """

    name = "binary_cross_entropy"


class MSE(_BuiltIn):
    """``mean_k (a - y)^2``.

    Examples
    --------
    >>> pymlp.Network([1, 2], init="zeros").loss([[1.0]], [[1.0, 3.0]], loss="mse")
    5.0
    """

    name = "mse"


class MAE(_BuiltIn):
    """``mean_k |a - y|``; the derivative at 0 is 0.

    Examples
    --------
    >>> pymlp.Network([1, 2], init="zeros").loss([[1.0]], [[1.0, 3.0]], loss="mae")
    2.0
    """

    name = "mae"


class Huber(_BuiltIn):
    """Mean over k of ``d^2 / 2`` where ``d = |a - y| <= delta``, else ``delta (d - delta / 2)``.

    Huber, Annals of Mathematical Statistics 35, 1964.

    Examples
    --------
    >>> huber = pymlp.losses.Huber(delta=2.0)
    >>> pymlp.Network([1, 2], init="zeros").loss([[1.0]], [[1.0, 3.0]], loss=huber)
    2.25
    """

    name = "huber"

    delta: float

    def __init__(self, delta: float = 1.0) -> None:
        Value.__init__(self, delta=_checks.number("delta", delta, above=0.0))

    def for_core(self) -> _core.Loss:  # noqa: D102
        return _core.Loss(self.name, [self.delta], 0.0, None)


class LogCosh(_BuiltIn):
    """``mean_k log cosh(a - y)``.

    Examples
    --------
    >>> round(pymlp.Network([1, 1], init="zeros").loss([[1.0]], [1.0], loss="log_cosh"), 4)
    0.4338
    """

    name = "log_cosh"


class Poisson(_BuiltIn):
    """``mean_k (a - y log a)``: counts y >= 0 under means a; behind exp from the logits.

    Examples
    --------
    >>> net = pymlp.Network([1, 1], output="exp", init="zeros")
    >>> net.loss([[1.0]], [3], loss="poisson")
    1.0
    """

    name = "poisson"


class Quantile(_BuiltIn):
    """Mean over k of ``q (y - a)`` where y > a, else ``(1 - q) (a - y)``.

    ``q`` is one level in (0, 1) for all outputs, or a sequence with one for each: then y has as
    many columns, the same target in each where its quantiles are learnt together. Koenker and
    Bassett, Econometrica 46, 1978.

    Examples
    --------
    >>> upper = pymlp.losses.Quantile(0.75)
    >>> pymlp.Network([1, 1], init="zeros").loss([[1.0]], [2.0], loss=upper)
    1.5

    >>> both = pymlp.losses.Quantile((0.25, 0.75))
    >>> pymlp.Network([1, 2], init="zeros").loss([[1.0]], [[2.0, 2.0]], loss=both)
    1.0
    """

    name = "quantile"

    q: float | tuple[float, ...]

    def __init__(self, q: float | Sequence[float] = 0.5) -> None:
        Value.__init__(self, q=_levels(q))

    def for_core(self) -> _core.Loss:  # noqa: D102
        levels = self.q if isinstance(self.q, tuple) else (self.q,)
        return _core.Loss(self.name, levels, 0.0, None)


def _levels(q: Any) -> float | tuple[float, ...]:
    """Return one level, or one for each output."""
    if isinstance(q, str | bytes) or not hasattr(q, "__len__"):
        return _checks.number("q", q, above=0.0, below=1.0)
    if not len(q):
        raise ValueError("q must be a level, or one for each output, not empty")
    levels = enumerate(q)
    return tuple(_checks.number(f"q[{i}]", v, above=0.0, below=1.0) for i, v in levels)


class Hinge(_BuiltIn):
    """``mean_k max(0, 1 - y a)``, y being -1 or 1.

    Examples
    --------
    >>> pymlp.Network([1, 1], init="zeros").loss([[1.0]], [-1], loss="hinge")
    1.0
    """

    name = "hinge"


class KLDivergence(_BuiltIn):
    """``sum_k y_k log(y_k / a_k)`` behind softmax; y are probabilities (m, k).

    Examples
    --------
    >>> net = pymlp.Network([1, 2], output="softmax", init="zeros")
    >>> net.loss([[1.0]], [[0.5, 0.5]], loss="kl_divergence")
    0.0
    """

    name = "kl_divergence"


TABLE: dict[str, type[Loss]] = {
    kind.name: kind
    for kind in (
        CrossEntropy,
        BinaryCrossEntropy,
        MSE,
        MAE,
        Huber,
        LogCosh,
        Poisson,
        Quantile,
        Hinge,
        KLDivergence,
    )
}
ALIASES = {
    "categorical_crossentropy": "cross_entropy",
    "sparse_categorical_crossentropy": "cross_entropy",
    "cross_entropy_loss": "cross_entropy",
    "nll": "cross_entropy",
    "nll_loss": "cross_entropy",
    "binary_crossentropy": "binary_cross_entropy",
    "bce": "binary_cross_entropy",
    "bce_loss": "binary_cross_entropy",
    "mean_squared_error": "mse",
    "squared_error": "mse",
    "mse_loss": "mse",
    "mean_absolute_error": "mae",
    "absolute_error": "mae",
    "l1": "mae",
    "l1_loss": "mae",
    "huber_loss": "huber",
    "smooth_l1": "huber",  # whose delta is 1, as here
    "smooth_l1_loss": "huber",
    "pinball": "quantile",
    "kld": "kl_divergence",
    "kullback_leibler_divergence": "kl_divergence",
}
_AUTO: dict[str, type[Loss]] = {
    "softmax": CrossEntropy,
    "log_softmax": CrossEntropy,
    "sigmoid": BinaryCrossEntropy,
}
# What takes logits elsewhere: here the activation is the network's.
_NAMES = Registry(
    "loss",
    TABLE | {"auto": MSE},
    ALIASES | {"log_loss": "cross_entropy"},
    {
        name: "output='sigmoid' in Network(...) and loss='binary_cross_entropy'"
        for name in ("bce_with_logits_loss", "bce_with_logits", "binary_cross_entropy_with_logits")
    },
)


def resolve(loss: Any, output: Activation) -> Loss:
    """Return the loss that a name or an object stands for; "auto" goes by the output activation.

    Raises
    ------
    TypeError
        If `loss` is neither a string nor a `Loss`.
    ValueError
        If no loss has that name, or if the output activation does not give what it reads.
    """
    given = output.values_like or output.name
    if isinstance(loss, str):
        return _named(loss, given)
    if not isinstance(loss, Loss):
        raise TypeError(f"loss must be a name or a Loss, not {_checks.type_name(loss)}")
    _core.check_pair(loss.name, given)
    return loss


@functools.cache  # losses are values: one of each will do
def _named(name: str, output: str) -> Loss:
    kind = _NAMES.find(name)
    if folded(name) in ("auto", "logloss"):  # which go by the output; what was found is the rest
        kind = _AUTO.get(output, kind)
    _core.check_pair(kind.name, output)
    return kind()  # type: ignore[call-arg]  # every kind in the table has defaults


AnyLoss: TypeAlias = LossName | str | Loss
