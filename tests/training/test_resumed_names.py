"""Names of columns and classes belong to a training: with others it is another one."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pymlp

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")

X = np.random.default_rng(0).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)
LABELS = np.array(["no", "yes"])[Y]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fit.safetensors"


def frame(names: str) -> Any:
    return pytest.importorskip("pandas").DataFrame(X, columns=list(names))


def network(table: Any, y: Any, **options: Any) -> None:
    pymlp.Network([3, 4, 2], output="softmax", seed=0).fit(table, y, epochs=2, **options)


def estimator(table: Any, y: Any, **options: Any) -> None:
    pymlp.MLPClassifier((4,), max_iter=2, random_state=0).fit(table, y, **options)


def model(table: Any, y: Any, **options: Any) -> None:
    pymlp.TabularClassifier(hidden_layer_sizes=4, epochs=2, random_state=0).fit(table, y, **options)


@pytest.mark.parametrize(
    ("fit", "name"),
    [(network, "feature_names"), (estimator, "feature_names_in_"), (model, "columns")],
)
def test_other_columns_are_refused(fit: Callable[..., None], name: str, path: Path) -> None:
    fit(frame("abc"), Y, checkpoint=path)
    fit(frame("abc"), Y, checkpoint=path, resume=True)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=re.escape(f"{name}[1] is 'd', and was 'b'")):
        fit(frame("adc"), Y, checkpoint=path, resume=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize("fit", [estimator, model])
def test_other_classes_are_refused(fit: Callable[..., None], path: Path) -> None:
    fit(X, LABELS, checkpoint=path)
    fit(X, LABELS, checkpoint=path, resume=True)
    with pytest.raises(ValueError, match=r"classes_?\[0\] is 'never', and was 'no'"):
        fit(X, np.where(Y, "yes", "never"), checkpoint=path, resume=True)


def test_other_categories_are_refused(path: Path) -> None:
    model({"a": X[:, 0], "b": LABELS}, Y, checkpoint=path)
    with pytest.raises(ValueError, match="training: categories has other values"):
        model({"a": X[:, 0], "b": np.where(Y, "yes", "never")}, Y, checkpoint=path, resume=True)


def test_another_target_is_refused(path: Path) -> None:
    table: dict[str, Any] = {"a": X[:, 0], "y": Y}
    model(table, "y", checkpoint=path)
    with pytest.raises(ValueError, match="target is 'z', and was 'y'"):
        model({"a": X[:, 0], "z": Y}, "z", checkpoint=path, resume=True)


def test_classes_that_json_lacks(path: Path) -> None:
    dates = np.array(["2026-01-01", "2026-01-02"], "M8[D]")[Y]
    for resume in (False, True):
        estimator(X, dates, checkpoint=path, resume=resume)


@pytest.mark.parametrize("kind", ["names", "frame", "dict", "array"])
def test_several_targets_go_on(kind: str, path: Path) -> None:
    table = frame("abc").assign(y=X[:, 0], z=X[:, 1])
    targets = table[["y", "z"]]
    given: dict[str, Any] = {
        "names": (table, ["y", "z"]), "frame": (X, targets), "array": (X, targets.to_numpy()),
        "dict": (X, {"y": X[:, 0], "z": X[:, 1]}),
    }  # fmt: skip

    def fitted(epochs: int, **options: Any) -> Any:
        made = pymlp.TabularRegressor(
            hidden_layer_sizes=4, epochs=epochs, random_state=0, optimizer="adam",
            learning_rate=0.01, n_members=2,
        )  # fmt: skip
        return made.fit(*given[kind], **options)

    fitted(2, checkpoint=path)
    again, whole = fitted(4, checkpoint=path, resume=True), fitted(4)
    assert np.array_equal(again.predict(given[kind][0]), whole.predict(given[kind][0]))


@pytest.mark.parametrize("fit", [network, estimator, model])
@pytest.mark.parametrize("named_first", [True, False])
def test_without_names_it_is_the_same_table(
    fit: Callable[..., None], named_first: bool, path: Path
) -> None:
    series = pytest.importorskip("pandas").Series(Y, name="y")
    tables = [(frame("abc"), series), (X, Y)]
    first, second = tables if named_first else tables[::-1]
    fit(*first, checkpoint=path)
    fit(*second, checkpoint=path, resume=True)


@pytest.mark.parametrize("names", ["abc", "abd"])
def test_an_estimator_that_is_refused_stays_as_it_was(names: str, path: Path) -> None:
    made = pymlp.MLPClassifier((4,), max_iter=2, random_state=0)
    made.fit(frame("abc"), LABELS, checkpoint=path)
    before = made.predict(frame("abc"))
    with pytest.raises(ValueError, match="of another training"):
        made.fit(frame(names), np.where(Y, "yes", "never"), checkpoint=path, resume=True)
    assert made.classes_.tolist() == ["no", "yes"]
    assert np.array_equal(made.predict(frame("abc")), before)


def test_only_what_differs_is_named(path: Path) -> None:
    model(X, Y, checkpoint=path)
    with pytest.raises(
        ValueError, match="training: X has other values; sample_weight or class_wei"
    ):
        model(X, Y, sample_weight=np.linspace(1, 2, 40), checkpoint=path, resume=True)
