"""The script that tries installations: which parts of the self test may be not run."""

import dataclasses
import sys
from pathlib import Path

import pytest

import pymlp
from pymlp.certificate import processes
from pymlp.certificate.result import Certificate, Part
from tests.project import minimal
from tests.project.selftest_parts import OF_ISA, run


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return pymlp.selftest()


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


def test_processes_are_run_by_a_launcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    launcher, log = tmp_path / "launcher", tmp_path / "log"
    launcher.write_text(f'#!/bin/sh\necho "$1" >>{log}\nexec "$@"\n')
    launcher.chmod(0o700)
    monkeypatch.setattr(processes, "LAUNCHER", (str(launcher),))
    assert run(OF_ISA[0]).passed
    assert log.read_text() == f"{sys.executable}\n"
