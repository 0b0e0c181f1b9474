"""The benchmarks' own arithmetic: nothing here measures time, or needs another library."""

import json
import re

import numpy as np
import pytest

import pymlp
from benchmarks import peak, peers, results, tables
from benchmarks.cells import Cell, Mark, inference, operations, short
from benchmarks.marks import MARKS
from benchmarks.others import OTHERS
from benchmarks.peers import numpy_mlp
from pymlp import _core_test

# What two cores of the machine reached on which the marks were set.
PEAKS = {"float32": 492.0, "float64": 246.0}


@pytest.mark.parametrize(
    ("name", "microseconds"),
    [
        ("2-4-3, 300 rows", 0.063),
        ("4-32-16-4, 10,000 rows", 81),
        ("2-8x20-1, 4,096 rows", 7.7),  # the products alone: tanh costs about as much again
        ("17-64-64-6, 4,096 rows", 4.1),
        ("23-256-256-1, 16,384 rows", 218),
        ("784-100-10, 16,000 rows", 130),
        ("54-256-256-256-7, 16,384 rows", 444),
        ("479-1024-1024-512-256-1, 8,192 rows", 12_683),
        ("1024x6, 8,192 rows", 61_107),
    ],
)
def test_floors(name, microseconds):
    (cell,) = [cell for cell in MARKS if cell.name.startswith(name)]
    assert cell.floor(PEAKS[cell.dtype]) == pytest.approx(microseconds, rel=0.02)


def test_operations_are_counted_from_the_products():
    # Forward 2 x 3 and 3 x 4, backward both again for the weights, and the second for its inputs.
    assert operations((2, 3, 4), 5, training=True) == 2 * 5 * (6 + 12 + 6 + 12 + 12)
    assert operations((2, 3, 4), 5, training=False) == 2 * 5 * (6 + 12)


def test_marks_have_marks_and_nobody_shares_a_name():
    assert all(cell.mark is not None and 0 < cell.mark.ratio < 1 for cell in MARKS)
    names = [cell.name for cell in (*MARKS, *OTHERS)]
    assert len(set(names)) == len(names)


def test_other_shapes_are_of_every_kind():
    training = [cell for cell in OTHERS if cell.training]
    widest = {cell.name: max(cell.widths) for cell in training}
    assert len(training) >= 12
    assert any(cell.dtype == "float64" and min(cell.widths[1:-1]) >= 64 for cell in training)
    assert any(width <= 128 for width in widest.values())
    assert any(256 <= width <= 512 for width in widest.values())
    assert any(width > 512 for width in widest.values())
    assert {50, 96} <= {cell.batch_size for cell in training}
    assert {cell.hidden for cell in training} == {"relu", "tanh", "sigmoid"}


def test_names_and_refusals():
    assert short((2, 8, 8, 8, 8, 1)) == "2-8x4-1"
    assert short((2, 8, 8, 1)) == "2-8-8-1"
    assert inference((3, 2), 1).name == "predict 3-2, 1 row, f32 relu"
    with pytest.raises(ValueError, match="100 rows are not whole batches of 30"):
        Cell((2, 1), 100, 30)


# ---- from times to what is said of them ------------------------------------------------------

CELL = Cell((8, 4), 100, 50, optimizer="sgd", mark=Mark(30, 100))
TURNS = {
    ("pymlp", 1): [30.0, 20.0, 22.0],
    ("pymlp", 2): [40.0, 41.0, 1.0],
    ("NumPy", 1): [80.0, 90.0, 100.0],
    ("JAX", 2): [110.0, 120.0, 130.0],
}


def test_each_library_has_its_better_threads_and_the_median_counts():
    best = results.better_threads(TURNS)
    assert best["pymlp"] == {"microseconds": 22.0, "least": 20.0, "threads": 1}
    assert best["JAX"]["threads"] == 2


def test_ratios():
    record = results.summary(CELL, TURNS, [0.5, 1.0, 0.9])
    assert record["best_peer"] == "NumPy"
    assert record["ratio"] == pytest.approx(22 / 90)
    assert (record["mark_ratio"], record["meets_mark"]) == (0.3, True)
    # 2 x 50 rows x 8 x 4 x 2 products at 10^9 a second.
    assert record["floor"] == pytest.approx(6.4)
    assert record["share_of_floor"] == pytest.approx(6.4 / 22)


@pytest.mark.parametrize("left", ["pymlp", "NumPy", None])
def test_what_is_missing_is_left_open(left):
    turns = {key: times for key, times in TURNS.items() if key[0] == left}
    record = results.summary(CELL, turns, [])
    assert record["ratio"] is record["meets_mark"] is record["share_of_floor"] is None
    assert CELL.name in tables.both_kinds({"cells": [record]})


def full_record():
    cells = [
        results.summary(CELL, TURNS, [1.0]),
        results.summary(inference((8, 4), 50), {("pymlp", 1): [2.0], ("JAX", 1): [3.0]}, [1.0]),
    ]
    return {
        "date": "2026-01-01T00:00:00+00:00",
        "command": "python -m benchmarks",
        "machine": {"processor": "any", "cores": 2},
        "libraries": {"NumPy": {"version": "2"}},
        "left_out": {"JAX": "not installed"},
        "cells": cells,
    }


