"""The self test passes on a build that is right, and fails wherever something is not."""

import copy
import dataclasses
import gzip
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import publish
import pytest
from bit_cases import native_products

import pymlp
from pymlp import _core, _core_test, cli, derivatives
from pymlp.activations import TABLE
from pymlp.certificate import kernels, parts, processes, result
from pymlp.certificate.result import Certificate, Part

PARTS = dict(parts.all_parts())
BESIDE = [name for name in PARTS if name.endswith("beside the reference")]
OF_ISA = [name for name in PARTS if name.startswith("bits of kernels")]
(TRAININGS,) = (name for name in PARTS if name.startswith("bits of trainings"))
(GRADIENTS,) = (name for name in PARTS if name.startswith("gradients, "))
(BLAS,) = (name for name in PARTS if "BLAS" in name)


def run(name: str) -> Part:
    return parts.run(name, PARTS[name])


def problem(name: str) -> str:
    """Return the first problem of a part that must fail."""
    part = run(name)
    assert part.passed is False, name
    return part.problems[0]


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return pymlp.selftest()


# ---- a build that is right -----------------------------------------------------------------------
def test_it_passes(certificate: Certificate) -> None:
    assert certificate.passed, str(certificate)
    assert [part.name for part in certificate.parts] == list(PARTS)
    for part in certificate.parts:
        if part.passed is None:
            assert part.detail in ("this processor does not have it", "this build has no BLAS")
        else:
            assert part.checks > 0
            assert part.problems == ()


def test_it_runs_every_instruction_set_that_is_here(certificate: Certificate) -> None:
    by_name = {part.name: part for part in certificate.parts}
    own = f"bits of kernels and trainings, {certificate.isa}"
    assert by_name[own].passed
    assert by_name[OF_ISA[0]].passed
    assert by_name[own].checks == by_name[OF_ISA[0]].checks == len(result.published()["checksums"])


def test_the_certificate_says_what_was_tested(certificate: Certificate) -> None:
    config = pymlp.show_config()
    assert certificate.pymlp == config["pymlp"]
    assert certificate.numpy == np.__version__
    assert certificate.isa == config["isa"]
    assert certificate.python.endswith(".".join(map(str, sys.version_info[:3])))
    assert len(certificate.extension) == len(certificate.published) == 64
    text = str(certificate)
    assert text.startswith(f"pymlp {certificate.pymlp}: self test passed\n")
    for name, value in certificate.to_dict().items():
        if name not in ("passed", "parts", "seconds"):
            assert f"{name:10} {value}" in text or name == "pymlp"
    assert all(part.name in text for part in certificate.parts)


def test_the_certificate_is_a_value(certificate: Certificate) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        certificate.isa = "other"  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(certificate)) == certificate == copy.copy(certificate)
    assert json.loads(json.dumps(certificate.to_dict()))["passed"] is True


@pytest.mark.slow  # as a clock judges it
def test_it_takes_ten_seconds_at_most() -> None:
    assert min(pymlp.selftest().seconds for _ in range(3)) <= 10.0


STATE = """
import json, os, random, sys, warnings
import numpy as np
import pymlp

def state():
    return [dict(os.environ), os.getcwd(), os.listdir("."), list(sys.path), np.geterr(),
            [str(entry) for entry in warnings.filters], str(random.getstate()),
            str(np.random.get_state()), pymlp.get_num_threads(), pymlp.get_arithmetic(),
            pymlp.get_arithmetic() == "blas" or pymlp.show_config()["blas_kernels"]]

before = state()
certificate = pymlp.selftest()
print(json.dumps([before == state(), certificate.passed]))
"""


