"""One file for each library: from a cell to a function that takes steps, as a user would write it.

A module offers ``prepare(cell, threads)``, which returns a function of the number of epochs to
train (or of calls to make, in inference), and ``about()``, which tells versions and kernels.
`prepare` raises `UnsupportedError` for what a library cannot do.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Protocol, cast

from benchmarks.cells import Cell

Run = Callable[[int], Any]

# The name that is printed, and the module; ours comes first and is what others are compared with.
OWN = "pymlp"
MODULES = {
    OWN: "own",
    "NumPy": "numpy_mlp",
    "scikit-learn": "sklearn_mlp",
    "PyTorch": "torch_mlp",
    "PyTorch compiled": "torch_compiled",
    "JAX": "jax_mlp",
    "ONNX Runtime": "onnx_mlp",
    "pymlp on BLAS": "own_blas",
    "PyTorch medium": "torch_medium",
    "PyTorch bf16": "torch_bf16",
}
# Not compared with: ours on another backend, and another arithmetic of 8 bits' precision.
OTHER_ARITHMETIC = ("PyTorch medium", "PyTorch bf16")
NO_PEERS = (OWN, "pymlp on BLAS", *OTHER_ARITHMETIC)


class UnsupportedError(Exception):
    """Says that a library does not do what a cell asks for."""


class Peer(Protocol):
    """What a module offers."""

    def prepare(self, cell: Cell, threads: int) -> Run:
        """Return a function that trains so many epochs, or predicts so many times."""

    def about(self) -> dict[str, str]:
        """Return versions and kernels."""


def load(library: str) -> Peer:
    """Import a library's module; the library itself is imported only when it is used."""
    return cast(Peer, importlib.import_module(f"benchmarks.peers.{MODULES[library]}"))


def blas_of(prefix: str) -> dict[str, str]:
    """Return the BLAS libraries that threadpoolctl sees, with the kernels that they chose."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return {f"{prefix}blas": "unknown: threadpoolctl is not installed"}
    found = [
        f"{info['internal_api']} {info['version']} {info.get('architecture', '')}".strip()
        for info in threadpool_info()
        if info["user_api"] == "blas"
    ]
    return {f"{prefix}blas": ", ".join(sorted(set(found))) or "none"}
