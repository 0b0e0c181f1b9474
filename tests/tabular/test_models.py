"""Classifier and regressor of tables: what they learn, predict, refuse."""

import sys

import numpy as np
import pytest

import pymlp
from pymlp.tabular import columns_of

# One network, and steps that are quick to learn from few rows.
ONE = {"n_members": 1, "random_state": 0}
QUICK = ONE | {"epochs": 40, "optimizer": "adam", "learning_rate": 0.01}


def pets(n=120):
    """Return animals of three kinds that weight and colour tell apart."""
    rng = np.random.default_rng(5)
    kinds = [("cat", 4, "grey"), ("dog", 30, "grey"), ("fox", 4, "red")]
    pet, weight, colour = map(list, zip(*[kinds[i % 3] for i in range(n)], strict=True))
    return {"weight": weight * rng.uniform(0.9, 1.1, n), "colour": colour}, pet


def rents(n=300):
    """Return rents that are linear in area, with a rise for one of two cities."""
    area = np.random.default_rng(6).uniform(20, 150, n)
    city = ["ZH" if i % 2 else "GE" for i in range(n)]
    return {"area": area, "city": city}, 500 + 20 * area + 300 * (np.arange(n) % 2)


@pytest.fixture(scope="module")
def classifier():
    return pymlp.TabularClassifier(**QUICK).fit(*pets())


def test_classes(classifier):
    X, y = pets()
    assert classifier.classes_.tolist() == ["cat", "dog", "fox"]
    assert classifier.score(X, y) == 1.0
    assert classifier.predict({"colour": ["red", "grey"], "weight": [4, 31]}).tolist() == [
        "fox",
        "dog",
    ]
    P = classifier.predict_proba(X)
    assert P.shape == (120, 3)
    np.testing.assert_allclose(P.sum(axis=1), 1.0, rtol=1e-6)
    np.testing.assert_allclose(np.exp(classifier.predict_log_proba(X)), P, rtol=1e-5)
    assert classifier.n_rows_ == {"training": 108, "validation": 12}
    assert classifier.n_features_in_ == 2
    assert classifier.feature_names_in_.tolist() == ["weight", "colour"]
    assert classifier.n_iter_ == len(classifier.history_.loss) <= 40


def test_amounts_are_in_the_units_of_the_target():
    X, y = rents()
    model = pymlp.TabularRegressor(**QUICK).fit(X, y)
    assert model.score(X, y) > 0.99
    found = model.predict({"city": ["GE", "ZH"], "area": [50, 100]})
    assert found.shape == (2,)
    np.testing.assert_allclose(found, [1500, 2800], rtol=0.05)
    large = pymlp.TabularRegressor(**QUICK).fit(X, y + 1e9)  # whose digits float32 does not have
    np.testing.assert_allclose(large.predict(X), model.predict(X) + 1e9, atol=1.0, rtol=0)


@pytest.mark.parametrize("kind", [list, np.array, "pandas", "polars", "name", "column"])
def test_targets_of_every_kind(kind):
    X, y = pets()
    expected = pymlp.TabularClassifier(**QUICK).fit(X, y).predict_proba(X)
    if kind == "pandas":
        y = pytest.importorskip("pandas").Series(y, index=range(7, 127))
    elif kind == "polars":
        y = pytest.importorskip("polars").Series(y)
    elif kind == "name":
        X, y = {"pet": y, **X}, "pet"
    elif kind == "column":
        codes = np.arange(120, dtype=np.int32) % 3
        y = pymlp.tabular.Column("pet", codes, ("cat", "dog", "fox"))
    else:
        y = kind(y)
    model = pymlp.TabularClassifier(**QUICK).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), expected)
    assert model.score(X, y) == 1.0
    assert model.target_name_ == (
        "pet" if isinstance(kind, str) and kind in ("name", "column") else None
    )


@pytest.mark.parametrize(
    ("labels", "dtype"),
    [([7, 3], "int64"), ([7.0, 3.0], "float64"), ([True, False], "bool"), (["b", "a"], "O")],
)
def test_classes_are_of_the_kind_of_the_labels(labels, dtype):
    model = pymlp.TabularClassifier(**QUICK).fit({"x": [0, 1] * 20}, labels * 20)
    assert model.classes_.dtype == dtype
    assert model.classes_.tolist() == sorted(labels)
    assert model.predict({"x": [0, 1]}).tolist() == labels


