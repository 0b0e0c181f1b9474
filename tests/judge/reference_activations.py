"""The judge of activations: each name with its value and its derivative, in plain Python.

At infinity the value and the derivative are their limits, and NaN stays NaN. Where a textbook's
formula would overflow, or lose the digits of a small number in the 1 that it is added to, another
form of it stands here, with a word on why the two are the same.
"""

import math
from collections.abc import Callable

Vector = list[float]
Matrix = list[Vector]


def held(z: float, edge: float) -> float:
    """z, but not beyond the edge on either side; there a function has reached its limit."""
    return math.copysign(edge, z) if abs(z) > edge else z


# ---- building blocks -----------------------------------------------------------------------------
def exp(z: float) -> float:
    try:
        return math.exp(z)
    except OverflowError:
        return math.inf


def sigmoid(z: float) -> float:
    # Two forms of one function: the exponent is never positive, so that nothing overflows.
    return 1.0 / (1.0 + math.exp(-z)) if z >= 0.0 else math.exp(z) / (1.0 + math.exp(z))


def sigmoid_derivative(z: float) -> float:
    # a (1 - a), where 1 - a = sigmoid(-z) keeps its digits when a is nearly 1.
    return sigmoid(z) * sigmoid(-z)


def softplus(z: float) -> float:
    """The logarithm of 1 + exp(z) without overflow; -log(sigmoid(z)) = softplus(-z)."""
    return (z if z > 0.0 else 0.0) + math.log1p(math.exp(-abs(z)))


def normal_distribution(z: float) -> float:
    # (1 + erf(z / sqrt 2)) / 2, where erfc keeps the digits of a small result.
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def normal_density(z: float) -> float:
    return math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


# ---- z times a gate that opens from 0 to 1: value above derivative, gate + z gate' ---------------
def gated(z: float, gate: Callable[[float], float]) -> float:
    return z if z > 1e3 else held(z, 1e3) * gate(held(z, 1e3))


def gelu(z: float) -> float:
    return gated(z, normal_distribution)


def gelu_derivative(z: float) -> float:
    z = held(z, 1e3)
    return normal_distribution(z) + z * normal_density(z)


# (1 + tanh u) / 2 = sigmoid(2 u), so the gate with u = sqrt(2 / pi) (z + 0.044715 z^3) is:
def gelu_tanh_gate(z: float) -> float:
    return sigmoid(math.sqrt(8.0 / math.pi) * (z + 0.044715 * z**3))


def gelu_tanh(z: float) -> float:
    return gated(z, gelu_tanh_gate)


def gelu_tanh_derivative(z: float) -> float:
    z = held(z, 1e3)
    u = math.sqrt(2.0 / math.pi) * (z + 0.044715 * z**3)
    du = math.sqrt(2.0 / math.pi) * (1.0 + 3.0 * 0.044715 * z**2)
    return sigmoid(2.0 * u) + z * sigmoid_derivative(2.0 * u) * 2.0 * du


def silu(z: float) -> float:
    return gated(z, sigmoid)


def silu_derivative(z: float) -> float:
    z = held(z, 1e3)
    return sigmoid(z) + z * sigmoid_derivative(z)


def mish(z: float) -> float:
    return gated(z, lambda x: math.tanh(softplus(x)))


def mish_derivative(z: float) -> float:
    z = held(z, 1e3)
    s = softplus(z)
    return math.tanh(s) + z * sigmoid(z) * 4.0 * sigmoid_derivative(2.0 * s)


# ---- elementwise activations ---------------------------------------------------------------------
SELU_SCALE = 1.0507009873554804934193349852946
SELU_ALPHA = 1.6732632423543772848170429916717
SIN_EDGE = 2.0**20  # the library's sine goes no further

