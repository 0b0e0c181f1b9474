"""The encoder: numbers, categories and dates as inputs around 0."""

import json

import numpy as np
import pytest

from pymlp.tabular import TableEncoder, columns_of


def encode(X, new=None, **options):
    encoder = TableEncoder(dtype="float64", **options).fit(X)
    return encoder.transform(X if new is None else new)


def test_numbers_are_standardised_and_damped():
    x = np.array([-1e308, -50, -3.5, -3, -1, 0, 2.9, 3.1, 10, 1e308])
    encoder = TableEncoder(dtype="float64").fit({"x": [-1.0, 1.0]})
    scores = encoder.transform({"x": x})[:, 0]
    np.testing.assert_array_equal(scores[3:7], x[3:7])
    far = [-3 - np.log(48), -3 - np.log(1.5), 3 + np.log(1.1), 3 + np.log(8)]
    np.testing.assert_allclose(scores[[1, 2, 7, 8]], far)
    assert (np.diff(scores) > 0).all()
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("unit", [1e-200, 1.0, 1e300])
def test_any_magnitude_is_standardised(unit):
    scores = encode({"x": np.array([1.0, 2.0, 4.0]) * unit})
    assert abs(scores.mean()) < 1e-12
    assert scores.std() == pytest.approx(1.0)


def test_missing_numbers_are_the_median_and_flagged():
    X = encode({"x": [0.0, 10.0, None, 2.0]})
    assert X[:, 1].tolist() == [0, 0, 1, 0]
    assert X[2, 0] == X[3, 0]
    # Where the training had none missing there is no flag.
    assert encode({"x": [0.0, 10.0, 2.0]}, {"x": [None, 2.0]}).tolist() == [[X[3, 0]]] * 2


def test_categories():
    table = {"x": ["b", "10", "9", "b"]}
    np.testing.assert_array_equal(encode(table), [[0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, 1]])
    # Without a missing one in the training, an unknown one is the mean of them.
    X = encode(table, {"x": ["9.0", "c", None]})
    np.testing.assert_array_equal(X, [[1, 0, 0], [0.25, 0.25, 0.5], [0.25, 0.25, 0.5]])


def test_texts_among_the_numbers_of_the_training_stay_missing():
    numbers = [*map(str, range(60)), "k.A.", "k.A. ", "60"]
    encoder = TableEncoder().fit({"x": numbers})
    assert encoder.fields_[0].absent == ("k.A.",)
    for same in (encoder, TableEncoder.from_json(encoder.to_json())):
        X = same.transform({"x": [" k.A.", None, "7"]})
        assert X[:, 1].tolist() == [1, 1, 0]
        np.testing.assert_array_equal(X[0], X[1])
        with pytest.raises(ValueError, match="X, row 1, column 'x': 'n/k' is not a number"):
            same.transform({"x": ["k.A.", "n/k"]})
    forced = TableEncoder(numeric="x").fit({"x": ["1", "one", "two", "3"]})
    assert forced.transform({"x": ["two"]})[0, 1] == 1


@pytest.mark.parametrize(
    "written", [[False, True], ["false", "true"], ["FALSE", "TRUE"], [0, 1], [False, True, np.nan]]
)
@pytest.mark.parametrize("learnt", [[False, True], ["false", "true"], ["False", "True"]])
def test_truth_values_are_the_same_however_they_are_written(learnt, written):
    encoder = TableEncoder().fit({"member": learnt})
    assert encoder.transform({"member": written})[:2].tolist() == [[1, 0], [0, 1]]
    assert not any(unusual.n_unknown for unusual in encoder.unusual({"member": written}))


def test_among_other_texts_letter_case_counts():
    encoder = TableEncoder().fit({"x": ["true", "True", "maybe"]})
    assert encoder.transform({"x": ["true", "True"]}).tolist() == [[0, 0, 1], [1, 0, 0]]


def test_missing_and_unknown_categories_are_one_input():
    X = encode({"x": ["b", "a", None, "b"]}, {"x": ["c", None, "a"]})
    np.testing.assert_array_equal(X, [[0, 0, 1], [0, 0, 1], [1, 0, 0]])


def test_rare_categories_are_one_input():
    encoder = TableEncoder(max_categories=2).fit({"x": ["a", "b", "b", "c", "a", "d"]})
    assert encoder.get_feature_names_out().tolist() == ["x=a", "x=b", "x=other"]
    assert encoder.transform({"x": ["d", "a", "e"]}).argmax(axis=1).tolist() == [2, 0, 2]


def test_numbers_as_categories():
    X = encode({"x": [3, 1, 3.0, None]}, {"x": ["1", "3", "x"]}, categorical="x")
    np.testing.assert_array_equal(X, [[1, 0, 0], [0, 1, 0], [0, 0, 1]])


@pytest.mark.parametrize(
    "codes",
    [("007", "7"), ("1E2", "100"), ("nan", "a"), ("12345678901234567890", "12345678901234567891")],
)
def test_codes_that_are_like_numbers_stay_apart(codes):
    pd = pytest.importorskip("pandas")
    X = encode({"code": pd.Series(list(codes) * 5, dtype="category")})
    assert sorted(X[:2].tolist()) == [[0.0, 1.0], [1.0, 0.0]]


