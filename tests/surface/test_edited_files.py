"""Files of models whose JSON somebody edited: `load` refuses them, or the model predicts."""

from __future__ import annotations

import copy
import json
import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import pymlp
from fuzz.originals import LABELS, TABLE, TEXTS, X

HOSTILE = [
    None, True, -1, 0, 2**31, 2**70, 10**400, 1e308, float("nan"), float("inf"), "", "x", "\ud800",
    [], [[]], [None], {}, {"a": 1}, [1] * 50, [10**9, 10**9], "V8", "U500000000",
]  # fmt: skip


def network(path: Path) -> Any:
    pymlp.Network([3, 4, 2], norm="batch", hidden=pymlp.Parametric("gelu"), seed=0).save(path)
    return X


def stack(path: Path) -> Any:
    pymlp.NetworkStack(pymlp.Network([3, 4, 2], norm="batch", seed=i) for i in range(3)).save(path)
    return X


def embedded(path: Path) -> Any:
    ramps = pymlp.embeddings.PiecewiseLinear({0: [-1.0, 0.5], 2: [0.0, 1.0, 2.0]}, width=3)
    periodic = pymlp.embeddings.Periodic([1], frequencies=2)
    pymlp.Network([3, 4, 2], embedding=[ramps, periodic], seed=0).save(path)
    return X


def classifier(path: Path) -> Any:
    pytest.importorskip("sklearn")
    model = pymlp.MLPClassifier((4,), max_iter=2, early_stopping=True, scale=True, random_state=0)
    model.fit(X, LABELS).save(path)
    return X


def table_classifier(path: Path) -> Any:
    pymlp.TabularClassifier(hidden_layer_sizes=4, epochs=2).fit(TABLE, LABELS).save(path)
    return TABLE


def table_regressor(path: Path) -> Any:
    pymlp.TabularRegressor(hidden_layer_sizes=4, epochs=2).fit(TABLE, X[:, 1]).save(path)
    return TABLE


def earlier_table(path: Path) -> Any:
    data = Path(__file__).parents[1] / "network" / "data" / "table-0.1.0.safetensors"
    path.write_bytes(data.read_bytes())
    return {"sort": ["a"], "length": [1.0], "width": [2.0]}


pytestmark = pytest.mark.filterwarnings("ignore")  # that two epochs are few, that 1e308 overflows

KINDS = [network, embedded, stack, classifier, table_classifier, table_regressor, earlier_table]


class Edited:
    """A file with its JSON taken apart."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        (n,) = struct.unpack("<Q", data[:8])
        self.path, self.head, self.body = path, json.loads(data[8 : 8 + n]), data[8 + n :]
        self.stored = json.loads(self.head["__metadata__"]["pymlp"])
        texts = self.stored["metadata"]
        texts |= {name: json.loads(texts[name]) for name in TEXTS if name in texts}

    def write(self, stored: Any) -> None:
        """Write the file with other JSON."""
        stored = copy.deepcopy(stored)
        texts = stored["metadata"]
        if isinstance(texts, dict):
            texts |= {name: json.dumps(texts[name]) for name in TEXTS if name in texts}
        self.write_text(json.dumps(stored))

    def write_text(self, text: str) -> None:
        """Write the file with any text in the place of its JSON."""
        head = json.dumps(self.head | {"__metadata__": {"pymlp": text}}).encode()
        self.path.write_bytes(struct.pack("<Q", len(head)) + head + self.body)


def places(stored: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the keys that lead to every value."""
    keys = stored if isinstance(stored, dict) else range(min(len(stored), 3))
    for key in keys:
        yield (*above, key)
        if isinstance(stored[key], dict | list):
            yield from places(stored[key], (*above, key))


def changed(stored: Any, place: tuple[Any, ...], value: Any) -> Any:
    result = inside = copy.deepcopy(stored)
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = value
    return result


@pytest.mark.parametrize("make", KINDS)
def test_any_value_elsewhere(make: Callable[[Path], Any], tmp_path: Path) -> None:
    inputs = make(tmp_path / "model")
    edited = Edited(tmp_path / "model")
    generator = random.Random(0)
    # Names of columns are what the table must have, and threads are checked where they are used.
    spared = ("name", "names", "n_jobs")
    everywhere = [p for p in places(edited.stored) if "metadata" not in p[:1] or len(p) > 1]
    for place in everywhere:
        if any(key in spared for key in place) or (place[-3:-2], place[-1]) == (("fields",), 0):
            continue
        edited.write(changed(edited.stored, place, generator.choice(HOSTILE)))
        try:
            model = pymlp.load(edited.path)
        except pymlp.FileFormatError:
            continue
        repr(model)
        model.predict(inputs)


@pytest.mark.parametrize("make", KINDS)
def test_brackets_without_end(make: Callable[[Path], Any], tmp_path: Path) -> None:
    make(tmp_path / "model")
    edited = Edited(tmp_path / "model")
    deep = "[" * 100_000 + "]" * 100_000
    edited.write_text(deep)
    with pytest.raises(pymlp.FileFormatError):
        pymlp.load(edited.path)
    for name in edited.stored["metadata"]:
        texts = {name: json.dumps(text) for name, text in edited.stored["metadata"].items()}
        edited.write_text(json.dumps(edited.stored | {"metadata": texts | {name: deep}}))
        with pytest.raises(pymlp.FileFormatError):
            pymlp.load(edited.path)


@pytest.mark.parametrize(
    ("make", "place", "value"),
    [
        (classifier, ("estimator", "arrays", "classes_", "dtype"), "<U500000000"),
        (classifier, ("estimator", "arrays", "classes_", "values"), ["a"]),
        (classifier, ("estimator", "input_scale", 0), [1.0]),
        (classifier, ("estimator", "learnt", "n_features_in_"), 4),
        (classifier, ("model",), []),
        (table_classifier, ("table", "target", "dtype"), "<U500000000"),
        (table_classifier, ("table", "target", "classes"), ["a"]),
        (table_classifier, ("table", "encoder", "dtype"), "complex64"),
        (table_classifier, ("table", "encoder", "fields"), []),
        (table_classifier, ("table", "encoder", "fields", 2, 2, "first"), "then"),
        (table_classifier, ("table", "rows"), "many"),
        (table_classifier, ("table", "histories", 0, "loss"), ["O"]),
        (table_regressor, ("table", "target", "deviation"), 10**400),
        (table_regressor, ("table", "target", "deviation"), -1.0),
        (earlier_table, ("preprocessing", "n_columns"), 2**40),
        (earlier_table, ("preprocessing", "inputs", 0, "position"), 2**31),
    ],
)
def test_what_does_not_fit_is_refused(
    make: Callable[[Path], Any], place: tuple[Any, ...], value: Any, tmp_path: Path
) -> None:
    make(tmp_path / "model")
    edited = Edited(tmp_path / "model")
    edited.write(changed(edited.stored, ("metadata", *place), value))
    with pytest.raises(pymlp.FileFormatError):
        pymlp.load(edited.path)
