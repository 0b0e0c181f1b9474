"""Activations: names, objects where a parameter differs from its default, and their table as data.

Formulas are plain text in which `z` is the pre-activation, `a` the activation, `Phi` and `phi` the
distribution and the density of the standard normal. ``pymlp.activations.TABLE`` maps each name to
its class, whose attributes are the rows of the documentation and of the pictures.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from pymlp import _arrays, _checks, _core
from pymlp._arrays import FloatArray
from pymlp._names import ActivationName
from pymlp._registry import Registry
from pymlp._values import Value, shown

__all__ = ["ALIASES", "TABLE", "Activation", "Parametric"]


def __dir__() -> list[str]:
    return sorted([*__all__, *(kind.__name__ for kind in TABLE.values())])


class Activation(Value):
    """A function of the pre-activations, and its derivative.

    ``Activation(forward=f, derivative=df)`` makes one from two user functions. They are called on
    blocks of rows, by one thread, which is slower than the built-in ones; their exceptions pass
    through unchanged. Such a network pickles if the functions do, and is not saved to a file.

    Two activations are equal when they are of one kind and have the same parameters.

    Parameters
    ----------
    forward : callable
        ``f(z)`` returns the activations of the pre-activations z, both (m, n).
    derivative : callable
        ``df(z)`` returns the derivative of every activation by its own pre-activation, (m, n).

    Attributes
    ----------
    name : str
    equation, derivative_equation : str
        As plain text.
    range : str
        Of the values.
    largest_slope : str
        Of the absolute derivative, and where.
    use : str
        Where it is used.

    Examples
    --------
    >>> square = pymlp.Activation(forward=lambda z: z**2, derivative=lambda z: 2 * z)
    >>> net = pymlp.Network([1, 1], output=square, init=pymlp.initializers.Constant(3.0))
    >>> net.predict([[2.0]])
    array([[36.]], dtype=float32)
    """

    name: ClassVar[str] = "custom"
    equation: ClassVar[str] = "f(z)"
    derivative_equation: ClassVar[str] = "f'(z)"
    range: ClassVar[str] = "that of f"
    largest_slope: ClassVar[str] = "that of f'"
    use: ClassVar[str] = "whatever the user made it for"
    values_like: ClassVar[str] = ""  # the name by which losses know what comes out; "": its own

    def __init__(
        self,
        *,
        forward: Callable[[FloatArray], Any],
        derivative: Callable[[FloatArray], Any],
    ) -> None:
        for argument, function in (("forward", forward), ("derivative", derivative)):
            if not callable(function):
                raise TypeError(f"{argument} must be callable, not {_checks.type_name(function)}")
        super().__init__(_forward=forward, _derivative=derivative)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The parameters by name, in the order of the constructor; read-only."""
        fields = {name.removeprefix("_"): value for name, value in vars(self).items()}
        return types.MappingProxyType(fields)

    def forward(self, z: ArrayLike) -> FloatArray:
        """Return the activations of pre-activations.

        Parameters
        ----------
        z : array-like
            Pre-activations, of any shape; those of softmax and log_softmax are rows (..., n).

        Returns
        -------
        ndarray
            Of z's shape; of z's dtype where that is float32 or float64, else float64.

        Examples
        --------
        >>> pymlp.ReLU().forward([-1.0, 2.0])
        array([0., 2.])
        """
        return self._on_rows(z, self._values)

    def derivative(self, z: ArrayLike) -> FloatArray:
        """Return the derivative of every activation by its own pre-activation, g'(z).

        Of softmax and log_softmax that is the diagonal of the Jacobian of each row.

        Parameters
        ----------
        z : array-like
            Pre-activations, as in `forward`.

        Returns
        -------
        ndarray
            As of `forward`.

        Examples
        --------
        >>> pymlp.LeakyReLU(0.5).derivative([-1.0, 2.0])
        array([0.5, 1. ])
        """
        return self._on_rows(z, self._slopes)

    def _on_rows(self, z: ArrayLike, function: Callable[[FloatArray], FloatArray]) -> FloatArray:
        array = _arrays.numbers("z", z)
        dtype = array.dtype if array.dtype in _arrays.DTYPES else np.dtype(np.float64)
        columns = array.shape[-1] if array.ndim else 1
        rows = _arrays.within_range("z", array, dtype).reshape(-1, columns)
        return function(rows).reshape(array.shape)

    def _values(self, z: FloatArray) -> FloatArray:
        result: FloatArray = self.for_core()[2](z)
        return result

    def _slopes(self, z: FloatArray) -> FloatArray:
        result: FloatArray = self.for_core()[3](z)
        return result

    def for_core(self) -> tuple[str, list[float], Any, Any]:
        """Return name, parameters, and the two user functions or None."""
        forward, derivative = (_checked(f, name) for name, f in self.parameters.items())
        return self.name, [], forward, derivative

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={shown(value)}" for name, value in self.parameters.items())
        return f"{type(self).__name__}({fields})"