@pytest.mark.parametrize("number", [3.0, 0.00001, -2.5, 1e14])
def test_a_number_is_one_category_however_it_is_written(number):
    encoder = TableEncoder(categorical=["x"]).fit({"x": [number, 7.0] * 5})
    pd = pytest.importorskip("pandas")
    for text in (repr(number), f"{number:.5f}"):
        new = {"x": pd.Series([text], dtype="category")}
        np.testing.assert_array_equal(encoder.transform(new), encoder.transform({"x": [number]}))


def test_weights_count_in_shares_of_categories():
    X, weights = {"x": ["a", "b"] * 5}, [1.0, 3.0] * 5
    encoder = TableEncoder().fit(X, sample_weight=weights)
    assert encoder.transform({"x": ["new"]}).tolist() == [[0.25, 0.75]]


def test_dates_become_their_parts():
    days = ["2024-02-29T06:00:00", "2023-12-31T18:00:00", None, "2024-03-01T00:00:00"]
    encoder = TableEncoder().fit({"day": np.array(days, "datetime64[s]")})
    names = ["day year", "day month", "day weekday", "day days", "day hour", "day missing"]
    assert encoder.get_feature_names_out().tolist() == names
    parts = encoder.fields_[0].encoding
    found = np.column_stack(parts.numbers(np.array(days, "datetime64[s]")))
    nothing = [np.nan] * 5
    np.testing.assert_allclose(
        found,
        [[2024, 2, 3, 59.5, 6], [2023, 12, 6, 0, 18], nothing, [2024, 3, 4, 60.25, 0]],
    )
    assert encoder.transform({"day": [None]})[0, -1] == 1


def test_parts_of_dates_that_do_not_differ_are_left_out():
    days = np.datetime64("2024-01-01") + np.arange(5)
    names = TableEncoder().fit({"d": days}).get_feature_names_out().tolist()
    assert names == ["d weekday", "d days"]


def test_dates_as_texts():
    encoder = TableEncoder().fit({"d": ["31.3.2024", "1.4.2024", "5.12.2023"]})
    assert encoder.decisions_[0].kind == "date"
    again = encoder.transform({"d": np.array(["2024-04-01"], "datetime64[D]")})
    np.testing.assert_array_equal(again, encoder.transform({"d": ["1.4.2024"]}))


def test_decimal_commas_are_those_of_the_training():
    encoder = TableEncoder(dtype="float64").fit({"price": ["1.234,50 €", "7,25 €", "900 €"]})
    for same in ({"price": ["1.234"]}, [["1.234"]]):
        np.testing.assert_array_equal(
            encoder.transform(same), encoder.transform({"price": [1234.0]})
        )


def test_columns_are_found_by_name():
    table = {"a": [1.0, 2, 3], "b": ["x", "y", "x"], "c": [5, 5, 5]}
    encoder = TableEncoder().fit(table)
    X = encoder.transform(table)
    other = {"new": [0] * 3, "b": table["b"], "a": table["a"]}
    np.testing.assert_array_equal(encoder.transform(other), X)
    # A plain array goes by position, with all columns or those that are used.
    rows = list(zip(*table.values(), strict=True))
    np.testing.assert_array_equal(encoder.transform(rows), X)
    np.testing.assert_array_equal(encoder.transform([row[:2] for row in rows]), X)


def test_columns_that_are_not_there():
    encoder = TableEncoder().fit({"a": [1, 2], "b": [1, 2.5], "c": [3, 5]})
    message = "X lacks columns that the model was trained on: 'a', 'c'; it has 'b', 'd'"
    with pytest.raises(ValueError, match=message):
        encoder.transform({"b": [1], "d": [2]})
    with pytest.raises(ValueError, match="X has 1 features, but TableEncoder is expecting 3"):
        encoder.transform([[1]])


def test_all_wrong_cells_are_named():
    encoder = TableEncoder().fit(
        {"a": [1, 2.5], "d": np.array(["2024-01-01", "2024-01-02"], "M8[D]")}
    )
    wrong = {"a": [1, "4 kg", "five"], "d": ["2024-01-01", "2024-01-03", "soon"]}
    message = (
        "X, row 1, column 'a': '4 kg' is not a number; X, row 2, column 'd': 'soon' is not a date"
    )
    with pytest.raises(ValueError, match=f"^{message}$"):
        encoder.transform(wrong)
    found = encoder.refused(wrong)
    assert [(r.name, r.rows.tolist()) for r in found] == [("a", [1, 2]), ("d", [2])]
    rows = columns_of(wrong).take(np.array([0]))
    assert encoder.refused(rows) == []
    days = {"a": np.array(["2024-01-01"], "M8[D]"), "d": [3.5]}
    assert [r.rows.tolist() for r in encoder.refused(days)] == [[0], [0]]


