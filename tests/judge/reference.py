"""A neural network in plain Python: forward, loss, backward, update and the loop around them.

This page judges the library, so it is slow on purpose and written to be read from top to bottom:

    python tests/judge/reference.py

learns exclusive or and prints what it does. A matrix is a list of rows, and every sample is a row.
For m samples and layers l = 0 ... L - 1 of widths n[0] ... n[L]:

    forward     A[0] = X                          (m, n[0])
                Z[l] = A[l] W[l] + b[l]           (m, n[l+1])
                A[l+1] = g[l](Z[l])               (m, n[l+1]); the outputs are A[L]
    loss        J, the mean of the samples' losses
    backward    dA[L] = dJ/dA[L]                  (m, n[L])
                dZ[l] = dA[l+1] * g'[l](Z[l])     (m, n[l+1])
                dW[l] = A[l]^T dZ[l]              (n[l], n[l+1])
                db[l] = column sums of dZ[l]      (n[l+1],)
                dA[l] = dZ[l] W[l]^T              (m, n[l])
    update      w = w - learning_rate dw, or as another optimiser has it

A network may have more: X is embedded, masked and scaled, a hidden layer's product is normalised
before its activation, its outputs are masked, and its inputs are added to them. Z[l] is always what
the activation receives, A[l+1] what the layer hands on.

The functions that these are made of are in `reference_matrices`, `reference_operations`,
`reference_embeddings`,
`reference_activations`, `reference_losses`, `reference_optimizers`, `reference_schedules` and
`reference_initializers`; what a network is, in `reference_network`. Sums are taken with
`math.fsum`, which rounds once, so that the judge is better than what it judges.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from reference_activations import activation_backward, activation_forward
from reference_embeddings import Column, embedding_backward, embedding_forward
from reference_losses import LOSSES, LOSSES_OF_LOGARITHMS, mean_loss
from reference_matrices import (
    Matrix,
    Vector,
    column_sums,
    matmul,
    plus,
    sum_of_products,
    times,
    transpose,
)
from reference_matrices import one_hot as one_hot
from reference_network import (
    Gradients,
    Network,
    flat_gradients,
    flat_parameters,
    new_network,
    of_layer,
    with_layers_of,
    with_parameters,
)
from reference_network import flatten as flatten
from reference_network import unflatten as unflatten
from reference_operations import (
    norm_backward,
    norm_forward,
    parametric_backward,
    parametric_forward,
    scale_backward,
    scale_forward,
    updated_statistics,
)
from reference_optimizers import State, gradient_point, update
from reference_stopping import best_epoch


# ---- forward -------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Mode:
    """How a pass through a network is made."""

    training: bool = False  # batch norms take the statistics of the batch, not the running ones
    frozen: tuple[int, ...] = ()  # layers that take running statistics in training too
    input_mask: Matrix | None = None  # dropout of the inputs, as they are embedded, (m, n[0])


PREDICTION = Mode()


def dense_forward(A: Matrix, W: Matrix, b: Vector) -> Matrix:
    """Z = A W + b: (m, n_in), (n_in, n_out), (n_out,) give (m, n_out)."""
    columns = transpose(W)
    return [
        [sum_of_products([*a, 1.0], [*w, b_j]) for w, b_j in zip(columns, b, strict=True)]
        for a in A
    ]


def inputs_of(network: Network, A: list[Matrix], layer: int, mode: Mode) -> Matrix:
    """What a layer multiplies by its weights: A[l], in the first embedded, masked and scaled."""
    X = A[layer]
    if layer == 0 and network.embedding:
        X = embedding_forward(X, network.embedding)
    if layer == 0 and mode.input_mask:
        X = times(X, mode.input_mask)
    return scale_forward(X, network.scale) if layer == 0 and network.scale else X


def norm_of(network: Network, layer: int, mode: Mode) -> dict[str, Any]:
    """What `norm_forward` is to know of a hidden layer's norm."""
    settled = not mode.training or layer in mode.frozen
    return {
        "kind": network.norm,
        "gain": network.gains[layer],
        "shift": of_layer(network.shifts, layer),
        "running": network.running[layer] if network.norm == "batch" and settled else None,
    }


def forward(
    network: Network, X: Matrix, masks: list[Matrix] | None = None, mode: Mode = PREDICTION
) -> tuple[list[Matrix], list[Matrix]]:
    """Z and A of every layer, A[0] being X.

    Dropout is a mask for each hidden layer, (m, n[l+1]): 0 where a unit is dropped and
    1 / (1 - rate) where it stays, so that its mean over all draws is 1.
    """
    Z: list[Matrix] = []
    A = [X]
    layers = zip(network.weights, network.biases, network.activations, strict=True)
    for l, (W, b, (name, parameters)) in enumerate(layers):  # noqa: E741
        inputs = inputs_of(network, A, l, mode)
        Z.append(dense_forward(inputs, W, b))
        if network.norm and network.is_hidden(l):
            Z[l] = norm_forward(Z=Z[l], **norm_of(network, l, mode))
        if alpha := of_layer(network.alphas, l):
            A.append(parametric_forward(name, Z[l], alpha, **parameters))
        else:
            A.append(activation_forward(name, Z[l], **parameters))
        if masks and l < len(masks):
            A[l + 1] = times(A[l + 1], masks[l])
        if network.adds_its_inputs(l):
            A[l + 1] = plus(A[l + 1], inputs)
    return Z, A


