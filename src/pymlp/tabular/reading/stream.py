"""The bytes of a file, or of standard input, as pieces of text that end where a record ends."""

from __future__ import annotations

import contextlib
import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from os import PathLike
from typing import Any, BinaryIO, NamedTuple

__all__ = ["Block", "open_data", "source_of", "text_blocks"]

_GZIP = b"\x1f\x8b"
_BEGINNING = 16  # bytes, of which one is 0 in most files of no text, and in UTF-16 without a mark
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_LONGEST_CELL = 1 << 20  # bytes; the reader takes 131,072 characters


class Block(NamedTuple):
    """Whole records of a file."""

    text: str
    line: int
    """The number of its first line, from 1."""
    encoding: str


def source_of(path: str | PathLike[str]) -> str:
    """Return what to call a file in messages."""
    return "standard input" if str(path) == "-" else str(path)


@contextlib.contextmanager
def open_data(path: str | PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file, or standard input for "-"; what gzip packed is unpacked."""
    with contextlib.ExitStack() as stack:
        if str(path) == "-":
            if sys.stdin is None:
                raise ValueError("standard input is closed")
            raw: Any = sys.stdin.buffer  # it stays open
        else:
            raw = stack.enter_context(open(path, "rb"))
        file = raw if hasattr(raw, "peek") else io.BufferedReader(raw)
        if file.peek(2)[:2] == _GZIP:
            file = stack.enter_context(gzip.GzipFile(fileobj=file))
        try:
            yield file
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            reason = f"{source_of(path)}: what gzip packed is cut short or damaged: {error}"
            raise ValueError(reason) from None


def text_blocks(
    file: BinaryIO, source: str, encoding: str | None = None, size: int | None = None
) -> Iterator[Block]:
    """Read a file as text, in pieces of about so many bytes.

    Parameters
    ----------
    file : binary file
    source : str
        What to call it in messages.
    encoding : str, optional
        Of the text. None finds it out: UTF-16 where the file begins with its mark, UTF-8 where the
        bytes are that, else Windows-1252, which western spreadsheets write. None where a byte of
        the beginning is 0.
    size : int, optional
        None reads the whole file at once.

    Yields
    ------
    Block

    Raises
    ------
    ValueError
        Where a byte is no text in this encoding; its row is named. Where the beginning is none.
    """
    decoder, line = _Decoder(source, encoding), 1
    for data in _records(file, size, encoding):
        text = decoder.decode(data, line)
        if "\n" not in text and "\r" in text:
            text = text.replace("\r", "\n")  # as old spreadsheets end lines
        yield Block(text, line, decoder.name)
        line += text.count("\n")


def _records(file: BinaryIO, size: int | None, encoding: str | None) -> Iterator[bytes]:
    """Cut a file behind line breaks that no quotes hold."""
    data = _read(file, size)
    if size is None or data[:2] in _UTF16 or not _has_ascii_breaks(encoding):
        yield data + file.read()
        return
    while data:
        end = _end_of_records(data)
        more = _read(file, size)
        if not more:
            yield data
            return
        if end:
            yield data[:end]
        data = data[end:] + more


def _has_ascii_breaks(encoding: str | None) -> bool:
    """Tell whether the byte of a line break is one wherever it stands."""
    try:
        return encoding is None or b"\n\n".decode(encoding) == "\n\n"
    except (LookupError, UnicodeDecodeError):
        return False


def _read(file: BinaryIO, size: int | None) -> bytes:
    """Read so many bytes, if there are: what comes through a pipe comes in smaller parts."""
    if size is None:
        return file.read()
    parts = []
    while size > 0 and (part := file.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _end_of_records(data: bytes) -> int:
    """Return where the last record ends that is whole, 0 where none is."""
    quotes, end, last = data.count(b'"'), len(data), 0
    start = max(0, len(data) - _LONGEST_CELL)
    while (position := data.rfind(b"\n", start, end)) >= 0:
        quotes -= data.count(b'"', position, end)
        if quotes % 2 == 0:
            return position + 1
        last = last or position + 1
        end = position
    return last if start else 0  # no cell is so long: a quote stands within one, as in 5" pipe


class _Decoder:
    """Text in one encoding, which the first bytes that are not ASCII tell."""

    def __init__(self, source: str, encoding: str | None) -> None:
        self._source = source
        self._said = encoding is not None
        self.name = "utf-8" if encoding is None else encoding
        self._certain = self._said

    def decode(self, data: bytes, line: int) -> str:
        if not self._certain and line == 1 and data[:2] in _UTF16:
            self.name, self._certain = "utf-16", True
        if line == 1 and data.startswith(b"\xef\xbb\xbf"):
            self._certain = True
        if line == 1 and not self._certain and b"\0" in data[:_BEGINNING]:
            raise ValueError(
                f"{self._source} begins with bytes that are no text: it is no table, or in an "
                "encoding that --encoding (encoding=) would tell"
            )
        try:
            text = data.decode(self.name)
        except LookupError:
            raise ValueError(f"encoding: there is none of the name {self.name!r}") from None
        except UnicodeDecodeError as error:
            if self._certain:
                raise self._refusal(error, line) from None
            # Two bytes of Windows-1252 that are valid UTF-8 too are rare; one is not.
            self.name, self._certain = "windows-1252", True
            return data.decode("cp1252", errors="replace")
        self._certain = self._certain or not text.isascii()
        return text.removeprefix("\ufeff") if line == 1 else text

    def _refusal(self, error: UnicodeDecodeError, line: int) -> ValueError:
        row = line + error.object[: error.start].count(b"\n")
        byte = error.object[error.start]
        hint = "another encoding" if self._said else "latin-1, or what the file has,"
        return ValueError(
            f"{self._source}, row {row}: byte 0x{byte:02x} is not {self.name.upper()} text; "
            f"say {hint} with --encoding (encoding=)"
        )
