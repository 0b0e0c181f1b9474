"""Estimators go to scikit-learn's and come back, and to files, pickles and copies."""

import copy
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("sklearn")

from sklearn import neural_network
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.datasets import make_multilabel_classification as multilabel
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError

import pymlp
from pymlp.files import safetensors

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

TOLERANCES = {"float32": 1e-6, "float64": 1e-12}


def task(kind: str, dtype: str) -> tuple[NDArray[Any], NDArray[Any]]:
    if kind == "labels":
        X, y = multilabel(100, random_state=0)
    elif "numbers" in kind or kind == "counts":
        X, y = load_diabetes(return_X_y=True)
        X, y = X * 20, (y - y.mean()) / y.std()
        y = np.stack([y, y**2], axis=1) if kind == "several numbers" else y
        y = np.exp(y) if kind == "counts" else y
    else:
        X, y = load_iris(return_X_y=True)
        y = np.array(["a", "b", "c"])[y]
        X, y = (X[:100], y[:100]) if kind == "two classes" else (X, y)
    return X.astype(dtype), y


KINDS = ["classes", "two classes", "labels", "numbers", "several numbers", "counts"]


def fitted(package: Any, kind: str, of: str, **options: Any) -> tuple[Any, NDArray[Any]]:
    X, y = task(kind, of)
    name = "MLPClassifier" if kind in ("classes", "two classes", "labels") else "MLPRegressor"
    loss = {"loss": "poisson"} if kind == "counts" else {}
    options = {"random_state": 0, "max_iter": 30, "hidden_layer_sizes": (9, 8)} | loss | options
    return getattr(package, name)(**options).fit(X, y), X


def assert_same_predictions(a: Any, b: Any, X: NDArray[Any], tolerance: float) -> None:
    outputs = [getattr(m, "predict_proba", m.predict)(X) for m in (a, b)]
    np.testing.assert_allclose(*outputs, rtol=tolerance, atol=tolerance)
    if hasattr(a, "classes_"):
        assert (a.predict(X) == b.predict(X)).all()
        assert (a.classes_ == b.classes_).all()


RECORD = ["n_iter_", "t_", "loss_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"]
RECORD += ["loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_"]


def assert_same_record(a: Any, b: Any) -> None:
    for name in RECORD:
        assert getattr(a, name) == getattr(b, name), name


@pytest.mark.parametrize("activation", ["relu", "logistic", "tanh", "identity"])
@pytest.mark.parametrize("kind", KINDS)
def test_from_scikit_learn_and_back(kind: str, activation: str, dtype: str) -> None:
    theirs, X = fitted(neural_network, kind, dtype, activation=activation)
    ours = pymlp.from_sklearn(theirs)
    assert type(ours) is getattr(pymlp, type(theirs).__name__)
    assert ours.network_.dtype == dtype
    assert_same_predictions(theirs, ours, X, TOLERANCES[dtype])
    assert_same_record(theirs, ours)
    again = pymlp.to_sklearn(ours)
    assert type(again) is type(theirs)
    assert again.get_params() == theirs.get_params()
    assert_same_predictions(theirs, again, X, TOLERANCES[dtype])
    assert_same_record(theirs, again)


def test_what_is_converted_learns_on() -> None:
    X, y = task("classes", "float64")
    theirs, _ = fitted(neural_network, "classes", "float64")
    ours = pymlp.from_sklearn(theirs).partial_fit(X, y)
    assert ours.loss_curve_[-1] < theirs.loss_curve_[0]
    assert len(theirs.loss_curve_) == 30  # which is not the same list
    again = pymlp.to_sklearn(ours).partial_fit(X, y)
    assert len(again.loss_curve_) == 32


@pytest.mark.parametrize("solver", ["lbfgs", "sgd"])
def test_solvers_are_converted(solver: str) -> None:
    theirs, X = fitted(neural_network, "numbers", "float64", solver=solver)
    assert_same_predictions(theirs, pymlp.from_sklearn(theirs), X, 1e-12)


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_scale_goes_into_the_first_layer(kind: str) -> None:
    ours, X = fitted(pymlp, kind, "float64", scale=True, solver=pymlp.AdamW())
    theirs = pymlp.to_sklearn(ours)
    assert theirs.solver == "adam"
    assert_same_predictions(ours, theirs, X, 1e-12)


