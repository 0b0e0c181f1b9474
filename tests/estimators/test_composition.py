"""Estimators inside scikit-learn's: pipelines, searches, ensembles, routing, frames."""

import pickle
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

import joblib
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    StackingRegressor,
    VotingClassifier,
)
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import pymlp

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of worker processes
]

X, Y = load_iris(return_X_y=True)


def model(**options: Any) -> pymlp.MLPClassifier:
    given = {"scale": True, "learning_rate_init": 0.02, "max_iter": 40, "random_state": 0}
    return pymlp.MLPClassifier(**given | options)


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_grid_search_with_two_workers(backend: str) -> None:
    model(n_jobs=2).fit(X, Y)  # threads are there before processes fork
    grid = {"width": [5, 20], "n_layers": [1, 2], "solver": ["adam", pymlp.AdamW(0.02)]}
    with joblib.parallel_config(backend=backend):
        search = GridSearchCV(model(), grid, n_jobs=2, cv=3).fit(X, Y)
    alone = GridSearchCV(model(), grid, cv=3).fit(X, Y)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"]
    )
    assert search.best_score_ > 0.9


def test_ensembles_and_tools() -> None:
    pair = [("ours", model()), ("theirs", LogisticRegression(max_iter=1000))]
    for estimator in (
        make_pipeline(StandardScaler(), model(scale=False)),
        VotingClassifier(pair, voting="soft"),
        BaggingClassifier(model(), n_estimators=3, random_state=0, n_jobs=2),
        CalibratedClassifierCV(model(), cv=3),
        CalibratedClassifierCV(model(loss="hinge"), cv=3),
        AdaBoostClassifier(model(max_iter=20), n_estimators=3, random_state=0),
    ):
        assert estimator.fit(X, Y).score(X, Y) > 0.9, estimator
        assert estimator.predict_proba(X).shape == (150, 3)
    importances = permutation_importance(model().fit(X, Y), X, Y, random_state=0).importances_mean
    assert importances[2:].min() > importances[:2].max()


def test_regressors_compose() -> None:
    A, b = load_diabetes(return_X_y=True)
    ours = pymlp.MLPRegressor(scale=True, random_state=0)
    stack = StackingRegressor([("ours", ours), ("ridge", Ridge())])
    target = TransformedTargetRegressor(ours, transformer=StandardScaler())
    for estimator in (stack, target):
        assert cross_val_score(estimator, A, b, cv=3).mean() > 0.2


def test_weights_and_validation_are_routed() -> None:
    with sklearn.config_context(enable_metadata_routing=True):
        ours = model().set_fit_request(sample_weight=True, validation=True)
        pipeline = make_pipeline(FunctionTransformer(), ours)
        weights = np.where(Y == 2, 1e-9, 1.0)
        pipeline.fit(X, Y, sample_weight=weights, validation=(X[:9], Y[:9]))
        assert len(pipeline[-1].validation_scores_) == pipeline[-1].n_iter_
        assert (pipeline.predict(X) != 2).all()


def test_frames_keep_their_names() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    labels = pd.Series(Y).map({0: "x", 1: "y", 2: "z"})
    pipeline = make_pipeline(StandardScaler(), model()).set_output(transform="pandas")
    pipeline.fit(frame, labels)
    assert list(pipeline[-1].feature_names_in_) == ["a", "b", "c", "d"]
    assert set(pipeline.predict(frame)) <= {"x", "y", "z"}
    with pytest.raises(ValueError, match="feature names"):
        pipeline.predict(frame[["b", "a", "c", "d"]])
    early = model(early_stopping=True).fit(frame, labels)  # nothing warns of names
    assert early.score(frame, labels) > 0.9


def test_frames_of_polars() -> None:
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(dict(zip("abcd", X.T, strict=True)))
    labels = pl.Series(["x" if y else "w" for y in Y])
    ours = model().fit(frame, labels)
    assert list(ours.feature_names_in_) == ["a", "b", "c", "d"]
    assert ours.score(frame, labels) > 0.9


def test_it_is_shown_in_notebooks() -> None:
    assert "MLPClassifier" in model()._repr_html_()
    assert "max_iter" in model().fit(X, Y)._repr_html_()


def test_pickles_of_searches() -> None:
    search = GridSearchCV(model(), {"width": [5]}, cv=2).fit(X, Y)
    same = pickle.loads(pickle.dumps(search))
    assert (same.predict(X) == search.predict(X)).all()