def _checked(function: Callable[[FloatArray], Any], name: str) -> Callable[[FloatArray], Any]:
    """Return `function`, its results refused or converted as the user's arrays are."""

    def call(z: FloatArray) -> FloatArray:
        result = _arrays.numbers(f"{name}(z)", function(z))
        if result.shape != z.shape:
            raise ValueError(f"{name}(z) must have shape {z.shape}, as z has, not {result.shape}")
        return _arrays.converted(result, z.dtype)

    return call


class _BuiltIn(Activation):
    def __init__(self) -> None:
        Value.__init__(self)

    def for_core(self) -> tuple[str, list[float], Any, Any]:
        return self.name, list(self.parameters.values()), None, None

    def _values(self, z: FloatArray) -> FloatArray:
        return _core.activation_forward(self.name, [*self.parameters.values()], z)

    def _slopes(self, z: FloatArray) -> FloatArray:
        parameters, ones = [*self.parameters.values()], np.ones_like(z)
        return _core.activation_backward(self.name, parameters, ones, z, self._values(z))


class Linear(_BuiltIn):
    """The pre-activation itself.

    Examples
    --------
    >>> pymlp.Linear().forward([-1.0, 0.5])
    array([-1. ,  0.5])
    """

    name = "linear"
    equation = "z"
    derivative_equation = "1"
    range = "(-inf, inf)"
    largest_slope = "1, everywhere"
    use = "outputs of a regression; layers of it in a row are one linear map"


class Step(_BuiltIn):
    """1 above the threshold, else 0.

    Examples
    --------
    >>> pymlp.Step(0.5).forward([-1.0, 0.5])
    array([0., 0.])
    """

    name = "step"
    equation = "1 if z > threshold else 0"
    derivative_equation = "0"
    range = "{0, 1}"
    largest_slope = "0, everywhere"
    use = "the first perceptrons; nothing below it learns, as no gradient passes"

    threshold: float

    def __init__(self, threshold: float = 0.0) -> None:
        Value.__init__(self, threshold=_checks.number("threshold", threshold))


class Sigmoid(_BuiltIn):
    """The logistic function.

    Examples
    --------
    >>> pymlp.Sigmoid().forward([-1.0, 0.5])
    array([0.26894142, 0.62245933])
    """

    name = "sigmoid"
    equation = "1 / (1 + e^-z)"
    derivative_equation = "a (1 - a)"
    range = "(0, 1)"
    largest_slope = "0.25, at 0"
    use = "outputs that are probabilities of yes; saturates in hidden layers"


class Softmax(_BuiltIn):
    """Shares of a whole, over each row.

    Examples
    --------
    >>> pymlp.Softmax().forward([0.0, 0.0])
    array([0.5, 0.5])
    """

    name = "softmax"
    equation = "e^(z_i) / sum_j e^(z_j)"
    derivative_equation = "diag(a) - a a^T, the Jacobian of a row"
    range = "(0, 1), rows sum to 1"
    largest_slope = "0.25, where a_i = 0.5"
    use = "outputs that are probabilities of classes"

    def _slopes(self, z: FloatArray) -> FloatArray:
        a = self._values(z)
        return a * (1 - a)


class Tanh(_BuiltIn):
    """The hyperbolic tangent.

    Examples
    --------
    >>> pymlp.Tanh().forward([-1.0, 0.5])
    array([-0.76159416,  0.46211716])
    """

    name = "tanh"
    equation = "tanh z"
    derivative_equation = "1 - a^2"
    range = "(-1, 1)"
    largest_slope = "1, at 0"
    use = "hidden layers of small and smooth networks"


class ReLU(_BuiltIn):
    """The positive part; the derivative at 0 is 0.

    Examples
    --------
    >>> pymlp.ReLU().forward([-1.0, 0.5])
    array([0. , 0.5])
    """

    name = "relu"
    equation = "max(0, z)"
    derivative_equation = "1 if z > 0 else 0"
    range = "[0, inf)"
    largest_slope = "1, where z > 0"
    use = "hidden layers, first choice; units that are never positive are dead"


