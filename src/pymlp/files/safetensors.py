"""One safetensors file holds a network, or a stack, and texts that the caller keeps with it.

Tensors are ``layers.0.weights``, ``layers.0.biases``, ...; one metadata entry, ``pymlp``, is JSON
with the format's version, the network's architecture and seeds, and the caller's texts. A network
is here the state that pickles have too: see `pymlp.Network.__getstate__`. A stack is a list of
these, of one architecture: each tensor has all networks along its first axis, and ``members`` has
what else they have of their own. Tensors that begin with ``kept.`` are none of a network's: the
state of an optimiser, what a training goes on from.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pymlp._arrays import FloatArray, converted, finite
from pymlp.architecture import Architecture
from pymlp.files.atomic import replace_file
from pymlp.files.stored import MALFORMED, integer, parsed, said
from pymlp.files.tensor_file import packed, read_parts
from pymlp.layers import check_state

__all__ = ["FileFormatError"]

# The first readers take what they do not know for absent: a network without its residuals.
FORMAT_VERSIONS = (1, 2, 3, 4)
_OF_STACKS = 3
_OF_KEPT_TENSORS = 4
_KEPT = "kept."
_OWN = {"seed": 2**64, "fits": 2**63}  # of each network in a stack, and what they are below

State: TypeAlias = Mapping[str, Any]


class FileFormatError(ValueError):
    """A file is not what it should be: cut short, of another kind, or of a later version."""


def write(
    path: str | os.PathLike[str],
    state: State | Sequence[State],
    texts: Mapping[str, str],
    *,
    first_version: int = 1,
    kept: Mapping[str, NDArray[Any]] | None = None,
) -> None:
    """Write a network's state, or those of a stack, texts and arrays by name, to one file.

    The file appears whole or not at all, and stays if the machine loses power afterwards.
    `first_version` is the first format whose readers know what the texts mean.
    """
    stacked = not isinstance(state, Mapping)
    states = [state] if isinstance(state, Mapping) else state
    first, architecture = states[0], Architecture.from_dict(states[0])
    if any(name == "custom" for name, _ in first["activations"]):
        raise ValueError(
            "a network with a user function as its activation cannot be written to a file, which "
            "holds no functions; pickle it instead"
        )
    left_out = ("parameters", "attributes", *(_OWN if stacked else ()))
    version = max(_OF_STACKS if stacked else 1, _OF_KEPT_TENSORS if kept is not None else 1)
    header = {
        "format_version": max(first_version, version, _version(architecture)),
        "network": {name: value for name, value in first.items() if name not in left_out},
        "metadata": dict(texts),
    }
    if stacked:
        header["members"] = [{name: one[name] for name in _OWN} for one in states]
        arenas = np.stack([one["parameters"] for one in states])
    else:
        arenas = first["parameters"]
    tensors = _tensors(architecture, arenas) | {
        _KEPT + name: np.ascontiguousarray(array) for name, array in (kept or {}).items()
    }
    text = json.dumps(header, sort_keys=True)
    replace_file(Path(path), packed({"pymlp": text}, tensors))


def _version(architecture: Architecture) -> int:
    """Return the first version whose readers know all that the network is."""
    return 2 if architecture.has_added_fields else 1


def _tensors(architecture: Architecture, arenas: FloatArray) -> dict[str, FloatArray]:
    """Return the tensors of an arena, or of several arenas (k, n), by their names in a file."""
    tensors = {
        tensor.name: np.ascontiguousarray(arenas[..., tensor.first : tensor.end]).reshape(
            *arenas.shape[:-1], *tensor.shape
        )
        for tensor in architecture.arena
    }
    # A file with others could not be read.
    return {name: finite(name, tensor) for name, tensor in tensors.items()}


Read: TypeAlias = tuple[
    dict[str, Any] | list[dict[str, Any]], dict[str, str], dict[str, NDArray[Any]]
]


def read(path: str | os.PathLike[str]) -> Read:
    """Return a network's state, or a list of a stack's, and the texts and arrays kept with it.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file.
    FileFormatError
        If it is cut short, or is not a network of pymlp.
    """
    path = Path(path)
    try:
        metadata, tensors = read_parts(path)
    except MALFORMED as error:
        reason = f"'{path}' is cut short or not a safetensors file: {said(error)}"
        raise FileFormatError(reason) from None
    try:
        header = parsed(metadata.pop("pymlp"))
        if metadata:  # which a damaged name of the checksum would be, too
            raise ValueError(f"this pymlp does not know its metadata {min(metadata)!r:.50}")
        names = [name for name in tensors if name.startswith(_KEPT)]
        kept = {name.removeprefix(_KEPT): tensors.pop(name) for name in names}
        return _state(header, tensors), _texts(header["metadata"]), kept
    except MALFORMED as error:
        raise FileFormatError(f"'{path}' does not hold a pymlp network: {said(error)}") from None


def _texts(stored: dict[Any, Any]) -> dict[str, str]:
    if wrong := [name for name, text in stored.items() if not isinstance(text, str)]:
        raise ValueError(f"its {', '.join(wrong)} must be text")
    return dict(stored)


def _state(
    header: dict[str, Any], tensors: dict[str, FloatArray]
) -> dict[str, Any] | list[dict[str, Any]]:
    if header["format_version"] not in FORMAT_VERSIONS:
        raise ValueError(
            f"its format version is {header['format_version']}; this pymlp reads 1 to 4"
        )
    fields, members = header["network"], header.get("members")
    if unknown := sorted(fields.keys() - Architecture.FIELDS - set(_OWN)):
        raise ValueError(f"this pymlp does not know its {', '.join(unknown)}")
    architecture = Architecture.from_dict(fields)
    if members is None:
        arena = _arenas(architecture, tensors, ())
        return architecture.to_dict() | _own(fields) | {"parameters": arena}
    if not isinstance(members, list) or not members:
        raise ValueError("its members must be a list")
    arenas = _arenas(architecture, tensors, (len(members),))
    return [
        architecture.to_dict() | _own(member) | {"parameters": arena}
        for member, arena in zip(members, arenas, strict=True)
    ]


def _own(stored: dict[str, Any]) -> dict[str, int]:
    return {name: integer(name, stored[name], below=end) for name, end in _OWN.items()}


def _arenas(
    architecture: Architecture, tensors: dict[str, FloatArray], stacked: tuple[int, ...]
) -> FloatArray:
    """Return the arena that tensors make up, or (k, n) of as many as are stacked."""
    missing = [tensor.name for tensor in architecture.arena if tensor.name not in tensors]
    if missing:
        raise ValueError(f"it lacks {', '.join(missing)}")
    size = architecture.arena[-1].end * math.prod(stacked)
    too_many = len(tensors) > len(architecture.arena)
    if too_many or sum(tensor.size for tensor in tensors.values()) != size:
        raise ValueError(f"its tensors do not have the {size} parameters of its layers")
    arenas = np.empty((*stacked, architecture.arena[-1].end), architecture.dtype)
    for place in architecture.arena:
        tensor, shape = tensors[place.name], (*stacked, *place.shape)
        if tensor.shape != shape or tensor.dtype != arenas.dtype:
            raise ValueError(
                f"{place.name} must be {arenas.dtype} {shape}, not {tensor.dtype} {tensor.shape}"
            )
        check_state(place.name, finite(place.name, converted(tensor, arenas.dtype)))
        arenas[..., place.first : place.end] = tensor.reshape(*stacked, -1)
    return arenas
