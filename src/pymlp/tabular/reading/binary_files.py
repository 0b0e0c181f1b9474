"""Files of Parquet and Excel, by the libraries that the extra "tables" brings."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

__all__ = ["binary_kind", "read_excel", "read_parquet"]

_BEGINNINGS = {b"PAR1": "Parquet", b"PK\x03\x04": "Excel", b"\xd0\xcf\x11\xe0": "Excel"}
_PIECE = 65_536  # rows of a Parquet file


def binary_kind(file: BinaryIO) -> str | None:
    """Return "Parquet" or "Excel" by the first bytes of a file, None for text."""
    beginning = cast(Any, file).peek(4)[:4]
    return _BEGINNINGS.get(beginning)


def _library(name: str, kind: str, source: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        package = name.split(".")[0]
        raise ImportError(
            f"{source} is a file of {kind}, which needs the package {package}: "
            "pip install 'pymlp[tables]'"
        ) from None


@contextlib.contextmanager
def _told(source: str, kind: str, errors: tuple[type[Exception], ...]) -> Iterator[None]:
    """Say of what a library refuses which file it is; its messages do not."""
    try:
        yield
    except MemoryError:  # of Arrow too
        raise
    except errors as error:
        reason = str(error).split("\n")[0].rstrip(".")
        raise ValueError(f"{source} cannot be read as a file of {kind}: {reason}") from None


def read_parquet(file: BinaryIO, source: str, *, whole: bool) -> Iterator[tuple[Any, int]]:
    """Yield tables of pyarrow, all rows or some ten thousand, and the number of the first row."""
    parquet = _library("pyarrow.parquet", "Parquet", source)
    arrow = _library("pyarrow", "Parquet", source)
    with _told(source, "Parquet", (arrow.ArrowException, OSError, ValueError)):
        data = parquet.ParquetFile(file if file.seekable() else arrow.py_buffer(file.read()))
        if whole:
            yield data.read(), 0
            return
        row = 0
        for batch in data.iter_batches(_PIECE):
            yield arrow.Table.from_batches([batch]), row
            row += len(batch)


def read_excel(file: BinaryIO, source: str, sheet: str | None, header: bool | None) -> Any:
    """Return a sheet of an Excel file as a table of pyarrow; by default the first sheet."""
    fastexcel = _library("fastexcel", "Excel", source)
    arrow = _library("pyarrow", "Excel", source)
    with _told(source, "Excel", (fastexcel.FastExcelError, OSError)):
        book = fastexcel.read_excel(file.read())
        if sheet is not None and sheet not in book.sheet_names:
            names = ", ".join(map(repr, book.sheet_names))
            raise ValueError(f"{source} has no sheet {sheet!r}; it has {names}")
        row = None if header is False else 0
        data = book.load_sheet(sheet or 0, header_row=row).to_arrow()
    if row is None:
        data = data.rename_columns(list(map(str, range(data.num_columns))))
    return arrow.Table.from_batches([data])
