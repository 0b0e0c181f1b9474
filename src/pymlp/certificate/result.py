"""What a self test found, and on what."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import platform
import zlib
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from pymlp import config
from pymlp.certificate.checksums import extension_hash

_SHOWN = 3  # problems of a part


@dataclasses.dataclass(frozen=True)
class Part:
    """One part of a self test."""

    name: str
    passed: bool | None  # None: it was not run, as `detail` says
    checks: int
    detail: str
    problems: tuple[str, ...]
    seconds: float

    def __str__(self) -> str:
        verdict = {True: "passed", False: "FAILED", None: "not run"}[self.passed]
        told = f" ({self.detail})" if self.detail else ""
        counted = f", {self.checks} checks" if self.checks else ""
        lines = [f"{verdict:7}  {self.seconds:5.2f} s  {self.name}{counted}{told}"]
        lines += [f"{'':18} {problem}" for problem in self.problems[:_SHOWN]]
        if (more := len(self.problems) - _SHOWN) > 0:
            lines.append(f"{'':18} and {more} more")
        return "\n".join(lines)


@dataclasses.dataclass(frozen=True, repr=False)
class Certificate:
    """What `pymlp.selftest` found: the verdict, its parts, and what was tested."""

    pymlp: str
    extension: str  # SHA-256 of the compiled module
    published: str  # SHA-256 of the results that others are compared with
    compiler: str
    blas: str
    python: str
    numpy: str
    system: str
    processor: str
    isa: str
    threads: int
    date: str
    parts: tuple[Part, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether parts were run and none has failed."""
        verdicts = [part.passed for part in self.parts]
        return True in verdicts and False not in verdicts

    def to_dict(self) -> dict[str, Any]:
        """Return all of it in plain values, as for JSON."""
        return {"passed": self.passed, **dataclasses.asdict(self)}

    def __repr__(self) -> str:
        facts = {
            name: value
            for name, value in vars(self).items()
            if name not in ("pymlp", "parts", "seconds")
        }
        verdicts = [part.passed for part in self.parts]
        counts = f"{verdicts.count(True)} passed, {verdicts.count(False)} failed"
        return "\n".join(
            [
                f"pymlp {self.pymlp}: self test {'passed' if self.passed else 'FAILED'}",
                *(f"{name:10} {value}" for name, value in facts.items()),
                *map(str, self.parts),
                f"{counts}, {verdicts.count(None)} not run, in {self.seconds:.1f} s",
            ]
        )


# ---- what others are compared with ---------------------------------------------------------------
def _text() -> bytes:
    file = resources.files(__package__).joinpath("published.json.gz")
    try:
        return gzip.decompress(file.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise ImportError(f"pymlp is not whole, install it anew: {file}: {error}") from None


@cache
def published() -> dict[str, dict[str, Any]]:
    """Return results of the reference and checksums, by name."""
    found: dict[str, dict[str, Any]] = json.loads(_text())
    return found


# ---- what is tested ------------------------------------------------------------------------------
def described() -> dict[str, Any]:
    """Return versions and the machine."""
    found = config.show_config()
    return {
        "pymlp": found["pymlp"],
        "extension": extension_hash(),
        "published": hashlib.sha256(_text()).hexdigest(),
        "compiler": found["compiler"],
        "blas": " ".join(dict.fromkeys((found["blas_library"], found["blas_version"]))),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "numpy": found["numpy"],
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "isa": found["isa"],
        "threads": found["threads"],
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
