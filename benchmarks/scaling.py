"""pymlp alone, as width, depth and batch grow: its share of the floor must not fall by a tenth.

``python -m benchmarks.scaling --chart FOLDER/NAME``; with ``--threads`` also on 1, 2, ... threads.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import environment, palette, peak, peers, tables
from benchmarks.cells import Cell, inference

Sweeps = dict[str, tuple[Cell, ...]]

_WIDTHS = (8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
_DEPTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
_BATCHES = (4, 8, 16, 32, 64, 96, 128, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384)
# The same with neighbours of powers of two, whose rows fall into other sets of the caches.
_OUTPUTS = (*_WIDTHS[:-3], 496, 512, 528, 768, 1008, 1024, 1040, 1536, 2032, 2048)


def _training(widths: tuple[int, ...], batch: int) -> Cell:
    return Cell(widths, max(2_048, batch), batch, output="linear", optimizer="sgd")


TRAINING: Sweeps = {
    "width, 4 layers, batch 256": tuple(_training((w,) * 5, 256) for w in _WIDTHS),
    "depth, width 128, batch 256": tuple(_training((128,) * (d + 1), 256) for d in _DEPTHS),
    "batch, 4 layers of 128": tuple(_training((128,) * 5, b) for b in _BATCHES),
}
INFERENCE: Sweeps = {
    "width, 2 layers, 256 rows": tuple(inference((w,) * 3, 256) for w in _OUTPUTS),
    "width, 2 layers, 8,192 rows": tuple(inference((w,) * 3, 8_192) for w in _OUTPUTS),
}
THREAD_CELL = Cell((512,) * 5, 4_096, 512, output="linear", optimizer="sgd")
_SECONDS = 0.05
_TURNS = 5
_COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e6a800")


def swept(sweeps: Sweeps, threads: int) -> dict[str, list[dict[str, Any]]]:
    """Return for each sweep the points of its cells."""
    return {name: [point(cell, threads) for cell in cells] for name, cells in sweeps.items()}


def point(cell: Cell, threads: int) -> dict[str, Any]:
    """Return one cell's operations, time and share of the floor: the medians of turns.

    Each turn begins with what the machine can do at that moment.
    """
    run = peers.load(peers.OWN).prepare(cell, threads)
    run(1)
    times: int = max(1, int(_SECONDS / seconds(run, 1)))
    turns = [turn(cell, run, times, threads) for _ in range(_TURNS)]
    return {
        "name": cell.name,
        "threads": threads,
        "operations": cell.operations,
        "microseconds": median(taken for taken, _ in turns),
        "floor": median(floor for _, floor in turns),
        "share_of_floor": median(floor / taken for taken, floor in turns),
    }


def turn(cell: Cell, run: peers.Run, times: int, threads: int) -> tuple[float, float]:
    """Return the microseconds of a step or a call, and the floor at that moment."""
    floor = cell.floor(peak.gflops(cell.dtype, threads), peak.bandwidth(cell.held_bytes, threads))
    steps = times * (cell.steps if cell.training else 1)
    return seconds(run, times) / steps * 1e6, floor


def seconds(run: peers.Run, times: int) -> float:
    """Return the time of so many epochs or calls."""
    start = time.perf_counter()
    run(times)
    return time.perf_counter() - start


def worst_fall(points: Sequence[dict[str, Any]]) -> tuple[float, str]:
    """Return by which part the share falls at most below an earlier one, and where."""
    highest, worst = 0.0, (0.0, "nowhere")
    for p in points:
        highest = max(highest, p["share_of_floor"])
        fall = 1 - p["share_of_floor"] / highest
        worst = (fall, p["name"]) if fall > worst[0] else worst
    return worst


def rows(points: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Return a table of points."""
    return [
        ["cell", "threads", "million operations", "us a step", "floor", "share"],
        *(
            [
                p["name"],
                str(p["threads"]),
                f"{p['operations'] / 1e6:,.2f}",
                tables.microseconds(p["microseconds"]),
                tables.microseconds(p["floor"]),
                f"{p['share_of_floor']:.0%}",
            ]
            for p in points
        ),
    ]


@palette.look()
def draw(record: dict[str, Any], path: Path) -> None:
    """Write PATH.png and PATH.svg: the share of the floor against operations."""
    import matplotlib.pyplot as plt

    panels = [("Training steps", record["training"]), ("Calls of predict", record["inference"])]
    panels = [(title, sweeps) for title, sweeps in panels if sweeps]
    figure, axes = plt.subplots(
        1, len(panels), figsize=(10, 4.6), sharey=True, squeeze=False, layout="constrained"
    )
    for axis, (title, sweeps) in zip(axes[0], panels, strict=True):
        for (name, points), colour in zip(sweeps.items(), _COLOURS, strict=False):
            label = f"{name}: falls by {worst_fall(points)[0]:.0%}"
            x, y = ([p[key] for p in points] for key in ("operations", "share_of_floor"))
            axis.plot(x, y, "o-", color=colour, markersize=4, label=label)
        axis.axhline(1, linestyle="--", color="#777777", linewidth=1)
        axis.set(title=title, xscale="log", xlabel="multiplications and additions", ylim=(0, 1.08))
        axis.yaxis.set_major_formatter("{x:.0%}")
        axis.grid(color=palette.FAINT, linewidth=0.7)
        axis.legend(loc="lower right", title="what grows", alignment="left")
    axes[0, 0].set_ylabel("share of the floor")
    machine = record["machine"]
    figure.suptitle(
        f"pymlp, float32, {record['threads']} threads: {machine['processor']}, {record['date']}",
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
    add("--only", choices=("training", "inference"), help="one kind instead of both")
    arguments = parser.parse_args()
    environment.without_foreign_settings("benchmarks.scaling")
    cores = environment.cores()
    record: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": environment.machine(),
        "threads": cores,
        "training": {} if arguments.only == "inference" else swept(TRAINING, cores),
        "inference": {} if arguments.only == "training" else swept(INFERENCE, cores),
        "threads_sweep": [],
    }
    if arguments.threads:
        record["threads_sweep"] = [point(THREAD_CELL, n + 1) for n in range(cores)]
    for name, points in [*record["training"].items(), *record["inference"].items()]:
        fall, where = worst_fall(points)
        print(f"{name}\n{tables.text(rows(points))}\nworst fall: {fall:.0%}, at {where}\n")
    if arguments.threads:
        print(f"threads\n{tables.text(rows(record['threads_sweep']))}\n")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if arguments.chart is not None:
        draw(record, arguments.chart)


if __name__ == "__main__":
    main()
