"""Files are those of the format's library, with a checksum by which any damage is seen."""

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pymlp
from pymlp.files.tensor_file import packed, read_parts


@pytest.fixture(params=["network", "stack", "checkpoint"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "model"
    net = pymlp.Network([3, 4, 2], norm="batch", feature_names=["a", "é", "日"], seed=0)
    if request.param == "network":
        net.save(path)
    elif request.param == "stack":
        pymlp.NetworkStack([net, net.copy()]).save(path)
    else:
        net.fit(np.eye(3), np.eye(3)[:, :2], epochs=2, checkpoint=path)
    return path


def test_any_flipped_bit_is_seen(path: Path) -> None:
    data, chance = path.read_bytes(), random.Random(0)
    n = int.from_bytes(data[:8], "little")
    spaces = range(8 + len(data[8 : 8 + n].rstrip()), 8 + n)
    for place in set(range(len(data))) - set(spaces):
        damaged = bytearray(data)
        damaged[place] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(pymlp.FileFormatError):
            pymlp.load(path)


def test_damaged_checkpoints_are_not_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "run"
    given: dict[str, Any] = {"X": np.eye(3), "y": np.eye(3)[:, :2], "checkpoint": path}
    pymlp.Network([3, 2], seed=0).fit(**given, epochs=2)
    data = bytearray(path.read_bytes())
    data[-9] ^= 64
    path.write_bytes(data)
    with pytest.raises(pymlp.FileFormatError, match="it is damaged: its checksum"):
        pymlp.Network([3, 2], seed=0).fit(**given, epochs=3, resume=True)


def tensors_of(kind: type[np.floating[Any]]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "b": rng.normal(size=(3, 2)).astype(kind),
        "a": rng.normal(size=5),
        "c": np.zeros((0, 4), kind),
        "é": np.asfortranarray(rng.normal(size=(2, 3)).astype(kind)),
    }


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_files_are_those_of_the_library(kind: type[np.floating[Any]], tmp_path: Path) -> None:
    numpy = pytest.importorskip("safetensors.numpy")
    tensors, path = tensors_of(kind), tmp_path / "ours"
    path.write_bytes(packed({"text": 'a "b" é'}, tensors))
    metadata, ours = read_parts(path)
    assert metadata == {"text": 'a "b" é'}
    for found in (ours, numpy.load_file(path)):
        assert found.keys() == tensors.keys()
        for name, tensor in tensors.items():
            assert found[name].dtype == tensor.dtype
            assert (found[name] == tensor).all()
    theirs = numpy.save({n: np.ascontiguousarray(t) for n, t in tensors.items()})
    n, m = (int.from_bytes(data[:8], "little") for data in (path.read_bytes(), theirs))
    assert path.read_bytes()[8 + n :] == theirs[8 + m :]


def test_other_byte_orders_are_written_as_the_format_has_them(tmp_path: Path) -> None:
    tensor = np.arange(3.0, dtype=">f4")
    (tmp_path / "file").write_bytes(packed({}, {"t": tensor}))
    assert read_parts(tmp_path / "file")[1]["t"].tolist() == [0.0, 1.0, 2.0]


def test_no_compiled_code_of_others_writes_files(tmp_path: Path) -> None:
    # Python ends daemon threads inside of it, which ends the whole process.
    script = """
import sys
import pymlp
net = pymlp.Network([2, 1])
net.fit([[1.0, 2.0]], [1.0], epochs=1, checkpoint="run")
net.save("model")
pymlp.load("model")
assert "safetensors" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, timeout=60)
