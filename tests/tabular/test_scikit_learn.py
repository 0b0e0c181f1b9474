"""scikit-learn's own checks and functions take models of tables."""

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest

import pymlp

sklearn = pytest.importorskip("sklearn", minversion="1.6")
import joblib  # noqa: E402
from sklearn.base import clone, is_classifier, is_regressor  # noqa: E402
from sklearn.calibration import CalibratedClassifierCV  # noqa: E402
from sklearn.datasets import load_diabetes, load_wine  # noqa: E402
from sklearn.ensemble import BaggingClassifier, VotingClassifier  # noqa: E402
from sklearn.exceptions import NotFittedError  # noqa: E402
from sklearn.inspection import permutation_importance  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

# A weight of 2 is two equal rows where a step sees all of them, and in the digits that the check
# looks at: 7 of them, more than float32 has.
# Units are left out, and networks begin, by rows; an optimiser of one's own leaves the latter.
EXACT = {
    "dtype": "float64", "batch_size": None, "validation": None, "epochs": 100,
    "dropout": 0.0, "optimizer": "adam", "n_members": 2,
}  # fmt: skip

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that they do not derive from scikit-learn's class
    all_checks = parametrize_with_checks(
        [pymlp.TabularClassifier(**EXACT), pymlp.TabularRegressor(**EXACT)]
    )
    checks_of_defaults = parametrize_with_checks(
        [pymlp.TabularClassifier(), pymlp.TabularRegressor()]
    )


@pytest.mark.filterwarnings("ignore")
@all_checks
def test_all_checks(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore")
@checks_of_defaults
def test_checks_of_the_defaults(estimator, check):
    if "sample_weight_equivalence" in str(check):
        pytest.skip("steps of some rows, and rows held out, are others with repeated rows")
    check(estimator)


@pytest.fixture(scope="module")
def wine():
    return load_wine(return_X_y=True)


def small(**options):
    return pymlp.TabularClassifier(epochs=30, random_state=0, **options)


def test_kinds_of_estimators():
    assert is_classifier(pymlp.TabularClassifier())
    assert is_regressor(pymlp.TabularRegressor())
    assert not is_classifier(pymlp.TabularRegressor())


def test_pipeline_and_cross_validation(wine):
    model = make_pipeline(StandardScaler(), small())
    assert cross_val_score(model, *wine, cv=3).mean() > 0.93


def test_cross_validation_of_a_regression():
    X, y = load_diabetes(return_X_y=True)
    assert cross_val_score(pymlp.TabularRegressor(random_state=0), X, y, cv=3).mean() > 0.3


@pytest.mark.parametrize(
    "backend",
    ["sequential", "threading", pytest.param("loky", marks=pytest.mark.slow)],  # processes start
)
def test_grid_search(wine, backend):
    grid = {"hidden_layer_sizes": [(4,), (32,)], "learning_rate": [1e-5, 1e-2]}
    with joblib.parallel_config(backend, n_jobs=2):
        search = GridSearchCV(small(), grid, cv=3).fit(*wine)
    assert search.best_params_["learning_rate"] == 1e-2
    assert search.best_score_ > 0.93


def test_grid_search_of_frames():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"size": ["s", "m", None] * 30, "n": range(90)})
    y = frame["size"].fillna("none")
    search = GridSearchCV(
        small(ignore=["n"], learning_rate=0.05), {"hidden_layer_sizes": [(), (8,)]}, cv=3
    )
    assert search.fit(frame, y).best_score_ == 1.0


@pytest.mark.parametrize(
    "ensemble",
    [
        lambda: CalibratedClassifierCV(small(), cv=3),
        lambda: VotingClassifier([("a", small()), ("b", small(activation="tanh"))], voting="soft"),
        lambda: BaggingClassifier(small(), n_estimators=3, random_state=0),
    ],
)
def test_ensembles(wine, ensemble):
    X, y = wine
    assert ensemble().fit(X[::2], y[::2]).score(X[1::2], y[1::2]) > 0.9


def test_permutation_importance(wine):
    X = np.column_stack([wine[0][:, -1], np.random.default_rng(0).normal(size=len(wine[1]))])
    model = small().fit(X, wine[1])
    found = permutation_importance(model, X, wine[1], n_repeats=3, random_state=0)
    assert found.importances_mean[0] > 0.2 > 0.1 > found.importances_mean[1]


def test_clone_and_pickle(wine):
    model = small(class_weight={0: 2.0}, hidden_layer_sizes=[8]).fit(*wine)
    assert clone(model).get_params() == model.get_params()
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(wine[0]), model.predict_proba(wine[0]))


def test_what_is_not_fitted_raises_what_scikit_learn_catches(wine):
    for call in ("predict", "predict_proba"):
        with pytest.raises(NotFittedError, match="This TabularClassifier is not fitted yet"):
            getattr(pymlp.TabularClassifier(), call)(wine[0])


def test_in_the_html_of_a_pipeline(wine):
    model = make_pipeline(StandardScaler(), small())
    assert "TabularClassifier" in model._repr_html_()
    assert "TabularClassifier" in model.fit(*wine)._repr_html_()


WITHOUT = """
import sys
sys.modules["sklearn"] = None  # importing it fails
import numpy as np, pymlp, tempfile, pathlib, pickle
table = {"a": np.arange(40) % 7, "b": ["x", "y"] * 20}
for kind in (pymlp.TabularClassifier, pymlp.TabularRegressor):
    model = kind(epochs=3).fit(table, np.arange(40) % 2)
    repr(model), model._repr_html_(), model.set_params(epochs=4)
    model.score(table, np.arange(40) % 2)
    pickle.loads(pickle.dumps(model))
    with tempfile.TemporaryDirectory() as folder:
        model.save(folder + "/model")
        same = pymlp.load(folder + "/model")
    assert (same.predict(table) == model.predict(table)).all()
    try:
        kind().predict(table)
    except ValueError as error:
        assert "not fitted" in str(error)
print([name for name in sys.modules if name.split(".")[0] in ("scipy", "pandas", "polars")])
"""


def test_all_but_its_functions_works_without_scikit_learn():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True)
    assert (done.stderr, done.stdout) == ("", "[]\n")


def test_metadata_is_handed_on_where_it_is_asked_for(wine):
    weights = np.ones(len(wine[1]))
    with sklearn.config_context(enable_metadata_routing=True):
        model = small().set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
        scores = sklearn.model_selection.cross_validate(
            model, *wine, cv=3, params={"sample_weight": weights}
        )
        assert clone(model).get_metadata_routing().fit.requests["sample_weight"] is True
        with pytest.raises(ValueError, match="sample_weight"):
            sklearn.model_selection.cross_validate(
                small(), *wine, cv=3, params={"sample_weight": weights}
            )
    assert scores["test_score"].mean() > 0.9
