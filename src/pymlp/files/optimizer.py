"""A network with the optimiser that trains it, in one safetensors file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp.files import safetensors
from pymlp.files.safetensors import FileFormatError
from pymlp.files.stored import MALFORMED, from_zero, integer, optimizer_state, parsed, said
from pymlp.files.values import plain, restored
from pymlp.optimizers import LBFGS, Optimizer, check_object

__all__ = ["read", "write"]

_TEXT = "optimizer"


def write(path: str | os.PathLike[str], network: Any, optimizer: Optimizer | None) -> None:
    """Write a network's state and, where there is one, its optimiser's."""
    state = network.__getstate__()
    if optimizer is None:
        return safetensors.write(path, state, {})
    check_object(optimizer)
    optimizer.core_for(network, network.__trainee__().architecture)
    own = optimizer.__getstate__()
    text = {
        "rule": plain("optimizer", optimizer),
        "steps": own.get("steps", 0),
        "weight_sum": own.get("weight_sum", 0.0),
    }
    arrays = {_TEXT: own["state"]} if len(own.get("state", ())) else {}
    texts = {_TEXT: json.dumps(text, sort_keys=True)}
    return safetensors.write(path, state, texts, kept=arrays)


def read(
    path: str | os.PathLike[str],
    network: Any,
    texts: Mapping[str, str],
    kept: Mapping[str, NDArray[Any]],
) -> Optimizer:
    """Return the optimiser of a file that was read, which belongs to its network.

    Raises
    ------
    FileFormatError
        If the file has none.
    """
    if _TEXT not in texts:
        raise FileFormatError(
            f"'{path}' has no optimizer: net.save(path, optimizer=...) writes one; a checkpoint is "
            "gone on with by fit(..., checkpoint=path, resume=True)"
        )
    try:
        stored = parsed(texts[_TEXT])
        optimizer = restored(stored["rule"])
        if not isinstance(optimizer, Optimizer) or isinstance(optimizer, LBFGS):
            raise ValueError(f"{optimizer!r:.50} takes no steps of its own")
        core = optimizer.core_for(network, network.__trainee__().architecture)
        state = kept.get(_TEXT, np.zeros(0, core.state.dtype))
        if state.shape != core.state.shape:
            raise ValueError(f"its state must have {core.state.size} numbers, not {state.shape}")
        core.state[:] = optimizer_state(state, core.state.dtype)
        core.steps = integer("steps", stored["steps"], below=2**62)
        core.weight_sum = from_zero("weight_sum", stored["weight_sum"])
    except MALFORMED as error:
        raise FileFormatError(f"'{path}' does not hold an optimizer: {said(error)}") from None
    optimizer.belong_to(network)
    return optimizer
