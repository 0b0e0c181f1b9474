"""What the package is built with, what it carries and where it is tested is written down."""

import ast
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
TOOLS = (ROOT / ".ci" / "tools.txt").read_text(encoding="utf-8")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
NOXFILE = (ROOT / "noxfile.py").read_text(encoding="utf-8")


def module(path: str) -> Any:
    """Return a script as a module."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


# ---- what builds it ------------------------------------------------------------------------------
def test_what_builds_it_has_upper_bounds() -> None:
    for requirement in PROJECT["build-system"]["requires"]:
        assert re.search(r"==\d|<\d", requirement), requirement


def test_every_tool_has_a_version_and_hashes() -> None:
    tools = re.split(r"^(?=[a-z])", re.sub(r"^ *#.*\n", "", TOOLS, flags=re.MULTILINE), flags=re.M)
    assert len(tools) > 30
    for tool in filter(None, tools):
        assert re.match(r"[\w.-]+==[\w.]+ ", tool), tool
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", tool), tool


def test_tools_are_those_that_are_asked_for() -> None:
    asked = (ROOT / ".ci" / "tools.in").read_text(encoding="utf-8").splitlines()
    names = {re.split(r"[><=]", line)[0] for line in asked if not line.startswith("#")}
    pinned = set(re.findall(r"^([\w.-]+)==", TOOLS, re.MULTILINE))
    assert names - pinned == set()
    for requirement in PROJECT["build-system"]["requires"]:
        assert requirement in asked or re.split(r"[><=]", requirement)[0] in names
        if "==" in requirement:
            assert f"{requirement} \\" in TOOLS


# ---- what it carries -----------------------------------------------------------------------------
def bill(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, str(ROOT / "cmake" / "sbom.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


ARGUMENTS = ("--version", "1.2", "--pybind11", "3.1.0", "--compiler", "GNU=12.2.0")


def test_a_bill_names_what_is_carried(tmp_path: Path) -> None:
    library = tmp_path / "library.so"
    library.write_bytes(b"code")
    found = bill(*ARGUMENTS, "--openblas", "0.3.34", str(library))
    assert [one["name"] for one in found["components"]] == ["pybind11", "OpenBLAS"]
    assert found["components"][1]["purl"] == "pkg:pypi/scipy-openblas32@0.3.34"
    assert [one["name"] for one in found["components"][1]["components"]] == [
        "LAPACK",
        "libgfortran",
    ]
    assert bill(*ARGUMENTS, "--openblas", "0.3.34", str(library)) == found
    library.write_bytes(b"other code")
    assert bill(*ARGUMENTS, "--openblas", "0.3.34", str(library)) != found


def test_without_blas_there_is_none_in_the_bill() -> None:
    assert [one["name"] for one in bill(*ARGUMENTS)["components"]] == ["pybind11"]


def test_each_licence_of_what_is_carried_is_shipped() -> None:
    assert PROJECT["project"]["license-files"] == ["LICENSE", "licenses/*.txt"]
    kept = {file.stem for file in (ROOT / "licenses").iterdir()}
    assert kept == {"OpenBLAS", "pybind11"}
    text = (ROOT / "licenses" / "OpenBLAS.txt").read_text(encoding="utf-8")
    for name in ("OpenBLAS", "LAPACK", "GCC runtime library"):
        assert f"Name: {name}\n" in text


@pytest.fixture
def wheel(tmp_path: Path) -> dict[str, bytes]:
    """Return the files of a small wheel."""
    library = tmp_path / "library.so"
    library.write_bytes(b"code")
    document = bill(*ARGUMENTS, "--openblas", "0.3.34", str(library))
    licences = "".join(f"License-File: {name}\n" for name in LICENCES)
    return {
        "pymlp/__init__.py": b"",
        "pymlp/_core.cpython-311-x86_64-linux-gnu.so": b"",
        "pymlp/lib/libpymlp_openblas.so": b"code",
        "pymlp-1.2.dist-info/METADATA": f"Version: 1.2\n{licences}".encode(),
        "pymlp-1.2.dist-info/sboms/pymlp.cdx.json": json.dumps(document).encode(),
        **{f"pymlp-1.2.dist-info/licenses/{name}": b"text" for name in LICENCES},
    }


LICENCES = ["LICENSE", "licenses/OpenBLAS.txt", "licenses/pybind11.txt"]


def check(files: dict[str, bytes], folder: Path) -> None:
    path = folder / "pymlp-1.2-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    module("tests/project/wheel_contents.py").main(str(path))


def test_a_right_wheel_passes(wheel: dict[str, bytes], tmp_path: Path) -> None:
    check(wheel, tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pymlp/lib/libpymlp_openblas.so", b"other code"),
        ("tests/test_some.py", b""),
        ("pymlp/source.cpp", b""),
        ("pymlp/_other.cpython-311-x86_64-linux-gnu.so", None),
        ("pymlp-1.2.dist-info/licenses/licenses/pybind11.txt", None),
        ("pymlp-1.2.dist-info/sboms/pymlp.cdx.json", None),
        ("pymlp-1.2.dist-info/METADATA", b"Version: 1.3\n"),
    ],
)
def test_a_wrong_wheel_does_not(
    name: str, content: bytes | None, wheel: dict[str, bytes], tmp_path: Path
) -> None:
    if name.startswith("pymlp/_other"):
        del wheel["pymlp/_core.cpython-311-x86_64-linux-gnu.so"]
    elif content is None:
        del wheel[name]
    else:
        wheel[name] = content
    with pytest.raises((AssertionError, ValueError)):
        check(wheel, tmp_path)


# ---- what runs on it -----------------------------------------------------------------------------
def test_there_are_workflows() -> None:
    assert [path.stem for path in WORKFLOWS] == ["test", "wheels"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_trust_little(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    used = re.findall(r"uses: (.*)", text)
    assert used
    for action in used:
        assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v[\d.]+", action), action
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")
    assert re.search(r"^permissions: \{\}$", text, re.MULTILINE)
    assert set(re.findall(r"^      (\w+): (?:read|write)$", text, re.MULTILINE)) == {"contents"}
    assert "secrets." not in text
    assert "write" not in text


def sessions() -> set[str]:
    """Return the names of nox's sessions."""
    functions = [node for node in ast.parse(NOXFILE).body if isinstance(node, ast.FunctionDef)]
    decorated = [f for f in functions if any("session" in ast.unparse(d) or "with_one_python" in
                                             ast.unparse(d) for d in f.decorator_list)]  # fmt: skip
    return {function.name for function in decorated}


