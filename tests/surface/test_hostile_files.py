"""Files that are made to do harm: none takes memory, time or a way around a constructor."""

from __future__ import annotations

import json
import os
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pymlp
from pymlp import cli, files
from pymlp.files.values import plain, restored

Entry = dict[str, Any]
NAN = float("nan")


def packed(header: bytes, body: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + body


def split(data: bytes) -> tuple[dict[str, Any], bytes]:
    n = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + n])
    header["__metadata__"].pop("crc32", None)  # which who forges a file leaves out
    return header, data[8 + n :]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "model"
    pymlp.Network([3, 4, 2], norm="batch", seed=0).save(path)
    return path


def refused(path: Path, capsys: pytest.CaptureFixture[str] | None = None) -> str:
    with pytest.raises(pymlp.FileFormatError) as caught:
        pymlp.load(path)
    if capsys is not None:
        assert cli.main(["show", str(path)]) == 1
        assert capsys.readouterr().err.count("\n") == 1
    return str(caught.value).removeprefix(f"'{path}' ")


def change_network(path: Path, **fields: Any) -> None:
    header, body = split(path.read_bytes())
    stored = json.loads(header["__metadata__"]["pymlp"])
    stored["network"] |= fields
    header["__metadata__"]["pymlp"] = json.dumps(stored)
    path.write_bytes(packed(json.dumps(header).encode(), body))


# ---- the container -------------------------------------------------------------------------------


