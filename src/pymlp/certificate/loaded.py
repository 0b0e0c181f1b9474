"""Whether the compiled modules on disk are those that are loaded.

A file that is replaced after the import leaves the process with the old one.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from pymlp.certificate import kernels
from pymlp.certificate.processes import NotRunError

MAPS = Path("/proc/self/maps")
_DELETED = b" (deleted)"


def files() -> list[str]:
    """Return the files of the compiled modules."""
    return [os.path.realpath(str(module.__file__)) for module in kernels.COMPILED]


def is_replaced(path: str) -> bool:
    """Return whether another file than the one at a path is mapped.

    The file is mapped once more: what a system calls one file is the same then for both.
    """
    if not _mapped(path):
        raise NotRunError("this system does not tell which files are loaded")
    try:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ):
            return len(_mapped(path)) > 1
    except (OSError, ValueError):  # gone, or empty
        return True


def _mapped(path: str) -> set[tuple[bytes, bytes]]:
    """Return device and inode of each file that is mapped and was found at a path."""
    try:
        lines = MAPS.read_bytes().splitlines()
    except OSError:
        raise NotRunError("this system does not tell which files are loaded") from None
    mappings = [line.split(maxsplit=5) for line in lines]
    return {
        (fields[3], fields[4])  # behind addresses, permissions and offset
        for fields in mappings
        if len(fields) == 6 and fields[5].removesuffix(_DELETED) == os.fsencode(path)
    }
