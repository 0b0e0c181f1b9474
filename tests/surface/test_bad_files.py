"""Model files that are cut short, changed or something else are refused, whatever is wrong."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load as tensors_of
from safetensors.numpy import save as file_of

import pymlp
from pymlp import Network

Header = dict[str, Any]
Tensors = dict[str, Any]


def network() -> Network:
    return Network([3, 4, 2], hidden=pymlp.ELU(1.5), output="softmax", seed=3)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "net.safetensors"
    network().save(path)
    return path


def header_of(path: Path) -> Header:
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    return dict(json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["pymlp"]))


def test_header_is_read_as_it_was_written(path: Path) -> None:
    header = header_of(path)
    assert header["network"]["widths"] == [3, 4, 2]
    path.write_bytes(file_of(tensors_of(path.read_bytes()), {"pymlp": json.dumps(header)}))
    assert (pymlp.load(path).parameters == network().parameters).all()


@pytest.mark.parametrize("share", [0.0, 0.002, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_file_cut_short(share: float, path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(pymlp.FileFormatError, match="cut short or not a safetensors file"):
        pymlp.load(path)


@pytest.mark.parametrize(
    "content",
    [b"x,y\n1,2\n" * 99, b"\x89PNG" + bytes(500), bytes(4000), b"\xff" * 4000, b"{}"],
    ids=["text", "picture", "zeros", "ones", "json"],
)
def test_file_of_another_kind(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    with pytest.raises(pymlp.FileFormatError, match=re.escape(str(path))):
        pymlp.load(path)


def test_file_with_something_behind(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(pymlp.FileFormatError, match="not a safetensors file"):
        pymlp.load(path)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"pymlp": "{"}, {"pymlp": "[]"}])
def test_tensors_of_another_program(metadata: dict[str, str] | None, path: Path) -> None:
    path.write_bytes(file_of({"w": np.zeros((3, 2), np.float32)}, metadata))
    with pytest.raises(pymlp.FileFormatError, match="does not hold a pymlp network"):
        pymlp.load(path)


def set_in_network(**values: Any) -> Callable[[Header, Tensors], None]:
    return lambda header, tensors: header["network"].update(values)


def put(name: str, tensor: Any) -> Callable[[Header, Tensors], None]:
    return lambda header, tensors: tensors.update({name: tensor})


CHANGES: dict[str, tuple[Callable[[Header, Tensors], Any], str]] = {
    "later format": (lambda h, t: h.update(format_version=5), "its format version is 5"),
    "no format": (lambda h, t: h.pop("format_version"), "format_version"),
    "no network": (lambda h, t: h.pop("network"), "network"),
    "no widths": (lambda h, t: h["network"].pop("widths"), "widths"),
    "other widths": (set_in_network(widths=[4, 3, 2]), "parameters of its layers"),
    "swapped widths": (set_in_network(widths=[2, 4, 3]), "parameters of its layers"),
    "giant widths": (set_in_network(widths=[2**20, 2**20, 2]), "parameters of its layers"),
    "negative widths": (set_in_network(widths=[-3, -4, 2]), "widths[0] must be at least 1"),
    "text for widths": (set_in_network(widths="342"), "widths must be a sequence of integers"),
    "unknown activation": (
        set_in_network(activations=[["rleu", {}], ["softmax", {}]]), "did you mean 'relu'?",
    ),
    "other parameters": (
        set_in_network(activations=[["elu", {"beta": 1.0}], ["softmax", {}]]), "'alpha'",
    ),
    "too few activations": (
        set_in_network(activations=[["softmax", {}]]), "hidden must name 1 activations",
    ),
    "other dtype": (set_in_network(dtype="float64"), "must be float64"),
    "unknown dtype": (set_in_network(dtype="float33"), "'float33'"),
    "tensor missing": (lambda h, t: t.pop("layers.1.biases"), "lacks layers.1.biases"),
    "tensor renamed": (
        lambda h, t: t.update({"layers.9.biases": t.pop("layers.1.biases")}), "layers.1.biases",
    ),
    "tensor too many": (put("more", np.zeros(1, np.float32)), "parameters of its layers"),
    "tensor transposed": (
        lambda h, t: t.update({"layers.0.weights": t["layers.0.weights"].T.copy()}),
        "layers.0.weights must be float32 (3, 4), not float32 (4, 3)",
    ),
    "tensor of another dtype": (
        put("layers.0.biases", np.zeros(4)), "must be float32 (4,), not float64 (4,)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "message"), CHANGES.values(), ids=CHANGES)
def test_changed_file(change: Callable[[Header, Tensors], Any], message: str, path: Path) -> None:
    header, tensors = header_of(path), dict(tensors_of(path.read_bytes()))
    change(header, tensors)
    path.write_bytes(file_of(tensors, {"pymlp": json.dumps(header)}))
    with pytest.raises(pymlp.FileFormatError, match=re.escape(message)) as caught:
        pymlp.load(path)
    assert "does not hold a pymlp network" in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no file"):
        pymlp.load(tmp_path / "none.safetensors")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        pymlp.load(tmp_path)
    with pytest.raises(TypeError):
        pymlp.load(3)  # type: ignore[arg-type]


def test_save_that_fails_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        Network([3, 2]).save(path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_save_into_no_folder(tmp_path: Path) -> None:
    path = tmp_path / "none" / "net.safetensors"
    with pytest.raises(FileNotFoundError, match=re.escape(f"'{path}'")):
        network().save(path)
    with pytest.raises(OSError, match=re.escape(f"'{tmp_path}'") + "$"):
        network().save(tmp_path)
