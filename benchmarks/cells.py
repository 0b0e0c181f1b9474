"""What is measured: networks, and the data to train them on or to put through them."""

from __future__ import annotations

import itertools
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

# NumPy is imported where arrays are made: its BLAS reads its number of threads at import, which a
# worker fixes after this file was imported.
if TYPE_CHECKING:
    from numpy.typing import NDArray

AHEAD, BEHIND = 1.02, 0.98  # differences of 2 % are noise
OUTPUTS = {"softmax": "CE", "sigmoid": "BCE", "linear": "MSE"}  # with the loss that belongs to each


def operations(widths: tuple[int, ...], rows: int, *, training: bool) -> int:
    """Return the multiplications and additions of the matrix products alone.

    Forward there is one product for each layer; backward there are two, but for the first layer,
    whose inputs need no gradient.
    """
    products = [a * b for a, b in itertools.pairwise(widths)]
    return 2 * rows * (3 * sum(products) - products[0] if training else sum(products))


@dataclass(frozen=True)
class Mark:
    """What is asked for: a share of the floor, and so many times as fast as the best peer."""

    share: float | None = None
    zen4_share: float | None = None  # instead of the other on Zen 4
    ratio: float = AHEAD
    microseconds: float | None = None  # at most, on the one kind of machine where it was set

    def share_on(self, kind: str) -> float | None:
        """Return the share of the floor that a kind of processor must reach."""
        return self.zen4_share if kind == "Zen 4" and self.zen4_share else self.share

    def microseconds_on(self, kind: str) -> float | None:
        """Return the time that a kind of processor may take."""
        return self.microseconds if kind == "Sapphire Rapids" else None


@dataclass(frozen=True)
class Cell:
    """One task. A step is one batch in training, one call of `predict` in inference."""

    widths: tuple[int, ...]
    rows: int
    batch_size: int
    hidden: str = "relu"
    output: str = "softmax"
    optimizer: str = "adam"
    dtype: str = "float32"
    training: bool = True
    learning_rate: float = 1e-3
    mark: Mark | None = None

    @property
    def name(self) -> str:
        """All that tells it from the others, in one line."""
        if not self.training:
            rows = "1 row" if self.rows == 1 else f"{self.rows:,} rows"
            return f"predict {short(self.widths)}, {rows}, {self.precision} {self.hidden}"
        batch = "full batch" if self.is_full_batch else f"batch {self.batch_size}"
        kind = f"{self.precision} {self.optimizer} {self.hidden} {OUTPUTS[self.output]}"
        return f"{short(self.widths)}, {self.rows:,} rows, {batch}, {kind}"

    @property
    def precision(self) -> str:
        """The dtype's short name."""
        return {"float32": "f32", "float64": "f64"}[self.dtype]

    @property
    def is_full_batch(self) -> bool:
        """Whether a step sees every row: then there is no shuffling."""
        return self.batch_size == self.rows

    @property
    def steps(self) -> int:
        """Steps an epoch; the last one has fewer rows where batches do not divide them."""
        return -(-self.rows // self.batch_size)

    @property
    def operations(self) -> float:
        """Multiplications and additions of the matrix products of a step, in the mean."""
        return operations(self.widths, self.rows, training=self.training) / self.steps

    @property
    def held_bytes(self) -> int:
        """Bytes of weights and biases, in training also of the optimiser's state."""
        size = {"float32": 4, "float64": 8}[self.dtype]
        arrays = 3 if self.training and self.optimizer == "adam" else 1
        return arrays * size * sum((a + 1) * b for a, b in itertools.pairwise(self.widths))

    @property
    def moved_bytes(self) -> int:
        """Bytes that a step or a call must read and write at least: all that is held."""
        return 2 * self.held_bytes if self.training else self.held_bytes

    def floor(self, gflops: float, gigabytes: float = math.inf) -> float:
        """Return the microseconds that a step or a call takes at least.

        The products alone take it at this speed, or parameters and state, which the caches that
        hold them bring at so many gigabytes a second: whichever takes longer.
        """
        return max(self.operations / gflops, self.moved_bytes / gigabytes) / 1e3

    def as_dict(self) -> dict[str, Any]:
        """Return all fields and what follows from them, for a record."""
        return asdict(self) | {"name": self.name, "operations": self.operations}

    def data(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return inputs and targets, random but the same every time.

        Behind softmax the targets are labels (rows,), elsewhere numbers (rows, outputs).
        """
        import numpy as np

        rng = np.random.default_rng(0)
        X = rng.standard_normal((self.rows, self.widths[0])).astype(self.dtype)
        shape = (self.rows, self.widths[-1])
        if self.output == "softmax":
            return X, rng.integers(0, self.widths[-1], self.rows)
        if self.output == "sigmoid":
            return X, rng.integers(0, 2, shape).astype(self.dtype)
        return X, rng.standard_normal(shape).astype(self.dtype)

    def parameters(self) -> list[tuple[NDArray[Any], NDArray[Any]]]:
        """Return weights (n_in, n_out) and biases of every layer for those who bring none."""
        import numpy as np

        rng = np.random.default_rng(1)
        return [
            (
                (rng.standard_normal((a, b)) * math.sqrt(2 / (a + b))).astype(self.dtype),
                np.zeros(b, self.dtype),
            )
            for a, b in itertools.pairwise(self.widths)
        ]


def inference(widths: tuple[int, ...], rows: int, mark: Mark | None = None, **fields: Any) -> Cell:
    """Return a cell that predicts so many rows in one call."""
    return Cell(widths, rows, rows, output="linear", training=False, mark=mark, **fields)


def short(widths: tuple[int, ...]) -> str:
    """Return the widths with a dash between, repeated ones counted: 2-8x20-1."""
    runs: list[list[int]] = []
    for width in widths:
        if runs and runs[-1][0] == width:
            runs[-1][1] += 1
        else:
            runs.append([width, 1])
    return "-".join(
        f"{width}x{count}" if count > 3 else "-".join([str(width)] * count) for width, count in runs
    )
