"""pymlp beside scikit-learn, PyTorch and JAX: the figures of the table in README.md.

``python -m benchmarks.beside --json docs/beside.json`` measures sizes and imports, and one
prediction by scikit-learn, which the record of the speeds does not have; ``--from`` reads them.
Either way it prints the table, with the times of one step and one prediction from docs/speed.json.
"""

from __future__ import annotations

import argparse
import importlib.metadata as metadata
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from timeit import timeit
from typing import Any

from benchmarks import environment, tables

LIBRARIES = {
    "pymlp": ("pymlp", "import pymlp"),
    "scikit-learn": ("scikit-learn", "import sklearn.neural_network"),
    "PyTorch": ("torch", "import torch"),
    "JAX": ("jax", "import jax, jax.numpy"),
}
STEP, PREDICTION = "784-100-10, 16,000 rows, batch 200", "predict 64-100-10, 1 row"
_TURNS = 7
_SPEEDS = Path(__file__).parents[1] / "docs" / "speed.json"
_IMPORT = "import numpy, time\nt = time.perf_counter()\n{}\nprint(time.perf_counter() - t)"


def megabytes(distribution: str) -> float:
    """Return the size of what is installed with a distribution, NumPy and bytecode apart."""
    return sum(map(_size, _needed(distribution, set()))) / 1e6


def _needed(name: str, found: set[str]) -> set[str]:
    """Return a distribution and all that it needs, apart from NumPy, without extras."""
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in found or key == "numpy":
        return found
    try:
        requires = metadata.requires(key) or []
    except metadata.PackageNotFoundError:
        if key != "pymlp":  # a marker does not hold here
            return found
        requires = ["tqdm"]  # run from the source
    found.add(key)
    for line in requires:
        if "extra ==" not in line:
            _needed(re.split(r"[^\w.-]", line, maxsplit=1)[0], found)
    return found


def _size(name: str) -> int:
    if name == "pymlp":
        import pymlp

        files = list(Path(pymlp.__file__).parent.rglob("*"))
    else:
        files = [Path(str(f.locate())) for f in metadata.files(name) or []]
    kept = (f for f in files if f.is_file() and f.suffix != ".pyc" and "_core_test" not in f.name)
    return sum(f.stat().st_size for f in kept)


def milliseconds(statement: str) -> float:
    """Return how long a fresh process takes to import a library after NumPy: the median."""
    command = [sys.executable, "-c", _IMPORT.format(statement)]
    times = [float(subprocess.check_output(command)) for _ in range(_TURNS + 1)]
    return 1e3 * median(times[1:])  # the first one reads files from the disk


def prediction_by_scikit_learn() -> float:
    """Return the microseconds of `predict_proba` for one row of the network of `PREDICTION`."""
    import warnings

    import numpy as np
    from sklearn.neural_network import MLPClassifier

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400, 64)).astype(np.float32), np.arange(400) % 10
    model, row = MLPClassifier((100,), max_iter=1), X[:1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one epoch does not converge
        model.fit(X, y)
    return (
        median(timeit(lambda: model.predict_proba(row), number=200) / 200 for _ in range(9)) * 1e6
    )


def measured() -> dict[str, Any]:
    """Return sizes and times of imports, with the versions that they are of."""
    import pymlp

    libraries = {
        label: {
            "version": pymlp.__version__ if label == "pymlp" else metadata.version(name),
            "megabytes": megabytes(name),
            "import_milliseconds": milliseconds(statement),
        }
        for label, (name, statement) in LIBRARIES.items()
    }
    libraries["scikit-learn"]["prediction_microseconds"] = prediction_by_scikit_learn()
    return {"machine": environment.machine(), "libraries": libraries}


def table(record: Mapping[str, Any], speeds: Mapping[str, Any]) -> str:
    """Return the rows of figures, in Markdown."""
    libraries = record["libraries"]
    versions = [f"{label} {about['version'].split('+')[0]}" for label, about in libraries.items()]
    rows = [
        ["", *versions],
        ["installed, beside NumPy", *(f"{a['megabytes']:,.0f} MB" for a in libraries.values())],
        [
            "import, after NumPy",
            *(f"{a['import_milliseconds']:,.0f} ms" for a in libraries.values()),
        ],
        ["a training step, 784-100-10, 200 rows", *_times(record, speeds, STEP)],
        ["a prediction, 64-100-10, one row", *_times(record, speeds, PREDICTION)],
    ]
    return tables.markdown(rows)


def _times(record: Mapping[str, Any], speeds: Mapping[str, Any], name: str) -> list[str]:
    (cell,) = [cell for cell in speeds["cells"] if cell["name"].startswith(name)]
    found = {library: best["microseconds"] for library, best in cell["best"].items()}
    if not cell["training"]:
        about = record["libraries"]["scikit-learn"]
        found["scikit-learn"] = about["prediction_microseconds"]
    return [f"{tables.microseconds(found[label])} µs" for label in record["libraries"]]


def main() -> None:
    """Measure or read, print the table, and write the record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.beside", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the record")
    parser.add_argument("--from", dest="source", type=Path, metavar="FILE", help="measure nothing")
    arguments = parser.parse_args()
    if arguments.source is None:
        environment.without_foreign_settings("benchmarks.beside")
        record = measured()
    else:
        record = json.loads(arguments.source.read_text(encoding="utf-8"))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(table(record, json.loads(_SPEEDS.read_text(encoding="utf-8"))))


if __name__ == "__main__":
    main()
