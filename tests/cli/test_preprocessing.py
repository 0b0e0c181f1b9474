"""From columns to arrays: standardised numbers, one-hot categories, targets, and the split."""

import dataclasses
import json
import re

import numpy as np
import pytest

from pymlp.cli.preprocessing import (
    Categories,
    Field,
    Numbers,
    Preprocessing,
    choose_task,
    fit_preprocessing,
    fit_target,
    split_rows,
)
from pymlp.cli.table import Column, Table


def column(texts, name="x"):
    return Column(name, tuple(map(str, texts)), range(2, 2 + len(texts)), "data.csv")


def table(has_header=True, **columns):
    return Table("data.csv", tuple(column(c, name) for name, c in columns.items()), has_header)


PETS = {
    "age": [1, 2, 3, 6],
    "sex": ["m", "f", "f", "m"],
    "pet": ["cat", "dog", "cat", "dog"],
}


def fitted(data, target=2, task="classification", rows=(0, 1, 2), **options):
    return fit_preprocessing(data, target, task=task, rows=np.array(rows), **options)


def test_inputs_are_standardised_by_the_given_rows_and_one_hot():
    data = table(**PETS)
    preprocessing = fitted(data)
    X = preprocessing.encode_inputs(data, np.float64)
    step = np.sqrt(3 / 2)
    damped = 3.0 + np.log1p(4 * step - 3.0)
    np.testing.assert_allclose(X[:, 0], [-step, 0.0, step, damped])
    np.testing.assert_array_equal(X[:, 1:], [[0, 1], [1, 0], [1, 0], [0, 1]])
    assert preprocessing.n_inputs == 3
    assert preprocessing.classes == ("cat", "dog")
    np.testing.assert_array_equal(preprocessing.encode_target(data), [0, 1, 0, 1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_have_the_asked_dtype_and_lie_in_one_piece(dtype):
    data = table(**PETS)
    X = fitted(data).encode_inputs(data, dtype)
    assert X.dtype == dtype
    assert X.flags.c_contiguous
    y = fitted(data, target=0, task="regression").encode_target(data, dtype)
    assert y.dtype == dtype


def test_ignored_columns_are_neither_read_nor_encoded():
    data = table(**{**PETS, "note": ["", "?", "a", "b"]})
    preprocessing = fitted(data, ignored=[3, 1])
    assert [field.name for field in preprocessing.inputs] == ["age"]
    assert preprocessing.encode_inputs(data).shape == (4, 1)


def test_no_inputs_left():
    with pytest.raises(ValueError, match="no column beside the target"):
        fitted(table(**PETS), ignored=[0, 1])


@pytest.mark.parametrize("value", ["0", "3", "0.1", "1e300", "-1e-300"])
def test_constant_column_keeps_its_scale(value):
    constant = column([value] * 7)
    numbers = Numbers.fit(constant.numbers())
    assert numbers.scale == 1.0
    np.testing.assert_allclose(numbers.encode(constant), 0.0, atol=1e-12)


@pytest.mark.parametrize("unit", [1e-200, 1.0, 1e300])
def test_any_magnitude_is_standardised(unit):
    numbers = column([1 * unit, 2 * unit, 4 * unit])
    scores = Numbers.fit(numbers.numbers()).encode(numbers)
    assert abs(scores.mean()) < 1e-12
    assert scores.std() == pytest.approx(1.0)


def test_scores_are_damped_far_out_only_and_stay_in_order():
    values = [-1e308, -50, -3.5, -3, -1, 0, 2.9, 3.1, 10, 1e308]
    scores = Numbers(0.0, 1e-10 * 1e10).encode(column(values))[:, 0]
    np.testing.assert_array_equal(scores[3:7], values[3:7])
    assert (np.diff(scores) > 0).all()
    far = [-3 - np.log(48), -3 - np.log(1.5), 3 + np.log(1.1), 3 + np.log(8)]
    np.testing.assert_allclose(scores[[1, 2, 7, 8]], far)
    assert np.isfinite(Numbers(0.0, 1e-10).encode(column(values))).all()


def test_decode_maps_back_without_digits_that_mean_nothing():
    numbers = Numbers(100.0, 2.5)
    outputs = np.array([[0.1], [-1.0]], np.float32)
    np.testing.assert_array_equal(numbers.decode(outputs), [100.25, 97.5])
    # Six digits of float32: of thousands two behind the point, of thousandths nine.
    output = np.array([[0.123456789]], np.float32)
    assert Numbers(0.0, 1e4).decode(output) == [1234.57]
    assert Numbers(0.0, 1e-3).decode(output) == [0.000123457]
    fine = np.array([[0.123456789012345]])
    assert numbers.decode(fine)[0] == pytest.approx(100.0 + 2.5 * fine[0, 0], abs=1e-14)
    tiny = Numbers(0.0, 1e-305).decode(np.array([[2.0]], np.float32))
    assert np.isfinite(tiny).all()


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        (["b", "a", "B"], ("B", "a", "b")),
        (["10", "9", "10"], ("9", "10")),
        (["x", "10", "9"], ("9", "10", "x")),
        (["3.0", "3", "-1"], ("-1", "3.0")),
        ([" a", "a "], ("a",)),
    ],
)
def test_categories_are_sorted_and_keep_their_text(cells, names):
    assert Categories.fit(column(cells)).names == names


