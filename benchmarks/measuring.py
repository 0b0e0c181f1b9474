"""Turns: every library works for a moment, again and again: a clock drifts for all alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks import peak
from benchmarks.cells import Cell
from benchmarks.worker import Worker, WorkerError

Key = tuple[str, int]  # library, threads

_FEWEST_ROUNDS = 3
_HOPELESS = 1.5  # times a library's better number of threads: the other is not measured further


@dataclass(frozen=True)
class Pace:
    """How long a cell may take."""

    rounds: int = 9  # turns of each, at most
    turn: float = 0.1  # seconds that a turn is to take, where an epoch is not longer
    budget: float = 8.0  # seconds, which many rounds of long epochs would exceed
    looks: int = 9  # rounds, at most, that begin with what the machine can do


@dataclass
class Times:
    """Microseconds a step in every turn, and what the machine could do beside them.

    Peaks are 10^9 operations, bandwidths 10^9 bytes of parameters and state, a second.
    """

    turns: dict[Key, list[float]] = field(default_factory=dict)
    peaks: list[float] = field(default_factory=list)
    bandwidths: list[float] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)


def measure(
    cell: Cell, workers: Sequence[Worker], pace: Pace, cores: int, say: Callable[[str], None]
) -> Times:
    """Return the times of one cell."""
    times = Times()
    ready = prepared(cell, workers, times, say)
    epochs, seconds = calibrated(ready, times, pace.turn)
    ready = hopeful(ready, seconds)
    lap = sum(seconds[key_of(worker)] * epochs[key_of(worker)] for worker in ready)
    affordable = max(_FEWEST_ROUNDS, int(pace.budget / max(lap, 1e-9)))
    for i in range(min(pace.rounds, affordable)):
        if i < pace.looks:
            look_at_machine(cell, cores, times)
        for worker in ready:
            take_turn(cell, worker, epochs[key_of(worker)], times)
    return times


def look_at_machine(cell: Cell, cores: int, times: Times) -> None:
    """Note what all cores reach together, nobody else working."""
    times.peaks.append(peak.gflops(cell.dtype, cores))
    times.bandwidths.append(peak.bandwidth(cell.held_bytes, cores))


def key_of(worker: Worker) -> Key:
    """Return what tells a worker from the others."""
    return worker.library, worker.threads


def prepared(
    cell: Cell, workers: Sequence[Worker], times: Times, say: Callable[[str], None]
) -> list[Worker]:
    """Let all workers build what they need, at once, and return those that can do it."""
    for worker in workers:
        worker.prepare(cell)
    ready = []
    for worker in workers:
        try:
            if worker.end():
                ready.append(worker)
        except WorkerError as failure:
            times.failures[worker.library] = str(failure)
            say(f"{worker.library} on {worker.threads} threads is left out: {failure}")
    return ready


def calibrated(
    workers: list[Worker], times: Times, turn: float
) -> tuple[dict[Key, int], dict[Key, float]]:
    """Return how many epochs make a turn of each, and the seconds that an epoch took."""
    epochs: dict[Key, int] = {}
    seconds: dict[Key, float] = {}
    for worker in list(workers):
        key = key_of(worker)
        try:
            epochs[key], seconds[key] = epochs_a_turn(worker, turn)
        except WorkerError as failure:
            times.failures[worker.library] = str(failure)
            workers.remove(worker)
    return epochs, seconds


def epochs_a_turn(worker: Worker, turn: float) -> tuple[int, float]:
    """Return how many epochs fill a turn, and the seconds of one."""
    epochs, seconds = 1, worker.run(1)
    while seconds < turn / 4:
        epochs = int(epochs * min(100.0, turn / 2 / max(seconds, 1e-6))) + 1
        seconds = worker.run(epochs)
    each = seconds / epochs
    return max(1, round(turn / each)), each


def hopeful(workers: Sequence[Worker], seconds: dict[Key, float]) -> list[Worker]:
    """Return the workers without those whose number of threads is plainly a library's worse."""
    best: dict[str, float] = {}
    for (library, _), time in seconds.items():
        best[library] = min(time, best.get(library, time))
    return [w for w in workers if seconds[key_of(w)] <= _HOPELESS * best[w.library]]


def take_turn(cell: Cell, worker: Worker, epochs: int, times: Times) -> None:
    """Let one worker work and note its microseconds a step."""
    steps = epochs * (cell.steps if cell.training else 1)
    try:
        step = worker.run(epochs) / steps * 1e6
    except WorkerError as failure:
        times.failures[worker.library] = str(failure)
        return
    times.turns.setdefault(key_of(worker), []).append(step)
