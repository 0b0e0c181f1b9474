"""The benchmark of learnt quality: its data sets, splits and arithmetic; no other library runs."""

import argparse
import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest

pd = pytest.importorskip("pandas")
pytest.importorskip("sklearn")

from benchmarks import tables as layouts  # noqa: E402
from benchmarks.quality import (  # noqa: E402
    DATASETS,
    HALVES,
    datasets,
    page,
    run,
    split,
    summary,
    tables,
    worker,
)
from benchmarks.quality.__main__ import main, merged  # noqa: E402
from benchmarks.quality.models import MODELS, REFERENCE, Task  # noqa: E402

CLASSIFICATION, REGRESSION = "breast cancer", "diabetes"  # scikit-learn's own, of either half
OWN = "pymlp"
# The others take seconds to import.
AT_HAND = [name for name, model in MODELS.items() if model.package in {"pymlp", "scikit-learn"}]


def named(name):
    (found,) = [dataset for dataset in DATASETS if dataset.name == name]
    return found


# ---- data sets ---------------------------------------------------------------------------------


def test_there_are_as_many_sets_of_either_task_in_either_half():
    assert len({dataset.name for dataset in DATASETS}) == len(DATASETS) >= 24
    counts = {(d.task, d.half): 0 for d in DATASETS}
    for dataset in DATASETS:
        counts[dataset.task, dataset.half] += 1
    assert len(counts) == 4
    assert len(set(counts.values())) == 1