def test_codes_do_not_depend_on_how_a_number_is_written():
    categories = Categories(("9", "10", "x"))
    np.testing.assert_array_equal(categories.codes(column(["10.0", "x", "9"])), [1, 2, 0])


def test_unknown_category():
    message = "data.csv, row 3, column 'pet': unknown category 'cst'; did you mean 'cat'?"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Categories(("cat", "dog")).codes(column(["dog", "cst"], "pet"))


@pytest.mark.parametrize(
    ("cells", "task"),
    [
        (["a", "b"] * 5, "classification"),
        ([0, 1] * 2, "classification"),
        ([0, 1, 2] * 2, "regression"),
        (["0.0", "1.0"] * 2, "classification"),
        (list(range(10)) * 5, "classification"),
        (list(range(10)) * 4, "regression"),
        (list(range(21)) * 50, "regression"),
        ([0.5, 1.5] * 50, "regression"),
        (np.linspace(0, 1, 30), "regression"),
    ],
)
def test_task_follows_the_target(cells, task):
    assert choose_task(column(cells)) == task


@pytest.mark.parametrize(("task", "one"), [("classification", "class"), ("regression", "value")])
@pytest.mark.parametrize("cells", [["3"] * 4, ["3", "3.0"]])
def test_target_with_one_value_only(cells, task, one):
    with pytest.raises(ValueError, match=rf"target 'x' has one {one} only, '3'"):
        fit_target(column(cells), task, np.arange(1))


def test_text_target_is_no_regression():
    with pytest.raises(ValueError, match="row 3, column 'x': 'tall' is not a number"):
        fit_target(column(["1", "tall", "2"]), "regression", np.arange(3))


def test_a_stray_text_among_many_numbers_is_an_error():
    cells = [*range(30), "1O", *range(30)]
    with pytest.raises(ValueError, match="row 32, column 'age': '1O' is not a number, as most"):
        fitted(table(age=cells, pet=["cat", "dog", *["cat"] * 59]), target=1)


