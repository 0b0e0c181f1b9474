"""The parts of the self test."""

from __future__ import annotations

import functools
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pymlp import config
from pymlp.certificate import checksums, kernels, networks, processes
from pymlp.certificate.inputs import DTYPES
from pymlp.certificate.processes import FailedError, NotRunError
from pymlp.certificate.result import Part, published

# Units of roundoff, 6.0e-8 in float32 and 1.1e-16 in float64, of the largest entry of a result or
# of 1: what rounding does is 8 at most. Bits are the checksums' to judge.
ROUNDOFFS = 50.0
GRADIENT_ERROR = 1e-5  # of central differences in float64: that of the differences is 1e-7
THREADS = (1, 2, 3)
# Outputs whose loss has a gradient of its own through both, and the loss.
PAIRS = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy", "exp": "poisson"}


class Outcome(NamedTuple):
    """What a part found."""

    checks: int
    problems: list[str]
    detail: str = ""


def run(name: str, part: Callable[[], Outcome]) -> Part:
    """Run a part; whatever goes wrong in it is its failure."""
    start = time.perf_counter()
    passed: bool | None = False
    try:
        outcome = part()
        passed = not outcome.problems
    except NotRunError as reason:
        passed, outcome = None, Outcome(0, [], str(reason))
    except FailedError as failure:
        outcome = Outcome(0, [str(failure)])
    except Exception as error:
        outcome = Outcome(0, [f"expected results, found {type(error).__name__}: {error}"])
    seconds = time.perf_counter() - start
    return Part(name, passed, outcome.checks, outcome.detail, tuple(outcome.problems), seconds)


def all_parts() -> Iterator[tuple[str, Callable[[], Outcome]]]:
    """Yield all parts by name."""
    yield "kernels that every build can call, beside the reference", _kernels
    yield "losses, products, functions and draws, beside the reference", _kernels_of_test_module
    yield "operations and optimisers, beside the reference", _networks
    yield "gradients, beside central differences", _gradients
    yield f"bits of trainings on {', '.join(map(str, THREADS))} threads", _trainings
    x86 = platform.machine().lower() in ("x86_64", "amd64")
    for isa in ("generic", "avx2", "avx512") if x86 else ("generic",):
        yield f"bits of kernels and trainings, {isa}", functools.partial(_instruction_set, isa)
    yield "gradients by BLAS, beside the exact ones", _blas


# ---- beside the reference ------------------------------------------------------------------------
def _kernels() -> Outcome:
    return _beside_reference(lambda dtype: kernels.without_test_module(kernels.FEW, dtype))


def _kernels_of_test_module() -> Outcome:
    if not kernels.HAS_TEST_MODULE:
        raise NotRunError("this build has no module of single kernels: PYMLP_TESTING is OFF")
    return _beside_reference(lambda dtype: kernels.with_test_module(kernels.FEW, dtype))


def _networks() -> Outcome:
    gradients, steps = (_beside_reference(f) for f in (networks.gradients, networks.steps))
    return Outcome(gradients.checks + steps.checks, gradients.problems + steps.problems)


def _beside_reference(results: Callable[[str], kernels.Named]) -> Outcome:
    checks, problems = 0, []
    with np.errstate(all="ignore"):
        for dtype in DTYPES:
            for name, found in results(dtype):
                checks += 1
                problems += _differences(name, dtype, found)
    return Outcome(checks, problems)


def _differences(name: str, dtype: str, found: NDArray[Any]) -> list[str]:
    expected = np.array(published()["reference"][name])
    if expected.size != found.size:
        return [f"{name}, {dtype}: expected {expected.size} numbers, found {found.size}"]
    allowed = ROUNDOFFS * np.finfo(dtype).eps / 2 * max(1.0, float(np.abs(expected).max()))
    error = np.abs(found.ravel() - expected)
    wrong = ~(error <= allowed)  # so that NaN is wrong
    if not wrong.any():
        return []
    worst = int(np.where(np.isnan(error), np.inf, error).argmax())
    return [
        f"{name}, {dtype}, entry {worst}: expected {expected[worst]:.17g} within {allowed:.1g}, "
        f"found {found.flat[worst]:.17g}"
    ]


# ---- gradients -----------------------------------------------------------------------------------
def _gradients() -> Outcome:
    cases = [(name, case, "mse") for name, case in networks.OPERATIONS.items()]
    for output, loss in PAIRS.items():
        cases.append((output, networks.Case([3, 4, 2], {"output": output}), loss))
    problems = []
    for name, case, loss in cases:
        net = networks.network(case, "float64")
        error = net.check_gradients(*networks.samples(net, 5), loss=loss)
        if not error <= GRADIENT_ERROR:
            problems.append(
                f"{name} with {loss}: expected differences of at most {GRADIENT_ERROR:g}, found "
                f"{error:.2g} at {error.parameter}"
            )
    return Outcome(len(cases), problems)


# ---- bits ----------------------------------------------------------------------------------------
def _trainings() -> Outcome:
    problems = []
    for threads in THREADS:
        found = {
            f"training {name}": checksums.of_training(name, threads) for name in networks.TRAININGS
        }
        problems += [f"{problem} on {threads} threads" for problem in _other_bits(found)]
    return Outcome(len(THREADS) * len(networks.TRAININGS), problems)


def _instruction_set(isa: str) -> Outcome:
    found = processes.run("pymlp.certificate.checksums", PYMLP_ISA=isa, PYMLP_GEMM="exact")
    if "does not support" in (refused := found.get("refused", "")):
        raise NotRunError("this processor does not have it")
    if refused or found["isa"] != isa:
        raise FailedError(f"expected kernels of {isa}, found {refused or found['isa']}")
    return Outcome(len(found["checksums"]), _other_bits(found["checksums"]))


def _other_bits(found: Mapping[str, str]) -> list[str]:
    expected = published()["checksums"]
    return [
        f"{name}: expected {expected.get(name)}, found {checksum}"
        for name, checksum in found.items()
        if checksum != expected.get(name)
    ]


# ---- BLAS ----------------------------------------------------------------------------------------
def _blas() -> Outcome:
    if config.show_config()["blas_library"] == "none":
        raise NotRunError("this build has no BLAS")
    found = processes.run("pymlp.certificate.blas", PYMLP_ISA="", PYMLP_GEMM="")
    problems = [
        f"{dtype}: expected differences of at most {ROUNDOFFS:g} roundoffs, found {error:.3g}"
        for dtype, error in found["differences"].items()
        if not error <= ROUNDOFFS
    ]
    return Outcome(len(found["differences"]), problems, f"{found['library']} kernels")