def test_workflows_run_every_session() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    matrix = re.search(r"session: \[(.*)\]", text)
    assert matrix is not None
    named = set(re.findall(r'nox -s "?([a-z_]+)', text)) | {"wheels"}
    run = {name.partition("-")[0] for name in matrix[1].split(", ")} | named
    assert run == sessions()


def test_the_oldest_releases_are_those_that_are_declared() -> None:
    oldest = re.search(r"^OLDEST = (\[.*?\])", NOXFILE, re.MULTILINE | re.DOTALL)
    assert oldest is not None
    pins = dict(pin.split("==") for pin in ast.literal_eval(oldest[1]))
    extras = PROJECT["project"]["optional-dependencies"]
    for requirement in [*PROJECT["project"]["dependencies"], *extras["test"]]:
        name, least = requirement.split(">=")
        assert f"{pins[name]}.0.0".startswith(f"{least}."), requirement


def test_pythons_are_those_that_are_declared() -> None:
    least = PROJECT["project"]["requires-python"].removeprefix(">=")
    pythons = ast.literal_eval(re.search(r"^PYTHONS = (.*)$", NOXFILE, re.MULTILINE)[1])  # type: ignore[index]
    assert pythons[0] == least
    text = "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    assert f"python: {json.dumps(pythons)}" in text
    wheels = PROJECT["tool"]["cibuildwheel"]["build"].split()
    assert wheels == [f"cp{python.replace('.', '')}-*" for python in pythons]
