"""The elementary functions of the kernels at the numbers where they end or begin."""

import math
from typing import Any

import numpy as np
import pytest

from pymlp import _core_test

INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(
    ("name", "x", "y"),
    [
        ("exp", [-INF, INF, 0.0, -1e4, 1e4], [0.0, INF, 1.0, 0.0, INF]),
        ("expm1", [-INF, INF, 0.0, -0.0, 1e4], [-1.0, INF, 0.0, -0.0, INF]),
        ("log", [0.0, -0.0, 1.0, INF, -1.0, -INF], [-INF, -INF, 0.0, INF, NAN, NAN]),
        ("log1p", [-1.0, 0.0, -0.0, INF, -2.0, -INF], [-INF, 0.0, -0.0, INF, NAN, NAN]),
        ("tanh", [-INF, INF, 0.0, -0.0, 1e4], [-1.0, 1.0, 0.0, -0.0, 1.0]),
        ("sigmoid", [-INF, INF, 0.0, -1e4, 1e4], [0.0, 1.0, 0.5, 0.0, 1.0]),
        ("softplus", [-INF, INF, -1e4, 1e4], [0.0, INF, 0.0, 1e4]),
        ("sin", [0.0, -0.0], [0.0, -0.0]),
        ("cos", [0.0, -0.0], [1.0, 1.0]),
        ("erf", [-INF, INF, 0.0, -0.0, 1e4], [-1.0, 1.0, 0.0, -0.0, 1.0]),
    ],
)
def test_elementary_function_at_special_numbers(
    name: str, x: list[float], y: list[float], dtype: str
) -> None:
    actual = _core_test.elementary(name, np.array([*x, NAN], dtype))
    expected: Any = np.array([*y, NAN], dtype)
    np.testing.assert_array_equal(actual, expected)
    numbers = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(actual[numbers]), np.signbit(expected[numbers]))
