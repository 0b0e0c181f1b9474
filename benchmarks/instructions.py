"""Instructions that pymlp executes in a step or a call: exact where times are noise.

    python -m benchmarks.instructions            # compare with instructions.json; fail at 10 % more
    python -m benchmarks.instructions --write    # a change is meant: these numbers hold from now on

Valgrind counts, on one thread and the kernels for AVX2, which it can run. What a compiler makes of
the same source differs, so numbers are kept for each. They say nothing of waits for memory.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks import peers, tables
from benchmarks.cells import Cell, inference

# Small: Valgrind computes a multiply-add of vectors number by number. Each has so many epochs or
# calls that a step stands out from the call of `fit`.
CELLS: tuple[tuple[Cell, int], ...] = (
    (Cell((4, 10, 3), 160, 16), 20),
    (Cell((4, 32, 16, 4), 500, 500, hidden="tanh"), 4),
    (Cell((17, 64, 64, 6), 256, 64, hidden="tanh"), 1),
    (Cell((784, 100, 10), 96, 96), 1),
    (Cell((54, 256, 256, 256, 7), 96, 96), 1),
    (inference((784, 512, 512, 10), 32), 1),
)
FILE = Path(__file__).with_name("instructions.json")
LIMIT = 1.10
SKIPPED = 79  # the exit status where there is nothing to compare: `.ci/run` knows it
# A function of the C library that only the child calls, by `os.getpgid`: Valgrind writes what it
# has counted, and begins again, whenever it is entered.
_MARKER = "getpgid"


def counted() -> dict[str, float]:
    """Return the instructions of a step of each cell, counted in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        tool = ["--tool=callgrind", f"--dump-before={_MARKER}*"]
        output = f"--callgrind-out-file={folder}/counts"
        child = [sys.executable, "-m", "benchmarks.instructions", "--child"]
        settings = {"PYMLP_ISA": "avx2", "PYMLP_GEMM": "native", "PYTHONHASHSEED": "0"}
        subprocess.run(
            ["valgrind", *tool, output, *child],
            env=os.environ | settings,
            stderr=subprocess.PIPE,
            check=True,
            text=True,
        )
        # The first file has all that came before the first cell.
        totals = [total(Path(f"{folder}/counts.{i + 2}")) for i in range(3 * len(CELLS))]
    return {
        cell.name: (totals[3 * i + 2] - totals[3 * i + 1]) / (epochs * steps_of(cell))
        for i, (cell, epochs) in enumerate(CELLS)
    }


def steps_of(cell: Cell) -> int:
    """Return the steps of an epoch, or the one call that stands for it."""
    return cell.steps if cell.training else 1


def work() -> None:
    """Run every cell, with marks around what is counted: the child's part.

    The difference between twice the epochs and once has nothing of the call of `fit`.
    """
    os.getpgid(0)
    for cell, epochs in CELLS:
        run = peers.load(peers.OWN).prepare(cell, 1)
        run(1)
        os.getpgid(0)
        run(epochs)
        os.getpgid(0)
        run(2 * epochs)
        os.getpgid(0)


def total(file: Path) -> int:
    """Return the instructions of one of Valgrind's files."""
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("totals:"):
            return int(line.split()[1])
    raise ValueError(f"{file} has no totals")


def key() -> str:
    """Return what the numbers depend on beside the source."""
    import pymlp

    compiler = str(pymlp.show_config()["compiler"])
    return f"avx2, {compiler.split('.')[0]}"


def compared(counts: Mapping[str, float], before: Mapping[str, float]) -> tuple[tables.Rows, bool]:
    """Return a table, and whether no cell needs more than the limit's multiple of before."""
    rows = [["cell", "before", "now", "ratio", ""]]
    for name, count in counts.items():
        if name not in before:
            raise KeyError(f"instructions.json has no {name!r}: run with --write")
        ratio = count / before[name]
        verdict = "too many" if ratio > LIMIT else ""
        rows.append([name, f"{before[name]:,.0f}", f"{count:,.0f}", f"{ratio:.3f}", verdict])
    return rows, all(not row[-1] for row in rows)


def main() -> int:
    """Count, and compare or write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.instructions", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--write", action="store_true", help="keep these numbers from now on")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        work()
        return 0
    if platform.machine() != "x86_64" or shutil.which("valgrind") is None:
        print("not counted: it takes Valgrind on x86-64")
        return SKIPPED
    record = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    if not arguments.write and key() not in record:
        print(f"not compared: there are numbers for {', '.join(record)}, not for {key()}")
        return SKIPPED
    counts = counted()
    if arguments.write:
        record[key()] = {name: round(count) for name, count in counts.items()}
        FILE.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    rows, holds = compared(counts, record[key()])
    print(f"{key()}, instructions a step or call\n{tables.text(rows)}")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
