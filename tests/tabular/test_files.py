"""Models of tables in files: given back whole; files of version 0.1; bare networks."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import pymlp
from pymlp.files import safetensors
from pymlp.files.load import read_network

DATA = Path(__file__).parent / "data" / "0.1"


def table(n=60):
    rng = np.random.default_rng(1)
    day = np.datetime64("2024-01-01") + np.arange(n) * 5
    age = rng.normal(40, 10, n)
    age[::9] = np.nan
    return {"age": age, "city": ["Bern", "Chur", None] * (n // 3), "day": day}


def targets(n=60):
    return {
        "texts": ["yes", "no"] * (n // 2),
        "numbers": [3, 1, 2] * (n // 3),
        "bools": [True, False] * (n // 2),
        "floats": [0.0, 1.0] * (n // 2),
    }


def same(model, path, X):
    model.save(path)
    again = pymlp.load(path)
    assert type(again) is type(model)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.report_ == model.report_
    assert again.get_params() == model.get_params()
    assert again.history_.to_dict() == model.history_.to_dict() | {"seconds": 0.0}
    for name in ("n_rows_", "target_name_", "notes_", "n_iter_", "n_features_in_"):
        assert getattr(again, name) == getattr(model, name)
    np.testing.assert_array_equal(again.feature_names_in_, model.feature_names_in_)
    again.save(path.with_name("again"))
    assert path.with_name("again").read_bytes() == path.read_bytes()
    return again


@pytest.mark.parametrize("kind", targets())
def test_classifier(tmp_path, kind):
    y = targets()[kind]
    options = {"class_weight": {y[0]: 2.0}, "hidden_layer_sizes": [5], "ignore": ("day",)}
    model = pymlp.TabularClassifier(epochs=5, random_state=0, metric="f1", **options)
    model.fit(table(), y)
    model.notes_["report"] = {"test": "fine", "score": 0.5}
    again = same(model, tmp_path / "model", table())
    np.testing.assert_array_equal(again.predict_proba(table()), model.predict_proba(table()))
    np.testing.assert_array_equal(again.classes_, model.classes_)
    assert again.classes_.dtype == model.classes_.dtype
    assert again.temperature_ == model.temperature_ != 1.0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_regressor(tmp_path, dtype):
    model = pymlp.TabularRegressor(epochs=5, random_state=0, dtype=dtype, categorical="city")
    same(model.fit(table(), 1e6 + np.arange(60)), tmp_path / "model", table())


def test_a_loaded_model_is_trained_anew(tmp_path):
    model = pymlp.TabularClassifier(epochs=5, random_state=0).fit(table(), ["a", "b"] * 30)
    again = same(model, tmp_path / "model", table())
    again.fit(table(), ["a", "b"] * 30)
    np.testing.assert_array_equal(again.predict_proba(table()), model.predict_proba(table()))


def test_objects_of_pymlp_come_back_and_generators_do_not(tmp_path):
    options = {"optimizer": pymlp.Lion(0.01), "activation": pymlp.LeakyReLU(0.3), "epochs": 2}
    options |= {"dtype": np.float64, "random_state": np.random.default_rng(0)}
    model = pymlp.TabularClassifier(**options).fit(table(), ["a", "b"] * 30)
    model.save(tmp_path / "model")
    again = pymlp.load(tmp_path / "model")
    assert repr(again.optimizer) == repr(pymlp.Lion(0.01))
    assert again.activation == pymlp.LeakyReLU(0.3)
    assert (again.epochs, again.dtype, again.random_state) == (2, "float64", None)
    np.testing.assert_array_equal(again.predict_proba(table()), model.predict_proba(table()))


def test_notes_that_json_does_not_hold_are_named(tmp_path):
    model = pymlp.TabularRegressor(epochs=1).fit(table(), np.arange(60))
    model.notes_ = {"when": np.float32(1)}
    with pytest.raises(TypeError, match=r"notes_ must hold what JSON does: .*float32"):
        model.save(tmp_path / "model")


def test_unfitted_models_have_no_file(tmp_path):
    with pytest.raises(ValueError, match="not fitted yet"):
        pymlp.TabularClassifier().save(tmp_path / "model")


def test_a_bare_network_stays_one(tmp_path):
    pymlp.Network([2, 3]).save(tmp_path / "net")
    assert isinstance(pymlp.load(tmp_path / "net"), pymlp.Network)


@pytest.mark.parametrize(("n_members", "version"), [(1, 2), (2, 3)])
def test_readers_that_know_networks_only_refuse_it(tmp_path, n_members, version):
    model = pymlp.TabularRegressor(epochs=1, n_members=n_members)
    model.fit(table(), np.arange(60)).save(tmp_path / "model")
    data = (tmp_path / "model").read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert json.loads(header["__metadata__"]["pymlp"])["format_version"] == version


@pytest.mark.parametrize(
    "spoil",
    [
        lambda stored: stored["encoder"]["fields"].pop(),
        lambda stored: stored.pop("encoder"),
        lambda stored: stored.update(format=99),
        lambda stored: stored.update(kind="Tree"),
        lambda stored: stored["encoder"].update(format=1),
        lambda stored: stored["encoder"]["fields"][0].pop(),
        lambda stored: stored.update(histories=3),
        lambda stored: stored["histories"].pop(),
        lambda stored: stored["target"].pop("mean"),
    ],
)
@pytest.mark.parametrize("n_members", [1, 2])
def test_spoilt_files(tmp_path, spoil, n_members):
    model = pymlp.TabularRegressor(epochs=1, n_members=n_members)
    model.fit(table(), np.arange(60)).save(tmp_path / "model")
    network, texts, _ = read_network(tmp_path / "model")
    stored = json.loads(texts["table"])
    spoil(stored)
    states = [one.__getstate__() for one in model.networks_]
    state = states[0] if isinstance(network, pymlp.Network) else states
    safetensors.write(tmp_path / "bad", state, {"table": json.dumps(stored)})
    with pytest.raises(pymlp.FileFormatError, match="the model of a table in it cannot be read"):
        pymlp.load(tmp_path / "bad")


def test_files_that_are_cut_short(tmp_path):
    pymlp.TabularRegressor(epochs=1).fit(table(), np.arange(60)).save(tmp_path / "model")
    whole = (tmp_path / "model").read_bytes()
    (tmp_path / "model").write_bytes(whole[:-10])
    with pytest.raises(pymlp.FileFormatError, match="cut short"):
        pymlp.load(tmp_path / "model")


# ---- version 0.1 ---------------------------------------------------------------------------------


def cells(name):
    with open(DATA / name, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def as_columns(rows):
    return {name: [row[i] for row in rows[1:]] for i, name in enumerate(rows[0])}


def test_classifier_of_version_0_1():
    model = pymlp.load(DATA / "pets.safetensors")
    assert isinstance(model, pymlp.TabularClassifier)
    expected = as_columns(cells("pets.predicted.csv"))
    data = as_columns(cells("pets.csv"))
    for frame in (
        data,
        dict(reversed(data.items())),
        {n: v for n, v in data.items() if n != "pet"},
    ):
        assert model.predict(frame).tolist() == expected["prediction"]
        found = model.predict_proba(frame)
        np.testing.assert_allclose(found, numbers(expected, model.classes_), rtol=1e-5)
    assert model.classes_.tolist() == ["cat", "dog", "füchsin"]
    assert model.target_name_ == "pet"
    assert "accuracy" in model.notes_["score"]


def numbers(table, names):
    return np.array([[float(cell) for cell in table[name]] for name in names]).T


@pytest.mark.parametrize(("name", "digits"), [("rents", 1e-5), ("rents64", 1e-12)])
def test_regressor_of_version_0_1(name, digits):
    model = pymlp.load(DATA / f"{name}.safetensors")
    assert isinstance(model, pymlp.TabularRegressor)
    expected = numbers(as_columns(cells(f"{name}.predicted.csv")), ["prediction"])[:, 0]
    found = model.predict(as_columns(cells("rents.csv")))
    np.testing.assert_allclose(found, expected, rtol=digits)
    assert model.network_.dtype == model.dtype


def test_model_of_version_0_1_without_names():
    model = pymlp.load(DATA / "codes.safetensors")
    expected = as_columns(cells("codes.predicted.csv"))
    rows = cells("codes.csv")
    without = [row[:2] + row[3:] for row in rows]
    for X in (rows, np.array(without, object), as_columns([list("wxyz"), *rows])):
        assert model.predict(X).tolist() == expected["prediction"]
        found = model.predict_proba(X)
        np.testing.assert_allclose(found, numbers(expected, model.classes_), rtol=1e-5)


def test_model_of_version_0_1_can_be_saved(tmp_path):
    model = pymlp.load(DATA / "pets.safetensors")
    model.save(tmp_path / "new")
    again = pymlp.load(tmp_path / "new")
    data = as_columns(cells("pets.csv"))
    np.testing.assert_array_equal(again.predict_proba(data), model.predict_proba(data))


@pytest.mark.parametrize("text", ["[]", "{", '{"format": 3}', '{"format": 1}'])
def test_spoilt_text_of_version_0_1(tmp_path, text):
    network = pymlp.Network([2, 2])
    safetensors.write(tmp_path / "bad", network.__getstate__(), {"preprocessing": text})
    with pytest.raises(pymlp.FileFormatError, match="preprocessing in the model cannot be read"):
        pymlp.load(tmp_path / "bad")