class LeakyReLU(_BuiltIn):
    """The positive part, and a little of the negative one.

    Examples
    --------
    >>> pymlp.LeakyReLU(0.2).forward([-1.0, 0.5])
    array([-0.2,  0.5])
    """

    name = "leaky_relu"
    equation = "z if z > threshold else slope z"
    derivative_equation = "1 if z > threshold else slope"
    range = "(-inf, inf)"
    largest_slope = "max(1, |slope|)"
    use = "hidden layers whose units must not die"

    slope: float
    threshold: float

    def __init__(self, slope: float = 0.01, *, threshold: float = 0.0) -> None:
        Value.__init__(
            self,
            slope=_checks.number("slope", slope),
            threshold=_checks.number("threshold", threshold),
        )


class ELU(_BuiltIn):
    """The exponential linear unit. Clevert et al., arXiv:1511.07289.

    Examples
    --------
    >>> pymlp.ELU(2.0).forward([-1.0, 0.5])
    array([-1.26424112,  0.5       ])
    """

    name = "elu"
    equation = "z if z > 0 else alpha (e^z - 1)"
    derivative_equation = "1 if z > 0 else alpha e^z"
    range = "(-alpha, inf)"
    largest_slope = "max(1, |alpha|)"
    use = "hidden layers; means of activations near 0"

    alpha: float

    def __init__(self, alpha: float = 1.0) -> None:
        Value.__init__(self, alpha=_checks.number("alpha", alpha))


class SELU(_BuiltIn):
    """An ELU that keeps mean 0 and variance 1 over layers. Klambauer et al., arXiv:1706.02515.

    Examples
    --------
    >>> pymlp.SELU().forward([-1.0, 0.5])
    array([-1.11133074,  0.52535049])
    """

    name = "selu"
    equation = "1.0507 (z if z > 0 else 1.6733 (e^z - 1))"
    derivative_equation = "1.0507 (1 if z > 0 else 1.6733 e^z)"
    range = "(-1.7581, inf)"
    largest_slope = "1.7581, just below 0"
    use = "deep plain networks, with lecun_normal weights"


class CELU(_BuiltIn):
    """An ELU that is smooth for every alpha. Barron, arXiv:1704.07483.

    Examples
    --------
    >>> pymlp.CELU(2.0).forward([-1.0, 0.5])
    array([-0.78693868,  0.5       ])
    """

    name = "celu"
    equation = "z if z > 0 else alpha (e^(z / alpha) - 1)"
    derivative_equation = "1 if z > 0 else e^(z / alpha)"
    range = "(-alpha, inf)"
    largest_slope = "1, where z >= 0"
    use = "hidden layers; smooth everywhere"

    alpha: float

    def __init__(self, alpha: float = 1.0) -> None:
        Value.__init__(self, alpha=_checks.number("alpha", alpha, above=0.0))


class GELU(_BuiltIn):
    """The Gaussian error linear unit, exact. Hendrycks and Gimpel, arXiv:1606.08415.

    Examples
    --------
    >>> pymlp.GELU().forward([-1.0, 0.5])
    array([-0.15865525,  0.34573123])
    """

    name = "gelu"
    equation = "z Phi(z)"
    derivative_equation = "Phi(z) + z phi(z)"
    range = "[-0.1700, inf)"
    largest_slope = "1.1289, at sqrt(2)"
    use = "hidden layers of large networks"


class GELUTanh(_BuiltIn):
    """The Gaussian error linear unit, approximated by tanh; from the same paper.

    Examples
    --------
    >>> pymlp.GELUTanh().forward([-1.0, 0.5])
    array([-0.15880801,  0.34571401])
    """

    name = "gelu_tanh"
    equation = "z (1 + tanh(sqrt(2 / pi) (z + 0.044715 z^3))) / 2"
    derivative_equation = "a / z + z s (1 - s) 2 sqrt(2 / pi) (1 + 0.134145 z^2), s = a / z"
    range = "[-0.1700, inf)"
    largest_slope = "1.1290, near sqrt(2)"
    use = "models that were trained with it"


class SiLU(_BuiltIn):
    """The sigmoid linear unit, also called swish. Elfwing et al., arXiv:1702.03118.

    Examples
    --------
    >>> pymlp.SiLU().forward([-1.0, 0.5])
    array([-0.26894142,  0.31122967])
    """

    name = "silu"
    equation = "z sigmoid(z)"
    derivative_equation = "s (1 + z (1 - s)), s = sigmoid(z)"
    range = "[-0.2785, inf)"
    largest_slope = "1.0998, at 2.3994"
    use = "hidden layers; smooth"


