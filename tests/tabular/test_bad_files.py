"""Files of tables that are damaged or odd are refused in a sentence, or give all their rows."""

import contextlib
import gzip
import random
import subprocess
import sys

import numpy as np
import pytest

from pymlp.tabular.arrow import array_of, texts_of
from pymlp.tabular.reading import FileOptions, read_pieces, read_table

CSV = "a,b,y\n" + "".join(f"{i}.5,{'pqr'[i % 3]},{i % 2}\n" for i in range(300))


def refused(path):
    for read in (read_table, lambda path: list(read_pieces(path))):
        with pytest.raises(ValueError, match=path.name) as found:
            read(path)
    return str(found.value)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.9, 0.999])
def test_gzip_cut_short(share, tmp_path):
    packed = gzip.compress(CSV.encode())
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(packed[: max(3, int(share * len(packed)))])
    assert "cut short or damaged" in refused(path)


@pytest.mark.parametrize("place", [12, 200, -6])
def test_gzip_damaged(place, tmp_path):
    packed = bytearray(gzip.compress(CSV.encode()))
    packed[place] ^= 255
    path = tmp_path / "damaged.csv.gz"
    path.write_bytes(packed)
    refused(path)


@pytest.mark.parametrize(
    ("package", "beginning"),
    [("fastexcel", b"PK\x03\x04"), ("fastexcel", b"\xd0\xcf\x11\xe0"), ("pyarrow", b"PAR1")],
)
@pytest.mark.parametrize("size", [0, 5, 2000])
def test_garbage(package, beginning, size, tmp_path):
    pytest.importorskip(package)
    path = tmp_path / "garbage"
    path.write_bytes(beginning + random.Random(size).randbytes(size))
    assert "cannot be read as a file of" in refused(path)


def test_quotes_around_nothing(tmp_path):
    path = tmp_path / "quotes.csv"
    path.write_text('""')
    assert refused(path).endswith("is empty")


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8", "cp037"]
)
def test_pieces_of_every_encoding(encoding, tmp_path):
    path = tmp_path / "wide.csv"
    path.write_bytes(CSV.encode(encoding))
    options = FileOptions(encoding=encoding, header=True)
    pieces = [piece.columns for piece in read_pieces(path, options, size=100)]
    assert sum(piece.n_rows for piece in pieces) == 300
    assert all(piece.names == ("a", "b", "y") for piece in pieces)


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes(seed, tmp_path):
    generator = random.Random(seed)
    path = tmp_path / "random"
    parts = [b'"', b'""', b",", b";", b"\n", b"\r", b"\0", b"\xff", b"\xef\xbb\xbf", b"1", b"x"]
    for n in (1, 2, 5, 30, 200):
        path.write_bytes(b"".join(generator.choice(parts) for _ in range(n)))
        for read in (read_table, lambda path: list(read_pieces(path, size=7))):
            with contextlib.suppress(ValueError):
                read(path)


IMPORTED = """
import sys
from pymlp.tabular.reading import cells, read_pieces, read_table
cells._LARGE = 0
for read in (read_table, lambda path: list(read_pieces(path))):
    read(sys.argv[1])
print("pyarrow" in sys.modules, "pandas" in sys.modules)
"""


@pytest.mark.parametrize("text", [CSV, CSV.replace("5.5", "NA").replace("q", "")])
def test_reading_imports_no_pandas(text, tmp_path):
    """Its import takes half a second, and swallows a Ctrl-C where pyarrow does it."""
    pytest.importorskip("pyarrow")
    pytest.importorskip("pandas")
    path = tmp_path / "table.csv"
    path.write_text(text)
    command = [sys.executable, "-c", IMPORTED, str(path)]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["True", "False"]


def test_arrays_of_pyarrow():
    arrow = pytest.importorskip("pyarrow")
    whole = arrow.array([1.5, None, 3.0, None, -0.0, 6.0, 7.0, None, 9.0, None])
    for values in (whole, whole[3:], whole[9:], whole[:0], arrow.nulls(3).cast(arrow.float64())):
        for given in (values, arrow.chunked_array([values, whole[1:4], values])):
            np.testing.assert_array_equal(
                array_of(given, np.float64, np.nan),
                np.array([np.nan if v is None else v for v in given.to_pylist()]),
            )
    assert texts_of(["", "ä", "x"]).to_pylist() == ["", "ä", "x"]
