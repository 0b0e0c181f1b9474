"""What the tests of the judge draw, in plain lists, and how they compare."""

import math
import random
from collections.abc import Callable

import pytest
from reference import (
    Matrix,
    Network,
    Vector,
    flatten,
    forward,
    output_loss,
    with_parameters,
)

Activation = tuple[str, dict[str, float]]

INF = math.inf
TINY = 5e-324
LN3 = math.log(3.0)

ACTIVATIONS: list[Activation] = [
    ("linear", {}),
    ("step", {"threshold": 0.3}),
    ("sigmoid", {}),
    ("softmax", {}),
    ("tanh", {}),
    ("relu", {}),
    ("leaky_relu", {"slope": 0.2, "threshold": 0.1}),
    ("elu", {"alpha": 1.5}),
    ("selu", {}),
    ("celu", {"alpha": 1.5}),
    ("gelu", {}),
    ("gelu_tanh", {}),
    ("silu", {}),
    ("mish", {}),
    ("softplus", {}),
    ("softsign", {}),
    ("hard_sigmoid", {}),
    ("hard_swish", {}),
    ("hard_tanh", {}),
    ("relu6", {}),
    ("exp", {}),
    ("sin", {}),
    ("gaussian", {}),
    ("log_softmax", {}),
]
Loss = tuple[str, dict[str, float]]
OF_PROBABILITIES: list[Loss] = [
    ("cross_entropy", {}),
    ("cross_entropy", {"label_smoothing": 0.2}),
    ("kl_divergence", {}),
    ("binary_cross_entropy", {}),
    ("binary_cross_entropy", {"label_smoothing": 0.2}),
]
OF_NUMBERS: list[Loss] = [
    ("mae", {}),
    ("huber", {"delta": 0.4}),
    ("log_cosh", {}),
    ("quantile", {"q": 0.9}),
    ("hinge", {}),
]
LOSSES: list[Loss] = [("mse", {}), ("poisson", {}), *OF_PROBABILITIES, *OF_NUMBERS]
OUTPUTS_AND_LOSSES: list[tuple[Activation, Loss]] = [
    *((activation, ("mse", {})) for activation in ACTIVATIONS),
    *(((output, {}), loss) for output in ("sigmoid", "softmax") for loss in OF_PROBABILITIES),
    *((("log_softmax", {}), loss) for loss in OF_PROBABILITIES[:3]),
    *(((output, {}), ("poisson", {})) for output in ("exp", "softplus")),
    *((("linear", {}), loss) for loss in OF_NUMBERS),
]
FUSED_PAIRS = [
    ("softmax", "cross_entropy"),
    ("softmax", "kl_divergence"),
    ("sigmoid", "binary_cross_entropy"),
    ("exp", "poisson"),
    ("linear", "mse"),
]
WEIGHTS = [None, [0.5, 2.0, 0.0, 1.0, 3.0]]

by_name = pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda a: a[0])
with_and_without_weights = pytest.mark.parametrize(
    "sample_weight", WEIGHTS, ids=["unweighted", "weighted"]
)


def near(M: Matrix, tolerance: float = 1e-12) -> list[object]:
    return [pytest.approx(row, rel=tolerance, abs=tolerance) for row in M]


def random_matrix(seed: int, m: int, n: int, low: float = -1.0, high: float = 1.0) -> Matrix:
    draw = random.Random(seed)
    return [[draw.uniform(low, high) for _ in range(n)] for _ in range(m)]


def rows(flat: Vector, k: int) -> Matrix:
    return [flat[i : i + k] for i in range(0, len(flat), k)]


# ---- gradients by experiment ---------------------------------------------------------------------
def numeric_gradient(f: Callable[[Vector], float], x: Vector, h: float = 1e-5) -> Vector:
    """(f(x + h e_i) - f(x - h e_i)) / 2h for every entry i of x; wrong by about h^2."""

    def moved(i: int, distance: float) -> Vector:
        return [*x[:i], x[i] + distance, *x[i + 1 :]]

    return [(f(moved(i, h)) - f(moved(i, -h))) / (2.0 * h) for i in range(len(x))]


def central_differences(
    network: Network,
    X: Matrix,
    Y: Matrix,
    loss: str,
    sample_weight: Vector | None = None,
    masks: list[Matrix] | None = None,
    **options: float,
) -> Vector:
    """The gradient of J by every parameter, in the order of `flatten`."""

    def J(flat: Vector) -> float:
        moved = with_parameters(network, flat)
        _, A = forward(moved, X, masks)
        return output_loss(moved, A[-1], Y, loss, sample_weight, **options)[0]

    return numeric_gradient(J, flatten(network.weights, network.biases))