# Each name with its value g(z) and its derivative g'(z). The derivative of tanh is 1 - a^2, and as
# tanh(z) = 2 sigmoid(2z) - 1 it is written so that it keeps its digits when |a| is nearly 1.
ELEMENTWISE: dict[str, tuple[Callable[..., float], Callable[..., float]]] = {
    "linear": (lambda z: z, lambda z: 1.0),
    "step": (
        lambda z, threshold=0.0: z if math.isnan(z) else float(z > threshold),
        lambda z, threshold=0.0: 0.0,
    ),
    "sigmoid": (sigmoid, sigmoid_derivative),
    "tanh": (math.tanh, lambda z: 4.0 * sigmoid_derivative(2.0 * z)),
    "relu": (lambda z: 0.0 if z <= 0.0 else z, lambda z: 1.0 if z > 0.0 else 0.0),
    "leaky_relu": (
        lambda z, slope=0.01, threshold=0.0: z if z > threshold else slope * z,
        lambda z, slope=0.01, threshold=0.0: 1.0 if z > threshold else slope,
    ),
    "elu": (
        lambda z, alpha=1.0: z if z > 0.0 else alpha * math.expm1(z),
        lambda z, alpha=1.0: 1.0 if z > 0.0 else alpha * math.exp(z),
    ),
    "selu": (
        lambda z: SELU_SCALE * (z if z > 0.0 else SELU_ALPHA * math.expm1(z)),
        lambda z: SELU_SCALE * (1.0 if z > 0.0 else SELU_ALPHA * math.exp(z)),
    ),
    "celu": (
        lambda z, alpha=1.0: z if z > 0.0 else alpha * math.expm1(z / alpha),
        lambda z, alpha=1.0: 1.0 if z > 0.0 else math.exp(z / alpha),
    ),
    "gelu": (gelu, gelu_derivative),
    "gelu_tanh": (gelu_tanh, gelu_tanh_derivative),
    "silu": (silu, silu_derivative),
    "mish": (mish, mish_derivative),
    "softplus": (softplus, sigmoid),
    "softsign": (
        lambda z: math.copysign(1.0, z) if math.isinf(z) else z / (1.0 + abs(z)),
        lambda z: (1.0 / (1.0 + abs(z))) ** 2,
    ),
    "hard_sigmoid": (
        lambda z: (held(z, 3.0) + 3.0) / 6.0,
        lambda z: 1.0 / 6.0 if -3.0 < z < 3.0 else 0.0,
    ),
    "hard_swish": (
        lambda z: 0.0 if z <= -3.0 else z if z >= 3.0 else z * (z + 3.0) / 6.0,
        lambda z: 0.0 if z <= -3.0 else 1.0 if z >= 3.0 else (z + 1.5) / 3.0,
    ),
    "hard_tanh": (lambda z: held(z, 1.0), lambda z: 1.0 if -1.0 < z < 1.0 else 0.0),
    "relu6": (
        lambda z: 0.0 if z <= 0.0 else held(z, 6.0),
        lambda z: 1.0 if 0.0 < z < 6.0 else 0.0,
    ),
    "exp": (exp, exp),
    "sin": (lambda z: math.sin(held(z, SIN_EDGE)), lambda z: math.cos(held(z, SIN_EDGE))),
    "gaussian": (
        lambda z: math.exp(-z * z),
        lambda z: -2.0 * held(z, 1e3) * math.exp(-z * z),
    ),
}


# ---- activations of a whole row, whose derivative is a full Jacobian -----------------------------
def shifted(z: Vector) -> Vector:
    """Z - max z; an entry equal to the maximum gives 0 even where inf - inf would be NaN."""
    top = max(z)
    return [0.0 if z_j == top else z_j - top for z_j in z]


def shifted_exponentials(z: Vector) -> Vector:
    return [math.exp(d) for d in shifted(z)]


def softmax(z: Vector) -> Vector:
    e = shifted_exponentials(z)
    total = math.fsum(e)
    return [e_j / total for e_j in e]


def softmax_backward(da: Vector, z: Vector) -> Vector:
    """The Jacobian diag(a) - a a^T applied to da."""
    a = softmax(z)
    mean = math.fsum(da_j * a_j for da_j, a_j in zip(da, a, strict=True))
    return [a_j * (da_j - mean) for a_j, da_j in zip(a, da, strict=True)]


def log_sum_above_the_largest(z: Vector) -> float:
    """log(sum exp(z)) - max z, with log1p so that a small result keeps its digits."""
    others = shifted_exponentials(z)
    if 1.0 in others:  # else NaN is among them
        others.remove(1.0)
        return math.log1p(math.fsum(others))
    return math.nan


def log_softmax(z: Vector) -> Vector:
    log_sum = log_sum_above_the_largest(z)
    return [d - log_sum for d in shifted(z)]


def log_softmax_backward(da: Vector, z: Vector) -> Vector:
    """The Jacobian I - 1 softmax(z)^T, transposed, applied to da."""
    total = math.fsum(da)
    return [da_j - a_j * total for da_j, a_j in zip(da, softmax(z), strict=True)]


ROWWISE: dict[str, tuple[Callable[..., Vector], Callable[..., Vector]]] = {
    "softmax": (softmax, softmax_backward),
    "log_softmax": (log_softmax, log_softmax_backward),
}


# ---- of matrices ---------------------------------------------------------------------------------
def activation_forward(name: str, Z: Matrix, **parameters: float) -> Matrix:
    """A = g(Z), both (m, n)."""
    if name in ROWWISE:
        forward, _ = ROWWISE[name]
        return [forward(z, **parameters) for z in Z]
    value, _ = ELEMENTWISE[name]
    return [[value(z_j, **parameters) for z_j in z] for z in Z]


def activation_backward(name: str, dA: Matrix, Z: Matrix, **parameters: float) -> Matrix:
    """Give dZ = dA * g'(Z), all (m, n)."""
    pairs = zip(dA, Z, strict=True)
    if name in ROWWISE:
        _, backward = ROWWISE[name]
        return [backward(da, z, **parameters) for da, z in pairs]
    _, derivative = ELEMENTWISE[name]
    return [
        [da_j * derivative(z_j, **parameters) for da_j, z_j in zip(da, z, strict=True)]
        for da, z in pairs
    ]
