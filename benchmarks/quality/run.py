"""A run over splits, models and data sets, which is written after every fit."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from benchmarks import environment, results
from benchmarks.quality.datasets import DATASETS, Dataset
from benchmarks.quality.realmlp import MODELS_AND_RECIPES
from benchmarks.quality.worker import Worker, WorkerError
from benchmarks.running import say, write

MODULE = "benchmarks.quality"


def run(sets: Sequence[Dataset], models: Sequence[str], arguments: argparse.Namespace) -> Any:
    """Return the record of a run: every set with every model, one split after the other."""
    record = about(sets, models)
    for name, reason in record["left_out"].items():
        say(f"{name} is left out: {reason}")
    if arguments.resume:
        found = results.kept(arguments.json, record, "fits")
        record["fits"] = [fit for fit in found if "failure" not in fit]
    done = {key_of(fit) for fit in record["fits"]}
    try:
        for seed in range(arguments.splits):
            for model in (name for name in models if name not in record["left_out"]):
                key = (seed, model, arguments.threads)
                wanted = [d.name for d in sets if d.installed and (d.name, *key) not in done]
                for fit in fits(wanted, *key, arguments.limit):
                    record["fits"].append(fit)
                    say(one_line(fit))
                    write(record, arguments.json)
    except KeyboardInterrupt:
        say("interrupted: what was found until now follows")
    return record


def key_of(fit: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what makes a fit the same as another."""
    return fit["set"], fit["split"], fit["model"], fit["threads"]


def about(sets: Sequence[Dataset], names: Sequence[str]) -> dict[str, Any]:
    """Return a record without fits: where, when, with which versions, and what is left out."""
    models = MODELS_AND_RECIPES
    packages = {model.package for model in models.values()} | {d.package for d in DATASETS}
    versions = {name: _version(name) for name in sorted(packages, key=str.lower)}
    absent = {name: m.package for name, m in models.items() if name in names and not m.installed}
    absent |= {d.name: d.package for d in sets if not d.installed}
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join(["python -m", MODULE, *sys.argv[1:]]),
        "machine": environment.machine(),
        "libraries": {name: found for name, found in versions.items() if found is not None},
        "left_out": {name: f"{package} is not installed" for name, package in absent.items()},
        "models": {name: model.settings for name, model in models.items()},
        "fits": [],
    }


def _version(package: str) -> str | None:
    if package == "pymlp":
        import pymlp

        return pymlp.__version__
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def fits(names: Sequence[str], seed: int, model: str, threads: int, limit: float) -> Any:
    """Yield the record of each fit of a model on one split, or why there is none."""
    worker = Worker(model, threads, limit)
    try:
        for name in names:
            fit = {"set": name, "split": seed, "model": model, "threads": threads}
            try:
                yield fit | worker.fit(name, seed)
            except WorkerError as failure:
                yield fit | {"failure": str(failure)}
    finally:
        worker.stop()


def one_line(fit: dict[str, Any]) -> str:
    """Return a fit as it comes."""
    found = fit.get("failure") or f"{fit['error']:.4g}, {fit['cpu_seconds']:.3g} s"
    return f"{fit['model']}, {fit['set']}, split {fit['split']}: {found}"
