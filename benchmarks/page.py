# ruff: noqa: E501  (lines of a page)
"""docs/speed.md: the tables of a run, without what is asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks import tables
from benchmarks.peers import NO_PEERS

Record = Mapping[str, Any]

_TEXT = """# Speed beside other libraries

<!-- Made by: python -m benchmarks --from docs/speed.json --page docs/speed.md -->

Microseconds a training step (shuffle, gather, forward, loss, backward, update) and a call of `predict`: medians of turns
that the libraries took in one run, each at the better number of threads (in parentheses), on {where}, `python -m benchmarks`.
Ratio: the best other's time over pymlp's. Floor: the matrix products at the speed that all cores sustain on random
numbers, or the parameters at the speed of the caches that hold them; share: the floor over pymlp's time.

![pymlp beside other libraries](speed.png)

## Training, one step

{training}

## Prediction, one call

{prediction}

The whole record is [speed.json](speed.json), with every turn, the versions and kernels of the libraries, pymlp on BLAS
and PyTorch's products of bfloat16, another arithmetic; `python -m benchmarks --from docs/speed.json` prints it, with
`--chart docs/speed --page docs/speed.md` it draws the picture and writes this page. A turn of the last two trainings is
one `fit` of 8 and 4 steps; part of it is fresh memory, which longer trainings pay once. `pymlp bench` measures an
installation without the others; [performance.md](performance.md) says how the times come about.
"""


def page(record: Record) -> str:
    """Return the page of a record."""
    machine = record["machine"]
    processor = f"{machine['processor']} (family {machine['family']}, model {machine['model']})"
    where = f"{machine['cores']} cores of an {processor}, {record['date'][:10]}"
    return _TEXT.format(
        where=where, training=_table(record, True), prediction=_table(record, False)
    )


def _table(record: Record, training: bool) -> str:
    cells = [cell for cell in record["cells"] if cell["training"] is training]
    names = [name for name in tables.libraries_of(cells) if name not in NO_PEERS or name == "pymlp"]
    rows = tables.rows_of(cells, names)
    return tables.markdown([row[:-2] for row in rows])  # without what is asked, and the verdict
