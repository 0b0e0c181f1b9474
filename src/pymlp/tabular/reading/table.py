"""Files of tables as columns: the whole of one for training, pieces of one for prediction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, BinaryIO, TypeAlias

from pymlp.tabular.columns import Column, Columns
from pymlp.tabular.frames import columns_of
from pymlp.tabular.number_text import decimal_mark, read_numbers
from pymlp.tabular.reading.binary_files import binary_kind, read_excel, read_parquet
from pymlp.tabular.reading.cells import Cells, WrongRow, read_piece
from pymlp.tabular.reading.layout import Layout, find_layout
from pymlp.tabular.reading.stream import Block, open_data, source_of, text_blocks
from pymlp.tabular.text import UNREAD, is_missing, parse_text

__all__ = ["FileOptions", "Table", "read_pieces", "read_table"]

_PIECE = 1 << 24  # bytes of a file that is read in pieces


@dataclass(frozen=True)
class FileOptions:
    """How to read a file; what is None is found out.

    Attributes
    ----------
    delimiter : str, optional
        Between the cells of CSV.
    header : bool, optional
        Whether the first row names the columns.
    encoding : str, optional
        Of the text.
    decimal : {".", ","}, optional
        The decimal mark of all columns of text.
    sheet : str, optional
        Of an Excel file; by default its first.
    """

    delimiter: str | None = None
    header: bool | None = None
    encoding: str | None = None
    decimal: str | None = None
    sheet: str | None = None


@dataclass(frozen=True)
class Table:
    """What was read of a file, or a piece of it.

    Attributes
    ----------
    columns : Columns
    wrong_rows : sequence of WrongRow
        Rows of other lengths than the first; their cells are missing.
    notes : tuple of str
        What one should know of how the file was read.
    kept : dict of str to sequence of str
        The texts of columns as they stand in the file.
    """

    columns: Columns
    wrong_rows: Sequence[WrongRow] = ()
    notes: tuple[str, ...] = ()
    kept: Mapping[str, Sequence[str | None]] = field(default_factory=dict)


_AS_FOUND = FileOptions()


def read_table(path: str | PathLike[str], options: FileOptions = _AS_FOUND) -> Table:
    """Read a whole file and find out what its columns hold.

    Parameters
    ----------
    path : str or path
        A file of CSV (packed by gzip or not), Parquet or Excel, which its first bytes tell; "-" is
        standard input. Parquet and Excel need ``pip install 'pymlp[tables]'``, which also reads CSV
        faster.
    options : FileOptions

    Returns
    -------
    Table

    Raises
    ------
    OSError
        Where the file cannot be read.
    ValueError
        Where it is empty, is no text, or has rows of other lengths than the first.
    ImportError
        Where it is a file of Parquet or Excel, and the extra is not installed.

    Notes
    -----
    Where no cell of a column shows its decimal mark, as in ``1,234``, it is that of the columns of
    the file which show theirs; where none does, a comma in a file with semicolons, else a point.
    """
    source = source_of(path)
    with open_data(path) as file:
        frames = _frames(file, source, options, whole=True)
        if frames is not None:
            return _table_of_frame(*next(frames), source, options.decimal)
        (block,) = text_blocks(file, source, options.encoding)
    layout = _layout(block, source, options, ())
    rows = _rows_of(block, layout)
    piece = read_piece(rows.text, rows.line, layout.delimiter, len(layout.names), source)
    if piece.wrong:
        raise ValueError(_about_wrong_rows(piece.wrong, layout, source))
    if not len(piece.lines):
        raise ValueError(f"{source} has a header and no rows under it")
    columns = _read_columns(piece.cells, layout, options.decimal)
    return Table(_columns(columns, piece.lines, layout, source), (), _notes(block, layout))


_Keep: TypeAlias = Callable[[Columns], Sequence[str]]


def _nothing(columns: Columns) -> Sequence[str]:
    return ()


def read_pieces(
    path: str | PathLike[str],
    options: FileOptions = _AS_FOUND,
    *,
    expected: Sequence[str] = (),
    keep: _Keep = _nothing,
    size: int = _PIECE,
) -> Iterator[Table]:
    """Read a file in pieces, of which one at a time is in memory.

    Parameters
    ----------
    path, options
        As in `read_table`. A file of Excel is one piece.
    expected : sequence of str
        Names that make the first row a header where it has them all.
    keep : callable
        Given the columns it returns names of those whose texts are wanted as they stand there.
    size : int
        About how many bytes of text a piece has.

    Yields
    ------
    Table
        Columns of plain numbers are numbers, unless the decimal mark is a comma; all others are
        texts of the style `UNREAD`, as a piece does not tell what the whole column holds: an
        encoder does.

    Raises
    ------
    OSError, ValueError, ImportError
        As `read_table`, but rows of other lengths are in `wrong_rows`.
    """
    source, layout = source_of(path), None
    with open_data(path) as file:
        frames = _frames(file, source, options, whole=False)
        if frames is not None:
            yield from (_piece_of_frame(*frame, source, keep) for frame in frames)
            return
        for block in text_blocks(file, source, options.encoding, size):
            if layout is None:
                layout = _layout(block, source, options, expected)
                block = _rows_of(block, layout)
            yield _piece(block, layout, source, options.decimal, keep)
    if layout is None:
        raise ValueError(f"{source} is empty")


def _layout(block: Block, source: str, options: FileOptions, expected: Sequence[str]) -> Layout:
    return find_layout(
        block.text, source, delimiter=options.delimiter, header=options.header, expected=expected
    )


def _piece(block: Block, layout: Layout, source: str, decimal: str | None, keep: _Keep) -> Table:
    piece = read_piece(block.text, block.line, layout.delimiter, len(layout.names), source)
    found = dict(zip(layout.names, piece.cells, strict=True))
    numbers = {n: None if decimal == "," else cells.numbers() for n, cells in found.items()}
    columns = _columns(
        [
            found[name].texts(name) if values is None else Column(name, values)
            for name, values in numbers.items()
        ],
        piece.lines,
        layout,
        source,
    )
    kept = {name: found[name].texts(name).texts() for name in keep(columns)}
    return Table(columns, piece.wrong, kept=kept)


# ---- files of text -------------------------------------------------------------------------------


def _rows_of(block: Block, layout: Layout) -> Block:
    """Return the text below the header."""
    if layout.first_line is None:
        return block._replace(text="")
    lines = layout.first_line - block.line
    text = block.text.split("\n", lines)[-1] if lines else block.text
    return Block(text, layout.first_line, block.encoding)


def _columns(columns: list[Column], lines: Sequence[int], layout: Layout, source: str) -> Columns:
    return Columns(columns, len(lines), source, lines=lines, named=layout.has_header)


def _read_columns(cells: Sequence[Cells], layout: Layout, decimal: str | None) -> list[Column]:
    plain = [None if decimal == "," else column.numbers() for column in cells]
    texts = {i: column.texts(layout.names[i]) for i, column in enumerate(cells) if plain[i] is None}
    likely = decimal or _likely_decimal(texts.values(), layout.delimiter)
    if likely == ",":
        # There 1.234 may be a thousand and more, unless other columns of the file have points.
        parts = {i for i, v in enumerate(plain) if v is not None and (v % 1 != 0).any()}
        texts |= {i: cells[i].texts(layout.names[i]) for i in parts}
        likely = decimal or _likely_decimal(texts.values(), layout.delimiter)
    return [
        Column(name, values, style=".")
        if i not in texts and values is not None
        else _parse(texts[i], decimal, likely)
        for i, (name, values) in enumerate(zip(layout.names, plain, strict=True))
    ]


def _parse(column: Column, decimal: str | None, likely: str) -> Column:
    return parse_text(
        column.values, column.categories or (), column.name, decimal, likely_decimal=likely
    )


def _likely_decimal(columns: Any, delimiter: str) -> str:
    """Return the decimal mark of the columns of numbers that show it."""
    shown = {decimal_mark(cells) for cells in map(_cells_of_numbers, columns) if cells}
    shown.discard(None)
    if len(shown) == 1:
        return str(shown.pop())
    return "," if not shown and delimiter == ";" else "."


def _cells_of_numbers(column: Column) -> list[str]:
    cells = [text.strip() for text in column.categories or () if not is_missing(text)]
    for mark in ".,":
        if cells and read_numbers(cells[:100], mark)[1].mean() > 0.9:
            return cells
    return []


def _about_wrong_rows(wrong: Sequence[WrongRow], layout: Layout, source: str) -> str:
    width, first = len(layout.names), layout.top_line
    shown = [f"row {row.line} has {row.n_cells}" for row in wrong[:5]]
    more = f" (and {len(wrong) - 5:,} rows more)" if len(wrong) > 5 else ""
    if len(wrong) == 1:
        (row,) = wrong
        return f"{source}, row {row.line}: {row.n_cells} cells, where row {first} has {width}"
    return f"{source}: row {first} has {width} cells, but {', '.join(shown)}{more}"


def _notes(block: Block, layout: Layout) -> tuple[str, ...]:
    notes = []
    if block.encoding == "windows-1252":
        notes.append("it is no UTF-8 and was read as Windows-1252; --encoding names another one")
    if layout.renamed:
        names = ", ".join(map(repr, layout.renamed[:5]))
        notes.append(f"names stand more than once, and the later ones got numbers: {names}")
    return tuple(notes)


# ---- files of Parquet and Excel ------------------------------------------------------------------


def _frames(
    file: BinaryIO, source: str, options: FileOptions, *, whole: bool
) -> Iterator[tuple[Any, int]] | None:
    """Yield tables of pyarrow, and the number of the first row of each."""
    kind = binary_kind(file)
    _refuse_idle(kind, source, options)
    if kind == "Parquet":
        return read_parquet(file, source, whole=whole)
    if kind == "Excel":
        return iter([(read_excel(file, source, options.sheet, options.header), 2)])
    return None


# Options that say nothing of a kind of file.
_IDLE = {
    None: ("sheet",),
    "Parquet": ("delimiter", "header", "encoding", "sheet"),
    "Excel": ("delimiter", "encoding"),
}


def _refuse_idle(kind: str | None, source: str, options: FileOptions) -> None:
    idle = [name for name in _IDLE[kind] if getattr(options, name) is not None]
    if idle:
        raise ValueError(
            f"{' and '.join(idle)} must not be given for {source}, a file of {kind or 'text'}"
        )


def _unread(frame: Any, first_line: int, source: str) -> Columns:
    columns = columns_of(frame, source=source, read=False)
    lines = range(first_line, first_line + columns.n_rows)
    return Columns(columns, columns.n_rows, source, lines=lines, named=columns.named)


def _table_of_frame(frame: Any, first_line: int, source: str, decimal: str | None) -> Table:
    columns = _unread(frame, first_line, source)
    texts = [column for column in columns if column.is_text]
    likely = decimal or _likely_decimal(texts, ",")
    read = [_parse(c, decimal, likely) if c.style == UNREAD else c for c in columns]
    return Table(Columns(read, columns.n_rows, source, lines=columns.lines, named=columns.named))


def _piece_of_frame(frame: Any, first_line: int, source: str, keep: _Keep) -> Table:
    columns = _unread(frame, first_line, source)
    kept = {name: columns[name].texts() for name in keep(columns)}
    return Table(columns, kept=kept)