@pytest.mark.parametrize(("labels", "others"), [([True, False], ["true", "false"]), ("ab", [0, 1])])
def test_a_score_by_labels_of_another_kind_is_refused(labels, others):
    model = pymlp.TabularClassifier(**QUICK).fit({"x": [0, 1] * 20}, list(labels) * 20)
    with pytest.raises(ValueError, match=f"is {others[0]!r}, but the classes are .* of their kind"):
        model.score({"x": [0, 1]}, others)


def test_a_regression_says_where_texts_of_numbers_are_read():
    with pytest.raises(TypeError, match=r"y\[1\] is '1,5'; .* y is the name of a column of X, and"):
        pymlp.TabularRegressor().fit({"x": [0, 1]}, [1, "1,5"])


def test_target_by_name_is_read_as_frames_have_it():
    table = {"x": [0, 1, 2, 3] * 10, "y": ["1,5", "2,5", "3,5", "4,5"] * 10}
    model = pymlp.TabularRegressor(epochs=200, random_state=0).fit(table, "y")
    assert model.score(table, "y") > 0.9
    assert model.target_name_ == "y"
    flags = {"x": [0, 1] * 20, "y": [False, True] * 20}
    assert pymlp.TabularClassifier(epochs=1).fit(flags, "y").classes_.dtype == bool


def test_a_table_without_names_may_have_its_target_with_it():
    rows = [[i % 2, "xy"[i % 2], i % 7] for i in range(60)]
    table = pymlp.tabular.columns_of(rows)
    model = pymlp.TabularClassifier(**QUICK).fit(table, "1")
    assert model.n_features_in_ == 2
    without = [[a, c] for a, _, c in rows]
    np.testing.assert_array_equal(model.predict(rows), model.predict(without))


def test_frames_of_every_kind_predict_the_same(classifier):
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    X, _ = pets()
    expected = classifier.predict_proba(X)
    turned = dict(reversed(X.items()))
    for frame in (pd.DataFrame(turned), pl.DataFrame(turned), pl.DataFrame(turned).to_arrow()):
        np.testing.assert_array_equal(classifier.predict_proba(frame), expected)
    array = pd.DataFrame(X).to_numpy()
    np.testing.assert_array_equal(classifier.predict_proba(array), expected)


def test_missing_and_unknown_values_are_predicted(classifier):
    P = classifier.predict_proba({"weight": [None, 4.0], "colour": ["blue", None]})
    assert np.isfinite(P).all()


def test_predictions_by_pieces_are_the_same(classifier, monkeypatch):
    X, _ = pets(1000)
    expected = classifier.predict_proba(X)
    monkeypatch.setattr(sys.modules["pymlp.tabular.model"], "_ROWS_AT_ONCE", 300)
    # Products of another library may have other bits where the number of rows is another.
    rtol = 0 if pymlp.get_arithmetic() == "exact" else 1e-5
    np.testing.assert_allclose(classifier.predict_proba(X), expected, rtol=rtol)


def test_same_seed_same_model():
    def found(random_state):
        model = pymlp.TabularClassifier(epochs=3, random_state=random_state).fit(*pets())
        return model.predict_proba(pets()[0])

    np.testing.assert_array_equal(found(1), found(1))
    assert not np.array_equal(found(1), found(2))
    assert not np.array_equal(found(None), found(None))
    for kind in (np.random.RandomState, np.random.default_rng):
        np.testing.assert_array_equal(found(kind(3)), found(kind(3)))


@pytest.mark.parametrize("n_jobs", [None, -1, 1, 2])
def test_threads_do_not_change_it(classifier, n_jobs):
    model = pymlp.TabularClassifier(**QUICK, n_jobs=n_jobs).fit(*pets())
    np.testing.assert_array_equal(
        model.predict_proba(pets()[0]), classifier.predict_proba(pets()[0])
    )


