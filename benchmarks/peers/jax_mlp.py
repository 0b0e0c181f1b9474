"""JAX: a whole epoch is one jitted function, a scan over the batches, its state donated."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import numpy as np

from benchmarks.cells import Cell
from benchmarks.peers import Run


def use_threads(threads: int) -> None:
    """Limit XLA's threads, before JAX is imported: it makes as many as it sees processors."""
    if threads == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def prepare(cell: Cell, threads: int) -> Run:
    """Return a function that trains so many epochs, or predicts so many times."""
    import jax

    jax.config.update("jax_enable_x64", cell.dtype == "float64")
    X, y = cell.data()
    if cell.output == "softmax":
        y = y.astype(np.int32)
    parameters = jax.device_put(cell.parameters())
    if not cell.training:
        return predictor(cell, jax.device_put(X), parameters)
    return trainer(cell, jax.device_put(X), jax.device_put(y), parameters)


def forward(cell: Cell, parameters: Any, X: Any) -> Any:
    """Return the outputs: the logits, where softmax or sigmoid follow."""
    import jax

    g = getattr(jax.nn, cell.hidden)
    if cell.hidden == "gelu":
        g = partial(g, approximate=False)
    a = X
    for w, b in parameters[:-1]:
        a = g(a @ w + b)
    w, b = parameters[-1]
    return a @ w + b


def mean_loss(cell: Cell, parameters: Any, X: Any, y: Any) -> Any:
    """Return the mean loss of a batch."""
    import jax
    import jax.numpy as jnp

    z = forward(cell, parameters, X)
    if cell.output == "softmax":
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=1))
    if cell.output == "sigmoid":
        return jnp.mean(jax.nn.softplus(z) - y * z)
    return jnp.mean((z - y) ** 2)


def update(cell: Cell, parameters: Any, state: Any, gradients: Any) -> tuple[Any, Any]:
    """Return parameters and the optimiser's state after one step."""
    import jax

    rate = cell.learning_rate
    if cell.optimizer == "sgd":
        return jax.tree.map(lambda w, g: w - rate * g, parameters, gradients), state
    t, means, squares = state
    t = t + 1
    means = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, means, gradients)
    squares = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, squares, gradients)
    first, second = rate / (1 - 0.9**t), (1 - 0.999**t) ** -0.5
    parameters = jax.tree.map(
        lambda w, m, v: w - first * m / (second * v**0.5 + 1e-8), parameters, means, squares
    )
    return parameters, (t, means, squares)


def trainer(cell: Cell, X: Any, y: Any, parameters: Any) -> Run:
    """Return a function that trains so many epochs, each in a new order."""
    import jax
    import jax.numpy as jnp

    def step(carry: Any, batch: Any) -> tuple[Any, Any]:
        parameters, state = carry
        Xb, yb = (X, y) if cell.is_full_batch else (X[batch], y[batch])
        loss, gradients = jax.value_and_grad(mean_loss, argnums=1)(cell, parameters, Xb, yb)
        return update(cell, parameters, state, gradients), loss

    whole = cell.rows // cell.batch_size * cell.batch_size

    def epoch(carry: Any, order: Any) -> Any:
        batches = order[:whole].reshape(-1, cell.batch_size)
        carry, losses = jax.lax.scan(step, carry, batches)
        if whole < cell.rows:
            carry, last = step(carry, order[whole:])
            return carry, (losses, last)
        return carry, losses

    compiled = jax.jit(epoch, donate_argnums=0)
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    state = (jnp.zeros((), cell.dtype), zeros, jax.tree.map(jnp.zeros_like, parameters))
    carry = (parameters, () if cell.optimizer == "sgd" else state)
    rng = np.random.default_rng()
    order = np.arange(cell.rows, dtype=np.int32)

    def train(epochs: int) -> None:
        nonlocal carry
        for _ in range(epochs):
            # NumPy's permutation is several times as fast as JAX's, which sorts.
            shuffled = order if cell.is_full_batch else rng.permutation(order)
            carry, _ = compiled(carry, shuffled)
        jax.block_until_ready(carry)

    return train


def predictor(cell: Cell, X: Any, parameters: Any) -> Run:
    """Return a function that predicts so many times, waiting for each result."""
    import jax

    call = jax.jit(lambda parameters, X: forward(cell, parameters, X))

    def predict(times: int) -> None:
        for _ in range(times):
            call(parameters, X).block_until_ready()

    return predict


def about() -> dict[str, str]:
    """Return versions and kernels."""
    import jax
    import jaxlib

    return {
        "version": jax.__version__,
        "jaxlib": jaxlib.__version__,
        "device": f"{jax.devices()[0].device_kind}, {jax.default_backend()}",
        "XLA_FLAGS": os.environ.get("XLA_FLAGS", "not set: XLA takes the widest vectors it finds"),
    }