def predict(network: Network, X: Matrix) -> Matrix:
    return forward(network, X)[1][-1]


# ---- loss ----------------------------------------------------------------------------------------
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


# ---- backward ------------------------------------------------------------------------------------
def dense_backward(dZ: Matrix, A: Matrix, W: Matrix) -> tuple[Matrix, Matrix, Vector]:
    """Give dA = dZ W^T, dW = A^T dZ and db, the column sums of dZ."""
    return matmul(dZ, transpose(W)), matmul(transpose(A), dZ), column_sums(dZ)


def layer_backward(
    network: Network,
    layer: int,
    inputs: Matrix,
    Z: Matrix,
    dA: Matrix,
    mask: Matrix | None,
    mode: Mode,
) -> tuple[Matrix, tuple[Any, ...]]:
    """Give the gradient by a layer's inputs, and dW, db, dgain, dshift, dalpha, dZ."""
    W, b = network.weights[layer], network.biases[layer]
    name, parameters = network.activations[layer]
    dgain, dshift, dalpha = [], [], []
    da = times(dA, mask) if mask else dA
    if alpha := of_layer(network.alphas, layer):
        dZ, dalpha = parametric_backward(name, da, Z, alpha, **parameters)
    else:
        dZ = activation_backward(name, da, Z, **parameters)
    dproduct = dZ
    if network.norm and network.is_hidden(layer):
        product, norm = dense_forward(inputs, W, b), norm_of(network, layer, mode)
        dproduct, dgain, dshift = norm_backward(dY=dZ, Z=product, **norm)
    dinputs, dW, db = dense_backward(dproduct, inputs, W)
    if network.adds_its_inputs(layer):
        dinputs = plus(dinputs, dA)
    return dinputs, (dW, db if network.bias else [0.0] * len(db), dgain, dshift, dalpha, dZ)


def backward(
    network: Network,
    Z: list[Matrix],
    A: list[Matrix],
    dA: Matrix,
    masks: list[Matrix] | None = None,
    mode: Mode = PREDICTION,
) -> Gradients:
    """The gradients by the general rule, from dA of the output: no pair is treated specially."""
    layers: list[tuple[Any, ...]] = []
    for l in reversed(range(len(Z))):  # noqa: E741
        inputs, mask = inputs_of(network, A, l, mode), of_layer(masks or [], l)
        dA, of_parameters = layer_backward(network, l, inputs, Z[l], dA, mask, mode)
        layers.insert(0, of_parameters)
    dscale: Vector = []
    if network.scale:
        X = inputs_of(replace(network, scale=[]), A, 0, mode)
        dA, dscale = scale_backward(dA, X, network.scale)
    dX = times(dA, mode.input_mask) if mode.input_mask else dA
    dembedding: list[Column] = []
    if network.embedding:
        dX, dembedding = embedding_backward(dX, A[0], network.embedding)
    dW, db, dgain, dshift, dalpha, dZ = map(list, zip(*layers, strict=True))
    return Gradients(dW, db, dX, dscale, dgain, dshift, dalpha, dZ, dembedding)


def gradients(
    network: Network,
    X: Matrix,
    Y: Matrix,
    loss: str,
    sample_weight: Vector | None = None,
    masks: list[Matrix] | None = None,
    mode: Mode = PREDICTION,
    **options: float,
) -> tuple[float, Gradients]:
    """J and its gradients."""
    Z, A = forward(network, X, masks, mode)
    J, dA = output_loss(network, A[-1], Y, loss, sample_weight, **options)
    return J, backward(network, Z, A, dA, masks, mode)


# ---- update --------------------------------------------------------------------------------------
def step(
    network: Network, g: Gradients, optimizer: str, state: State, options: dict[str, float]
) -> Network:
    """Move every parameter by its gradient; `state` is what the optimiser remembers."""
    flat = update(optimizer, flat_parameters(network), flat_gradients(g), state, **options)
    return with_parameters(network, flat)


def with_new_statistics(
    network: Network, X: Matrix, masks: list[Matrix] | None, mode: Mode
) -> Network:
    """The network after its batch norms, those that are frozen aside, have seen a batch."""
    if network.norm != "batch":
        return network
    _, A = forward(network, X, masks, mode)
    running = list(network.running)
    for layer, statistics in enumerate(network.running):
        if layer not in mode.frozen:
            inputs, b = inputs_of(network, A, layer, mode), network.biases[layer]
            product = dense_forward(inputs, network.weights[layer], b)
            running[layer] = updated_statistics(statistics, product)
    return replace(network, running=running)


