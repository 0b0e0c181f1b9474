"""NumPy by hand, written well: BLAS products, buffers made once, operations in place."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.cells import Cell
from benchmarks.peers import Run, UnsupportedError, blas_of

Array = NDArray[Any]

HIDDEN = ("relu", "leaky_relu", "elu", "sigmoid", "tanh", "softplus")


def prepare(cell: Cell, threads: int) -> Run:
    """Return a function that trains so many epochs, or predicts so many times."""
    if cell.hidden not in HIDDEN:
        raise UnsupportedError(
            "its slope is not known from its value, or NumPy has no such function"
        )
    network = Network(cell)
    X, y = cell.data()
    if cell.training:
        rule = {"adam": adam, "sgd": sgd}[cell.optimizer]
        step = rule(network, cell.learning_rate)
        return lambda epochs: train(network, X, y, step, epochs)

    def predict(times: int) -> None:
        for _ in range(times):
            network.forward(X)

    return predict


class Network:
    """Parameters and gradients as views of one arena each, and room for one batch."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        layers = cell.parameters()
        self.parameters = np.concatenate([p.ravel() for layer in layers for p in layer])
        self.gradient = np.zeros_like(self.parameters)
        self.weights, self.biases = views(self.parameters, cell.widths)
        self.dw, self.db = views(self.gradient, cell.widths)
        m = cell.batch_size
        self.room = [[np.empty((m, n), cell.dtype) for n in cell.widths] for _ in range(2)]
        self.all_ones = np.ones(m, cell.dtype)
        self.loss = 0.0
        self.resize(m)

    def resize(self, m: int) -> None:
        """Use the first rows of all buffers: the last batch may be smaller."""
        self.a, self.d = ([buffer[:m] for buffer in kind] for kind in self.room)
        self.ones = self.all_ones[:m]
        self.rows = np.arange(m)

    def forward(self, X: Array) -> Array:
        """Return the outputs: the logits, where softmax and cross-entropy follow."""
        a = X
        for i, (w, b) in enumerate(zip(self.weights, self.biases, strict=True), 1):
            z = np.matmul(a, w, out=self.a[i])
            z += b
            if i < len(self.weights):
                activate(self.cell.hidden, z)
            a = z
        return a

    def backward(self, X: Array, y: Array) -> None:
        """Fill the gradient, the outputs of `forward` being there."""
        d = self.output_gradient(y)
        for i in range(len(self.weights), 0, -1):
            below = X if i == 1 else self.a[i - 1]
            np.matmul(below.T, d, out=self.dw[i - 1])
            np.matmul(self.ones, d, out=self.db[i - 1])
            if i > 1:
                d = np.matmul(d, self.weights[i - 1].T, out=self.d[i - 1])
                times_slope(self.cell.hidden, d, below)

    def output_gradient(self, y: Array) -> Array:
        """Return d(mean loss)/dz of the last layer, and add to the loss."""
        z, d = self.a[-1], self.d[-1]
        if self.cell.output == "softmax":
            np.subtract(z, z.max(axis=1, keepdims=True), out=d)
            np.exp(d, out=d)
            d /= d.sum(axis=1, keepdims=True)
            self.loss -= float(np.log(d[self.rows, y]).sum())
            d[self.rows, y] -= 1.0
            d /= len(y)
        elif self.cell.output == "sigmoid":
            self.loss += float((np.logaddexp(0.0, z) - y * z).sum())
            activate("sigmoid", z)
            np.subtract(z, y, out=d)
            d /= y.size
        else:
            np.subtract(z, y, out=d)
            self.loss += float(np.vdot(d, d))
            d *= 2.0 / y.size
        return d


def views(arena: Array, widths: tuple[int, ...]) -> tuple[list[Array], list[Array]]:
    """Return every layer's weights and biases, which lie in the arena in turn."""
    weights, biases, at = [], [], 0
    for n_in, n_out in itertools.pairwise(widths):
        weights.append(arena[at : at + n_in * n_out].reshape(n_in, n_out))
        at += n_in * n_out
        biases.append(arena[at : at + n_out])
        at += n_out
    return weights, biases


