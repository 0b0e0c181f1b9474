"""RealMLP's recipe in the benchmark of learnt quality: it learns, and every part is one."""

import dataclasses

import numpy as np
import pytest

pd = pytest.importorskip("pandas")

from benchmarks.quality import realmlp  # noqa: E402
from benchmarks.quality.models import Task  # noqa: E402

ROWS = 300


def table(rng, rows=ROWS):
    names = np.array([f"c{i}" for i in range(12)])
    X = pd.DataFrame(
        {
            "amount": 1000 + 50 * rng.standard_normal(rows),
            "constant": 7.0,
            "few": rng.choice(["a", "b", "c"], rows),
            "two": rng.choice(["yes", "no"], rows),
            "many": rng.choice(names, rows),
        }
    )
    X.loc[::10, ["amount", "two", "many"]] = None
    return X.astype({"few": "category", "two": "category", "many": "category"})


def made(classes, parts=realmlp.TD, epochs=16):
    parts = dataclasses.replace(parts, epochs=epochs)
    return realmlp.RealMLP(Task(classes, ("few", "two", "many"), 1, 3), parts)


@pytest.mark.parametrize("parts", [realmlp.TD, realmlp.TD_S], ids=["TD", "TD-S"])
def test_it_learns_classes_and_numbers(parts):
    rng = np.random.default_rng(0)
    X = table(rng)
    y = np.where(X["few"] == "a", 0, np.where(X["amount"].fillna(0) > 1000, 1, 2))
    classifier = made(True, parts, 150).fit(X, y)
    assert (classifier.predict(X) == y).mean() > 0.95
    assert np.allclose(classifier.predict_proba(X).sum(axis=1), 1)
    amounts = 3e6 + 1e5 * (X["amount"].fillna(1000).to_numpy() - 1000) / 50
    regressor = made(False, parts, 150).fit(X, amounts)
    assert np.std(regressor.predict(X) - amounts) < 0.2 * np.std(amounts)


def test_other_rows_may_have_other_categories_and_gaps():
    rng = np.random.default_rng(1)
    X = table(rng)
    model = made(True).fit(X, rng.integers(0, 3, ROWS))
    new = X.head(3).astype({"many": object, "few": object})
    new.loc[0, ["many", "few"]] = "unseen"
    new.loc[1, "amount"] = None
    new = new.astype({"many": "category", "few": "category"})
    assert np.isfinite(model.predict_proba(new)).all()


def test_inputs_are_those_of_the_paper():
    X = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0, 4.0], "two": pd.Categorical([*"abab", None])})
    inputs = realmlp.Inputs(X, np.arange(5), dataclasses.replace(realmlp.TD_S, clip=False))
    assert inputs.of(X)[:, 0] == pytest.approx([-1, -0.5, 0, 0.5, 1])
    assert inputs.of(X)[:, 1] == pytest.approx([-0.5, 0.5, -0.5, 0.5, 0.0])
    clipped = realmlp.Inputs(X, np.arange(5), realmlp.TD_S).of(X.head(1).assign(x=1e9))
    assert clipped[0, 0] == pytest.approx(3.0)  # its limit


def test_td_s_begins_with_nothing_in_the_last_layer_and_td_among_the_samples():
    begun = {}
    for name, parts in {"TD": realmlp.TD, "TD-S": realmlp.TD_S}.items():
        model = made(False, parts)
        X = table(np.random.default_rng(2))
        model._train = lambda samples, judges, model=model, name=name: begun.update(
            {name: model._network.predict(samples[0])}
        )
        model.fit(X, np.arange(float(ROWS)))
    assert not begun["TD-S"].any()
    assert begun["TD"].std() == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("name", realmlp.ABLATIONS)
def test_a_part_that_is_taken_away_is_one(name):
    rng = np.random.default_rng(4)
    X = table(rng)
    y = X["amount"].fillna(0).to_numpy() + rng.standard_normal(ROWS)
    classes = name == "label smoothing"
    y = (y > 1000).astype(int) if classes else y
    parts = realmlp.ABLATIONS[name]
    assert (
        sum(a != b for a, b in zip(*map(dataclasses.astuple, (realmlp.TD, parts)), strict=True))
        == 1
    )
    whole, without = (made(classes, p).fit(X, y) for p in (realmlp.TD, parts))
    assert not np.array_equal(whole.predict_proba(X), without.predict_proba(X))
