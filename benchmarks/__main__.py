"""pymlp beside other libraries, taking turns in one run, each at its better number of threads."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import chart, environment, measuring, peers, results, tables
from benchmarks.cells import Cell
from benchmarks.marks import MARKS
from benchmarks.others import OTHERS
from benchmarks.worker import Worker, WorkerError

SETS = {"marks": MARKS, "others": OTHERS, "all": MARKS + OTHERS}


def options() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--set", choices=SETS, default="marks", help="which tasks (default marks)")
    add("--cell", default="", metavar="TEXT", help="only tasks whose name contains this")
    add("--list", action="store_true", help="print the names of the tasks, and stop")
    add("--rounds", type=int, default=9, metavar="N", help="turns of each, at most (default 9)")
    add("--libraries", metavar="A,B", help=f"of {', '.join(peers.MODULES)} (default all)")
    add("--threads", metavar="N,N", help="numbers of threads to try (default 1 and all cores)")
    add(
        "--json",
        type=Path,
        metavar="FILE",
        help="write everything that was found, after every task",
    )
    add("--resume", action="store_true", help="keep the tasks that --json's file has already")
    add("--chart", type=Path, metavar="FOLDER/NAME", help="draw NAME.png and NAME.svg")
    add("--markdown", action="store_true", help="print the tables in Markdown")
    add("--from", dest="source", type=Path, metavar="FILE", help="measure nothing: read --json's")
    return parser


def main() -> None:
    """Parse the arguments, measure or read, and print, write and draw."""
    parser = options()
    arguments = parser.parse_args()
    cells = [cell for cell in SETS[arguments.set] if arguments.cell in cell.name]
    if arguments.list:
        print(*(cell.name for cell in cells), sep="\n")
        return
    if arguments.resume and arguments.json is None:
        parser.error("--resume needs --json")
    if not cells:
        parser.error(f"no task's name contains {arguments.cell!r}")
    if arguments.source is not None:
        record = json.loads(arguments.source.read_text(encoding="utf-8"))
    else:
        environment.without_foreign_settings("benchmarks")
        record = measured(cells, arguments)
    print(tables.both_kinds(record, tables.markdown if arguments.markdown else tables.text))
    print(f"\n{tables.NOTE}")
    if arguments.chart is not None:
        chart.draw(record, arguments.chart)


def say(line: str) -> None:
    """Tell how it goes, beside the tables."""
    print(line, file=sys.stderr, flush=True)


def measured(cells: list[Cell], arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the record of a run, which is written after every cell."""
    cores = environment.cores()
    numbers = arguments.threads.split(",") if arguments.threads else [1, cores]
    names = arguments.libraries.split(",") if arguments.libraries else list(peers.MODULES)
    workers = [Worker(name, n) for name in names for n in sorted({int(n) for n in numbers})]
    record: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join(["python -m benchmarks", *sys.argv[1:]]),
        "machine": environment.machine(),
        "libraries": {},
        "left_out": {},
        "cells": [],
    }
    try:
        workers = introduced(workers, record)
        say(tables.libraries(record) + "\n")
        if arguments.resume:
            record["cells"] = results.kept(arguments.json, record)
        done = {found["name"] for found in record["cells"]}
        for cell in (cell for cell in cells if cell.name not in done):
            times = measuring.measure(cell, workers, arguments.rounds, cores, say)
            found = results.summary(cell, times, record["machine"]["kind"])
            record["cells"].append(found)
            say(one_line(found))
            write(record, arguments.json)
    except KeyboardInterrupt:
        say("interrupted: what was measured until now follows")
    finally:
        for worker in workers:
            worker.stop()
    return record


def write(record: dict[str, Any], path: Path | None) -> None:
    """Write the record as JSON, if a place for it is given."""
    if path is not None:
        path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def introduced(workers: list[Worker], record: dict[str, Any]) -> list[Worker]:
    """Ask every worker what it is; those that cannot say are left out, and why is noted."""
    for worker in workers:
        worker.begin("about")
    present = []
    for worker in workers:
        try:
            record["libraries"][worker.library] = worker.end()
            present.append(worker)
        except WorkerError as failure:
            record["left_out"][worker.library] = str(failure)
            worker.stop()
    return present


def one_line(cell: dict[str, Any]) -> str:
    """Return a cell's times, as they come."""
    times = [f"{k} {v['microseconds']:.4g} ({v['threads']})" for k, v in cell["best"].items()]
    ratio, share = (cell[key] or float("nan") for key in ("ratio", "share_of_floor"))
    return f"{cell['name']}: ratio {ratio:.2f}, share {share:.0%}; us: " + ", ".join(times)


if __name__ == "__main__":
    main()
