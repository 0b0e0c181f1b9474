"""The self test: whether this installation computes on this machine what it should."""

from __future__ import annotations

import time

from pymlp.certificate import parts
from pymlp.certificate.result import Certificate, Part, described

__all__ = ["Certificate", "Part", "selftest"]


def selftest() -> Certificate:
    """Test this installation on this machine, in a few seconds.

    Nothing is printed, written or fetched, and nothing of the process is changed, but that threads
    of a training on three threads stay, asleep. Each instruction set and BLAS run in processes of
    their own, by the Python that runs this one, with its options.

    Returns
    -------
    Certificate
        Shown as a text: the verdict, what was tested, and each part with what it found. ``passed``
        tells whether no part failed. Parts that could not be run say why, and do not count.

    Notes
    -----
    The parts: single kernels, optimisers with each option, operations, kinds of targets and limits
    of trainings beside results of a reference in plain Python, which come with the package;
    gradients beside central differences; trainings on one, two
    and three threads, and kernels and trainings on every instruction set of this processor, whose
    bits are published; products by BLAS beside the exact ones. ``pymlp selftest`` prints the
    certificate, with exit status 1 where a part has failed.

    Examples
    --------
    >>> certificate = pymlp.selftest()
    >>> certificate.passed
    True
    >>> certificate.parts[0].name
    'kernels that every build can call, beside the reference'
    """
    start = time.perf_counter()
    found = tuple(parts.run(name, part) for name, part in parts.all_parts())
    return Certificate(**described(), parts=found, seconds=time.perf_counter() - start)
