"""The elementary functions of the kernels, against `decimal` in 90 digits."""

import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from cases import FloatArray, Rng

from pymlp._core import kernels


def decimal_erf(x: Decimal) -> Decimal:
    """Sum erf's alternating series, whose largest term at |x| = 6 is below 1e15."""
    term, total, n = x, x, 0
    while abs(term) > Decimal("1e-60") * abs(x):
        n += 1
        term *= -x * x / n
        total += term / (2 * n + 1)
    pi = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230782")
    return 2 * total / pi.sqrt()


def decimal_softplus(x: Decimal) -> Decimal:
    e = x.exp()
    return e - e * e / 2 if x < -100 else (1 + e).ln()  # a small e is lost in the 1


ELEMENTARY: dict[str, tuple[Callable[[Decimal], Decimal], float, float]] = {
    # function of 90 digits, and the range where its results are not all the same
    "exp": (lambda x: x.exp(), -746.0, 710.0),
    "expm1": (lambda x: x.exp() - 1, -50.0, 710.0),
    "log": (lambda x: x.ln(), 0.0, 1e300),
    "log1p": (lambda x: (1 + x).ln(), -1.0, 1e300),
    "tanh": (lambda x: 1 - 2 / ((2 * x).exp() + 1), -25.0, 25.0),
    "sigmoid": (lambda x: 1 / (1 + (-x).exp()), -746.0, 50.0),
    "softplus": (decimal_softplus, -746.0, 800.0),
    "erf": (decimal_erf, -6.5, 6.5),
}


def points(rng: Rng, low: float, high: float, dtype: str) -> FloatArray:
    """Draw numbers of a range: evenly, around 0 and 1, and of every magnitude."""
    evenly = rng.uniform(max(low, -1e3), min(high, 1e3), 150)
    near = [rng.normal(0.0, 1.0, 60), rng.normal(1.0, 1e-3, 30)]
    small = rng.choice([-1.0, 1.0], 60) * 10.0 ** rng.uniform(-30, 0, 60)
    large = 10.0 ** rng.uniform(0, math.log10(min(high, float(np.finfo(dtype).max) / 2)), 60)
    x = np.concatenate([evenly, *near, small, large]).astype(dtype)
    return x[(x > low) & (x < high)]


def units_in_the_last_place(actual: FloatArray, exact: list[Decimal]) -> float:
    """Return the largest error, in the spacing of numbers at the exact result."""
    worst = 0.0
    for got, wanted in zip(actual, exact, strict=True):
        rounded = actual.dtype.type(str(wanted))
        if np.isinf(rounded):
            assert got == rounded
            continue
        spacing = Decimal(float(np.spacing(abs(rounded))))
        worst = max(worst, float(abs(Decimal(float(got)) - wanted) / spacing))
    return worst


@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize("name", ELEMENTARY)
def test_elementary_function_is_within_two_units_in_the_last_place(
    name: str, dtype: str, rng: Rng
) -> None:
    function, low, high = ELEMENTARY[name]
    x = points(rng, low, high, dtype)
    assert len(x) > 200
    with localcontext() as context:
        context.prec = 90
        exact = [function(Decimal(float(value))) for value in x]
        assert units_in_the_last_place(kernels.elementary(name, x), exact) <= 2.0


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
        ("erf", [-INF, INF, 0.0, -0.0, 1e4], [-1.0, 1.0, 0.0, -0.0, 1.0]),
    ],
)
def test_elementary_function_at_special_numbers(
    name: str, x: list[float], y: list[float], dtype: str
) -> None:
    actual = kernels.elementary(name, np.array([*x, NAN], dtype))
    expected: Any = np.array([*y, NAN], dtype)
    np.testing.assert_array_equal(actual, expected)
    numbers = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(actual[numbers]), np.signbit(expected[numbers]))
