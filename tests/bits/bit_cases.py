"""What is computed must be the same bits wherever it is computed: cases, and digests of results.

Run as a script it prints a digest of each, so that processes with other settings can be compared.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import pymlp
from pymlp import Network, Parametric, optimizers
from pymlp.embeddings import Categories, Periodic, PiecewiseLinear

BATCH_SIZES = [1, 7, 50, 64, 200]
SAMPLES = 201


class Case(NamedTuple):
    """A network by its widths and options, and how it is trained."""

    widths: list[int]
    optimizer: Callable[[], pymlp.Optimizer]
    fit: dict[str, Any]
    options: dict[str, Any]


# Odd widths: one of each tile's columns, one more, one less, and a layer of few outputs.
PLAIN = [
    Case([2, 4, 3], lambda: optimizers.Adam(learning_rate=0.01), {}, {}),
    Case(
        [17, 64, 64, 6], lambda: optimizers.SGD(momentum=0.9, nesterov=True), {"l2": 1e-3},
        {"dropout": 0.3},
    ),
    Case([5, 33, 1], optimizers.RMSProp, {"max_norm": 1.5}, {}),
    Case(
        [31, 100, 47, 10], optimizers.Adam, {"clip_norm": 0.05, "l1": 1e-4}, {"dropout": 0.2}
    ),
    Case(
        [1, 1], lambda: optimizers.ScheduleFreeAdamW(groups={"biases": {"learning_rate": 3}}),
        {}, {},
    ),
    Case([3, 130, 2], optimizers.Lion, {"clip_value": 0.01, "average": 0.9}, {"dropout": 0.5}),
]  # fmt: skip
# Every kind of operation; of 201 samples by 50 or 200 one is left, which batch norm does not leave.
OPERATIONS = [
    Case([17, 33, 33, 5], optimizers.Adam, {}, {"norm": "layer"}),
    Case([5, 130, 31, 2], optimizers.AdamW, {"l2": 1e-3}, {"norm": "rms"}),
    Case([17, 47, 33, 3], lambda: optimizers.SGD(momentum=0.9), {}, {"norm": "batch"}),
    Case([33, 33, 33, 1], optimizers.RMSProp, {"max_norm": 1.5}, {"residual": True}),
    Case([31, 5], optimizers.Adam, {"l1": 1e-4}, {"scale_inputs": True, "input_dropout": 0.3}),
    Case(
        [3, 17, 100, 10], optimizers.Adam, {"clip_norm": 0.05},
        {"hidden": Parametric("selu"), "output": Parametric("sigmoid")},
    ),
    Case(
        [17, 17, 64, 64, 6], optimizers.AdamW, {"freeze": (1,)},
        {"norm": "layer", "residual": True, "scale_inputs": True, "hidden": Parametric("gelu"),
         "dropout": 0.3, "input_dropout": 0.2},
    ),
    Case(
        [31, 31, 47, 47, 3], lambda: optimizers.SGD(momentum=0.9), {"l2": 1e-3, "freeze": (0, 2)},
        {"norm": "batch", "residual": True, "scale_inputs": True, "hidden": Parametric("tanh"),
         "dropout": [0.0, 0.4, 0.1], "input_dropout": 0.1},
    ),
    Case([1, 1, 1], optimizers.SGD, {}, {"norm": "batch", "residual": True}),
    Case(
        [7, 33, 17, 3], optimizers.AdamW, {"clip_norm": 0.5},
        {"embedding": [Periodic(), Categories({2: 5, 6: 100})], "scale_inputs": True,
         "input_dropout": 0.2},
    ),
    Case(
        [3, 9, 9, 2], lambda: optimizers.SGD(momentum=0.9), {"average": 0.9},
        {"embedding": Periodic([0, 2], frequencies=19, width=4), "residual": True,
         "norm": "layer"},
    ),
    Case(
        [4, 17, 5, 2], optimizers.Adam, {"l2": 1e-3},
        {"embedding": [
            PiecewiseLinear({0: [-1, 0.1, 2], 1: [-1, 0.1, 2], 3: np.linspace(-2, 2, 71)}, width=9),
            Periodic([2]),
        ]},
    ),
]  # fmt: skip
# Samples as lanes.
NARROW = [
    Case([4, 16, 16, 3], optimizers.Adam, {}, {"output": "softmax"}),
    Case([16, 9, 1], lambda: optimizers.SGD(momentum=0.9), {"l2": 1e-3, "clip_norm": 0.5}, {}),
    Case([7, 5, 12, 16], optimizers.AdamW, {"freeze": (1,)}, {"hidden": "gelu"}),
]
CASES = [*PLAIN, *OPERATIONS, *NARROW]
WIDTHS = [case.widths for case in CASES]


def native_products() -> bool:
    """Return whether matrix products are the package's own, or may be another library's."""
    return pymlp.get_arithmetic() == "exact"


def network(number: int, dtype: str) -> Network:
    """Return one of the networks; nothing in it is where it begins."""
    widths, _, _, options = CASES[number]
    net = Network(widths, **{"hidden": "tanh", **options}, dtype=dtype, seed=number)
    centres = {"biases": 0.0, "gain": 1.0, "shift": 0.0, "alpha": 0.7, "running_mean": 0.0,
               "running_variance": 1.0}  # fmt: skip
    for layer in net.layers:
        for name, centre in centres.items():
            if (array := getattr(layer, name)) is not None:
                array[:] = centre + np.linspace(-0.5, 0.5, len(array))
    if net.input_scale is not None:
        net.input_scale[:] = np.linspace(0.5, 1.5, len(net.input_scale))
    return net


def samples(net: Network, m: int = SAMPLES) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return inputs, and targets that any output activation can be asked for."""
    rng = np.random.default_rng(7)
    X = rng.standard_normal((m, net.widths[0])).astype(net.dtype)
    for one in net.embedding:
        for column, size in getattr(one, "sizes", ()):
            X[:, column] = rng.integers(size, size=m)
    return X, rng.uniform(0.1, 0.9, (m, net.widths[-1])).astype(net.dtype)


