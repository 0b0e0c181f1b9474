"""From times to what is said of them: medians, ratios, shares of the floor; pure arithmetic."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.cells import AHEAD, Cell, Mark
from benchmarks.measuring import Times
from benchmarks.peers import NO_PEERS, OWN

Turns = Mapping[tuple[str, int], Sequence[float]]


def better_threads(turns: Turns) -> dict[str, dict[str, float | int]]:
    """Return for each library its median at the number of threads where that is least."""
    best: dict[str, dict[str, float | int]] = {}
    for (library, threads), times in turns.items():
        middle = median(times)
        if library not in best or middle < best[library]["microseconds"]:
            best[library] = {"microseconds": middle, "least": min(times), "threads": threads}
    return best


def best_peer(best: Mapping[str, Mapping[str, float]]) -> str | None:
    """Return the fastest library that is not ours, and computes in the precision of the task."""
    rivals = [library for library in best if library not in NO_PEERS]
    return min(rivals, key=lambda library: best[library]["microseconds"], default=None)


def summary(cell: Cell, times: Times, kind: str) -> dict[str, Any]:
    """Return the record of one cell: the task, every time taken, and what follows from them.

    ``kind`` is that of the processor, which decides what is asked of it.
    """
    best = better_threads(times.turns)
    # Whatever else the machine does can only lower what it reaches.
    peak = max(times.peaks, default=None)
    bandwidth = max(times.bandwidths, default=None)
    record = cell.as_dict() | {
        "turns": [
            {"library": library, "threads": threads, "microseconds": list(turns)}
            for (library, threads), turns in times.turns.items()
        ],
        "best": best,
        "best_peer": best_peer(best),
        "peak_gflops": peak,
        "bandwidth_gigabytes": bandwidth,
        "floor": None if peak is None or bandwidth is None else cell.floor(peak, bandwidth),
        "failures": times.failures,
    }
    found = record | comparisons(record)
    return found | {"asked": asked(cell.mark, kind), "missed": missed(found, cell.mark, kind)}


def comparisons(record: Mapping[str, Any]) -> dict[str, float | None]:
    """Return how many times as fast as the best peer pymlp is, and its share of the floor.

    None stands where the one or the other is missing.
    """
    own = record["best"].get(OWN, {}).get("microseconds")
    peer = record["best"].get(record["best_peer"], {}).get("microseconds")
    return {
        "ratio": peer / own if own and peer else None,
        "share_of_floor": record["floor"] / own if own and record["floor"] else None,
    }


def asked(mark: Mark | None, kind: str) -> dict[str, float]:
    """Return what is asked of such a processor: share, ratio and microseconds, those there are."""
    if mark is None:
        return {"ratio": AHEAD}
    share, time = mark.share_on(kind), mark.microseconds_on(kind)
    found = {"share": share, "ratio": mark.ratio, "microseconds": time}
    return {name: value for name, value in found.items() if value is not None}


def missed(record: Mapping[str, Any], mark: Mark | None, kind: str) -> list[str] | None:
    """Return the names of what is asked and not reached; None where nothing can be judged."""
    reached = {
        "share": record["share_of_floor"],
        "ratio": record["ratio"],
        "microseconds": record["best"].get(OWN, {}).get("microseconds"),
    }
    judged = {k: v for k, v in asked(mark, kind).items() if reached[k] is not None}
    if not judged:
        return None
    return [
        k for k, v in judged.items() if (reached[k] > v if k == "microseconds" else reached[k] < v)
    ]


def kept(path: Path, record: Mapping[str, Any], of: str = "cells") -> list[dict[str, Any]]:
    """Return the cells that a file has already, of the same machine and the same libraries."""
    if not path.exists():
        return []
    before = json.loads(path.read_text(encoding="utf-8"))
    if any(before[key] != record[key] for key in ("machine", "libraries")):
        raise SystemExit(f"{path} is of another machine or other libraries: nothing is resumed")
    return list(before[of])