@pytest.mark.parametrize(
    "cells",
    [
        [*range(1, 10), "unknown"] * 10,
        [*range(30), *["low", "high"] * 25],
        [*list(range(19)) * 5, "unknown"],  # as many values as categories may be
        [*range(27), "low", "mid", "high"] * 2,  # a tenth is text
    ],
)
def test_a_column_with_text_is_a_category_column(cells):
    data = table(x=cells, pet=["cat", "dog"] * (len(cells) // 2))
    assert isinstance(fitted(data, target=1).inputs[0].encoding, Categories)


@pytest.mark.parametrize("target", [0, 1])
def test_a_column_of_names_is_no_category_column(target):
    data = table(who=[f"n{i}" for i in range(50)], pet=["cat", "dog"] * 25)
    with pytest.raises(ValueError, match=r"'who': 50 different values in 50 rows, such as 'n0'"):
        fitted(data, target=target)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_json_round_trip_is_exact(task):
    data = table(**{**PETS, "ünit": [0.1, 1 / 3, 2e-9, 7]})
    preprocessing = fitted(data, target=2 if task == "classification" else 3, task=task)
    text = preprocessing.to_json()
    assert Preprocessing.from_json(text) == preprocessing
    assert "ünit" in text
    assert json.loads(text)["format"] == 1, "what older versions wrote is read as it was meant"


def test_what_was_read_and_fitted_is_not_changed_any_more():
    data = table(**PETS)
    preprocessing = fitted(data, target=2)
    encodings = [field.encoding for field in preprocessing.inputs]
    assert {type(encoding) for encoding in encodings} == {Numbers, Categories}
    for value in (data, data.columns[0], preprocessing, preprocessing.target, *encodings):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, dataclasses.fields(value)[0].name, None)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda stored: stored.pop("target"),
        lambda stored: stored.update(format=99),
        lambda stored: stored.update(inputs=3),
        lambda stored: stored["inputs"][0].update(encoding={"mean": "x", "scale": 1}),
    ],
)
def test_spoilt_json(spoil):
    stored = json.loads(fitted(table(**PETS)).to_json())
    spoil(stored)
    with pytest.raises(ValueError, match="preprocessing in the model cannot be read"):
        Preprocessing.from_json(json.dumps(stored))


@pytest.mark.parametrize("text", ["", "[]", "3", "{"])
def test_json_of_something_else(text):
    with pytest.raises(ValueError, match="preprocessing in the model cannot be read"):
        Preprocessing.from_json(text)


FIELDS = (Field("a", 0, Numbers(0.0, 1.0)), Field("b", 2, Numbers(0.0, 1.0)))
TARGET = Field("y", 1, Numbers(0.0, 1.0))


@pytest.mark.parametrize(
    ("trained_with_header", "new"),
    [
        (True, table(b=[2], extra=[9], a=[1])),
        (True, table(False, a=[1], y=[9], b=[2])),
        (True, table(False, a=[1], b=[2])),
        (False, table(False, a=[1], y=[9], b=[2])),
        (False, table(True, c=[1], d=[9], e=[2])),
        (False, table(False, c=[1], d=[2])),
    ],
)
def test_columns_are_found_by_name_or_else_by_position(trained_with_header, new):
    preprocessing = Preprocessing(FIELDS, TARGET, 3, trained_with_header)
    np.testing.assert_array_equal(preprocessing.encode_inputs(new), [[1.0, 2.0]])


def test_columns_that_are_not_there():
    preprocessing = Preprocessing(FIELDS, TARGET, 3, True)
    with pytest.raises(ValueError, match=r"no column 'b'; known: 'a', 'c'"):
        preprocessing.encode_inputs(table(a=[1], c=[2]))
    unnamed = dataclasses.replace(preprocessing, has_header=False)
    with pytest.raises(ValueError, match="4 columns, not the 2 inputs of the model or the 3"):
        unnamed.encode_inputs(table(a=[1], b=[1], c=[2], d=[2]))


def split(labels, fraction, seed=0):
    return split_rows(np.asarray(labels), fraction, np.random.default_rng(seed))


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.2, 0.5, 0.9])
def test_split_takes_every_row_once_and_the_share_exactly(fraction):
    kept, held = split(np.arange(100) % 3, fraction)
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, held])), np.arange(100))
    assert len(held) == round(100 * fraction)


def test_split_holds_out_every_class_in_proportion():
    labels = np.repeat([0, 1, 2], [500, 50, 5])
    held = split(labels, 0.2)[1]
    np.testing.assert_allclose(np.bincount(labels[held], minlength=3), [100, 10, 1], atol=1)


@pytest.mark.parametrize("seed", range(20))
def test_split_keeps_one_row_of_each_class(seed):
    for first in (0, 1):
        labels = first + np.array([0] * 10 + [1, 2, 2])
        kept, held = split(labels, 0.9, seed)
        assert set(labels[kept]) == set(labels)
        assert len(held) == 10


def test_split_depends_on_the_seed_alone():
    labels = np.zeros(50, int)
    np.testing.assert_array_equal(split(labels, 0.2, 1)[1], split(labels, 0.2, 1)[1])
    assert not np.array_equal(split(labels, 0.2, 1)[1], split(labels, 0.2, 2)[1])