def entry(dtype: str, shape: list[int], first: int, last: int) -> dict[str, Entry]:
    return {"t": {"dtype": dtype, "shape": shape, "data_offsets": [first, last]}}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it ends after 0 bytes"),
        (b"1234567", "it ends after 7 bytes"),
        (struct.pack("<Q", 0), "Expecting value"),
        (struct.pack("<Q", 2**40) + b"{}", "its header would have 1099511627776"),
        (packed(b"[]"), "it must be a dict"),
        (packed(b"\xff\xfe{}"), "can't decode"),
        (packed(b"{}", b"1234"), "its tensors end at 0, and 4 bytes are there"),
        (packed(b"[" * 100_000), "recursion"),
        (packed(b'{"t": ' + b"[" * 200 + b"]" * 200 + b"}"), "more than 100 deep"),
        (packed(b'{"__metadata__": {"a": 1}}'), "its metadata must be texts"),
        (packed(b'{"__metadata__": {"a": "1", "a": "2"}}'), "'a' is there twice"),
        (packed(b'{"__metadata__": {"a": "\\ud800"}}'), "surrogates not allowed"),
        (entry("BF16", [2], 0, 4), "t must be of type F32 or F64, not 'BF16'"),
        (entry("I32", [1], 0, 4), "t must be of type F32 or F64, not 'I32'"),
        (entry("F32", [2**60], 0, 2**62), f"t would end at {2**62}, but there are 4 bytes"),
        (entry("F32", [2**60], 0, 4), "is not the bytes from 0 to 4"),
        (entry("F32", [2**31] * 8, 0, 4), "is not the bytes from 0 to 4"),
        (entry("F32", [2**31] * 10_000, 0, 4), "t has 10000 axes"),
        (entry("F32", [-1], 0, 4), "t's shape must be an integer from 0"),
        (entry("F32", [1], 4, 0), "is not the bytes from 4 to 0"),
        (
            entry("F32", [1], 0, 4) | {"u": entry("F32", [1], 0, 4)["t"]},
            "u of shape (1,) is not the bytes from 0 to 4",
        ),
    ],
)
def test_container(
    data: bytes | Entry, message: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path.write_bytes(
        data if isinstance(data, bytes) else packed(json.dumps(data).encode(), b"1234")
    )
    said = refused(path, capsys)
    assert said.startswith("is cut short or not a safetensors file: ")
    assert message in said


def test_a_tensor_there_twice(path: Path) -> None:
    data = path.read_bytes()
    n = int.from_bytes(data[:8], "little")
    head = data[8 : 8 + n].rstrip()
    again = head.index(b'"layers.0.biases"')
    entry = head[again : head.index(b"}", again) + 1]
    path.write_bytes(packed(head[:-1] + b"," + entry + b"}", data[8 + n :]))
    assert "'layers.0.biases' is there twice" in refused(path)


def test_keys_there_twice_in_what_pymlp_wrote(path: Path) -> None:
    header, body = split(path.read_bytes())
    text = header["__metadata__"]["pymlp"]
    header["__metadata__"]["pymlp"] = text[:-1] + ', "metadata": {}}'
    path.write_bytes(packed(json.dumps(header).encode(), body))
    assert refused(path) == "does not hold a pymlp network: 'metadata' is there twice"


def test_a_tensor_without_numbers_that_no_layer_has(path: Path) -> None:
    header, body = split(path.read_bytes())
    header["more"] = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    path.write_bytes(packed(json.dumps(header).encode(), body))
    assert "its tensors do not have" in refused(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("stacked", [False, True])
def test_numbers_that_are_not_finite(value: float, stacked: bool, path: Path) -> None:
    if stacked:
        pymlp.NetworkStack(pymlp.Network([3, 4, 2], seed=i) for i in range(2)).save(path)
    header, body = split(path.read_bytes())
    name = "layers.1.weights"
    _, last = header[name]["data_offsets"]
    body = body[: last - 4] + struct.pack("<f", value) + body[last:]
    path.write_bytes(packed(json.dumps(header).encode(), body))
    place = "1, 3, 1" if stacked else "3, 1"
    assert f"{name} must be finite, but {name}[{place}] is {value}" in refused(path)


def test_numbers_that_are_not_finite_are_not_written(path: Path) -> None:
    before = path.read_bytes()
    network = pymlp.Network([3, 2])
    network.biases[0][1] = np.nan
    with pytest.raises(ValueError, match=r"layers\.0\.biases must be finite"):
        network.save(path)
    with pytest.raises(ValueError, match=r"layers\.0\.biases must be finite"):
        pymlp.NetworkStack([pymlp.Network([3, 2]), network]).save(path)
    assert path.read_bytes() == before


# ---- what no memory is taken for -----------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"widths": [2**31 - 1, 2**31 - 1, 2]},
        {"widths": [2**31 - 1, 1, 1], "norm": None},
        {"widths": [2**31 - 1, 4, 2], "scale_inputs": True},
        {"widths": [2**31 - 1, 4, 2], "embedding": [["periodic", {"columns": None}]]},
        {"embedding": [["categories", {"sizes": [[0, 2**24]], "width": 2**16}]]},
        {"widths": [3] * 10_000},
    ],
)
def test_claims_of_size(fields: dict[str, Any], path: Path) -> None:
    change_network(path, **fields)
    refused(path)  # what is imported for it is
    tracemalloc.start()
    refused(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4_000_000


def test_a_text_of_many_megabytes(path: Path) -> None:
    change_network(path, seed="\n" * 3_000_000)
    said = refused(path)
    assert len(said) < 600
    assert "seed must be an integer from 0" in said


def test_a_header_out_of_all_proportion(path: Path) -> None:
    # Of JSON Python makes thirty times as many bytes of objects.
    change_network(path, seed=[[]] * 4_000_000)
    tracemalloc.start()
    said = refused(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "out of all proportion" in said
    assert most < 1_000_000


@pytest.mark.parametrize("first", [0, 2, 2**40, 2**63])
def test_what_is_large_is_not_read_in_vain(first: int, path: Path) -> None:
    with path.open("wb") as file:
        file.write(first.to_bytes(8, "little"))
        file.write(b"{}")
        file.truncate(2**40)  # which takes no space on the disk
    tracemalloc.start()
    refused(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1_000_000


@pytest.mark.parametrize("spaces", range(1, 8))
def test_tensors_may_lie_anywhere(spaces: int, path: Path) -> None:
    expected = pymlp.load(path).parameters
    data = path.read_bytes()
    n = int.from_bytes(data[:8], "little")
    path.write_bytes(
        (n + spaces).to_bytes(8, "little") + data[8 : 8 + n] + b" " * spaces + data[8 + n :]
    )
    assert (pymlp.load(path).parameters == expected).all()


# ---- what a network has of its own ---------------------------------------------------------------


@pytest.mark.parametrize(("name", "end"), [("seed", 2**64), ("fits", 2**63)])
@pytest.mark.parametrize("value", [-1, 2**64, 1.0, True, "1", None, [1], NAN])
def test_seed_and_fits(name: str, end: int, value: Any, path: Path) -> None:
    change_network(path, **{name: value})
    assert f"{name} must be an integer from 0 to {end - 1}" in refused(path)


def test_the_last_seed_and_the_last_fit_go_on(path: Path) -> None:
    change_network(path, seed=2**64 - 1, fits=2**63 - 2)
    network = pymlp.load(path)
    network.fit(np.ones((4, 3)), np.ones((4, 2)), epochs=1)
    network.save(path)
    pymlp.load(path)


# ---- what is no file -----------------------------------------------------------------------------


def test_pipes_and_devices(tmp_path: Path) -> None:
    places = [Path("/dev/zero")]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        places.append(tmp_path / "pipe")
    for place in places:
        if place.exists():
            assert "it is a device or a pipe" in refused(place)


def test_a_file_that_may_not_be_read(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(PermissionError):
        pymlp.load(path)
    assert cli.main(["show", str(path)]) == 1
    assert "Permission denied" in capsys.readouterr().err


def test_a_file_that_is_cut_while_it_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pymlp.Network([200, 200]).save(path)  # larger than what is read at once
    places = files.tensor_file._places

    def cut(header: Any, size: int) -> Any:
        os.truncate(path, path.stat().st_size - 1)
        return places(header, size)

    monkeypatch.setattr(files.tensor_file, "_places", cut)
    assert "it was changed meanwhile" in refused(path)


def test_a_pipe_that_takes_the_place_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("there are no pipes with names")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(Path, "is_file", lambda path: True)
    assert "it is a device or a pipe" in refused(tmp_path / "pipe")


# ---- objects of pymlp ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        pymlp.ELU(0.5),
        pymlp.SELU(),
        pymlp.Parametric("selu"),
        pymlp.losses.Quantile((0.1, 0.9)),
        pymlp.losses.CrossEntropy(label_smoothing=0.1),
        pymlp.losses.MSE(),
        pymlp.schedules.WarmUp(3, then=pymlp.schedules.Cosine(5, restarts=True)),
        pymlp.schedules.OneCycle(),
        pymlp.schedules.ReduceOnPlateau(patience=3),
        pymlp.schedules.Constant(),
        pymlp.initializers.Normal(0.2),
        pymlp.initializers.Constant(2.0),
        pymlp.initializers.Initializer("he_normal"),
        pymlp.embeddings.Periodic([1, 2], sigma=0.5),
        pymlp.embeddings.Categories({1: 3}),
        pymlp.embeddings.PiecewiseLinear({0: [0.0, 1.5]}),
        pymlp.AdamW(0.01, weight_decay=0.1),
        {"learning_rate": pymlp.schedules.FlatCos()},
    ],
)
def test_values_come_back(value: Any) -> None:
    stored = json.loads(json.dumps(plain("value", value)))
    assert repr(restored(stored)) == repr(value)


def value(module: str, kind: str, **fields: Any) -> Entry:
    pairs = [[name, field] for name, field in fields.items()]
    return {"module": f"pymlp.{module}", "class": kind, "fields": {"dict": pairs}}


@pytest.mark.parametrize(
    "stored",
    [
        value("activations", "ELU", alpha="x"),
        value("activations", "ELU", alpha=NAN),
        value("activations", "ELU", alpha=1.0, more=1),
        value("activations", "ELU"),
        value("activations", "ELU", alpha=1.0, __class__=1),
        value("activations", "ReLU", __dict__={"dict": []}),
        value("activations", "ReLU", _forward=1),
        value("activations", "Activation", _forward=1, _derivative=1),
        value("activations", "_BuiltIn"),
        value("activations", "Value"),
        value("activations", "Parametric", activation="softmax"),
        value("embeddings", "Embedding"),
        value("embeddings", "Periodic", columns=None, frequencies=0, width=4, sigma=0.1),
        value("embeddings", "PiecewiseLinear", boundaries={"tuple": []}, width=4),
        value("initializers", "Normal", name="normal", scale=-1.0),
        value("initializers", "Normal", name="uniform", scale=1.0),
        value("initializers", "Initializer", name="none", scale=0.0),
        value("losses", "Huber", delta=-1.0),
        value("losses", "Loss", function="print"),
        value("schedules", "Step", per="day", step_size=1, gamma=0.5),
        value("schedules", "_Formula", per="step"),
        value("schedules", "Function", per="epoch", f="print"),
        value("schedules", "OneCycle", per="epoch", warm_up=0.3),
        {"module": "os", "class": "path", "fields": {"dict": []}},
        {"optimizer": "Adam", "rate": -1, "fields": {"dict": []}},
        {"optimizer": "_optimizer", "rate": 1, "fields": {"dict": []}},
        {"optimizer": "Adam", "rate": 1, "fields": {"dict": [["__class__", 1]]}},
    ],
    ids=str,
)
def test_values_that_no_constructor_makes(stored: Any) -> None:
    with pytest.raises((ValueError, TypeError, LookupError)):
        restored(stored)


# ---- models --------------------------------------------------------------------------------------

X = np.random.default_rng(0).normal(size=(30, 3))


def change_text(path: Path, text: str, change: Callable[[dict[str, Any]], Any]) -> None:
    header, body = split(path.read_bytes())
    stored = json.loads(header["__metadata__"]["pymlp"])
    inner = json.loads(stored["metadata"][text])
    change(inner)
    stored["metadata"][text] = json.dumps(inner)
    header["__metadata__"]["pymlp"] = json.dumps(stored)
    path.write_bytes(packed(json.dumps(header).encode(), body))


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s["learnt"].update(t_="x"),
        lambda s: s["learnt"].update(n_iter_=-1),
        lambda s: s["learnt"].update(_no_improvement_count=1.5),
        lambda s: s["learnt"].update(loss_curve_={"list": ["x"]}),
        lambda s: s["learnt"].update(loss_curve_=None),
        lambda s: s["learnt"].update(validation_scores_={"list": [0.5]}),
        lambda s: s["learnt"].update(loss_="x"),
        lambda s: s["learnt"].update(_multilabel=3),
        lambda s: s["input_scale"][1].__setitem__(0, 0.0),
        lambda s: s["input_scale"][1].__setitem__(0, NAN),
        lambda s: s["input_scale"][0].__setitem__(0, float("inf")),
        lambda s: s["input_scale"].append(s["input_scale"][0]),
        lambda s: s["arrays"]["classes_"].update(dtype="i4,O"),
        lambda s: s["arrays"]["classes_"].update(dtype={"names": ["a"], "formats": ["O"]}),
        lambda s: s["arrays"]["classes_"].update(dtype="V8"),
        lambda s: s["parameters"].update(__class__=1),
    ],
)
@pytest.mark.filterwarnings("ignore")  # that two epochs are few
def test_estimators(change: Callable[[dict[str, Any]], Any], path: Path) -> None:
    pytest.importorskip("sklearn")
    model = pymlp.MLPClassifier((4,), max_iter=2, scale=True, random_state=0)
    model.fit(X, np.arange(30) % 3).save(path)
    change_text(path, "estimator", change)
    assert "it does not hold what an MLPClassifier is" in refused(path)


