"""Regressors of several targets, and of quantiles."""

import numpy as np
import pytest

import pymlp
from pymlp.cli import main
from pymlp.tabular.quantiles import middle_of, rearranged

QUICK = {"epochs": 40, "random_state": 0, "learning_rate": 0.01}


def flats(n=300):
    """Return flats, and rents and noises of very different size."""
    rng = np.random.default_rng(0)
    area, city = rng.uniform(20, 150, n), rng.choice(["Bern", "Chur"], n)
    table = {"area": area, "city": city}
    return table, np.column_stack([14 * area + 400 * (city == "Chur"), 1e-3 * (200 - area)])


def several_of(kind, X, y):
    """Return the same targets in another form."""
    names = ("rent", "noise")
    if kind == "names":
        return {"noise": y[:, 1], **X, "rent": y[:, 0]}, list(names)
    if kind == "dict":
        return X, dict(zip(names, y.T, strict=True))
    if kind in ("pandas", "polars"):
        return X, pytest.importorskip(kind).DataFrame(dict(zip(names, y.T, strict=True)))
    return X, y.tolist() if kind == "list" else y


@pytest.mark.parametrize("kind", ["array", "list", "dict", "pandas", "polars", "names"])
def test_targets_of_every_kind(kind):
    X, y = flats()
    table, targets = several_of(kind, X, y)
    model = pymlp.TabularRegressor(**QUICK).fit(table, targets)
    found = model.predict(table)
    assert found.shape == (300, 2)
    assert (pymlp.metrics.r2(y, found, multioutput="raw_values") > 0.97).all()
    assert model.score(table, targets) == pytest.approx(pymlp.metrics.r2(y, found))
    named = kind not in ("array", "list")
    assert model.target_name_ == (("rent", "noise") if named else None)
    assert model.n_features_in_ == 2
    np.testing.assert_allclose(model.scale_.mean, y.mean(axis=0), rtol=0.05)
    np.testing.assert_array_equal(found, pymlp.TabularRegressor(**QUICK).fit(X, y).predict(X))


def test_validation_and_weights_of_several_targets():
    X, y = flats()
    model = pymlp.TabularRegressor(metric="mae", **QUICK)
    model.fit({**X, "a": y[:, 0], "b": y[:, 1]}, ["a", "b"], sample_weight=np.arange(300.0))
    assert "val_mae" in model.history_.metrics
    some = {name: values[:50] for name, values in X.items()}
    model.fit(X, y, validation=(some, y[:50]))
    assert model.n_rows_ == {"training": 300, "validation": 50}


def test_a_table_without_names_may_have_its_targets_with_it():
    X, y = flats()
    rows = np.column_stack([y[:, 0], X["area"], y[:, 1]])
    columns = pymlp.tabular.columns_of(rows)
    model = pymlp.TabularRegressor(**QUICK).fit(columns, ["0", "2"])
    np.testing.assert_array_equal(model.predict(rows), model.predict(rows[:, 1:2]))


def test_files_of_several_targets(tmp_path, capsys):
    X, y = flats()
    model = pymlp.TabularRegressor(**QUICK).fit({**X, "a": y[:, 0], "b": y[:, 1]}, ["a", "b"])
    path = tmp_path / "flats.safetensors"
    model.save(path)
    again = pymlp.load(path)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.target_name_ == ("a", "b")
    assert main(["show", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "  a  number, mean" in printed
    assert "  b  number, mean" in printed
    found = again.explain(X)
    assert found.labels == ("a", "b")
    np.testing.assert_allclose(found.outputs, model.predict(X), rtol=1e-4)
    assert model.explain(X, method="shapley").values.shape == (300, 2, 2)


def test_one_constant_target_among_others_is_predicted(tmp_path):
    X, y = flats()
    y[:, 1] = 3.25
    model = pymlp.TabularRegressor(**QUICK).fit(X, y)
    assert (model.predict(X)[:, 1] == 3.25).all()
    model.save(tmp_path / "flats.safetensors")
    assert (pymlp.load(tmp_path / "flats.safetensors").predict(X)[:, 1] == 3.25).all()


def test_a_file_of_a_constant_target_loads(tmp_path):
    X, _ = flats()
    pymlp.TabularRegressor(epochs=2).fit(X, [7.0] * 300).save(tmp_path / "flats.safetensors")
    assert (pymlp.load(tmp_path / "flats.safetensors").predict(X) == 7.0).all()


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (np.zeros((299, 2)), ValueError, "y must have 300 rows, as X has, not 299"),
        ({"a": [1.0] * 300, "b": [np.nan, *[1.0] * 299]}, ValueError, "y: column 'b': .* 1 of its"),
        (
            {"a": ["x"] * 300, "b": ["y"] * 300},
            ValueError,
            "y: column 'a': y must hold real numbers.*; column 'b': y must hold",
        ),
        (["rent", "area"], ValueError, "y: X has no column 'rent'"),
        (["area", "area"], ValueError, "column names must differ"),
        (["1.5"] * 300, TypeError, "texts of numbers are read where y is the name of a column"),
    ],
)
def test_wrong_targets_are_refused(y, error, message):
    with pytest.raises(error, match=message):
        pymlp.TabularRegressor(**QUICK).fit(flats()[0], y)


def test_a_classifier_has_one_target():
    X, y = flats()
    with pytest.raises(ValueError, match=r"y should be a 1d array.*TabularRegressor predicts"):
        pymlp.TabularClassifier().fit(X, y.astype(int))