def activate(name: str, z: Array) -> None:
    """Turn z into g(z)."""
    if name == "relu":
        np.maximum(z, 0.0, out=z)
    elif name == "leaky_relu":
        np.maximum(z, 0.01 * z, out=z)
    elif name == "elu":
        np.copyto(z, np.expm1(np.minimum(z, 0.0)), where=z < 0.0)
    elif name == "softplus":
        np.logaddexp(z, 0.0, out=z)
    elif name == "tanh":
        np.tanh(z, out=z)
    else:  # sigmoid, which does not overflow in this form
        z *= 0.5
        np.tanh(z, out=z)
        z *= 0.5
        z += 0.5


def times_slope(name: str, d: Array, a: Array) -> None:
    """Multiply d by g'(z), where a = g(z) is not needed any more and is overwritten."""
    if name == "relu":
        np.greater(a, 0.0, out=a, casting="unsafe")
    elif name == "leaky_relu":
        np.maximum(a > 0.0, 0.01, out=a, casting="unsafe")
    elif name == "elu":
        np.minimum(a, 0.0, out=a)
        a += 1.0
    elif name == "softplus":
        np.negative(np.expm1(np.negative(a, out=a), out=a), out=a)
    elif name == "tanh":
        np.multiply(a, a, out=a)
        np.subtract(1.0, a, out=a)
    else:
        d *= a
        np.subtract(1.0, a, out=a)
    d *= a


def adam(network: Network, rate: float) -> Callable[[], None]:
    """Return a step of Adam over the whole arena, in place."""
    w, g = network.parameters, network.gradient
    mean, square, room = np.zeros_like(w), np.zeros_like(w), np.empty_like(w)
    t = 0

    def step() -> None:
        nonlocal t
        t += 1
        np.multiply(g, 0.1, out=room)
        np.multiply(mean, 0.9, out=mean)
        np.add(mean, room, out=mean)
        np.multiply(g, g, out=g)
        np.multiply(g, 0.001, out=g)
        np.multiply(square, 0.999, out=square)
        np.add(square, g, out=square)
        np.sqrt(square, out=room)
        np.multiply(room, (1.0 - 0.999**t) ** -0.5, out=room)
        np.add(room, 1e-8, out=room)
        np.divide(mean, room, out=room)
        np.multiply(room, rate / (1.0 - 0.9**t), out=room)
        np.subtract(w, room, out=w)

    return step


def sgd(network: Network, rate: float) -> Callable[[], None]:
    """Return a step of gradient descent over the whole arena, in place."""

    def step() -> None:
        np.multiply(network.gradient, rate, out=network.gradient)
        np.subtract(network.parameters, network.gradient, out=network.parameters)

    return step


def train(network: Network, X: Array, y: Array, step: Callable[[], None], epochs: int) -> None:
    """Train, each epoch in a new order."""
    cell = network.cell
    rng = np.random.default_rng()
    targets = np.empty((cell.batch_size, *y.shape[1:]), y.dtype)
    for _ in range(epochs):
        network.loss = 0.0
        if cell.is_full_batch:
            take_step(network, X, y, step)
            continue
        order = rng.permutation(cell.rows)
        for first in range(0, cell.rows, cell.batch_size):
            batch = order[first : first + cell.batch_size]
            if len(batch) != len(network.ones):
                network.resize(len(batch))
            Xb, yb = network.a[0], targets[: len(batch)]
            # Any other mode goes through a buffer.
            np.take(X, batch, axis=0, out=Xb, mode="clip")
            np.take(y, batch, axis=0, out=yb, mode="clip")
            take_step(network, Xb, yb, step)


def take_step(network: Network, X: Array, y: Array, step: Callable[[], None]) -> None:
    """Take one step on one batch."""
    network.forward(X)
    network.backward(X, y)
    step()


def about() -> dict[str, str]:
    """Return version and kernels."""
    return {"version": np.__version__} | blas_of("")
