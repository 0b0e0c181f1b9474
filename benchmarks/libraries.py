"""One function for each library: from a cell to a function that trains one epoch with Adam.

Every one shuffles, gathers batches, goes forward and backward and updates, as its documentation
shows a user to do it. A library that is not installed is left out and said to be.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.cells import Cell

Epoch = Callable[[], Any]


def pymlp_epoch(cell: Cell, threads: int) -> Epoch:
    """Return one epoch of `Network.fit`, the optimiser going on from epoch to epoch."""
    import pymlp

    X, y = cell.data()
    output = "softmax" if cell.classes else "linear"
    net = pymlp.Network(cell.widths, hidden=cell.hidden, output=output, dtype=cell.dtype, seed=0)
    adam = pymlp.Adam(cell.learning_rate)
    return lambda: net.fit(
        X, y, epochs=1, batch_size=cell.batch_size, optimizer=adam, threads=threads
    )


def sklearn_epoch(cell: Cell, threads: int) -> Epoch:
    """Return one epoch of scikit-learn's MLP, on BLAS with this many threads."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from threadpoolctl import threadpool_limits

    X, y = cell.data()
    kind = MLPClassifier if cell.classes else MLPRegressor
    model = kind(
        hidden_layer_sizes=cell.widths[1:-1],
        activation=cell.hidden,
        batch_size=cell.batch_size,
        learning_rate_init=cell.learning_rate,
        alpha=0.0,
        max_iter=1,
        warm_start=True,
        n_iter_no_change=10**9,
        tol=0.0,
    )

    def epoch() -> None:
        with threadpool_limits(threads), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns that one epoch does not converge
            model.fit(X, y)

    return epoch


def torch_epoch(cell: Cell, threads: int) -> Epoch:
    """Return one epoch of PyTorch, eager, batches by index from tensors in memory."""
    import torch

    X, y = (torch.from_numpy(array) for array in cell.data())
    activation = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}[cell.hidden]
    modules: list[Any] = []
    for n_in, n_out in zip(cell.widths[:-1], cell.widths[1:], strict=True):
        modules += [torch.nn.Linear(n_in, n_out, dtype=X.dtype), activation()]
    model = torch.nn.Sequential(*modules[:-1])
    adam = torch.optim.Adam(model.parameters(), lr=cell.learning_rate, fused=True)
    loss = torch.nn.CrossEntropyLoss() if cell.classes else torch.nn.MSELoss()

    def epoch() -> None:
        torch.set_num_threads(threads)
        order = torch.randperm(cell.rows)
        for batch in order.split(cell.batch_size):
            adam.zero_grad(set_to_none=True)
            loss(model(X[batch]), y[batch]).backward()
            adam.step()

    return epoch


LIBRARIES = {"pymlp": pymlp_epoch, "scikit-learn": sklearn_epoch, "PyTorch": torch_epoch}


@contextmanager
def left_out_if_missing(name: str) -> Iterator[None]:
    """Say which library is not installed rather than fail."""
    try:
        yield
    except ImportError as error:
        print(f"{name} is left out: {error}")
