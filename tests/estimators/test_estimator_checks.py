"""scikit-learn's own checks of an estimator: all of them pass."""

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import parametrize_with_checks

import pymlp

pytestmark = pytest.mark.filterwarnings("ignore")  # which the checks make on purpose

ESTIMATORS = [
    pymlp.MLPClassifier(),
    pymlp.MLPRegressor(),
    pymlp.MLPClassifier(solver="lbfgs", scale=True, n_layers=2, width=10, alpha=1.0),
    pymlp.MLPClassifier(solver="sgd", learning_rate="adaptive", learning_rate_init=0.05),
    pymlp.MLPRegressor(solver=pymlp.AdamW(0.01), scale=True, n_layers=2, width=20, norm="layer"),
    pymlp.MLPRegressor(solver="lbfgs", loss="huber", activation=[pymlp.LeakyReLU(0.1)]),
]


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=None)
def test_check_of_scikit_learn(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)