class Mish(_BuiltIn):
    """A smooth unit without a parameter. Misra, arXiv:1908.08681.

    Examples
    --------
    >>> pymlp.Mish().forward([-1.0, 0.5])
    array([-0.30340146,  0.37524521])
    """

    name = "mish"
    equation = "z tanh(softplus(z))"
    derivative_equation = "t + z sigmoid(z) (1 - t^2), t = tanh(softplus(z))"
    range = "[-0.3088, inf)"
    largest_slope = "1.0885, at 1.4906"
    use = "hidden layers; smooth"


class Softplus(_BuiltIn):
    """A smooth positive part.

    Examples
    --------
    >>> pymlp.Softplus().forward([-1.0, 0.5])
    array([0.31326169, 0.97407698])
    """

    name = "softplus"
    equation = "log(1 + e^z)"
    derivative_equation = "sigmoid(z)"
    range = "(0, inf)"
    largest_slope = "1, towards inf"
    use = "outputs that are positive, such as rates and widths"


class Softsign(_BuiltIn):
    """A slower tanh.

    Examples
    --------
    >>> pymlp.Softsign().forward([-1.0, 0.5])
    array([-0.5       ,  0.33333333])
    """

    name = "softsign"
    equation = "z / (1 + |z|)"
    derivative_equation = "1 / (1 + |z|)^2"
    range = "(-1, 1)"
    largest_slope = "1, at 0"
    use = "hidden layers that must not saturate as fast as tanh"


class HardSigmoid(_BuiltIn):
    """A sigmoid of three straight lines.

    Examples
    --------
    >>> pymlp.HardSigmoid().forward([-1.0, 0.5])
    array([0.33333333, 0.58333333])
    """

    name = "hard_sigmoid"
    equation = "min(1, max(0, z / 6 + 1/2))"
    derivative_equation = "1/6 if -3 < z < 3 else 0"
    range = "[0, 1]"
    largest_slope = "1/6, where |z| < 3"
    use = "gates on small machines"


class HardSwish(_BuiltIn):
    """A silu of straight lines and a parabola. Howard et al., arXiv:1905.02244.

    Examples
    --------
    >>> pymlp.HardSwish().forward([-1.0, 0.5])
    array([-0.33333333,  0.29166667])
    """

    name = "hard_swish"
    equation = "z min(1, max(0, z / 6 + 1/2))"
    derivative_equation = "0 if z <= -3, 1 if z >= 3, else z / 3 + 1/2"
    range = "[-0.375, inf)"
    largest_slope = "1.5, just below 3"
    use = "hidden layers on small machines"


class HardTanh(_BuiltIn):
    """A tanh of three straight lines.

    Examples
    --------
    >>> pymlp.HardTanh().forward([-1.0, 0.5])
    array([-1. ,  0.5])
    """

    name = "hard_tanh"
    equation = "min(1, max(-1, z))"
    derivative_equation = "1 if -1 < z < 1 else 0"
    range = "[-1, 1]"
    largest_slope = "1, where |z| < 1"
    use = "bounded outputs; actions of a controller"


class ReLU6(_BuiltIn):
    """A ReLU that is held within 6. Howard et al., arXiv:1704.04861.

    Examples
    --------
    >>> pymlp.ReLU6().forward([-1.0, 0.5])
    array([0. , 0.5])
    """

    name = "relu6"
    equation = "min(6, max(0, z))"
    derivative_equation = "1 if 0 < z < 6 else 0"
    range = "[0, 6]"
    largest_slope = "1, where 0 < z < 6"
    use = "networks that will be quantised"


class Exp(_BuiltIn):
    """The exponential function.

    Examples
    --------
    >>> pymlp.Exp().forward([-1.0, 0.5])
    array([0.36787944, 1.64872127])
    """

    name = "exp"
    equation = "e^z"
    derivative_equation = "a"
    range = "(0, inf)"
    largest_slope = "inf, towards inf"
    use = "outputs that are means of counts, with the poisson loss"


