"""Cells of text as numbers and dates: what is taken for what, and how fast a column is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymlp.tabular import Column
from pymlp.tabular.date_text import date_order, read_dates
from pymlp.tabular.number_text import decimal_mark, is_ambiguous, read_numbers
from pymlp.tabular.text import UNREAD, is_missing, parse_text, read_as, read_text


def parsed(*cells, **options):
    """Return the column that cells make."""
    return parse_text(np.arange(len(cells), dtype=np.int32), cells, "x", **options)


@pytest.mark.parametrize(
    ("cell", "decimal", "value"),
    [
        ("3", ".", 3.0),
        ("-3.5e2", ".", -350.0),
        ("+.5", ".", 0.5),
        ("1,234.50", ".", 1234.5),
        ("1.234,50", ",", 1234.5),
        ("1,234,567", ".", 1234567.0),
        ("12,34,567.8", ".", 1234567.8),
        ("1 234,5", ",", 1234.5),
        ("1\u00a0234,5", ",", 1234.5),
        ("1\u202f234", ".", 1234.0),
        ("1'234.5", ".", 1234.5),
        ("1\u2019234.5", ".", 1234.5),
        ("$1,234", ".", 1234.0),
        ("1.234,5 €", ",", 1234.5),
        ("€ 5", ".", 5.0),
        ("-€5", ".", -5.0),
        ("CHF 1'000.-", ".", 1000.0),
        ("5,-", ",", 5.0),
        ("CHF 1'000", ".", 1000.0),
        ("US$ 5", ".", 5.0),
        ("5 EUR", ".", 5.0),
        ("12 kr", ".", 12.0),
        ("12.5 %", ".", 12.5),
        ("7%", ".", 7.0),
        ("(1,234.5)", ".", -1234.5),
        ("(5 €)", ".", -5.0),
        ("5.0-", ".", -5.0),
        ("- 5", ".", -5.0),
        ("\u22125", ".", -5.0),
        ("4 kg", ".", None),
        ("1_000", ".", None),
        ("٣", ".", None),
        ("0x10", ".", None),
        ("--1", ".", None),
        ("1.2.2020", ".", None),
        ("12,34", ".", None),
        ("1,2345", ".", None),
        ("inf", ".", None),
        ("nan", ".", None),
        ("1e999", ".", None),
        ("", ".", None),
        (".", ".", None),
        ("-", ".", None),
        ("1\n2", ".", None),
    ],
)
def test_numbers_as_people_write_them(cell, decimal, value):
    for cells in ([cell], [cell, "1"], ["7 €", cell]):  # beside plain and other cells
        values, good = read_numbers(cells, decimal)
        i = cells.index(cell)
        assert good[i] == (value is not None)
        np.testing.assert_equal(values[i], np.nan if value is None else value)


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([",", "."]))
def test_what_is_formatted_is_read_back(value, decimal):
    text = f"{value:,.3f}"
    if decimal == ",":
        text = text.translate(str.maketrans(",.", ".,"))
    read, good = read_numbers([text], decimal)
    assert good.all()
    assert read[0] == float(f"{value:.3f}")


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["1.234", "2.345,50"], ","),
        (["1,234", "2,345.50"], "."),
        (["1,234", "999"], None),
        (["1.234"], None),
        (["0,125", "1,234"], ","),
        (["0.125"], "."),
        (["1,5"], ","),
        (["1.5"], "."),
        (["1,2345"], ","),
        (["1,234,567"], "."),
        (["1.234.567"], ","),
        (["1 234,567"], ","),
        (["$1,234.5"], "."),
        (["1,5 €", "2,5 €", "1.5"], ","),
        (["12", "7"], None),
        ([], None),
    ],
)
def test_the_whole_column_shows_the_decimal_mark(cells, mark):
    assert decimal_mark(cells) == mark


def test_ambiguous_columns_follow_what_is_likely_or_said():
    assert is_ambiguous(["1,234"])
    assert not is_ambiguous(["1,23"])
    assert not is_ambiguous(["123"])
    assert parsed("1,234").values[0] == 1234
    assert parsed("1,234", likely_decimal=",").values[0] == 1.234
    assert parsed("1,234", decimal=",").values[0] == 1.234
    assert parsed("1.234").values[0] == 1.234
    assert parsed("1.234", likely_decimal=",").values[0] == 1234


@pytest.mark.parametrize("word", ["", "  ", "NA", "n/a", "NaN", "null", "?", " ? ", "NULL", "#N/A"])
@pytest.mark.parametrize("other", ["1", "tall"])
def test_missing_words(word, other):
    assert is_missing(word)
    column = parsed(other, word, "2")
    assert column.missing.tolist() == [False, True, False]


def test_words_that_are_missing_among_numbers_are_texts_elsewhere():
    assert parsed("1", "none", "-", "–").n_missing == 3  # noqa: RUF001
    column = parsed("pool", "none", "-")
    assert column.categories == ("pool", "none", "-")


def test_nothing_but_missing_cells_are_numbers_that_are_missing():
    column = parsed("", "NA")
    assert column.is_number
    assert column.n_missing == 2


def test_text_stays_text_without_the_space_around_it():
    column = parsed(" a", "a ", "1", "b")
    assert column.categories == ("a", "1", "b")
    assert column.texts() == ["a", "a", "1", "b"]


@pytest.mark.parametrize(
    ("cell", "order", "date"),
    [
        ("2024-03-31", "mdy", "2024-03-31T00:00:00"),
        ("2024/3/31", "mdy", "2024-03-31T00:00:00"),
        ("2024-03", "mdy", "2024-03-01T00:00:00"),
        ("2024-03-31T14:05", "mdy", "2024-03-31T14:05:00"),
        ("2024-03-31 14:05:06.789Z", "mdy", "2024-03-31T14:05:06"),
        ("2024-03-31T01:00:00+02:00", "mdy", "2024-03-30T23:00:00"),
        ("31.3.2024", "mdy", "2024-03-31T00:00:00"),
        ("31.03.24", "mdy", "2024-03-31T00:00:00"),
        ("3/31/2024 1:05 PM", "mdy", "2024-03-31T13:05:00"),
        ("3/31/2024 12:05 am", "mdy", "2024-03-31T00:05:00"),
        ("1/2/2024", "mdy", "2024-01-02T00:00:00"),
        ("1/2/2024", "dmy", "2024-02-01T00:00:00"),
        ("31 March 2024", "mdy", "2024-03-31T00:00:00"),
        ("31-Mar-99", "mdy", "1999-03-31T00:00:00"),
        ("Mar 31, 2024", "mdy", "2024-03-31T00:00:00"),
        ("31. Dez. 2023", "mdy", "2023-12-31T00:00:00"),
        ("5 juin 2020", "mdy", "2020-06-05T00:00:00"),
        ("1 août 2020", "mdy", "2020-08-01T00:00:00"),
        ("2024-02-30", "mdy", "NaT"),
        ("2024-13-01", "mdy", "NaT"),
        ("2024-03-31T25:00", "mdy", "NaT"),
        ("31/3/2024", "mdy", "NaT"),
        ("5 planks 2020", "mdy", "NaT"),
        ("soon", "mdy", "NaT"),
    ],
)
def test_dates_as_people_write_them(cell, order, date):
    for cells in ([cell], ["2020-01-01", cell], ["1.2.2020", cell]):
        values, good = read_dates(cells, order)
        assert str(values[-1]) == date
        assert good[-1] == (date != "NaT")


def test_one_cell_shows_the_order_of_all():
    assert date_order(["1/2/2024", "13/2/2024"]) == "dmy"
    assert date_order(["1/2/2024", "2/13/2024"]) == "mdy"
    assert date_order(["1/2/2024"]) is None
    assert parsed("1/2/2024", "13/2/2024").values[0] == np.datetime64("2024-02-01")
    assert parsed("1/2/2024", likely_decimal=",").values[0] == np.datetime64("2024-02-01")
    assert parsed("1/2/2024").style == "mdy"


def test_a_known_style_tells_the_strays():
    column = Column("x", np.array([0, 1, 2, 3, -1], np.int32), ("1,5", "4 kg", "NA", "7"), UNREAD)
    read, strays = read_as(column, ",")
    np.testing.assert_array_equal(read.values, [1.5, np.nan, np.nan, 7, np.nan])
    assert strays.tolist() == [False, True, False, False, False]
    assert read_text(column, ",").is_text
    assert read_text(column, UNREAD) is column
    assert read_text(column, "text").texts() == ["1,5", "4 kg", None, "7", None]


def test_frames_whose_numbers_are_texts():
    import pymlp

    prices = [f"{1000 + 10 * i:,} €".replace(",", ".") + "" for i in range(40)]
    prices[0] = "1.000,50 €"
    model = pymlp.TabularRegressor(random_state=0, epochs=2)
    model.fit({"price": prices}, np.arange(40))
    (field,) = model.encoder_.fields_
    assert field.style == ","
    assert field.encoding.mean == pytest.approx(1195, rel=0.1)
    # One row alone would be read otherwise: the model knows how its column is written.
    np.testing.assert_array_equal(
        model.predict({"price": ["1.100"]}), model.predict({"price": [1100.0]})
    )
