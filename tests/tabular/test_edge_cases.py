"""Tables as people have them: tiny, wide, empty, odd."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest

import pymlp

BOTH = [pymlp.TabularClassifier, pymlp.TabularRegressor]


def test_three_rows():
    table = {"x": [1.0, 2.0, 9.0], "t": ["a", "b", "a"]}
    for y in (["p", "q", "p"], ["p", "q", "r"], [3, 1, 2]):
        model = pymlp.TabularClassifier(random_state=0).fit(table, y)
        assert model.predict(table).tolist() == y
        assert model.n_rows_ == {"training": 3, "validation": 0}
        assert model.temperature_ == 1.0
    model = pymlp.TabularRegressor(random_state=0).fit(table, [10.0, 20.0, 40.0])
    np.testing.assert_allclose(model.predict(table), [10.0, 20.0, 40.0], atol=3.0)


@pytest.mark.parametrize("kind", BOTH)
def test_one_row(kind):
    with pytest.raises(ValueError, match=r"X has 1 row \(n_samples = 1\); a model needs 2"):
        kind().fit({"x": [1.0]}, [1])


def test_one_class():
    model = pymlp.TabularClassifier(epochs=3).fit({"x": [1.0, 2, 5] * 10}, ["only"] * 30)
    assert model.predict({"x": [7.0, None]}).tolist() == ["only"] * 2
    assert model.predict_proba({"x": [7.0, None]}).tolist() == [[1.0], [1.0]]


@pytest.mark.parametrize("value", [0.0, 7.5, -1e300])
def test_constant_target(value):
    model = pymlp.TabularRegressor(random_state=0).fit({"x": np.arange(40) / 3}, [value] * 40)
    assert model.predict({"x": [0.0, 5.0, 100.0]}).tolist() == [value] * 3


@pytest.mark.parametrize("kind", BOTH)
def test_columns_without_a_value(kind):
    table = {"x": [1.0, 2, 5] * 10, "n": [None] * 30, "t": [""] * 30, "f": np.full(30, np.nan)}
    model = kind(epochs=2).fit(table, [0, 1, 0] * 10)
    assert [d.kind for d in model.encoder_.decisions_] == ["number", *["left out"] * 3]
    model.predict({"x": [1.0]})
    with pytest.raises(
        ValueError, match="X has no column to learn from: 'n': left out, every value"
    ):
        kind(epochs=2).fit({"n": [None] * 30}, [0, 1, 0] * 10)


def test_more_categories_than_rows():
    pd = pytest.importorskip("pandas")
    names = [f"c{i}" for i in range(500)]
    column = pd.Categorical(names[:3] * 10, categories=names)
    model = pymlp.TabularClassifier(random_state=0).fit(pd.DataFrame({"x": column}), [0, 1, 0] * 10)
    assert model.encoder_.n_inputs_ == 3
    assert model.predict({"x": ["c1", "c2", "c499"]})[:2].tolist() == [1, 0]


def test_two_thousand_columns():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2000))
    names = [f"column {i}" for i in range(2000)]
    model = pymlp.TabularRegressor(epochs=5, hidden_layer_sizes=(4,))
    model.fit(dict(zip(names, X.T, strict=True)), X[:, 3])
    assert model.network_.widths == (2000, 4, 1)
    assert len(model.report_) == 2000
    turned = dict(zip(reversed(names), X.T[::-1], strict=True))
    np.testing.assert_array_equal(model.predict(turned), model.predict(X))


@pytest.mark.parametrize("kind", BOTH)
def test_columns_of_every_dtype(kind):
    pd = pytest.importorskip("pandas")
    n = 40
    frame = pd.DataFrame(
        {
            "größe": np.linspace(0, 1, n, dtype=np.float16),
            "nullable": pd.array([1, None, 3, 7] * 10, "Int64"),
            "bool": [True, False, True, True] * 10,
            "boolean": pd.array([True, None] * 20, "boolean"),
            "category": pd.Categorical(["a", "b"] * 20),
            "object": [1, "two", None, 3.0] * 10,
            "decimal": [Decimal("1.5"), None] * 20,
            "date": [dt.date(2024, 1, 1), dt.date(2024, 2, 5)] * 20,
            "huge": [2**80, 1, 5, 2**63] * 10,
            "time": pd.date_range("2024-01-01", periods=n, freq="7h", tz="Europe/Zurich"),
            7: np.arange(n) % 5,
            ("a", 1): np.arange(n) % 3,
        }
    )
    y = np.arange(n) % 2
    model = kind(epochs=3, random_state=0).fit(frame, y)
    assert all(decision.kind != "left out" for decision in model.encoder_.decisions_)
    expected = model.predict(frame)
    shuffled = frame[frame.columns[::-1]].set_axis(np.zeros(n))
    np.testing.assert_array_equal(model.predict(shuffled), expected)
    assert np.isfinite(model.encoder_.transform(frame)).all()


def test_an_empty_frame():
    pd = pytest.importorskip("pandas")
    with pytest.raises(ValueError, match="X has 2 columns and no rows"):
        pymlp.TabularRegressor().fit(pd.DataFrame({"a": [], "b": []}), [])
    with pytest.raises(ValueError, match=r"0 feature\(s\)"):
        pymlp.TabularRegressor().fit(pd.DataFrame(), [])


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (None, ValueError, "requires y to be passed, but the target y is None"),
        ([1, 2], ValueError, "y must have 30 rows, as X has, not 2"),
        (np.zeros((30, 2, 2)), ValueError, r"y should be a 1d array, got .* \(30, 2, 2\) instead"),
        ("z", ValueError, "y: X has no column 'z'; it has 'x'"),
        ([None, *range(29)], ValueError, "y contains NaN: 1 of its 30 values are missing.*row 0"),
        ([0.0] * 28 + [np.nan] * 2, ValueError, "2 of its 30 values .* the first in row 28"),
        ([np.inf] * 30, ValueError, "y contains infinity"),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", BOTH)
def test_wrong_targets(kind, y, error, message):
    with pytest.raises(error, match=message):
        kind().fit({"x": [1.0, 2, 5] * 10}, y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0.5, 1.0, 2.0] * 10, "Unknown label type: continuous.*TabularRegressor predicts numbers"),
        (["a", 1, 2] * 10, "Unknown label type: y mixes int and str"),
        ([1j, 2, 3] * 10, "Unknown label type: complex128"),
        ([{}, [], ()] * 10, "Unknown label type"),
    ],
)
def test_targets_that_are_no_classes(y, message):
    values = np.empty(30, object)
    values[:] = y
    y = values if isinstance(y[0], dict | str) else y
    with pytest.raises(ValueError, match=message):
        pymlp.TabularClassifier().fit({"x": [1.0, 2, 5] * 10}, y)


def test_targets_that_are_no_numbers():
    with pytest.raises(TypeError, match="y must hold real numbers"):
        pymlp.TabularRegressor().fit({"x": [1.0, 2, 5] * 10}, ["a", "b", "c"] * 10)


def test_a_target_of_one_column_is_taken_with_a_warning():
    X = {"x": [1.0, 2, 5] * 10}
    with pytest.warns(UserWarning, match="A column-vector y was passed when a 1d array"):
        pymlp.TabularRegressor(epochs=1).fit(X, np.zeros((30, 1)))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([0] * 30, "sample_weight must not be zero for every row"),
        ([-1, *[1] * 29], "must not be negative"),
        ([1] * 3, r"sample_weight must have shape \(30,\)"),
        ([np.nan] * 30, "sample_weight must be finite"),
    ],
)
def test_wrong_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        pymlp.TabularRegressor().fit({"x": [1.0, 2, 5] * 10}, [1, 2, 3] * 10, weights)


def test_all_wrong_columns_of_a_prediction_are_named():
    table = {"a": [1.0, 2, 5] * 10, "b": [5, 7, 8] * 10, "c": ["x", "y", "z"] * 10}
    model = pymlp.TabularRegressor(epochs=1).fit(table, [1, 2, 3] * 10)
    message = (
        "X, row 0, column 'a': 'red' is not a number; X, row 1, column 'b': 'n.k.' is not a number"
    )
    with pytest.raises(ValueError, match=f"^{message}$"):
        model.predict({"a": ["red", 1], "b": [1, "n.k."], "c": [1, 2]})
    message = "X lacks columns that the model was trained on: 'a', 'c'; it has 'b', 'd'"
    with pytest.raises(ValueError, match=message):
        model.predict({"b": [1], "d": [3]})
    with pytest.raises(ValueError, match="X has 1 features, but TabularRegressor is expecting 3"):
        model.predict([[1]])


def test_weights_whose_sum_is_infinite():
    table = {"x": np.arange(30.0)}
    for kind in BOTH:
        with pytest.raises(ValueError, match=r"sample_weight must (have a finite sum|be within)"):
            kind().fit(table, [0, 1, 1] * 10, sample_weight=np.full(30, 1e308))


def test_constant_target_near_the_end_of_the_range():
    table = {"x": np.arange(30.0) ** 2}
    model = pymlp.TabularRegressor(epochs=2, random_state=0).fit(table, np.full(30, 1e308))
    np.testing.assert_allclose(model.predict(table), 1e308)
