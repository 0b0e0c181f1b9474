"""From times to what is said of them: medians, ratios, shares of the floor; pure arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.cells import Cell
from benchmarks.peers import OWN

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
    """Return the fastest library that is not ours."""
    peers = [library for library in best if library != OWN]
    return min(peers, key=lambda library: best[library]["microseconds"], default=None)


def summary(cell: Cell, turns: Turns, peaks: Sequence[float]) -> dict[str, Any]:
    """Return the record of one cell: the task, every time taken, and what follows from them."""
    best = better_threads(turns)
    peer = best_peer(best)
    # Whatever else the machine does can only lower it.
    peak = max(peaks, default=None)
    record = cell.as_dict() | {
        "turns": [
            {"library": library, "threads": threads, "microseconds": list(times)}
            for (library, threads), times in turns.items()
        ],
        "best": best,
        "best_peer": peer,
        "peak_gflops": peak,
        "floor": None if peak is None else cell.floor(peak),
        "mark_ratio": None if cell.mark is None else cell.mark.ratio,
    }
    return record | ratios(record)


def ratios(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return pymlp's share of the best peer's time, whether that meets the mark, and the floor's.

    None stands where the one or the other is missing.
    """
    own = record["best"].get(OWN, {}).get("microseconds")
    peer = record["best"].get(record["best_peer"], {}).get("microseconds")
    ratio = own / peer if own and peer else None
    mark = record["mark_ratio"]
    return {
        "ratio": ratio,
        "meets_mark": ratio <= mark if ratio is not None and mark is not None else None,
        "share_of_floor": record["floor"] / own if own and record["floor"] else None,
    }
