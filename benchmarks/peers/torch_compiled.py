"""PyTorch through `torch.compile`: gather, forward, loss and backward are generated code.

The optimiser stays the fused one: compiled with the rest it was slower.
"""

from __future__ import annotations

from benchmarks.cells import Cell
from benchmarks.peers import Run, torch_mlp


def prepare(cell: Cell, threads: int) -> Run:
    """Return a function that trains so many epochs, or predicts so many times."""
    import torch
    import torch._inductor.config

    torch._dynamo.reset()
    torch.set_num_threads(threads)
    X, y = (torch.from_numpy(array) for array in cell.data())
    model = torch_mlp.make_model(cell)
    if not cell.training:
        torch._inductor.config.freezing = True  # weights are constants, packed once
        return torch_mlp.predictor(torch.compile(model), X)
    step = torch_mlp.make_step(cell, model, X, y, torch.compile)
    return torch_mlp.trainer(cell, step)


def about() -> dict[str, str]:
    """Return version and kernels."""
    return torch_mlp.about()