def test_what_scikit_learn_lacks_is_told_at_once() -> None:
    ours, _ = fitted(
        pymlp, "classes", "float64", norm="layer", residual=True, n_layers=2, activation="gelu"
    )
    with pytest.raises(ValueError, match=r"norm='layer'; residual=True; hidden activations gelu"):
        pymlp.to_sklearn(ours)


def test_a_single_label_is_refused() -> None:
    network = pymlp.Network([3, 5, 1], output="sigmoid")
    ours = pymlp.MLPClassifier.from_network(network, multilabel=True)
    with pytest.raises(ValueError, match="do not have: a single label"):
        pymlp.to_sklearn(ours)


def test_a_warm_start_goes_on_after_early_stopping() -> None:
    ours, _ = fitted(pymlp, "classes", "float64", early_stopping=True, warm_start=True)
    theirs = pymlp.to_sklearn(ours.set_params(learning_rate_init=1e-12))
    X, y = task("classes", "float64")
    assert_same_predictions(ours, theirs.fit(X, y), X, 1e-6)


def test_other_estimators_are_refused() -> None:
    with pytest.raises(TypeError, match="not RandomForestClassifier"):
        pymlp.from_sklearn(RandomForestClassifier())
    with pytest.raises(TypeError, match=r"of pymlp, not MLPClassifier"):
        pymlp.to_sklearn(neural_network.MLPClassifier())  # type: ignore[arg-type]
    with pytest.raises(NotFittedError):
        pymlp.from_sklearn(neural_network.MLPClassifier())
    with pytest.raises(NotFittedError):
        pymlp.to_sklearn(pymlp.MLPClassifier())


# ---- files ---------------------------------------------------------------------------------------

OPTIONS: list[dict[str, Any]] = [
    {},
    {"scale": True, "early_stopping": True, "n_iter_no_change": np.inf},
    {
        "solver": pymlp.SGD(0.01, groups={"biases": {"learning_rate": 0.5}}),
        "activation": [pymlp.Parametric(pymlp.LeakyReLU(0.2)), "gelu"],
        "learning_rate": pymlp.schedules.WarmUp(3, then=pymlp.schedules.Cosine()),
        "init": pymlp.initializers.Uniform(0.1), "norm": "batch", "dtype": "float32",
    },
    {"solver": pymlp.LBFGS(max_evaluations=9), "hidden_layer_sizes": [5]},
]  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS, ids=range(len(OPTIONS)))
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_has_the_whole_estimator(kind: str, options: dict[str, Any], tmp_path: Path) -> None:
    model, X = fitted(pymlp, kind, "float64", **options)
    model.save(tmp_path / "model")
    same = pymlp.load(tmp_path / "model")
    assert type(same) is type(model)
    assert repr(same) == repr(clone(model))
    assert_same_predictions(model, same, X, 0.0)
    assert_same_record(model, same)
    _, y = task(kind, "float64")
    if not (isinstance(model.solver, pymlp.LBFGS) or model.early_stopping):
        assert np.isfinite(same.partial_fit(X, y).loss_)
    assert len(same.set_params(warm_start=True).fit(X, y).loss_curve_) > len(model.loss_curve_)


@pytest.mark.parametrize(
    "labels",
    [
        [3, 1, 2],
        [1.0, 2.0, 5.0],
        [True, False],
        ["ä", "b c", ""],
        [np.datetime64("2024-02-29"), np.datetime64("2025-01-01")],
    ],
)
def test_a_file_has_classes_of_every_type(labels: list[Any], tmp_path: Path) -> None:
    for dtype in (None, object):
        y = np.array(labels * 4, dtype=dtype)
        X = np.arange(len(y), dtype=float)[:, np.newaxis]
        if dtype is object and not isinstance(labels[0], str):
            continue
        model = pymlp.MLPClassifier(max_iter=2).fit(X, y)
        model.save(tmp_path / "model")
        same = pymlp.load(tmp_path / "model")
        assert same.classes_.dtype == model.classes_.dtype
        assert same.predict(X).tolist() == model.predict(X).tolist()


