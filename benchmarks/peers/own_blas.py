"""pymlp with its products computed by BLAS."""

from __future__ import annotations

import os

from benchmarks.cells import Cell
from benchmarks.peers import Run, own


def use_threads(threads: int) -> None:
    """Choose the backend before pymlp is imported; threads are an argument of each call."""
    os.environ["PYMLP_GEMM"] = "blas"


def prepare(cell: Cell, threads: int) -> Run:
    """Return a function that trains so many epochs, or predicts so many times."""
    return own.prepare(cell, threads)


def about() -> dict[str, str]:
    """Return version and kernels."""
    return own.about()
