"""A safetensors file's parts: its metadata and its tensors, or why it is none.

The format is written here and not by its library, whose compiled code ends the process where Python
ends a daemon thread in it. Metadata have a checksum, of themselves and of the tensors, by which
`read_parts` tells damage; files of other writers have none.

It is read once, the tensors after all that the header says of them is known to be so: what others
do to it meanwhile does not matter, and no memory is taken for what the file merely claims.
"""

from __future__ import annotations

import json
import math
import os
import stat
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pymlp.files.stored import integer, parsed

__all__ = ["Parts", "packed", "read_parts"]

Parts = tuple[dict[str, str], dict[str, NDArray[Any]]]

_LARGEST = 10_000_000  # bytes of a header beyond those of the tensors
_MOST_AXES = 8
_DTYPES: dict[Any, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8")}
_CHECKSUM = "crc32"


def packed(metadata: Mapping[str, str], tensors: Mapping[str, NDArray[Any]]) -> bytes:
    """Return the bytes of a file: in the order of the format's library, the wider types first."""
    names = sorted(tensors, key=lambda name: (-tensors[name].itemsize, name))
    stored = [_little_endian(tensors[name]) for name in names]
    entries: dict[str, Any] = {}
    first = 0
    for name, buffer in zip(names, stored, strict=True):
        entries[name] = {
            "dtype": f"F{8 * tensors[name].itemsize}",
            "shape": list(tensors[name].shape),
            "data_offsets": [first, first + len(buffer)],
        }
        first += len(buffer)
    checked = dict(metadata) | {_CHECKSUM: _checksum(metadata, entries, stored)}
    header = {"__metadata__": checked, **entries}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *stored])


def _little_endian(tensor: NDArray[Any]) -> memoryview:
    stored = np.ascontiguousarray(tensor, tensor.dtype.newbyteorder("<"))
    return stored.reshape(-1).view(np.uint8).data


def _checksum(
    metadata: Mapping[str, str], entries: Mapping[str, Any], buffers: Iterable[bytes | memoryview]
) -> str:
    found = zlib.crc32(json.dumps([dict(metadata), dict(entries)], sort_keys=True).encode())
    for buffer in buffers:
        found = zlib.crc32(buffer, found)
    return f"{found:08x}"


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
    with open(path, "rb", opener=_open_at_once) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("it is a device or a pipe")  # which may have no end
        header = _header(file, found.st_size)
        metadata = header.pop("__metadata__", None) or {}
        if any(not isinstance(text, str) for text in metadata.values()):
            raise ValueError("its metadata must be texts")
        places = _places(header, found.st_size - file.tell())
        data = file.read()
    if places and len(data) != places[-1].last:
        raise ValueError(f"it was changed meanwhile: {len(data)} bytes are there")
    said = metadata.pop(_CHECKSUM, None)
    if said is not None and said != _checksum(metadata, header, [data]):
        raise ValueError(
            f"it is damaged: its checksum is not {said!r:.50}; who changes a file on purpose takes "
            f"'{_CHECKSUM}' out of its metadata"
        )
    return metadata, {place.name: _tensor(place, data) for place in places}


def _open_at_once(path: str, flags: int) -> int:
    """Open a file without waiting for another end of a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _header(file: BinaryIO, size: int) -> dict[str, Any]:
    first = file.read(8)
    if len(first) < 8:
        raise ValueError(f"it ends after {len(first)} bytes")
    n = int.from_bytes(first, "little")
    if n > size - 8:
        raise ValueError(f"it has {size} bytes, and its header would have {n}")
    # JSON takes many times its own length of memory.
    if n > _LARGEST + (size - 8 - n):
        raise ValueError(f"its header of {n} bytes is out of all proportion to its tensors")
    return parsed(str(file.read(n), "utf-8"))


class _Place(NamedTuple):
    """Where a tensor is."""

    name: str
    first: int
    last: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]


def _places(header: Mapping[str, Any], size: int) -> list[_Place]:
    """Return where the tensors are, which follow each other without a gap up to the end."""
    places, end = [], 0
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
        if last > size:
            raise ValueError(f"{name} would end at {last}, but there are {size} bytes")
        end = last
        places.append(_Place(name, first, last, dtype, shape))
    if end != size:
        raise ValueError(f"its tensors end at {end}, and {size} bytes are there")
    return places


def _tensor(place: _Place, data: bytes) -> NDArray[Any]:
    found = np.frombuffer(memoryview(data)[place.first : place.last], place.dtype)
    if not found.flags.aligned:  # a float64 behind a float32
        found = found.copy()
        found.flags.writeable = False
    return found.reshape(place.shape)