def test_halves_alternate_by_rows():
    for task in {dataset.task for dataset in DATASETS}:
        alike = sorted((d for d in DATASETS if d.task == task), key=lambda d: d.rows)
        assert [d.half for d in alike] == [*HALVES] * (len(alike) // 2)


@pytest.mark.parametrize("dataset", [*datasets()], ids=lambda dataset: dataset.name)
def test_a_set_is_what_its_line_says(dataset):
    X, y = dataset.X, dataset.y
    assert X.shape == (dataset.rows, dataset.columns)
    assert y.shape == (dataset.rows,)
    assert dataset.target not in X
    kinds = {"number" if pd.api.types.is_numeric_dtype(t) else str(t) for t in X.dtypes}
    assert kinds <= {"number", "category"}
    if dataset.task == "classification":
        assert set(y) == set(range(y.max() + 1))
        assert np.bincount(y).min() >= 2
    else:
        assert np.isfinite(y).all()


def test_sets_of_a_half():
    assert {d.half for d in datasets("development")} == {"development"}
    assert len([*datasets()]) == sum(len([*datasets(half)]) for half in HALVES)
    with pytest.raises(ValueError, match="half must be one of development, reported and all"):
        datasets("dev")


@pytest.mark.parametrize("name", [CLASSIFICATION, REGRESSION])
def test_splits(name):
    dataset = named(name)
    X, X_test, y, y_test = split(dataset, 0)
    assert len(X) == len(y) == int(0.75 * dataset.rows)
    assert len(X) + len(X_test) == dataset.rows
    rows = pd.concat([X, X_test]).astype(float).sort_values([*X])
    assert rows.to_numpy().tolist() == dataset.X.astype(float).sort_values([*X]).to_numpy().tolist()
    pd.testing.assert_frame_equal(split(dataset, 0)[0], X)
    assert not split(dataset, 1)[0].equals(X)
    if name == CLASSIFICATION:
        assert y.mean() == pytest.approx(y_test.mean(), abs=0.01)


# ---- fits --------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [OWN, "RandomForest"])
@pytest.mark.parametrize("name", [CLASSIFICATION, REGRESSION])
def test_a_model_is_fitted_and_judged(model, name):
    dataset = named(name)
    found = worker.fitted(model, dataset.task, split(dataset, 0), 1, 0)
    assert [found["rows"], found["test_rows"]] == [len(y) for y in split(dataset, 0)[2:]]
    assert found["cpu_seconds"] > 0
    assert found["wall_seconds"] > 0
    assert found["error"] < 0.1 if name == CLASSIFICATION else found["r2"] > 0.1


class Judged:
    """Says what it is told to."""

    def __init__(self, labels, probabilities=None):
        self.predict = lambda _: np.array(labels)
        self.predict_proba = lambda _: np.array(probabilities)


def test_errors_and_log_loss():
    judged = Judged([[0], [1], [1], [0]], [[0.5, 0.5], [0.75, 0.25], [0.0, 1.0], [1.0, 0.0]])
    found = worker.errors(judged, None, np.array([0, 0, 1, 1]))
    assert found["error"] == 0.5
    floor = -np.log(np.finfo(np.float32).eps)
    assert found["log_loss"] == pytest.approx((np.log(2) + np.log(4 / 3) + floor) / 4)
    with pytest.raises(ValueError, match="not finite"):
        worker.errors(Judged([0], [[np.nan, 0.5]]), None, np.array([0]))


def test_root_mean_squared_error():
    found = worker.rmse(Judged([1.0, 2.0, 3.0, 8.0]), None, np.array([1.0, 2.0, 3.0, 4.0]))
    assert found["error"] == 2.0
    assert found["r2"] == 1 - 4 / 1.25
    with pytest.raises(ValueError, match="not finite"):
        worker.rmse(Judged([np.inf]), None, np.array([0.0]))


@pytest.mark.parametrize("classes", [True, False])
@pytest.mark.parametrize("model", AT_HAND)
def test_models_are_made(model, classes):
    made = MODELS[model].make(Task(classes, ("text",), 2, 5))
    assert hasattr(made, "predict_proba") is classes
    assert 5 in [v for k, v in made.get_params().items() if k.endswith("random_state")]


def test_a_process_that_ends_loses_nothing_else():
    one = worker.Worker("RandomForest", 1, 300.0)
    with pytest.raises(worker.WorkerError, match="KeyError: 'no such set'"):
        one.fit("no such set", 0)
    os.kill(one._process.pid, signal.SIGKILL)
    with pytest.raises(worker.WorkerError, match="its process ended"):
        one.fit(REGRESSION, 0)
    assert one.fit(REGRESSION, 0)["test_rows"] == 111
    one.stop()


def test_what_takes_too_long_is_ended():
    one = worker.Worker("RandomForest", 1, 0.0)
    with pytest.raises(worker.WorkerError, match="no answer in 0 seconds"):
        one.fit(REGRESSION, 0)
    assert one._process is None


# ---- runs --------------------------------------------------------------------------------------


class FakeWorker:
    """Answers without a process, but not every time."""

    broken = True

    def __init__(self, model, threads, limit):
        self.model = model

    def fit(self, name, seed):
        if self.broken and name == REGRESSION:
            raise worker.WorkerError("its process ended")
        return {"error": 0.5, "cpu_seconds": 1.0, "wall_seconds": 1.0, "test_rows": 9}

    def stop(self):
        pass


def test_a_run_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "Worker", FakeWorker)
    options = {"splits": 2, "threads": 1, "limit": 1.0, "json": tmp_path / "found.json"}
    sets = [named(CLASSIFICATION), named(REGRESSION)]
    first = run.run(sets, [OWN, REFERENCE], argparse.Namespace(resume=False, **options))
    assert len(first["fits"]) == 8
    assert sum("failure" in fit for fit in first["fits"]) == 4
    assert json.loads(options["json"].read_text()) == first
    monkeypatch.setattr(FakeWorker, "broken", False)
    again = run.run(sets, [OWN, REFERENCE], argparse.Namespace(resume=True, **options))
    assert again["fits"][:4] == [fit for fit in first["fits"] if "failure" not in fit]
    assert {fit["set"] for fit in again["fits"][4:]} == {REGRESSION}
    assert not any("failure" in fit for fit in again["fits"])
    assert again["libraries"]["pymlp"]


def test_what_is_not_there_is_left_out(monkeypatch):
    monkeypatch.setattr("benchmarks.quality.models.version", lambda name: missing(name))
    record = run.about([], [OWN, REFERENCE])
    assert record["left_out"][REFERENCE] == "scikit-learn is not installed"
    assert OWN not in record["left_out"]