@pytest.mark.parametrize("name", ["t_", "n_iter_", "best_loss_", "loss_curve_", "_base_rate"])
@pytest.mark.filterwarnings("ignore")
def test_estimators_go_on_without_what_they_learnt(name: str, path: Path) -> None:
    pytest.importorskip("sklearn")
    pymlp.MLPRegressor(hidden_layer_sizes=(4,), max_iter=2, random_state=0).fit(X, X[:, 0]).save(
        path
    )
    change_text(path, "estimator", lambda s: s["learnt"].pop(name))
    pymlp.load(path).partial_fit(X, X[:, 0])


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.update(notes=[]),
        lambda s: s["target"].update(name=3),
        lambda s: s["target"].update(name=["a", "b"]),
        lambda s: s["target"].update(place="x"),
        lambda s: s["target"].update(place=99),
        lambda s: s["target"].update(place=[0, 1]),
        lambda s: s["target"].update(place=-1),
    ],
)
def test_tables(
    change: Callable[[dict[str, Any]], Any], path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pymlp.TabularRegressor(epochs=1, hidden_layer_sizes=4).fit(X, X[:, 0]).save(path)
    change_text(path, "table", change)
    assert "the model of a table in it cannot be read" in refused(path, capsys)


@pytest.mark.parametrize("notes", [{"report": 1}, {"data": 1}, {"rows": {}}, {"test": {"a": 1}}])
def test_show_of_notes_that_are_not_its_own(
    notes: Any, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pymlp.TabularRegressor(epochs=1, hidden_layer_sizes=4).fit(X, X[:, 0]).save(path)
    change_text(path, "table", lambda s: s.update(notes=notes))
    assert cli.main(["show", str(path)]) == 0
    assert "not those of pymlp train; --json prints them" in capsys.readouterr().out


def test_show_of_a_stack(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stack = pymlp.NetworkStack(pymlp.Network([3, 4, 2], seed=i) for i in range(3))
    stack.save(path)
    assert cli.main(["show", str(path)]) == 0
    out = capsys.readouterr().out
    assert stack[0].summary() in out
    assert "of NetworkStack(3 x " in out


def test_names_of_a_stranger_end_no_line(path: Path) -> None:
    change_network(path, **{"new\nline\x1b[2J": 1})
    said = refused(path)
    assert said.isprintable()
    assert "new line" in said
