"""Tables of every kind become columns."""

import datetime as dt
import subprocess
import sys
from decimal import Decimal

import numpy as np
import pytest

from pymlp.tabular import Column, Columns, TableEncoder, columns_of

NAN = float("nan")
DAYS = ["2020-01-01T00:00:00", "NaT", "2021-05-05T10:00:00"]


def cells(column):
    """Return a column's rows as Python values, None where one is missing."""
    if column.is_number:
        return [None if x != x else x for x in column.values.tolist()]
    return column.texts()


def check(X, expected, source="X"):
    columns = columns_of(X)
    assert columns.names == tuple(map(str, expected))
    assert {column.name: cells(column) for column in columns} == {
        str(name): values for name, values in expected.items()
    }
    for column in columns:
        kind = "i" if column.is_text else "M" if column.is_date else "f"
        assert column.values.dtype == {"i": "int32", "M": "datetime64[s]", "f": "float64"}[kind]
    return columns


def test_dates_and_durations_beyond_nanoseconds():
    pd = pytest.importorskip("pandas")
    days = np.array(["3000-01-01", "1066-10-14", "NaT"], "datetime64[s]")
    durations = np.array([10**11, 5, "NaT"], "timedelta64[s]")
    columns = columns_of({"day": pd.Series(days), "time": pd.Series(durations)})
    assert columns["day"].values.astype(str).tolist()[:2] == [
        "3000-01-01T00:00:00",
        "1066-10-14T00:00:00",
    ]
    np.testing.assert_array_equal(columns["time"].values, [1e11, 5.0, NAN])
    pytest.importorskip("pyarrow")
    found = columns_of({"day": pd.Series(days[:2]).astype("date32[pyarrow]")})
    assert (found["day"].values == columns["day"].values[:2]).all()


def test_labels_that_are_no_positions_are_names():
    pd = pytest.importorskip("pandas")
    values = np.arange(6.0).reshape(3, 2)
    pairs = pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])
    for labels in ([2019, 2020], pairs, pd.to_datetime(["2019-01-01", "2020-01-01"])):
        frame = pd.DataFrame(values, columns=labels)
        encoder = TableEncoder().fit(frame)
        turned = frame[frame.columns[::-1]]
        np.testing.assert_array_equal(encoder.transform(turned), encoder.transform(frame))
    assert not columns_of(pd.DataFrame(values)).named


PLAIN = {
    "number": ([1, None, 3], [1.0, None, 3.0]),
    "float": ([1.5, NAN, 3], [1.5, None, 3.0]),
    "text": (["b", None, "a"], ["b", None, "a"]),
    "bool": ([True, None, False], ["True", None, "False"]),
    "bool with NaN": ([True, NAN, False], ["True", None, "False"]),
    "duration with NaN": ([dt.timedelta(1), NAN, dt.timedelta(2)], [86400.0, None, 172800.0]),
    "date": (
        [dt.date(2020, 1, 1), None, dt.datetime(2021, 5, 5, 10)],
        [DAYS[0], None, DAYS[2]],
    ),
    "decimal": ([Decimal("1.5"), None, Decimal("NaN")], [1.5, None, None]),
    "duration": ([dt.timedelta(hours=1), None, dt.timedelta(1)], [3600.0, None, 86400.0]),
    "time": ([dt.time(1), None, dt.time(2)], ["01:00:00", None, "02:00:00"]),
    "empty": ([None, None, None], [None, None, None]),
    "mixed": ([1, "a", None], ["1", "a", None]),
    "numbers as texts": (["1", "2,5", ""], [1.0, 2.5, None]),
    "huge": ([2**70, -(2**63), 0], [2.0**70, -(2.0**63), 0.0]),
    "unhashable": ([{"a": 1}, [2], None], ["{'a': 1}", "[2]", None]),
    "bytes": ([b"x", b"y", None], ["x", "y", None]),
}


@pytest.mark.parametrize("name", PLAIN)
def test_lists_and_object_arrays(name):
    given, expected = PLAIN[name]
    check({name: given}, {name: expected})
    array = np.empty(3, object)
    array[:] = given
    check({name: array}, {name: expected})
    check(array[:, np.newaxis], {0: expected})


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([1, 2], np.float16), [1.0, 2.0]),
        (np.array([1, 2], np.uint64), [1.0, 2.0]),
        (np.array([True, False]), ["True", "False"]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array(DAYS[1:], "datetime64[ns]"), [None, DAYS[2]]),
        (np.array([1, 2], "timedelta64[m]"), [60.0, 120.0]),
        (np.array([1, 2])[::-1], [2.0, 1.0]),
    ],
    ids=str,
)
def test_arrays_of_every_dtype(array, expected):
    check({"x": array}, {"x": expected})


def test_matrices():
    X = np.arange(6.0).reshape(3, 2)
    for array in (X, np.asfortranarray(X), X.astype(np.int8), X.tolist(), X[::-1][::-1]):
        columns = check(array, {0: [0.0, 2.0, 4.0], 1: [1.0, 3.0, 5.0]})
        assert not columns.named
    check([[1, "a", None], [2, "b", 3.5]], {0: [1.0, 2.0], 1: ["a", "b"], 2: [None, 3.5]})
    check(np.array([["1", "a"], ["2", "b"]]), {0: [1.0, 2.0], 1: ["a", "b"]})
    named = columns_of(X, names=["a", "b"])
    assert (named.names, named.named) == (("a", "b"), True)


