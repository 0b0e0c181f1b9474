"""The samples of every member of a stack: those that all share, its own, or its rows of the former.

Whatever is wrong with a member's own is refused with the member's name.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from pymlp import _arrays, _checks
from pymlp.architecture import Architecture
from pymlp.training import samples
from pymlp.training.options import FitOptions
from pymlp.training.samples import Samples

Rows = NDArray[np.int64]
_T = TypeVar("_T")


class MemberSamples(NamedTuple):
    """What a member is trained on and validated with.

    Attributes
    ----------
    training, validation : Samples
        Checked, weighted by class; `validation` may be None.
    rows, validation_rows : ndarray of int64, or None
        Which of them are meant; None: all.
    held_out : int
        How many of the rows are yet to be held out.
    """

    training: Samples
    validation: Samples | None = None
    rows: Rows | None = None
    validation_rows: Rows | None = None
    held_out: int = 0

    @property
    def n(self) -> int:
        """How many samples are trained on, or held out of these."""
        return len(self.training[0] if self.rows is None else self.rows)

    def split(self, seed: int) -> MemberSamples:
        """Return the same with rows held out, which are drawn as `Network.fit` draws them."""
        if self.held_out == 0:
            return self
        order = samples.split_order(self.n, seed)
        order = order if self.rows is None else self.rows[order]
        held_out, left = order[: self.held_out], order[self.held_out :]
        samples.check_weights(self.training[3], held_out, left)
        return MemberSamples(self.training, self.training, left, held_out)

    def copied(self) -> MemberSamples:
        """Return copies of the rows that are meant, in place of their numbers."""
        validation = self.validation
        if validation is not None and self.validation_rows is not None:
            validation = samples.taken(validation, self.validation_rows)
        training = self.training if self.rows is None else samples.taken(self.training, self.rows)
        return MemberSamples(training, validation)


def name(member: int) -> str:
    """Return what a member is called."""
    return f"networks[{member}]"


@contextlib.contextmanager
def naming(member: int) -> Iterator[None]:
    """Let errors of type and value tell which member they are about."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name(member)}: {error}") from None


def of_members(
    count: int,
    X: Any,
    y: Any,
    rows: Any,
    validation_rows: Any,
    options: FitOptions,
    architecture: Architecture,
) -> list[MemberSamples]:
    """Return the samples of each of `count` members."""
    own_X = own_matrices("X", X, count)
    if own_X is not None and (rows is not None or validation_rows is not None):
        which = "rows" if rows is not None else "validation_rows"
        raise ValueError(f"{which} needs one X (m, n_in) that all networks share, not one for each")
    if own_X is None:  # looked at once for all
        X = architecture.rows("X", X)
        _arrays.finite("X", X, architecture.feature_names)
    own_y = own_targets(y, count, X if own_X is None else own_X[0], architecture)
    weights = own_weights(options.sample_weight, count)

    def check(X: Any, y: Any, weight: Any) -> Samples:
        found = samples.checked(X, y, weight, options.loss, architecture)
        return found if own_X is None else samples.finite(found, architecture.feature_names)

    given = (X, own_X), (y, own_y), (options.sample_weight, weights)
    checked = _checked_by_member(count, check, *given)
    rows_of = _row_numbers("rows", rows, count, checked[0])
    validation_of = _validation(count, checked, validation_rows, options, architecture)
    found = []
    for i, training in enumerate(checked):
        with naming(i):
            found.append(_member(training, rows_of[i], validation_of[i], options, architecture))
    return found


# ---- one for all, or one for each ----------------------------------------------------------------


def _shape(values: Any) -> tuple[int, ...]:
    return tuple(getattr(values, "shape", ()))


def _sequence(name: str, values: Any, count: int) -> list[Any]:
    if len(values) != count:
        raise ValueError(f"{name} must be one for each of the {count} networks, not {len(values)}")
    return list(values)


def own_matrices(name: str, X: Any, count: int) -> list[Any] | None:
    """Return the X of each network; None where all share one."""
    listed = isinstance(X, list | tuple) and len(X) > 0
    if listed and all(len(_shape(x)) == 2 for x in X):
        return _sequence(name, X, count)
    if listed and np.ndim(X[0]) == 2:  # lists of lists of lists
        X = _arrays.numbers(name, X)
    return _sequence(name, X, count) if len(_shape(X)) == 3 else None


