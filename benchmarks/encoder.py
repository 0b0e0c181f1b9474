"""What the encoder of tables takes: rows a second of ``fit`` and ``transform``.

``python -m benchmarks.encoder``. Columns of numbers with a thousandth of them missing, of
categories, and of dates, each as a dict of columns; numbers also as one array.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from benchmarks import environment, tables

_TURNS = 3


def samples(rows: int) -> dict[str, Any]:
    """Return a table of each kind."""
    import numpy as np

    rng = np.random.default_rng(0)
    X = rng.standard_normal((rows, 20))
    X[rng.random(X.shape) < 0.001] = np.nan
    names = np.array([f"category {i}" for i in range(20)], object)
    days = np.datetime64("2020-01-01") + rng.integers(0, 1000, rows)
    return {
        "20 columns of numbers": {f"x{i}": X[:, i].copy() for i in range(20)},
        "20 numbers, one array": X,
        "a column of texts": {"x": names[rng.integers(0, 20, rows)]},
        "a column of dates": {"x": days},
    }


def seconds(action: Callable[[], Any]) -> float:
    """Return the least time of some turns."""

    def timed() -> float:
        start = time.perf_counter()
        action()
        return time.perf_counter() - start

    return min(timed() for _ in range(_TURNS))


def main() -> None:
    """Print a line for each kind of table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.encoder", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    environment.without_foreign_settings("benchmarks.encoder")
    from pymlp.tabular import TableEncoder

    lines = [["table", "fit, rows/s", "transform, rows/s"]]
    for name, table in samples(rows).items():
        encoder = TableEncoder()
        fit = seconds(lambda encoder=encoder, table=table: encoder.fit(table))
        transform = seconds(lambda encoder=encoder, table=table: encoder.transform(table))
        lines.append([name, f"{rows / fit:,.0f}", f"{rows / transform:,.0f}"])
    print(tables.text(lines))


if __name__ == "__main__":
    main()
