"""Estimators from files: what `pymlp.load` calls."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp.estimators.base import BaseMLP
from pymlp.estimators.classifier import MLPClassifier
from pymlp.estimators.files import ARRAYS, LEARNT, learnt
from pymlp.estimators.inputs import InputScale
from pymlp.estimators.regressor import MLPRegressor
from pymlp.files import stored
from pymlp.files.stored import MALFORMED
from pymlp.files.values import restored
from pymlp.network import Network
from pymlp.training.target_scale import TargetScale

_KINDS: dict[str, type[BaseMLP]] = {
    "MLPClassifier": MLPClassifier,
    "MLPRegressor": MLPRegressor,
}


def from_file(network: Network, texts: dict[str, str]) -> BaseMLP:
    """Return the estimator whose network and texts a file has.

    Raises
    ------
    ValueError
        If the texts are of no estimator.
    """
    kind = texts.get("model", "")
    if kind not in _KINDS:
        raise ValueError(f"it holds a model that this pymlp does not know: {kind}")
    try:
        return _read(network, _KINDS[kind], stored.parsed(texts["estimator"]))
    except MALFORMED as error:
        raise ValueError(f"it does not hold what an {kind} is: {error}") from None


def _read(network: Network, kind: type[BaseMLP], state: dict[str, Any]) -> BaseMLP:
    of = kind(**{name: restored(value) for name, value in state["parameters"].items()})
    of._reset_record()
    for name, value in state["learnt"].items():
        setattr(of, _known(name, LEARNT), learnt(name, restored(value)))
    for name, value in state["arrays"].items():
        setattr(of, _known(name, ARRAYS), stored.array(name, value))
    _check_sizes(of, network)
    inputs = _scale("input_scale", state, network.widths[0])
    targets = _scale("target_scale", state, network.widths[-1])
    of._input_scale = None if inputs is None else InputScale(*inputs)
    of._target_scale = None if targets is None else TargetScale.known(*targets)
    of._adopt(network)
    return of


def _check_sizes(of: BaseMLP, network: Network) -> None:
    """Refuse what is learnt where it does not fit the network."""
    n_inputs, n_outputs = network.widths[0], network.widths[-1]
    if of.n_features_in_ != n_inputs:
        raise ValueError(f"n_features_in_ must be {n_inputs}, not {of.n_features_in_!r:.50}")
    if len(getattr(of, "feature_names_in_", range(n_inputs))) != n_inputs:
        raise ValueError(f"feature_names_in_ must be {n_inputs} names")
    if of.validation_scores_ is not None and of.best_validation_score_ is None:
        raise ValueError("it lacks the best of its validation_scores_")
    if not isinstance(of, MLPClassifier):
        return
    if "classes_" not in vars(of) or not isinstance(vars(of).get("_multilabel"), bool):
        raise ValueError("it lacks its classes")
    sizes = {n_outputs, 2, 1} if n_outputs == 1 and not of._multilabel else {n_outputs}
    if len(of.classes_) not in sizes:
        raise ValueError(f"classes_ must be {n_outputs}, not {len(of.classes_)}")


def _scale(name: str, state: dict[str, Any], size: int) -> list[NDArray[np.float64]] | None:
    if state[name] is None:
        return None
    mean, deviation = (stored.numbers(name, part, size) for part in state[name])
    return [
        np.array([stored.number(name, v) for v in mean]),
        np.array([stored.number(name, v, above=0.0) for v in deviation]),
    ]


def _known(name: str, names: tuple[str, ...]) -> str:
    if name not in names:
        raise ValueError(f"this pymlp does not know its {name}")
    return name
