"""What the command line says about files and columns."""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pymlp._registry import nearest
from pymlp.files.atomic import is_special, own_part
from pymlp.tabular.columns import Columns
from pymlp.tabular.kinds import shown
from pymlp.tabular.reading import FileOptions

_ENDINGS = (".gz", ".csv", ".tsv", ".txt", ".parquet", ".xlsx", ".xls", ".ods")


def file_options(arguments: argparse.Namespace) -> FileOptions:
    """Return how a command line says that a file is to be read."""
    names = ("delimiter", "header", "encoding", "decimal", "sheet")
    return FileOptions(**{name: getattr(arguments, name) for name in names})


def chosen(columns: Columns, texts: Sequence[str]) -> list[str]:
    """Return the names of the columns that options list, by names or positions.

    Raises
    ------
    ValueError
        Where some are not there; all are named.
    """
    parts = [[text] if text in columns else text.split(",") for text in texts]
    words = [word.strip() for part in parts for word in part]
    found = {word: _name(columns, word) for word in words}
    unknown = [word for word, name in found.items() if name is None]
    if unknown:
        raise unknown_columns(columns, unknown)
    return list(dict.fromkeys(name for name in found.values() if name is not None))


def column_named(columns: Columns, text: str) -> str:
    """Return the name of one column, by its name or position."""
    name = _name(columns, text)
    if name is None:
        raise unknown_columns(columns, [text])
    return name


def unknown_columns(columns: Columns, names: Sequence[str]) -> ValueError:
    """Return the error for columns that are not there."""
    near = nearest(names[0], columns.names)
    hint = f"did you mean {near!r}?" if near else f"it has {shown(columns.names)}"
    return ValueError(f"{columns.source} has no column {shown(names)}; {hint}")


def _name(columns: Columns, text: str) -> str | None:
    if text in columns:
        return text
    try:
        return columns.names[int(text)]
    except (ValueError, IndexError):
        return None


def model_path(arguments: argparse.Namespace, checkpoint: Path | None) -> Path:
    """Return where the model goes: a name that is free, or that may be written over.

    Raises
    ------
    OSError
        Where the file that is named exists, or could not be written.
    """
    used = [arguments.data] if checkpoint is None else [arguments.data, checkpoint]
    if arguments.out is not None:
        return writable(arguments.out, *used, force=arguments.force)
    name = "model" if arguments.data == "-" else Path(arguments.data).name
    while name.lower().endswith(_ENDINGS):
        name = name[: name.rindex(".")]
    name, number = name or "model", 1
    path = Path(f"{name}.safetensors")
    while path.exists():
        number += 1
        path = Path(f"{name}-{number}.safetensors")
    return writable(path, *used, force=True)


def writable(path: Path, *used: str | Path, force: bool) -> Path:
    """Return a path, if a file can be written there; one that exists only with force.

    Files that the same command uses are never written over. Devices and pipes exist to be written
    to.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", str(path.parent))
    if is_special(path):
        return path
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise PermissionError(errno.EACCES, "cannot be written to", str(path))
    same = [other for other in map(Path, used) if path.resolve() == other.resolve()]
    if same:
        raise FileExistsError(errno.EEXIST, "is in use by this command itself", str(path))
    if path.exists() and not force:
        raise FileExistsError(errno.EEXIST, "exists already; --force replaces it", str(path))
    return path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a name to write to, which takes the place of a file when all went well."""
    if is_special(path):
        yield path
        return
    part = own_part(path)
    part.unlink(missing_ok=True)  # of a process of this number that was killed, or a link
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
