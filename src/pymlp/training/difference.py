"""What differs between two trainings, as they are described; see `described`."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

# How many epochs there are is compared by itself: a training may go on for more.
_DATA = ("X", "y", "sample_weight or class_weight", "validation", "rows", "validation_rows")


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
            f"{name} is {_shown(now, name)}, and was {_shown(before, name)}" for name in options
        ]
    return [f"{name} has other values" for name in names if name in _DATA]


def _shown(description: dict[str, Any], name: str) -> str:
    value = description.get(name)
    if isinstance(value, dict) and "optimizer" in value:
        fields = {"learning_rate": value["rate"], **dict(value["fields"]["dict"])}
        return f"{value['optimizer']}({', '.join(f'{k}={v}' for k, v in fields.items())})"
    return json.dumps(value)