def test_structured_arrays():
    X = np.array([(1, "x"), (2, "y")], dtype=[("a", "i4"), ("b", "U3")])
    check(X, {"a": [1.0, 2.0], "b": ["x", "y"]})


def test_pandas():
    pd = pytest.importorskip("pandas")
    days = pd.to_datetime([DAYS[0], None, DAYS[2]])
    frame = pd.DataFrame(
        {
            "float": [1, 2, None],
            "Int64": pd.array([1, None, 3], "Int64"),
            "bool": [True, False, True],
            "boolean": pd.array([True, None, False], "boolean"),
            "str": ["x", None, "y"],
            "object": pd.Series([1, "a", pd.NA], dtype=object),
            "category": pd.Categorical(["u", "v", None]),
            "numbers": pd.Categorical([3, 1, 3]),
            "days": days,
            "zone": days.tz_localize("Asia/Tokyo"),
            "duration": pd.to_timedelta([1, 2, None], unit="h"),
            "period": pd.period_range("2020-01", periods=3, freq="M"),
            "interval": pd.cut([1, 5, 9], [0, 4, 9]),
            "sparse": pd.arrays.SparseArray([0, 0, 1.0]),
            "NA": [pd.NA, 1, 2.5],
            7: [1, 2, 3],
        }
    ).set_axis([5, 5, 9])
    expected = {
        "float": [1.0, 2.0, None],
        "Int64": [1.0, None, 3.0],
        "bool": ["True", "False", "True"],
        "boolean": ["True", None, "False"],
        "str": ["x", None, "y"],
        "object": ["1", "a", None],
        "category": ["u", "v", None],
        "numbers": ["3", "1", "3"],
        "days": [DAYS[0], None, DAYS[2]],
        "zone": [DAYS[0], None, DAYS[2]],
        "duration": [3600.0, 7200.0, None],
        "period": ["2020-01-01T00:00:00", "2020-02-01T00:00:00", "2020-03-01T00:00:00"],
        "interval": ["(0, 4]", "(4, 9]", "(4, 9]"],
        "sparse": [0.0, 0.0, 1.0],
        "NA": [None, 1.0, 2.5],
        7: [1.0, 2.0, 3.0],
    }
    assert check(frame, expected).named
    assert not columns_of(pd.DataFrame(np.ones((2, 2)))).named


def test_pandas_with_arrow():
    pd, pa = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    frame = pd.DataFrame(
        {
            "int": pd.array([1, None, 3], dtype="int64[pyarrow]"),
            "day": pd.array([dt.datetime(2020, 1, 1), None, None], "timestamp[ns][pyarrow]"),
            "text": pd.array(["a", None, "b"], dtype="string[pyarrow]"),
            "bool": pd.array([True, None, False], dtype="bool[pyarrow]"),
            "decimal": pd.array([Decimal("1.5"), None, None], pd.ArrowDtype(pa.decimal128(5, 2))),
        }
    )
    expected = {
        "int": [1.0, None, 3.0],
        "day": [DAYS[0], None, None],
        "text": ["a", None, "b"],
        "bool": ["True", None, "False"],
        "decimal": [1.5, None, None],
    }
    check(frame, expected)


def polars_frame():
    pl = pytest.importorskip("polars")
    zone = pl.Series([dt.datetime(2020, 1, 1), None, dt.datetime(2021, 5, 5, 10)])
    return pl.DataFrame(
        {
            "int": [1, None, 3],
            "text": ["x", None, "y"],
            "bool": [True, None, False],
            "date": [dt.date(2020, 1, 1), None, dt.date(2021, 1, 1)],
            "zone": zone.dt.replace_time_zone("Asia/Tokyo"),
            "categorical": pl.Series(["q", "r", None], dtype=pl.Categorical),
            "enum": pl.Series(["q", "r", None], dtype=pl.Enum(["r", "q"])),
            "decimal": pl.Series(["1.5", None, "2"]).cast(pl.Decimal(10, 2)),
            "null": [None] * 3,
            "duration": [dt.timedelta(hours=1), None, dt.timedelta(1)],
            "time": [dt.time(1), None, dt.time(2)],
        }
    )


OF_POLARS = {
    "int": [1.0, None, 3.0],
    "text": ["x", None, "y"],
    "bool": ["True", None, "False"],
    "date": ["2020-01-01T00:00:00", None, "2021-01-01T00:00:00"],
    "zone": [DAYS[0], None, DAYS[2]],
    "categorical": ["q", "r", None],
    "enum": ["q", "r", None],
    "decimal": [1.5, None, 2.0],
    "null": [None, None, None],
    "duration": [3600.0, None, 86400.0],
    "time": ["01:00:00", None, "02:00:00"],
}


def test_polars():
    assert check(polars_frame(), OF_POLARS).named


