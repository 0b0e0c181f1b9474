"""What becomes of columns, and why."""

import numpy as np
import pytest

from pymlp.tabular import TableEncoder

N = 60
OTHER = list(np.linspace(0, 1, N) ** 2)  # so that some column is left


def decision(values, name="x", **options):
    encoder = TableEncoder(**options).fit({name: values, "other": OTHER})
    return encoder.decisions_[0]


NAMES = [f"name {i}" for i in range(N)]
REVIEW = [f"the {i}th time that I was here it rained all day" for i in range(N)]


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (
            np.arange(N) / 7,
            "'x': number (ignore=['x'] leaves it out)",
        ),
        (
            [None, 2.5, *range(58)],
            "'x': number, 1 of 60 missing (ignore=['x'] leaves it out)",
        ),
        (
            [3, 1, 2] * 20,
            "'x': number (categorical=['x'] takes its values as categories)",
        ),
        (
            ["a", "b", None] * 20,
            "'x': category, 2 different values, 20 of 60 missing (ignore=['x'] leaves it out)",
        ),
        (
            np.datetime64("2020-01-01") + np.arange(N),
            "'x': date (ignore=['x'] leaves it out)",
        ),
        (
            [*range(1, 58), "n/k", "?", "n/k"],
            "'x': number, 'n/k' counts as missing, 1 of 60 missing (ignore=['x'] leaves it out)",
        ),
        (
            [None] * N,
            "'x': left out, every value is missing (ignore=['x'] says so beforehand)",
        ),
        (
            [5] * N,
            "'x': left out, every value is '5' (keep=['x'] takes it)",
        ),
        (
            ["same"] * N,
            "'x': left out, every value is 'same' (keep=['x'] takes it)",
        ),
        (
            np.arange(1, N + 1),
            "'x': left out, row numbers, 1 to 60 (keep=['x'] takes it)",
        ),
        (
            NAMES,
            "'x': left out, id-like: 60 different texts in 60 rows, such as name 0 "
            "(keep=['x'] takes it)",
        ),
        (
            REVIEW,
            "'x': left out, free text: 60 different texts in 60 rows, such as "
            "the 0th time that I was here i (keep=['x'] takes it)",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_decisions(values, line):
    assert decision(values).line() == line


def test_a_line_is_written_as_the_caller_writes_options():
    found = decision(NAMES, "who").line("--{option} {name}")
    assert found.endswith("such as name 0 (--keep who takes it)")


@pytest.mark.parametrize(
    "name",
    ["id", "ID", "customer_id", "customerId", "Unnamed: 0", "index", "Row No".replace(" ", "_")],
)
def test_whole_numbers_that_differ_are_ids_where_the_name_says_so(name):
    numbers = np.random.default_rng(0).permutation(1000)[:N]
    assert decision(numbers, name).kind == "left out"
    assert decision(numbers, "prices").kind == "number"
    assert decision(numbers // 2, name).kind == "number"
    assert decision(numbers / 2, name).kind == "number"


def test_names_that_only_sound_like_ids():
    numbers = np.random.default_rng(0).permutation(1000)[:N]
    for name in ("paid", "humidity", "monkey", "width", "grid"):
        assert decision(numbers, name).kind == "number"


def test_options_force_kinds():
    assert decision([1, 2, 3] * 20, categorical="x").kind == "category"
    assert decision(["1", "2", "x"] * 20, numeric=["x"]).kind == "number"
    assert decision(NAMES, keep=["x"]).kind == "category"
    assert decision(np.arange(N), keep=[0]).kind == "number"
    assert decision([5] * N, keep="x").kind == "number"
    assert decision(OTHER, ignore=(-2,)).line() == (
        "'x': left out, as it is ignored (ignore=['x'] does this)"
    )
    assert decision([None] * N, keep=["x"]).kind == "left out"
    days = np.datetime64("2020-01-01") + np.arange(N) % 5
    assert decision(days, categorical=["x"]).kind == "category"


def test_columns_without_names_are_never_ids():
    X = np.column_stack([np.arange(N), np.ones(N), OTHER])
    assert [d.kind for d in TableEncoder().fit(X).decisions_] == ["number", "left out", "number"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"ignore": ["y", "z", "x"]},
            "ignore names columns that X does not have: 'y', 'z'; it has",
        ),
        ({"keep": "othr"}, "keep names .*: 'othr'; did you mean 'other'"),
        ({"numeric": [2]}, "numeric names columns that X does not have: 2"),
        ({"numeric": "x", "categorical": "x"}, r"categorical and numeric .* both name \['x'\]"),
        ({"ignore": "x", "keep": ["x"]}, r"ignore and keep .* both name \['x'\]"),
    ],
)
def test_options_that_name_wrong_columns(options, message):
    with pytest.raises(ValueError, match=message):
        decision([1, 2, 3] * 20, **options)


def test_dates_are_numbers_anyhow():
    days = np.datetime64("2020-01-01") + np.arange(N)
    with pytest.raises(ValueError, match="numeric: 'x' holds dates, which become numbers anyhow"):
        decision(days, numeric="x")


def test_no_column_left():
    with pytest.raises(
        ValueError, match=r"X has no column to learn from: 'a': left out.*'b': left"
    ):
        TableEncoder().fit({"a": [1, 1, 1], "b": [None] * 3})
