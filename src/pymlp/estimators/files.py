"""Estimators in files: their network, and one JSON text of parameters and what is learnt."""

from __future__ import annotations

import json
import os
from typing import Any

from numpy.typing import NDArray

from pymlp.files import safetensors, stored
from pymlp.files.values import plain

# Parameters that say how to train and may be functions; without one the file has None.
_LEFT_OUT = ("callbacks", "monitor", "random_state")
COUNTS = ("n_features_in_", "n_iter_", "t_", "_no_improvement_count")
LISTS = ("loss_curve_", "validation_scores_")
LEARNT = (
    *COUNTS, *LISTS, "loss_", "best_loss_", "best_validation_score_", "_base_rate", "_multilabel",
)  # fmt: skip
ARRAYS = ("classes_", "feature_names_in_")


def save(of: Any, path: str | os.PathLike[str]) -> None:
    """Write a fitted estimator to a file."""
    learnt = {name: vars(of)[name] for name in LEARNT if name in vars(of)}
    state = {
        "parameters": {name: _parameter(name, v) for name, v in of.get_params(deep=False).items()},
        "learnt": {name: plain(name, value) for name, value in learnt.items()},
        "arrays": {name: _array(vars(of)[name]) for name in ARRAYS if name in vars(of)},
        "input_scale": _pair(of._input_scale),
        "target_scale": _pair(of._target_scale),
    }
    texts = {"model": type(of).__name__, "estimator": json.dumps(state)}
    # Readers of the first format would take the network without its classes and scales.
    safetensors.write(path, of.network_.__getstate__(), texts, first_version=2)


def _pair(scale: Any) -> list[list[float]] | None:
    return None if scale is None else [scale.mean.tolist(), scale.deviation.tolist()]


def _array(values: NDArray[Any]) -> dict[str, Any]:
    dtype = "O" if values.dtype == object else values.dtype.str
    return {"dtype": dtype, "values": (values.astype(str) if "M" in dtype else values).tolist()}


def _parameter(name: str, value: Any) -> Any:
    try:
        return plain(name, value)
    except ValueError:
        if name in _LEFT_OUT:
            return None
        raise


def learnt(name: str, value: Any) -> Any:
    """Return what is learnt, if it is of the kind that `fit` leaves."""
    if name in COUNTS:
        return stored.integer(name, value, below=2**63)
    if (value is None and name != "loss_curve_") or (
        name == "_multilabel" and isinstance(value, bool)
    ):
        return value
    if name in LISTS:
        return stored.numbers(name, value)
    return stored.numbers(name, [value])[0]
