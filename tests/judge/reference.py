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

from reference_activations import activation_backward, activation_forward
from reference_losses import LOSSES, LOSSES_OF_LOGARITHMS, mean_loss

Vector = list[float]
Matrix = list[Vector]


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


def output_loss(
    network: Network,
    A: Matrix,
    Y: Matrix,
    loss: str,
    sample_weight: Vector | None = None,
    **options: float,
) -> tuple[float, Matrix]:
    """J of the outputs A and its gradient dA; the output log_softmax gives logarithms."""
    of_logarithms = network.activations[-1][0] == "log_softmax" and loss in LOSSES_OF_LOGARITHMS
    forms = LOSSES_OF_LOGARITHMS if of_logarithms else LOSSES
    return mean_loss(forms, loss, A, Y, sample_weight, **options)


def gradients(
    network: Network,
    X: Matrix,
    Y: Matrix,
    loss: str,
    sample_weight: Vector | None = None,
    **options: float,
) -> tuple[float, Gradients]:
    """J and its gradients."""
    Z, A = forward(network, X)
    J, dA = output_loss(network, A[-1], Y, loss, sample_weight, **options)
    return J, backward(network, Z, A, dA)


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
    network: Network,
    X: Matrix,
    Y: Matrix,
    loss: str,
    sample_weight: Vector | None = None,
    **options: float,
) -> Vector:
    """The gradient of J by every parameter, in the order of `flatten`."""

    def J(flat: Vector) -> float:
        moved = Network(*unflatten(flat, network.widths), network.activations)
        _, A = forward(moved, X)
        return output_loss(moved, A[-1], Y, loss, sample_weight, **options)[0]

    return numeric_gradient(J, flatten(network.weights, network.biases))
