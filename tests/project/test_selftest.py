"""The self test passes on a build that is right, and fails wherever something is not."""

import copy
import dataclasses
import gzip
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any


import numpy as np
import publish
import pytest
from bit_cases import native_products
from tests.project import minimal

import pymlp
from pymlp import _core, _core_test, cli, derivatives, optimizers
from pymlp.activations import TABLE
from pymlp.certificate import kernels, loaded, parts, processes, recipes, result, rules
from pymlp.certificate.result import Certificate, Part

PARTS = dict(parts.all_parts())
BESIDE = [name for name in PARTS if name.endswith("beside the reference")]
OF_ISA = [name for name in PARTS if name.startswith("bits of kernels")]
(TRAININGS,) = (name for name in PARTS if name.startswith("bits of trainings"))
(GRADIENTS,) = (name for name in PARTS if name.startswith("gradients, "))
(BLAS,) = (name for name in PARTS if "BLAS" in name)
(MODULES,) = (name for name in PARTS if name.startswith("compiled"))
Published = dict[str, dict[str, dict[str, Any]]]
SECTIONS = dict(zip(BESIDE, result.published()["reference"], strict=True))
RESULTS = copy.deepcopy(result.published()["reference"])


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
    published = sum(map(len, result.published()["checksums"].values()))
    assert by_name[own].checks == by_name[OF_ISA[0]].checks == published


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
    assert {part: [*names] for part, names in found.items()} == {
        part: [*names] for part, names in kept.items()
    }
    for part, of_part in found.items():
        for name, values in of_part.items():  # the C library's functions differ in the last digits
            assert values == pytest.approx(kept[part][name], rel=1e-13, abs=1e-14), name


@pytest.mark.skipif(not native_products(), reason="matrix products are another library's")
def test_checksums_are_those_of_this_build() -> None:
    made = "python tests/judge/publish.py"
    assert publish.checksums.all_checksums() == result.published()["checksums"], f"run: {made}"


def test_the_text_is_what_is_packed() -> None:
    assert gzip.decompress(publish.PACKED.read_bytes()) == publish.TEXT.read_bytes()


# ---- numbers that are not what they should be ----------------------------------------------------
@pytest.fixture
def damaged(monkeypatch: pytest.MonkeyPatch) -> Published:
    """Return published numbers that may be changed."""
    mine = copy.deepcopy(result.published())
    monkeypatch.setattr(parts, "published", lambda: mine)
    return mine


@pytest.mark.parametrize("section", result.published()["reference"])
def test_any_other_number_of_the_reference_is_seen(section: str, damaged: Published) -> None:
    of_section = damaged["reference"][section]
    for values in of_section.values():
        values[-1] += 1e-10 * max(1.0, *map(abs, values))
    (failed,) = (part for part in map(run, BESIDE) if part.passed is False)
    # Each is seen, and in float32 a difference of 1e-10 is none.
    assert sorted(named(failed)) == sorted(of_section)
    assert len(failed.problems) == len(of_section)
    assert all(", float64, entry " in one for one in failed.problems)


@pytest.mark.parametrize("section", result.published()["reference"])
def test_each_number_that_is_another_is_named(section: str, damaged: Published) -> None:
    for name, values in damaged["reference"][section].items():
        for i, value in enumerate(values):
            values[i] = value + 1e-10 * max(1.0, *map(abs, values))
            found = parts._differences(name, "float64", values, np.array(RESULTS[section][name]))
            assert [f"{name}, float64, entry {i}: expected {values[i]:.17g}"] == [
                shown.partition(" within")[0] for shown in found
            ]
            values[i] = value


def test_a_missing_number_is_seen(damaged: Published) -> None:
    damaged["reference"]["kernels"]["gelu"].pop()
    assert problem(BESIDE[0]) == "gelu, float32: expected 3 numbers, found 4"


@pytest.mark.parametrize("name", BESIDE)
def test_results_missing_on_either_side_are_seen(name: str, damaged: Published) -> None:
    of_section = damaged["reference"][SECTIONS[name]]
    first = next(iter(of_section))
    count = len(of_section.pop(first))
    of_section["another"] = [1.0]
    problems = run(name).problems
    assert problems[0] == "another: expected a result, found none"
    assert problems[1] == f"{first}, float32: expected 0 numbers, found {count}"


def test_every_other_checksum_is_seen(damaged: Published) -> None:
    for of_section in damaged["checksums"].values():
        of_section.update(dict.fromkeys(of_section, "0" * 16))
    published = sum(map(len, damaged["checksums"].values()))
    for name in (f"bits of kernels and trainings, {isa}" for isa in ("generic", _isa())):
        assert len(run(name).problems) == published
    assert len(run(TRAININGS).problems) == 3 * len(damaged["checksums"]["trainings"])


