"""Reading files: what is taken, how what is not is reported, by both readers alike."""

import gzip
import io
import itertools
import re
import sys

import numpy as np
import pytest

from pymlp.tabular.reading import FileOptions, cells, read_pieces, read_table
from pymlp.tabular.text import read_text


@pytest.fixture(params=["csv", "pyarrow"], autouse=True)
def reader(request, monkeypatch):
    """Read by the standard library, and by pyarrow where it is there."""
    if request.param == "pyarrow":
        pytest.importorskip("pyarrow")
    monkeypatch.setattr(cells, "_fast", lambda text: request.param == "pyarrow")
    return request.param


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes data.csv into the current folder and returns its name."""
    monkeypatch.chdir(tmp_path)

    def write(content, name="data.csv"):
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
        return name

    return write


def texts(table):
    return [column.texts() for column in table.columns]


def pieces(path, **options):
    """Return the columns of all pieces as texts, and the pieces."""
    found = list(read_pieces(path, **options))
    columns = zip(*(texts(piece) for piece in found), strict=True)
    return [list(itertools.chain(*parts)) for parts in columns], found


def test_columns_have_names_cells_and_line_numbers(write):
    table = read_table(write("age,city\n31,Bern\n\n48,Rome\n")).columns
    assert table.names == ("age", "city")
    np.testing.assert_array_equal(table["age"].values, [31, 48])
    assert table["city"].texts() == ["Bern", "Rome"]
    assert list(table.lines) == [2, 4]
    assert table.place(1, "city") == "data.csv, row 4, column 'city'"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a,b\n1,2\n", [["1"], ["2"]]),
        ("a;b\n1;2\n", [["1"], ["2"]]),
        ("a|b\n1|2\n", [["1"], ["2"]]),
        ("a\tb\n1\t2\n", [["1"], ["2"]]),
        ("sep=;\na;b\n1;2\n", [["1"], ["2"]]),
        ("a,b;c\n1,2\n", [["1"], ["2"]]),
        ("a;b\n1,5;2,5\n", [["1.5"], ["2.5"]]),
        ("1,5;2,5\n3,5;4,5\n", [["1.5", "3.5"], ["2.5", "4.5"]]),
        ("\ufeffa,b\r\n1,2\r\n", [["1"], ["2"]]),
        ("a,b\r1,2\r", [["1"], ["2"]]),
        ('"a","b"\n1,"x, ""y""\nz"\n', [["1"], ['x, "y"\nz']]),
        ('a, b\n1, "x,y"\n', [["1"], ["x,y"]]),
        ("a\n1\n\n2", [["1", "2"]]),
        ("a\n1,5\n2,5\n", [["1.5", "2.5"]]),
        ("a,b\n1,2,\n3,4,\n", [["1", "3"], ["2", "4"]]),
        ("a,b\n1,2\n   \n\n3,4\n\n", [["1", "3"], ["2", "4"]]),
    ],
)
def test_dialects(write, content, expected):
    assert texts(read_table(write(content))) == expected


def test_delimiter_and_header_can_be_said(write):
    table = read_table(write("1|2\n3|4\n"), FileOptions(delimiter="|", header=True)).columns
    assert table.names == ("1", "2")
    assert texts(read_table("data.csv", FileOptions(header=False))) == [["1", "3"], ["2", "4"]]


def test_line_breaks_inside_quotes_are_counted(write):
    assert list(read_table(write('a,b\n1,"x\ny"\n2,z\n')).columns.lines) == [2, 4]


@pytest.mark.parametrize(
    ("content", "has_header"),
    [
        ("age,city\n31,Bern\n48,Rome\n", True),
        ("31,Bern\n48,Rome\n", False),
        ("1,2\n3,4\n", False),
        (",age\n0,31\n1,48\n", True),
        ("age,city\n,Bern\n48,Rome\n", True),
        ("5.1,,setosa\n4.9,3.0,setosa\n", False),
        ("cap,odor\nx,p\nx,a\n", True),
        ("x,p\nx,a\nb,p\n", False),
        ("x,x\na,b\nc,d\n", False),
        ("when;what\n31.12.2023;a\n1.1.2024;b\n", True),
        ("price\n€ 5\n€ 6\n", True),
    ],
)
def test_header_is_recognised(write, content, has_header):
    assert read_table(write(content)).columns.named is has_header


def test_expected_names_make_a_header(write):
    path = write("a,b\na,c\nc,d\n")
    assert not next(read_pieces(path)).columns.named
    assert next(read_pieces(path, expected=["b", "a"])).columns.named


def test_doubtful_header_is_asked_for(write):
    with pytest.raises(ValueError, match=r"row 1: 'x' .* number '1' .* --header or --no-header"):
        read_table(write("1,x\n2,3\n4,5\n"))


def test_columns_without_a_name(write):
    assert read_table(write("1,2\n3,4\n")).columns.names == ("0", "1")
    assert read_table(write(",a\n0,1\n1,2\n")).columns.names == ("0", "a")


def test_a_name_that_stands_twice_gets_a_number(write):
    table = read_table(write("a,b,a,a.2\n1,2,3,4\n"))
    assert table.columns.names == ("a", "b", "a.3", "a.2")
    assert "the later ones got numbers: 'a'" in table.notes[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "data.csv is empty"),
        (" \n\n", "data.csv is empty"),
        ("a,b\n", "data.csv has a header and no rows under it"),
        ("a,b\n1,2\n\n3\n", "data.csv, row 4: 1 cells, where row 1 has 2"),
        ("a,b\n1,2\n3\n4,5,6\n", "data.csv: row 1 has 2 cells, but row 3 has 1, row 4 has 3"),
        ('a,b\n1,"2\n3,4\n', "data.csv, row 2: a cell in quotation marks does not end"),
        (
            b"\xef\xbb\xbfa,b\n1,\xff\n",
            "data.csv, row 2: byte 0xff is not UTF-8 text; say latin-1, or what the file has, with "
            "--encoding (encoding=)",
        ),
    ],
)
def test_unreadable_files(write, content, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read_table(write(content))


def test_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("encoding", "n_notes"), [("utf-8", 0), ("utf-8-sig", 0), ("utf-16", 0), ("cp1252", 1)]
)
def test_encodings_are_found_out(write, encoding, n_notes):
    table = read_table(write("größe;stadt\n1,5;Zürich\n".encode(encoding)))
    assert table.columns.names == ("größe", "stadt")
    assert table.columns["stadt"].texts() == ["Zürich"]
    assert len(table.notes) == n_notes
    assert all("Windows-1252" in note for note in table.notes)


def test_encoding_can_be_said(write):
    write("a,b\n1,Łódź\n".encode("cp1250"))
    table = read_table("data.csv", FileOptions(encoding="cp1250"))
    assert table.columns["b"].texts() == ["Łódź"]
    with pytest.raises(ValueError, match=r"row 2: byte 0xa3 is not ASCII text; say another"):
        read_table("data.csv", FileOptions(encoding="ascii"))
    with pytest.raises(ValueError, match="encoding: there is none of the name 'klingon'"):
        read_table("data.csv", FileOptions(encoding="klingon"))


@pytest.mark.parametrize(
    ("content", "decimal", "value"),
    [
        ("a;b\n1,234;x\n", None, 1.234),  # with semicolons the comma is decimal
        ('a,b\n"1,234",x\n', None, 1234),
        ('a,b,c\n"1,234",x,"1,5"\n', None, 1.234),  # as another column shows
        ("a;b;c\n1.234;x;1,5\n", None, 1234),
        ("a;b;c\n1.234;x;1.5\n", None, 1.234),
        ("a;b\n1.234;x\n", None, 1234),
        ("a;b\n1.234;x\n", ".", 1.234),
        ('a,b\n"1,234",x\n', ",", 1.234),
    ],
)
def test_ambiguous_numbers_follow_the_file(write, content, decimal, value):
    table = read_table(write(content), FileOptions(decimal=decimal))
    assert table.columns["a"].values.tolist() == [value]


@pytest.mark.parametrize("reader", [read_table, lambda path: list(read_pieces(path))])
def test_damaged_gzip(write, reader):
    packed = gzip.compress(np.random.default_rng(0).bytes(2000).hex().encode())
    for damaged in (packed[:-40], packed[:100] + bytes(100) + packed[200:], packed + b"more"):
        with pytest.raises(
            ValueError, match=r"^data.csv.gz: what gzip packed is cut short or damaged"
        ):
            reader(write(damaged, "data.csv.gz"))


def test_gzip_and_standard_input(write, monkeypatch):
    content = b"a,b\n1,x\n2,y\n"
    expected = [["1", "2"], ["x", "y"]]
    assert texts(read_table(write(gzip.compress(content), "data.csv.gz"))) == expected
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    table = read_table("-")
    assert texts(table) == expected
    assert table.columns.place(0, "a") == "standard input, row 2, column 'a'"


def test_many_rows_change_their_mind_late(write):
    rows = [str(i) for i in range(10_000)]
    rows[9000], rows[9500] = "", "later"
    path = write("a,b\n" + "".join(f"{cell},{i}\n" for i, cell in enumerate(rows)))
    column = read_table(path).columns["a"]
    assert column.is_text
    assert column.texts() == [None if cell == "" else cell for cell in rows]


def test_pieces_are_the_whole(write):
    rows = [f'{i},"x\n{i % 7}",{i / 8}' for i in range(3000)]
    path = write("\n".join(["i,t,f", *rows]))
    found, parts = pieces(path, size=1000)
    assert len(parts) > 20
    assert found[0] == [str(i) for i in range(3000)]
    assert found[1] == [f"x\n{i % 7}" for i in range(3000)]
    lines = [line for part in parts for line in part.columns.lines]
    assert lines == [2 + 2 * i for i in range(3000)]


def test_pieces_leave_texts_unread(write):
    path = write("a;b\n1,5;2024-01-02\nNA;soon\n")
    (piece,) = read_pieces(path, FileOptions(decimal=","))
    np.testing.assert_array_equal(read_text(piece.columns["a"], ",").values, [1.5, np.nan])
    assert piece.columns["b"].texts() == ["2024-01-02", "soon"]


def test_wrong_rows_of_pieces_are_told(write):
    path = write("a,b\n1,2\n3\n4,5,6\n7,8,\n")
    found, (piece,) = pieces(path)
    assert [(w.row, w.line, w.n_cells) for w in piece.wrong_rows] == [(1, 3, 1), (2, 4, 3)]
    assert found[0] == ["1", None, None, "7"]


def test_columns_are_kept_as_they_stand_there(write):
    path = write("id,x\n007,1.50\n,2\n")
    (piece,) = read_pieces(path, keep=lambda columns: ["x", "id"])
    assert dict(piece.kept) == {"x": ["1.50", "2"], "id": ["007", ""]}
    np.testing.assert_array_equal(piece.columns["x"].values, [1.5, 2.0])


def test_parquet(write):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    buffer = io.BytesIO()
    table = arrow.table({"a": [1.5, None], "b": ["x", "1,5"], "c": ["1,5", "2,25"]})
    parquet.write_table(table, buffer)
    columns = read_table(write(buffer.getvalue(), "data.parquet")).columns
    np.testing.assert_array_equal(columns["a"].values, [1.5, np.nan])
    assert columns["b"].texts() == ["x", "1,5"]
    np.testing.assert_array_equal(columns["c"].values, [1.5, 2.25])
    (piece,) = read_pieces("data.parquet", keep=lambda columns: ["b"])
    assert dict(piece.kept) == {"b": ["x", "1,5"]}


def test_excel(write):
    pytest.importorskip("fastexcel")
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["a", "b"], [1, "x"], [None, "y"]):
        book.active.append(row)
    book.create_sheet("more").append(["c"])
    book["more"].append([7])
    buffer = io.BytesIO()
    book.save(buffer)
    columns = read_table(write(buffer.getvalue(), "data.xlsx")).columns
    np.testing.assert_array_equal(columns["a"].values, [1, np.nan])
    assert columns.place(1, "a") == "data.xlsx, row 3, column 'a'"
    assert read_table("data.xlsx", FileOptions(sheet="more")).columns.names == ("c",)
    with pytest.raises(ValueError, match="no sheet 'none'; it has 'Sheet', 'more'"):
        read_table("data.xlsx", FileOptions(sheet="none"))


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"PAR1 and no more", "Parquet"), (b"PK\x03\x04 and no more", "Excel")],
)
def test_damaged_files_are_named(write, content, kind):
    pytest.importorskip({"Parquet": "pyarrow", "Excel": "fastexcel"}[kind])
    write(content)
    for read in (read_table, lambda path: list(read_pieces(path))):
        with pytest.raises(ValueError, match=f"^data.csv cannot be read as a file of {kind}: "):
            read("data.csv")


@pytest.mark.parametrize("end", [5, -20, -3])
def test_damaged_gzip_is_named(write, end):
    whole = gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(999)))
    changed = whole[:20] + bytes(9) + whole[29:]
    for data in (whole[:end], changed):
        write(data)
        with pytest.raises(
            ValueError, match=r"^data\.csv: what gzip packed is cut short or damaged: "
        ):
            read_table("data.csv")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "cp500"])
def test_pieces_end_behind_whole_characters(write, encoding):
    letter = "é" if encoding == "cp500" else "Ċ"  # whose second byte is that of a line break
    write(("name,x\n" + f"{letter},1\n" * 50).encode(encoding))
    pieces = list(read_pieces("data.csv", FileOptions(encoding=encoding), size=64))
    assert sum(piece.columns.n_rows for piece in pieces) == 50
    assert len(pieces) > 1 or encoding != "utf-8-sig"


def test_a_quote_within_a_cell_does_not_join_the_pieces(write):
    n = 300_000
    write('name,x\n5" pipe,1\n' + '"a\nb",2\n' * 2 + "pipe,3\n" * n)
    pieces = [piece.columns for piece in read_pieces("data.csv", size=1_300_000)]
    assert len(pieces) == 2
    assert sum(piece.n_rows for piece in pieces) == n + 3
    assert [read_text(piece["x"]).values[-1] for piece in pieces] == [3, 3]


def test_options_that_say_nothing_of_a_file_are_refused(write):
    write("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"^sheet must not be given for data\.csv, a file of text"):
        read_table("data.csv", FileOptions(sheet="1"))
    write(b"PAR1" + bytes(20))
    message = r"^delimiter and header must not be given for data\.csv, a file of Parquet"
    with pytest.raises(ValueError, match=message):
        list(read_pieces("data.csv", FileOptions(delimiter=",", header=True)))


def test_utf16_without_a_mark_needs_its_name(write):
    path = write("a,b\n1,2\n3,4\n".encode("utf-16-le"))
    with pytest.raises(
        ValueError, match=r"data\.csv begins with bytes that are no text: .* encoding"
    ):
        read_table(path)
    table = read_table(path, FileOptions(encoding="utf-16-le"))
    assert table.columns["b"].values.tolist() == [2.0, 4.0]


def test_files_of_other_kinds_name_the_extra(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    for beginning, kind in ((b"PAR1", "Parquet"), (b"PK\x03\x04", "Excel")):
        message = rf"data.csv is a file of {kind}, which needs .* pip install 'pymlp\[tables\]'"
        with pytest.raises(ImportError, match=message):
            read_table(write(beginning + b"\0" * 20))