# ---- quantiles -------------------------------------------------------------------------------


def noisy(n=1500):
    """Return samples whose noise grows with x."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, n)
    return {"x": x}, 10 * x + (0.5 + 2 * x) * rng.normal(size=n)


LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


@pytest.fixture(scope="module")
def quantiles():
    model = pymlp.TabularRegressor(quantiles=LEVELS, learning_rate=0.003, random_state=0)
    return model.fit(*noisy())


def test_quantiles_hold_their_shares_and_do_not_cross(quantiles):
    X, y = noisy()
    found = quantiles.predict_quantiles(X)
    assert found.shape == (1500, 5)
    assert (np.diff(found, axis=1) >= 0.0).all()
    np.testing.assert_allclose((y[:, np.newaxis] <= found).mean(axis=0), LEVELS, atol=0.07)
    wide, narrow = quantiles.predict_quantiles({"x": [0.9, 0.1]})
    expected = 2 * 1.645 * np.array([2.3, 0.7])
    np.testing.assert_allclose([wide[-1] - wide[0], narrow[-1] - narrow[0]], expected, rtol=0.3)


def test_quantiles_are_better_than_those_of_the_whole(quantiles):
    X, y = noisy()
    truth, whole = np.tile(y, (5, 1)).T, np.tile(np.quantile(y, LEVELS), (1500, 1))
    found = pymlp.metrics.quantile(truth, quantiles.predict_quantiles(X), alpha=LEVELS)
    assert found < 0.6 * pymlp.metrics.quantile(truth, whole, alpha=LEVELS)
    assert quantiles.importances(X, y).score == pytest.approx(found, rel=1e-6)
    assert quantiles.importances(X, y, metric="pinball").metric == "quantile"
    rmse = pymlp.metrics.rmse(y, quantiles.predict(X))
    assert quantiles.importances(X, y, metric="rmse").score == pytest.approx(rmse, rel=1e-6)


def test_putting_outputs_in_order_makes_no_pinball_loss_larger():
    rng = np.random.default_rng(0)
    y, outputs = rng.normal(size=(200, 1)), rng.normal(size=(200, 5))
    truth = np.repeat(y, 5, axis=1)
    before = pymlp.metrics.quantile(truth, outputs, alpha=LEVELS)
    after = pymlp.metrics.quantile(truth, rearranged(outputs), alpha=LEVELS)
    assert after < before


def test_a_prediction_is_the_median(quantiles):
    X, _ = noisy()
    np.testing.assert_array_equal(quantiles.predict(X), quantiles.predict_quantiles(X)[:, 2])


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ((0.1, 0.5), 2.0), ((0.5,), 1.0), ((0.25, 0.75), 1.5), ((0.4, 0.8), 1.25),
        ((0.6, 0.8), 1.0), ((0.1, 0.2), 2.0), ((0.1, 0.3, 0.7), 2.5),
    ],
)  # fmt: skip
def test_the_median_lies_between_levels(levels, expected):
    outputs = np.arange(1.0, len(levels) + 1)[np.newaxis]
    assert middle_of(outputs, levels) == pytest.approx([expected])


@pytest.mark.parametrize("metric", ["pinball", "mae", "r2"])
def test_the_best_epoch_by_a_metric_of_quantiles(metric):
    X, y = noisy(300)
    model = pymlp.TabularRegressor(quantiles=(0.1, 0.9), metric=metric, **QUICK).fit(X, y)
    (name,) = (n for n in model.history_.metrics if n.startswith("val_"))
    assert np.isfinite(model.history_.metrics[name]).all()


def test_files_of_quantiles(quantiles, tmp_path):
    X, _ = noisy()
    quantiles.save(tmp_path / "noise.safetensors")
    again = pymlp.load(tmp_path / "noise.safetensors")
    np.testing.assert_array_equal(again.predict_quantiles(X), quantiles.predict_quantiles(X))
    np.testing.assert_array_equal(again.predict(X), quantiles.predict(X))
    assert again.quantiles == LEVELS


@pytest.mark.parametrize(
    ("levels", "error", "message"),
    [
        (0.5, TypeError, "quantiles must be a sequence of levels .*, not float"),
        ("0.5", TypeError, "quantiles must be a sequence of levels .*, not str"),
        ((), ValueError, "quantiles must be levels that ascend, not \\(\\)"),
        ((0.5, 0.5), ValueError, "quantiles must be levels that ascend"),
        ((0.9, 0.1), ValueError, "quantiles must be levels that ascend"),
        ((0.1, 1), ValueError, r"quantiles\[1\] must be below 1, not 1"),
        ((0.1, "a"), TypeError, r"quantiles\[1\] must be a number, not str"),
    ],
)
def test_wrong_levels_are_refused(levels, error, message):
    with pytest.raises(error, match=message):
        pymlp.TabularRegressor(quantiles=levels).fit(*noisy(30))


def test_quantiles_of_a_model_without():
    model = pymlp.TabularRegressor(epochs=1).fit(*noisy(30))
    with pytest.raises(ValueError, match="this model has learnt no quantiles"):
        model.predict_quantiles(noisy(30)[0])
    with pytest.raises(ValueError, match="quantiles go with one target, and y has 2"):
        pymlp.TabularRegressor(quantiles=(0.5,)).fit(*flats())
