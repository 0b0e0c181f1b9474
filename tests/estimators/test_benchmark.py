"""The benchmark of the estimators: its table, and its way from the first line to the last."""

import json
from pathlib import Path

import pytest

pytest.importorskip("sklearn")

from benchmarks import estimators


def test_table_has_scores_with_their_error_and_the_ratio() -> None:
    names = ("scikit-learn", "pymlp")
    scores = {"scikit-learn": [0.5, 0.7], "pymlp": [0.6, 0.8]}
    row = estimators.Row(
        "iris", "defaults", scores, {n: [t] for n, t in zip(names, (0.2, 0.05), strict=True)}
    )
    line = estimators.table([row]).splitlines()[-1]
    assert line == "| iris | defaults | 0.6000 ± 0.1000 | 0.7000 | +1.00 | 200.0 | 50.0 | 4.0 |"


def test_it_measures_and_keeps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = str(tmp_path / "rows.json")
    options = ["--sets", "linnerud", "--settings", "early stopping", "--seeds", "1"]
    estimators.main([*options, "--json", kept])
    printed = capsys.readouterr().out
    (row,) = json.loads(Path(kept).read_text(encoding="utf-8"))
    assert [len(values) for values in (*row["scores"].values(), *row["seconds"].values())] == [
        5
    ] * 4
    estimators.main(["--from", kept])
    assert capsys.readouterr().out == printed
