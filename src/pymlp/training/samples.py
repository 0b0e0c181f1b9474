"""Samples as the core takes them: checked, weighted by class, divided for validation."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pymlp import _arrays, _checks, _core
from pymlp._arrays import FloatArray, LabelArray
from pymlp._registry import unknown_name
from pymlp.architecture import Architecture
from pymlp.losses import Loss
from pymlp.training.options import FitOptions

# X, labels, values, sample_weight: of labels and values one is None
Samples: TypeAlias = tuple[FloatArray, LabelArray | None, FloatArray | None, FloatArray | None]

_SPLIT_STREAM = 2**33  # apart from the streams of layers and of epochs


def checked(
    X: ArrayLike,
    y: ArrayLike,
    sample_weight: ArrayLike | None,
    loss: Loss,
    architecture: Architecture,
) -> Samples:
    """Return the samples that a loss is measured on, as the core takes them."""
    n_out, dtype = architecture.widths[-1], architecture.dtype
    rows = architecture.rows("X", X)
    m = rows.shape[0]
    labels, values = _arrays.targets(y, loss.name, m, n_out, dtype)
    return rows, labels, values, _arrays.sample_weights(sample_weight, m, dtype)


def check_rows(m: int, architecture: Architecture) -> None:
    """Refuse a batch whose units would have no variance."""
    if architecture.norm == "batch" and m < 2:
        raise ValueError(f"X must have at least 2 rows to train a network with batch norm, not {m}")


def for_fit(
    X: ArrayLike, y: ArrayLike, options: FitOptions, architecture: Architecture
) -> tuple[Samples, Samples | None, int]:
    """Return training and validation samples, and how many of the former to hold out.

    Both are weighted by their classes. Of validation samples and held-out rows there is one kind.
    """
    names = architecture.feature_names
    samples = finite(checked(X, y, options.sample_weight, options.loss, architecture), names)
    classes = ClassWeights(options.class_weight, samples, architecture.widths[-1])
    given = options.validation
    if not isinstance(given, tuple | list):
        return classes.weigh(samples), None, held_out_share(given, samples[0].shape[0])
    with as_validation():
        return classes.weigh(samples), classes.weigh(validation(given, options, architecture)), 0


@contextlib.contextmanager
def as_validation() -> Iterator[None]:
    """Let errors of type and value tell that they are about validation."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise type(error)(f"validation: {error}") from None


def validation(given: Sequence[Any], options: FitOptions, architecture: Architecture) -> Samples:
    """Return the samples that (Xv, yv) or (Xv, yv, weights) are."""
    if len(given) not in (2, 3):
        raise ValueError(f"it must be (Xv, yv) or (Xv, yv, weights), not {len(given)} items")
    Xv, yv, *weights = given
    sample_weight = weights[0] if weights else None
    found = checked(Xv, yv, sample_weight, options.loss, architecture)
    return finite(found, architecture.feature_names)


def finite(samples: Samples, names: tuple[str, ...] | None) -> Samples:
    """Return samples whose inputs are finite; targets and weights were looked at before."""
    _arrays.finite("X", samples[0], names)
    return samples


def held_out_share(validation: Any, m: int) -> int:
    """Return how many of m samples a share of them is."""
    if validation is None:
        return 0
    share = _checks.number("validation", validation, above=0.0, below=1.0)
    held_out = max(1, math.floor(share * m + 0.5))
    if held_out >= m:
        raise ValueError(f"validation={share:g} of {m} samples leaves none to train on")
    return held_out


def split(samples: Samples, held_out: int, seed: int) -> tuple[Samples, Samples, NDArray[np.int64]]:
    """Return (training, validation) samples and the rows held out, which are drawn at random.

    Raises
    ------
    ValueError
        If one of the two has no sample of a weight above 0: it would have no mean loss.
    """
    order = split_order(samples[0].shape[0], seed)
    check_weights(samples[3], order[:held_out], order[held_out:])
    return taken(samples, order[held_out:]), taken(samples, order[:held_out]), order[:held_out]


def split_order(m: int, seed: int) -> NDArray[np.int64]:
    """Return the order of m samples whose first are held out."""
    return _core.permutation(m, seed, _SPLIT_STREAM)


def check_weights(
    weights: FloatArray | None, held_out: NDArray[np.int64], left: NDArray[np.int64]
) -> None:
    """Refuse a split one of whose parts has no sample of a weight above 0."""
    for what, rows in (("held out", held_out), ("left to train on", left)):
        if weights is not None and not weights[rows].any():
            raise ValueError(
                f"validation: sample_weight, times class_weight, is 0 for all {len(rows)} "
                f"samples that were {what}; give validation=(Xv, yv, weights)"
            )


def taken(samples: Samples, rows: Any) -> Samples:
    """Return copies of some rows."""
    X, labels, values, weights = samples
    return (
        _arrays.taken(X, rows),
        None if labels is None else labels[rows],
        None if values is None else values[rows],
        None if weights is None else weights[rows],
    )


def of_rows(samples: Samples, rows: NDArray[np.int64] | None) -> Samples:
    """Return the targets and weights of some rows, with the X of all: None takes all."""
    if rows is None:
        return samples
    X, *others = samples
    labels, values, weights = (None if array is None else array[rows] for array in others)
    return X, labels, values, weights  # type: ignore[return-value]


class ClassWeights:
    """A weight for each class, which multiplies the weights of its samples.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
    samples : Samples
        The training samples: "balanced" goes by how often each class is among them.
    outputs : int
    """

    def __init__(self, class_weight: Any, samples: Samples, outputs: int) -> None:
        self._table = None
        n_classes = max(2, outputs)
        if isinstance(class_weight, str):
            if class_weight != "balanced":
                raise unknown_name("class_weight", class_weight, ["balanced"])
            classes = _class_of_each(samples)
            counts = np.bincount(classes, minlength=n_classes)
            self._table = len(classes) / (np.count_nonzero(counts) * np.maximum(counts, 1))
        elif class_weight is not None:
            self._table = _class_weight_table(class_weight, n_classes)

    def weigh(self, samples: Samples) -> Samples:
        """Return samples with their classes' weights."""
        if self._table is None:
            return samples
        X, labels, values, weights = samples
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # said in words below
            factor = self._table[_class_of_each(samples)].astype(X.dtype)
            product = factor if weights is None else weights * factor
        _arrays.finite("class_weight times sample_weight", product)
        if not product.any():
            raise ValueError("class_weight must not leave a weight of 0 for every sample")
        return X, labels, values, product


def _class_of_each(samples: Samples) -> Any:
    _, labels, values, _ = samples
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
        position = _checks.integer("a label of class_weight", label, minimum=0)
        if position >= n_classes:
            raise ValueError(
                f"class_weight must name labels from 0 to {n_classes - 1}, not {position}"
            )
        table[position] = _checks.number(f"class_weight[{position}]", weight, minimum=0.0)
    return table
