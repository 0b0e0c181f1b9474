"""What each option costs: steps with it beside the same steps without, in turns.

    python -m benchmarks.switches [--dtype float64] [--threads 2] [--rounds 20] [--only gelu,mish]

Trains 54-256-256-256-7 with batches of 256, once with one option changed and once with relu, Adam
and cross-entropy, one after the other in every round. Prints the median of the ratios of the pairs,
the activations' beside a mark of 1.25 and all others' beside one of 1.1.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

import pymlp
from benchmarks import environment, tables

WIDTHS, BATCH, STEPS = [54, 256, 256, 256, 7], 256, 16
ACTIVATION_MARK, MARK = 1.25, 1.1
# Losses of numbers that may be anything, behind the activation that their outputs need.
LOSSES = {
    "mse": "linear",
    "mae": "linear",
    "huber": "linear",
    "log_cosh": "linear",
    "quantile": "linear",
    "hinge": "linear",
    "poisson": "softplus",
    "binary_cross_entropy": "sigmoid",
    "kl_divergence": "softmax",
}


class Switch(NamedTuple):
    """One option: what it changes of the network and of fit, and the ratio that is its mark."""

    name: str
    network: dict[str, Any]
    fit: dict[str, Any]
    mark: float = MARK
    targets: str = "labels"


def switches() -> Iterator[Switch]:
    """Yield every option that is measured."""
    yield Switch("nothing", {}, {})
    for name in pymlp.activations.TABLE:
        yield Switch(name, {"hidden": name}, {}, ACTIVATION_MARK)
    yield Switch("dropout", {"dropout": 0.2}, {})
    yield Switch("input_dropout", {"input_dropout": 0.2}, {})
    for name, output in LOSSES.items():
        yield Switch(name, {"output": output}, {"loss": name}, MARK, _targets_of(name))
    for name in pymlp.optimizers.TABLE:
        if name != "lbfgs":
            yield Switch(name, {}, {"optimizer": name})
    yield from _regularisers()


def _regularisers() -> Iterator[Switch]:
    weights = np.linspace(0.5, 1.5, BATCH * STEPS)
    smoothed = pymlp.losses.CrossEntropy(label_smoothing=0.1)
    schedules = pymlp.schedules
    for option, value in {
        "l1": 1e-5,
        "l2": 1e-4,
        "clip_norm": 1.0,
        "clip_value": 1.0,
        "max_norm": 3.0,
        "average": 0.99,
        "sample_weight": weights,
        "class_weight": "balanced",
        "schedule": {"learning_rate": schedules.Cosine(), "l2": schedules.FlatCos()},
    }.items():
        needed = {"l2": 1e-4} if option == "schedule" else {}
        yield Switch(option, {}, {option: value, **needed})
    yield Switch("label_smoothing", {}, {"loss": smoothed})
    yield Switch("weight_decay", {}, {"optimizer": pymlp.AdamW(weight_decay=0.01)})


def _targets_of(loss: str) -> str:
    return {"hinge": "signs", "kl_divergence": "shares", "poisson": "counts"}.get(loss, "numbers")


def targets(rng: np.random.Generator) -> dict[str, Any]:
    """Return what a loss may be measured against."""
    shape = (BATCH * STEPS, WIDTHS[-1])
    numbers = rng.uniform(size=shape)
    return {
        "labels": rng.integers(0, WIDTHS[-1], len(numbers)),
        "numbers": numbers,
        "signs": np.where(numbers > 0.5, 1.0, -1.0),
        "shares": numbers / numbers.sum(axis=1, keepdims=True),
        "counts": rng.poisson(2.0, shape).astype(float),
    }


def _network(switch: Switch, dtype: str) -> pymlp.Network:
    # Weights so small that layers of exp stay finite.
    small = pymlp.initializers.Normal(0.02)
    options: dict[str, Any] = {"output": "softmax", "init": small, **switch.network}
    return pymlp.Network(WIDTHS, dtype=dtype, seed=0, **options)


def ratio(switch: Switch, dtype: str, threads: int, rounds: int) -> tuple[float, float]:
    """Return the least microseconds of a step, and the median ratio of the pairs."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(BATCH * STEPS, WIDTHS[0])).astype(dtype)
    of = targets(rng)
    pair = [(_network(each, dtype), each) for each in (Switch("nothing", {}, {}), switch)]
    found: list[tuple[float, float]] = []
    for turn in range(rounds + 1):  # the first warms up
        times = [0.0, 0.0]
        for place in (0, 1) if turn % 2 else (1, 0):
            net, each = pair[place]
            options = {"threads": threads, "batch_size": BATCH, "epochs": 1, **each.fit}
            # A small rate, so that nothing grows or becomes subnormal while it is measured.
            if not isinstance(options.get("optimizer"), pymlp.Optimizer):
                options["learning_rate"] = 1e-5
            started = time.perf_counter()
            net.fit(X, of[each.targets], **options)
            times[place] = (time.perf_counter() - started) / STEPS * 1e6
        found.append((times[0], times[1]))
    found = found[1:]
    return min(new for _, new in found), statistics.median(new / old for old, new in found)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.switches", description=__doc__)
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--only", help="names of options, separated by commas")
    parser.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    arguments = parser.parse_args()
    environment.without_foreign_settings("benchmarks.switches")
    warnings.simplefilter("ignore", UserWarning)  # that behind a step nothing is learnt
    only = arguments.only.split(",") if arguments.only else None
    rows = [["option", "us a step", "ratio", "mark", ""]]
    for switch in switches():
        if only is not None and switch.name not in only:
            continue
        least, median = ratio(switch, arguments.dtype, arguments.threads, arguments.rounds)
        missed = "" if median <= switch.mark else "missed"
        rows.append([switch.name, f"{least:.0f}", f"{median:.3f}", f"{switch.mark}", missed])
    layout = tables.markdown if arguments.markdown else tables.text
    print(layout(rows))


if __name__ == "__main__":
    main()