# ---- options -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"hidden_layer_sizes": (7, 5)},
        {"hidden_layer_sizes": 9},
        {"hidden_layer_sizes": ()},
        {"activation": "tanh"},
        {"activation": pymlp.LeakyReLU(0.3)},
        {"dropout": 0.5},
        {"optimizer": "sgd"},
        {"optimizer": pymlp.Adam(0.1), "learning_rate": None},
        {"learning_rate": 0.1},
        {"epochs": 1},
        {"batch_size": 8},
        {"l2": 0.1},
        {"validation": 0.3},
        {"validation": None},
        {"metric": "accuracy", "patience": 2},
        {"class_weight": {"cat": 9.0}},
        {"label_smoothing": 0.3},
        {"ignore": ["colour"]},
        {"categorical": "weight"},
        {"categorical": "weight", "max_categories": 3},
        {"dtype": "float64"},
    ],
    ids=str,
)
def test_options_change_the_model(classifier, options):
    X, y = pets()
    model = pymlp.TabularClassifier(**(QUICK | {"learning_rate": 0.01} | options)).fit(X, y)
    assert not np.array_equal(model.predict_proba(X), classifier.predict_proba(X))


def test_options_reach_the_network():
    model = pymlp.TabularClassifier(
        hidden_layer_sizes=[7, 5], activation="tanh", dropout=0.1, dtype="float64", epochs=2
    ).fit(*pets())
    net = model.network_
    assert (net.widths, net.dropout, net.dtype) == ((3, 7, 5, 3), (0.1, 0.1), np.float64)
    assert [layer.activation.name for layer in net.layers] == ["tanh", "tanh", "softmax"]


def test_patience():
    rng = np.random.default_rng(0)
    noise, y = rng.normal(size=(200, 3)), rng.integers(0, 2, 200)
    model = pymlp.TabularClassifier(**QUICK | {"epochs": 1000, "patience": 4}).fit(noise, y)
    assert model.history_.stopped_by == "early_stopping"
    assert model.n_iter_ - model.history_.best_epoch == 5


def test_time_is_limited():
    model = pymlp.TabularRegressor(epochs=10**6, patience=10**6, max_seconds=0.2).fit(*rents())
    assert model.history_.stopped_by == "max_seconds"


def test_metric_chooses_the_epoch():
    X, y = rents()
    model = pymlp.TabularRegressor(metric="mae", epochs=20, random_state=0).fit(X, y)
    recorded = model.history_.metrics["val_mae"]
    assert len(recorded) == 20
    assert model.history_.best_epoch == int(np.argmin(recorded))
    assert 10 < recorded[0] < 10_000, "in the units of the target"
    model = pymlp.TabularRegressor(metric="r2", epochs=20, random_state=0).fit(X, y)
    recorded = model.history_.metrics["val_r2"]
    assert model.history_.best_epoch == int(np.argmax(recorded))


def test_weights_count_as_rows():
    # Every row twice, or with the weight 2: the same for a step that sees all of them.
    X, y = pets(30)
    options = QUICK | {"dtype": "float64", "validation": None, "batch_size": None, "dropout": 0.0}
    twice = {name: [*values, *values[:3]] for name, values in X.items()}
    repeated = pymlp.TabularClassifier(**options).fit(twice, [*y, *y[:3]])
    weights = np.repeat([2.0, 1.0, 0.0], [3, 27, 2])
    more = {"weight": [*X["weight"], 900.0, 1.0], "colour": [*X["colour"], "blue", None]}
    weighted = pymlp.TabularClassifier(**options).fit(more, [*y, "emu", "emu"], weights)
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-9)
    assert weighted.classes_.tolist() == ["cat", "dog", "fox"]


def test_balanced_classes_are_weights_of_rows():
    X, y = pets(90)
    X = {"colour": X["colour"], "blue": [True, False] * 45}  # of categories no mean is weighted
    y = ["cat"] * 45 + y[45:]
    options = QUICK | {"dtype": "float64", "validation": None}
    balanced = pymlp.TabularClassifier(**options, class_weight="balanced").fit(X, y)
    counts = {label: y.count(label) for label in set(y)}
    weights = [90 / (3 * counts[label]) for label in y]
    weighted = pymlp.TabularClassifier(**options).fit(X, y, weights)
    np.testing.assert_allclose(balanced.predict_proba(X), weighted.predict_proba(X), rtol=1e-9)


