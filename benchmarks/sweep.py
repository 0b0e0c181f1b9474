"""Random configurations beside every peer that can do them: where is pymlp behind?

    python -m benchmarks.sweep --seed 1 --json sweep.json --chart pictures/sweep

Networks of 1 to 6 layers of 3 to 1024, batches of 1 to 2,048, nine activations, both dtypes, half
of them trained and half put through `predict`. A seed gives the same configurations everywhere.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import chart, environment, palette, running, tables
from benchmarks.cells import BEHIND, OUTPUTS, Cell, inference
from benchmarks.measuring import Pace

ACTIVATIONS = (
    *("relu", "leaky_relu", "elu", "sigmoid", "tanh", "gelu", "silu", "softplus", "mish"),
)
# Those that were never the best are left out by default; generated code takes ten times as long to
# compile as to be measured.
LIBRARIES = "pymlp,NumPy,PyTorch,JAX,ONNX Runtime"
LOW = {True: 1.3, False: 1.2}  # training, inference: few are to be below
_EPOCH = 2e10  # operations, which bound the rows of a training
_PACE = Pace(rounds=7, turn=0.04, budget=3.0, looks=1)


def configurations(seed: int, number: int) -> list[Cell]:
    """Return so many cells, training and inference in turn, no two of one name."""
    draw = random.Random(seed)
    cells: dict[str, Cell] = {}
    while len(cells) < number:
        cell = training(draw) if len(cells) % 2 == 0 else prediction(draw)
        cells.setdefault(cell.name, cell)
    return list(cells.values())


def between(draw: random.Random, least: int, most: int) -> int:
    """Return a whole number, every octave as likely as the next."""
    return min(most, int(least * ((most + 1) / least) ** draw.random()))


def network(draw: random.Random) -> dict[str, Any]:
    """Return widths, activation and dtype; a third of the widths are powers of two."""
    widths = [between(draw, 3, 1024) for _ in range(draw.randint(1, 6) + 1)]
    widths = [1 << (w.bit_length() - 1) if w > 7 and draw.random() < 1 / 3 else w for w in widths]
    dtype = draw.choice(("float32", "float64"))
    return {"widths": tuple(widths), "hidden": draw.choice(ACTIVATIONS), "dtype": dtype}


def training(draw: random.Random) -> Cell:
    """Return a training; in half of them the last batch has fewer rows."""
    fields, batch = network(draw), between(draw, 1, 2_048)
    one = Cell(rows=batch, batch_size=batch, **fields)
    steps = max(1, min(4_096 // batch, int(_EPOCH / one.operations)))
    rows = batch * steps - (draw.randrange(batch) if steps > 1 and draw.random() < 0.5 else 0)
    rule, output = draw.choice(("adam", "sgd")), draw.choice(list(OUTPUTS))
    return Cell(rows=rows, batch_size=batch, optimizer=rule, output=output, **fields)


def prediction(draw: random.Random) -> Cell:
    """Return a call of `predict`."""
    fields = network(draw)
    return inference(rows=between(draw, 1, 2_048), **fields)


def summary(cells: Sequence[Mapping[str, Any]]) -> tables.Rows:
    """Return a table of what the ratios are like, in training and in inference."""
    rows = [["", "configurations", "median", "least", "below", "share below", "behind"]]
    for kind, low in LOW.items():
        ratios = [c["ratio"] for c in cells if c["training"] is kind and c["ratio"] is not None]
        if ratios:
            below = sum(ratio < low for ratio in ratios) / len(ratios)
            behind = sum(ratio < BEHIND for ratio in ratios)
            name, most = "training" if kind else "inference", (median(ratios), min(ratios))
            numbers = [f"{value:.2f}" for value in (*most, low)]
            rows.append([name, str(len(ratios)), *numbers, f"{below:.0%}", str(behind)])
    return rows


def lowest(cells: Sequence[Mapping[str, Any]]) -> tables.Rows:
    """Return a row for each cell below what few are to be below, the lowest first."""
    low = [c for c in cells if c["ratio"] is not None and c["ratio"] < LOW[c["training"]]]
    rows = [["configuration", "ratio", "pymlp", "best peer", "", "share"]]
    for cell in sorted(low, key=lambda cell: float(cell["ratio"])):
        peer, best = cell["best_peer"], cell["best"]
        times = (f"{tables.microseconds(best[k]['microseconds'])}" for k in ("pymlp", peer))
        own, other = times
        share = f"{cell['share_of_floor']:.0%}"
        rows.append([cell["name"], f"{cell['ratio']:.2f}", own, other, peer, share])
    return rows


@palette.look()
def draw_ratios(record: Mapping[str, Any], path: Path) -> None:
    """Write PATH.png and PATH.svg: every configuration's ratio by the operations that it takes."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 4.8), sharey=True, layout="constrained")
    cells = [cell for cell in record["cells"] if cell["ratio"] is not None]
    peers = dict.fromkeys(cell["best_peer"] for cell in cells)
    for axis, (kind, low) in zip(axes, LOW.items(), strict=True):
        for peer in peers:
            points = [c for c in cells if c["training"] is kind and c["best_peer"] == peer]
            axis.plot(
                [cell["operations"] for cell in points],
                [cell["ratio"] for cell in points],
                palette.SHAPES[peer],
                color=palette.COLOURS[peer],
                markersize=5,
                markeredgecolor="white",
                markeredgewidth=0.5,
                label=peer,
            )
        axis.axhline(1, color=palette.COLOURS["pymlp"], linewidth=1.2, zorder=1)
        axis.axhline(low, color="#999999", linestyle="--", linewidth=1, zorder=1)
        axis.set_title("Training" if kind else "Inference")
        axis.set(xscale="log", yscale="log", xlabel="multiplications and additions a step or call")
        axis.yaxis.set_major_locator(chart.ticks())
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter("")
        axis.grid(color=palette.FAINT, linewidth=0.7)
        axis.set_axisbelow(True)
    axes[0].set_ylabel("best peer's time over pymlp's")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, title="best peer", alignment="left", loc="outside right upper")
    machine = record["machine"]
    figure.suptitle(
        f"{len(cells)} random networks: {machine['processor']}, {machine['cores']} cores, "
        f"{record['date'][:10]}",
        x=0.01,
        ha="left",
        fontsize=10,
        weight="bold",
    )
    palette.save(figure, path)
    plt.close(figure)


