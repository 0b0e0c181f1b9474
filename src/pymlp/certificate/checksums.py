"""Checksums of what is computed: equal only where every bit is. A process of its own may do so."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp import _core
from pymlp.certificate import kernels, networks
from pymlp.certificate.inputs import DTYPES

KERNELS, SINGLE_KERNELS, TRAININGS = "kernels", "single kernels", "trainings"


def checksum(arrays: Iterable[NDArray[Any]]) -> str:
    """Return 16 hexadecimal digits of the numbers' bits, in one order of bytes."""
    whole = hashlib.sha256()
    for array in arrays:
        little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        whole.update(str(array.shape).encode() + little.tobytes())
    return whole.hexdigest()[:16]


def of_kernels(source: Callable[[kernels.Sizes, str], kernels.Named]) -> dict[str, str]:
    """Return the checksum of each kernel that a source calls, of both dtypes."""
    found = {}
    with np.errstate(all="ignore"):
        for suffix, sizes in (("", kernels.MANY), (", narrow", kernels.NARROW)):
            for (name, one), (_, other) in zip(
                *(source(sizes, dtype) for dtype in DTYPES), strict=True
            ):
                found[name + suffix] = checksum([one, other])
    return found


def of_training(name: str, threads: int | None = None) -> str:
    """Return the checksum of a training, in both dtypes."""
    return checksum(array for dtype in DTYPES for array in networks.trained(name, dtype, threads))


def of_trainings(threads: int | None = None) -> dict[str, str]:
    """Return those of all trainings."""
    return {name: of_training(name, threads) for name in networks.TRAININGS}


def all_checksums() -> dict[str, dict[str, str]]:
    """Return those of all kernels and trainings, by the selected instruction set."""
    found = {KERNELS: of_kernels(kernels.without_test_module)}
    if not kernels.LEFT_OUT:
        found[SINGLE_KERNELS] = of_kernels(kernels.with_test_module)
    return {**found, TRAININGS: of_trainings()}


def extension_hash() -> str:
    """Return the SHA-256 of the extension's file."""
    try:
        return hashlib.sha256(Path(str(_core.__file__)).read_bytes()).hexdigest()
    except OSError:  # built in, or within an archive
        return "unknown"


def answer() -> dict[str, Any]:
    """Return what a process of its own has found."""
    found: dict[str, Any] = {"extension": extension_hash()}
    try:
        found["isa"] = _core.config()["isa"]
    except ValueError as error:
        found["refused"] = str(error)
    else:
        found["checksums"] = all_checksums()
    return found
