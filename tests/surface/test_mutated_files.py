"""Thousands of damaged and forged files: each is refused in a sentence, or its model works."""

from pathlib import Path

import pytest

from fuzz import mutants


def check(n: int, seed: int, every: int, folder: Path) -> None:
    found = mutants.run(n, seed, folder, every)
    assert set(found) == {"refused", "loaded"}, "\n".join(found)
    assert found["loaded"] > n / 20
    assert found["refused"] > n / 2


def test_some_mutants(tmp_path: Path) -> None:
    check(1500, 0, 20, tmp_path)


@pytest.mark.slow
def test_many_mutants(tmp_path: Path) -> None:
    check(20_000, 1, 10, tmp_path)
