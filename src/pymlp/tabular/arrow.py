"""Arrays of pyarrow from and to other ones.

Its own `to_numpy`, `array` and `scalar` import pandas where that is installed, which takes half a
second and swallows a Ctrl-C meanwhile.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["array_of", "texts_of"]


def array_of(values: Any, dtype: DTypeLike, missing: Any) -> NDArray[Any]:
    """Return an array of pyarrow, in chunks or not, whose values are of this dtype, as a copy.

    Parameters
    ----------
    values : pyarrow.Array or pyarrow.ChunkedArray
        Of numbers, or of times as integers.
    dtype : dtype
        That of the values in memory.
    missing : number or time
        What stands for those that are missing.
    """
    result = np.empty(len(values), dtype)
    start = 0
    for chunk in getattr(values, "chunks", [values]):
        end, first, last = start + len(chunk), chunk.offset, chunk.offset + len(chunk)
        present, data = chunk.buffers()
        if data is not None:
            result[start:end] = np.frombuffer(data, dtype, last)[first:]
        if chunk.null_count == len(chunk):
            result[start:end] = missing
        elif chunk.null_count:
            bits = np.unpackbits(np.frombuffer(present, np.uint8), bitorder="little")
            result[start:end][bits[first:last] == 0] = missing
        start = end
    return result


def texts_of(texts: Sequence[str]) -> Any:
    """Return texts as an array of pyarrow, of the type large_string."""
    arrow = importlib.import_module("pyarrow")
    data = [text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, data)], dtype=np.int64)
    buffers = [None, arrow.py_buffer(ends.tobytes()), arrow.py_buffer(b"".join(data))]
    return arrow.Array.from_buffers(arrow.large_string(), len(data), buffers)
