"""The judge: a dense network in plain Python lists and `math`, double precision.

Slow on purpose and written to be read. A matrix is a list of rows and every sample is a row; names
follow the textbook: X, W, b, Z, A for values, dZ for the gradient of the mean loss J by Z, and so
on. Lists of layers count from 0, so `Z[l] = A[l] W[l] + b[l]` and `A[l + 1] = g[l](Z[l])`.

Sums are taken with `math.fsum`, which rounds once, so that the judge is better than what it judges.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Vector = list[float]
Matrix = list[Vector]
State = dict[str, Any]


# ---- matrices ------------------------------------------------------------------------------------
def transpose(M: Matrix) -> Matrix:
    return [list(column) for column in zip(*M, strict=True)]


def sum_of_products(x: Vector, y: Vector) -> float:
    return math.fsum(x_i * y_i for x_i, y_i in zip(x, y, strict=True))


def matmul(M: Matrix, N: Matrix) -> Matrix:
    """(p, q) times (q, r) is (p, r)."""
    columns = transpose(N)
    return [[sum_of_products(row, column) for column in columns] for row in M]


def one_hot(labels: list[int], k: int) -> Matrix:
    """Labels (m,) in 0 ... k-1 as rows (m, k)."""
    return [[1.0 if j == label else 0.0 for j in range(k)] for label in labels]


# ---- elementwise activations ---------------------------------------------------------------------
def sigmoid(z: float) -> float:
    # Two forms of one function: the exponent is never positive, so that nothing overflows.
    return 1.0 / (1.0 + math.exp(-z)) if z >= 0.0 else math.exp(z) / (1.0 + math.exp(z))


def sigmoid_derivative(z: float) -> float:
    # a (1 - a), where 1 - a = sigmoid(-z) keeps its digits when a is nearly 1.
    return sigmoid(z) * sigmoid(-z)


# Each name with its value g(z) and its derivative g'(z). At infinity the value is the limit, and
# NaN stays NaN. The derivative of tanh is 1 - a^2, and as tanh(z) = 2 sigmoid(2z) - 1 it is written
# so that it keeps its digits when |a| is nearly 1.
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
}


# ---- activations of a whole row, whose derivative is a full Jacobian -----------------------------
def shifted_exponentials(z: Vector) -> Vector:
    """exp(z - max z); an entry equal to the maximum gives 1 even where inf - inf would be NaN."""
    top = max(z)
    return [math.exp(0.0 if z_j == top else z_j - top) for z_j in z]


def softmax(z: Vector) -> Vector:
    e = shifted_exponentials(z)
    total = math.fsum(e)
    return [e_j / total for e_j in e]


def softmax_backward(da: Vector, z: Vector) -> Vector:
    """The Jacobian diag(a) - a a^T applied to da."""
    a = softmax(z)
    mean = sum_of_products(da, a)
    return [a_j * (da_j - mean) for a_j, da_j in zip(a, da, strict=True)]


ROWWISE: dict[str, tuple[Callable[..., Vector], Callable[..., Vector]]] = {
    "softmax": (softmax, softmax_backward),
}


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


# ---- losses of one sample: its value above its gradient, by the prediction a ---------------------
# A target of 0 asks nothing of its probability: 0 log 0 = 0, and its slope 0 / 0 is 0. A target
# above 0 needs a probability above 0 here; saturated outputs are the business of the logits below.
def ratio(y: float, a: float) -> float:
    return y / a if y else 0.0


def cross_entropy(a: Vector, y: Vector) -> float:
    return math.fsum(-y_j * math.log(a_j) for a_j, y_j in zip(a, y, strict=True) if y_j)


def cross_entropy_gradient(a: Vector, y: Vector) -> Vector:
    return [-ratio(y_j, a_j) for a_j, y_j in zip(a, y, strict=True)]


def binary_cross_entropy(a: Vector, y: Vector) -> float:
    ones = [y_j * math.log(a_j) for a_j, y_j in zip(a, y, strict=True) if y_j]
    zeros = [(1.0 - y_j) * math.log1p(-a_j) for a_j, y_j in zip(a, y, strict=True) if y_j != 1.0]
    return -math.fsum(ones + zeros) / len(a)


def binary_cross_entropy_gradient(a: Vector, y: Vector) -> Vector:
    pairs = zip(a, y, strict=True)
    return [(ratio(1.0 - y_j, 1.0 - a_j) - ratio(y_j, a_j)) / len(a) for a_j, y_j in pairs]


def mse(a: Vector, y: Vector) -> float:
    return math.fsum((a_j - y_j) ** 2 for a_j, y_j in zip(a, y, strict=True)) / len(a)


def mse_gradient(a: Vector, y: Vector) -> Vector:
    return [2.0 * (a_j - y_j) / len(a) for a_j, y_j in zip(a, y, strict=True)]


# ---- the same by the logits z, for the pairs of output and loss that allow it --------------------
# softmax + cross_entropy, sigmoid + binary_cross_entropy, linear + mse (where a is z itself).
def cross_entropy_from_logits(z: Vector, y: Vector) -> float:
    """sum_j y_j (log sum exp(z) - z_j), with log1p so that a small loss keeps its digits."""
    top = max(z)
    others = shifted_exponentials(z)
    others.remove(1.0)
    log_total = math.log1p(math.fsum(others))
    return math.fsum(y_j * (log_total + (top - z_j)) for z_j, y_j in zip(z, y, strict=True) if y_j)


def cross_entropy_fused(z: Vector, y: Vector) -> Vector:
    """Give a sum(y) - y, the familiar a - y where the targets sum to 1."""
    total = math.fsum(y)
    return [a_j * total - y_j for a_j, y_j in zip(softmax(z), y, strict=True)]


def softplus(z: float) -> float:
    """The logarithm of 1 + exp(z) without overflow; -log(sigmoid(z)) = softplus(-z)."""
    return max(z, 0.0) + math.log1p(math.exp(-abs(z)))


def binary_cross_entropy_from_logits(z: Vector, y: Vector) -> float:
    ones = [y_j * softplus(-z_j) for z_j, y_j in zip(z, y, strict=True)]
    zeros = [(1.0 - y_j) * softplus(z_j) for z_j, y_j in zip(z, y, strict=True)]
    return math.fsum(ones + zeros) / len(z)


def binary_cross_entropy_fused(z: Vector, y: Vector) -> Vector:
    return [(sigmoid(z_j) - y_j) / len(z) for z_j, y_j in zip(z, y, strict=True)]


RowLoss = tuple[Callable[[Vector, Vector], float], Callable[[Vector, Vector], Vector]]

LOSSES: dict[str, RowLoss] = {
    "cross_entropy": (cross_entropy, cross_entropy_gradient),
    "binary_cross_entropy": (binary_cross_entropy, binary_cross_entropy_gradient),
    "mse": (mse, mse_gradient),
}
LOSSES_FROM_LOGITS: dict[str, RowLoss] = {
    "cross_entropy": (cross_entropy_from_logits, cross_entropy_fused),
    "binary_cross_entropy": (binary_cross_entropy_from_logits, binary_cross_entropy_fused),
    "mse": (mse, mse_gradient),
}


# ---- losses of a batch: J and its gradient share one normalisation -------------------------------
def sample_shares(m: int, sample_weight: Vector | None) -> Vector:
    """The share of each sample in the mean: w_i / sum(w), which is 1 / m without weights."""
    weights = [1.0] * m if sample_weight is None else sample_weight
    total = math.fsum(weights)
    return [w / total for w in weights]


def mean_loss(loss: RowLoss, P: Matrix, Y: Matrix, sample_weight: Vector | None) -> float:
    value, _ = loss
    losses = [value(p, y) for p, y in zip(P, Y, strict=True)]
    return sum_of_products(sample_shares(len(P), sample_weight), losses)


def mean_loss_gradient(loss: RowLoss, P: Matrix, Y: Matrix, sample_weight: Vector | None) -> Matrix:
    _, gradient = loss
    shares = sample_shares(len(P), sample_weight)
    return [[w * d for d in gradient(p, y)] for w, p, y in zip(shares, P, Y, strict=True)]


def loss_value(name: str, A: Matrix, Y: Matrix, sample_weight: Vector | None = None) -> float:
    """J of predictions A and targets Y, both (m, k)."""
    return mean_loss(LOSSES[name], A, Y, sample_weight)


def loss_gradient(name: str, A: Matrix, Y: Matrix, sample_weight: Vector | None = None) -> Matrix:
    """dA, (m, k)."""
    return mean_loss_gradient(LOSSES[name], A, Y, sample_weight)


def loss_value_from_logits(
    name: str, Z: Matrix, Y: Matrix, sample_weight: Vector | None = None
) -> float:
    """J as above with A = g(Z), g being the output activation that belongs to the loss."""
    return mean_loss(LOSSES_FROM_LOGITS[name], Z, Y, sample_weight)


def fused_gradient(name: str, Z: Matrix, Y: Matrix, sample_weight: Vector | None = None) -> Matrix:
    """dZ, (m, k), in one step through the loss and the output activation that belongs to it."""
    return mean_loss_gradient(LOSSES_FROM_LOGITS[name], Z, Y, sample_weight)


# ---- the network ---------------------------------------------------------------------------------
@dataclass(frozen=True)
class Network:
    weights: list[Matrix]  # (n_in, n_out) for each layer
    biases: list[Vector]  # (n_out,) for each layer
    activations: list[tuple[str, dict[str, float]]]  # name and parameters for each layer

    @property
    def widths(self) -> list[int]:
        return [len(self.weights[0]), *(len(b) for b in self.biases)]


@dataclass(frozen=True)
class Gradients:
    dW: list[Matrix]
    db: list[Vector]
    dX: Matrix


def dense_forward(A: Matrix, W: Matrix, b: Vector) -> Matrix:
    """Z = A W + b: (m, n_in), (n_in, n_out), (n_out,) give (m, n_out)."""
    columns = transpose(W)
    return [
        [sum_of_products([*a, 1.0], [*w, b_j]) for w, b_j in zip(columns, b, strict=True)]
        for a in A
    ]


def dense_backward(dZ: Matrix, A: Matrix, W: Matrix) -> tuple[Matrix, Matrix, Vector]:
    """Give dA = dZ W^T, dW = A^T dZ and db, the column sums of dZ."""
    return matmul(dZ, transpose(W)), matmul(transpose(A), dZ), [math.fsum(d) for d in transpose(dZ)]


def forward(network: Network, X: Matrix) -> tuple[list[Matrix], list[Matrix]]:
    """Z and A of every layer, A[0] being X."""
    Z: list[Matrix] = []
    A = [X]
    layers = zip(network.weights, network.biases, network.activations, strict=True)
    for W, b, (name, parameters) in layers:
        Z.append(dense_forward(A[-1], W, b))
        A.append(activation_forward(name, Z[-1], **parameters))
    return Z, A


def backward(network: Network, Z: list[Matrix], A: list[Matrix], dA: Matrix) -> Gradients:
    """The gradients by the general rule, from dA of the output: no pair is treated specially."""
    dW: list[Matrix] = []
    db: list[Vector] = []
    layers = zip(network.weights, network.activations, Z, A[:-1], strict=True)
    for W, (name, parameters), Z_l, A_l in reversed(list(layers)):
        dZ = activation_backward(name, dA, Z_l, **parameters)
        dA, dW_l, db_l = dense_backward(dZ, A_l, W)
        dW.insert(0, dW_l)
        db.insert(0, db_l)
    return Gradients(dW, db, dX=dA)


def gradients(
    network: Network, X: Matrix, Y: Matrix, loss: str, sample_weight: Vector | None = None
) -> tuple[float, Gradients]:
    """J and its gradients."""
    Z, A = forward(network, X)
    dA = loss_gradient(loss, A[-1], Y, sample_weight)
    return loss_value(loss, A[-1], Y, sample_weight), backward(network, Z, A, dA)


# ---- all parameters as one list: per layer the weights row by row, then the biases ---------------
def flatten(weights: list[Matrix], biases: list[Vector]) -> Vector:
    """Parameters, or gradients, of every layer in one list."""
    flat: Vector = []
    for W, b in zip(weights, biases, strict=True):
        for row in [*W, b]:
            flat.extend(row)
    return flat


def unflatten(flat: Vector, widths: list[int]) -> tuple[list[Matrix], list[Vector]]:
    """Weights and biases of a network of these widths."""
    entries = iter(flat)
    weights: list[Matrix] = []
    biases: list[Vector] = []
    for n_in, n_out in pairwise(widths):
        *W, b = [[next(entries) for _ in range(n_out)] for _ in range(n_in + 1)]
        weights.append(W)
        biases.append(b)
    return weights, biases


# ---- gradients by experiment ---------------------------------------------------------------------
def numeric_gradient(f: Callable[[Vector], float], x: Vector, h: float = 1e-5) -> Vector:
    """(f(x + h e_i) - f(x - h e_i)) / 2h for every entry i of x; wrong by about h^2."""

    def moved(i: int, distance: float) -> Vector:
        return [*x[:i], x[i] + distance, *x[i + 1 :]]

    return [(f(moved(i, h)) - f(moved(i, -h))) / (2.0 * h) for i in range(len(x))]


def central_differences(
    network: Network, X: Matrix, Y: Matrix, loss: str, sample_weight: Vector | None = None
) -> Vector:
    """The gradient of J by every parameter, in the order of `flatten`."""

    def J(flat: Vector) -> float:
        _, A = forward(Network(*unflatten(flat, network.widths), network.activations), X)
        return loss_value(loss, A[-1], Y, sample_weight)

    return numeric_gradient(J, flatten(network.weights, network.biases))


# ---- optimisers: one step on a flat list of parameters w with gradients g ------------------------
# Each returns the new w and keeps in `state`, an empty dict at first, what the next step needs.
def accumulate(state: State, name: str, decay: float, new: Vector, share: float = 1.0) -> Vector:
    """Replace state[name], 0 at first, by decay * state[name] + share * new."""
    old = state.get(name, [0.0] * len(new))
    state[name] = [decay * o + share * n for o, n in zip(old, new, strict=True)]
    return list(state[name])


def descend(w: Vector, direction: Vector, learning_rate: float) -> Vector:
    return [w_i - learning_rate * d_i for w_i, d_i in zip(w, direction, strict=True)]


def sgd_step(
    w: Vector,
    g: Vector,
    state: State,
    *,
    learning_rate: float,
    momentum: float = 0.0,
    nesterov: bool = False,
) -> Vector:
    """Set v = momentum v + g, w -= learning_rate v; Nesterov looks one step ahead along v."""
    v = accumulate(state, "v", momentum, g)
    ahead = [g_i + momentum * v_i for g_i, v_i in zip(g, v, strict=True)]
    return descend(w, ahead if nesterov else v, learning_rate)


def rmsprop_step(
    w: Vector,
    g: Vector,
    state: State,
    *,
    learning_rate: float,
    beta: float,
    epsilon: float,
    momentum: float = 0.0,
    centered: bool = False,
) -> Vector:
    """Set s = beta s + (1 - beta) g^2, w -= learning_rate g / (sqrt(s) + epsilon).

    Centred: the square of the mean gradient is taken from s. Momentum gathers the quotients.
    """
    s = accumulate(state, "s", beta, [g_i * g_i for g_i in g], 1.0 - beta)
    mean = accumulate(state, "mean", beta, g, 1.0 - beta)
    if centered:
        # A variance: rounding alone can take it below 0.
        s = [max(0.0, s_i - mean_i * mean_i) for s_i, mean_i in zip(s, mean, strict=True)]
    quotient = [g_i / (math.sqrt(s_i) + epsilon) for g_i, s_i in zip(g, s, strict=True)]
    return descend(w, accumulate(state, "buffer", momentum, quotient), learning_rate)


def adam_step(
    w: Vector,
    g: Vector,
    state: State,
    *,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> Vector:
    """Set m = beta1 m + (1 - beta1) g and v = beta2 v + (1 - beta2) g^2 at step t = 1, 2, ...

    w -= learning_rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
    """
    t = state["t"] = state.get("t", 0) + 1
    m = accumulate(state, "m", beta1, g, 1.0 - beta1)
    v = accumulate(state, "v", beta2, [g_i * g_i for g_i in g], 1.0 - beta2)
    root = math.sqrt(1.0 - beta2**t)
    quotient = [m_i / (math.sqrt(v_i) / root + epsilon) for m_i, v_i in zip(m, v, strict=True)]
    return descend(w, quotient, learning_rate / (1.0 - beta1**t))