def test_scores_are_weighted(classifier):
    X, y = pets(3)
    weights = [1.0, 2.0, 5.0]
    assert classifier.score(X, ["cat", "cat", "fox"], weights) == pytest.approx(0.75)
    model = pymlp.TabularRegressor(epochs=1).fit(*rents())
    X, y = rents(10)
    score = pymlp.metrics.r2(y, model.predict(X), sample_weight=np.arange(10))
    assert model.score(X, y, np.arange(10)) == pytest.approx(score)


# ---- what tells when to stop ---------------------------------------------------------------------


def test_given_validation():
    X, y = pets()
    Xv, yv = pets(33)
    model = pymlp.TabularClassifier(**QUICK).fit(X, y, validation=(Xv, yv))
    assert model.n_rows_ == {"training": 120, "validation": 33}
    weighted = pymlp.TabularClassifier(**QUICK).fit(
        X, y, validation=({**Xv, "y": yv}, "y", [1] * 33)
    )
    np.testing.assert_allclose(weighted.predict_proba(X), model.predict_proba(X), rtol=1e-5)
    for wrong, error, message in (
        (0.2, TypeError, "must be .*set_params"),
        ((Xv, yv[:3]), ValueError, "validation: y must have 33 rows"),
        ((Xv, ["emu"] * 33), ValueError, "validation: y has a class .* 'emu'"),
        (({"weight": [1.0]}, ["cat"]), ValueError, "validation: Xv lacks .*'colour'"),
    ):
        with pytest.raises(error, match=message):
            pymlp.TabularClassifier(**QUICK).fit(X, y, validation=wrong)


def test_groups_are_held_out_together():
    X, y = rents(100)
    groups = np.arange(100) % 9
    table = {**X, "household": [f"h{g}" for g in groups]}
    model = pymlp.TabularRegressor(epochs=2, **ONE).fit(table, y, groups="household")
    assert model.n_rows_["validation"] in (11, 12)
    assert [field.name for field in model.encoder_.fields_] == ["area", "city"]
    other = pymlp.TabularRegressor(epochs=2, **ONE).fit(X, y, groups=groups)
    np.testing.assert_array_equal(model.predict(X), other.predict(X))


def test_a_column_of_groups_keeps_its_position():
    rng = np.random.default_rng(0)
    household, a, b = np.arange(200) % 20, rng.normal(size=200), rng.normal(size=200)
    X = columns_of(np.column_stack([household, a, 3 * b, b]))
    model = pymlp.TabularRegressor(epochs=20, random_state=0).fit(X, "2", groups="0")
    expected = model.predict(np.column_stack([a, b]))
    for table in (X, np.column_stack([household, a, b])):
        np.testing.assert_array_equal(model.predict(table), expected)


def test_the_scale_is_that_of_the_training_rows():
    y = np.arange(100.0)
    model = pymlp.TabularRegressor(epochs=1).fit({"x": y % 7}, y, time=y)
    assert model.scale_.mean == y[:90].mean()
    assert model.scale_.deviation == pytest.approx(y[:90].std())


def test_whole_targets_beyond_64_bits():
    y = 1e20 * (np.arange(40) % 4)
    model = pymlp.TabularRegressor(epochs=1).fit({"x": np.arange(40.0) % 9, "y": y}, "y")
    assert 1e20 < model.scale_.mean < 2e20
    classes = pymlp.TabularClassifier(epochs=1).fit({"x": np.arange(40.0) % 9, "y": y}, "y")
    assert classes.classes_.tolist() == [0, 1e20, 2e20, 3e20]


def test_a_metric_that_has_no_value_is_refused():
    X, y = {"x": [1.0, 2.0, 5.0] * 10}, ["a", "b", "a"] * 10
    model = pymlp.TabularClassifier(metric="roc_auc", epochs=3, n_members=2)
    with pytest.raises(ValueError, match="metric 'roc_auc' has no value on the held-out rows"):
        model.fit(X, y, validation=({"x": [1.0, 5.0]}, ["a", "a"]))