def test_record_survives_json():
    record = full_record()
    again = json.loads(json.dumps(record))
    assert tables.both_kinds(again) == tables.both_kinds(record)
    names = {"name", "widths", "batch_size", "dtype", "operations", "turns", "best", "best_peer"}
    names |= {"ratio", "mark", "mark_ratio", "meets_mark", "peak_gflops", "floor", "share_of_floor"}
    assert all(names <= set(cell) for cell in again["cells"])
    assert again["cells"][0]["turns"][0] == {
        "library": "pymlp",
        "threads": 1,
        "microseconds": [30.0, 20.0, 22.0],
    }


def test_tables():
    record = full_record()
    training, prediction = tables.both_kinds(record, tables.markdown).split("\n\n")
    assert training.splitlines()[0].startswith("| cell | pymlp | NumPy | JAX | ratio | mark |")
    assert "| 22.0 (1) | 90.0 (1) | 120 (2) | 0.24 | 0.30 | met |" in training
    assert "NumPy" not in prediction
    lines = tables.both_kinds(record).split("\n\n")[0].splitlines()
    assert len({len(line) for line in lines}) == 1
    assert "JAX is left out: not installed" in tables.libraries(record)


def test_chart(tmp_path):
    pytest.importorskip("matplotlib")
    from benchmarks import chart

    chart.draw(full_record(), tmp_path / "pictures" / "speed")
    assert {f.name for f in (tmp_path / "pictures").iterdir()} == {"speed.png", "speed.svg"}
    assert "ONNX" not in (tmp_path / "pictures" / "speed.svg").read_text()


# ---- what is run ------------------------------------------------------------------------------


@pytest.mark.parametrize("output", ["softmax", "sigmoid", "linear"])
@pytest.mark.parametrize("hidden", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_numpy_takes_the_steps_that_pymlp_takes(hidden, output, optimizer):
    cell = Cell(
        (5, 7, 6, 3), 20, 20, hidden=hidden, output=output, optimizer=optimizer, dtype="float64"
    )
    X, y = cell.data()
    by_hand = numpy_mlp.Network(cell)
    net = pymlp.Network(cell.widths, hidden=hidden, output=output, dtype="float64", seed=0)
    net.parameters = by_hand.parameters
    step = {"adam": numpy_mlp.adam, "sgd": numpy_mlp.sgd}[optimizer](by_hand, cell.learning_rate)
    numpy_mlp.train(by_hand, X, y, step, epochs=3)
    rule = {"adam": pymlp.Adam, "sgd": pymlp.SGD}[optimizer](cell.learning_rate)
    net.fit(X, y, epochs=3, batch_size=20, optimizer=rule, shuffle=False)
    np.testing.assert_allclose(by_hand.parameters, net.parameters, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("training", [True, False])
def test_own_runs(training):
    cell = Cell((5, 7, 3), 20, 10) if training else inference((5, 7, 3), 20)
    peers.load("pymlp").prepare(cell, 1)(2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_peak_counts_its_operations(dtype):
    result = np.zeros(1, dtype)
    once = _core_test.peak(result, 1)
    assert once % (2 * 12) == 0  # twelve sums, a multiplication and an addition each
    assert _core_test.peak(result, 1_000) == 1_000 * once
    assert result == 12  # each sum tends to 1
    assert peak.gflops(dtype, 2) > 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_repeated_products_are_the_products(dtype):
    rng = np.random.default_rng(0)
    x, w, z = (rng.standard_normal(shape).astype(dtype) for shape in ((9, 5), (5, 7), (9, 7)))
    tolerance = {"rtol": 1e-4, "atol": 1e-5}
    dw, dx = np.empty_like(w), np.empty_like(x)
    _core_test.repeat_product("dw", x, dw, z, 2)
    np.testing.assert_allclose(dw, x.T @ z, **tolerance)
    _core_test.repeat_product("dx", dx, w, z, 2)
    np.testing.assert_allclose(dx, z @ w.T, **tolerance)
    _core_test.repeat_product("z", x, w, z, 2)
    np.testing.assert_allclose(z, x @ w, **tolerance)


@pytest.mark.parametrize(
    ("result", "shapes", "message"),
    [
        ("y", ((9, 5), (5, 7), (9, 7)), "result must be z, dw or dx, not y"),
        ("z", ((9, 5), (4, 7), (9, 7)), "w must have 5 rows, not 4"),
        ("z", ((9, 5), (5, 7), (8, 7)), "outputs must have 9 rows, not 8"),
        ("z", ((9, 5), (5, 6), (9, 7)), "w must have 7 columns, not 6"),
        ("z", ((9,), (5, 6), (9, 7)), "rows and outputs must have 2 dimensions"),
    ],
)
def test_repeated_products_refuse_what_does_not_fit(result, shapes, message):
    x, w, z = map(np.zeros, shapes)
    with pytest.raises(ValueError, match=re.escape(message)):
        _core_test.repeat_product(result, x, w, z, 1)