def missing(name):
    from importlib.metadata import PackageNotFoundError

    raise PackageNotFoundError(name)


# ---- arithmetic --------------------------------------------------------------------------------


def fit(dataset, model, error, seed=0, **more):
    found = {"set": dataset, "split": seed, "model": model, "threads": 1, "error": error}
    return found | {"cpu_seconds": 1.0, "wall_seconds": 1.0, "rows": 9, "test_rows": 99} | more


def full_record():
    """Two sets, three models and two splits; the third model lacks a set."""
    fits = []
    for seed, noise in enumerate((1.0, 1.5)):
        fits += [
            fit(CLASSIFICATION, REFERENCE, 0.2 * noise, seed, log_loss=0.4, cpu_seconds=2.0),
            fit(CLASSIFICATION, OWN, 0.1 * noise, seed, log_loss=0.1),
            fit(REGRESSION, REFERENCE, 1e4 * noise, seed, r2=0.5, cpu_seconds=6.0),
            fit(REGRESSION, OWN, 8e3 * noise**2, seed, r2=0.6, cpu_seconds=3.0),
            fit(REGRESSION, "LightGBM", 9e3 * noise, seed, r2=0.5),
        ]
    lost = {"set": CLASSIFICATION, "split": 0, "model": "LightGBM", "threads": 1}
    fits.append(lost | {"failure": "out of memory"})
    return {
        "date": "2026-01-01T00:00:00+00:00",
        "machine": {"processor": "any", "cores": 2},
        "libraries": {"pymlp": "1", "lightgbm": "2"},
        "left_out": {"CatBoost": "catboost is not installed"},
        "models": {name: model.settings for name, model in MODELS.items()},
        "fits": fits,
    }


def test_geometric_means():
    found = summary.of_half(full_record()["fits"], "all")
    assert [d.name for d in found.sets] == [CLASSIFICATION, REGRESSION]
    wrong = (0.1 * 99 + 0.5 + 0.15 * 99 + 0.5) / (0.2 * 99 + 0.5 + 0.3 * 99 + 0.5)
    rmse = (8e3 + 8e3 * 1.5**2) / (1e4 + 1e4 * 1.5)
    expected = {"classification": wrong, "regression": rmse, "all": (wrong * rmse) ** 0.5}
    expected |= {"log-loss": 0.25, "CPU time": 0.5}
    for measure, value in expected.items():
        interval = found.relative(OWN, measure, REFERENCE)
        assert interval.value == pytest.approx(value), measure
        assert interval.low <= interval.value <= interval.high
    assert found.seconds(OWN) == 4.0
    assert found.n_splits() == (2, 2)


def test_intervals_are_over_splits():
    found = summary.of_half(full_record()["fits"], "all")
    # The ratio of a split is 0.8 or 1.2; drawn twice from two, it is either, or the means' ratio.
    interval = found.relative(OWN, "regression", REFERENCE)
    assert (interval.low, interval.high) == (pytest.approx(0.8), pytest.approx(1.2))
    assert found.relative(OWN, "log-loss", REFERENCE)[:3] == pytest.approx((0.25,) * 3)
    for measure in summary.MEASURES:
        assert found.relative(REFERENCE, measure, REFERENCE)[:3] == (1.0, 1.0, 1.0)


def test_sets_that_a_model_lacks():
    found = summary.of_half(full_record()["fits"], "all")
    assert found.relative("LightGBM", "classification", REFERENCE) is None
    assert found.relative("LightGBM", "all", REFERENCE).n_sets == 1
    assert found.mean(CLASSIFICATION, "LightGBM", "error") is None
    rows = tables.means(found, REFERENCE)
    assert ["LightGBM (1 of 2 sets)", "", "0.900"] in [row[:3] for row in rows]


