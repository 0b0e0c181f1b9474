"""docs/tables.md shows what its examples print."""

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "tables.md"


def test_examples_print_what_the_page_shows(capsys: pytest.CaptureFixture[str]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", page, re.DOTALL)
    assert len(examples) == page.count("```python") == 6
    names: dict[str, Any] = {}
    for code, shown in examples:  # each goes on with the names of those before it
        exec(code, names)
        assert capsys.readouterr().out == shown
