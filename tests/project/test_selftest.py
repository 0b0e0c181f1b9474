"""The self test passes on a build that is right, and tells what it is compared with."""

import copy
import dataclasses
import gzip
import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import publish
import pytest
from bit_cases import native_products

import pymlp
from pymlp.certificate import kernels, parts, result
from pymlp.certificate.result import Certificate
from tests.project.selftest_parts import (
    OF_ISA,
    PARTS,
)


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