def test_pyarrow():
    pa = pytest.importorskip("pyarrow")
    check(polars_frame().to_arrow(), OF_POLARS)
    chunks = {"a": pa.chunked_array([["x"], ["y", None]]), "b": pa.chunked_array([[1, 2], [None]])}
    check(pa.table(chunks), {"a": ["x", "y", None], "b": [1.0, 2.0, None]})
    batch = pa.RecordBatch.from_pydict({"a": [1, 2], "b": ["x", "y"]})
    check(batch, {"a": [1.0, 2.0], "b": ["x", "y"]})


def test_narwhals():
    narwhals = pytest.importorskip("narwhals")
    check(narwhals.from_native(polars_frame()), OF_POLARS)


def test_texts_may_stay_unread():
    columns = columns_of({"a": ["1,5"], "b": ["3.4.2024"]}, read=False)
    assert [column.texts() for column in columns] == [["1,5"], ["3.4.2024"]]


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (None, TypeError, "X must be a table .* not NoneType"),
        ("words", TypeError, "X must be a table .* not str"),
        (np.zeros(3), ValueError, r"2 dimensions .* not 1\. Reshape your data"),
        (np.zeros((2, 2, 2)), ValueError, "2 dimensions .* not 3"),
        (np.zeros((0, 3)), ValueError, "3 columns and no rows"),
        (np.zeros((3, 0)), ValueError, r"0 feature\(s\) \(shape=\(3, 0\)\)"),
        ({}, ValueError, r"0 feature\(s\)"),
        ({"a": []}, ValueError, "1 columns and no rows"),
        ([[1, 2], [3]], ValueError, "X: all rows must have the same number of columns"),
        ({"a": [1, 2], "b": [1], "c": []}, ValueError, "2 rows .* 'b' has 1, 'c' has 0"),
        (np.ones((2, 2)) * 1j, ValueError, "Complex data not supported"),
        ({"a": np.ones(2) * 1j}, TypeError, "X: Complex data not supported: column 'a'"),
        ({"a": [1, 10**400]}, ValueError, "X: column 'a', row 1: .* beyond the range of float64"),
        ({"a": 1, "b": "x"}, TypeError, "'a' must be a sequence .*, not int; .* one value"),
        ({"b": "x"}, TypeError, "X: column 'b' must be a sequence of values, not str"),
        ([{"a": 1}, {"a": 2}], ValueError, r"not 1\. Rows that are dicts .* pandas\.DataFrame"),
        ({1: [1], "1": [2]}, ValueError, r"names must differ, but it has '1' \(2 times\)"),
    ],
    ids=str,
)
def test_what_is_no_table(X, error, message):
    with pytest.raises(error, match=message):
        columns_of(X)


def test_what_is_no_table_of_other_libraries():
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(ValueError, match=r"differ, but it has 'a' \(2 times\), 'b' \(3 times\)"):
        columns_of(pd.DataFrame(np.ones((2, 6)), columns=list("abbcab")))
    with pytest.raises(ValueError, match=r"not 1\. Of pandas, X\.to_frame\(\)\.T is one row"):
        columns_of(pd.Series({"a": 1, "b": "x"}))
    with pytest.raises(TypeError, match=r"X is a LazyFrame.*X\.collect\(\)"):
        columns_of(polars_frame().lazy())
    with pytest.raises(TypeError, match="X: column 'a' must hold single values, not List"):
        columns_of(pl.DataFrame({"a": [[1, 2]]}))
    with pytest.raises(TypeError, match=r"sparse input is not supported; pass X\.toarray\(\)"):
        columns_of(sparse.csr_array(np.eye(2)))


def test_no_library_is_imported():
    code = """
import sys, pymlp.tabular as t
t.columns_of({"a": [1, "x", None]})
t.columns_of([[1, 2.0]])
print([n for n in sys.modules if n in ("pandas", "polars", "pyarrow", "sklearn", "scipy")])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_columns():
    columns = columns_of({"a": [1, 2, None], "b": ["x", "y", "x"]}, source="pets.csv")
    assert (len(columns), columns.n_rows, "a" in columns, "c" in columns) == (2, 3, True, False)
    assert columns["b"] is columns[1]
    assert columns.place(2, "a") == "pets.csv, row 2, column 'a'"
    assert columns.without(["a"]).names == ("b",)
    assert columns.select(["b", "a"]).names == ("b", "a")
    some = columns.take(np.array([2, 0]))
    assert [cells(column) for column in some] == [[None, 1.0], ["x", "x"]]
    assert some.place(0, "a") == "pets.csv, row 2, column 'a'"
    lines = Columns([Column("a", np.zeros(2))], 2, "f.csv", lines=[2, 9])
    assert lines.take(np.array([1])).place(0, "a") == "f.csv, row 9, column 'a'"


def test_what_a_column_knows():
    column = columns_of({"a": [1, 2.0, None]})["a"]
    assert (column.whole, column.n_missing, column.is_text, column.is_date) == (
        True,
        1,
        False,
        False,
    )
    assert column.texts() == ["1", "2", None]
    assert not columns_of({"a": [1.5]})["a"].whole
    assert not columns_of({"a": ["x"]})["a"].whole