def digest(*arrays: Any) -> str:
    """Return what two results share only where they are the same bits."""
    return hashlib.sha256(b"|".join(np.asarray(x).tobytes() for x in arrays)).hexdigest()[:16]


def trained(
    number: int, dtype: str, batch_size: int | None, threads: int, m: int = SAMPLES
) -> Network:
    net, case = network(number, dtype), CASES[number]
    if case.options.get("norm") == "batch" and batch_size == 1:
        batch_size = 2  # one row has no statistics
    net.fit(
        *samples(net, m), epochs=3, batch_size=batch_size, loss="mse", seed=5, threads=threads,
        optimizer=case.optimizer(), **case.fit,
    )  # fmt: skip
    return net


def saved(net: Network) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.safetensors"
        net.save(path)
        return path.read_bytes()


def passes(number: int, dtype: str, threads: int) -> Iterator[tuple[str, str]]:
    """Yield the digests of what is computed without training, of enough samples to be shared."""
    net = network(number, dtype)
    X, Y = samples(net, 2000)
    yield "predict", digest(net.predict(X, threads=threads))
    traced = net.forward(X, threads=threads)
    yield "forward", digest(*traced.z[1:], *traced.a)
    yield "loss", digest(net.loss(X, Y, loss="mse", threads=threads))
    loss, gradients = net.gradients(X, Y, loss="mse", threads=threads)
    yield "gradients", digest(loss, gradients.flat)
    trained = net.gradients(X, Y, loss="mse", training=True, threads=threads)
    yield "gradients of training", digest(trained[0], trained[1].flat)
    pulled, dX = net.vjp(X, Y, threads=threads)
    yield "vjp", digest(pulled.flat, dX)


def training(
    number: int, dtype: str, batch_size: int | None, threads: int, m: int = SAMPLES
) -> tuple[str, str]:
    """Return the digests of the trained arena with its losses, and of the file."""
    net = trained(number, dtype, batch_size, threads, m)
    assert net.history is not None
    return digest(net._core.arena, net.history.loss), digest(np.frombuffer(saved(net), np.uint8))


def elsewhere(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python with other settings of the environment."""
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def print_digests() -> None:
    for dtype in ("float32", "float64"):
        for number, widths in enumerate(WIDTHS):
            for name, value in passes(number, dtype, 2):
                print(widths, dtype, name, value)
            for batch_size in BATCH_SIZES[1:]:
                print(widths, dtype, "fit", batch_size, *training(number, dtype, batch_size, 2))


if __name__ == "__main__":
    print_digests()
