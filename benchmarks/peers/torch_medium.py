"""PyTorch with products of bfloat16 operands: `set_float32_matmul_precision("medium")`.

Another arithmetic: 8 bits of each operand are kept, sums stay float32.
"""

from __future__ import annotations

from benchmarks.cells import Cell
from benchmarks.peers import Run, UnsupportedError, torch_mlp


def prepare(cell: Cell, threads: int) -> Run:
    """Return a function that trains so many epochs, or predicts so many times."""
    import torch

    refuse_narrow(cell)
    torch.set_float32_matmul_precision("medium")
    return torch_mlp.prepare(cell, threads)


def refuse_narrow(cell: Cell) -> None:
    """Raise for what gains nothing by a shorter arithmetic: conversions cost more."""
    if cell.dtype != "float32" or max(cell.widths) < 256 or cell.batch_size < 16:
        raise UnsupportedError("it pays for wide layers of many rows only")


def about() -> dict[str, str]:
    """Return version and kernels."""
    return torch_mlp.about() | {"arithmetic": "products of bfloat16 operands"}