# ---- training ------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Recipe:
    """How to train. What a library draws by chance is given: the order of samples, the masks."""

    loss: str
    optimizer: str
    options: dict[str, float]  # of the optimiser, its learning rate among them
    epochs: int
    batch_size: int
    order: Callable[[int], list[int]] | None = None  # of samples, by epoch
    masks: Callable[[int, int], list[Matrix]] | None = None  # of dropout, by step and batch's size
    # Options of the optimiser that schedules change, by epoch and step.
    scheduled: Callable[[int, int], dict[str, float]] | None = None
    validate: Callable[[Network], float] | None = None  # the loss on samples that are held out
    patience: int | None = None  # early stopping: epochs that may pass without a better loss
    min_delta: float = 0.0  # by which a better loss is better
    input_mask: Callable[[int, int], Matrix] | None = None  # of dropout, as masks
    freeze: tuple[int, ...] = ()  # layers that stand still


@dataclass
class History:
    """What happened in every epoch."""

    loss: Vector = field(default_factory=list)  # the mean over its samples, as the steps saw them
    val_loss: Vector = field(default_factory=list)
    parameters: list[Vector] = field(default_factory=list)  # at its end
    steps: int = 0


def batches(
    network: Network, order: list[int], batch_size: int, frozen: tuple[int, ...] = ()
) -> list[list[int]]:
    """The samples of each step; batch norm needs two, so that one that is left joins the others.

    One that is frozen needs none.
    """
    found = [order[first : first + batch_size] for first in range(0, len(order), batch_size)]
    learns = any(layer not in frozen for layer in range(len(network.weights) - 1))
    if network.norm == "batch" and learns and len(found) > 1 and len(found[-1]) == 1:
        *found, before, last = found
        found.append(before + last)
    return found


def train(
    network: Network, X: Matrix, Y: Matrix, recipe: Recipe, sample_weight: Vector | None = None
) -> tuple[Network, History]:
    """Train for some epochs; give the last network, or with early stopping the best."""
    weights = sample_weight or [1.0] * len(X)
    history, state = History(), State()
    networks: list[Network] = []
    for epoch in range(recipe.epochs):
        order = recipe.order(epoch) if recipe.order else list(range(len(X)))
        total = []
        for batch in batches(network, order, recipe.batch_size, recipe.freeze):
            x, y, w = ([samples[i] for i in batch] for samples in (X, Y, weights))
            masks = recipe.masks(history.steps, len(batch)) if recipe.masks else None
            mask = recipe.input_mask(history.steps, len(batch)) if recipe.input_mask else None
            mode = Mode(training=True, frozen=recipe.freeze, input_mask=mask)
            flat = flat_parameters(network)
            point = gradient_point(recipe.optimizer, flat, state, recipe.options)
            there = with_parameters(network, point)
            J, g = gradients(there, x, y, recipe.loss, w, masks, mode)
            options = dict(recipe.options)
            if recipe.scheduled:
                options |= recipe.scheduled(epoch, history.steps)
            seen = with_parameters(with_new_statistics(there, x, masks, mode), flat)
            moved = step(seen, g, recipe.optimizer, state, options)
            network = with_layers_of(moved, network, recipe.freeze) if recipe.freeze else moved
            history.steps += 1
            total.append(J * math.fsum(w))

        history.loss.append(math.fsum(total) / math.fsum(weights))
        history.parameters.append(flat_parameters(network))
        networks.append(network)
        if recipe.validate:
            history.val_loss.append(recipe.validate(network))
        if recipe.patience is not None:
            best = best_epoch(history.val_loss or history.loss, recipe.min_delta)
            if epoch - best >= recipe.patience:
                break
    return networks[-1 if recipe.patience is None else best], history


# ---- exclusive or --------------------------------------------------------------------------------
def main() -> None:
    X = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    Y = [[0.0], [1.0], [1.0], [0.0]]
    network = new_network([2, 3, 1], ["tanh", "sigmoid"], seed=1)

    print("Exclusive or: 2 inputs, 3 hidden units (tanh), 1 output (sigmoid)\n")
    Z, A = forward(network, X)
    J, g = gradients(network, X, Y, "binary_cross_entropy")
    show("W[0], as drawn", network.weights[0])
    show("Z[0] = X W[0] + b[0]", Z[0])
    show("A[1] = tanh(Z[0])", A[1])
    show("A[2] = sigmoid(A[1] W[1] + b[1]), the outputs", A[2])
    print(f"J, the mean binary cross-entropy: {J:.4f}\n")
    show("dW[0] = X^T dZ[0], by which J grows with W[0]", g.dW[0])

    recipe = Recipe("binary_cross_entropy", "adam", {"learning_rate": 0.05}, 200, batch_size=4)
    network, history = train(network, X, Y, recipe)
    print("200 steps of Adam\n\n  epoch  loss")
    for epoch in (1, 2, 5, 10, 20, 50, 100, 200):
        print(f"  {epoch:5}  {history.loss[epoch - 1]:.4f}")
    print("\n  x1 x2  wanted  output")
    for x, y, a in zip(X, Y, predict(network, X), strict=True):
        print(f"   {x[0]:.0f}  {x[1]:.0f}  {y[0]:6.0f}  {a[0]:6.3f}")


def show(title: str, M: Matrix) -> None:
    print(title)
    for row in M:
        print("  " + "  ".join(f"{entry:7.4f}" for entry in row))
    print()


if __name__ == "__main__":
    main()
