"""The self test in processes of its own, on what is on disk, and in scripts."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

import pymlp
from pymlp.certificate import kernels, loaded, processes
from pymlp.certificate.result import Certificate
from tests.project.selftest_parts import BESIDE, MODULES, OF_ISA, problem, run


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return pymlp.selftest()


# ---- processes -----------------------------------------------------------------------------------
def test_without_the_module_of_single_kernels_the_rest_is_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kernels, "LEFT_OUT", True)
    part = run(BESIDE[1])
    assert part.passed is None
    assert "PYMLP_TESTING is OFF" in str(part)
    for name in (BESIDE[0], OF_ISA[0], MODULES):
        assert run(name).passed


@pytest.mark.parametrize(
    ("attribute", "value", "said"),
    [
        ("executable", "", "sys.executable is '', which may be no Python"),
        ("executable", None, "sys.executable is None, which may be no Python"),
        ("executable", "/usr/bin/blender", "'/usr/bin/blender', which may be no Python"),
        ("executable", "/nowhere/python3", "no process can be started"),
        ("frozen", True, "a frozen program has no Python to start"),
    ],
)
def test_where_no_python_can_be_started_it_says_so(
    attribute: str, value: Any, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, attribute, value, raising=False)
    part = run(OF_ISA[0])
    assert part.passed is None
    assert said in part.detail


def test_a_self_test_starts_none_in_its_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYMLP_SELFTEST", "1")
    assert run(OF_ISA[0]).detail == "this is a process of a self test"


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a program that stands for Python; a test writes it."""
    program = tmp_path / "python3"
    program.touch(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    return program


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("kill -ILL $$", "expected exit status 0, found SIGILL: nothing said"),
        ("echo some; echo reason >&2; exit 3", "expected exit status 0, found 3: reason"),
        ("""echo 'pymlp selftest answers: {"extension": "1234"}'""", "expected the extension"),
        ("exec sleep 30", "expected an answer, found none in 0.2 s"),
        ("echo nonsense", "expected an answer, found 0: 'nonsense'"),
        ("echo 'pymlp selftest answers: nonsense'", "JSONDecodeError"),
    ],
)
def test_a_process_that_goes_wrong_is_a_failure(
    program: str, said: str, python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "SECONDS", 0.2 if "sleep" in program else 20.0)
    python.write_text(f"#!/bin/sh\n{program}\n")
    assert said in problem(OF_ISA[0])


def test_kernels_of_another_instruction_set_than_asked_are_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "run", lambda *a, **b: {"isa": "other", "checksums": {}})
    assert problem(OF_ISA[0]) == "expected kernels of generic, found other"


