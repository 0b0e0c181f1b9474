"""Files of every kind train, and predict what they were trained on."""

import pytest

from benchmarks.table_files import FILES, summary, train
from pymlp.cli import main

SMALL = [file for file in FILES if not file.large]

# What the report must say of some of them.
SAID = {
    "Excel, Germany": "Windows-1252",
    "missing cells": "area: 48 missing",
    "missing categories": "heating: 48 missing",
    "missing targets": "48 rows without a target left out",
    "a column of nothing": "nothing: every value is missing",
    "row numbers": "number: row numbers, 1 to 240",
    "an index without a name": "0: row numbers, 0 to 239",
    "ids": "id: id-like",
    "names and addresses": "name: id-like",
    "free text": "note: free text",
    "a constant": "country: every value is 'CH'",
    "texts among numbers": "area: 'too large' counts as missing",
    "one class only": "one class only, which every prediction will be",
    "a name twice": "names stand more than once",
    "three rows": "3 are too few for a test",
}


def test_there_are_thirty() -> None:
    assert len(FILES) >= 30
    assert SAID.keys() <= {file.name for file in SMALL}


@pytest.mark.parametrize("file", SMALL, ids=lambda file: file.name)
def test_a_file_trains_and_predicts(file, tmp_path, capsys) -> None:
    facts = train(file, tmp_path)
    assert SAID.get(file.name, "") in summary(facts)
    test = facts.get("test")
    if test is not None and "rmse" in test:
        assert test["rmse"] < 0.5 * test["baseline"]["rmse"]
    if file.name in ("classes", "truth values", "one class only"):
        assert test["accuracy"] >= test["baseline"]["accuracy"]
    assert main(["predict", str(tmp_path / "model.safetensors"), str(tmp_path / "data.csv")]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = facts["data"]["rows"] + (48 if file.name == "missing targets" else 0)
    assert len(lines) == 1 + rows
    assert '""' not in lines  # what csv writes for a row of one empty cell


@pytest.mark.slow
@pytest.mark.parametrize("file", [f for f in FILES if f.large], ids=lambda file: file.name)
def test_a_large_file_trains(file, tmp_path) -> None:
    assert train(file, tmp_path)["test"] is not None
