"""Single kernels, for tests and benchmarks. Arrays as for _core."""

from collections.abc import Sequence
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

_Float = TypeVar("_Float", np.float32, np.float64)

_Labels: TypeAlias = NDArray[np.int32]

def activation_forward(
    name: str, parameters: Sequence[float], z: NDArray[_Float]
) -> NDArray[_Float]: ...
def activation_backward(
    name: str,
    parameters: Sequence[float],
    da: NDArray[_Float],
    z: NDArray[_Float],
    a: NDArray[_Float],
) -> NDArray[_Float]: ...
def loss(
    name: str,
    parameters: Sequence[float],
    label_smoothing: float,
    from_logits: bool,
    outputs: NDArray[_Float],
    labels: _Labels | None,
    values: NDArray[_Float] | None,
    scale: NDArray[_Float],
) -> tuple[NDArray[_Float], NDArray[_Float]]: ...
def dropout(
    a: NDArray[_Float], rate: float, seed: int, step: int, layer: int
) -> NDArray[_Float]: ...
def dense_forward(
    x: NDArray[_Float], w: NDArray[_Float], biases: NDArray[_Float] | None
) -> NDArray[_Float]: ...
def dense_backward(
    dz: NDArray[_Float], x: NDArray[_Float], w: NDArray[_Float]
) -> tuple[NDArray[_Float], NDArray[_Float], NDArray[_Float]]: ...
def elementary(name: str, x: NDArray[_Float]) -> NDArray[_Float]: ...
def powers(base: float, exponents: Sequence[int]) -> list[float]: ...
def peak(result: NDArray[_Float], iterations: int) -> float: ...
def repeat_product(
    result: str,
    rows: NDArray[_Float],
    w: NDArray[_Float],
    outputs: NDArray[_Float],
    repeats: int,
) -> float: ...
