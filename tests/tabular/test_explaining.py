"""Models of tables explain their predictions by columns."""

import pickle

import numpy as np
import pytest

import pymlp
from pymlp.tabular import columns_of
from pymlp.tabular.explaining import explained_model

QUICK = {"epochs": 15, "random_state": 0, "learning_rate": 0.01}
# Products of another library may have other bits where the number of rows is another.
DIGITS = 1e-9 if pymlp.get_arithmetic() == "exact" else 1e-3
METHODS = ("integrated_gradients", "expected_gradients", "shapley")


def flats(n=200):
    """Return a table of all kinds of columns, and rents; the colour of the door plays no part."""
    rng = np.random.default_rng(0)
    area, city = rng.uniform(20, 150, n), rng.choice(["Bern", "Chur", "Genf"], n)
    built = np.datetime64("1950-01-01") + rng.integers(0, 20_000, n)
    rent = 300 + 14 * area + 400 * (city == "Genf") + rng.normal(0, 20, n)
    missing = np.where(np.arange(n) % 9 == 0, np.nan, area)
    table = {
        "id": np.arange(1, n + 1),
        "area": missing,
        "country": ["CH"] * n,
        "city": city,
        "built": built,
        "door": rng.choice(["red", "blue"], n),
    }
    return table, rent


@pytest.fixture(scope="module")
def regressor():
    return pymlp.TabularRegressor(**QUICK).fit(*flats())


@pytest.fixture(scope="module")
def linear():
    return pymlp.TabularRegressor(hidden_layer_sizes=(), dtype="float64", **QUICK).fit(*flats())


def classifier(n_classes, **options):
    X, y = flats()
    labels = np.digitize(y, np.quantile(y, np.arange(1, n_classes) / n_classes))
    return pymlp.TabularClassifier(**QUICK, **options).fit(X, [f"class {i}" for i in labels])


@pytest.fixture(scope="module")
def two():
    return classifier(2)


@pytest.fixture(scope="module")
def three():
    return classifier(3)


# ---- values of rows --------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_values_add_up_to_predictions(regressor, method):
    X, _ = flats()
    found = regressor.explain(X, method=method)
    assert found.values.shape == (200, 6)
    assert len(found) == 200
    np.testing.assert_allclose(found.outputs, regressor.predict(X), rtol=1e-5)
    np.testing.assert_allclose(
        found.gap, found.outputs - found.base - found.values.sum(axis=1), rtol=1e-12
    )
    shares = {"integrated_gradients": 0.05, "expected_gradients": 0.05, "shapley": 1e-12}
    assert np.abs(found.gap).max() < shares[method] * np.ptp(found.outputs)
    if method == "integrated_gradients":
        np.testing.assert_allclose(found.error[:, 0], np.abs(found.gap), atol=1e-9)
    else:
        assert found.error.shape == found.values.shape


@pytest.mark.parametrize("method", METHODS)
def test_columns_that_are_left_out_have_0(regressor, method):
    found = regressor.explain(flats()[0], method=method)
    assert found.columns == ("id", "area", "country", "city", "built", "door")
    assert (found.values[:, [0, 2]] == 0.0).all()
    assert found.importances.argmax() == 1
    assert (np.abs(found.values[:, [1, 3]]).max(axis=0) > 100).all()


@pytest.mark.parametrize("method", METHODS)
def test_linear_models_have_the_values_of_the_closed_form(linear, method):
    X, _ = flats()
    background = {name: values[:50] for name, values in X.items()}
    found = linear.explain(X, method=method, background=background, n_samples=100)
    inputs = linear.encoder_.transform(X)
    mean = linear.encoder_.transform(background).mean(axis=0)
    weights = np.mean([network.weights[0][:, 0] for network in linear.networks_], axis=0)
    terms = (inputs - mean) * weights * linear.scale_.deviation
    labels = linear.encoder_.get_feature_names_out()
    for i, name in enumerate(found.columns):
        own = [label == name or label.startswith((f"{name} ", f"{name}=")) for label in labels]
        np.testing.assert_allclose(
            found.values[:, i], terms[:, own].sum(axis=1), rtol=1e-7, atol=1e-7
        )
    assert np.abs(found.gap).max() < 1e-7


