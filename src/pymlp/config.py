"""Threads, and what this installation runs on."""

from __future__ import annotations

from typing import Any

import numpy as np

from pymlp import _checks, _core


def set_num_threads(n: int) -> None:
    """Set the default number of threads of a call.

    Parameters
    ----------
    n : int
        From 1 to 1024. At first it is what the environment variable ``PYMLP_NUM_THREADS`` says;
        without that the number of processors that the process may use, at most what
        ``OMP_NUM_THREADS`` says. What is set here is not limited.

    Examples
    --------
    >>> before = pymlp.get_num_threads()
    >>> pymlp.set_num_threads(1)
    >>> pymlp.get_num_threads()
    1
    >>> pymlp.set_num_threads(before)
    """
    _core.set_num_threads(_thread_count("n", n))


def get_num_threads() -> int:
    """Return the default number of threads of a call.

    Examples
    --------
    >>> pymlp.get_num_threads() >= 1
    True
    """
    return _core.get_num_threads()


def threads(n: int | None) -> int:
    """Return the number of threads for one call: its own, or the default."""
    return _core.get_num_threads() if n is None else _thread_count("threads", n)


def _thread_count(name: str, n: int) -> int:
    n = _checks.integer(name, n, minimum=1)
    if n > 1024:
        raise ValueError(f"{name} must be at most 1024, not {n}")
    return n


class Config(dict[str, Any]):
    """What `show_config` found, as a dict that prints as a table."""

    def __repr__(self) -> str:
        width = max(len(name) for name in self)
        return "\n".join(f"{name.ljust(width)}  {value}" for name, value in self.items())


_BITS = {
    "native": "the same on every processor, for any number of threads and rows",
    "blas": "the same on one processor, for any number of threads",
}


def show_config() -> Config:
    """Tell what this installation runs on.

    Returns
    -------
    Config
        A dict: version of pymlp and NumPy, instruction set of the kernels, threads, compiler; what
        computes the matrix products (`gemm`: native or blas) and what that promises of their bits;
        and the BLAS library with its version, the processor that its kernels are for ("not loaded"
        until a product needs them), and its path.

    Notes
    -----
    The environment variable ``PYMLP_GEMM`` chooses what computes the products: ``native``,
    ``blas`` or ``auto``: the native kernels where the processor has fused multiply-adds.
    ``PYMLP_ISA`` (generic, avx2 or avx512) forces an instruction set. ``PYMLP_NUM_THREADS`` sets
    the number of threads, ``OMP_NUM_THREADS`` limits it where none is set. Each is read once.

    Examples
    --------
    >>> sorted(pymlp.show_config())[:3]
    ['bits', 'blas_kernels', 'blas_library']
    """
    core = _core.config()
    return Config(
        pymlp=_core.__version__,
        numpy=np.__version__,
        isa=core["isa"],
        threads=core["threads"],
        compiler=core["compiler"],
        gemm=core["gemm"],
        bits=_BITS[core["gemm"]],
        **{f"blas_{name}": value for name, value in core["blas"].items()},
    )
