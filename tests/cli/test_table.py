"""Reading CSV files: what is taken, and how what is not is reported."""

import re

import numpy as np
import pytest

from pymlp.cli.table import Column, parse_numbers, read_csv, suggestion


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes data.csv into the current folder and returns its name."""
    monkeypatch.chdir(tmp_path)

    def write(content):
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / "data.csv").write_bytes(data)
        return "data.csv"

    return write


def cells(table):
    return [list(column.cells) for column in table.columns]


def test_columns_have_names_cells_and_line_numbers(write):
    table = read_csv(write("age,city\n31,Bern\n\n48,Rome\n"))
    assert table.names == ["age", "city"]
    assert cells(table) == [["31", "48"], ["Bern", "Rome"]]
    assert table.n_rows == 2
    assert list(table.columns[0].lines) == [2, 4]
    assert table.columns[1].place(1) == "data.csv, row 4, column 'city'"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a,b\n1,2\n", [["1"], ["2"]]),
        ("a;b\n1;2\n", [["1"], ["2"]]),
        ("a\tb\n1\t2\n", [["1"], ["2"]]),
        ("a,b;c\n1,2\n", [["1"], ["2"]]),
        ("\ufeffa,b\r\n1,2\r\n", [["1"], ["2"]]),
        ("a,b\r1,2\r", [["1"], ["2"]]),
        ('"a","b"\n1,"x, ""y""\nz"\n', [["1"], ['x, "y"\nz']]),
        ('a, b\n1, "x,y"\n', [["1"], ["x,y"]]),
        ("a\n1\n\n2", [["1", "2"]]),
    ],
)
def test_dialects(write, content, expected):
    assert cells(read_csv(write(content))) == expected


def test_blank_lines_are_passed_over(write):
    table = read_csv(write("\na,b\n1,2\n   \n\n3,4\n"))
    assert cells(table) == [["1", "3"], ["2", "4"]]
    assert list(table.columns[0].lines) == [3, 6]


def test_one_column_is_a_table(write):
    table = read_csv(write("age\n1\n2\n"))
    assert (table.names, table.n_rows) == (["age"], 2)


def test_delimiter_and_header_can_be_said(write):
    table = read_csv(write("1|2\n3|4\n"), delimiter="|", header=True)
    assert table.names == ["1", "2"]
    assert cells(table) == [["3"], ["4"]]


def test_line_breaks_inside_quotes_are_counted(write):
    table = read_csv(write('a,b\n1,"x\ny"\n2,z\n'))
    assert list(table.columns[0].lines) == [2, 4]


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
    ],
)
def test_header_is_recognised(write, content, has_header):
    assert read_csv(write(content)).has_header is has_header


def test_expected_names_make_a_header(write):
    content = "a,b,extra\nb,a,b\n"
    assert not read_csv(write(content + "a,a,a\n")).has_header
    assert read_csv(write(content + "a,a,a\n"), expected=["b", "a"]).has_header
    content = "a,b\na,c\nc,d\n"
    assert not read_csv(write(content)).has_header
    assert read_csv(write(content), expected=["b", "a"]).has_header


def test_doubtful_header_is_asked_for(write):
    with pytest.raises(ValueError, match=r"row 1: 'x' .* number '1' .* --header or --no-header"):
        read_csv(write("1,x\n2,3\n4,5\n"))


def test_columns_without_a_header_are_numbered(write):
    table = read_csv(write("1,2\n3,4\n"))
    assert table.names == ["0", "1"]


def test_an_unnamed_column_is_called_by_its_position(write):
    assert read_csv(write(",a\n0,1\n1,2\n")).names == ["0", "a"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "data.csv is empty"),
        (" \n\n", "data.csv is empty"),
        ("a,b\n", "data.csv has a header and no rows under it"),
        ("a,b\n1,2\n\n3\n", "data.csv, row 4: 1 cells, where row 1 has 2"),
        ("a,b\n1,2\n3,4,5\n", "data.csv, row 3: 3 cells, where row 1 has 2"),
        ("a,b,a\n1,2,3\n", "data.csv: 2 columns are named 'a'"),
        ('a,b\n1,"2\n3,4\n', "data.csv, row 2: unexpected end of data"),
        (b"a,b\n1,caf\xe9\n", "data.csv, row 2: byte 0xe9 is not UTF-8 text"),
        (b"\xef\xbb\xbfa,b\n1,\xff\n", "data.csv, row 2: byte 0xff is not UTF-8 text"),
    ],
)
def test_unreadable_files(write, content, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read_csv(write(content))


def test_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("name", "position"), [("a", 0), ("2", 1), ("2nd", 2), ("0", 0), ("-1", 2), ("1", 1)]
)
def test_position_by_name_or_else_by_index(write, name, position):
    assert read_csv(write("a,2,2nd\nx,y,z\n"), header=True).position(name) == position


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("digt", "did you mean 'digit'?"),
        ("DIGIT", "did you mean 'digit'?"),
        ("quite other", "known: 'width', 'digit'"),
        ("2", "known: 'width', 'digit'"),
        ("-3", "known: 'width', 'digit'"),
    ],
)
def test_unknown_column(write, name, hint):
    table = read_csv(write("width,digit\n1,2\n"))
    message = f"data.csv has no column {name!r}; {hint}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        table.position(name)


def test_select_names_all_that_are_missing(write):
    table = read_csv(write("width,digit\n1,2\n"))
    assert [column.name for column in table.select(["digit", "width"])] == ["digit", "width"]
    with pytest.raises(ValueError, match="no column 'wdth', 'x'; did you mean 'width'"):
        table.select(["wdth", "digit", "x"])
    with pytest.raises(ValueError, match="no column 'a', 'b', 'c', 'd', 'e'; known"):
        table.select(list("abcde"))
    with pytest.raises(ValueError, match=r"no column 'a', 'b', 'c', 'd', 'e', \.\.\.; known"):
        table.select(list("abcdef"))


def test_long_lists_of_known_names_are_cut():
    assert suggestion("zzz", map(str, range(100, 120))).endswith("'109', ...")


def column(*texts):
    return Column("age", texts, range(2, 2 + len(texts)), "data.csv")


def test_numbers():
    values = column("1", " 2.5 ", "-3e2", "+.5").numbers()
    np.testing.assert_array_equal(values, [1.0, 2.5, -300.0, 0.5])
    assert values.dtype == np.float64


@pytest.mark.parametrize("text", ["1_000", "٣", "1,5", "0x10", "one", "1 000", "--1"])
def test_what_only_looks_like_a_number_is_text(text):
    assert parse_numbers(["1", text]) is None
    assert column("1", text).values is None
    with pytest.raises(ValueError, match=r"row 3, column 'age': '.*' is not a number$"):
        column("1", text).numbers()


@pytest.mark.parametrize("text", ["", "  ", "NA", "n/a", "NaN", "null", "?", " ? ", "NULL"])
@pytest.mark.parametrize("other", ["1", "tall"])
def test_missing_cells_are_refused(text, other):
    for read in (Column.numbers, Column.texts):
        with pytest.raises(ValueError, match=r"^data.csv, row 3, column 'age': missing value"):
            read(column(other, text, other))


def test_missing_cell_shows_what_stands_there():
    with pytest.raises(ValueError, match=r"missing value \('N/A'\)$"):
        column("1", " N/A").numbers()


@pytest.mark.parametrize("text", ["inf", "-Infinity", "1e999"])
def test_infinite_numbers_are_refused(text):
    with pytest.raises(ValueError, match=f"row 3, column 'age': '{text}' is not a finite number"):
        column("1", text).numbers()


def test_texts_are_stripped():
    assert column(" a", "b ", "1").texts() == ["a", "b", "1"]