@pytest.mark.parametrize("method", METHODS)
def test_log_odds_of_two_classes(two, method):
    X, _ = flats()
    found = two.explain(X, method=method)
    assert (found.output, found.labels, found.values.shape) == ("log-odds", None, (200, 6))
    P = two.predict_proba(X).astype(np.float64)
    np.testing.assert_allclose(found.outputs, np.log(P[:, 1] / P[:, 0]), atol=1e-4)
    assert np.abs(found.gap).max() < 0.1 * np.ptp(found.outputs)
    again = two.explain(X, method=method, output="logits")
    np.testing.assert_array_equal(again.values, found.values)


@pytest.mark.parametrize("method", METHODS)
def test_probabilities_of_two_classes(two, method):
    X, _ = flats()
    found = two.explain(X, method=method, output="probabilities")
    assert (found.output, found.labels) == ("probabilities", None)
    np.testing.assert_allclose(found.outputs, two.predict_proba(X)[:, 1], atol=1e-6)
    assert np.abs(found.gap).max() < 0.15  # of 1


@pytest.mark.parametrize("output", ["logits", "probabilities"])
@pytest.mark.parametrize("method", METHODS)
def test_each_of_several_classes_has_values(three, method, output):
    X, _ = flats()
    found = three.explain(X, method=method, output=output)
    assert found.values.shape == (200, 6, 3)
    assert found.labels == ("class 0", "class 1", "class 2")
    assert np.shape(found.base) == (3,)
    P = three.predict_proba(X).astype(np.float64)
    expected = P if output == "probabilities" else np.log(P) - np.log(P).mean(axis=1)[:, None]
    np.testing.assert_allclose(found.outputs, expected, atol=1e-4)
    # What all of them have together does not change.
    np.testing.assert_allclose(found.values.sum(axis=2), 0.0, atol=1e-4)
    np.testing.assert_array_equal(found.to_dict("class 1")["city"], found.values[:, 3, 1])


def test_one_class_has_nothing_to_explain():
    X, _ = flats()
    model = pymlp.TabularClassifier(**QUICK).fit(X, ["same"] * 200)
    for method in METHODS:
        assert (model.explain(X, method=method).values == 0.0).all()
    assert model.feature_importances_.tolist() == [0.0] * 6


def test_a_constant_target_has_nothing_to_explain():
    X, _ = flats()
    model = pymlp.TabularRegressor(**QUICK).fit(X, np.full(200, 7.0))
    for method in METHODS:
        found = model.explain(X, method=method)
        assert (found.values == 0.0).all()
        assert found.base == 7.0
    assert model.feature_importances_.tolist() == [0.0] * 6


