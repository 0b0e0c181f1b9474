"""Pages show what the code does: tables as their scripts make them, plans, paths."""

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

import pymlp
from pymlp.activations import TABLE
from pymlp.plan import Plan

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]


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


def printed_plans() -> list[tuple[str, str]]:
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```\n\n```\n(.*?)\n```", page, re.DOTALL)


@pytest.mark.parametrize(("code", "shown"), printed_plans())
def test_plans_in_the_page_are_what_is_printed(code: str, shown: str) -> None:
    plans: list[Plan] = []
    # With BLAS, whose bits depend on the rows of a product, rows are cut otherwise.
    with pymlp.arithmetic("exact"):
        exec(code, {"pymlp": pymlp, "print": plans.append})
    assert str(plans[0]) == shown


def test_examples_of_the_readme_print_what_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", page, re.DOTALL)
    assert len(examples) == page.count("```python") == 2
    names: dict[str, Any] = {}
    for code, shown in examples:  # the second goes on with the samples of the first
        exec(code, names)
        *table, right = capsys.readouterr().out.splitlines()
        *shown_table, shown_right = shown.splitlines()
        assert table == shown_table
        # Last digits depend on what computes the products.
        assert float(right.split("%")[0]) == pytest.approx(
            float(shown_right.split("%")[0]), abs=1.0
        )


def test_three_plans_are_shown() -> None:
    assert len(printed_plans()) == 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_in_pages_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:src|tests|docs|examples|benchmarks|cmake)/[\w./-]*)`", text))
    missing = [name for name in named if not (ROOT / name).exists()]
    links = set(re.findall(r"\]\((?!https?:)([^)#\s]+)", text))
    missing += [name for name in links if not (page.parent / name).exists()]
    assert missing == []