def test_another_checksum_is_seen(damaged: Published) -> None:
    damaged["checksums"]["trainings"]["dense"] = "0" * 16
    del damaged["checksums"]["kernels"]["gelu"]
    true = result.published()["checksums"]
    assert problem(TRAININGS) == (
        f"dense, bits: expected {'0' * 16}, found {true['trainings']['dense']} on 1 threads"
    )
    for name in (f"bits of kernels and trainings, {isa}" for isa in ("generic", _isa())):
        assert problem(name) == f"gelu, bits: expected None, found {true['kernels']['gelu']}"


def test_a_checksum_that_is_not_found_is_seen(damaged: Published) -> None:
    damaged["checksums"]["single kernels"]["another"] = "0" * 16
    damaged["checksums"]["trainings"]["another"] = "0" * 16
    assert problem(TRAININGS) == f"another, bits: expected {'0' * 16}, found None on 1 threads"
    found = f"another, bits: expected {'0' * 16}, found None"
    assert run(OF_ISA[0]).problems == (found, found)


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


# ---- code of the core that is wrong, as Python shows it ------------------------------------------
def test_labels_that_are_read_as_one_class_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    true, of_kernel = _core.labels, _core_test.loss

    def loss(*arguments: Any) -> Any:
        before, labels, after = arguments[:5], arguments[5], arguments[6:]
        return of_kernel(*before, None if labels is None else labels * 0, *after)

    monkeypatch.setattr(_core, "labels", lambda y, classes: true(np.zeros_like(y), classes))
    monkeypatch.setattr(_core_test, "loss", loss)
    of_kernels, of_networks = (named(run(name)) for name in BESIDE[1:])
    assert {f"{name}{form}, {kind}{what}"
            for name in ("cross_entropy", "binary_cross_entropy") for form in ("", " from logits")
            for kind in ("labels", "labels smoothed") for what in ("", ", gradient")
            } == of_kernels  # fmt: skip
    assert {name for name in networks_of("softmax", recipes.GRADIENTS)} <= of_networks
    assert named(run(TRAININGS)) == {"labels", "labels of many classes"}


def named(part: Part) -> set[str]:
    """Return the names of the results in which a part has found differences."""
    assert part.passed is False
    return {re.split(r", float|, bits", one)[0] for one in part.problems}


def networks_of(output: str, of: dict[str, recipes.Recipe]) -> set[str]:
    labels = {name: one for name, one in of.items() if one.labels}
    return {f"{n}, loss" for n, one in labels.items() if output in one.case.options["output"]}


