"""scikit-learn's MLPClassifier and MLPRegressor: whole epochs by `fit` with a warm start."""

from __future__ import annotations

import warnings
from typing import Any

from benchmarks.cells import Cell
from benchmarks.peers import Run, UnsupportedError, blas_of


def prepare(cell: Cell, threads: int) -> Run:
    """Return a function that trains so many epochs."""
    if not cell.training:
        raise UnsupportedError("its predict checks far more than it computes")
    if cell.hidden not in ("relu", "tanh", "sigmoid"):
        raise UnsupportedError("it has no such activation")
    X, y = cell.data()
    if y.ndim > 1 and y.shape[1] == 1:
        y = y.ravel()
    model = make_model(cell)

    def train(epochs: int) -> None:
        model.max_iter = epochs
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns that so few epochs do not converge
            model.fit(X, y)

    return train


def make_model(cell: Cell) -> Any:
    """Return the estimator; its solver stops for nothing but the number of epochs."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    kind = MLPRegressor if cell.output == "linear" else MLPClassifier
    return kind(
        hidden_layer_sizes=cell.widths[1:-1],
        activation="logistic" if cell.hidden == "sigmoid" else cell.hidden,
        solver=cell.optimizer,
        batch_size=cell.batch_size,
        learning_rate_init=cell.learning_rate,
        momentum=0.0,
        nesterovs_momentum=False,
        shuffle=not cell.is_full_batch,
        alpha=0.0,
        warm_start=True,
        n_iter_no_change=10**9,
        tol=0.0,
    )


def about() -> dict[str, str]:
    """Return version and kernels."""
    import sklearn

    return {"version": sklearn.__version__} | blas_of("")