def test_the_latest_rows_are_held_out():
    X, y = rents(100)
    table = {**X, "day": np.datetime64("2024-01-01") + np.arange(100)[::-1]}
    model = pymlp.TabularRegressor(epochs=2, random_state=0).fit(table, y, time="day")
    assert model.n_rows_ == {"training": 90, "validation": 10}
    assert model.feature_names_in_.tolist() == ["area", "city", "day"]
    first = table["day"][10:].min()
    assert str(first) in model.encoder_.fields_[2].encoding.first


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"groups": "towns"}, "groups: X has no column 'towns'; it has 'area', 'city'"),
        ({"groups": "ctiy"}, "did you mean 'city'"),
        ({"groups": [1] * 100}, "groups must be two at least"),
        ({"groups": [1]}, "groups must have 100 rows, as X has, not 1"),
        ({"groups": [None, 1] * 50}, "groups must not have missing values, but has 50"),
        ({"time": "city"}, "time must be numbers or dates, but 'city' holds texts"),
        ({"time": [1] * 100}, "time must differ"),
        ({"time": "area", "groups": "city"}, "groups and time cannot both"),
        (
            {"groups": "city", "validation": (rents(3))},
            "groups says which rows .* validation is given",
        ),
    ],
    ids=str,
)
def test_wrong_divisions(options, message):
    with pytest.raises(ValueError, match=message):
        pymlp.TabularRegressor(epochs=1).fit(*rents(100), **options)


# ---- temperature ---------------------------------------------------------------------------------


def test_temperature_makes_up_for_smoothing():
    rng = np.random.default_rng(0)
    x = rng.normal(size=4000)
    y = (rng.random(4000) < 1 / (1 + np.exp(-2 * x))).astype(int)
    new = np.linspace(-2, 2, 50)
    truth = 1 / (1 + np.exp(-2 * new))

    def error(**options):
        model = pymlp.TabularClassifier(random_state=0, epochs=20, **options)
        P = model.fit({"x": x}, y).predict_proba({"x": new})[:, 1]
        return model.temperature_, np.abs(P - truth).max()

    plain, smoothed = error(), error(label_smoothing=0.2)
    assert plain[0] == pytest.approx(1.0, abs=0.2)
    assert smoothed[0] < plain[0] - 0.1
    assert max(plain[1], smoothed[1]) < 0.1


def test_smoothing_needs_rows_to_fit_the_temperature_on():
    X, y = pets()
    model = pymlp.TabularClassifier(label_smoothing=0.1, validation=None)
    with pytest.raises(ValueError, match="label_smoothing needs rows that are held out"):
        model.fit(X, y)
    model.set_params(epochs=1).fit(X, y, validation=(X, y))
    assert model.temperature_ != 1.0


# ---- callbacks, Ctrl-C ---------------------------------------------------------------------------


def test_callbacks_may_end_it():
    seen = []

    def callback(network, history):
        seen.append((network.widths, history.val_loss[-1]))
        return len(seen) == 3

    model = pymlp.TabularClassifier(**QUICK).fit(*pets(), callbacks=[callback])
    assert [widths for widths, _ in seen] == [(3, 64, 64, 3)] * 3
    assert model.history_.stopped_by == "callback"


def test_progress(capsys):
    pymlp.TabularClassifier(epochs=2, n_members=1).fit(*pets(), progress=True)
    assert "1/1" in capsys.readouterr().err


def test_an_interrupt_leaves_the_best_model_so_far():
    X, y = pets()
    best = []

    def interrupted(network, history):
        if history.best_epoch == len(history.loss) - 1:
            best[:] = [network.weights[0].copy()]
        if len(history.loss) == 6:
            network.parameters = np.zeros_like(network.parameters)
            raise KeyboardInterrupt

    model = pymlp.TabularClassifier(**QUICK)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y, callbacks=[interrupted])
    assert model.history_.stopped_by == "interrupted"
    assert model.n_iter_ == 6
    assert len(model.predict(X)) == 120
    # But for the temperature, which the last layer has been divided by since.
    np.testing.assert_array_equal(model.network_.weights[0], best[0])


def test_an_interrupt_before_the_first_epoch_leaves_nothing(monkeypatch):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(pymlp.NetworkStack, "fit", interrupted)
    model = pymlp.TabularClassifier()
    with pytest.raises(KeyboardInterrupt):
        model.fit(*pets())
    assert not hasattr(model, "network_")


def test_what_fails_leaves_the_model_as_it_was(classifier):
    X, y = pets()
    before = dict(vars(classifier))
    classifier.set_params(optimizer="sgd", learning_rate=1e30)
    with pytest.raises(pymlp.TrainingDiverged):
        classifier.fit(X, y)
    classifier.set_params(optimizer="adam", learning_rate=0.01)
    assert vars(classifier).keys() == before.keys()
    assert classifier.networks_ is before["networks_"]


