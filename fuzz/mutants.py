"""Files of models that somebody damaged or forged: what `pymlp.load` must refuse, or make work.

``python -m fuzz.mutants 100000 --seed 1`` tries so many and says what came of them.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import copy
import csv
import io
import json
import random
import struct
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import pymlp
from fuzz.originals import LABELS, TEXTS, GoOn, X, originals
from pymlp import cli

HOSTILE: list[Any] = [
    None, True, False, -1, 0, 1, 2**31, 2**60, 2**63, 2**64, 2**70, 10**400, 0.5, -1e-9, 1e308,
    float("nan"), float("inf"), "", "x", "\ud800", "\x1b[2J\n", "nan", "float64", "<U500000000",
    "V8", "i4,O", [], [[]], [None], [1] * 50, [10**9, 10**9], {}, {"a": 1}, {"tuple": [1]},
    {"module": "pymlp.activations", "class": "ELU", "fields": {"dict": [["alpha", "x"]]}},
    {"module": "pymlp.activations", "class": "_BuiltIn", "fields": {"dict": [["__class__", 1]]}},
    {"module": "os", "class": "system", "fields": {"dict": []}},
]  # fmt: skip


# ---- edits ---------------------------------------------------------------------------------------


class Edited:
    """A file with its JSON taken apart."""

    def __init__(self, data: bytes) -> None:
        (n,) = struct.unpack("<Q", data[:8])
        self.head, self.body = json.loads(data[8 : 8 + n]), bytearray(data[8 + n :])
        self.stored = json.loads(self.head.pop("__metadata__")["pymlp"])
        texts = self.stored["metadata"]
        texts |= {name: json.loads(texts[name]) for name in TEXTS if name in texts}

    def file(self, chance: random.Random, doubled: bool = False) -> bytes:
        """Return the file as it is now; with a key of some JSON there twice where that is asked."""
        stored = copy.copy(self.stored)
        texts = stored.get("metadata")
        if isinstance(texts, dict):
            stored["metadata"] = texts | {n: json.dumps(texts[n]) for n in TEXTS if n in texts}
        inner = json.dumps(stored)
        if doubled and chance.random() < 0.5:
            inner = _with_key_twice(inner, chance)
        head = json.dumps(self.head | {"__metadata__": {"pymlp": inner}})
        if doubled and inner == json.dumps(stored):
            head = _with_key_twice(head, chance)
        packed = head.encode()
        packed += b" " * (-len(packed) % 8)
        return struct.pack("<Q", len(packed)) + packed + self.body


def _with_key_twice(text: str, chance: random.Random) -> str:
    places = [i for i, letter in enumerate(text) if text.startswith('{"', i)]
    place = chance.choice(places) + 1
    key = text[place : text.index('"', place + 1) + 1]
    return f"{text[:place]}{key}: {chance.choice(['1', '{}', 'null'])}, {text[place:]}"


def _places(stored: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    keys = list(stored) if isinstance(stored, dict) else range(min(len(stored), 5))
    for key in keys:
        yield (*above, key)
        if isinstance(stored[key], dict | list):
            yield from _places(stored[key], (*above, key))


def _number_near(value: float, chance: random.Random) -> Any:
    near = [value + 1, value - 1, -value, 2 * value, 1000 * value]
    return chance.choice(near if abs(value) > 1e300 else [*near, float(value), value / 3])


def _edit_value(stored: Any, chance: random.Random) -> None:
    """Change one value, by what it is; or take it away, double it, or put another in its place."""
    places = list(_places(stored))
    if not places:
        return
    *way, last = chance.choice(places)
    inside = stored
    for key in way:
        inside = inside[key]
    value, kind = inside[last], chance.randrange(8)
    if kind == 0:
        del inside[last]
    elif kind == 1 and isinstance(inside, list):
        inside.insert(last, copy.deepcopy(value))
    elif kind == 1:
        inside[chance.choice(["__class__", "__dict__", "new\n", ""])] = copy.deepcopy(value)
    elif kind == 2:
        inside[last] = [copy.deepcopy(value)]
    elif kind == 3:
        *to, name = chance.choice(places)
        with contextlib.suppress(LookupError, TypeError):
            for key in to:
                stored = stored[key]
            inside[last] = copy.deepcopy(stored[name])
    elif kind < 6 and isinstance(value, int | float) and not isinstance(value, bool):
        inside[last] = _number_near(value, chance)
    elif kind == 6 and isinstance(value, str):
        inside[last] = chance.choice([value[:-1], value + "\n", value.upper(), value * 1000])
    else:
        inside[last] = copy.deepcopy(chance.choice(HOSTILE))


def _edit_head(edited: Edited, chance: random.Random) -> None:
    name = chance.choice(list(edited.head))
    entry, kind = edited.head[name], chance.randrange(7)
    if kind == 0:
        entry["dtype"] = chance.choice(["BF16", "F16", "I64", "F64", "F32", "BOOL", 3, None])
    elif kind == 1:
        shapes = [[2**60], [2**31, 2**31], [0], [], [-1], [1] * 70, [2.5], "x", [10**400], None]
        entry["shape"] = chance.choice([*shapes, entry["shape"][::-1]])
    elif kind == 2:
        first, last = entry["data_offsets"]
        near = [[last, first], [first + 4, last + 4], [first, first], [0, 2**63], [first], None]
        entry["data_offsets"] = chance.choice(near)
    elif kind == 3:
        edited.head[name + chance.choice(["", "x", "\n", "\x1b"])] = edited.head.pop(name)
    elif kind == 4:
        edited.head["more"] = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    elif kind == 5:
        other = chance.choice(list(edited.head))
        edited.head[name], edited.head[other] = edited.head[other], edited.head[name]
    else:
        _edit_value(edited.head, chance)


def _edit_tensors(edited: Edited, chance: random.Random) -> None:
    entry = edited.head[chance.choice(list(edited.head))]
    first, last = entry["data_offsets"]
    size = 4 if entry["dtype"] == "F32" else 8
    place = first + size * chance.randrange((last - first) // size)
    value = chance.choice([np.nan, np.inf, -np.inf, -1.0, -0.0, 1e30, 1e-45, 3e38, 0.0])
    edited.body[place : place + size] = struct.pack("<f" if size == 4 else "<d", value)


def _edit_bytes(data: bytes, chance: random.Random) -> bytes:
    found, kind = bytearray(data), chance.randrange(6)
    if kind == 0:
        return data[: chance.randrange(len(data))]
    if kind == 1:
        return data + chance.randbytes(chance.randrange(1, 20))
    if kind == 2:
        found[:8] = struct.pack("<Q", chance.choice([0, 2, 7, 2**31, 2**63, 10**8, len(data)]))
    elif kind == 3:
        (n,) = struct.unpack("<Q", data[:8])
        found[:8] = struct.pack("<Q", max(0, n + chance.randrange(-9, 9)))
    for _ in range(chance.choice([1, 1, 2, 8]) if kind > 3 else 0):
        # The header is small beside the tensors, and what is in it matters more.
        place = chance.randrange(min(len(data), chance.choice([8, 2000, 10**9])))
        found[place] ^= 1 << chance.randrange(8)
    return bytes(found)


def mutant(data: bytes, chance: random.Random) -> bytes:
    """Return a file that is not as it was."""
    kind = chance.randrange(10)
    if kind < 2:
        return _edit_bytes(data, chance)
    edited = Edited(data)
    if kind == 2:
        _edit_head(edited, chance)
    elif kind == 3:
        _edit_tensors(edited, chance)
    else:
        for _ in range(chance.choice([1, 1, 1, 2, 3])):
            stored = edited.stored["metadata"] if chance.random() < 0.5 else edited.stored
            _edit_value(stored if isinstance(stored, dict) else edited.stored, chance)
            if not isinstance(edited.stored.get("metadata"), dict):
                break
    return edited.file(chance, doubled=chance.random() < 0.05)


# ---- what must hold of each ----------------------------------------------------------------------

# Of a call that is refused: the file may name other columns, or threads that there are not.
REFUSED = (ValueError, TypeError, pymlp.TrainingDiverged)


def check(
    data: bytes, inputs: Any, path: Path, thoroughly: bool = False, go_on: GoOn | None = None
) -> str:
    """Return "refused" or "loaded"; what else is raised has no place in a stranger's file.

    `go_on` is the training whose checkpoint this was.
    """
    path.write_bytes(data)
    if go_on is not None:
        assert _told(go_on, path).isprintable()
        path.write_bytes(data)  # it may have gone on
    with contextlib.suppress(pymlp.FileFormatError):
        pymlp.load(path, optimizer=True)
    if thoroughly:
        _check_command_line(path, inputs)
    try:
        model = pymlp.load(path)
    except pymlp.FileFormatError as error:
        said = str(error)
        assert str(path) in said and said.isprintable() and len(said) < 1000, said  # noqa: PT018
        return "refused"
    assert len(repr(model)) > 0
    with contextlib.suppress(*REFUSED):
        model.predict(inputs)
    if thoroughly:
        _use(model, inputs, path)
    return "loaded"


def _told(go_on: GoOn, path: Path) -> str:
    """Return why a training does not go on, if it does not."""
    try:
        go_on(path)
    except (ValueError, pymlp.TrainingDiverged) as error:
        return str(error)
    return ""


def _use(model: Any, inputs: Any, path: Path) -> None:
    """Save it, load it once more, and go on with its training."""
    with contextlib.suppress(*REFUSED):
        model.save(path)
        pymlp.load(path)
    model._repr_html_() if hasattr(model, "_repr_html_") else None
    with contextlib.suppress(*REFUSED):
        if isinstance(model, pymlp.Network | pymlp.NetworkStack):
            rows = np.asarray(inputs)
            model.fit(rows, np.zeros((len(rows), model.widths[-1])), loss="mse", epochs=1)
        elif hasattr(model, "partial_fit"):
            model.partial_fit(inputs, LABELS if hasattr(model, "classes_") else X[:, 0])


def _check_command_line(path: Path, inputs: Any) -> None:
    rows = path.with_name("rows.csv")
    _write_rows(rows, inputs)
    for command in (["show"], ["show", "--json"], ["predict", str(rows)]):
        out, wrong = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(wrong):
            status = cli.main([command[0], str(path), *command[1:]])
        assert status in (0, 1), status
        if status or command[0] == "show":  # predictions may come with remarks
            assert wrong.getvalue().count("\n") == status, wrong.getvalue()


def _write_rows(rows: Path, inputs: Any) -> None:
    columns = inputs if isinstance(inputs, dict) else dict(zip("abc", inputs.T, strict=True))
    with rows.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def run(n: int, seed: int, folder: Path, every: int = 10) -> collections.Counter[str]:
    """Try so many mutants, each of them a function of the seed and its number; count the outcomes.

    What escapes is there by its traceback's end, with the first mutant that it came of.
    """
    kinds = originals(folder)
    found: collections.Counter[str] = collections.Counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for i in range(n):
            chance = random.Random(f"{seed} {i}")
            name = chance.choice(list(kinds))
            original = kinds[name]
            changed = mutant(original.data, chance)
            thoroughly = i % every == 0
            try:
                found[
                    check(changed, original.rows, folder / "mutant", thoroughly, original.go_on)
                ] += 1
            except Exception:
                found["escaped " + "\n".join(traceback.format_exc(limit=-2).splitlines()[1:])] += 1
                (folder / f"escaped-{seed}-{i}-{name}").write_bytes(changed)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("n", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", type=int, default=10, help="of which one is used thoroughly")
    parser.add_argument("--folder", type=Path, help="keeps the mutants that something escaped from")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = given.folder or Path(name)
        folder.mkdir(exist_ok=True)
        for outcome, count in run(given.n, given.seed, folder, given.every).most_common():
            print(f"{count:,} {outcome}")
