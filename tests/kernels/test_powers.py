"""Powers with whole exponents, judged by decimal arithmetic of 60 digits."""

from decimal import Decimal, localcontext

import numpy as np
import pytest

from pymlp import _core_test

BASES = [0.0, 1e-300, 1e-30, 0.1, 0.5, 0.6, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999, 1 - 2**-53]


def exact(base: float, exponent: int) -> float:
    with localcontext() as context:
        context.prec, context.Emin = 60, -(10**17)
        return float(Decimal(base) ** exponent) if exponent else 1.0


def power(base: float, exponent: int) -> float:
    return _core_test.powers(base, [exponent])[0]


@pytest.mark.parametrize("base", BASES)
def test_powers_are_the_nearest_doubles(base: float) -> None:
    for n in {*range(300), *np.geomspace(300, 1e6, 2000).astype(int).tolist(), 10**6}:
        expected = exact(base, n)
        # Below, 1 less the power is 1.
        tolerance = 0.0 if expected > 2**-54 else 2**-52 * expected + 2**-120
        assert abs(power(base, n) - expected) <= tolerance, n


@pytest.mark.parametrize("base", BASES)
def test_a_power_is_the_same_whatever_was_asked_for_before(base: float) -> None:
    ascending = _core_test.powers(base, range(5000))
    assert ascending == [power(base, n) for n in range(5000)]
    mixed = [7, 8, 8, 9, 2, 40, 41, 10**6, 10**6 + 1, 0, 1, 32, 31, 33, 64]
    assert _core_test.powers(base, mixed) == [power(base, n) for n in mixed]


@pytest.mark.parametrize("exponent", [2**50, 2**53 + 1, 2**62 - 1, 2**62, 2**64 - 1])
def test_powers_of_any_exponent_end(exponent: int) -> None:
    for base in BASES:
        assert power(base, exponent) == pytest.approx(
            exact(base, exponent), rel=2**-52, abs=2**-120
        )
