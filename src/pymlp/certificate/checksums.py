"""Checksums of what is computed: equal only where every bit is. Run as a process it prints them."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp import _core
from pymlp.certificate import kernels, networks
from pymlp.certificate.inputs import DTYPES


def checksum(arrays: Iterable[NDArray[Any]]) -> str:
    """Return 16 hexadecimal digits of the numbers' bits, in one order of bytes."""
    whole = hashlib.sha256()
    for array in arrays:
        little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        whole.update(str(array.shape).encode() + little.tobytes())
    return whole.hexdigest()[:16]


def of_kernels() -> Iterator[tuple[str, str]]:
    """Yield the checksum of each kernel that this build can call, of both dtypes."""
    sources = [kernels.without_test_module]
    if kernels.HAS_TEST_MODULE:
        sources.append(kernels.with_test_module)
    with np.errstate(all="ignore"):
        for source in sources:
            for (name, one), (_, other) in zip(
                *(source(kernels.MANY, dtype) for dtype in DTYPES), strict=True
            ):
                yield f"kernel {name}", checksum([one, other])


def of_training(name: str, threads: int | None = None) -> str:
    """Return the checksum of a training, in both dtypes."""
    return checksum(array for dtype in DTYPES for array in networks.trained(name, dtype, threads))


def all_checksums() -> dict[str, str]:
    """Return those of all kernels and trainings, by the selected instruction set."""
    found = dict(of_kernels())
    return found | {f"training {name}": of_training(name) for name in networks.TRAININGS}


def extension_hash() -> str:
    """Return the SHA-256 of the extension's file."""
    try:
        return hashlib.sha256(Path(str(_core.__file__)).read_bytes()).hexdigest()
    except OSError:  # built in, or within an archive
        return "unknown"


def main() -> None:
    """Print what a process of its own has found, as JSON."""
    found: dict[str, Any] = {"extension": extension_hash()}
    try:
        found["isa"] = _core.config()["isa"]
    except ValueError as error:
        found["refused"] = str(error)
    else:
        found["checksums"] = all_checksums()
    json.dump(found, sys.stdout)