def test_it_leaves_process_and_folder_as_they_were(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    done = subprocess.run(
        [sys.executable, "-c", STATE], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[true, true]\n"
    assert done.stderr == ""


# ---- what is published ---------------------------------------------------------------------------
def test_results_of_the_reference_are_those_that_are_published() -> None:
    found, kept = publish.of_reference(), result.published()["reference"]
    assert found.keys() == kept.keys()
    for name, values in found.items():  # the C library's functions differ in the last digits
        assert values == pytest.approx(kept[name], rel=1e-14, abs=1e-15), name


@pytest.mark.skipif(not native_products(), reason="matrix products are another library's")
def test_checksums_are_those_of_this_build() -> None:
    made = "python tests/judge/publish.py"
    assert publish.checksums.all_checksums() == result.published()["checksums"], f"run: {made}"


def test_the_text_is_what_is_packed() -> None:
    assert gzip.decompress(publish.PACKED.read_bytes()) == publish.TEXT.read_bytes()


# ---- numbers that are not what they should be ----------------------------------------------------
@pytest.fixture
def damaged(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """Return published numbers that may be changed."""
    mine = copy.deepcopy(result.published())
    monkeypatch.setattr(parts, "published", lambda: mine)
    return mine


@pytest.mark.parametrize("name", list(result.published()["reference"]))
def test_any_other_number_of_the_reference_is_seen(
    name: str, damaged: dict[str, dict[str, Any]]
) -> None:
    values = damaged["reference"][name]
    values[-1] += 1e-10 * max(1.0, abs(values[-1]))
    failed = [part for part in map(run, BESIDE) if part.passed is False]
    assert len(failed) == 1
    # In float32 a difference of 1e-10 is none.
    assert len(failed[0].problems) == 1
    shown = failed[0].problems[0]
    assert shown.startswith(f"{name}, float64, entry {len(values) - 1}: expected {values[-1]:.17g}")
    assert ", found " in shown


def test_a_missing_number_is_seen(damaged: dict[str, dict[str, Any]]) -> None:
    damaged["reference"]["gelu"].pop()
    assert problem(BESIDE[0]) == "gelu, float32: expected 3 numbers, found 4"


def test_another_checksum_is_seen(damaged: dict[str, dict[str, Any]]) -> None:
    damaged["checksums"]["training dense"] = "0" * 16
    del damaged["checksums"]["kernel exp"]
    true = result.published()["checksums"]
    assert problem(TRAININGS) == (
        f"training dense: expected {'0' * 16}, found {true['training dense']} on 1 threads"
    )
    for name in (f"bits of kernels and trainings, {isa}" for isa in ("generic", _isa())):
        assert problem(name) == f"kernel exp: expected None, found {true['kernel exp']}"


def _isa() -> str:
    return str(pymlp.show_config()["isa"])


# ---- kernels that are wrong ----------------------------------------------------------------------
def changed(function: Any) -> Any:
    """Return a kernel whose first result has one wrong entry."""

    def wrong(*arguments: Any) -> Any:
        found = function(*arguments)
        first = found[0] if isinstance(found, tuple) else found
        first.flat[0] += 0.001
        return found

    return wrong


@pytest.mark.parametrize("name", ["activation_forward", "activation_backward"])
def test_a_wrong_activation_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_core, name, changed(getattr(_core, name)))
    assert problem(BESIDE[0]).startswith("linear")
    assert len(run(BESIDE[0]).problems) >= 2 * len(TABLE)  # of each, in both dtypes


@pytest.mark.parametrize(
    "name", ["loss", "dense_forward", "dense_backward", "elementary", "dropout"]
)
def test_a_wrong_kernel_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_core_test, name, changed(getattr(_core_test, name)))
    assert run(BESIDE[1]).passed is False


def test_what_is_no_number_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    true = _core.activation_forward
    monkeypatch.setattr(_core, "activation_forward", lambda *a: true(*a) * np.nan)
    assert problem(BESIDE[0]).endswith("found nan")


def test_wrong_gradients_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    true = derivatives._central_differences
    monkeypatch.setattr(derivatives, "_central_differences", lambda *a: true(*a) * 1.001)
    assert "expected differences of at most 1e-05, found 0.001 at" in problem(GRADIENTS)


def test_wrong_products_by_blas_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"differences": {"float32": 3.0, "float64": float("nan")}, "library": "some"}
    monkeypatch.setattr(processes, "run", lambda *a, **b: found)
    monkeypatch.setattr(parts.config, "show_config", lambda: {"blas_library": "some"})
    assert problem(BLAS) == "float64: expected differences of at most 50 roundoffs, found nan"


def test_an_error_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any) -> None:
        raise OverflowError("too much")

    monkeypatch.setattr(_core, "activation_forward", broken)
    assert problem(BESIDE[0]) == "expected results, found OverflowError: too much"


def test_a_failure_is_the_certificates(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good = Part("good", True, 3, "", (), 0.1)
    bad = Part("bad", False, 4, "", tuple(f"wrong {i}" for i in range(5)), 0.1)
    monkeypatch.setattr(parts, "all_parts", lambda: iter([("a", None), ("b", None)]))
    monkeypatch.setattr(parts, "run", lambda name, part: {"a": good, "b": bad}[name])
    found = pymlp.selftest()
    assert not found.passed
    assert "self test FAILED" in str(found)
    assert "wrong 2\n" in str(found)
    assert "and 2 more\n1 passed, 1 failed, 0 not run" in str(found)
    assert cli.main(["selftest"]) == 1
    assert "self test FAILED" in capsys.readouterr().out


def test_nothing_run_is_not_passed(certificate: Certificate) -> None:
    none = tuple(dataclasses.replace(part, passed=None) for part in certificate.parts)
    assert not dataclasses.replace(certificate, parts=none).passed


# ---- processes -----------------------------------------------------------------------------------
def test_without_the_module_of_single_kernels_the_rest_is_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kernels, "HAS_TEST_MODULE", False)
    part = run(BESIDE[1])
    assert part.passed is None
    assert "PYMLP_TESTING is OFF" in str(part)
    assert run(BESIDE[0]).passed


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
        ("""echo '{"extension": "1234"}'""", "expected the extension"),
        ("exec sleep 30", "expected an answer, found none in 0.2 s"),
        ("echo nonsense", "JSONDecodeError"),
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
