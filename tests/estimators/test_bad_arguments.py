"""Wrong parameters and arrays: refused by fit, with their names."""

import inspect
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

import pymlp

X = np.random.RandomState(0).normal(size=(20, 3))
CLASSES = np.arange(20) % 2

WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"hidden_layer_sizes": (5, 0)}, ValueError, "hidden_layer_sizes must be > 0"),
    ({"hidden_layer_sizes": "5"}, TypeError, "hidden_layer_sizes must be an integer, not str"),
    ({"hidden_layer_sizes": 1.5}, TypeError, "hidden_layer_sizes must be an integer"),
    ({"n_layers": -1}, ValueError, "n_layers must be at least 0"),
    ({"n_layers": 2, "hidden_layer_sizes": ()}, ValueError, "n_layers needs a width"),
    ({"width": 0}, ValueError, "width must be at least 1"),
    ({"activation": "rleu"}, ValueError, "did you mean 'relu'"),
    ({"activation": 3}, TypeError, "activation must be a name"),
    ({"activation": ["relu"] * 2}, ValueError, "entry for each of 1 hidden layers, not 2"),
    ({"solver": "adma"}, ValueError, "solver: unknown optimizer 'adma'; did you mean"),
    ({"solver": 3}, TypeError, "solver must be a name or an optimiser"),
    ({"alpha": -1.0}, ValueError, "alpha must be at least 0"),
    ({"alpha": "1"}, TypeError, "alpha must be a number"),
    ({"batch_size": 0}, ValueError, "batch_size must be at least 1"),
    ({"batch_size": "full"}, TypeError, "batch_size must be an integer"),
    ({"learning_rate": "cosine"}, ValueError, "unknown learning_rate 'cosine'"),
    ({"learning_rate": 0.1}, TypeError, "its value is learning_rate_init"),
    ({"learning_rate": pymlp.schedules.Cosine(), "solver": "lbfgs"}, ValueError, "lbfgs"),
    ({"learning_rate_init": 0.0}, ValueError, "learning_rate_init must be above 0"),
    ({"power_t": -1.0}, ValueError, "power_t"),
    ({"max_iter": 0}, ValueError, "max_iter must be at least 1"),
    ({"max_iter": 2.0}, TypeError, "max_iter must be an integer"),
    ({"shuffle": 1}, TypeError, "shuffle must be True or False"),
    ({"random_state": "x"}, ValueError, "cannot be used to seed"),
    ({"tol": -1e-3}, ValueError, "tol must be at least 0"),
    ({"verbose": -1}, ValueError, "verbose"),
    ({"warm_start": None}, TypeError, "warm_start"),
    ({"momentum": 1.5}, ValueError, "momentum must be at most 1"),
    ({"nesterovs_momentum": "yes"}, TypeError, "nesterovs_momentum"),
    ({"early_stopping": 3}, TypeError, "early_stopping must be True or False"),
    ({"validation_fraction": 1.0}, ValueError, "validation_fraction must be below 1"),
    ({"beta_1": 1.0}, ValueError, "beta_1"),
    ({"beta_2": -0.1}, ValueError, "beta_2"),
    ({"epsilon": 0.0}, ValueError, "epsilon"),
    ({"n_iter_no_change": 0}, ValueError, "n_iter_no_change must be at least 1"),
    ({"n_iter_no_change": 2.5}, TypeError, "n_iter_no_change"),
    ({"max_fun": 0}, ValueError, "max_fun"),
    ({"loss": "mean"}, ValueError, "unknown loss 'mean'"),
    ({"loss": 3}, TypeError, "loss must be a name"),
    ({"dropout": 1.0}, ValueError, "dropout"),
    ({"input_dropout": -1.0}, ValueError, "input_dropout"),
    ({"norm": "bach"}, ValueError, "norm"),
    ({"residual": "yes"}, TypeError, "residual"),
    ({"init": "he"}, ValueError, "init"),
    ({"scale": 1}, TypeError, "scale must be True or False"),
    ({"l1": -1.0}, ValueError, "l1"),
    ({"clip_norm": 0.0}, ValueError, "clip_norm"),
    ({"average": 1.0}, ValueError, "average"),
    ({"average": 0.9, "solver": "lbfgs"}, ValueError, "average does not go with lbfgs"),
    ({"dropout": 0.5, "solver": "lbfgs"}, ValueError, "dropout does not go with lbfgs"),
    ({"monitor": "acuracy"}, ValueError, "monitor: .*did you mean 'accuracy'"),
    ({"monitor": 3}, TypeError, "monitor must be 'loss'"),
    ({"callbacks": 3}, TypeError, "callbacks must be an iterable"),
    ({"callbacks": [3]}, TypeError, r"callbacks\[0\] must be callable"),
    ({"max_seconds": 0.0}, ValueError, "max_seconds"),
    ({"n_jobs": 0}, ValueError, "n_jobs must be a number of threads"),
    ({"n_jobs": "2"}, TypeError, "n_jobs"),
    ({"dtype": "int32"}, TypeError, "dtype must be float32 or float64"),
]


