"""Pages show what the code does: tables as their scripts make them, plans, paths."""

import importlib.util
import json
import re
import shlex
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from printed import differences

import pymlp
from benchmarks import beside, page, tables
from pymlp import cli
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


README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_examples_of_the_readme_print_what_it_shows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    examples = re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", README, re.DOTALL)
    assert len(examples) == README.count("```python") == 3
    names: dict[str, Any] = {}
    for code, shown in examples:  # those behind go on with the samples of the first
        exec(code, names)
        assert differences(capsys.readouterr().out, shown) == []


def test_commands_of_the_readme_print_what_it_shows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```console\n\$ pymlp (.*?)\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 1
    for command, shown in blocks:
        assert cli.main(shlex.split(command)) == 0
        first, rest = shown.split("...\n")
        printed = capsys.readouterr().out.splitlines(keepends=True)[: first.count("\n")]
        assert differences("".join(printed), first) == []
        assert rest == ""


def test_figures_of_the_readme_are_those_of_the_records() -> None:
    speeds = json.loads((DOCS / "speed.json").read_text(encoding="utf-8"))
    record = json.loads((DOCS / "beside.json").read_text(encoding="utf-8"))
    header, _, *rows = beside.table(record, speeds).splitlines()
    assert [row for row in [header, *rows] if row not in README] == [], (
        "run: python -m benchmarks.beside --from docs/beside.json"
    )
    faster = [cell["ratio"] for cell in speeds["cells"] if cell["training"]]
    said = f"({min(faster):.1f} to {max(faster):.1f} times)"
    assert f"**{median(faster):.1f} times as fast**" in README
    assert said in README
    assert f"the median of {len(faster)} tasks" in README
    (cell,) = [cell for cell in speeds["cells"] if cell["name"].startswith(beside.PREDICTION)]
    for library in ("pymlp", "JAX", "PyTorch", "ONNX Runtime"):
        assert tables.microseconds(cell["best"][library]["microseconds"]) in README
    own = record["libraries"]["pymlp"]
    assert f"**{own['import_milliseconds']:.0f} ms**" in README
    assert f"**{own['megabytes']:.0f} MB**" in README


def test_page_of_speeds_is_made_from_the_record() -> None:
    record = json.loads((DOCS / "speed.json").read_text(encoding="utf-8"))
    made = "python -m benchmarks --from docs/speed.json --page docs/speed.md"
    assert (DOCS / "speed.md").read_text(encoding="utf-8") == page.page(record), f"run: {made}"


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
