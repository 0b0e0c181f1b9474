"""PyTorch through `torch.compile`: forward, loss and backward as generated code, fused optimiser."""

from __future__ import annotations

from benchmarks.cells import Cell
from benchmarks.peers import Run, torch_mlp


def prepare(cell: Cell, threads: int) -> Run:
    """Return a function that trains so many epochs, or predicts so many times."""
    import torch

    torch._dynamo.reset()
    torch.set_num_threads(threads)
    X, y = (torch.from_numpy(array) for array in cell.data())
    model = torch_mlp.make_model(cell)
    if not cell.training:
        return torch_mlp.predictor(torch.compile(model), X)
    step = torch.compile(torch_mlp.make_step(cell, model, X, y))
    return torch_mlp.trainer(cell, X, y, step)


def about() -> dict[str, str]:
    """Return version and kernels."""
    return torch_mlp.about()