class Sin(_BuiltIn):
    """The sine; z is held within 2^20. Sitzmann et al., arXiv:2006.09661.

    Examples
    --------
    >>> pymlp.Sin().forward([-1.0, 0.5])
    array([-0.84147098,  0.47942554])
    """

    name = "sin"
    equation = "sin z"
    derivative_equation = "cos z"
    range = "[-1, 1]"
    largest_slope = "1, at multiples of pi"
    use = "signals, and fields of physics"


class Gaussian(_BuiltIn):
    """A bell.

    Examples
    --------
    >>> pymlp.Gaussian().forward([-1.0, 0.5])
    array([0.36787944, 0.77880078])
    """

    name = "gaussian"
    equation = "e^(-z^2)"
    derivative_equation = "-2 z a"
    range = "(0, 1]"
    largest_slope = "0.8578, at 1 / sqrt(2)"
    use = "radial basis networks"


class LogSoftmax(_BuiltIn):
    """The logarithm of softmax, over each row.

    Examples
    --------
    >>> pymlp.LogSoftmax().forward([0.0, 0.0])
    array([-0.69314718, -0.69314718])
    """

    name = "log_softmax"
    equation = "z_i - log sum_j e^(z_j)"
    derivative_equation = "I - 1 softmax(z)^T, the Jacobian of a row"
    range = "(-inf, 0]"
    largest_slope = "1, where softmax(z)_i = 0"
    use = "outputs that are logarithms of probabilities"

    def _slopes(self, z: FloatArray) -> FloatArray:
        return 1 - np.exp(self._values(z))


TABLE: dict[str, type[Activation]] = {kind.name: kind for kind in _BuiltIn.__subclasses__()}


class Parametric(Activation):
    """An activation that is learnt: ``z + alpha (g(z) - z)``, an alpha for every unit.

    Alphas are 1 at the start, where it is `g`, and 0 makes a unit linear: `Layer.alpha`. The values
    and derivatives of this object itself are those at the start. Holzmueller et al.,
    arXiv:2407.04491.

    Parameters
    ----------
    activation : str or Activation
        `g`; any built-in one that works number by number, so neither softmax nor log_softmax.

    Examples
    --------
    >>> net = pymlp.Network([2, 3, 1], hidden=pymlp.Parametric("selu"))
    >>> net.layers[0].alpha
    array([1., 1., 1.], dtype=float32)
    """

    name = "parametric"
    equation = "z + alpha (g(z) - z)"
    derivative_equation = "1 + alpha (g'(z) - 1)"
    range = "that of g for alpha = 1"
    largest_slope = "that of g for alpha = 1"
    use = "hidden layers of networks on tables"
    values_like = "linear"

    activation: Activation

    def __init__(self, activation: ActivationName | str | Activation) -> None:
        g = resolve("activation", activation)
        if not isinstance(g, _BuiltIn) or g.name in ("softmax", "log_softmax"):
            raise ValueError(
                f"activation must be a built-in activation that works number by number, not {g!r}"
            )
        Value.__init__(self, activation=g)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The activation that it is made of, as files have it."""
        return {"activation": (self.activation.name, dict(self.activation.parameters))}

    def for_core(self) -> tuple[str, list[float], Any, Any]:
        """Return what the core knows of `g`."""
        return self.activation.for_core()

    def _values(self, z: FloatArray) -> FloatArray:
        return self.activation._values(z)

    def _slopes(self, z: FloatArray) -> FloatArray:
        return self.activation._slopes(z)

    def __repr__(self) -> str:
        return f"Parametric({self.activation!r})"


ALIASES = {
    "identity": "linear", "logistic": "sigmoid", "swish": "silu", "hard_silu": "hard_swish",
    "exponential": "exp",
}  # fmt: skip
_HINTS = {
    "parametric": "pymlp.Parametric('selu'), which names another",
    "prelu": "pymlp.Parametric('relu'), whose slope below 0 is 1 - alpha",
}
_NAMES = Registry("activation", TABLE, ALIASES, _HINTS)


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
    return _NAMES.find(value)()  # type: ignore[call-arg]  # every kind in the table has defaults


def from_parameters(name: str, parameters: dict[str, Any]) -> Activation:
    """Return the activation with this name and these parameters, as a file has them."""
    if name == Activation.name:
        return Activation(**parameters)
    if name == Parametric.name:
        return Parametric(from_parameters(*parameters["activation"]))
    activation = resolve("activation", name)
    if parameters.keys() != activation.parameters.keys():
        raise ValueError(
            f"activation '{name}' has parameters {list(activation.parameters)}, "
            f"not {list(parameters)}"
        )
    return type(activation)(**parameters)