# Fooled by what is in the user's environment, a process would test another package, or nothing.
def test_the_environment_leads_no_process_astray(tmp_path: Path) -> None:
    for name in ("pymlp", "json", "numpy"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong module')")
    code = f"import sys; sys.path.remove({str(tmp_path)!r}); import pymlp; print(pymlp.selftest())"
    others = {"PYTHONSTARTUP": str(tmp_path / "json.py"), "PYMLP_ISA": "generic"}
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.append({str(tmp_path)!r})\n{code}"],
        env=os.environ | others,
        cwd=tmp_path.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "self test passed" in done.stdout
    assert "isa        generic" in done.stdout


# ---- a process that differs from its parent ------------------------------------------------------
SELFTEST = "import sys\nimport pymlp\ncertificate = pymlp.selftest()\nprint(certificate)\n"
HOME = str(Path(pymlp.__file__).parents[1])
# Isolated, Python looks at no PYTHONPATH: what it finds by itself, and this package.
PATHS = f"import sys\nsys.path[:0] = {[path for path in sys.path if path]!r}\n"


def printed(*command: str, **environment: str) -> str:
    """Return the certificate that another process prints."""
    done = subprocess.run(
        [sys.executable, *command], env=os.environ | environment, capture_output=True, check=True
    )
    encoding = environment.get("PYTHONIOENCODING", "utf-8")
    return done.stdout.decode(encoding)


def all_passed(certificate: str) -> bool:
    """Return whether all parts were run, but for what this machine or build does not have."""
    not_run = [line for line in certificate.splitlines() if line.startswith("not run ")]
    known = ("this processor does not have it", "this build has no BLAS")
    return "self test passed" in certificate and all(
        any(k in one for k in known) for one in not_run
    )


def test_its_processes_do_without_the_environment_where_it_does() -> None:
    assert all_passed(printed("-E", "-c", PATHS + SELFTEST, PYTHONHOME="/nowhere"))


def test_its_processes_are_isolated_where_it_is(tmp_path: Path) -> None:
    for name in ("json", "importlib", "numpy", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong module')")
    assert all_passed(printed("-I", "-c", PATHS + SELFTEST, PYTHONPATH=str(tmp_path)))


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_its_processes_may_print_in_any_encoding(encoding: str) -> None:
    assert all_passed(printed("-c", SELFTEST, PYTHONIOENCODING=encoding))


def test_its_processes_may_print_at_their_end(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import atexit, sys\natexit.register(print, 'the end')\nprint('the beginning', end='')\n"
    )
    found = printed("-c", SELFTEST, PYTHONPATH=os.pathsep.join([str(tmp_path), HOME]))
    assert all_passed(found)
    assert "the end" in found  # of this one


FINDER = """
import sys, importlib.util
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "pymlp":
            folder = {folder!r}
            return importlib.util.spec_from_file_location(
                name, folder + "/__init__.py", submodule_search_locations=[folder])
sys.path[:] = [path for path in sys.path if path != {home!r}]
sys.meta_path.insert(0, Finder())
"""


def test_where_its_processes_cannot_import_pymlp_they_are_not_run(tmp_path: Path) -> None:
    if HOME in sysconfig.get_paths().values():
        pytest.skip("this package is where every process looks")
    package = tmp_path / "elsewhere" / "pymlp"
    shutil.copytree(Path(pymlp.__file__).parent, package)
    code = FINDER.format(folder=str(package), home=HOME)
    found = printed("-c", code + SELFTEST, PYTHONPATH="")
    assert "self test passed" in found
    said = "(a process of its own cannot import pymlp: No module named 'pymlp')"
    lines = [line for line in found.splitlines() if said in line]
    assert len(lines) == len(OF_ISA) + 1
    assert all(line.startswith("not run") for line in lines)


def test_options_of_this_process_are_its_processes() -> None:
    code = f"{PATHS}from pymlp.certificate import processes\nprint(processes.flags())"
    command = [
        "-S",
        "-s",
        "-E",
        "-O",
        "-X",
        "faulthandler",
        "-X",
        "utf8=1",
        "-W",
        "error",
        "-c",
        code,
    ]
    kept = ["-B", "-P", "-E", "-s", "-S", "-O", "-X", "faulthandler", "-X", "utf8=1"]
    assert eval(printed(*command)) == kept
    assert "-I" in eval(printed("-I", "-c", code))


# ---- what is on disk -----------------------------------------------------------------------------
REPLACED = """
import os, shutil, sys
from pymlp import {module}
from pymlp.certificate import parts
path = {module}.__file__
shutil.copy(path, path + ".new")
os.replace(path + ".new", path)
(part,) = (parts.run(name, part) for name, part in parts.all_parts() if name.startswith("compiled"))
print(part)
{end}
"""


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Return a folder that holds a package of its own."""
    shutil.copytree(Path(pymlp.__file__).parent, tmp_path / "pymlp")
    return tmp_path


@pytest.mark.skipif(not loaded.MAPS.exists(), reason="this system does not tell what is loaded")
@pytest.mark.parametrize("module", ["_core", "_core_test"])
@pytest.mark.parametrize("end", ["", "os.unlink(path)"])
def test_a_module_that_was_replaced_is_a_fault(module: str, end: str, copied: Path) -> None:
    code = REPLACED.format(module=module, end="").replace(
        'os.replace(path + ".new", path)', end or 'os.replace(path + ".new", path)'
    )
    found = printed("-c", code, PYTHONPATH=str(copied))
    assert found.startswith("FAILED")
    assert f"{copied}/pymlp/{module}." in found
    assert "expected the file that was loaded, found another" in found


def test_where_no_system_tells_what_is_loaded_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loaded, "MAPS", Path("/nowhere"))
    assert run(MODULES).detail == "this system does not tell which files are loaded"


@pytest.mark.parametrize("damage", ["empty", "text"])
def test_a_broken_module_of_single_kernels_is_a_fault(damage: str, copied: Path) -> None:
    (path,) = (copied / "pymlp").glob("_core_test*.so")
    path.write_bytes(b"" if damage == "empty" else b"nothing that is loaded")
    found = printed("-c", SELFTEST, PYTHONPATH=str(copied))
    assert "self test FAILED" in found
    wrong = [line for line in found.splitlines() if line.startswith("FAILED")]
    assert [BESIDE[1], OF_ISA[0]] == [
        name for name in (BESIDE[1], OF_ISA[0]) if any(name in line for line in wrong)
    ]
    assert "expected results, found ImportError: " in found


def test_without_that_file_it_is_left_out(copied: Path) -> None:
    (path,) = (copied / "pymlp").glob("_core_test*.so")
    path.unlink()
    found = printed("-c", SELFTEST, PYTHONPATH=str(copied))
    assert "self test passed" in found
    assert "PYMLP_TESTING is OFF" in found


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are not told")
def test_threads_of_a_training_on_three_are_what_it_leaves() -> None:
    code = "import os\n" + SELFTEST.replace("print(certificate)", "")
    code += "before = len(os.listdir('/proc/self/task'))\npymlp.selftest()\n"
    code += "print(before, len(os.listdir('/proc/self/task')))"
    before, after = map(int, printed("-c", code, OPENBLAS_NUM_THREADS="1").split())
    assert after == before <= 3