def test_quantiles_are_explained_each():
    X, y = flats()
    model = pymlp.TabularRegressor(quantiles=(0.1, 0.9), **QUICK).fit(X, y)
    for method in METHODS:
        found = model.explain(X, method=method)
        assert found.labels == (0.1, 0.9)
        assert found.values.shape == (200, 6, 2)
        np.testing.assert_allclose(found.outputs, model.predict_quantiles(X), rtol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_rows_and_columns_in_any_order(regressor, method):
    X, _ = flats()
    whole = regressor.explain(X, method=method)
    some = regressor.explain(
        {name: X[name][3:9] for name in ("door", "built", "area", "city")}, method=method
    )
    assert some.columns == whole.columns
    np.testing.assert_allclose(some.values, whole.values[3:9], rtol=DIGITS, atol=DIGITS)


def test_missing_and_unknown_values_are_explained(regressor):
    X = {"area": [None, 80], "city": ["Basel", None], "built": [None, "2001-02-03"]}
    found = regressor.explain({**X, "door": ["red", None]}, method="shapley")
    assert np.isfinite(found.values).all()
    assert np.abs(found.gap).max() < 1e-8


@pytest.mark.parametrize("method", ["expected_gradients", "shapley"])
def test_random_state_fixes_the_draws(regressor, method):
    X, _ = flats()
    first, same, other = (
        regressor.explain(X, method=method, random_state=seed).values for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()
    generator = np.random.default_rng(1)
    drawn = [regressor.explain(X, method=method, random_state=generator) for _ in range(2)]
    assert (drawn[0].values != drawn[1].values).any()


@pytest.mark.parametrize("method", METHODS)
def test_large_tables_are_taken_in_pieces(regressor, method, monkeypatch):
    X, _ = flats()
    whole = regressor.explain(X, method=method)
    monkeypatch.setattr(explained_model, "_AT_ONCE", 333)
    monkeypatch.setattr(explained_model, "_MOST", 200)
    found = regressor.explain(X, method=method)
    np.testing.assert_allclose(found.values, whole.values, rtol=DIGITS, atol=DIGITS)
    assert regressor.explain(X, method=method, background=columns_of(X)).values.shape == (200, 6)


def test_values_change_with_the_background(regressor):
    X, _ = flats()
    large = np.flatnonzero(np.nan_to_num(X["area"]) > 120)
    background = {name: np.asarray(values)[large] for name, values in X.items()}
    for method in METHODS:
        found = regressor.explain(X, method=method, background=background)
        assert found.base > 1900
        assert found.values[:, 1].mean() < -100


def test_threads_do_not_change_a_bit(regressor):
    X, _ = flats()
    for method in METHODS:
        values = []
        for n_jobs in (1, 2):
            regressor.set_params(n_jobs=n_jobs)
            values.append(regressor.explain(X, method=method).values)
        regressor.set_params(n_jobs=None)
        np.testing.assert_array_equal(*values)


# ---- the object ------------------------------------------------------------------------------


def test_explanations_cannot_be_changed(regressor):
    found = regressor.explain(flats()[0])
    with pytest.raises(ValueError, match="read-only"):
        found.values[0] = 1.0
    with pytest.raises(AttributeError):
        found.base = 0.0


def test_explanations_are_shown(regressor, three):
    X, _ = flats()
    text = repr(regressor.explain(X))
    assert text.startswith("Explanation of the target of 200 rows by integrated_gradients, mean si")
    assert text.index("area") < text.index("city") < text.index("country")
    one = regressor.explain({name: values[:1] for name, values in X.items()})
    assert repr(one).splitlines()[0].endswith("of 1 row by integrated_gradients, value:")
    assert f"{one.base:.4g}" in repr(one)
    assert "logits of 200 rows" in repr(three.explain(X))
    assert "<table" in one._repr_html_()
    many = np.random.default_rng(0).normal(size=(40, 15))
    found = pymlp.TabularRegressor(**QUICK).fit(many, many[:, 0]).explain(many)
    assert "(3 columns more)" in repr(found)
    assert found.columns[:2] == ("0", "1")


def test_frames_are_made_of_explanations(regressor, three):
    pandas = pytest.importorskip("pandas")
    X, _ = flats()
    frame = pandas.DataFrame(regressor.explain(X).to_dict())
    assert frame.shape == (200, 6)
    for label in (None, "class 7"):
        with pytest.raises(ValueError, match=r"label must be one of \['class 0'"):
            three.explain(X).to_dict(label)
    with pytest.raises(ValueError, match="label must be None"):
        regressor.explain(X).to_dict("class 0")


# ---- wrong arguments -------------------------------------------------------------------------


def test_all_wrong_arguments_are_named(regressor, two):
    X, _ = flats()
    with pytest.raises(ValueError, match=r"method must be one of .*; n_samples .*; output must be"):
        two.explain(X, method="lime", n_samples=0, output="odds")
    with pytest.raises(ValueError, match="output must be one of None, not 'logits'"):
        regressor.explain(X, output="logits")
    with pytest.raises(TypeError, match="n_samples must be an integer, not float"):
        regressor.explain(X, n_samples=1.5)
    with pytest.raises(ValueError, match="n_samples must be at least 4, not 3"):
        regressor.explain(X, method="shapley", n_samples=3)
    with pytest.raises(ValueError, match="n_samples must be at least 2, not 1"):
        regressor.explain(X, method="expected_gradients", n_samples=1)
    with pytest.raises(ValueError, match=r"background: .* lacks columns .*'area'"):
        regressor.explain(X, background={"city": ["Bern"]})
    with pytest.raises(ValueError, match=r"lacks columns .*'area', 'built'"):
        regressor.explain({"city": ["Bern"], "door": ["red"]})
    with pytest.raises(TypeError, match="random_state must be"):
        regressor.explain(X, random_state="0")
    for name in ("explain", "importances"):
        with pytest.raises(ValueError, match="is not fitted yet"):
            getattr(pymlp.TabularRegressor(), name)(X)
    assert not hasattr(pymlp.TabularRegressor(), "feature_importances_")


def test_wrong_arguments_of_importances(regressor):
    X, y = flats()
    with pytest.raises(ValueError, match="y must go with X"):
        regressor.importances(X)
    with pytest.raises(ValueError, match="y and sample_weight must go with X"):
        regressor.importances(None, y, sample_weight=y)
    with pytest.raises(ValueError, match="n_repeats must be at least 1"):
        regressor.importances(X, y, n_repeats=0)
    with pytest.raises(ValueError, match="must compare numbers"):
        regressor.importances(X, y, metric="accuracy")
    with pytest.raises(ValueError, match="unknown metric"):
        regressor.importances(X, y, metric="rsme")
    with pytest.raises(ValueError, match="must be the name of a metric"):
        regressor.importances(X, y, metric=lambda y, a: 0.0)
    with pytest.raises(ValueError, match="'r2' has no value on these rows"):
        regressor.importances({name: v[:1] for name, v in X.items()}, y[:1], metric="r2")


# ---- importances -----------------------------------------------------------------------------


def test_importances_are_what_shuffled_columns_cost(regressor):
    X, y = flats()
    found = regressor.importances(X, y, n_repeats=3, random_state=5)
    assert found.values.shape == (6, 3)
    assert found.metric == "rmse"
    assert found.score == pytest.approx(pymlp.metrics.rmse(y, regressor.predict(X)), rel=1e-6)
    generator = np.random.default_rng(5)
    for repeat in range(3):
        order = generator.permutation(200)
        for i, name in enumerate(X):
            shuffled = {**X, name: np.asarray(X[name])[order]}
            loss = pymlp.metrics.rmse(y, regressor.predict(shuffled)) - found.score
            assert found.values[i, repeat] == pytest.approx(loss, abs=1e-3)
    assert list(found.to_dict())[:2] == ["area", "city"]
    np.testing.assert_allclose(found.mean, found.values.mean(axis=1))
    np.testing.assert_allclose(found.deviation, found.values.std(axis=1))


def test_importances_agree_with_scikit_learn():
    inspection = pytest.importorskip("sklearn.inspection")
    datasets = pytest.importorskip("sklearn.datasets")
    X, y = datasets.load_diabetes(return_X_y=True)
    model = pymlp.TabularRegressor(random_state=0).fit(X, y)
    theirs = inspection.permutation_importance(
        model, X, y, scoring="neg_root_mean_squared_error", n_repeats=20, random_state=0
    )
    ours = model.importances(X, y, n_repeats=20)
    spread = (theirs.importances_std + ours.deviation) / 20**0.5 + 1e-6
    assert np.abs((ours.mean - theirs.importances_mean) / spread).max() < 4


def test_more_or_less_of_a_metric_is_better(three):
    X, _ = flats()
    labels = three.predict(X)
    for metric in (None, "log_loss", "accuracy", "auc"):
        found = three.importances(X, labels, metric=metric)
        assert found.mean[1] > 0.01
        assert found.mean.argmax() == 1
    assert three.importances(X, labels, metric="accuracy").score == 1.0
    assert three.importances(X, labels).metric == "log_loss"
    assert three.importances({"y": labels, **X}, "y").metric == "log_loss"
    weights = np.r_[np.ones(100), np.zeros(100)]
    half = {name: values[:100] for name, values in X.items()}
    assert three.importances(X, labels, sample_weight=weights).score == pytest.approx(
        three.importances(half, labels[:100]).score
    )


def test_importances_are_shown(regressor):
    found = regressor.importances(*flats())
    lines = repr(found).splitlines()
    assert lines[0].startswith("Importances: what rmse loses without a column, from ")
    assert lines[1].split()[0] == "area"
    assert "±" in lines[1]
    assert "<table" in found._repr_html_()
    with pytest.raises(ValueError, match="read-only"):
        found.values[0] = 1.0


def test_feature_importances(regressor, three):
    for model in (regressor, three):
        found = model.feature_importances_
        assert found.shape == (6,)
        assert (found >= 0.0).all()
        assert found.sum() == pytest.approx(1.0)
        assert found.argmax() == 1
        assert found[0] == found[2] == 0.0
        found[:] = 0.0
        assert model.feature_importances_.sum() == pytest.approx(1.0)


def test_feature_importances_are_those_of_the_held_out_rows():
    X, y = flats()
    model = pymlp.TabularRegressor(**QUICK)
    learnt, held_out = (
        {name: values[rows] for name, values in X.items()} for rows in (slice(100), slice(100, 200))
    )
    model.fit(learnt, y[:100], validation=(held_out, y[100:]))
    losses = model.importances(held_out, y[100:]).mean
    np.testing.assert_allclose(model.importances().mean, losses, rtol=1e-4)
    losses = losses.clip(0)
    np.testing.assert_allclose(model.feature_importances_, losses / losses.sum(), rtol=1e-4)


def test_feature_importances_without_held_out_rows():
    X, y = flats(12)
    model = pymlp.TabularRegressor(**QUICK).fit(X, y)
    assert model.feature_importances_.sum() == pytest.approx(1.0)
    assert model.explain(X, method="shapley").values.shape == (12, 6)


def test_rows_without_weight_are_no_reason_to_fail():
    X, _ = flats()
    labels = ["yes"] * 20 + ["no"] * 180
    model = pymlp.TabularClassifier(class_weight={"no": 0.0}, validation=None, **QUICK)
    assert np.isfinite(model.fit(X, labels).feature_importances_).all()


# ---- files -----------------------------------------------------------------------------------


def test_files_hold_importances_and_the_mean_row_but_no_rows(regressor, tmp_path):
    X, _ = flats()
    regressor.save(tmp_path / "rents.safetensors")
    again = pymlp.load(tmp_path / "rents.safetensors")
    np.testing.assert_array_equal(again.feature_importances_, regressor.feature_importances_)
    np.testing.assert_array_equal(again.explain(X).values, regressor.explain(X).values)
    for method in ("shapley", "expected_gradients"):
        with pytest.raises(ValueError, match="background must be given for method="):
            again.explain(X, method=method)
        found = again.explain(X, method=method, background=X)
        np.testing.assert_array_equal(
            found.values, regressor.explain(X, method=method, background=X).values
        )
    with pytest.raises(ValueError, match="X and y must be given: this model comes from a file"):
        again.importances()
    again.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (
        tmp_path / "rents.safetensors"
    ).read_bytes()


def test_files_of_before_have_no_importances(regressor, tmp_path, monkeypatch):
    X, y = flats()
    with monkeypatch.context() as patched:
        patched.setattr(explained_model.ExplainedModel, "_explaining_to_dict", lambda self: {})
        regressor.save(tmp_path / "rents.safetensors")
    again = pymlp.load(tmp_path / "rents.safetensors")
    assert not hasattr(again, "feature_importances_")
    with pytest.raises(ValueError, match="background must be given"):
        again.explain(X)
    assert again.importances(X, y).mean.argmax() == 1
    again.save(tmp_path / "again.safetensors")


def test_pickles_keep_the_rows(regressor):
    X, _ = flats()
    again = pickle.loads(pickle.dumps(regressor))
    np.testing.assert_array_equal(
        again.explain(X, method="shapley").values, regressor.explain(X, method="shapley").values
    )


# ---- beside shap -----------------------------------------------------------------------------


def test_shapley_values_agree_with_shap():
    shap = pytest.importorskip("shap")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4))
    y = X[:, 0] * X[:, 1] + X[:, 2]
    model = pymlp.TabularRegressor(**QUICK).fit(X, y)
    background, some = X[:30], X[100:110]
    theirs = shap.ExactExplainer(model.predict, background)(some)
    ours = model.explain(some, method="shapley", background=background, n_samples=2400)
    assert np.abs((ours.values - theirs.values) / (ours.error + 1e-9)).max() < 5
    np.testing.assert_allclose(ours.base, theirs.base_values, rtol=1e-4, atol=1e-4)
