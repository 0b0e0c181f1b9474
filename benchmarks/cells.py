"""What is measured: a network, a batch size, an optimiser, and data to train it on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Cell:
    """One training task. A step is one batch; an epoch visits every row once."""

    widths: tuple[int, ...]
    rows: int
    batch_size: int
    classes: bool = True  # softmax and cross-entropy, else linear and squared error
    hidden: str = "relu"
    dtype: str = "float32"
    learning_rate: float = 1e-3

    @property
    def name(self) -> str:
        """Widths, batch size and dtype."""
        return f"{'-'.join(map(str, self.widths))}, batch {self.batch_size}, {self.dtype}"

    @property
    def steps(self) -> int:
        """Steps an epoch."""
        return -(-self.rows // self.batch_size)

    @property
    def operations(self) -> int:
        """Multiplications and additions of the matrix products of one step."""
        products = [a * b for a, b in zip(self.widths[:-1], self.widths[1:], strict=True)]
        return 2 * self.batch_size * (3 * sum(products) - products[0])

    def data(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return inputs and targets, random but the same every time."""
        rng = np.random.default_rng(0)
        X = rng.standard_normal((self.rows, self.widths[0])).astype(self.dtype)
        if self.classes:
            return X, rng.integers(0, self.widths[-1], self.rows)
        return X, rng.standard_normal((self.rows, self.widths[-1])).astype(self.dtype)


CELLS = (
    Cell((784, 100, 10), 16_000, 200),
    Cell((17, 64, 64, 6), 4_096, 64, hidden="tanh"),
    Cell((54, 256, 256, 256, 7), 16_384, 256),
    Cell((2, 8, 8, 8, 8, 1), 4_096, 256, classes=False, hidden="tanh", dtype="float64"),
)
