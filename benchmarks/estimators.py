"""pymlp's estimators beside scikit-learn's, on scikit-learn's bundled sets: scores and seconds.

Both get the same parameters, folds and seeds: inputs (and the targets of a regression) scaled, five
folds, five seeds. Each library works in a process of its own, at one and at all threads; the better
median of a set counts. Scores are means over the 25 fits with their standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import sklearn.neural_network
from numpy.typing import NDArray

SETS = ("iris", "wine", "breast_cancer", "digits", "diabetes", "linnerud")
_NUMBERS = ("diabetes", "linnerud")
SETTINGS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "early stopping": {"early_stopping": True},
}


class Row(NamedTuple):
    """What one set gives: for scikit-learn and for pymlp scores and seconds of 25 fits."""

    set: str
    settings: str
    scores: dict[str, list[float]]
    seconds: dict[str, list[float]]

    def cells(self) -> list[str]:
        theirs, ours = (np.array(self.scores[name]) for name in ("scikit-learn", "pymlp"))
        error = theirs.std(ddof=1) / np.sqrt(len(theirs))
        a, b = (1e3 * float(np.median(self.seconds[name])) for name in ("scikit-learn", "pymlp"))
        return [
            self.set, self.settings, f"{theirs.mean():.4f} ± {error:.4f}", f"{ours.mean():.4f}",
            f"{(ours.mean() - theirs.mean()) / error:+.2f}", f"{a:.1f}", f"{b:.1f}", f"{a / b:.1f}",
        ]  # fmt: skip


HEAD = ["set", "settings", "scikit-learn's score", "pymlp's", "difference in standard errors",
        "scikit-learn's fit, ms", "pymlp's, ms", "times faster"]  # fmt: skip


def table(rows: Sequence[Row]) -> str:
    """Return rows as a Markdown table."""
    lines = [HEAD, ["---", "---", *["---:"] * (len(HEAD) - 2)], *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def samples(name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return a set's inputs and targets; numbers are scaled."""
    from sklearn import datasets
    from sklearn.preprocessing import scale

    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return X, scale(y) if name in _NUMBERS else y


def folds(name: str, seed: int, X: Any, y: Any) -> Iterator[tuple[Any, Any, Any, Any]]:
    """Yield five divisions into training and test samples, inputs scaled by the former."""
    from sklearn.model_selection import KFold, StratifiedKFold
    from sklearn.preprocessing import StandardScaler

    kind = KFold if name in _NUMBERS else StratifiedKFold
    for train, test in kind(5, shuffle=True, random_state=seed).split(X, y):
        scaler = StandardScaler().fit(X[train])
        yield scaler.transform(X[train]), y[train], scaler.transform(X[test]), y[test]


def work(name: str, settings: str, seeds: int, library: str) -> dict[str, list[float]]:
    """Return scores and seconds of one library's fits, a fold of a seed after the other."""
    import pymlp

    package = sklearn.neural_network if library == "scikit-learn" else pymlp
    kind = getattr(package, "MLPRegressor" if name in _NUMBERS else "MLPClassifier")
    X, y = samples(name)
    found: dict[str, list[float]] = {"scores": [], "seconds": []}
    warnings.simplefilter("ignore")
    kind(max_iter=2).fit(X, y)  # what is imported at first use is no part of a fit
    for seed in range(seeds):
        for Xt, yt, Xv, yv in folds(name, seed, X, y):
            model = kind(random_state=seed, **SETTINGS[settings])
            begun = time.perf_counter()
            model.fit(Xt, yt)
            found["seconds"].append(time.perf_counter() - begun)
            found["scores"].append(float(model.score(Xv, yv)))
    return found


def in_process(
    name: str, settings: str, seeds: int, library: str, threads: int
) -> dict[str, list[float]]:
    """Return the same from a process of its own, with so many threads."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.estimators",
        "--sets",
        name,
        "--settings",
        settings,
    ]
    command += ["--seeds", str(seeds), "--work", library]
    limits = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), str(threads))
    done = subprocess.run(
        command, env=os.environ | limits, check=True, capture_output=True, text=True
    )
    found: dict[str, list[float]] = json.loads(done.stdout)
    return found


def measure(name: str, settings: str, seeds: int) -> Row:
    """Return the scores, and of each library the seconds at its better number of threads."""
    row = Row(name, settings, {}, {})
    for library in ("scikit-learn", "pymlp"):
        counts = sorted({1, len(os.sched_getaffinity(0))})
        runs = [in_process(name, settings, seeds, library, threads) for threads in counts]
        row.scores[library] = runs[0]["scores"]
        row.seconds[library] = min((run["seconds"] for run in runs), key=np.median)
    return row


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print a table, and keep the numbers where that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.estimators", description=__doc__)
    parser.add_argument("--sets", default=",".join(SETS), help="some of %(default)s")
    parser.add_argument("--settings", default=",".join(SETTINGS), help="some of %(default)s")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="add the rows to this file")
    parser.add_argument("--from", dest="source", type=Path, help="print a file, measuring nothing")
    parser.add_argument("--work", help=argparse.SUPPRESS)  # a library, in a process of its own
    options = parser.parse_args(argv)
    if options.work is not None:
        print(json.dumps(work(options.sets, options.settings, options.seeds, options.work)))
        return
    if options.source is not None:
        rows = [Row(**row) for row in json.loads(options.source.read_text(encoding="utf-8"))]
    else:
        rows = [
            measure(name, settings, options.seeds)
            for settings in options.settings.split(",")
            for name in options.sets.split(",")
        ]
    if options.json is not None:
        kept = json.loads(options.json.read_text(encoding="utf-8")) if options.json.exists() else []
        done = kept + [row._asdict() for row in rows]
        options.json.write_text(json.dumps(done), encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
