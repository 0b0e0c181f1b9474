"""Parts of a self test in processes of their own: an environment is read once by each."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from pymlp.certificate.checksums import extension_hash

SECONDS = 60.0  # after which something hangs
LAUNCHER: tuple[str, ...] = ()  # what Python is run by: an emulator, in tests
_MARK = "PYMLP_SELFTEST"
_ANSWER = b"pymlp selftest answers: "  # what begins the line of an answer
# It must import what this process has imported, wherever that was found, and nothing before. Other
# code may print as well, replace `sys.stdout`, or have chosen an encoding.
_PROGRAM = """
import sys
with open(0, "rb", closefd=False) as given:
    name, *sys.path[:] = given.read().decode("utf-8", "surrogateescape").split("\\0")
import importlib, json
try:
    import numpy, pymlp._core
except ImportError as error:
    answer = {"not imported": str(error)}
else:
    answer = importlib.import_module(name).answer()
with open(1, "wb", closefd=False) as out:
    out.write(b"\\n%b%b\\n" % (MARK, json.dumps(answer).encode()))
"""


class NotRunError(Exception):
    """A part cannot be run here; the message says why."""


class FailedError(Exception):
    """A part has failed; the message says how."""


def python() -> list[str]:
    """Return the command that runs Python as this process does, if it knows."""
    program = sys.executable
    if os.environ.get(_MARK):
        raise NotRunError("this is a process of a self test")
    if getattr(sys, "frozen", False):
        raise NotRunError("a frozen program has no Python to start")
    if not program or not Path(program).name.lower().startswith(("python", "pypy")):
        raise NotRunError(f"sys.executable is {program!r}, which may be no Python")
    return [*LAUNCHER, program, *flags()]


def flags() -> list[str]:
    """Return options under which Python finds what it has found here.

    They are those of this process, but for what it prints and warns of.
    """
    given = sys.flags
    found = ["-B", "-P"]
    if given.isolated:
        found.append("-I")
    if given.ignore_environment:
        found.append("-E")
    if given.no_user_site:
        found.append("-s")
    if given.no_site:
        found.append("-S")
    found += ["-O"] * given.optimize
    for name, value in getattr(sys, "_xoptions", {}).items():
        found += ["-X", name if value is True else f"{name}={value}"]
    return found


def run(module: str, **environment: str) -> dict[str, Any]:
    """Return the answer of a module in a process with these variables."""
    program = f"MARK = {_ANSWER!r}{_PROGRAM}"
    given = "\0".join([module, *map(str, sys.path)])
    try:
        done = subprocess.run(
            [*python(), "-c", program],
            input=given.encode("utf-8", "surrogateescape"),
            env=os.environ | {_MARK: "1"} | environment,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise FailedError(f"expected an answer, found none in {SECONDS:g} s") from None
    except OSError as error:
        raise NotRunError(f"no process can be started: {error}") from None
    return _answer(done)


def _answer(done: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    if done.returncode:
        said = _last_line(done.stderr) or "nothing said"
        raise FailedError(f"expected exit status 0, found {_status(done.returncode)}: {said}")
    answers = [line for line in done.stdout.splitlines() if line.startswith(_ANSWER)]
    if len(answers) != 1:
        raise FailedError(f"expected an answer, found {len(answers)}: {_last_line(done.stdout)!r}")
    found: dict[str, Any] = json.loads(answers[0].removeprefix(_ANSWER))
    if "not imported" in found:
        raise NotRunError(f"a process of its own cannot import pymlp: {found['not imported']}")
    own = extension_hash()
    if found["extension"] != own:
        raise FailedError(f"expected the extension {own[:16]}, found {found['extension'][:16]}")
    return found


def _last_line(said: bytes) -> str:
    return (said.decode(errors="replace").strip().splitlines() or [""])[-1]


def _status(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return str(code)