def test_a_file_has_names_of_features(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    X, y = task("classes", "float64")
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    pymlp.MLPClassifier(max_iter=2).fit(frame, y).save(tmp_path / "model")
    same = pymlp.load(tmp_path / "model")
    assert same.predict(frame).shape == (150,)
    with pytest.raises(ValueError, match="feature names"):
        same.predict(frame[["b", "a", "c", "d"]])


def test_a_file_has_no_functions(tmp_path: Path) -> None:
    def score(y_true: Any, y_pred: Any) -> float:
        return 0.0

    model, X = fitted(
        pymlp, "classes", "float64", callbacks=[print_nothing], monitor=score,
        random_state=np.random.RandomState(0),
    )  # fmt: skip
    model.save(tmp_path / "model")
    same = pymlp.load(tmp_path / "model")
    assert (same.callbacks, same.monitor, same.random_state) == (None, None, None)
    assert_same_predictions(model, same, X, 0.0)
    own = pymlp.losses.Loss(lambda a, y: (np.zeros(len(a)), np.zeros_like(a)))
    model, _ = fitted(pymlp, "numbers", "float64", loss=own)
    with pytest.raises(ValueError, match="loss holds what cannot be written to a file"):
        model.save(tmp_path / "other")
    assert not (tmp_path / "other").exists()


def print_nothing(model: Any, history: Any) -> None:
    """Do nothing after an epoch."""


def test_what_is_not_fitted_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(NotFittedError):
        pymlp.MLPClassifier().save(tmp_path / "model")


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state["parameters"].update(unknown=1),
        lambda state: state["learnt"].update(__class__="int"),
        lambda state: state["arrays"].pop("classes_"),
        lambda state: state["arrays"]["classes_"].update(values=[0, 1]),
        lambda state: state["learnt"].update(n_features_in_=5),
        lambda state: state["learnt"].update(_multilabel="no"),
        lambda state: state.update(input_scale=[[0.0] * 9, [1.0] * 9]),
        lambda state: state["parameters"].update(
            loss={"module": "os", "class": "system", "fields": {"dict": []}}
        ),
        lambda state: state["parameters"].update(
            loss={"module": "pymlp.losses", "class": "folded", "fields": {"dict": []}}
        ),
        lambda state: state["parameters"].update(
            solver={"optimizer": "Any", "rate": None, "fields": {"dict": []}}
        ),
    ],
)
def test_wrong_files_are_refused(change: Any, tmp_path: Path) -> None:
    model, _ = fitted(pymlp, "classes", "float64")
    model.save(tmp_path / "model")
    network, texts, _ = safetensors.read(tmp_path / "model")
    state = json.loads(texts["estimator"])
    change(state)
    safetensors.write(tmp_path / "model", network, texts | {"estimator": json.dumps(state)})
    with pytest.raises(pymlp.FileFormatError, match="does not hold what an MLPClassifier is"):
        pymlp.load(tmp_path / "model")
    safetensors.write(tmp_path / "model", network, texts | {"model": "Forest"})
    with pytest.raises(pymlp.FileFormatError, match="does not know: Forest"):
        pymlp.load(tmp_path / "model")


# ---- pickles, copies, imports --------------------------------------------------------------------


@pytest.mark.parametrize("again", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy])
def test_copies_learn_as_the_original_does(again: Any) -> None:
    X, y = task("classes", "float64")
    model = pymlp.MLPClassifier(random_state=0, dropout=0.1).partial_fit(
        X, y, classes=["a", "b", "c"]
    )
    same = again(model)
    assert same.network_ is not model.network_
    for m in (model, same):
        m.partial_fit(X, y)
    assert (same.coefs_[0] == model.coefs_[0]).all()
    assert same.loss_curve_ == model.loss_curve_


def test_import_is_lazy_and_says_what_to_install() -> None:
    code = """
import sys
import pymlp
assert "sklearn" not in sys.modules and "pymlp.estimators" not in sys.modules
assert "MLPClassifier" in dir(pymlp)
sys.modules["sklearn"] = None
try:
    pymlp.MLPClassifier
except ImportError as error:
    assert "pip install 'pymlp[sklearn]'" in str(error)
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", code], check=True)
