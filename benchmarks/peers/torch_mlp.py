"""PyTorch, eager: the usual loop, with the optimiser's fused kernels."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

from benchmarks.cells import Cell
from benchmarks.peers import Run

_ACTIVATIONS = {
    "relu": "ReLU",
    "leaky_relu": "LeakyReLU",
    "elu": "ELU",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "gelu": "GELU",
    "silu": "SiLU",
    "softplus": "Softplus",
    "mish": "Mish",
}


def prepare(cell: Cell, threads: int) -> Run:
    """Return a function that trains so many epochs, or predicts so many times."""
    import torch

    torch.set_num_threads(threads)
    X, y = (torch.from_numpy(array) for array in cell.data())
    model = make_model(cell)
    if not cell.training:
        return predictor(model, X)
    return trainer(cell, make_step(cell, model, X, y))


def make_model(cell: Cell) -> Any:
    """Return the layers; behind softmax and sigmoid the loss takes the logits."""
    import torch

    activation = getattr(torch.nn, _ACTIVATIONS[cell.hidden])
    dtype = getattr(torch, cell.dtype)
    modules: list[Any] = []
    for n_in, n_out in itertools.pairwise(cell.widths):
        modules += [torch.nn.Linear(n_in, n_out, dtype=dtype), activation()]
    return torch.nn.Sequential(*modules[:-1])


def as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile nothing."""
    return function


def make_step(
    cell: Cell, model: Any, X: Any, y: Any, compiled: Callable[..., Any] = as_it_is
) -> Callable[[Any], None]:
    """Return a training step on the rows of these indices; None stands for all rows."""
    import torch

    loss = {
        "softmax": torch.nn.CrossEntropyLoss,
        "sigmoid": torch.nn.BCEWithLogitsLoss,
        "linear": torch.nn.MSELoss,
    }[cell.output]()
    rule = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[cell.optimizer]
    optimizer = rule(model.parameters(), lr=cell.learning_rate, fused=True)

    @compiled
    def loss_of(batch: Any) -> Any:
        if batch is None:
            return loss(model(X), y)
        return loss(model(X.index_select(0, batch)), y.index_select(0, batch))

    def step(batch: Any) -> None:
        loss_of(batch).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def trainer(cell: Cell, step: Callable[[Any], None]) -> Run:
    """Return the loop over epochs, each in a new order."""
    import torch

    def train(epochs: int) -> None:
        for _ in range(epochs):
            if cell.is_full_batch:
                step(None)
                continue
            for batch in torch.randperm(cell.rows).split(cell.batch_size):
                step(batch)

    return train


def predictor(model: Any, X: Any) -> Run:
    """Return a function that predicts so many times, without a thought for gradients."""
    import torch

    model.eval()

    def predict(times: int) -> None:
        with torch.inference_mode():
            for _ in range(times):
                model(X)

    return predict


def about() -> dict[str, str]:
    """Return version and kernels."""
    import torch

    # MKL itself chooses kernels by the processor and does not tell which.
    libraries = re.findall(
        r"Math Kernel Library Version [\d.]+|MKL-DNN v[\d.]+", torch.__config__.show()
    )
    return {
        "version": torch.__version__,
        "cpu capability": torch.backends.cpu.get_cpu_capability(),
        "libraries": "; ".join(libraries),
        "config": torch.__config__.show(),
    }
