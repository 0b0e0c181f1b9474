"""What differs between two trainings, as they are described; see `described`."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp.files.values import plain

# How many epochs there are is compared by itself: a training may go on for more.
_DATA = (
    "categories", "X", "y", "sample_weight or class_weight", "validation", "rows",
    "validation_rows",
)  # fmt: skip
_NAMES = ("feature_names", "feature_names_in_", "columns", "target")  # which data may come without
_LONGEST = 300  # of a value in a message


def digest_of(array: NDArray[Any]) -> str:
    """Return a digest of an array's values, dtype and shape."""
    found = hashlib.blake2b(f"{array.dtype.str}{array.shape}".encode(), digest_size=16)
    found.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return found.hexdigest()


def differences(now: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """Return what differs between two descriptions, but for the number of epochs.

    Data follow from options (what is held out, from the seed), and are told where those agree. A
    table and an array of the same numbers are the same data.
    """
    names = [name for name in (now | before) if now.get(name) != before.get(name)]
    names = [n for n in names if n not in _NAMES or None not in (now.get(n), before.get(n))]
    options = [name for name in names if name not in (*_DATA, "epochs")]
    if options:
        return [_difference(_named(name), now.get(name), before.get(name)) for name in options]
    return [f"{name} has other values" for name in names if name in _DATA]


def _difference(name: str, now: Any, before: Any) -> str:
    """Return how two values differ; of long lists of names, the first that do."""
    if _of_names(now) and _of_names(before) and len(now) == len(before):
        place = next(i for i, (a, b) in enumerate(zip(now, before, strict=True)) if a != b)
        name, now, before = f"{name}[{place}]", now[place], before[place]
    return f"{name} is {_shown(now)}, and was {_shown(before)}"


def _of_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def labels(values: NDArray[Any]) -> list[Any]:
    """Return names or classes as JSON has them."""
    return [v if isinstance(v, int | float | str) else str(v) for v in values.tolist()]


def parameters_of(estimator: Any, free: Collection[str]) -> dict[str, Any]:
    """Return an estimator's parameters as JSON has them, but for those that are free to change."""
    found = {}
    for name, value in estimator.get_params(deep=False).items():
        if name not in free:
            try:
                found[name] = plain(name, value)
            except ValueError:  # a function, or an object of the user's own
                found[name] = type(value).__qualname__
    return found


def _named(name: str) -> str:
    known = {"held_out": "validation"}.get(name, name)
    return known if known.isidentifier() else _shown(known)


def _shown(stored: Any) -> str:
    """Return a value as it is written in Python; a file may have been changed by somebody."""
    try:
        text = _python(stored)
    except (LookupError, TypeError, ValueError):
        text = repr(stored)
    text = text if text.isprintable() else ascii(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _python(stored: Any) -> str:
    if not isinstance(stored, dict):
        return _listed("[", stored, "]") if isinstance(stored, list) else repr(stored)
    if "tuple" in stored:
        return _listed("(", stored["tuple"], ")")
    if "list" in stored:
        return _listed("[", stored["list"], "]")
    if "dict" in stored:
        return "{" + ", ".join(f"{_python(k)}: {_python(v)}" for k, v in stored["dict"]) + "}"
    if "optimizer" in stored:
        return _call(stored["optimizer"], [("learning_rate", stored["rate"])], stored["fields"])
    if "class" in stored:
        return _call(stored["class"], [], stored["fields"])
    return "{" + ", ".join(f"{k!r}: {_python(v)}" for k, v in stored.items()) + "}"


def _listed(opened: str, values: list[Any], closed: str) -> str:
    return opened + ", ".join(map(_python, values)) + closed


def _call(name: str, first: list[Any], fields: dict[str, Any]) -> str:
    return f"{name}({', '.join(f'{k}={_python(v)}' for k, v in [*first, *fields['dict']])})"
