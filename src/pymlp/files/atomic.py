"""Files that appear whole or not at all, and outlast a loss of power."""

from __future__ import annotations

import contextlib
import glob
import os
import re
import stat
import threading
import time
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

__all__ = ["is_special", "own_part", "part_name", "remove_parts", "replace_file"]

_LONGEST = 200  # bytes of a name: the name of a part is up to 50 longer
_ABANDONED = 86_400.0  # seconds after which nobody writes any more, whoever it was


def replace_file(path: Path, data: bytes) -> None:
    """Write a file beside another one, and put it in its place; a link stays one.

    A device or a pipe is written to.
    """
    path = Path(os.path.realpath(path))
    if is_special(path):
        path.write_bytes(data)
        return
    # Threads may save to one path at the same time, and so may processes.
    part = own_part(path)
    try:
        with _new_file(part, path) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
        _keep_names(path.parent)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:  # the user knows no part
            raise type(error)(error.errno, error.strerror, str(path)) from None
        raise


def _new_file(part: Path, path: Path) -> BinaryIO:
    """Open a file that was not there, whose permissions are those of the one that it replaces."""
    part.unlink(missing_ok=True)  # of a process of this number that was killed, or a link
    file = part.open("xb")
    with contextlib.suppress(OSError):  # there is none, or a file system has no permissions
        part.chmod(stat.S_IMODE(path.stat().st_mode))
    return file


def remove_parts(path: Path) -> None:
    """Remove what was left of writing a file that nobody writes any more."""
    stem = _part_stem(path)
    for part in path.parent.glob(f"{glob.escape(stem)}.*.part"):
        found = re.fullmatch(r"\.([0-9a-f]{8})\.(\d+)\.\d+\.part", part.name.removeprefix(stem))
        if found is None:  # of a longer name
            continue
        is_own = found[1] == _host()
        if not _is_alive(int(found[2])) if is_own else _is_old(part):
            part.unlink(missing_ok=True)


def own_part(path: Path) -> Path:
    """Return where the thread that calls writes a file before it takes its place."""
    return path.with_name(part_name(path, os.getpid(), threading.get_ident()))


def part_name(path: Path, process: int, thread: int) -> str:
    """Return the name that a thread writes a file by: disks may be shared by machines."""
    return f"{_part_stem(path)}.{_host()}.{process}.{thread}.part"


def _host() -> str:
    import platform  # a tenth of the time of importing this package

    return blake2b(os.fsencode(platform.node()), digest_size=4).hexdigest()


def _is_old(part: Path) -> bool:
    """Tell whether a part was not written to for so long that its process, elsewhere, has gone."""
    try:
        return time.time() - part.stat().st_mtime > _ABANDONED
    except OSError:  # it went meanwhile
        return False


def _is_alive(process: int) -> bool:
    """Tell whether there is such a process, which may be writing."""
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


def _part_stem(path: Path) -> str:
    """Return what the name of a file's parts begins with, where a long name leaves no space."""
    name = os.fsencode(path.name)
    return f".{path.name}" if len(name) <= _LONGEST else f".{blake2b(name).hexdigest()}"


def _keep_names(folder: Path) -> None:
    """Let a new name in a folder outlast a loss of power, where the system can be asked to."""
    with contextlib.suppress(OSError):  # some file systems have no such call for folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def is_special(path: Path) -> bool:
    """Tell whether it is a device or a pipe, which is written to, where files are replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()
