"""The judge of losses: the value of one sample above its gradient, and their means over a batch.

A loss takes a row of predictions a and the row of its targets y. Options are called as in the
library: `delta` of huber, `q` of quantile (a number, or one for each output), `label_smoothing` of
the cross-entropies.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from reference_activations import (
    exp,
    log_sum_above_the_largest,
    shifted,
    sigmoid,
    softmax,
    softplus,
)

Vector = list[float]
Matrix = list[Vector]


# ---- losses of probabilities ---------------------------------------------------------------------
# A target of 0 asks nothing of its probability: 0 log 0 = 0, and its slope 0 / 0 is 0. A target
# above 0 needs a probability above 0 here; saturated outputs are the business of the logits below.
def ratio(y: float, a: float) -> float:
    return y / a if y else 0.0


def cross_entropy(a: Vector, y: Vector) -> float:
    return math.fsum(-y_j * math.log(a_j) for a_j, y_j in zip(a, y, strict=True) if y_j)


def cross_entropy_gradient(a: Vector, y: Vector) -> Vector:
    return [-ratio(y_j, a_j) for a_j, y_j in zip(a, y, strict=True)]


def kl_divergence(a: Vector, y: Vector) -> float:
    return math.fsum(
        y_j * (math.log(y_j) - math.log(a_j)) for a_j, y_j in zip(a, y, strict=True) if y_j
    )


def binary_cross_entropy(a: Vector, y: Vector) -> float:
    ones = [y_j * math.log(a_j) for a_j, y_j in zip(a, y, strict=True) if y_j]
    zeros = [(1.0 - y_j) * math.log1p(-a_j) for a_j, y_j in zip(a, y, strict=True) if y_j != 1.0]
    return -math.fsum(ones + zeros) / len(a)


def binary_cross_entropy_gradient(a: Vector, y: Vector) -> Vector:
    pairs = zip(a, y, strict=True)
    return [(ratio(1.0 - y_j, 1.0 - a_j) - ratio(y_j, a_j)) / len(a) for a_j, y_j in pairs]


# ---- losses that are a mean over outputs: value(a, y) and d(value)/da of one output --------------
def sign(x: float) -> float:
    return 0.0 if x == 0.0 else math.copysign(1.0, x)


def huber(a: float, y: float, delta: float = 1.0) -> float:
    d = abs(a - y)
    return d * d / 2.0 if d <= delta else delta * (d - delta / 2.0)


def huber_derivative(a: float, y: float, delta: float = 1.0) -> float:
    return max(-delta, min(delta, a - y))


def log_cosh(a: float, y: float) -> float:
    # cosh d = 1 + 2 sinh^2(d / 2), and = e^|d| (1 + e^(-2|d|)) / 2.
    d = abs(a - y)
    small = math.log1p(2.0 * math.sinh(min(d, 1.0) / 2.0) ** 2)
    return small if d < 1.0 else d + math.log1p(math.exp(-2.0 * d)) - math.log(2.0)


def poisson(a: float, y: float) -> float:
    return a - (y * math.log(a) if y else 0.0)


def quantile(a: float, y: float, q: float = 0.5) -> float:
    return q * (y - a) if y > a else (1.0 - q) * (a - y)


def quantile_derivative(a: float, y: float, q: float = 0.5) -> float:
    return -q if y > a else (1.0 - q) * sign(a - y)


MEANS_OVER_OUTPUTS: dict[str, tuple[Callable[..., float], Callable[..., float]]] = {
    "mse": (lambda a, y: (a - y) ** 2, lambda a, y: 2.0 * (a - y)),
    "mae": (lambda a, y: abs(a - y), lambda a, y: sign(a - y)),
    "huber": (huber, huber_derivative),
    "log_cosh": (log_cosh, lambda a, y: math.tanh(a - y)),
    "poisson": (poisson, lambda a, y: 1.0 - ratio(y, a)),
    "quantile": (quantile, quantile_derivative),
    "hinge": (lambda a, y: max(0.0, 1.0 - y * a), lambda a, y: -y if y * a < 1.0 else 0.0),
}

RowLoss = tuple[Callable[..., float], Callable[..., Vector]]


def mean_over_outputs(value: Callable[..., float], derivative: Callable[..., float]) -> RowLoss:
    """The loss of a row whose outputs have these losses."""

    def terms(a: Vector, y: Vector, options: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
        for j, pair in enumerate(zip(a, y, strict=True)):
            yield *pair, {k: v[j] if isinstance(v, Sequence) else v for k, v in options.items()}

    def mean(a: Vector, y: Vector, **options: Any) -> float:
        return math.fsum(value(a_j, y_j, **o) for a_j, y_j, o in terms(a, y, options)) / len(a)

    def gradient(a: Vector, y: Vector, **options: Any) -> Vector:
        return [derivative(a_j, y_j, **o) / len(a) for a_j, y_j, o in terms(a, y, options)]

    return mean, gradient


LOSSES: dict[str, RowLoss] = {
    "cross_entropy": (cross_entropy, cross_entropy_gradient),
    "kl_divergence": (kl_divergence, cross_entropy_gradient),
    "binary_cross_entropy": (binary_cross_entropy, binary_cross_entropy_gradient),
    **{name: mean_over_outputs(*functions) for name, functions in MEANS_OVER_OUTPUTS.items()},
}


# ---- the same of logarithms of probabilities, behind log_softmax ---------------------------------
def cross_entropy_of_logarithms(log_a: Vector, y: Vector) -> float:
    return math.fsum(-y_j * l_j for l_j, y_j in zip(log_a, y, strict=True) if y_j)


def minus_entropy(y: Vector) -> float:
    return math.fsum(y_j * math.log(y_j) for y_j in y if y_j)


def kl_divergence_of_logarithms(log_a: Vector, y: Vector) -> float:
    return cross_entropy_of_logarithms(log_a, y) + minus_entropy(y)


def minus_targets(log_a: Vector, y: Vector) -> Vector:
    return [-y_j for y_j in y]


LOSSES_OF_LOGARITHMS: dict[str, RowLoss] = {
    "cross_entropy": (cross_entropy_of_logarithms, minus_targets),
    "kl_divergence": (kl_divergence_of_logarithms, minus_targets),
}


# ---- the same by the logits z, for the pairs of output and loss that allow it --------------------
# softmax or log_softmax + cross_entropy or kl_divergence, sigmoid + binary_cross_entropy, exp +
# poisson, linear + mse (where a is z itself).
def cross_entropy_from_logits(z: Vector, y: Vector) -> float:
    """sum_j y_j (log sum exp(z) - z_j)."""
    log_sum = log_sum_above_the_largest(z)
    return math.fsum(y_j * (log_sum - d) for d, y_j in zip(shifted(z), y, strict=True) if y_j)


def kl_divergence_from_logits(z: Vector, y: Vector) -> float:
    return cross_entropy_from_logits(z, y) + minus_entropy(y)


def cross_entropy_fused(z: Vector, y: Vector) -> Vector:
    """Give a sum(y) - y, the familiar a - y where the targets sum to 1."""
    total = math.fsum(y)
    return [a_j * total - y_j for a_j, y_j in zip(softmax(z), y, strict=True)]


def binary_cross_entropy_from_logits(z: Vector, y: Vector) -> float:
    ones = [y_j * softplus(-z_j) for z_j, y_j in zip(z, y, strict=True) if y_j]
    zeros = [(1.0 - y_j) * softplus(z_j) for z_j, y_j in zip(z, y, strict=True) if y_j != 1.0]
    return math.fsum(ones + zeros) / len(z)


def binary_cross_entropy_fused(z: Vector, y: Vector) -> Vector:
    # a - y = (1 - y) - (1 - a): a small result keeps its digits on either side.
    return [
        ((1.0 - y_j) - sigmoid(-z_j) if z_j > 0.0 else sigmoid(z_j) - y_j) / len(z)
        for z_j, y_j in zip(z, y, strict=True)
    ]


LOSSES_FROM_LOGITS: dict[str, RowLoss] = {
    "cross_entropy": (cross_entropy_from_logits, cross_entropy_fused),
    "kl_divergence": (kl_divergence_from_logits, cross_entropy_fused),
    "binary_cross_entropy": (binary_cross_entropy_from_logits, binary_cross_entropy_fused),
    "poisson": mean_over_outputs(
        lambda z, y: exp(z) - (y * z if y else 0.0), lambda z, y: exp(z) - y
    ),
    "mse": LOSSES["mse"],
}


# ---- targets -------------------------------------------------------------------------------------
def smoothed(loss: str, Y: Matrix, label_smoothing: float) -> Matrix:
    """Targets with a share of them spread evenly over the classes: k, or yes and no."""

    def spread(y: Vector) -> Vector:
        classes = len(y) if loss == "cross_entropy" else 2
        return [(1.0 - label_smoothing) * y_j + label_smoothing / classes for y_j in y]

    return [spread(y) for y in Y]


# ---- losses of a batch: J and its gradient share one normalisation -------------------------------
def sample_shares(m: int, sample_weight: Vector | None) -> Vector:
    """The share of each sample in the mean: w_i / sum(w), which is 1 / m without weights."""
    weights = [1.0] * m if sample_weight is None else sample_weight
    total = math.fsum(weights)
    return [w / total for w in weights]


def mean_loss(
    forms: dict[str, RowLoss],
    name: str,
    P: Matrix,
    Y: Matrix,
    sample_weight: Vector | None = None,
    *,
    label_smoothing: float = 0.0,
    **options: float,
) -> tuple[float, Matrix]:
    """J of predictions P and targets Y, both (m, k), and its gradient by P, in one of the forms."""
    value, gradient = forms[name]
    pairs = list(zip(P, smoothed(name, Y, label_smoothing) if label_smoothing else Y, strict=True))
    shares = sample_shares(len(P), sample_weight)
    losses = [value(p, y, **options) for p, y in pairs]
    J = math.fsum(w * loss for w, loss in zip(shares, losses, strict=True))
    dP = [
        [w * d for d in gradient(p, y, **options)] for w, (p, y) in zip(shares, pairs, strict=True)
    ]
    return J, dP


def loss_value(name: str, A: Matrix, Y: Matrix, *weights: Vector | None, **options: float) -> float:
    """J of predictions A and targets Y, both (m, k)."""
    return mean_loss(LOSSES, name, A, Y, *weights, **options)[0]


def loss_gradient(
    name: str, A: Matrix, Y: Matrix, *weights: Vector | None, **options: float
) -> Matrix:
    """dA, (m, k)."""
    return mean_loss(LOSSES, name, A, Y, *weights, **options)[1]


def loss_value_from_logits(
    name: str, Z: Matrix, Y: Matrix, *weights: Vector | None, **options: float
) -> float:
    """J as above with A = g(Z), g being the output activation that belongs to the loss."""
    return mean_loss(LOSSES_FROM_LOGITS, name, Z, Y, *weights, **options)[0]


def fused_gradient(
    name: str, Z: Matrix, Y: Matrix, *weights: Vector | None, **options: float
) -> Matrix:
    """dZ, (m, k), in one step through the loss and the output activation that belongs to it."""
    return mean_loss(LOSSES_FROM_LOGITS, name, Z, Y, *weights, **options)[1]
