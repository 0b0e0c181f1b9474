"""What differs between two trainings, as they are described; see `described`."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp.files.values import plain

# How many epochs there are is compared by itself: a training may go on for more.
_DATA = ("X", "y", "sample_weight or class_weight", "validation", "rows", "validation_rows")
_LONGEST = 300  # of a value in a message


def digest_of(array: NDArray[Any]) -> str:
    """Return a digest of an array's values, dtype and shape."""
    found = hashlib.blake2b(f"{array.dtype.str}{array.shape}".encode(), digest_size=16)
    found.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return found.hexdigest()


def differences(now: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """Return what differs between two descriptions, but for the number of epochs.

    Data follow from options (what is held out, from the seed), and are told where those agree.
    """
    names = [name for name in (now | before) if now.get(name) != before.get(name)]
    options = [name for name in names if name not in (*_DATA, "epochs")]
    if options:
        return [
            f"{name if name in now else _short(name)} is {_shown(now.get(name))}, and was "
            f"{_shown(before.get(name))}"
            for name in options
        ]
    return [f"{name} has other values" for name in names if name in _DATA]


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


def _shown(value: Any) -> str:
    # A file may have been changed by somebody.
    with contextlib.suppress(LookupError, TypeError, ValueError):
        if isinstance(value, dict) and "optimizer" in value:
            fields = {"learning_rate": value["rate"], **dict(value["fields"]["dict"])}
            text = f"{value['optimizer']}({', '.join(f'{k}={v}' for k, v in fields.items())})"
            return text if text.isprintable() else ascii(text)
    return _short(value)


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
