"""The tests that scikit-learn has of its own networks, run against these by another import."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sklearn")

from sklearn.neural_network import tests

import pymlp

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]

# What asks for more than the public API.
LEFT_OUT = {
    "test_gradient": "calls the private function _loss_grad_lbfgs with arrays of its layers",
}
SUITE = Path(tests.__path__[0]) / "test_mlp.py"
THEIRS = "from sklearn.neural_network import MLPClassifier, MLPRegressor"


@pytest.fixture
def global_random_seed() -> int:
    return 42


def load() -> dict[str, Any]:
    """Return what the suite defines, with these estimators in the place of its own."""
    source = SUITE.read_text(encoding="utf-8")
    assert THEIRS in source
    ours = source.replace(THEIRS, "from pymlp import MLPClassifier, MLPRegressor")
    names: dict[str, Any] = {"__name__": __name__}
    exec(compile(ours, str(SUITE), "exec"), names)
    return names


NAMES = load()
globals().update(
    {
        name: value
        for name, value in NAMES.items()
        if name.startswith("test_") and name not in LEFT_OUT
    }
)


def test_the_suite_is_run_against_these_estimators() -> None:
    assert NAMES["MLPClassifier"] is pymlp.MLPClassifier
    assert NAMES["MLPRegressor"] is pymlp.MLPRegressor
    run = [name for name in NAMES if name.startswith("test_") and name not in LEFT_OUT]
    assert len(run) >= 40
    assert set(LEFT_OUT) <= set(NAMES)
