"""The C++ core. Arrays must be C-contiguous, aligned and of exact dtype; nothing is converted."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeAlias, TypedDict, TypeVar, type_check_only

import numpy as np
from numpy.typing import NDArray

_Float = TypeVar("_Float", np.float32, np.float64)

_Labels: TypeAlias = NDArray[np.int32]
# X, labels, values, sample_weight: of labels and values one is None
_Samples: TypeAlias = tuple[
    NDArray[_Float], _Labels | None, NDArray[_Float] | None, NDArray[_Float] | None
]

__version__: str

@type_check_only
class _BlasConfig(TypedDict):
    library: str
    version: str
    kernels: str
    path: str

@type_check_only
class _Config(TypedDict):
    isa: str
    arithmetic: str
    threads: int
    compiler: str
    blas: _BlasConfig

def config() -> _Config: ...
def activations() -> dict[str, tuple[bool, bool]]: ...
def losses() -> dict[str, tuple[str, bool]]: ...
def check_pair(loss: str, output: str) -> None: ...
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
def set_arithmetic(name: str) -> None: ...
def get_arithmetic() -> str: ...
def enter_arithmetic(block: object, name: str) -> None: ...
def leave_arithmetic(block: object) -> None: ...
def set_num_threads(threads: int) -> None: ...
def get_num_threads() -> int: ...
def most_threads() -> int: ...
def plan(network: _Network[Any], rows: int, training: bool, threads: int) -> dict[str, Any]: ...
def steps_of_epoch(samples: int, batch_size: int, joins: bool, drop_last: bool = False) -> int: ...
def labels(y: NDArray[Any], classes: int) -> _Labels | None: ...
def all_finite(array: NDArray[Any]) -> bool: ...
def permutation(n: int, seed: int, stream: int) -> NDArray[np.int64]: ...

# kind, column, size, width, constants
_ColumnSpec: TypeAlias = tuple[str, int, int, int, Sequence[float]]

def wrong_code(X: NDArray[Any], embedding: Sequence[_ColumnSpec]) -> tuple[int, int] | None: ...

class Architecture:
    def __init__(
        self,
        *,
        widths: Sequence[int],
        bias: bool,
        dropout: Sequence[float],
        residual: bool = False,
        scale_inputs: bool = False,
        norm: str = "none",
        parametric: Sequence[bool] = ...,
        input_dropout: float = 0.0,
        embedding: Sequence[_ColumnSpec] = ...,
    ) -> None: ...
    @property
    def tensors(self) -> list[tuple[str, str, int, int, tuple[int, ...], int | None]]: ...

class Loss:
    def __init__(
        self,
        name: str,
        parameters: Sequence[float],
        label_smoothing: float,
        function: Callable[[NDArray[Any], Any], tuple[NDArray[Any], NDArray[Any]]] | None,
    ) -> None: ...

class Regularization:
    def __init__(
        self, l1: float, l2: float, clip_norm: float, clip_value: float, max_norm: float
    ) -> None: ...
    @property
    def l1(self) -> float: ...
    @property
    def l2(self) -> float: ...
    @property
    def clip_norm(self) -> float: ...
    @property
    def clip_value(self) -> float: ...
    @property
    def max_norm(self) -> float: ...

# What the two dtypes share. The module has no such bases: they stand here so that each signature
# is written once, and so that a caller who learns the dtype at run time can say `_Network[Any]`.

@type_check_only
class _Network(Generic[_Float]):
    def __init__(
        self,
        architecture: Architecture,
        activations: Sequence[
            tuple[
                str,
                Sequence[float],
                Callable[[NDArray[Any]], NDArray[Any]] | None,
                Callable[[NDArray[Any]], NDArray[Any]] | None,
            ]
        ],
    ) -> None: ...
    @property
    def arena(self) -> NDArray[_Float]: ...
    def set_arithmetic(self, name: str | None) -> None: ...
    def snapshot(self) -> NDArray[_Float]: ...
    def snapshot_of(self, optimizer: _Optimizer[_Float]) -> tuple[int, float, NDArray[_Float]]: ...
    def write(self, values: NDArray[_Float]) -> None: ...
    def initialize(self, init: str, scale: float, seed: int) -> None: ...
    def predict(self, X: NDArray[_Float], threads: int) -> NDArray[_Float]: ...
    def predict_into(
        self, X: NDArray[_Float], out: NDArray[_Float], threads: int
    ) -> NDArray[_Float]: ...
    def embed(self, X: NDArray[_Float], threads: int) -> NDArray[_Float]: ...
    def try_predict(self, X: object, out: object, threads: object, /) -> NDArray[_Float] | None: ...
    def forward(
        self, X: NDArray[_Float], threads: int
    ) -> tuple[list[NDArray[_Float]], list[NDArray[_Float]]]: ...
    def loss(
        self,
        X: NDArray[_Float],
        labels: _Labels | None,
        values: NDArray[_Float] | None,
        sample_weight: NDArray[_Float] | None,
        loss: Loss,
        training_seed: int | None,
        threads: int,
    ) -> float: ...
    def gradient(
        self,
        X: NDArray[_Float],
        labels: _Labels | None,
        values: NDArray[_Float] | None,
        sample_weight: NDArray[_Float] | None,
        loss: Loss,
        training_seed: int | None,
        out: NDArray[_Float],
        dz: bool,
        threads: int,
    ) -> tuple[float, list[NDArray[_Float]]]: ...
    def pull_back(
        self,
        X: NDArray[_Float],
        dY: NDArray[_Float],
        out: NDArray[_Float] | None,
        dX: NDArray[_Float],
        threads: int,
    ) -> None: ...
    def step(
        self,
        X: NDArray[_Float],
        labels: _Labels | None,
        values: NDArray[_Float] | None,
        sample_weight: NDArray[_Float] | None,
        loss: Loss,
        optimizer: _Optimizer[_Float],
        regularization: Regularization,
        seed: int,
        threads: int,
    ) -> tuple[float, bool]: ...
    def release_memory(self) -> None: ...

class NetworkFloat32(_Network[np.float32]): ...
class NetworkFloat64(_Network[np.float64]): ...

class Training:
    def __init__(self, network: _Network[Any]) -> None: ...
    def __enter__(self) -> None: ...
    def __exit__(self, *args: object) -> None: ...

@type_check_only
class _Optimizer(Generic[_Float]):
    def __init__(self, rule: str, n_parameters: int, **options: Any) -> None: ...
    @property
    def n_parameters(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @learning_rate.setter
    def learning_rate(self, value: float) -> None: ...
    @property
    def state(self) -> NDArray[_Float]: ...
    @property
    def steps(self) -> int: ...
    @steps.setter
    def steps(self, value: int) -> None: ...
    @property
    def weight_sum(self) -> float: ...
    @weight_sum.setter
    def weight_sum(self, value: float) -> None: ...
    def set_groups(self, groups: Sequence[tuple[int, int, float, float]]) -> None: ...
    def set_option(self, name: str, value: float) -> None: ...
    def update(self, parameters: NDArray[_Float], gradient: NDArray[_Float]) -> None: ...

class OptimizerFloat32(_Optimizer[np.float32]): ...
class OptimizerFloat64(_Optimizer[np.float64]): ...

class Schedule:
    def __init__(
        self,
        kind: str,
        *,
        step_size: int = 1,
        gamma: float = 1.0,
        power: float = 0.0,
        period: int = 0,
        minimum: float = 0.0,
        restarts: bool = False,
        multiplier: int = 1,
        warm_up: float = 0.3,
        initial_divisor: float = 1.0,
        final_divisor: float = 1.0,
    ) -> None: ...
    def behind_warm_up(self, length: int, start: float) -> Schedule: ...
    def value(self, base: float, t: int, total: int) -> float: ...

class ScheduledNumber:
    def __init__(
        self, name: str, base: float, per: str, formula: Schedule | None, layers: Sequence[int]
    ) -> None: ...

def scheduled_numbers() -> dict[str, bool]: ...
def check_scheduled(name: str, value: float, t: int) -> None: ...

class FitOptions:
    def __init__(
        self,
        epochs: int,
        batch_size: int,
        shuffle: bool,
        seed: int,
        threads: int,
        regularization: Regularization,
        scheduled: Sequence[ScheduledNumber],
        average: float,
        frozen: Sequence[bool],
        drop_last: bool = False,
    ) -> None: ...

@type_check_only
class _Trainer(Generic[_Float]):
    def __init__(
        self,
        network: _Network[_Float],
        optimizer: _Optimizer[_Float],
        loss: Loss,
        training: _Samples[_Float],
        validation: _Samples[_Float] | None,
        options: FitOptions,
        rows: NDArray[np.int64] | None = None,
        validation_rows: NDArray[np.int64] | None = None,
    ) -> None: ...
    def run(self, epochs: int, seconds: float) -> str: ...
    def close_epoch(self) -> str: ...
    def give_values(self, which: int, values: Sequence[float]) -> None: ...
    @property
    def status(self) -> str: ...
    @property
    def seconds(self) -> float: ...
    @property
    def lacks_values(self) -> int | None: ...
    def boundary(
        self,
    ) -> tuple[int, int, NDArray[_Float], NDArray[_Float], NDArray[_Float], int, float]: ...
    def go_on(self, epochs: int, steps: int, averaged: NDArray[_Float]) -> None: ...
    def take_records(self) -> tuple[list[float], list[float], list[float], list[float]]: ...
    @property
    def samples_seen(self) -> int: ...

def train_together(
    trainers: Sequence[_Trainer[_Float]], epochs: int, seconds: float, threads: int
) -> None: ...
def predict_together(
    networks: Sequence[_Network[_Float]], X: NDArray[_Float], out: NDArray[_Float], threads: int
) -> None: ...

class TrainerFloat32(_Trainer[np.float32]): ...
class TrainerFloat64(_Trainer[np.float64]): ...
