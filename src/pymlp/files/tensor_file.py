"""A safetensors file's parts: its metadata and its tensors, or why it is none.

The file is read once, whole, and only then looked at: what others do to it meanwhile does not
matter. No memory is taken for what the file merely claims.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp.files.stored import integer, parsed

__all__ = ["Parts", "read_parts"]

Parts = tuple[dict[str, str], dict[str, NDArray[Any]]]

_LARGEST = 100_000_000  # bytes of a header, as the format says
_MOST_AXES = 8
_DTYPES: dict[Any, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8")}


def read_parts(path: str | os.PathLike[str]) -> Parts:
    """Return the metadata and the tensors of a file; these are read-only.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is no safetensors file.
    """
    if Path(path).is_dir():
        raise IsADirectoryError(f"'{path}' is a folder, not a model file")
    if not Path(path).exists():
        raise FileNotFoundError(f"there is no file '{path}'")
    if not Path(path).is_file():
        raise ValueError("it is a device or a pipe")  # which may have no end
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(size)
    if len(data) < max(size, 8):
        raise ValueError(f"it ends after {len(data)} bytes")
    n = int.from_bytes(data[:8], "little")
    if n > min(len(data) - 8, _LARGEST):
        raise ValueError(f"it has {len(data)} bytes, and its header would have {n}")
    header = parsed(str(memoryview(data)[8 : 8 + n], "utf-8"))
    metadata = header.pop("__metadata__", None) or {}
    if any(not isinstance(text, str) for text in metadata.values()):
        raise ValueError("its metadata must be texts")
    return metadata, _tensors(header, memoryview(data)[8 + n :])


def _tensors(header: Mapping[str, Any], data: memoryview) -> dict[str, NDArray[Any]]:
    """Return the tensors, which follow each other without a gap up to the end."""
    tensors, end = {}, 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        if len(entry["shape"]) > _MOST_AXES:
            raise ValueError(f"{name} has {len(entry['shape'])} axes")
        first, last = (integer(f"{name}'s offset", v, below=2**63) for v in entry["data_offsets"])
        dtype = _DTYPES.get(entry["dtype"])
        if dtype is None:
            raise ValueError(f"{name} must be of type F32 or F64, not {entry['dtype']!r:.50}")
        shape = tuple(integer(f"{name}'s shape", width, below=2**63) for width in entry["shape"])
        if first != end or last != first + math.prod(shape) * dtype.itemsize:
            raise ValueError(f"{name} of shape {shape} is not the bytes from {first} to {last}")
        if last > len(data):
            raise ValueError(f"{name} would end at {last}, but there are {len(data)} bytes")
        end = last
        tensors[name] = np.frombuffer(data[first:last], dtype).reshape(shape)
    if end != len(data):
        raise ValueError(f"its tensors end at {end}, and {len(data)} bytes are there")
    return tensors