# ---- wrong arguments -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"quality": "good"}, ValueError, "quality must be one of 'fast', 'default', 'best', not"),
        ({"n_members": 0}, ValueError, "n_members must be at least 1"),
        ({"metric": "acuracy"}, ValueError, "unknown metric 'acuracy'; did you mean 'accuracy'"),
        ({"metric": "rmse"}, ValueError, "metric 'rmse'"),
        ({"random_state": "x"}, TypeError, "random_state must be None, an integer"),
        ({"hidden_layer_sizes": (0,)}, ValueError, "hidden_layer_sizes must be at least 1, not 0"),
        ({"activation": "rellu"}, ValueError, "did you mean 'relu'"),
        ({"optimizer": "adan"}, ValueError, "did you mean 'adam'"),
        ({"epochs": 0}, ValueError, "epochs must be at least 1"),
        ({"patience": 0}, ValueError, "patience must be at least 1"),
        ({"validation": 1.0}, ValueError, "validation must be below 1"),
        ({"class_weight": "even"}, ValueError, "'balanced' or None, not 'even'"),
        ({"class_weight": [1, 2]}, TypeError, "'balanced' or None, not list"),
        ({"class_weight": {"emu": 1}}, ValueError, r"classes that y does not have: \['emu'\]"),
        ({"class_weight": {"cat": -1}}, ValueError, r"class_weight\['cat'\] must be at least 0"),
        ({"label_smoothing": 1.0}, ValueError, "label_smoothing must be below 1"),
        ({"dtype": "int8"}, TypeError, "dtype must be float32 or float64"),
        ({"n_jobs": 0}, ValueError, "n_jobs must be at least 1"),
        ({"keep": "tail"}, ValueError, "keep names columns that X does not have: 'tail'"),
    ],
    ids=str,
)
def test_wrong_options(options, error, message):
    with pytest.raises(error, match=message):
        pymlp.TabularClassifier(**options).fit(*pets())


def test_unknown_options():
    with pytest.raises(TypeError, match="n_networks"):
        pymlp.TabularClassifier(n_networks=3)
    with pytest.raises(ValueError, match=r"Invalid parameter 'hidden' .* Valid parameters are"):
        pymlp.TabularClassifier().set_params(hidden=3)


def test_metric_of_a_regression_compares_numbers():
    with pytest.raises(ValueError, match=r"metric must compare numbers \(mae, mape"):
        pymlp.TabularRegressor(metric="accuracy").fit(*rents())


def test_representations(classifier):
    assert repr(pymlp.TabularClassifier()) == "TabularClassifier()"
    shown = repr(pymlp.TabularRegressor(epochs=3, ignore=["a"]))
    assert shown == "TabularRegressor(epochs=3, ignore=['a'])"
    html = classifier._repr_html_()
    assert ">3-64-64-3<" in html
    assert ">colour</td>" in html
    assert "(not fitted)" in pymlp.TabularRegressor(metric="<b>")._repr_html_()
    assert "&lt;b&gt;" in pymlp.TabularRegressor(metric="<b>")._repr_html_()


def test_report(classifier):
    assert classifier.report_ == [
        "'weight': number (ignore=['weight'] leaves it out)",
        "'colour': category, 2 different values (ignore=['colour'] leaves it out)",
    ]


@pytest.mark.parametrize("name", ["lbfgs", "L-BFGS", "LBFGS"])
def test_line_searches_train_one_network_after_the_other(name):
    pytest.importorskip("scipy")
    model = pymlp.TabularClassifier(optimizer=name, epochs=5, n_members=2, random_state=0)
    assert model.fit(*pets()).score(*pets()) > 0.9


def test_a_truth_value_of_numpy_ends_the_training_of_all_networks():
    seen = []

    def callback(network, history):
        seen.append(network)
        return np.True_

    model = pymlp.TabularClassifier(epochs=5, n_members=2, random_state=0)
    model.fit(*pets(), callbacks=[callback])
    assert [len(network.history.loss) for network in model.networks_] == [1, 1]
    assert set(map(id, seen)) == set(map(id, model.networks_))