def own_targets(y: Any, count: int, X: Any, architecture: Architecture) -> list[Any] | None:
    """Return the targets of each network; None where all share them."""
    if isinstance(y, list | tuple) and len(y) > 0 and all(len(_shape(t)) > 0 for t in y):
        return _sequence("y", y, count)
    if isinstance(y, list | tuple):
        y = _arrays.numbers("y", y)
    shape, m = _shape(y), len(X)
    if len(shape) == 3:
        return _sequence("y", y, count)
    if len(shape) != 2 or shape == (m, architecture.widths[-1]) != (count, m):
        return None
    if shape == (m, architecture.widths[-1]):
        raise ValueError(
            f"y of shape {shape} may be one for all networks or a row for each; give a list"
        )
    return _sequence("y", y, count) if shape == (count, m) else None


def own_weights(weights: Any, count: int) -> list[Any] | None:
    """Return the sample weights of each network; None where all share them."""
    listed = isinstance(weights, list | tuple) and len(weights) > 0
    if listed and all(w is None or len(_shape(w)) > 0 for w in weights):
        return _sequence("sample_weight", weights, count)
    if listed and np.ndim(weights[0]) == 1:
        weights = _arrays.numbers("sample_weight", weights)
    return _sequence("sample_weight", weights, count) if len(_shape(weights)) == 2 else None


def _checked_by_member(
    count: int,
    check: Callable[..., _T],
    *given: tuple[Any, list[Any] | None],
) -> list[_T]:
    """Return what `check` makes of the arguments of each member: of what all share, once."""
    if all(own is None for _, own in given):
        return [check(*(shared for shared, _ in given))] * count
    found = []
    for i in range(count):
        with naming(i):
            found.append(check(*(shared if own is None else own[i] for shared, own in given)))
    return found


# ---- rows ----------------------------------------------------------------------------------------


def _row_numbers(name: str, rows: Any, count: int, samples: Samples) -> list[Rows | None]:
    """Return the row numbers of each network, None where it has all rows."""
    if rows is None:
        return [None] * count
    if isinstance(rows, str) or not isinstance(rows, Sequence | np.ndarray):
        came = _checks.type_name(rows)
        raise TypeError(f"{name} must be an array of row numbers for each network, not {came}")
    m = len(samples[0])
    return [_numbers(f"{name}[{i}]", r, m) for i, r in enumerate(_sequence(name, rows, count))]


def _numbers(name: str, rows: Any, m: int) -> Rows:
    array = np.asarray(rows)
    if array.ndim != 1:
        raise ValueError(f"{name} must be a vector of row numbers, not of {array.ndim} dimensions")
    if array.dtype == bool:
        if len(array) != m:
            raise ValueError(f"{name} must say True or False of {m} rows, not {len(array)}")
        array = np.flatnonzero(array)
    if len(array) == 0:
        raise ValueError(f"{name} must have at least 1 row, not 0")
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must hold row numbers, not dtype {array.dtype}")
    _arrays.refuse_outside(name, array, 0, m - 1, f"{name} must be from 0 to {m - 1}")
    return np.require(array, np.int64, ["C", "A"])


# ---- validation ----------------------------------------------------------------------------------


def _validation(
    count: int,
    checked: list[Samples],
    validation_rows: Any,
    options: FitOptions,
    architecture: Architecture,
) -> list[tuple[Samples | None, Rows | None]]:
    """Return validation samples and their rows, of each member."""
    given = options.validation
    if validation_rows is not None:
        if given is not None:
            raise ValueError("validation and validation_rows do not go together")
        rows = _row_numbers("validation_rows", validation_rows, count, checked[0])
        return list(zip(checked, rows, strict=True))
    if not isinstance(given, tuple | list):
        return [(None, None)] * count

    def check(given: Any) -> Samples:
        with samples.as_validation():
            return samples.validation(given, options, architecture)

    own = isinstance(given, list) and all(isinstance(one, tuple) for one in given)
    every = _sequence("validation", given, count) if own else None
    return [(found, None) for found in _checked_by_member(count, check, (given, every))]


# ---- a member ------------------------------------------------------------------------------------


def _member(
    training: Samples,
    rows: Rows | None,
    validation: tuple[Samples | None, Rows | None],
    options: FitOptions,
    architecture: Architecture,
) -> MemberSamples:
    held, held_rows = validation
    if options.class_weight is not None:
        counted = samples.of_rows(training, rows)
        classes = samples.ClassWeights(options.class_weight, counted, architecture.widths[-1])
        training = classes.weigh(training)
        with samples.as_validation():
            held = None if held is None else classes.weigh(held)
    for what, given, numbers in (("rows", training, rows), ("validation_rows", held, held_rows)):
        weights = None if given is None or numbers is None else given[3]
        if weights is not None and not weights[numbers].any():
            raise ValueError(f"sample_weight must not be 0 for every one of its {what}")
    found = MemberSamples(training, held, rows, held_rows)
    share = options.validation
    if share is None or held is not None:
        return found
    return found._replace(held_out=samples.held_out_share(share, found.n))
