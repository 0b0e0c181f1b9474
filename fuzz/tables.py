"""Bytes as a file of a table: read or refused with a ValueError, whole as in pieces, and encoded.

``python -m fuzz.tables FOLDER -max_total_time=60``
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

import atheris
import numpy as np

with atheris.instrument_imports(include=["pymlp"]):
    from pymlp.tabular import TableEncoder
    from pymlp.tabular.number_text import read_numbers
    from pymlp.tabular.reading import FileOptions, read_pieces, read_table

warnings.simplefilter("ignore")
PATH = Path(tempfile.mkdtemp()) / "table.csv"


def given(data: bytes) -> None:
    """Read a table, and encode it twice alike."""
    bytes_ = atheris.FuzzedDataProvider(data)
    options = FileOptions(
        delimiter=bytes_.PickValueInList([None, None, ",", ";", "\t", "|"]),
        header=bytes_.PickValueInList([None, None, True, False]),
        decimal=bytes_.PickValueInList([None, ".", ","]),
    )
    size = bytes_.PickValueInList([7, 50, 1 << 20])
    text = bytes_.ConsumeBytes(len(data))
    PATH.write_bytes(text)
    try:
        for piece in read_pieces(PATH, options, size=size):
            assert piece.columns.n_rows >= 0
    except (ValueError, OSError):
        pass
    try:
        table = read_table(PATH, options)
    except (ValueError, OSError):
        return
    numbers, good = read_numbers([text[:40].decode("latin-1")], ".")
    assert bool(np.isfinite(numbers[0])) == bool(good[0])
    encoder = TableEncoder(dtype="float64")
    try:
        encoded = encoder.fit_transform(table.columns)
    except (ValueError, TypeError):
        return
    assert np.isfinite(encoded).all()
    again = TableEncoder.from_json(encoder.to_json()).transform(table.columns)
    assert again.tobytes() == encoded.tobytes()


SEEDS = [
    "a,b,y\n1.5,p,0\n2.5,q,1\n,NA,0\n",
    'name;"amount ""x""";day\n"a;b";1.234,50;31.12.2023\nc;-5 %;01.02.2024\n',
    "x\ty\r\n1e3\t2024-01-01T10:00:00\r\n0x1\tinf\r\n",
    "1,2,3\n4,5,6\n7,8\n",
    "'q','r'\n'1','true'\n'2','false'\n",
]
CODED = ["utf-8-sig", "utf-16", "latin-1", "utf-32"]


def begin(folder: Path) -> None:
    """Write the files that all others come from, with bytes behind them for the options."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, text in enumerate(SEEDS):
        for code in CODED:
            (folder / f"{i}-{code}").write_bytes(text.encode(code) + bytes(4))


if __name__ == "__main__":
    begin(Path(sys.argv[1]))
    atheris.Setup([*sys.argv, "-max_len=600", "-len_control=0"], given)
    atheris.Fuzz()
