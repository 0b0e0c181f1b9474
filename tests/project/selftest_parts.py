"""Parts of the self test by name, and what they find."""

import copy
import re
from typing import Any

from pymlp.certificate import parts, result
from pymlp.certificate.result import Part

PARTS = dict(parts.all_parts())
BESIDE = [name for name in PARTS if name.endswith("beside the reference")]
OF_ISA = [name for name in PARTS if name.startswith("bits of kernels")]
(TRAININGS,) = (name for name in PARTS if name.startswith("bits of trainings"))
(GRADIENTS,) = (name for name in PARTS if name.startswith("gradients, "))
(BLAS,) = (name for name in PARTS if "BLAS" in name)
(MODULES,) = (name for name in PARTS if name.startswith("compiled"))
Published = dict[str, dict[str, dict[str, Any]]]
SECTIONS = dict(zip(BESIDE, result.published()["reference"], strict=True))
RESULTS = copy.deepcopy(result.published()["reference"])


def run(name: str) -> Part:
    return parts.run(name, PARTS[name])


def problem(name: str) -> str:
    """Return the first problem of a part that must fail."""
    part = run(name)
    assert part.passed is False, name
    return part.problems[0]


def named(part: Part) -> set[str]:
    """Return the names of the results in which a part has found differences."""
    assert part.passed is False
    return {re.split(r", float|, bits", one)[0] for one in part.problems}
