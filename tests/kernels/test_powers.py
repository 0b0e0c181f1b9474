"""Powers with whole exponents, judged by decimal arithmetic of 60 digits."""

from decimal import Decimal, localcontext

import numpy as np
import pytest

from pymlp import _core_test

BETAS = [0.0, 1e-300, 0.1, 0.5, 0.6, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999, 1 - 2**-53, 1.0]


def exact(base: float, exponent: int) -> Decimal:
    with localcontext() as context:
        context.prec, context.Emin = 60, -(10**17)
        return Decimal(base) ** exponent if exponent else Decimal(1)


@pytest.mark.parametrize("base", BETAS)
def test_powers_are_the_nearest_doubles(base: float) -> None:
    exponents = {*range(300), *np.geomspace(300, 1e6, 2000).astype(int).tolist(), 10**6}
    for n in exponents:
        expected = float(exact(base, n))
        # What a product of doubles this small loses is too small for a double.
        tolerance = 0.0 if expected > 1e-290 else 1e-15 * expected + 1e-322
        assert abs(_core_test.power(base, n) - expected) <= tolerance, n


@pytest.mark.parametrize("exponent", [2**53, 2**62 - 1, 2**62, 2**64 - 1])
def test_powers_of_any_exponent_end(exponent: int) -> None:
    for base in BETAS[:-2]:
        assert _core_test.power(base, exponent) == 0.0
    assert _core_test.power(1.0, exponent) == 1.0
    near_one = float(exact(1 - 2**-53, exponent))
    assert _core_test.power(1 - 2**-53, exponent) == pytest.approx(near_one, rel=1e-11, abs=0.0)
