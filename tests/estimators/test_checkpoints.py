"""Checkpoints of estimators: attributes too are those of a fit that was never ended."""

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse  # type: ignore[import-untyped]

import pymlp
from pymlp import MLPClassifier, MLPRegressor

ATTRIBUTES = (
    "n_iter_", "t_", "loss_", "loss_curve_", "best_loss_", "validation_scores_",
    "best_validation_score_", "_no_improvement_count",
)  # fmt: skip
KINDS: dict[str, tuple[type, dict[str, Any]]] = {
    "defaults": (MLPClassifier, {}),
    "early stopping": (MLPClassifier, {"early_stopping": True, "n_iter_no_change": 40}),
    "adaptive": (
        MLPRegressor,
        {"solver": "sgd", "learning_rate": "adaptive", "n_iter_no_change": 1, "tol": 0.1},
    ),
    "invscaling": (MLPRegressor, {"solver": "sgd", "learning_rate": "invscaling"}),
    "scaled": (MLPRegressor, {"scale": True}),
    "dropout, batch norm": (MLPClassifier, {"dropout": 0.2, "norm": "batch"}),
}


class Killed(Exception):  # noqa: N818
    pass


def killed(estimator: Any, history: pymlp.History) -> None:
    if len(history.loss) == 7:
        raise Killed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fit.safetensors"


def samples(kind: type) -> tuple[Any, Any]:
    X = np.random.default_rng(0).normal(size=(80, 4))
    return X, (X[:, 0] > 0).astype(int) if kind is MLPClassifier else X[:, 0] + X[:, 1] ** 2


@pytest.mark.parametrize(("kind", "options"), KINDS.values(), ids=KINDS)
def test_same_attributes_as_without_an_end(kind: Any, options: dict[str, Any], path: Path) -> None:
    X, y = samples(kind)

    def made(**more: Any) -> Any:
        return kind(hidden_layer_sizes=(8,), random_state=3, max_iter=15, **options, **more)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it does not converge
        whole = made().fit(X, y)
        with pytest.raises(Killed):
            made(callbacks=[killed]).fit(X, y, checkpoint=path, checkpoint_every=3)
        for _ in range(2):  # the second has ended
            again = made().fit(X, y, checkpoint=path, checkpoint_every=3, resume=True)
            for name in ATTRIBUTES:
                assert getattr(again, name) == getattr(whole, name), name
            for one, other in zip(
                [*again.coefs_, *again.intercepts_],
                [*whole.coefs_, *whole.intercepts_],
                strict=True,
            ):
                assert np.array_equal(one, other)
            assert np.array_equal(again.predict(X), whole.predict(X))


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_without_random_state_draws_are_those_of_the_file(path: Path) -> None:
    X, y = samples(MLPClassifier)
    first = MLPClassifier(max_iter=5, early_stopping=True).fit(X, y, checkpoint=path)
    second = MLPClassifier(max_iter=8, early_stopping=True).fit(X, y, checkpoint=path, resume=True)
    assert second.loss_curve_[:5] == first.loss_curve_
    assert second.n_iter_ == 8


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_other_parameters_and_data_are_refused(path: Path) -> None:
    X, y = samples(MLPClassifier)
    given = X[:9], y[:9]
    MLPClassifier(max_iter=3, random_state=0).fit(X, y, validation=given, checkpoint=path)
    for changed, more, message in [
        ({"alpha": 0.5}, {}, "alpha is 0.5, and was 0.0001"),
        ({"tol": 0.5, "n_iter_no_change": 3}, {}, "n_iter_no_change is 3, and was 10; tol is 0.5"),
        ({"random_state": 1}, {}, "seed is"),
        ({}, {"validation": (X[:8], y[:8])}, "validation has other values"),
    ]:
        estimator = MLPClassifier(**({"max_iter": 3, "random_state": 0} | changed))
        with pytest.raises(ValueError, match=re.escape(message)):
            estimator.fit(X, y, **({"validation": given} | more), checkpoint=path, resume=True)
    with pytest.raises(FileExistsError, match="resume=True"):
        MLPClassifier().fit(X, y, checkpoint=path)


def test_what_is_no_checkpoint_of_an_estimator(path: Path) -> None:
    X, y = samples(MLPRegressor)
    net = pymlp.Network([4, 2, 1])
    net.fit(X, y, epochs=1, checkpoint=path)
    with pytest.raises(pymlp.FileFormatError, match="of a network, not of an estimator"):
        MLPRegressor().fit(X, y, checkpoint=path, resume=True)


def test_sparse_rows_are_refused(path: Path) -> None:
    X, y = samples(MLPClassifier)
    with pytest.raises(ValueError, match=re.escape("X.toarray() is dense")):
        MLPClassifier().fit(scipy.sparse.csr_matrix(X), y, checkpoint=path)
    assert not path.exists()


def test_warm_start_goes_on_in_one_process(path: Path) -> None:
    X, y = samples(MLPClassifier)

    def made(**more: Any) -> Any:
        return MLPClassifier((8,), random_state=3, max_iter=15, warm_start=True, **more)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it does not converge
        whole, ended = made().fit(X, y), made(callbacks=[killed])
        with pytest.raises(Killed):
            ended.fit(X, y, checkpoint=path, checkpoint_every=3)
        ended.set_params(callbacks=None)
        for _ in range(2):  # the second has ended
            ended.fit(X, y, checkpoint=path, resume=True)
            assert ended.loss_curve_ == whole.loss_curve_
            assert all(map(np.array_equal, ended.coefs_, whole.coefs_))
        with pytest.raises(ValueError, match="X has other values"):
            ended.fit(X + 1.0, y, checkpoint=path, resume=True)


def test_scores_without_a_value_go_on(path: Path) -> None:
    X, y = samples(MLPClassifier)
    count = 0

    def score(true: Any, predicted: Any) -> float:
        nonlocal count
        count += 1
        return float("nan") if count < 8 else float(np.mean(true == predicted))

    def made(**more: Any) -> Any:
        return MLPClassifier(
            (8,), random_state=3, max_iter=15, monitor=score, early_stopping=True,
            n_iter_no_change=40, **more,
        )  # fmt: skip

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it does not converge
        whole = made().fit(X, y)
        count = 0
        with pytest.raises(Killed):
            made(callbacks=[killed]).fit(X, y, checkpoint=path, checkpoint_every=3)
        count = 6  # which the checkpoint has
        again = made().fit(X, y, checkpoint=path, resume=True)
    assert np.array_equal(again.validation_scores_, whole.validation_scores_, equal_nan=True)
    assert all(map(np.array_equal, again.coefs_, whole.coefs_))
