"""A run over cells: workers start, every cell is measured, and what is found is kept at once."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import environment, measuring, peers, results, tables
from benchmarks.cells import Cell
from benchmarks.measuring import Pace
from benchmarks.worker import Worker, WorkerError


def add_options(parser: argparse.ArgumentParser, libraries: str = "") -> None:
    """Add what `run` reads: which libraries, on how many threads, and where the record goes."""
    add = parser.add_argument
    help_text = f"of {', '.join(peers.MODULES)} (default {libraries or 'all'})"
    add("--libraries", default=libraries, metavar="A,B", help=help_text)
    add("--threads", metavar="N,N", help="numbers of threads to try (default 1 and all cores)")
    add("--json", type=Path, metavar="FILE", help="write what was found, after every task")
    add("--resume", action="store_true", help="keep the tasks that --json's file has already")


def run(
    module: str, cells: Sequence[Cell], arguments: argparse.Namespace, pace: Pace
) -> dict[str, Any]:
    """Return the record of a run of a module, which is written after every cell."""
    cores = environment.cores()
    numbers = arguments.threads.split(",") if arguments.threads else [1, cores]
    names = arguments.libraries.split(",") if arguments.libraries else list(peers.MODULES)
    workers = [Worker(name, n) for name in names for n in sorted({int(n) for n in numbers})]
    record: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join(["python -m", module, *sys.argv[1:]]),
        "machine": environment.machine(),
        "libraries": {},
        "left_out": {},
        "cells": [],
    }
    try:
        workers = introduced(workers, record)
        say(tables.libraries(record) + "\n")
        if arguments.resume and arguments.json is not None:
            record["cells"] = results.kept(arguments.json, record)
        done = {found["name"] for found in record["cells"]}
        for cell in (cell for cell in cells if cell.name not in done):
            times = measuring.measure(cell, workers, pace, cores, say)
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


def say(line: str) -> None:
    """Tell how it goes, beside the tables."""
    print(line, file=sys.stderr, flush=True)


def write(record: dict[str, Any], path: Path | None) -> None:
    """Write the record as JSON, if a place for it is given; who is ended leaves the last one."""
    if path is not None:
        part = path.with_name(f"{path.name}.part")
        part.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        part.replace(path)


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
