"""`pymlp selftest`, of whatever build is installed."""

import json

import pytest

from pymlp import cli


def test_it_prints_a_certificate(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["selftest"]) == 0
    printed = capsys.readouterr()
    assert "self test passed" in printed.out
    assert " 0 failed" in printed.out
    assert printed.err == ""


def test_it_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["selftest", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["passed"] is True
    assert {part["passed"] for part in found["parts"]} <= {True, None}
    assert all(part["detail"] for part in found["parts"] if part["passed"] is None)
