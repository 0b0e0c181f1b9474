"""Bytes as a file of a model: refused by `pymlp.FileFormatError`, or a model that predicts.

``python -m fuzz.load_files FOLDER -max_total_time=60`` begins with a file of every kind.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["pymlp", "json", "fuzz"]):
    from fuzz import mutants
    from fuzz.originals import GO_ON, TABLE, originals

warnings.simplefilter("ignore")
PATH = Path(tempfile.mkdtemp()) / "mutant"


def given(data: bytes) -> None:
    """Load a file, and use what it holds."""
    go_on = list(GO_ON.values())[len(data) % len(GO_ON)] if b'"checkpoint' in data else None
    mutants.check(data, TABLE, PATH, len(data) % 8 == 0, go_on)


def changed(data: bytes, most: int, seed: int) -> bytes:
    """Return a file that is changed by what it is, or by its bytes."""
    import random

    chance = random.Random(seed)
    try:
        return mutants.mutant(data, chance)[:most]
    except Exception:  # it is no file any more
        return bytes(atheris.Mutate(data, most))


def begin(folder: Path) -> None:
    """Write the files that all others come from."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        for kind, original in originals(Path(name)).items():
            (folder / kind).write_bytes(original.data)


def main(line: list[Any]) -> None:
    """Fuzz, with the corpus in a folder."""
    begin(Path(line[1]))
    atheris.Setup([*line, "-max_len=20000"], given, custom_mutator=changed)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
