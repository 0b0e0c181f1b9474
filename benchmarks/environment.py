"""The machine and the settings under which a benchmark runs."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

_FOREIGN = ("OPENBLAS_", "MKL_", "OMP_", "GOTO_", "KMP_")


def without_foreign_settings(module: str) -> None:
    """Start again where the environment sets what other libraries' kernels or threads do.

    One such variable, exported in a shell for some other purpose, can halve a peer's speed.
    """
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_FOREIGN)}
    if len(kept) < len(os.environ):
        os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], kept)


def machine() -> dict[str, str | int]:
    """Return processor, cores that may be used, and systems."""
    return {
        "processor": _processor(),
        "cores": cores(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def cores() -> int:
    """Return how many processors this process may use, as pymlp counts them."""
    import pymlp

    return pymlp.get_num_threads()


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
