"""Tolerances, and the fixtures that all test files share."""

import signal
from typing import Any, NamedTuple

import hypothesis
import numpy as np
import pytest
from cases import AssertClose
from numpy.typing import ArrayLike, NDArray

hypothesis.settings.register_profile(
    "pymlp", deadline=None, derandomize=True, database=None, max_examples=25
)
hypothesis.settings.load_profile("pymlp")


def pytest_configure(config: pytest.Config) -> None:
    """Let a failure be reported: what Hypothesis imports for that may warn, which is an error."""
    config.addinivalue_line("filterwarnings", "ignore:mypy_extensions:DeprecationWarning")
    # A shell's job in the background ignores Ctrl-C, and so would the processes of tests.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class Tolerance(NamedTuple):
    """|actual - expected| <= relative * |expected| + of_scale * scale."""

    relative: float
    of_scale: float  # of the magnitude that rounding acted on, where entries may cancel below it


# The reference computes in double with sums rounded once, from the very numbers that the library is
# given, so float32 is judged by double and what is seen is the library's own rounding, in multiples
# of the unit roundoff u: 1.1e-16 in float64, 6.0e-8 in float32. The multiples are the same in both,
# so the numbers of the two differ by 2^29. Each leaves a factor of 3 to 10 to the worst case seen.
#
# kernel     Functions within 2 units in the last place, a few operations, and a row's sum of up to
#            40 terms: 45 u of the entry. The scale is for digits that cancel in the kernel and not
#            in the reference, such as those of 1 in a (1 - a): 8 u.
# product    Sums of up to 130 products, the scale being the sum of their magnitudes |x| |w|. The
#            bound is 130 u; roundings of random sign leave some sqrt(130) u, so 18 u.
# gradients  By name, the scale being the largest entry. Through four layers, forth and back, each
#            product and activation adds some 10 u, and differences of larger terms multiply that
#            by up to 6: 500 u.
# training   Parameters after ten or twenty steps, the scale being the largest: every step adds the
#            rounding of a gradient times the learning rate, where RMSProp and Adam divide by the
#            size of the gradient, so that the error of its small entries counts more: 180 u.
TOLERANCES = {
    ("float64", "kernel"): Tolerance(5e-15, 1e-15),
    ("float32", "kernel"): Tolerance(2.7e-6, 5.4e-7),
    ("float64", "product"): Tolerance(0.0, 2e-15),
    ("float32", "product"): Tolerance(0.0, 1.1e-6),
    ("float64", "gradients"): Tolerance(0.0, 6e-14),
    ("float32", "gradients"): Tolerance(0.0, 3e-5),
    ("float64", "training"): Tolerance(0.0, 2e-14),
    ("float32", "training"): Tolerance(0.0, 1.1e-5),
}


@pytest.fixture(scope="session")
def assert_close() -> AssertClose:
    """Return the one comparison of results with what they should be."""

    def check(
        actual: NDArray[Any], expected: ArrayLike, kind: str, *, scale: ArrayLike | None = None
    ) -> None:
        """Compare an array of the library with doubles; `scale` is 1 entry's or all entries'."""
        exact = np.asarray(expected, np.float64).reshape(np.shape(actual))
        tolerance = TOLERANCES[str(actual.dtype), kind]
        size = np.abs(exact[np.isfinite(exact)]).max(initial=0.0) if scale is None else scale
        # A result among the subnormal numbers has no relative precision left.
        floor = tolerance.of_scale * np.asarray(size) + np.finfo(actual.dtype).tiny
        both_infinite = np.isinf(exact) & (actual == exact)
        error = np.abs(np.where(both_infinite, 0.0, actual) - np.where(both_infinite, 0.0, exact))
        allowed = tolerance.relative * np.abs(np.where(both_infinite, 0.0, exact)) + floor
        wrong = ~(error <= allowed)  # so that NaN is wrong
        if wrong.any():
            place = tuple(int(i) for i in np.argwhere(wrong)[np.argmax((error / allowed)[wrong])])
            pytest.fail(
                f"{wrong.sum()} of {exact.size} entries differ; worst at {place}: "
                f"{actual[place]!r} instead of {exact[place]!r}, "
                f"{(error / allowed)[place]:.3g} times the tolerance"
            )

    return check


@pytest.fixture(params=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> str:
    """Run a test in both precisions."""
    return str(request.param)


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a generator that starts alike in every test."""
    return np.random.default_rng(20240607)
