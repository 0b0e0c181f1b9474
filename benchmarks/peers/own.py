"""pymlp: `Network.fit` with an optimiser that goes on from turn to turn, `predict` with `out`."""

from __future__ import annotations

import hashlib
from pathlib import Path

from benchmarks.cells import Cell
from benchmarks.peers import Run


def prepare(cell: Cell, threads: int) -> Run:
    """Return a function that trains so many epochs, or predicts so many times."""
    import numpy as np

    import pymlp

    X, y = cell.data()
    net = pymlp.Network(
        cell.widths, hidden=cell.hidden, output=cell.output, dtype=cell.dtype, seed=0
    )
    if cell.training:
        optimizer = {"adam": pymlp.Adam, "sgd": pymlp.SGD}[cell.optimizer](cell.learning_rate)
        return lambda epochs: net.fit(
            X,
            y,
            epochs=epochs,
            batch_size=cell.batch_size,
            optimizer=optimizer,
            shuffle=not cell.is_full_batch,
            threads=threads,
        )
    out = np.empty((cell.rows, cell.widths[-1]), cell.dtype)

    def predict(times: int) -> None:
        for _ in range(times):
            net.predict(X, out=out, threads=threads)

    return predict


def about() -> dict[str, str]:
    """Return version, kernels, and what tells one build from another."""
    import pymlp
    from pymlp import _core

    build = hashlib.sha256(Path(_core.__file__).read_bytes()).hexdigest()[:12]
    # Where the library lies says nothing of it, and records are shown to others.
    told = {name: str(value) for name, value in pymlp.show_config().items() if name != "blas_path"}
    return told | {"build": build}
