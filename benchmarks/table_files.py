"""Thirty files as people have them, and what ``pymlp train`` says of each.

``python -m benchmarks.table_files`` prints a table; a test trains on the small ones.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pymlp.cli import main

N = 240
KINDS = ("oil", "gas", "wood")


class File(NamedTuple):
    """A file, and the command's words behind its name."""

    name: str
    write: Callable[[Path], None]
    target: str
    options: tuple[str, ...] = ()
    large: bool = False


def _cells(seed: int = 0, n: int = N) -> dict[str, list]:
    """Return columns that tell a price: an area, rooms, a date, a kind of heating."""
    rng = np.random.default_rng(seed)
    area, rooms = rng.uniform(40, 2000, n).round(2), rng.integers(1, 7, n)
    heating = np.where(area < 700, 0, np.where(rooms < 4, 1, 2))
    days = np.datetime64("2015-01-01") + rng.integers(0, 3000, n)
    price = (1000 * area + 5000 * rooms + 20_000 * heating).round(2)
    return {
        "area": area.tolist(),
        "rooms": rooms.tolist(),
        "sold": days.tolist(),
        "heating": [KINDS[i] for i in heating],
        "price": price.tolist(),
    }


def _text(columns: dict[str, Sequence], delimiter: str = ",", header: bool = True) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    if header:
        writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return out.getvalue()


def _plain(text: Callable[[], str], encoding: str = "utf-8") -> Callable[[Path], None]:
    return lambda path: path.write_bytes(text().encode(encoding)) and None


def _excel(thousands: str, decimal: str, date: str, currency: str) -> dict[str, Sequence]:
    """Return the columns as a spreadsheet of some country exports them."""
    columns = _cells()

    def amount(x: float) -> str:
        text = f"{x:,.2f}".translate(str.maketrans({",": thousands, ".": decimal}))
        return currency.format(text)

    return {
        **columns,
        "area": [amount(x).strip("€$ ") for x in columns["area"]],
        "sold": [d.strftime(date) for d in columns["sold"]],
        "price": [amount(x) for x in columns["price"]],
    }


def _with(**changed: Sequence) -> Callable[[], dict[str, Sequence]]:
    return lambda: {**changed, **{k: v for k, v in _cells().items() if k not in changed}}


def _holes(values: Sequence, words: Sequence[str] = ("", "NA", "n/a", "?", "NULL", "nan")) -> list:
    return [words[i % len(words)] if i % 5 == 0 else v for i, v in enumerate(values)]


def _wide() -> dict[str, Sequence]:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(N, 2000)).round(3)
    return {f"x{i}": X[:, i].tolist() for i in range(2000)} | {
        "y": np.where(X[:, 0] > 0, "yes", "no").tolist()
    }


def _long() -> dict[str, Sequence]:
    return _cells(n=200_000)


def _csv(
    name: str, columns: Callable[[], dict[str, Sequence]], target: str, *options: str, **how
) -> File:
    encoding, large = how.pop("encoding", "utf-8"), how.pop("large", False)
    return File(name, _plain(lambda: _text(columns(), **how), encoding), target, options, large)


def _of_rows(n: int) -> Callable[[], dict[str, Sequence]]:
    return lambda: {name: values[:n] for name, values in _cells().items()}