@pytest.mark.parametrize("what", ["smoothing", "weighted"])
def test_smoothing_and_weights_without_effect_are_seen(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    having = {name for name, one in ASKED if getattr(one, what)}
    assert len(having) > 6
    for name, one in ASKED:
        of = recipes.GRADIENTS if name in recipes.GRADIENTS else recipes.TRAININGS
        plain = one._replace(**{what: type(getattr(one, what))(0)})
        monkeypatch.setitem(of, name.removeprefix("trained: "), plain)
    found = {name.removesuffix(", loss").removesuffix(", gradient") for name in named(run(BESIDE[2]))}
    assert found == having


ASKED = [
    *recipes.GRADIENTS.items(),
    *((f"trained: {name}", one) for name, one in recipes.TRAININGS.items()),
]
LIMITS = ["l1", "l2", "clip_value", "clip_norm", "max_norm", "average", "groups"]


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_without_effect_is_seen(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, recipe in recipes.TRAININGS.items():
        fewer = {k: v for k, v in recipe.limits.items() if k != limit}
        options = {k: v for k, v in recipe.options.items() if k != limit}
        changed = recipe._replace(limits=fewer, options=options)
        monkeypatch.setitem(recipes.TRAININGS, name, changed)
    assert f"trained: {limit}" in named(run(BESIDE[2]))


def test_every_option_of_every_optimiser_is_tried() -> None:
    for kind, made in TABLE_OF_OPTIMIZERS.items():
        tried = [rule.options for rule in rules.RULES.values() if rule.kind == kind]
        for option, default in made().options.items():
            others = [options[option] for options in tried if option in options]
            assert any(other != default for other in others), (kind, option)


TABLE_OF_OPTIMIZERS = {name: kind for name, kind in optimizers.TABLE.items() if name != "lbfgs"}
OPTIONS = [(name, option) for name, rule in rules.RULES.items() for option in rule.options]


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_an_option_without_effect_is_seen(
    name: str, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = rules.RULES[name]
    fewer = {key: value for key, value in rule.options.items() if key != option}
    if option == "momentum":
        fewer = {key: x for key, x in fewer.items() if key not in ("nesterov", "dampening")}
    default = optimizers.TABLE[rule.kind]().options[option]
    if option == "weight_decay" and default == rule.options[option]:
        fewer[option] = 0.0
    monkeypatch.setattr(rules, "RULES", {name: rule._replace(options=fewer)})
    assert f"rule {name}" in named(run(BESIDE[0]))


# Beyond the first vector, at its end, and in what is left.
@pytest.mark.parametrize("place", [8, 10, 31, 63, 71, 76])
def test_a_step_that_is_wrong_in_one_place_is_seen(
    place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = rules.steps

    def steps(*arguments: Any) -> Any:
        moved = true(*arguments)
        moved[place] *= 1.001
        return moved

    monkeypatch.setattr(rules, "steps", steps)
    assert named(run(BESIDE[0])) == {f"rule {name}" for name in rules.RULES}
    assert f", entry {place}: " in problem(BESIDE[0])


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
    return "self test passed" in certificate and all(any(k in one for k in known) for one in not_run)


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
    package = tmp_path / "elsewhere" / "pymlp"
    shutil.copytree(Path(pymlp.__file__).parent, package)
    code = FINDER.format(folder=str(package), home=HOME)
    found = printed("-c", code + SELFTEST, PYTHONPATH="")
    if HOME in sysconfig.get_paths().values():
        pytest.skip("this package is where every process looks")
    assert "self test passed" in found
    said = "(a process of its own cannot import pymlp: No module named 'pymlp')"
    lines = [line for line in found.splitlines() if said in line]
    assert len(lines) == len(OF_ISA) + 1
    assert all(line.startswith("not run") for line in lines)


def test_options_of_this_process_are_its_processes() -> None:
    code = f"{PATHS}from pymlp.certificate import processes\nprint(processes.flags())"
    command = ["-S", "-s", "-E", "-O", "-X", "faulthandler", "-X", "utf8=1", "-W", "error", "-c", code]
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


# ---- the script that tries installations ---------------------------------------------------------
def lacking(*names: str) -> list[Part]:
    return [
        Part(name, None if name.endswith(names) else True, 1, "", (), 0.1)
        for name in ("kernels", "bits, generic", "bits, avx2")
    ]


@pytest.mark.parametrize(
    ("given", "missing", "found"),
    [
        ([], (), []),
        ([], ("avx2",), ["must be run: bits, avx2 ()"]),
        (["--may-lack", "avx2"], ("avx2",), []),
        (["--may-lack", "avx2"], ("generic", "avx2"), ["must be run: bits, generic ()"]),
        (["--must-lack", "avx2"], ("avx2",), []),
        (["--must-lack", "avx2"], (), ["must not be run: bits, avx2"]),
        (["--must-lack", "avx3"], (), ["no part's name ends in: avx3"]),
    ],
)
def test_only_parts_that_are_named_may_be_not_run(
    given: list[str], missing: tuple[str, ...], found: list[str], certificate: Certificate
) -> None:
    parts = tuple(lacking(*missing)) if missing else tuple(lacking("none"))
    made = dataclasses.replace(certificate, parts=parts)
    assert minimal.unexpected(made, minimal.arguments(given)) == found


def test_processes_are_run_by_a_launcher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher, log = tmp_path / "launcher", tmp_path / "log"
    launcher.write_text(f'#!/bin/sh\necho "$1" >>{log}\nexec "$@"\n')
    launcher.chmod(0o700)
    monkeypatch.setattr(processes, "LAUNCHER", (str(launcher),))
    assert run(OF_ISA[0]).passed
    assert log.read_text() == f"{sys.executable}\n"


# ---- the reference at the sizes that checksums cover ---------------------------------------------
@pytest.mark.parametrize("sizes", [kernels.MANY, kernels.NARROW], ids=["many", "narrow"])
@pytest.mark.parametrize("section", publish.SOURCES)
def test_kernels_of_checksums_are_those_of_the_reference(
    section: str, sizes: kernels.Sizes, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = publish.of_kernels(section, sizes)
    source = {"kernels": kernels.without_test_module, "single kernels": kernels.with_test_module}
    monkeypatch.setattr(parts, "published", lambda: {"reference": {section: expected}})
    outcome = parts._beside_reference(section, lambda dtype: source[section](sizes, dtype))
    assert outcome.problems == []
    assert outcome.checks == 2 * len(expected)
