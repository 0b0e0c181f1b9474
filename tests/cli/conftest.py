"""What all tests of the command line share: a folder of their own, and how a line is run."""

import re

import pytest

from pymlp.cli import main


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Run each test in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def pymlp_ok(capsys):
    """Return a function that runs a command line, expects success and returns the output."""

    def run(*words):
        status = main([str(word) for word in words])
        out, err = capsys.readouterr()
        assert (status, err) == (0, "")
        return out

    return run


@pytest.fixture
def pymlp_error(capsys):
    """Return a function that runs a command line, expects one line of complaint and returns it."""

    def run(*words, status=1):
        assert main([str(word) for word in words]) == status
        err = capsys.readouterr().err
        assert re.fullmatch(r"pymlp: error: [^\n]+\n", err)
        return err.removeprefix("pymlp: error: ").rstrip("\n")

    return run


@pytest.fixture
def pymlp_told(capsys):
    """Return a function that runs a command line and returns the output and what it is told of."""

    def run(*words):
        assert main([str(word) for word in words]) == 0
        return capsys.readouterr()

    return run
