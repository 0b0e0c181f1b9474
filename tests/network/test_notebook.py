"""What notebooks show: well-formed HTML that escapes every text and suits light and dark pages."""

import re
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest

import pymlp
from pymlp.training.curve import curve

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
y = (X[:, 0] > 0).astype(int)


def evil(y: Any, outputs: Any) -> float:
    return float(np.mean(outputs))


evil.__name__ = "<script>alert('&')</script>"


def network() -> pymlp.Network:
    names = ["<b>age</b>", "a & b", 'the "third"']
    return pymlp.Network([3, 8, 2], output="softmax", norm="layer", feature_names=names, seed=0)


def history() -> pymlp.History:
    return network().fit(X, y, epochs=4, validation=0.25, metrics=["accuracy", evil], seed=0)


def shown() -> dict[str, Any]:
    frozen = network()
    frozen.layers[0].gain[:] = 0.0
    return {
        "network": network(),
        "history": history(),
        "diagnosis": pymlp.diagnose(network(), X, y),
        "diagnosis with findings": pymlp.diagnose(frozen, 100 * X, y),
        "plan": network().plan(batch_size=64),
        "plan of a prediction": network().plan(batch_size=64, training=False),
        "new history": pymlp.History(),
    }


@pytest.mark.parametrize("what", shown())
def test_html_is_well_formed_and_escaped(what: str) -> None:
    html = shown()[what]._repr_html_()
    tree = ET.fromstring(html)  # an error where a text is not escaped
    tags = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert tags <= {
        *("div", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "b", "details"),
        *("summary", "svg", "path", "text", "rect", "circle"),
    }
    # Colours of the page, greys that let it through, and two hues.
    colours = set(re.findall(r"#[0-9a-f]{3,6}\b|\b(?:black|white)\b", html))
    assert colours <= {"#3b82d6", "#e07b28"}


def texts(thing: Any) -> str:
    return " ".join("".join(ET.fromstring(thing._repr_html_()).itertext()).split())


def test_network_shows_layers_and_names() -> None:
    said = texts(network())
    assert "Network 3 → 8 → 2" in said
    assert "66 parameters, float32, 264 bytes" in said
    assert "3 named inputs" in said
    assert '<b>age</b>, a & b, the "third"' in said
    assert "named inputs" not in texts(pymlp.Network([3, 2]))


def test_history_shows_a_table_and_a_curve() -> None:
    record = history()
    html = record._repr_html_()
    said = texts(record)
    assert "4 epochs" in said
    assert "ended by epochs" in said
    assert f"best ({(record.best_epoch or 0) + 1})" in said
    assert evil.__name__ in said
    assert f"{record.val_loss[-1]:.6g}" in said
    paths = re.findall(r'<path d="(M[^"H]*)" fill="none"', html)
    assert len(paths) == 2  # loss and val_loss
    assert all(path.count("L") == 3 for path in paths)


def test_history_draws_what_is_watched() -> None:
    stop = pymlp.EarlyStopping(3, monitor="accuracy")
    net = pymlp.Network([3, 8, 2], output="softmax", seed=0)
    record = net.fit(X, y, epochs=4, early_stopping=stop, metrics=["accuracy"])
    assert 'aria-label="accuracy by epoch"' in record._repr_html_()


def test_history_says_that_it_still_improved() -> None:
    record = pymlp.Network([3, 8, 2], output="softmax", seed=0).fit(X, y, epochs=20)
    assert "still improving" in repr(record)
    assert "still improving" in texts(record)


@pytest.mark.parametrize(
    "values",
    [[1.0], [0.0, 0.0], [3.0, np.nan, 1.0], [1e-320, 3e-320], [1e300, 1.0], [-5.0, 5.0], [2, 1]],
)
def test_any_finite_numbers_have_a_curve(values: list[float]) -> None:
    tree = ET.fromstring(curve({"loss": values}, 0))
    for element in tree.iter():
        if element.tag.endswith("text") and element.get("y"):
            assert 0 <= float(element.get("y", "nan")) <= float(tree.get("height", "nan"))
    assert "nan" not in "".join(element.get("d", "") for element in tree.iter())


@pytest.mark.parametrize("values", [[], [np.nan], [np.inf], [-1.7e308, 1.7e308]])
def test_others_have_none(values: list[float]) -> None:
    assert curve({"loss": values}, None) == ""


def test_a_long_training_makes_a_short_curve() -> None:
    assert len(curve({"loss": np.geomspace(1, 1e-4, 10**6).tolist()}, 10**6 - 1)) < 10_000
