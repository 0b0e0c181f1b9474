"""The benchmarks' own arithmetic: nothing here measures time, or needs another library."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import pymlp
from benchmarks import (
    beside,
    environment,
    instructions,
    peak,
    peers,
    results,
    scaling,
    sweep,
    tables,
)
from benchmarks.cells import AHEAD, Cell, Mark, inference, operations, short
from benchmarks.marks import MARKS
from benchmarks.measuring import Times
from benchmarks.others import OTHERS
from benchmarks.peers import numpy_mlp
from pymlp import _core_test

# What two cores of the machine sustained on which the marks were set.
PEAKS = {"float32": 390.0, "float64": 195.0}


@pytest.mark.parametrize(
    ("name", "microseconds"),
    [
        ("4-32-16-4, 10,000 rows", 103),
        ("2-8x20-1, 4,096 rows", 9.7),  # the products alone: tanh costs about as much again
        ("17-64-64-6, 4,096 rows", 5.2),
        ("37-93-41-5, 4,800 rows", 9.3),
        ("64-100-10, 4,000 rows", 16),
        ("23-256-256-1, 16,384 rows", 275),
        ("784-100-10, 16,000 rows", 164),
        ("54-256-256-256-7, 16,384 rows", 564),
        ("784-512-512-10, 6,400 rows", 1_060),
        ("784-512-512-10, 3,200 rows", 265),
        ("479-1024-1024-512-256-1, 4,096 rows", 16_000),
        ("1024x6, 4,096 rows", 77_000),
        ("predict 54-256-256-256-7, 8,192 rows", 6_162),
        ("predict 784-512-512-10, 256 rows", 878),
    ],
)
def test_floors(name, microseconds):
    (cell,) = [cell for cell in MARKS if cell.name.startswith(name)]
    assert cell.floor(PEAKS[cell.dtype]) == pytest.approx(microseconds, rel=0.02)


def test_operations_are_counted_from_the_products():
    # Forward 2 x 3 and 3 x 4, backward both again for the weights, and the second for its inputs.
    assert operations((2, 3, 4), 5, training=True) == 2 * 5 * (6 + 12 + 6 + 12 + 12)
    assert operations((2, 3, 4), 5, training=False) == 2 * 5 * (6 + 12)


def test_the_floor_of_few_rows_is_the_moving_of_the_parameters():
    cell = inference((100, 50), 1, dtype="float64")
    assert cell.held_bytes == cell.moved_bytes == 8 * 101 * 50
    assert cell.floor(1.0, 1.0) == pytest.approx(40.4)  # 40400 bytes at 10^9 a second
    assert cell.floor(1.0, 10.0) == cell.floor(1.0) == pytest.approx(10.0)
    # Read and written; Adam keeps two more numbers for each.
    assert Cell((100, 50), 10, 1, optimizer="sgd").moved_bytes == 2 * 4 * 101 * 50
    assert Cell((100, 50), 10, 1, optimizer="adam").moved_bytes == 6 * 4 * 101 * 50


def test_a_smaller_last_batch_is_a_step():
    cell = Cell((3, 2), 100, 30)
    assert cell.steps == 4
    assert cell.operations == operations((3, 2), 100, training=True) / 4


def test_marks_have_marks_and_nobody_shares_a_name():
    assert all(cell.mark is not None and cell.mark.ratio >= AHEAD for cell in MARKS)
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
    assert {32, 50, 96} <= {cell.batch_size for cell in training}
    assert sum(cell.rows % cell.batch_size > 0 for cell in training) >= 3
    assert {cell.hidden for cell in training} == {"relu", "tanh", "sigmoid"}


def test_names():
    assert short((2, 8, 8, 8, 8, 1)) == "2-8x4-1"
    assert short((2, 8, 8, 1)) == "2-8-8-1"
    assert inference((3, 2), 1).name == "predict 3-2, 1 row, f32 relu"


# ---- from times to what is said of them ------------------------------------------------------

CELL = Cell((8, 4), 100, 50, optimizer="sgd", mark=Mark(0.25, 0.3, ratio=4, microseconds=20))
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


def times(turns):
    return Times(turns, peaks=[0.5, 1.0, 0.9], bandwidths=[10.0, 5.0])


def test_ratios():
    record = results.summary(CELL, times(TURNS), "any")
    assert record["best_peer"] == "NumPy"
    assert record["ratio"] == pytest.approx(90 / 22)
    # 2 x 50 rows x 8 x 4 x 2 products at 10^9 a second.
    assert record["floor"] == pytest.approx(6.4)
    assert record["share_of_floor"] == pytest.approx(6.4 / 22)


@pytest.mark.parametrize(
    ("kind", "asked", "missed"),
    [
        ("any", {"share": 0.25, "ratio": 4}, []),
        ("Zen 4", {"share": 0.3, "ratio": 4}, ["share"]),
        ("Sapphire Rapids", {"share": 0.25, "ratio": 4, "microseconds": 20}, ["microseconds"]),
    ],
)
def test_what_is_asked_depends_on_the_kind_of_machine(kind, asked, missed):
    record = results.summary(CELL, times(TURNS), kind)
    assert (record["asked"], record["missed"]) == (asked, missed)


def test_who_is_not_ahead_misses():
    even = {("pymlp", 1): [100.0], ("NumPy", 1): [101.0]}
    assert results.summary(Cell((8, 4), 100, 50), times(even), "any")["missed"] == ["ratio"]


@pytest.mark.parametrize("library", ["pymlp on BLAS", "PyTorch medium", "PyTorch bf16"])
def test_other_arithmetic_is_no_peer(library):
    turns = TURNS | {(library, 2): [1.0]}
    assert results.summary(CELL, times(turns), "any")["best_peer"] == "NumPy"


@pytest.mark.parametrize("left", ["pymlp", "NumPy", None])
def test_what_is_missing_is_left_open(left):
    turns = {key: found for key, found in TURNS.items() if key[0] == left}
    record = results.summary(CELL, Times(turns), "any")
    assert record["ratio"] is record["share_of_floor"] is None
    assert record["missed"] is None
    assert CELL.name in tables.both_kinds({"cells": [record]})


def test_cells_of_another_machine_are_not_kept(tmp_path):
    record = full_record()
    file = tmp_path / "record.json"
    assert results.kept(file, record) == []
    file.write_text(json.dumps(record))
    assert [cell["name"] for cell in results.kept(file, record)] == [
        cell["name"] for cell in record["cells"]
    ]
    with pytest.raises(SystemExit, match="another machine or other libraries"):
        results.kept(file, record | {"machine": {"processor": "other"}})


@pytest.mark.parametrize(
    ("vendor", "family", "model", "kind"),
    [
        ("AuthenticAMD", 25, 17, "Zen 4"),
        ("AuthenticAMD", 25, 97, "Zen 4"),
        ("AuthenticAMD", 25, 1, "AuthenticAMD family 25"),
        ("AuthenticAMD", 26, 2, "Zen 5"),
        ("GenuineIntel", 6, 143, "Sapphire Rapids"),
        ("GenuineIntel", 6, 85, "GenuineIntel family 6"),
    ],
)
def test_kinds_of_processors(vendor, family, model, kind):
    assert environment.kind_of(vendor, family, model) == kind


def test_the_record_tells_the_machine():
    machine = environment.machine()
    names = {"processor", "family", "model", "kind", "caches", "instructions", "cores", "system"}
    assert names <= set(machine)
    assert json.loads(json.dumps(machine)) == machine


def full_record():
    cells = [
        results.summary(CELL, times(TURNS), "any"),
        results.summary(
            inference((8, 4), 50), times({("pymlp", 1): [2.0], ("JAX", 1): [3.0]}), "any"
        ),
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
    names |= {"ratio", "mark", "asked", "missed", "peak_gflops", "floor", "share_of_floor"}
    assert all(names <= set(cell) for cell in again["cells"])
    assert again["cells"][0]["turns"][0] == {
        "library": "pymlp",
        "threads": 1,
        "microseconds": [30.0, 20.0, 22.0],
    }


def test_tables():
    record = full_record()
    training, prediction = tables.both_kinds(record, tables.markdown).split("\n\n")
    assert training.splitlines()[0].startswith("| cell | pymlp | NumPy | JAX | ratio | floor |")
    assert "| 22.0 (1) | 90.0 (1) | 120 (2) | 4.09 | 6.40 | 29% | 25%, 4x | met |" in training
    assert "NumPy" not in prediction
    lines = tables.both_kinds(record).split("\n\n")[0].splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[1].endswith("met")
    assert "JAX is left out: not installed" in tables.libraries(record)


def test_chart(tmp_path):
    pytest.importorskip("matplotlib")
    from benchmarks import chart

    chart.draw(full_record(), tmp_path / "pictures" / "speed")
    assert {f.name for f in (tmp_path / "pictures").iterdir()} == {"speed.png", "speed.svg"}
    picture = (tmp_path / "pictures" / "speed.svg").read_text()
    assert "ONNX" not in picture
    assert "4.1×" in picture  # noqa: RUF001  # NumPy's median over ours


def test_ratios_of_the_chart():
    pytest.importorskip("matplotlib")
    from benchmarks import chart

    record = full_record()
    best = record["cells"][0]["best"]
    found = chart.ratios(record, training=True)
    assert list(found) == ["NumPy", "JAX"]  # the fastest first
    assert found["NumPy"] == [best["NumPy"]["microseconds"] / best["pymlp"]["microseconds"]]


def test_table_beside_others():
    def cell(name, training, **times):
        return {
            "name": name,
            "training": training,
            "best": {library: {"microseconds": time} for library, time in times.items()},
        }

    speeds = {
        "cells": [
            cell(beside.STEP, True, **{"pymlp": 4.0, "scikit-learn": 9.0, "PyTorch": 8, "JAX": 7}),
            cell(beside.PREDICTION, False, pymlp=0.5, PyTorch=12.0, JAX=11.0),
        ]
    }
    about = {"version": "1.0+cpu", "megabytes": 7.4, "import_milliseconds": 12.6}
    libraries = {name: dict(about) for name in beside.LIBRARIES}
    libraries["scikit-learn"]["prediction_microseconds"] = 160.0
    rows = beside.table({"libraries": libraries}, speeds).splitlines()
    assert rows[0] == "|  | pymlp 1.0 | scikit-learn 1.0 | PyTorch 1.0 | JAX 1.0 |"
    assert rows[2].endswith("| 7 MB | 7 MB | 7 MB | 7 MB |")
    assert rows[3].endswith("| 13 ms | 13 ms | 13 ms | 13 ms |")
    assert rows[4].endswith("| 4.00 µs | 9.00 µs | 8.00 µs | 7.00 µs |")
    assert rows[5].endswith("| 0.50 µs | 160 µs | 12.0 µs | 11.0 µs |")


def test_sizes_leave_bytecode_and_tests_out():
    import pymlp

    own = beside.megabytes("pymlp")
    assert 1 < own < 60
    assert own > sum(f.stat().st_size for f in Path(pymlp.__file__).parent.glob("*.py")) / 1e6


# ---- what is run ------------------------------------------------------------------------------


@pytest.mark.parametrize("output", ["softmax", "sigmoid", "linear"])
@pytest.mark.parametrize("hidden", numpy_mlp.HIDDEN)
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


def test_tails_of_batches_are_trained():
    cell = Cell((5, 7, 3), 50, 20, dtype="float64", optimizer="sgd")
    network = numpy_mlp.Network(cell)
    X, y = cell.data()
    seen = []
    numpy_mlp.train(network, X, y, lambda: seen.append(len(network.ones)), epochs=2)
    assert seen == [20, 20, 10] * 2
    assert np.isfinite(network.loss)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_peak_is_found_with_any_number_of_threads(dtype, monkeypatch):
    monkeypatch.setattr(peak, "_SECONDS", 0.002)
    assert peak.gflops(dtype, 1) > 0
    assert peak.gflops(dtype, 2) > 0
    assert peak.bandwidth(100_000, 2) > 0


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


# ---- instructions ------------------------------------------------------------------------------


def test_more_instructions_fail():
    before = {"one": 1_000, "two": 2_000}
    assert instructions.compared({"one": 1_099.0, "two": 1_000.0}, before)[1]
    rows, holds = instructions.compared({"one": 1_101.0, "two": 2_000.0}, before)
    assert not holds
    assert [row[-1] for row in rows[1:]] == ["too many", ""]
    with pytest.raises(KeyError, match="has no 'three'"):
        instructions.compared({"three": 1.0}, before)


def test_totals_are_read_from_valgrinds_files(tmp_path):
    file = tmp_path / "counts.2"
    file.write_text("events: Ir\n\nsummary: 41\ntotals: 42\n")
    assert instructions.total(file) == 42
    file.write_text("events: Ir\n")
    with pytest.raises(ValueError, match="has no totals"):
        instructions.total(file)


def test_there_are_numbers_for_every_cell():
    names = {cell.name for cell, _ in instructions.CELLS}
    assert len(names) == 6
    kept = json.loads(instructions.FILE.read_text(encoding="utf-8"))
    assert kept
    assert all(set(numbers) == names for numbers in kept.values())


# ---- the sweep ---------------------------------------------------------------------------------


def test_a_seed_gives_the_same_configurations_of_every_kind():
    cells = sweep.configurations(7, 120)
    assert cells == sweep.configurations(7, 200)[:120]
    assert cells != sweep.configurations(8, 120)
    assert len({cell.name for cell in cells}) == 120
    assert sum(cell.training for cell in cells) == 60
    assert {len(cell.widths) - 1 for cell in cells} == set(range(1, 7))
    widths = [width for cell in cells for width in cell.widths]
    assert min(widths) >= 3
    assert max(widths) <= 1024
    assert all(1 <= cell.batch_size <= 2_048 for cell in cells)
    assert {cell.hidden for cell in cells} == set(sweep.ACTIVATIONS)
    assert {cell.dtype for cell in cells} == {"float32", "float64"}
    assert any(cell.rows % cell.batch_size for cell in cells)


def swept_record():
    record = full_record()
    slow = Cell((6, 3), 100, 50)
    turns = {("pymlp", 1): [10.0], ("NumPy", 1): [9.0]}
    return record | {"cells": [*record["cells"], results.summary(slow, times(turns), "any")]}


def test_what_a_sweep_says():
    cells = swept_record()["cells"]
    training, inference_row = sweep.summary(cells)[1:]
    assert training == ["training", "2", "2.50", "0.90", "1.30", "50%", "1"]
    assert inference_row == ["inference", "1", "1.50", "1.50", "1.20", "0%", "0"]
    (found,) = sweep.lowest(cells)[1:]
    assert found[0] == "6-3, 100 rows, batch 50, f32 adam relu CE"
    assert found[1:5] == ["0.90", "10.0", "9.00", "NumPy"]


def test_picture_of_a_sweep(tmp_path):
    pytest.importorskip("matplotlib")
    sweep.draw_ratios(swept_record(), tmp_path / "sweep")
    assert "3 random networks" in (tmp_path / "sweep.svg").read_text()
    assert (tmp_path / "sweep.png").exists()


# ---- scaling -----------------------------------------------------------------------------------


def scaled(*shares):
    return [
        {"name": f"size {i}", "operations": 10**i, "share_of_floor": share}
        for i, share in enumerate(shares)
    ]


def test_the_worst_fall_is_below_any_earlier_share():
    assert scaling.worst_fall(scaled(0.2, 0.5, 0.4, 0.6, 0.45)) == (pytest.approx(0.25), "size 4")
    assert scaling.worst_fall(scaled(0.2, 0.3)) == (0.0, "nowhere")


def test_sizes_that_are_scaled_grow():
    assert sum(map(len, scaling.TRAINING.values())) == 40
    for cells in (*scaling.TRAINING.values(), *scaling.INFERENCE.values()):
        sizes = [cell.operations for cell in cells]
        assert sizes == sorted(set(sizes))


def test_a_point_has_its_share(monkeypatch):
    monkeypatch.setattr(peak, "_SECONDS", 0.002)
    monkeypatch.setattr(scaling, "_SECONDS", 0.002)
    found = scaling.point(scaling.TRAINING["depth, width 128, batch 256"][0], 1)
    assert found["microseconds"] > 0
    assert found["floor"] > 0
    assert found["share_of_floor"] > 0


def test_picture_of_scaling(tmp_path):
    pytest.importorskip("matplotlib")
    record = {"machine": {"processor": "any"}, "date": "2026-01-01", "threads": 2}
    record |= {"training": {"width": scaled(0.2, 0.5, 0.4)}, "inference": {"width": scaled(0.5)}}
    scaling.draw(record, tmp_path / "scaling")
    assert "width: falls by 20%" in (tmp_path / "scaling.svg").read_text()
