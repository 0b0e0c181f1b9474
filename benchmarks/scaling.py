"""pymlp alone, as width, depth and batch grow: the cost of an operation must not grow with them.

``python -m benchmarks.scaling --chart FOLDER/NAME``; with ``--threads`` also on 1, 2, ... threads.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import environment, palette, peak, peers, tables
from benchmarks.cells import Cell

SWEEPS: dict[str, tuple[Cell, ...]] = {
    "width, 4 layers, batch 256": tuple(
        Cell((width,) * 5, 2_048, 256, output="linear", optimizer="sgd")
        for width in (8, 16, 32, 64, 128, 256, 512, 1024)
    ),
    "depth, width 128, batch 256": tuple(
        Cell((128,) * (depth + 1), 2_048, 256, output="linear", optimizer="sgd")
        for depth in (1, 2, 4, 8, 16, 32, 64)
    ),
    "batch, 4 layers of 128": tuple(
        Cell((128,) * 5, max(2_048, batch), batch, output="linear", optimizer="sgd")
        for batch in (4, 16, 64, 256, 1_024, 4_096, 16_384)
    ),
}
THREAD_CELL = Cell((512,) * 5, 4_096, 512, output="linear", optimizer="sgd")
_SECONDS = 0.05
_TURNS = 9
_COLOURS = ("#d55e00", "#0072b2", "#009e73")


def microseconds(cell: Cell, threads: int) -> float:
    """Return the time of a step, the least of some turns."""
    run = peers.load(peers.OWN).prepare(cell, threads)
    run(1)
    start = time.perf_counter()
    run(1)
    epochs = max(1, int(_SECONDS / (time.perf_counter() - start)))
    times = []
    for _ in range(_TURNS):
        start = time.perf_counter()
        run(epochs)
        times.append(time.perf_counter() - start)
    return min(times) / epochs / cell.steps * 1e6


def swept(threads: int) -> dict[str, list[dict[str, Any]]]:
    """Return for each sweep the points of its cells, each with the peak beside it."""
    return {name: [point(cell, threads) for cell in cells] for name, cells in SWEEPS.items()}


def point(cell: Cell, threads: int) -> dict[str, Any]:
    """Return one cell's operations, time, and share of the peak."""
    limit = max(peak.gflops(cell.dtype, threads) for _ in range(3))
    time = microseconds(cell, threads)
    return {
        "name": cell.name,
        "threads": threads,
        "operations": cell.operations,
        "microseconds": time,
        "picoseconds_an_operation": time / cell.operations * 1e6,
        "share_of_peak": cell.floor(limit) / time,
        "peak_gflops": limit,
    }


def rows(points: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Return a table of points."""
    return [
        ["cell", "threads", "million operations", "us a step", "ps an operation", "of the peak"],
        *(
            [
                p["name"],
                str(p["threads"]),
                f"{p['operations'] / 1e6:,.2f}",
                tables.microseconds(p["microseconds"]),
                f"{p['picoseconds_an_operation']:.2f}",
                f"{p['share_of_peak']:.0%}",
            ]
            for p in points
        ),
    ]


@palette.look()
def draw(record: dict[str, Any], path: Path) -> None:
    """Write PATH.png and PATH.svg: time against operations, and the cost of one operation."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")
    for (name, points), colour in zip(record["sweeps"].items(), _COLOURS, strict=True):
        x = [p["operations"] for p in points]
        for axis, key in ((left, "microseconds"), (right, "picoseconds_an_operation")):
            axis.plot(x, [p[key] for p in points], "o-", color=colour, markersize=4, label=name)
    limit = max(p["peak_gflops"] for points in record["sweeps"].values() for p in points)
    ends = [
        f([p["operations"] for points in record["sweeps"].values() for p in points])
        for f in (min, max)
    ]
    left.plot(ends, [n / limit / 1e3 for n in ends], "--", color="#777777", label="the peak")
    right.axhline(1e3 / limit, linestyle="--", color="#777777", label="the peak")
    left.set(title="A training step", ylabel="microseconds", yscale="log")
    right.set(title="One operation of it", ylabel="picoseconds", yscale="log")
    for axis in (left, right):
        axis.set(xscale="log", xlabel="multiplications and additions a step")
        axis.grid(color=palette.FAINT, linewidth=0.7)
    left.legend(title="what grows", alignment="left")
    machine = record["machine"]
    figure.suptitle(
        f"pymlp, float32, SGD, {record['threads']} threads: {machine['processor']}, "
        f"{record['date']}",
        x=0.01,
        ha="left",
        fontsize=10,
        weight="bold",
    )
    palette.save(figure, path)
    plt.close(figure)


def main() -> None:
    """Measure, print, write and draw."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    add = parser.add_argument
    add("--chart", type=Path, metavar="FOLDER/NAME", help="draw NAME.png and NAME.svg")
    add("--json", type=Path, metavar="FILE", help="write everything that was found")
    add("--threads", action="store_true", help="one network on 1, 2, ... threads as well")
    arguments = parser.parse_args()
    environment.without_foreign_settings("benchmarks.scaling")
    cores = environment.cores()
    record: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": environment.machine(),
        "threads": cores,
        "sweeps": swept(cores),
        "threads_sweep": [],
    }
    if arguments.threads:
        record["threads_sweep"] = [point(THREAD_CELL, n + 1) for n in range(cores)]
    for name, points in [*record["sweeps"].items(), ("threads", record["threads_sweep"])]:
        if points:
            print(f"{name}\n{tables.text(rows(points))}\n")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if arguments.chart is not None:
        draw(record, arguments.chart)


if __name__ == "__main__":
    main()
