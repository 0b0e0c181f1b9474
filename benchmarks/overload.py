"""Training and predictions where the machine has less to give than they ask for.

    python -m benchmarks.overload

Each line is a process of its own: alone, beside processes that compute for ever, on 64 threads, in
control groups of half a core and of no more memory than it takes (where groups can be made), with
the lowest priority, beside 1,000 networks that are alive. Steps for a CPU
second, beside those of the same work alone, tell what is spent in vain on waits; the share of the
machine, beside that of a thread among those that compute, tells whether it gets what is its own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BURN = [sys.executable, "-c", "while True: pass"]
QUOTA = 0.5  # cores
# Of the resident peak, a part of which is others' libraries: with 0.7 the kernel ends the process.
MEMORY = 0.8
CGROUPS = Path("/sys/fs/cgroup")
IS_V1 = (CGROUPS / "cpu").is_dir()


@dataclass(frozen=True)
class Load:
    """What stands in the way of the work: other processes, threads, limits, other networks."""

    name: str
    threads: int = 0  # of a call; 0: those that the package takes
    burners: int = 0
    quota: bool = False
    memory: bool = False  # at its limit
    networks: int = 0  # that have been trained and are alive
    nice: int = 0


LOADS = [
    Load("alone"),
    Load("64 threads", threads=64),
    Load("beside 4 processes", burners=4),
    Load("64 threads beside 4", threads=64, burners=4),
    Load("half a core", quota=True),
    Load("64 threads, half a core", threads=64, quota=True),
    Load("memory at its limit", memory=True),
    Load("beside 1,000 networks", networks=1000),
    Load("lowest priority beside 4", burners=4, nice=19),
]


# ---- the work, in a process of its own -----------------------------------------------------------
def fit(seconds: float) -> int:
    """Train, and return the steps."""
    import numpy as np

    import pymlp

    rng = np.random.default_rng(0)
    X = rng.normal(size=(6400, 54)).astype(np.float32)
    net = pymlp.Network([54, 256, 256, 7], output="softmax", seed=0)
    net.fit(X, rng.integers(0, 7, 6400), epochs=10**9, batch_size=256, max_seconds=seconds)
    return len(net.history.loss) * 25 if net.history else 0


def predictions(seconds: float, threads: int = 8) -> int:
    """Predict in Python threads that share a network, and return how often."""
    import numpy as np

    import pymlp

    X = np.ones((256, 54), np.float32)
    net = pymlp.Network([54, 256, 256, 7], output="softmax", seed=0)
    counts = [0] * threads
    ended = time.perf_counter() + seconds

    def predict(number: int) -> None:
        while time.perf_counter() < ended:
            net.predict(X)
            counts[number] += 1

    workers = [threading.Thread(target=predict, args=(i,)) for i in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(counts)


WORKS: dict[str, Callable[[float], int]] = {"fit": fit, "predict": predictions}


def trained(count: int) -> Any:
    """Return so many networks."""
    import numpy as np

    import pymlp

    X = np.ones((64, 54), np.float32)
    networks = [pymlp.Network([54, 32, 7], seed=i) for i in range(count)]
    for network in networks:
        network.fit(X, X[:, :7], epochs=1)
    return networks


def work(name: str, threads: int, seconds: float, networks: int) -> dict[str, float]:
    """Do one kind of work; return how often, in how many seconds by the clock and of CPU."""
    import pymlp

    if threads:
        pymlp.set_num_threads(threads)
    alive = trained(networks)
    WORKS[name](0.1)
    started, cpu = time.perf_counter(), time.process_time()
    done = WORKS[name](seconds)
    return {
        "done": done,
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - cpu,
        "peak": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "alive": len(alive),
    }


# ---- the loads -----------------------------------------------------------------------------------
@contextlib.contextmanager
def burning(count: int) -> Iterator[None]:
    """Let so many processes compute for ever meanwhile."""
    processes = [subprocess.Popen(BURN) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


@contextlib.contextmanager
def control_group(controller: str, settings: dict[str, int | str]) -> Iterator[Path | None]:
    """Make a control group with some settings; None where that is not allowed."""
    folder = CGROUPS / (controller if IS_V1 else "") / f"pymlp-overload-{os.getpid()}"
    try:
        folder.mkdir()
        for name, value in settings.items():
            (folder / name).write_text(str(value))
    except OSError:
        with contextlib.suppress(OSError):
            folder.rmdir()
        yield None
        return
    try:
        yield folder
    finally:
        folder.rmdir()


def quota_group(cores: float) -> contextlib.AbstractContextManager[Path | None]:
    """Make a group of so many cores."""
    period = 100_000
    quota = int(cores * period)
    if IS_V1:
        return control_group("cpu", {"cpu.cfs_period_us": period, "cpu.cfs_quota_us": quota})
    return control_group("cpu", {"cpu.max": f"{quota} {period}"})


def memory_group(bytes_: float) -> contextlib.AbstractContextManager[Path | None]:
    """Make a group of so much memory."""
    name = "memory.limit_in_bytes" if IS_V1 else "memory.max"
    return control_group("memory", {name: int(bytes_)})


def measured(name: str, load: Load, seconds: float, peak: float) -> dict[str, float] | None:
    """Return the figures of one kind of work under a load; None where it cannot be made.

    `peak` is what the work takes of memory, in bytes, where it is not limited.
    """
    command = [sys.executable, "-m", "benchmarks.overload", "--work", name]
    command += ["--threads", str(load.threads), "--seconds", str(seconds)]
    command += ["--networks", str(load.networks)]
    groups = contextlib.nullcontext()
    if load.quota or load.memory:
        groups = quota_group(QUOTA) if load.quota else memory_group(MEMORY * peak)
    with groups as group:
        if (load.quota or load.memory) and group is None:
            return None

        def enter() -> None:
            os.nice(load.nice)
            if group is not None:
                (group / "cgroup.procs").write_text(str(os.getpid()))

        with burning(load.burners):
            out = subprocess.run(command, check=True, stdout=subprocess.PIPE, preexec_fn=enter)
    figures: dict[str, float] = json.loads(out.stdout)
    return figures


def fair_share(load: Load, cores: int, threads: int) -> float:
    """Return the cores that so many threads may expect, each as much as any other."""
    share = min(threads, cores * threads / max(cores, threads + load.burners))
    return min(share, QUOTA) if load.quota else share


def line(load: Load, figures: dict[str, float] | None, alone: dict[str, float], fair: float) -> str:
    """Return what is said of one load."""
    if figures is None:
        return f"{load.name:26} cannot be made here"
    speed = figures["done"] / figures["seconds"]
    efficiency = figures["done"] / figures["cpu"] * alone["cpu"] / alone["done"]
    cores = figures["cpu"] / figures["seconds"]
    of_fair = "" if load.nice else f", {cores / fair:.0%} of a fair share"
    return (
        f"{load.name:26}{speed:9.0f} /s; {efficiency:4.0%} as much a CPU second as alone; "
        f"{cores:.2f} cores{of_fair}"
    )


def main() -> None:
    """Print a line for every load."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="of each line")
    parser.add_argument("--work", choices=WORKS, help="do one kind of work, and print it as JSON")
    parser.add_argument("--threads", type=int, default=0, help="of that work")
    parser.add_argument("--networks", type=int, default=0, help="that are alive beside it")
    arguments = parser.parse_args()
    if arguments.work:
        given = arguments.work, arguments.threads, arguments.seconds, arguments.networks
        print(json.dumps(work(*given)))
        return
    from benchmarks import environment

    cores = environment.cores()
    for name in WORKS:
        print(f"{name}, {cores} cores")
        alone: dict[str, Any] = {}
        for load in LOADS:
            figures = measured(name, load, arguments.seconds, alone.get("peak", 0))
            alone = alone or dict(figures or {})
            threads = load.threads or cores
            print(line(load, figures, alone, fair_share(load, cores, threads)), flush=True)


if __name__ == "__main__":
    main()