def test_infinite_numbers_are_refused():
    bad = {"a": [1, np.inf, -np.inf], "b": [np.inf, 1, 2], "c": [1, 2, 4]}
    message = r"row 1, column 'a' \(2 in all\); X, row 0, column 'b' \(1 in all\)"
    with pytest.raises(ValueError, match=message):
        TableEncoder().fit(bad)
    encoder = TableEncoder(ignore=["a", "b"]).fit(bad)
    with pytest.raises(ValueError, match="X, row 0, column 'c': 'inf' is not a finite number"):
        encoder.transform({"c": [np.inf]})


def test_missing_columns_of_any_type_are_missing():
    table = {"n": [1, 2.5], "t": ["a", "b"], "d": np.array(["2024-01-01", "2024-02-02"], "M8[D]")}
    encoder = TableEncoder().fit(table)
    assert np.isfinite(encoder.transform({name: [None] for name in table})).all()


def test_unusual_cells_are_counted():
    encoder = TableEncoder().fit({"n": [1, 2.5, 3], "t": ["a", "b", "a"], "u": [5, 6, 8]})
    found = encoder.unusual({"n": [None, 1, None], "t": ["c", "c", None], "u": [1, 2, 3]})
    assert [tuple(entry) for entry in found] == [("n", 2, 0, ()), ("t", 1, 2, ("c",))]


def test_measured_rows_and_weights():
    table = {"x": [0.0, 2.0, 100.0], "t": ["a", "b", "c"]}
    encoder = TableEncoder(dtype="float64").fit(table, rows=np.array([0, 1]))
    np.testing.assert_array_equal(encoder.transform(table)[:2, 0], [-1, 1])
    assert encoder.n_inputs_ == 3  # "c" is unknown
    weighted = TableEncoder().fit({"x": [0.0, 1.0]}, sample_weight=[3, 1]).fields_[0].encoding
    repeated = TableEncoder().fit({"x": [0.0, 0.0, 0.0, 1.0]}).fields_[0].encoding
    assert (weighted.mean, weighted.scale) == (repeated.mean, repeated.scale)


@pytest.mark.parametrize("rows", [1, 4095, 4097, 10_000])
def test_rows_do_not_depend_on_one_another(rows):
    rng = np.random.default_rng(0)
    X = rng.standard_cauchy((rows, 3))
    X[rng.random(X.shape) < 0.1] = np.nan
    encoder = TableEncoder().fit(rng.normal(size=(50, 3)))
    whole = encoder.transform(X)
    np.testing.assert_array_equal(encoder.transform(X[-1:]), whole[-1:])
    np.testing.assert_array_equal(encoder.transform(np.asfortranarray(X)), whole)


def test_json():
    table = {
        "ünit": [0.1, 1 / 3, 2e-9, None],
        "t": ["a", "b", None, "a"],
        "d": np.array(["2024-01-01", "NaT", "2024-03-02", "2023-05-05"], "M8[D]"),
        "left": [1, 1, 1, 1],
        3: ["1,5", "2", "4", "7"],
    }
    encoder = TableEncoder(dtype="float64").fit(table)
    text = encoder.to_json()
    again = TableEncoder.from_json(text)
    np.testing.assert_array_equal(again.transform(table), encoder.transform(table))
    assert again.to_json() == text
    assert again.decisions_ == encoder.decisions_
    assert again.get_feature_names_out().tolist() == encoder.get_feature_names_out().tolist()
    assert again.feature_names_in_.tolist() == ["ünit", "t", "d", "left", "3"]
    assert json.loads(text)["format"] == 2, "what older versions wrote is read as it was meant"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 9}', '{"format": 2, "fields": 3}'])
def test_json_of_something_else(text):
    with pytest.raises(ValueError, match="the encoder cannot be read"):
        TableEncoder.from_json(text)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"max_categories": 0}, ValueError, "max_categories must be at least 1"),
        ({"dtype": "int8"}, TypeError, "dtype must be float32 or float64"),
    ],
)
def test_wrong_options(options, error, message):
    with pytest.raises(error, match=message):
        TableEncoder(**options).fit([[1], [2]])


def test_not_fitted():
    for use in ("transform", "arranged", "refused", "unusual"):
        with pytest.raises(ValueError, match="This TableEncoder is not fitted yet"):
            getattr(TableEncoder(), use)([[1]])


def test_medians_are_of_weights():
    values, weights = [1.0, 2.0, 3.0, np.nan], [1.0, 1.0, 2.0, 1.0]
    for times in (1, 1000):
        repeated = np.repeat(values, np.multiply(weights, times).astype(int))
        expected = TableEncoder().fit({"a": repeated}).fields_[0].encoding.fill
        found = TableEncoder().fit({"a": values}, sample_weight=weights).fields_[0].encoding.fill
        assert found == expected == 2.5


def test_few_texts_among_numbers_are_remembered():
    cells = [*map(str, range(900)), *(f"see note {i}" for i in range(300))]
    encoder = TableEncoder(numeric=["a"]).fit({"a": cells})
    assert len(encoder.fields_[0].absent) == 100
