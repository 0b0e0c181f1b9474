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
_MARK = "PYMLP_SELFTEST"
# It must import what this process has imported, wherever that was found.
_PROGRAM = """
import json, sys
sys.path[:], name = json.load(sys.stdin)
import importlib
importlib.import_module(name).main()
"""


class NotRunError(Exception):
    """A part cannot be run here; the message says why."""


class FailedError(Exception):
    """A part has failed; the message says how."""


def python() -> str:
    """Return the program that runs Python, if this process knows it."""
    program = sys.executable
    if os.environ.get(_MARK):
        raise NotRunError("this is a process of a self test")
    if getattr(sys, "frozen", False):
        raise NotRunError("a frozen program has no Python to start")
    if not program or not Path(program).name.lower().startswith(("python", "pypy")):
        raise NotRunError(f"sys.executable is {program!r}, which may be no Python")
    return program


def run(module: str, **environment: str) -> dict[str, Any]:
    """Return what the `main` of a module prints in a process with these variables."""
    command = [python(), "-B", "-P", "-c", _PROGRAM]
    try:
        done = subprocess.run(
            command,
            input=json.dumps([[str(place) for place in sys.path], module]),
            env=os.environ | {_MARK: "1"} | environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise FailedError(f"expected an answer, found none in {SECONDS:g} s") from None
    except OSError as error:
        raise NotRunError(f"no process can be started: {error}") from None
    return _answer(done)


def _answer(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["nothing said"])[-1]
        raise FailedError(f"expected exit status 0, found {_status(done.returncode)}: {said}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    own = extension_hash()
    if found["extension"] != own:
        raise FailedError(f"expected the extension {own[:16]}, found {found['extension'][:16]}")
    return found


def _status(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return str(code)
