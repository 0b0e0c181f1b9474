"""Names that every doctest of the package finds in place."""

from typing import Any

import numpy as np
import pytest

import pymlp


@pytest.fixture(autouse=True)
def names_of_doctests(doctest_namespace: dict[str, Any]) -> None:
    """Let the examples begin where the reader is: with `pymlp` and `np` imported."""
    doctest_namespace["pymlp"] = pymlp
    doctest_namespace["np"] = np
