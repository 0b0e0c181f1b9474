"""Every example runs and prints what the comment at its end says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from printed import differences

FOLDER = Path(__file__).parents[2] / "examples"
EXAMPLES = sorted(FOLDER.glob("*.py"))


def run(example: Path, folder: Path, *arguments: str) -> str:
    """Return what an example prints, run in an empty folder without a display."""
    display = {"DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND"}
    done = subprocess.run(
        [sys.executable, "-W", "error", example, *arguments],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name not in display},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def promised(example: Path) -> str:
    """Return the comment at the end, which follows a line ``# Output:``."""
    _, comment = example.read_text(encoding="utf-8").split("\n# Output:\n")
    return re.sub(r"^# ?", "", comment, flags=re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_prints_what_it_promises(example: Path, tmp_path: Path) -> None:
    if "pymlp.plot" in example.read_text(encoding="utf-8"):
        pytest.importorskip("matplotlib")
    assert differences(run(example, tmp_path), promised(example)) == []
    if "PICTURE" in example.read_text(encoding="utf-8"):
        assert is_picture(tmp_path / f"{example.stem}.png")


def test_differences_are_seen() -> None:
    assert differences("loss 0.52 in 3.1 s\n", "loss 0.50 in … s\n") == []
    assert differences("loss 0.62 in 3.1 s\n", "loss 0.50 in … s\n") == ["0.62, not 0.50"]
    assert differences("loss 1.2e-05\n", "loss 1.2e-04\n") == ["1.2e-05, not 1.2e-04"]
    assert differences("gain 0.50\n", "loss 0.50\n") == ["gain 0.50\n"]
    assert differences("2 of 4\n", "3 of 4\n") == ["2 of 4\n"]


def is_picture(path: Path) -> bool:
    return path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["two_spirals", "deep_residual"])
def test_pictures_are_written_where_they_are_told_to(name: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    run(FOLDER / f"{name}.py", tmp_path, "another.png")
    assert is_picture(tmp_path / "another.png")


def test_examples_are_short_and_listed() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    lines = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in EXAMPLES}
    assert {name: n for name, n in lines.items() if n >= 60} == {}
    assert [name for name in lines if f"| [{name}]({name}) |" not in readme] == []