def test_means_are_over_the_splits_that_all_models_have():
    fits = [
        fit(REGRESSION, OWN, 1.0),
        fit(REGRESSION, OWN, 9.0, 1),
        fit(REGRESSION, REFERENCE, 2.0),
    ]
    found = summary.of_half(fits, "all")
    assert found.mean(REGRESSION, OWN, "error") == 1.0
    assert found.n_splits() == (1, 2)
    assert found.relative(OWN, "all", REFERENCE).value == 0.5


def test_only_one_half():
    reported = summary.of_half(full_record()["fits"], "reported")
    assert [d.name for d in reported.sets] == [
        name for name in (CLASSIFICATION, REGRESSION) if named(name).half == "reported"
    ]


def test_tables():
    found = summary.of_half(full_record()["fits"], "all")
    titles, first, *_ = tables.means(found, REFERENCE)
    assert titles == ["model", *summary.MEASURES, "seconds"]
    assert first[0] == OWN  # the least error first
    assert first[4:] == ["0.250", "0.500", "4.0"]
    errors = tables.by_set(found, "error")
    assert errors[0] == ["data set", OWN, REFERENCE, "LightGBM"]
    assert errors[2] == [REGRESSION, "13,000", "12,500", "11,250"]
    assert tables.by_set(found, "log-loss")[1:] == [[CLASSIFICATION, "0.1", "0.4", ""]]
    assert len(tables.sets("all")) == 1 + len(DATASETS)
    assert layouts.markdown(errors).startswith("| data set | pymlp | scikit-learn MLP |")


def test_page():
    text = page.page(full_record(), REFERENCE)
    assert "2 splits" in text
    assert "- CatBoost is left out: catboost is not installed" in text
    assert "Versions: pymlp 1, lightgbm 2." in text
    assert all(dataset.name in text for dataset in DATASETS)


DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.skipif(not (DOCS / "quality.json").exists(), reason="there is no record")
def test_page_is_made_from_the_record():
    record = json.loads((DOCS / "quality.json").read_text(encoding="utf-8"))
    made = "python -m benchmarks.quality --from docs/quality.json --page docs/quality.md"
    written = (DOCS / "quality.md").read_text(encoding="utf-8")
    assert written == page.page(record, REFERENCE), f"run: {made}"


def test_chart(tmp_path):
    pytest.importorskip("matplotlib")
    from benchmarks.quality import chart

    chart.draw(full_record(), tmp_path / "quality", REFERENCE, half="all")
    picture = (tmp_path / "quality.svg").read_text()
    assert {f.name for f in tmp_path.iterdir()} == {"quality.png", "quality.svg"}
    assert all(name in picture for name in (OWN, REFERENCE, "LightGBM", "2 data sets"))
    kinds = [chart.kind_of(name) for name in ("pymlp best", "RealMLP-TD", "CatBoost")]
    assert kinds == ["pymlp", "other networks", "trees"]


def test_records_are_merged(tmp_path):
    record = full_record()
    files = [tmp_path / "peers.json", tmp_path / "own.json"]
    worse = [fit | {"error": 0.9} for fit in record["fits"][2:4]]
    files[0].write_text(json.dumps(record | {"fits": record["fits"][:2] + worse}))
    absent = record["left_out"] | {"LightGBM": "lightgbm is not installed"}
    files[1].write_text(json.dumps(record | {"fits": record["fits"][2:], "left_out": absent}))
    assert merged(files) == record


def test_command_line(tmp_path, monkeypatch, capsys):
    file = tmp_path / "found.json"
    file.write_text(json.dumps(full_record()))
    command = ["quality", "--from", str(file), "--page", str(tmp_path / "quality.md")]
    monkeypatch.setattr("sys.argv", command)
    main()
    printed = capsys.readouterr().out
    assert "development half, 1 data sets" in printed
    assert "reported half, 1 data sets" in printed
    assert (tmp_path / "quality.md").read_text().startswith("# What models of tables learn")
    monkeypatch.setattr("sys.argv", ["quality", "--models", "LightGBN"])
    with pytest.raises(SystemExit):
        main()
    assert "no model is called LightGBN" in capsys.readouterr().err
