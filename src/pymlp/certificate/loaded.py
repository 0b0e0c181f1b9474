"""Whether the compiled modules on disk are those that are loaded.

A file that is replaced after the import leaves the process with the old one.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from pymlp import _core
from pymlp.certificate import kernels
from pymlp.certificate.processes import NotRunError

MAPS = Path("/proc/self/maps")
_DELETED = b" (deleted)"


def files() -> list[str]:
    """Return the files of the compiled modules."""
    modules = [_core] if kernels.LEFT_OUT or kernels.BROKEN else [_core, kernels._core_test]
    return [os.path.realpath(str(module.__file__)) for module in modules]


def is_replaced(path: str) -> bool:
    """Return whether another file than the one at a path is mapped as code.

    The file is mapped once more: what a system calls one file is the same then for both.
    """
    before = _mapped(path)
    code = {file for file, permissions in before if "x" in permissions}
    if not code:
        raise NotRunError("this system does not tell which files are loaded")
    try:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ):
            now = {file for file, _ in _mapped(path)}
    except (OSError, ValueError):  # gone, or empty
        return True
    return len(now) > 1


def _mapped(path: str) -> list[tuple[str, str]]:
    """Return device and inode, and permissions, of each mapping of a path."""
    try:
        lines = MAPS.read_bytes().splitlines()
    except OSError:
        raise NotRunError("this system does not tell which files are loaded") from None
    found = []
    for line in lines:  # address, permissions, offset, device, inode, path
        fields = line.split(maxsplit=5)
        if len(fields) == 6 and fields[5].removesuffix(_DELETED) == os.fsencode(path):
            found.append((b"%b %b" % (fields[3], fields[4]), fields[1]))
    return [(file.decode(), permissions.decode()) for file, permissions in found]
