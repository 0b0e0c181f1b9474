"""Threads, the arithmetic of products, and what this installation runs on."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import ContextDecorator
from typing import Any, TypeVar, cast

import numpy as np

from pymlp import _checks, _core
from pymlp._names import ArithmeticName

_Function = TypeVar("_Function", bound=Callable[..., Any])


def set_num_threads(n: int) -> None:
    """Set the default number of threads of a call.

    Parameters
    ----------
    n : int
        From 1 to 1024. At first it is what the environment variable ``PYMLP_NUM_THREADS`` says;
        without that the number of processors that the process may use, at most what
        ``OMP_NUM_THREADS`` says. What is set here is not limited; a call takes four for each of
        these processors at most.

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
    """Return the number of threads for one call: its own or the default, as far as worth it."""
    wanted = _core.get_num_threads() if n is None else _thread_count("threads", n)
    return min(wanted, _core.most_threads())


def _thread_count(name: str, n: int) -> int:
    n = _checks.integer(name, n, minimum=1)
    if n > 1024:
        raise ValueError(f"{name} must be at most 1024, not {n}")
    return n


def set_arithmetic(name: ArithmeticName) -> None:
    """Choose what computes the matrix products in this process.

    Parameters
    ----------
    name : {"exact", "blas"}
        "exact" are the package's own kernels: the same bits on every processor, for any number of
        threads and rows. "blas" is OpenBLAS, which the package brings, or the system's BLAS where
        it was built with that; it is loaded here, if it was not before. At first it is what the
        environment variable ``PYMLP_GEMM`` says (exact or blas; native means exact), without that
        "exact", or "blas" where the processor has no fused multiply-adds.

    Raises
    ------
    ValueError
        If the name is not known.
    RuntimeError
        If this build has no BLAS, or it cannot be loaded. Nothing has changed then.

    See Also
    --------
    arithmetic : the choice of a ``with`` block, which comes before this one.

    Notes
    -----
    A call reads the choice when it begins, and keeps it on all of its threads: a training that is
    running goes on as it began, its callbacks too. Networks and files hold nothing of it: what was
    trained with one runs with the other, up to the rounding of sums.

    Examples
    --------
    >>> before = pymlp.get_arithmetic()
    >>> pymlp.set_arithmetic("exact")
    >>> pymlp.get_arithmetic()
    'exact'
    >>> pymlp.set_arithmetic(before)
    """
    _core.set_arithmetic(arithmetic_name("name", name))


def get_arithmetic() -> ArithmeticName:
    """Return what computes the matrix products of a call that begins here.

    Examples
    --------
    >>> with pymlp.arithmetic("exact"):
    ...     pymlp.get_arithmetic()
    'exact'
    """
    return cast(ArithmeticName, _core.get_arithmetic())


def arithmetic(name: ArithmeticName) -> _Choice:
    """Choose what computes the matrix products in a ``with`` block.

    It holds for the calling thread, and there for the context: tasks of asyncio do not see the
    blocks of one another. Threads that start in the block have the choice of the process;
    `asyncio.to_thread` takes the block's with it. Blocks may be nested; the inner one counts. What
    is returned may be kept for several blocks, at once as well, and decorates plain functions.

    Parameters
    ----------
    name : {"exact", "blas"}
        As in `set_arithmetic`, whose choice counts again after the block.

    Raises
    ------
    ValueError
        If the name is not known.
    RuntimeError
        If this build has no BLAS, or it cannot be loaded.

    Examples
    --------
    >>> net = pymlp.Network([4, 8, 3], seed=0)
    >>> with pymlp.arithmetic("exact"):
    ...     Y = net.predict(np.ones((2, 4)))
    """
    return _Choice(arithmetic_name("name", name))


class _Choice(ContextDecorator):
    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        _core.enter_arithmetic(self, self._name)

    def __exit__(self, *error: object) -> None:
        _core.leave_arithmetic(self)

    def __call__(self, function: _Function) -> _Function:
        kinds = (inspect.iscoroutinefunction, inspect.isgeneratorfunction,
                 inspect.isasyncgenfunction)  # fmt: skip
        if any(kind(function) for kind in kinds):
            raise TypeError(
                "pymlp.arithmetic decorates plain functions, not coroutines or generators, which "
                "run when the call has ended: write a with block in them"
            )
        return super().__call__(function)


def arithmetic_name(argument: str, name: str) -> ArithmeticName:
    """Return the name of an arithmetic, which must be known."""
    if not isinstance(name, str):
        raise TypeError(f"{argument} must be exact or blas, not {_checks.type_name(name)}")
    if name not in _BITS:
        raise ValueError(f"{argument} must be exact or blas, not '{name}'")
    return cast(ArithmeticName, name)


class Config(dict[str, Any]):
    """What `show_config` found, as a dict that prints as a table."""

    def __repr__(self) -> str:
        width = max(len(name) for name in self)
        return "\n".join(f"{name.ljust(width)}  {value}" for name, value in self.items())


_BITS = {
    "exact": "the same on every processor, for any number of threads and rows",
    "blas": "the same on one processor, for any number of threads",
}


def show_config() -> Config:
    """Tell what this installation runs on.

    Returns
    -------
    Config
        A dict: version of pymlp and NumPy, instruction set of the kernels, threads, compiler; what
        computes the matrix products (`arithmetic`: exact or blas; `gemm` says native for exact) and
        what that promises of their bits; and the BLAS library with its version, the processor that
        its kernels are for ("not loaded" until it is chosen), and its path. Nothing is loaded to
        tell of it.

    Notes
    -----
    The environment variable ``PYMLP_GEMM`` is what `set_arithmetic` sets: ``exact`` (or
    ``native``), ``blas``, or ``auto``: exact where the processor has fused multiply-adds.
    ``PYMLP_ISA`` (generic, avx2 or avx512) forces an instruction set. ``PYMLP_NUM_THREADS`` sets
    the number of threads, ``OMP_NUM_THREADS`` limits it where none is set. Each is read once.

    Examples
    --------
    >>> sorted(pymlp.show_config())[:3]
    ['arithmetic', 'bits', 'blas_kernels']
    """
    core = _core.config()
    return Config(
        pymlp=_core.__version__,
        numpy=np.__version__,
        isa=core["isa"],
        threads=core["threads"],
        compiler=core["compiler"],
        arithmetic=core["arithmetic"],
        gemm="native" if core["arithmetic"] == "exact" else "blas",
        bits=_BITS[core["arithmetic"]],
        **{f"blas_{name}": value for name, value in core["blas"].items()},
    )