_CELLS = _cells()
FILES = [
    _csv("plain", _cells, "price"),
    _csv("classes", _cells, "heating"),
    _csv(
        "Excel, Germany",
        lambda: _excel(".", ",", "%d.%m.%Y", "{} €"),
        "price",
        delimiter=";",
        encoding="cp1252",
    ),
    _csv("Excel, United States", lambda: _excel(",", ".", "%m/%d/%Y", "${}"), "price"),
    _csv(
        "Excel, France",
        lambda: _excel("\u202f", ",", "%d/%m/%Y", "{} €"),
        "price",
        delimiter=";",
        encoding="utf-8-sig",
    ),
    _csv(
        "Excel, Switzerland",
        lambda: _excel("\u2019", ".", "%d.%m.%Y", "CHF {}"),
        "price",
        delimiter=";",
    ),
    _csv(
        "Unicode text of Excel",
        lambda: _excel(",", ".", "%m/%d/%Y", "${}"),
        "price",
        delimiter="\t",
        encoding="utf-16",
    ),
    _csv("bars", _cells, "price", delimiter="|"),
    _csv("no header", _cells, "-1", header=False),
    _csv("missing cells", _with(area=_holes(_CELLS["area"])), "price"),
    _csv("missing categories", _with(heating=_holes(_CELLS["heating"], [""])), "price"),
    _csv("missing targets", _with(price=_holes(_CELLS["price"])), "price"),
    _csv("a column of nothing", _with(nothing=[""] * N), "price"),
    _csv("row numbers", _with(number=range(1, N + 1)), "price"),
    _csv("an index without a name", _with(**{"": range(N)}), "price"),
    _csv("ids", _with(id=[f"K-{i * 7919 % 99991:05}" for i in range(N)]), "price"),
    _csv(
        "names and addresses",
        _with(
            name=[f"Person {i}" for i in range(N)],
            address=[f"{i} Long Street, Flat {i % 9}, Some Town" for i in range(N)],
        ),
        "heating",
    ),
    _csv(
        "free text",
        _with(note=[f"nice place number {i} with a view " * 150 for i in range(N)]),
        "price",
    ),
    _csv("a constant", _with(country=["CH"] * N), "price"),
    _csv(
        "ISO dates and times",
        _with(sold=[f"{d}T{i % 24:02}:30:00Z" for i, d in enumerate(_CELLS["sold"])]),
        "price",
    ),
    _csv("months by name", _with(sold=[d.strftime("%d %b %Y") for d in _CELLS["sold"]]), "price"),
    _csv("per cent", _with(share=[f"{i % 100} %" for i in range(N)]), "price"),
    _csv(
        "brackets for negatives",
        _with(balance=[f"({i:,}.00)" if i % 2 else f"{i:,}.00" for i in range(N)]),
        "price",
    ),
    _csv(
        "texts among numbers",
        _with(area=[v if i % 40 else "too large" for i, v in enumerate(_CELLS["area"])]),
        "price",
    ),
    _csv("truth values", _with(sunny=[area > 900 for area in _CELLS["area"]]), "sunny"),
    _csv("a name twice", _with(rooms=_CELLS["rooms"], **{"rooms ": _CELLS["rooms"]}), "price"),
    _csv("groups", _with(owner=[i // 6 for i in range(N)]), "price", "--group", "owner"),
    _csv("one class only", _with(heating=["oil"] * N), "heating"),
    _csv("three rows", _of_rows(3), "price", "--epochs", "5"),
    File(
        "packed by gzip",
        lambda path: path.write_bytes(gzip.compress(_text(_cells()).encode())) and None,
        "price",
    ),
    _csv("2,000 columns", _wide, "y", "--epochs", "5", large=True),
    _csv("200,000 rows", _long, "price", "--epochs", "2", large=True),
]


def train(file: File, folder: Path) -> dict:
    """Train on a file, and return the report."""
    path = folder / "data.csv"
    file.write(path)
    out = io.StringIO()
    words = ["train", str(path), "--target", file.target, *file.options]
    words += ["--json", "--force", "--out", str(folder / "model.safetensors")]
    errors = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        status = main(words)
    if status:
        raise RuntimeError(f"{file.name}: {errors.getvalue()}")
    return json.loads(out.getvalue())


def summary(facts: dict) -> str:
    """Return what the report says, in short."""
    test = facts.get("test")
    if test is None:
        score = facts["rows"]["why_no_test"]
    elif "accuracy" in test:
        score = f"{test['accuracy']:.1%} right, majority {test['baseline']['accuracy']:.1%}"
    else:
        score = f"RMSE {test['rmse']:.4g}, mean {test['baseline']['rmse']:.4g}"
    out = [f"{c['name']}: {c['why']:.50}" for c in facts["columns"] if c["kind"] == "left out"]
    missing = [f"{c['name']}: {c['missing']} missing" for c in facts["columns"] if c["missing"]]
    slips = [f"{c['name']}: {c['why']:.50}" for c in facts["columns"] if "as missing" in c["why"]]
    notes = facts["data"]["notes"]
    return "; ".join([score, *out[:2], *missing[:2], *slips, *notes])


def print_table() -> None:
    """Train on every file, and print a line for each."""
    print("| file | seconds | what the report says |\n| --- | ---: | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for file in FILES:
            start = time.perf_counter()
            facts = train(file, Path(folder))
            seconds = time.perf_counter() - start
            print(f"| {file.name} | {seconds:.1f} | {summary(facts)} |", flush=True)


if __name__ == "__main__":
    print_table()
