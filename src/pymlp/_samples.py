"""Samples as the core takes them: checked, weighted by class, divided for validation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from pymlp import _arrays, _checks, _core
from pymlp._arrays import FloatArray, LabelArray

# X, labels, values, sample_weight: of labels and values one is None
Samples: TypeAlias = tuple[FloatArray, LabelArray | None, FloatArray | None, FloatArray | None]

_SPLIT_STREAM = 2**33  # apart from the streams of layers and of epochs


def finite(samples: Samples) -> Samples:
    """Return samples whose inputs are finite; targets and weights were looked at before."""
    _arrays.finite("X", samples[0])
    return samples


def validation_pair(validation: Any) -> tuple[Any, Any]:
    """Return (Xv, yv)."""
    if len(validation) != 2:
        raise ValueError(f"it must be (Xv, yv), not {len(validation)} items")
    return validation[0], validation[1]


def held_out_share(validation: Any, m: int) -> int:
    """Return how many of m samples a share of them is."""
    if validation is None:
        return 0
    share = _checks.number("validation", validation, above=0.0, below=1.0)
    held_out = max(1, math.floor(share * m + 0.5))
    if held_out >= m:
        raise ValueError(f"validation={share:g} of {m} samples leaves none to train on")
    return held_out


def split(samples: Samples, held_out: int, seed: int) -> tuple[Samples, Samples]:
    """Return (training, validation) samples; so many are drawn at random and held out."""
    order = _core.permutation(samples[0].shape[0], seed, _SPLIT_STREAM)
    return _take(samples, order[held_out:]), _take(samples, order[:held_out])


def _take(samples: Samples, rows: Any) -> Samples:
    X, labels, values, weights = samples
    return (
        X[rows],
        None if labels is None else labels[rows],
        None if values is None else values[rows],
        None if weights is None else weights[rows],
    )


def with_class_weights(samples: Samples, class_weight: Any, outputs: int) -> Samples:
    """Return samples whose weights are multiplied by those of their classes."""
    if class_weight is None:
        return samples
    X, labels, values, weights = samples
    classes = _class_of_each(labels, values)
    n_classes = max(2, outputs)
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise _checks.unknown_name("class_weight", class_weight, ["balanced"])
        counts = np.bincount(classes, minlength=n_classes)
        table = len(classes) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    else:
        table = _class_weight_table(class_weight, n_classes)
    with np.errstate(over="ignore", invalid="ignore"):  # said in words below
        factor = table[classes].astype(X.dtype)
        product = factor if weights is None else weights * factor
    _arrays.finite("class_weight times sample_weight", product)
    if not product.any():
        raise ValueError("class_weight must not leave a weight of 0 for every sample")
    return X, labels, values, product


def _class_of_each(labels: LabelArray | None, values: FloatArray | None) -> Any:
    if labels is not None:
        return labels
    if values is not None and values.shape[1] == 1 and np.isin(values, (0, 1)).all():
        return values[:, 0].astype(np.int32)
    raise ValueError("class_weight needs a y of integer labels, or of 0 and 1 for one output")


def _class_weight_table(class_weight: Any, n_classes: int) -> Any:
    if not isinstance(class_weight, Mapping):
        raise TypeError(
            "class_weight must be a dict of weights or 'balanced', not "
            f"{_checks.type_name(class_weight)}"
        )
    table = np.ones(n_classes)
    for label, weight in class_weight.items():
        position = _checks.integer("class_weight's labels", label, minimum=0)
        if position >= n_classes:
            raise ValueError(
                f"class_weight must name labels from 0 to {n_classes - 1}, not {position}"
            )
        table[position] = _checks.number(f"class_weight[{position}]", weight, minimum=0.0)
    return table
