"""What holds of any table, of any number as people write it, and of any file."""

import contextlib
import datetime
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pymlp.tabular import TableEncoder
from pymlp.tabular.columns import Column
from pymlp.tabular.frames import columns_of
from pymlp.tabular.number_text import read_numbers
from pymlp.tabular.reading import FileOptions, cells, read_pieces, read_table
from pymlp.tabular.text import UNREAD, read_text

# ---- the encoder ---------------------------------------------------------------------------------

NUMBERS = st.floats(allow_infinity=False) | st.integers(-(2**70), 2**70) | st.just(1e308)
TEXTS = st.text(max_size=5) | st.sampled_from(["1,5", "2.5", "NA", "31.12.2023", "x", " x", "<b>"])
DATES = st.dates() | st.datetimes()
VALUES = [
    NUMBERS,
    TEXTS,
    DATES,
    st.booleans(),
    st.sampled_from([0, 1, 2]),
    st.sampled_from(["Bern", "Chur"]),
    st.decimals(allow_infinity=False, allow_nan=False),
    st.timedeltas(),
    NUMBERS | TEXTS,
]


@st.composite
def tables(draw):
    n = draw(st.integers(1, 50))
    names = draw(st.lists(st.text(max_size=3), min_size=1, max_size=4, unique=True))
    kinds = [draw(st.sampled_from(VALUES)) for _ in names]
    present = [kind | st.none() for kind in kinds]
    return {
        name: draw(st.lists(kind, min_size=n, max_size=n))
        for name, kind in zip(names, present, strict=True)
    }


def bits(X):
    return X.shape, X.tobytes()


@given(tables(), st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_any_table(table, chance):
    n = len(next(iter(table.values())))
    encoder = TableEncoder(dtype="float64")
    with contextlib.suppress(ValueError, TypeError):
        X = encoder.fit_transform(table)
    if not hasattr(encoder, "fields_"):
        return  # it has no column to learn from, or a number too large
    assert X.shape == (n, encoder.n_inputs_)
    assert np.isfinite(X).all()
    assert bits(TableEncoder.from_json(encoder.to_json()).transform(table)) == bits(X)
    names = chance.sample(list(table), len(table))
    assert bits(encoder.transform({name: table[name] for name in names})) == bits(X)
    rows = [chance.randrange(n) for _ in range(chance.randint(1, n))]
    some = {name: [values[i] for i in rows] for name, values in table.items()}
    assert bits(encoder.transform(some)) == bits(X[rows])
    assert bits(TableEncoder(dtype="float64").fit_transform(table)) == bits(X)


@pytest.mark.parametrize(
    "values", [[1e308, 1e308, None], [0.0, 5e-324, 0.0], [1e308, -1e308, 0.0], [1e-310, 2e-310, 0]]
)
def test_numbers_at_the_ends_of_the_range(values):
    encoder = TableEncoder(keep=["x"])
    X = encoder.fit_transform({"x": values})
    assert np.isfinite(X).all()
    assert bits(TableEncoder.from_json(encoder.to_json()).transform({"x": values})) == bits(X)


def test_numbers_among_dates_are_no_missing_dates():
    day = datetime.date(2024, 1, 1)
    assert columns_of({"x": [0.0, day]})["x"].texts() == ["0.0", "2024-01-01"]
    assert columns_of({"x": [np.nan, day]})["x"].texts() == [None, "2024-01-01T00:00:00"]
    assert columns_of({"x": [float("nan"), day]})["x"].is_date


# ---- numbers -------------------------------------------------------------------------------------

LOCALES = {"en": (",", "."), "de": (".", ","), "fr": ("\u202f", ","), "ch": ("\u2019", ".")}


def written(value, digits, locale):
    thousands, mark = LOCALES[locale]
    text = f"{value:,.{digits}f}"
    return text.translate({ord(","): thousands, ord("."): mark})


@given(
    st.lists(st.floats(-1e15, 1e15), min_size=1, max_size=20),
    st.integers(0, 6),
    st.sampled_from(sorted(LOCALES)),
    st.sampled_from(["", "€ ", " CHF", " %"]),
)
def test_numbers_of_every_country(values, digits, locale, unit):
    texts = [written(value, digits, locale) for value in values]
    if unit:
        texts = [t + unit if unit.startswith(" ") else unit + t for t in texts]
    found, good = read_numbers(texts, LOCALES[locale][1])
    assert good.all()
    assert found.tolist() == [float(f"{value:.{digits}f}") for value in values]
    if digits not in (0, 3):  # nothing else than the text says which mark is decimal
        column = Column("x", np.arange(len(texts), dtype=np.int32), tuple(texts), UNREAD)
        assert read_text(column).values.tolist() == found.tolist()


@given(st.lists(st.text("0123456789.,-+eE'% ()€$xNA\u2212", max_size=8), max_size=10))
def test_cells_are_read_alone_as_together(texts):
    for mark in ".,":
        values, good = read_numbers(texts, mark)
        assert np.isfinite(values).tolist() == good.tolist()
        alone = [read_numbers([text], mark)[0][0] for text in texts]
        np.testing.assert_array_equal(values, alone)


# ---- readers -------------------------------------------------------------------------------------

CELLS = [
    "1", "-2.5", "1e3", "", "NA", "x", "a b", " 7", "7 ", "1,5", '"1,5"', '"a""b"', "ä", "1_0",
    "inf", "nan", "0x1", "1.", ".5", "+3", "1'000", "2024-01-01", '""', "NULL", "'", "5 %", "1e400",
    "-", "1d5", "1f", "infinity", "\u0661", "\u00b2", '"x;y"', "\t", "00012",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_pyarrow_reads_as_the_standard_library(seed, tmp_path, monkeypatch):
    pytest.importorskip("pyarrow")
    generator = random.Random(seed)
    kinds = [generator.sample(CELLS, generator.randint(1, 6)) for _ in range(3)]
    end = generator.choice(["\n", "\r\n"])
    rows = [";".join(map(generator.choice, kinds)) for _ in range(generator.randint(1, 60))]
    path = tmp_path / "table.csv"
    path.write_text(end.join(["a;b;c", *rows, ""]), encoding="utf-8", newline="")
    options = FileOptions(delimiter=";", header=True)
    size, found = generator.choice([50, 1 << 20]), []
    for fast in (False, True):
        monkeypatch.setattr(cells, "_fast", lambda text, fast=fast: fast)
        pieces = list(read_pieces(path, options, size=size))
        found.append((_told(read_table, path, options), [texts(p.columns) for p in pieces]))
    assert found[0] == found[1]


def _told(read, path, options):
    try:
        table = read(path, options)
    except ValueError as error:
        return str(error)
    return [(c.style, c.texts()) for c in table.columns], list(table.columns.lines)


def texts(columns):
    return [read_text(c).texts() for c in columns]