@pytest.mark.parametrize(("options", "kind", "message"), WRONG)
@pytest.mark.parametrize("estimator", [pymlp.MLPClassifier, pymlp.MLPRegressor])
def test_wrong_parameters_are_named(
    estimator: Any, options: dict[str, Any], kind: type[Exception], message: str
) -> None:
    model = estimator(**options)  # which says nothing yet
    with pytest.raises(kind, match=message):
        model.fit(X, CLASSES)


def test_every_parameter_is_tried() -> None:
    tried = {name for options, *_ in WRONG for name in options}
    known = set(inspect.signature(pymlp.MLPRegressor).parameters)
    assert known <= tried
    assert set(inspect.signature(pymlp.MLPClassifier).parameters) - known == {"class_weight"}


@pytest.mark.parametrize("estimator", [pymlp.MLPClassifier, pymlp.MLPRegressor])
def test_every_parameter_and_attribute_is_documented(estimator: Any) -> None:
    described = estimator.__doc__ or ""
    for name in inspect.signature(estimator).parameters:
        assert name in described
    model = estimator(max_iter=500, tol=1e9).fit(X, CLASSES)
    public = [name for name in vars(model) if name.endswith("_") and not name.startswith("_")]
    for name in [*public, "coefs_", "intercepts_"]:
        assert name in described


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({2: 1.0}, "class_weight names 2, which is no class of y: 0, 1"),
        ({0: -1.0}, r"class_weight\[0\] must be at least 0"),
        ({0: 0.0, 1: 0.0}, "weight of 0 for every sample"),
        ("balance", "did you mean 'balanced'"),
        (3, "class_weight must be a dict or 'balanced', not int"),
    ],
)
def test_wrong_class_weights(given: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        pymlp.MLPClassifier(class_weight=given).fit(X, CLASSES)


def test_balanced_classes_need_all_samples() -> None:
    with pytest.raises(ValueError, match="'balanced' does not go with partial_fit"):
        pymlp.MLPClassifier(class_weight="balanced").partial_fit(X, CLASSES, classes=[0, 1])


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        (0.1, r"validation must be \(Xv, yv\)"),
        ((X,), r"validation must be \(Xv, yv\)"),
        ((X[:, :2], CLASSES), "validation: X has 2 features"),
        ((X, CLASSES + 1), r"validation: `y` has classes not in"),
        ((X, CLASSES, np.ones(3)), r"validation: sample_weight must have shape \(20,\)"),
    ],
)
def test_wrong_validation_samples(validation: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pymlp.MLPClassifier().fit(X, CLASSES, validation=validation)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(3), r"sample_weight must have shape \(20,\)"),
        (-np.ones(20), "must not be negative"),
        (np.zeros(20), "must not be zero"),
        (np.full(20, np.nan), "NaN"),
    ],
)
def test_wrong_sample_weights(weights: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pymlp.MLPRegressor().fit(X, X[:, 0], sample_weight=weights)


def test_losses_for_classes_are_not_for_numbers() -> None:
    with pytest.raises(ValueError, match="'hinge' is for classes"):
        pymlp.MLPRegressor(loss="hinge").fit(X, X[:, 0])


def test_counts_are_not_negative() -> None:
    with pytest.raises(ValueError, match="must not be negative for loss 'poisson'"):
        pymlp.MLPRegressor(loss="poisson").fit(X, X[:, 0])


def test_partial_fit_needs_classes() -> None:
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        pymlp.MLPClassifier().partial_fit(X, CLASSES)


def test_a_refused_fit_leaves_what_was_learnt() -> None:
    model = pymlp.MLPRegressor(random_state=0, max_iter=300, tol=1e9)
    before = model.fit(X, X[:, 0]).predict(X)
    with pytest.raises(ValueError, match="norm"):
        model.set_params(norm="bach").fit(X, X[:, 0])
    assert (model.predict(X) == before).all()


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_what_is_too_large_is_named() -> None:
    y = 1e307 * X[:, 0]
    with pytest.raises(ValueError, match="y is too large to be scaled"):
        pymlp.MLPRegressor(scale=True).fit(X, y)
    with pytest.raises(ValueError, match="sample_weight must have a finite sum"):
        pymlp.MLPRegressor().fit(X, X[:, 0], sample_weight=np.full(20, 1e308))
    with pytest.raises(TypeError, match="y must hold real numbers"):
        pymlp.MLPRegressor(scale=True).fit(X, ["a", "b"] * 10)
    model = pymlp.MLPRegressor(scale=True, max_iter=2)
    model.fit(1e306 * X, X[:, 0])
    assert np.isfinite(model.predict(1e306 * X)).all()
