"""The self test fails where a number, a checksum or code of the core is not what it should be."""

import copy
import dataclasses
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pymlp
from pymlp import _core, _core_test, cli, derivatives, optimizers
from pymlp.activations import TABLE
from pymlp.certificate import parts, processes, recipes, result, rules
from pymlp.certificate.result import Certificate, Part
from tests.project.selftest_parts import (
    BESIDE,
    BLAS,
    GRADIENTS,
    OF_ISA,
    RESULTS,
    SECTIONS,
    TRAININGS,
    Published,
    named,
    problem,
    run,
)


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return pymlp.selftest()


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
    found = {
        name.removesuffix(", loss").removesuffix(", gradient") for name in named(run(BESIDE[2]))
    }
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


@pytest.mark.parametrize("data", [gzip.compress(b"{}")[:-9], b"text", None])
def test_published_results_that_are_damaged(
    data: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if data is not None:
        (tmp_path / "published.json.gz").write_bytes(data)
    monkeypatch.setattr(result.resources, "files", lambda package: tmp_path)
    with pytest.raises(ImportError, match=r"pymlp is not whole, install it anew: .*published"):
        result._text()
