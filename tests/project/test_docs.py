"""Pages that are made from tables are as their scripts make them."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from pymlp.activations import TABLE

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def script() -> Any:
    spec = importlib.util.spec_from_file_location("make_activations", DOCS / "make_activations.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_page_of_activations_is_made_from_the_table(script: Any) -> None:
    page = (DOCS / "activations.md").read_text(encoding="utf-8")
    assert page == script.page(), "run: python docs/make_activations.py"
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) == len(TABLE)
    assert {row.replace(r"\|", "").count("|") for row in rows} == {7}


@pytest.mark.slow
def test_picture_of_activations_can_be_made(script: Any, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    script.picture(tmp_path / "activations.png")
    for picture in (tmp_path / "activations.png", DOCS / "activations.png"):
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.stat().st_size < 200_000
