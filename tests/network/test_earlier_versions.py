"""Files and pickles of earlier versions load and predict the same bits."""

import csv
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pymlp
from pymlp.cli import main

DATA = Path(__file__).parent / "data"
VERSIONS = ["0.1.0"]
# The files were made with the package's own products; another library's have other bits.
own_products = pytest.mark.skipif(
    pymlp.get_arithmetic() != "exact", reason="matrix products are another library's"
)


def unpickled(path: Path) -> pymlp.Network:
    with open(path, "rb") as file:
        net = pickle.load(file)
    assert isinstance(net, pymlp.Network)
    return net


@own_products
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["safetensors", "pickle"])
def test_network(version: str, kind: str) -> None:
    path = DATA / f"network-{version}.{kind}"
    net = pymlp.load(path) if kind == "safetensors" else unpickled(path)
    known = json.loads((DATA / f"network-{version}.json").read_text(encoding="utf-8"))
    outputs = np.vectorize(float.fromhex)(known["outputs"])
    assert net.predict(known["X"]).tobytes() == outputs.astype(np.float32).tobytes()
    assert net.widths == (3, 6, 5, 2)
    assert net.dropout == (0.1, 0.3)
    assert not net.bias
    assert net.layers[0].activation == pymlp.LeakyReLU(0.2, threshold=0.1)
    net.fit(known["X"], [0, 1] * 3 + [0], epochs=1)


@own_products
@pytest.mark.parametrize("version", VERSIONS)
def test_optimizer_goes_on(version: str) -> None:
    # Pickled with its network after three steps; what the same version had after four more, but for
    # the last digits: gradients of so narrow a network are summed in another order since 0.2.0.
    net, optimizer = pickle.loads((DATA / f"optimizer-{version}.pickle").read_bytes())
    assert optimizer.steps == 3
    assert optimizer.options["beta1"] == 0.8
    known = json.loads((DATA / f"optimizer-{version}.json").read_text(encoding="utf-8"))
    for _ in range(4):
        net.train_batch(known["X"], known["y"], optimizer=optimizer)
    expected = [float.fromhex(p) for p in known["parameters"]]
    np.testing.assert_allclose(net.parameters, expected, rtol=1e-13, atol=0.0)


@own_products
@pytest.mark.parametrize("version", VERSIONS)
def test_model_of_a_table(version: str, tmp_path: Path) -> None:
    # As text, a float32 has the digits that tell it from its neighbours.
    words = ["predict", f"table-{version}.safetensors", f"table-{version}.csv"]
    words[1:] = [str(DATA / name) for name in words[1:]]
    assert main([*words, "--probabilities", "--out", str(tmp_path / "out.csv")]) == 0
    expected = (DATA / f"table-{version}.predictions.csv").read_text(encoding="utf-8")
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == expected
    assert len(list(csv.reader(expected.splitlines()))) == 31


def test_a_file_of_today_has_the_format_of_the_first_version(tmp_path: Path) -> None:
    net = pymlp.load(DATA / "network-0.1.0.safetensors")
    net.save(tmp_path / "again")
    (now, tensors), (then, before) = (
        header_and_tensors(path)
        for path in (tmp_path / "again", DATA / "network-0.1.0.safetensors")
    )
    assert len(now["__metadata__"].pop("crc32")) == 8
    assert json.dumps(now) == json.dumps(then)  # in the same order
    assert tensors == before


def header_and_tensors(path: Path) -> tuple[dict[str, Any], bytes]:
    data = path.read_bytes()
    n = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + n]), data[8 + n :]


# ---- of 0.2.0: checkpoints, and networks with their optimisers -----------------------------------


def numbers(texts: list[str]) -> list[float]:
    return [float.fromhex(text) for text in texts]


@own_products
def test_checkpoint_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    path.write_bytes((DATA / "checkpoint-0.2.0.safetensors").read_bytes())
    known = json.loads((DATA / "checkpoint-0.2.0.json").read_text(encoding="utf-8"))
    outputs = [numbers(row) for row in known["outputs"]]
    assert pymlp.load(path).predict(known["X"]).tolist() == outputs

    def fit(epochs: int) -> pymlp.Network:
        net = pymlp.Network([3, 4, 2], output="softmax", dropout=0.2, norm="batch", seed=5)
        optimizer = pymlp.AdamW(0.01, beta1=0.8)
        net.fit(
            known["X"], known["y"], epochs=epochs, batch_size=3, optimizer=optimizer, average=0.9,
            checkpoint=path, resume=True,
        )  # fmt: skip
        return net

    ended = fit(6)
    assert ended.history is not None
    assert ended.history.loss == numbers(known["loss"])
    assert fit(9).parameters.tolist() == numbers(known["more"])


@own_products
def test_network_and_optimizer() -> None:
    net, optimizer = pymlp.load(DATA / "network-and-optimizer-0.2.0.safetensors", optimizer=True)
    known = json.loads((DATA / "checkpoint-0.2.0.json").read_text(encoding="utf-8"))
    assert (optimizer.steps, optimizer.options["centered"]) == (3, True)
    for _ in range(2):
        net.train_batch(known["X"], known["y"], optimizer=optimizer)
    assert net.parameters.tolist() == numbers(known["steps"])
