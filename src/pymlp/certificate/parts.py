"""The parts of the self test."""

from __future__ import annotations

import functools
import platform
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pymlp import config
from pymlp.certificate import checksums, kernels, loaded, networks, processes, recipes
from pymlp.certificate.checksums import KERNELS, SINGLE_KERNELS, TRAININGS
from pymlp.certificate.inputs import DTYPES
from pymlp.certificate.processes import FailedError, NotRunError
from pymlp.certificate.result import Part, published

# Units of roundoff, 6.0e-8 in float32 and 1.1e-16 in float64, of the largest entry of a result or
# of 1: what rounding does is 8 at most. Bits are the checksums' to judge.
ROUNDOFFS = 50.0
GRADIENT_ERROR = 1e-5  # of central differences in float64: that of the differences is 1e-7
THREADS = (1, 2, 3)
NETWORKS = "networks"  # what the reference computes of them is published by this name
# Outputs whose loss has a gradient of its own through both, and the loss.
PAIRS = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy", "exp": "poisson"}


Results: TypeAlias = Callable[[str], kernels.Named]  # of a dtype


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
    yield "networks and trainings, beside the reference", _networks
    yield "gradients, beside central differences", _gradients
    yield f"bits of trainings on {', '.join(map(str, THREADS))} threads", _trainings
    x86 = platform.machine().lower() in ("x86_64", "amd64")
    for isa in ("generic", "avx2", "avx512") if x86 else ("generic",):
        yield f"bits of kernels and trainings, {isa}", functools.partial(_instruction_set, isa)
    yield "gradients by BLAS, beside the exact ones", _blas
    yield "compiled modules on disk, beside those that are loaded", _modules


# ---- beside the reference ------------------------------------------------------------------------
def _kernels() -> Outcome:
    return _beside_reference(KERNELS, _of_few(kernels.without_test_module))


def _kernels_of_test_module() -> Outcome:
    if kernels.LEFT_OUT:
        raise NotRunError("this build has no module of single kernels: PYMLP_TESTING is OFF")
    return _beside_reference(SINGLE_KERNELS, _of_few(kernels.with_test_module))


def _networks() -> Outcome:
    sources = (networks.gradients, networks.steps, recipes.gradients, recipes.steps)
    return _beside_reference(NETWORKS, *sources)


def _of_few(source: Callable[[kernels.Sizes, str], kernels.Named]) -> Results:
    return lambda dtype: source(kernels.FEW, dtype)


def _beside_reference(part: str, *sources: Results) -> Outcome:
    expected = published()["reference"][part]
    checks, problems = 0, []
    with np.errstate(all="ignore"):
        for dtype in DTYPES:
            found = dict(result for source in sources for result in source(dtype))
            checks += len(found)
            problems += _missing(expected, found)
            for name, values in found.items():
                problems += _differences(name, dtype, expected.get(name, []), values)
    return Outcome(checks, problems)


def _missing(expected: Iterable[str], found: Container[str]) -> list[str]:
    return [f"{name}: expected a result, found none" for name in expected if name not in found]


def _differences(name: str, dtype: str, values: list[float], found: NDArray[Any]) -> list[str]:
    # What is moved many times over is published once.
    repeats = found.size // len(values) if name.startswith("rule ") and values else 1
    expected = np.tile(values, repeats)
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
        found = {TRAININGS: checksums.of_trainings(threads)}
        problems += [f"{problem} on {threads} threads" for problem in _other_bits(found, TRAININGS)]
    return Outcome(len(THREADS) * len(networks.TRAININGS), problems)


def _instruction_set(isa: str) -> Outcome:
    found = processes.run("pymlp.certificate.checksums", PYMLP_ISA=isa, PYMLP_GEMM="exact")
    if "does not support" in (refused := found.get("refused", "")):
        raise NotRunError("this processor does not have it")
    if refused or found["isa"] != isa:
        raise FailedError(f"expected kernels of {isa}, found {refused or found['isa']}")
    of_kernels = (KERNELS,) if kernels.LEFT_OUT else (KERNELS, SINGLE_KERNELS)
    checks = sum(map(len, found["checksums"].values()))
    return Outcome(checks, _other_bits(found["checksums"], *of_kernels, TRAININGS))


def _other_bits(found: Mapping[str, Mapping[str, str]], *parts: str) -> list[str]:
    """Return what differs of these parts, or is missing on either side."""
    problems = []
    for part in parts:
        expected, given = published()["checksums"][part], found.get(part, {})
        problems += [
            f"{name}, bits: expected {expected.get(name)}, found {given.get(name)}"
            for name in dict.fromkeys((*given, *expected))
            if given.get(name) != expected.get(name)
        ]
    return problems


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


# ---- what is loaded ------------------------------------------------------------------------------
def _modules() -> Outcome:
    files = loaded.files()
    problems = [
        f"{path}: expected the file that was loaded, found another, whose hash may be `extension`"
        for path in files
        if loaded.is_replaced(path)
    ]
    return Outcome(len(files), problems)
