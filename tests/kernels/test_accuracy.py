"""The elementary functions of the kernels are within 2 units in the last place.

In float64 against mpmath, at points chosen to be hard; in float32 against NumPy and SciPy in
float64, whose errors are far below what is judged, over all bit patterns in steps, and over every
one of them in the slow tests.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import scipy.special
from cases import FloatArray, Rng
from mpmath import mp

from pymlp import _core_test

UNITS = 2.0
SIN_EDGE = 2.0**20  # sine and cosine go no further

FAR = 1e308
# Each function with mpmath's, the range where its results are not all the same, and points in it
# where the kernel passes from one case to another or digits are lost.
EXACT: dict[str, tuple[Callable[[Any], Any], float, float, list[float]]] = {
    "exp": (mp.exp, -746.0, 709.7827, [-745.13, -708.39, 709.78, -0.25, 0.4, 0.35]),
    "expm1": (mp.expm1, -50.0, 709.7827, [-0.25, 0.4, -37.4, -40.0, 2.0**-60, 709.5]),
    "log": (mp.log, 0.0, FAR, [1.0, 0.5**0.5, 2.0**0.5, 2.0, 2.0**-1022]),
    "log1p": (mp.log1p, -1.0, FAR, [2.0**0.5 - 1.0, 0.5**0.5 - 1.0, 2.0**-60, 2.0**53, 1.0]),
    "tanh": (mp.tanh, -20.0, 20.0, [19.5, 19.06, 0.17, 0.125, 0.55]),
    "sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), -746.0, 40.0, [-745.13, -708.4, 36.7, 37.4]),
    "softplus": (lambda x: mp.log1p(mp.exp(x)), -746.0, FAR, [-745.13, -37.0, 36.7, 1.0]),
    "erf": (mp.erf, -6.1, 6.1, [5.92, 6.0, 0.5, 1.0, 0.84375, 2.857]),
    "sin": (mp.sin, -SIN_EDGE, SIN_EDGE, []),
    "cos": (mp.cos, -SIN_EDGE, SIN_EDGE, []),
}


def hard_points(rng: Rng, name: str) -> FloatArray:
    """Return numbers of every magnitude, evenly spread ones, and such as lie at a threshold."""
    _, low, high, thresholds = EXACT[name]
    wide = min(high, 1e3)
    turns = np.arange(-700000, 700000, 4999) if name in ("sin", "cos") else np.arange(-4, 5)
    near = np.array([0.0, *thresholds, *(-x for x in thresholds), low, high, *(turns * np.pi / 2)])
    neighbours = [near * (1.0 + k * 2.0**-52) for k in range(-3, 4)]
    x = np.concatenate(
        [
            rng.uniform(max(low, -wide), wide, 500),
            rng.normal(0.0, 1.0, 500),
            1.0 + rng.normal(0.0, 1.0, 100) * 2.0 ** rng.uniform(-52, 0, 100),
            rng.choice([-1.0, 1.0], 800) * 2.0 ** rng.uniform(-1074, np.log2(high), 800),
            rng.choice([-1.0, 1.0], 400) * 2.0 ** rng.uniform(-30, 10, 400),
            *neighbours,
        ]
    )
    return x[(x > low) & (x < high) & (x != 0.0)]


@pytest.mark.parametrize("name", EXACT)
def test_float64(name: str, rng: Rng) -> None:
    x = hard_points(rng, name)
    assert len(x) > 800
    actual = _core_test.elementary(name, x)
    with mp.workdps(40):
        exact = [EXACT[name][0](mp.mpf(float(value))) for value in x]
        spacing = np.spacing(np.abs([float(y) for y in exact]))
        errors = np.array(
            [
                float(abs(mp.mpf(float(a)) - y) / mp.mpf(float(s)))
                for a, y, s in zip(actual, exact, spacing, strict=True)
            ]
        )
    assert (errors <= UNITS).all(), (errors.max(), x[int(errors.argmax())])


# ---- float32, judged by float64 ------------------------------------------------------------------
DOUBLE: dict[str, Callable[[FloatArray], FloatArray]] = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "sigmoid": scipy.special.expit,
    "softplus": lambda x: np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x))),
    "erf": scipy.special.erf,
    "sin": np.sin,
    "cos": np.cos,
}


def bit_patterns(step: int) -> Iterator[FloatArray]:
    """Yield every step-th float32 there is, without NaN, in parts that fit the cache."""
    chunk = 2**18 * step
    for first in range(0, 2**32, chunk):
        x = np.arange(first, min(first + chunk, 2**32), step, np.uint32).view(np.float32)
        yield x[~np.isnan(x)]


def units_in_the_last_place(name: str, x: FloatArray) -> FloatArray:
    """Return the errors, in the spacing of float32 at the exact results."""
    with np.errstate(all="ignore"):
        exact = DOUBLE[name](x.astype(np.float64))
        rounded = exact.astype(np.float32)
        actual = _core_test.elementary(name, x)
        error = np.abs(actual - exact) / np.spacing(np.abs(rounded))
    # Infinities, and NaN where there is no logarithm, are what they are.
    same = (actual == rounded) | (np.isnan(actual) & np.isnan(exact))
    return np.where(np.isfinite(rounded) & np.isfinite(actual), error, np.where(same, 0.0, np.inf))


def largest_error(name: str, step: int) -> float:
    worst = 0.0
    for x in bit_patterns(step):
        kept = x[np.abs(x) <= SIN_EDGE] if name in ("sin", "cos") else x
        worst = max(worst, float(units_in_the_last_place(name, kept).max(initial=0.0)))
    return worst


@pytest.mark.parametrize("name", DOUBLE)
def test_float32(name: str) -> None:
    assert largest_error(name, 509) <= UNITS


@pytest.mark.slow
@pytest.mark.parametrize("name", ["exp", "tanh", "sigmoid"])
def test_every_float32(name: str) -> None:
    assert largest_error(name, 1) <= UNITS