def options() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sweep", description=(__doc__ or "").splitlines()[0]
    )
    add = parser.add_argument
    add("--seed", type=int, required=True, metavar="S", help="of the configurations")
    add("--configs", type=int, default=200, metavar="N", help="how many (default 200)")
    add("--list", action="store_true", help="print the names of the tasks, and stop")
    running.add_options(parser, LIBRARIES)
    add("--chart", type=Path, metavar="FOLDER/NAME", help="draw NAME.png and NAME.svg")
    add("--markdown", action="store_true", help="print the tables in Markdown")
    add("--from", dest="source", type=Path, metavar="FILE", help="measure nothing: read --json's")
    return parser


def main() -> None:
    """Measure or read, print and draw."""
    arguments = options().parse_args()
    cells = configurations(arguments.seed, arguments.configs)
    if arguments.list:
        print(*(cell.name for cell in cells), sep="\n")
        return
    if arguments.source is not None:
        record = json.loads(arguments.source.read_text(encoding="utf-8"))
    else:
        environment.without_foreign_settings("benchmarks.sweep")
        record = running.run("benchmarks.sweep", cells, arguments, _PACE)
    layout = tables.markdown if arguments.markdown else tables.text
    print(layout(summary(record["cells"])), layout(lowest(record["cells"])), sep="\n\n")
    if arguments.chart is not None:
        draw_ratios(record, arguments.chart)


if __name__ == "__main__":
    main()
