"""PyTorch under autocast to bfloat16: another arithmetic, layers' outputs keep 8 bits as well."""

from __future__ import annotations

from benchmarks.cells import Cell
from benchmarks.peers import Run, torch_medium, torch_mlp


def prepare(cell: Cell, threads: int) -> Run:
    """Return a function that trains so many epochs, or predicts so many times."""
    import torch

    torch_medium.refuse_narrow(cell)
    run = torch_mlp.prepare(cell, threads)

    def within(times: int) -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            run(times)

    return within


def about() -> dict[str, str]:
    """Return version and kernels."""
    return torch_mlp.about() | {"arithmetic": "autocast to bfloat16"}
