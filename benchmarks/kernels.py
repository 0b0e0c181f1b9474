"""Single kernels: the products of a dense layer against the peak, the rest in ns an element.

``python -m benchmarks.kernels``. One thread; the peak is measured beside each line.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks import environment, tables

SHAPES = (
    (64, 16, 16),
    (256, 32, 32),
    (64, 64, 64),
    (256, 100, 10),
    (96, 96, 96),
    (256, 128, 128),
    (200, 784, 100),
    (256, 256, 256),
    (96, 333, 777),
    (512, 512, 512),
    (512, 1024, 1024),
)
PRODUCTS = ("z", "dw", "dx")
# Short turns, of which some fall between whatever else the machine does.
_SECONDS = 0.002
_TURNS = 60
# Both within the nearest cache, and small enough for memory that is used again call after call; the
# difference of their times knows nothing of the call.
_FEW, _MANY = 2_048, 12_288


def fastest(call: Callable[[int], Any]) -> float:
    """Return the least seconds of one repeat, of several turns long enough to be measured."""
    repeats, seconds = 1, 0.0
    while seconds < _SECONDS / 4:
        repeats *= 4
        seconds = _timed(call, repeats)
    repeats = max(1, int(repeats * _SECONDS / seconds))
    return min(_timed(call, repeats) for _ in range(_TURNS)) / repeats


def _timed(call: Callable[[int], Any], repeats: int) -> float:
    start = time.perf_counter()
    seconds = call(repeats)  # of the products alone, or None
    return seconds if isinstance(seconds, float) else time.perf_counter() - start


def product_rows(dtype: str) -> Iterator[list[str]]:
    """Yield a row for each shape: the three products in GFLOP/s, and their share of the peak."""
    import numpy as np

    from benchmarks import peak
    from pymlp import _core_test

    rng = np.random.default_rng(0)
    for m, n_in, n_out in SHAPES:
        # Small numbers: what is written is an operand of the next product.
        x, w, z = (
            rng.uniform(-1e-3, 1e-3, shape).astype(dtype)
            for shape in ((m, n_in), (n_in, n_out), (m, n_out))
        )
        row = [f"{m} x {n_in} x {n_out}", dtype]
        for result in PRODUCTS:
            limit = max(peak.gflops(dtype, 1) for _ in range(3))
            seconds = fastest(lambda n, r=result: _core_test.repeat_product(r, x, w, z, n))  # noqa: B023
            speed = 2 * m * n_in * n_out / seconds / 1e9
            row += [f"{speed:.0f}", f"{speed / limit:.0%}"]
        yield row


def element_rows(dtype: str) -> Iterator[list[str]]:
    """Yield a row for each activation, optimiser and loss: ns an element, forward and backward."""
    for name in ("relu", "leaky_relu", "sigmoid", "tanh", "gelu", "silu", "softplus", "softmax"):
        yield [f"{name} forward", dtype, _nanoseconds(lambda n, k=name: _forward(k, n, dtype))]
        yield [f"{name} backward", dtype, _nanoseconds(lambda n, k=name: _backward(k, n, dtype))]
    for name in ("sgd", "momentum", "rmsprop", "adam"):
        yield [f"{name} update", dtype, _nanoseconds(lambda n, k=name: _update(k, n, dtype))]
    yield ["softmax and cross-entropy", dtype, _nanoseconds(lambda n: _loss(n, dtype))]


def _nanoseconds(make: Callable[[int], Callable[[], Any]]) -> str:
    def seconds(n: int) -> float:
        call = make(n)
        return fastest(lambda repeats: [call() for _ in range(repeats)])

    return f"{(seconds(_MANY) - seconds(_FEW)) / (_MANY - _FEW) * 1e9:.3f}"


def _numbers(n: int, dtype: str) -> Any:
    import numpy as np

    return np.random.default_rng(0).standard_normal((n // 64, 64)).astype(dtype)


def _forward(name: str, n: int, dtype: str) -> Callable[[], Any]:
    from pymlp import _core_test

    z, parameters = _numbers(n, dtype), _parameters(name)
    return lambda: _core_test.activation_forward(name, parameters, z)


def _backward(name: str, n: int, dtype: str) -> Callable[[], Any]:
    from pymlp import _core_test

    z, parameters = _numbers(n, dtype), _parameters(name)
    a = _core_test.activation_forward(name, parameters, z)
    return lambda: _core_test.activation_backward(name, parameters, z, z, a)


def _parameters(name: str) -> list[float]:
    import pymlp

    return list(pymlp.activations.resolve("name", name).parameters.values())


def _update(name: str, n: int, dtype: str) -> Callable[[], Any]:
    from pymlp import _core

    kind = {"float32": _core.OptimizerFloat32, "float64": _core.OptimizerFloat64}[dtype]
    # So small a rate that nothing becomes subnormal or infinite in thousands of steps.
    optimizer: Any = kind(name, n, learning_rate=1e-6)
    parameters, gradient = _numbers(n, dtype).ravel(), _numbers(n, dtype).ravel()
    return lambda: optimizer.update(parameters, gradient)


def _loss(n: int, dtype: str) -> Callable[[], Any]:
    import numpy as np

    from pymlp import _core_test

    z = _numbers(n, dtype)
    labels = np.zeros(len(z), np.int32)
    scale = np.full(len(z), 1.0 / len(z), dtype)
    return lambda: _core_test.loss("cross_entropy", [], 0.0, True, z, labels, None, scale)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernels", description=__doc__)
    parser.add_argument("--dtype", choices=("float32", "float64", "both"), default="float32")
    parser.add_argument("--markdown", action="store_true", help="print the tables in Markdown")
    arguments = parser.parse_args()
    environment.without_foreign_settings("benchmarks.kernels")
    import pymlp

    layout = tables.markdown if arguments.markdown else tables.text
    dtypes = ("float32", "float64") if arguments.dtype == "both" else (arguments.dtype,)
    print(pymlp.show_config(), "\n")
    titles = ["m x n_in x n_out", "dtype", *(t for p in PRODUCTS for t in (f"{p} GFLOP/s", "peak"))]
    print(layout([titles, *(row for dtype in dtypes for row in product_rows(dtype))]), "\n")
    titles = ["kernel", "dtype", "ns an element"]
    print(layout([titles, *(row for dtype in dtypes for row in element_rows(dtype))]))


if __name__ == "__main__":
    main()
