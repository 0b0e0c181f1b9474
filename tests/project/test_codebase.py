"""The codebase tests itself: what the design says of files, names and imports."""

import ast
import graphlib
import importlib
import inspect
import json
import os
import pkgutil
import re
import subprocess
import sys
import tomllib
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import pymlp
from pymlp import _core, _core_test

ROOT = Path(__file__).parents[2]
CPP = ROOT / "src" / "cpp"
PYTHON = ROOT / "src" / "pymlp"
# Each includes from itself and those before it.
FOLDERS = ["base", "kernels", "ops", "model", "bindings", "testing"]
CPP_FILES = sorted(path.relative_to(CPP).as_posix() for path in CPP.rglob("*.?pp"))


def includes(file: str) -> list[str]:
    text = (CPP / file).read_text(encoding="utf-8")
    return re.findall(r'^\s*#\s*include\s+["<]([^">]+)[">]', text, re.MULTILINE)


# ---- C++ -----------------------------------------------------------------------------------------


def test_every_cpp_file_is_in_one_of_the_folders() -> None:
    assert CPP_FILES
    assert {file.split("/")[0] for file in CPP_FILES} == set(FOLDERS)


@pytest.mark.parametrize("file", CPP_FILES)
def test_includes_run_one_way(file: str) -> None:
    allowed = FOLDERS[: FOLDERS.index(file.split("/")[0]) + 1]
    own = [name for name in includes(file) if name.split("/")[0] in FOLDERS]
    assert [name for name in own if name.split("/")[0] not in allowed] == []
    # The project's own files are named from src/cpp, so that the folder is always seen.
    assert [name for name in includes(file) if (CPP / file).parent.joinpath(name).is_file()] == []


def test_headers_of_others_stay_where_they_belong() -> None:
    places = {
        r"cblas\.h": {"kernels/system_blas.cpp"},
        r"pybind11/numpy\.h": {"bindings/arrays.hpp"},
        r"(pybind11/.*|Python\.h|numpy/.*)": {
            f for f in CPP_FILES if f.startswith(("bindings/", "testing/"))
        },
        r"(\w*mmintrin|x86intrin|arm_neon|arm_sve)\.h": {"kernels/vector/vectors.hpp"},
        r"omp\.h": set(),
    }
    for pattern, allowed in places.items():
        found = {f for f in CPP_FILES if any(re.fullmatch(pattern, name) for name in includes(f))}
        assert found <= allowed, pattern


def test_no_bits_come_from_the_functions_of_the_c_library() -> None:
    # fma() and sqrt() are rounded right everywhere; what else it has differs between machines.
    function = r"(?:std::|__builtin_)(?:pow|exp|log|sin|cos|tan|sinh|cosh|tanh|erf|gamma|cbrt)\w*\("
    for file in CPP_FILES:
        assert re.findall(function, (CPP / file).read_text(encoding="utf-8")) == [], file


# ---- the stubs -------------------------------------------------------------------------------


class Signature(NamedTuple):
    """What of a signature is compared: names, how many have defaults, whether any others pass."""

    parameters: tuple[str, ...]
    defaults: int
    others: bool


def signature_of(function: ast.FunctionDef) -> Signature:
    arguments = function.args
    names = tuple(argument.arg for argument in [*arguments.posonlyargs, *arguments.args])
    return Signature(names, len(arguments.defaults), arguments.kwarg is not None)


def signatures_in_docstring(function: Any) -> set[Signature]:
    """Read what pybind11 wrote: one line for each overload."""
    lines = [re.sub(r"^\d+\. ", "", line) for line in function.__doc__.splitlines()]
    lines = [line for line in lines if " -> " in line]
    assert lines
    parsed = [ast.parse(f"def {line}: ...").body[0] for line in lines]
    return {signature_of(node) for node in parsed if isinstance(node, ast.FunctionDef)}


def stub_of(module: types.ModuleType) -> ast.Module:
    name = module.__name__.removeprefix("pymlp.")
    return ast.parse((PYTHON / f"{name}.pyi").read_text(encoding="utf-8"))


MODULES = [_core, _core_test]
STUB = stub_of(_core)
STUB_CLASSES = {node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)}


def members(node: ast.ClassDef) -> dict[str, list[ast.FunctionDef]]:
    """Return the functions of a class of the stub and of its private bases, by name."""
    found: dict[str, list[ast.FunctionDef]] = {}
    for base in node.bases:
        if isinstance(base, ast.Subscript) and isinstance(base.value, ast.Name):
            found |= members(STUB_CLASSES[base.value.id]) if base.value.id in STUB_CLASSES else {}
    for item in node.body:
        if isinstance(item, ast.FunctionDef):
            found.setdefault(item.name, []).append(item)
    return found


def decorators(function: ast.FunctionDef) -> list[str]:
    return [ast.unparse(decorator) for decorator in function.decorator_list]


def public(names: Any) -> set[str]:
    return {name for name in names if not name.startswith("_")}


@pytest.mark.parametrize("module", MODULES)
def test_stub_has_the_names_of_the_module(module: types.ModuleType) -> None:
    kinds = (ast.ClassDef, ast.FunctionDef)
    in_stub = {node.name for node in stub_of(module).body if isinstance(node, kinds)}
    assert public(in_stub) == public(vars(module))


def test_stub_has_the_version() -> None:
    annotated = [node.target for node in STUB.body if isinstance(node, ast.AnnAssign)]
    assert "__version__" in [target.id for target in annotated if isinstance(target, ast.Name)]


@pytest.mark.parametrize("module", MODULES)
def test_stub_has_the_functions_of_the_module(module: types.ModuleType) -> None:
    functions = [node for node in stub_of(module).body if isinstance(node, ast.FunctionDef)]
    in_stub = {function.name: {signature_of(function)} for function in functions}
    assert in_stub == {name: signatures_in_docstring(getattr(module, name)) for name in in_stub}


@pytest.mark.parametrize("name", sorted(public(STUB_CLASSES)))
def test_stub_has_the_members_of_a_class(name: str) -> None:
    kind = getattr(_core, name)
    in_stub = members(STUB_CLASSES[name])
    assert public(in_stub) == public(vars(kind))
    for member in [*public(in_stub), "__init__"]:
        value = vars(kind)[member]
        kinds = {decorator for function in in_stub[member] for decorator in decorators(function)}
        if isinstance(value, property):
            expected = {"property"} if value.fset is None else {"property", f"{member}.setter"}
            assert kinds == expected, member
        else:
            assert {signature_of(f) for f in in_stub[member]} == signatures_in_docstring(value)


# ---- names and versions ----------------------------------------------------------------------


def modules() -> Iterator[types.ModuleType]:
    """Yield the package and its Python modules, private ones as well."""
    yield pymlp
    for info in pkgutil.walk_packages([str(PYTHON)], "pymlp."):
        name = info.name.removeprefix("pymlp.")
        if name != "__main__" and not name.startswith("_core"):  # those are C++
            yield importlib.import_module(info.name)


def test_version_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[?v?(\d[^\s\]]*)", changelog, re.MULTILINE)
    assert pymlp.__version__ == project["version"]
    assert newest is not None
    assert newest[1] == project["version"]


def test_all_names_what_is_public() -> None:
    values = {name: value for name, value in vars(pymlp).items() if not name.startswith("_")}
    things = {name for name, value in values.items() if not isinstance(value, types.ModuleType)}
    assert things <= set(pymlp.__all__)
    missing = [name for name in pymlp.__all__ if not hasattr(pymlp, name)]
    assert missing == []


def test_all_is_sorted() -> None:
    # Constants, then classes, then the rest, each by the alphabet.
    def order(name: str) -> tuple[int, str]:
        return 0 if name.isupper() else 1 if name[0].isupper() else 2, name

    for module in modules():
        names = list(getattr(module, "__all__", []))
        assert names == sorted(set(names), key=order), module.__name__


def test_modules_of_packages_are_looked_at() -> None:
    assert {module.__name__ for module in modules()} == python_modules().keys() - {"pymlp.__main__"}


def undocumented(prefix: str, names: dict[str, Any]) -> Iterator[str]:
    for name, value in names.items():
        is_code = isinstance(value, type | types.FunctionType | property)
        if name.startswith("_") or not is_code:
            continue
        of_package = getattr(value, "__module__", "pymlp").startswith("pymlp")
        if of_package and not inspect.getdoc(value):
            yield f"{prefix}.{name}"
        if of_package and isinstance(value, type) and value.__module__ == prefix:
            yield from undocumented(f"{prefix}.{name}", dict(vars(value)))


def test_what_is_public_has_a_docstring() -> None:
    for module in modules():
        assert module.__doc__, module.__name__
        assert list(undocumented(module.__name__, vars(module))) == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    files = [f for folder in ("src", "tests", "benchmarks") for f in (ROOT / folder).rglob("*.*")]
    vague = re.compile("util|helper|manager|misc", re.IGNORECASE)
    assert [file.name for file in files if vague.search(file.stem)] == []


def lines_of_docstrings(tree: ast.AST) -> int:
    nodes = (ast.Module, ast.ClassDef, ast.FunctionDef)
    firsts = [node.body[0] for node in ast.walk(tree) if isinstance(node, nodes) and node.body]
    texts = [node for node in firsts if isinstance(node, ast.Expr)]
    return sum(
        (node.end_lineno or node.lineno) - node.lineno + 1
        for node in texts
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    )


def test_no_file_outgrows_one_idea() -> None:
    # 300 lines are a sign, 450 too many. Documentation for users does not count.
    sizes = {}
    for file in [*CPP.rglob("*.?pp"), *PYTHON.rglob("*.py*")]:
        if file.suffix in {".cpp", ".hpp", ".py", ".pyi"}:
            text = file.read_text(encoding="utf-8")
            documentation = lines_of_docstrings(ast.parse(text)) if ".py" in file.suffix else 0
            sizes[file.relative_to(ROOT).as_posix()] = len(text.splitlines()) - documentation
    assert {file: size for file, size in sizes.items() if size > 450} == {}


# ---- imports run one way ---------------------------------------------------------------------


def python_modules() -> dict[str, Path]:
    """Return the files of all modules of the package by name."""
    files = sorted(PYTHON.rglob("*.py"))
    names = [".".join(f.relative_to(PYTHON.parent).with_suffix("").parts) for f in files]
    return {n.removesuffix(".__init__"): f for n, f in zip(names, files, strict=True)}


def imported(file: Path, known: set[str]) -> set[str]:
    """Return which of the known modules a file imports, anywhere in it, for types as well."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names} - {
                "pymlp._core",
                "pymlp._core_test",
            }
            found |= {name if name in known else str(node.module) for name in names}
    return found & known


def test_python_imports_run_one_way() -> None:
    files = python_modules()
    graph = {name: imported(file, set(files)) for name, file in files.items()}
    assert graph["pymlp.network"] > {"pymlp.architecture", "pymlp.layers"}
    list(graphlib.TopologicalSorter(graph).static_order())  # an error that shows the circle


def test_nobody_reaches_into_a_network() -> None:
    texts = {name: file.read_text(encoding="utf-8") for name, file in python_modules().items()}
    private = re.compile(r"\b(net|network)\._(?!_)")
    assert [name for name, text in texts.items() if private.search(text)] == []
    using = [name for name, text in texts.items() if "_core_test" in text]
    assert using == ["pymlp.certificate.kernels"]  # of the self test, which can do without


# ---- importing and using it ------------------------------------------------------------------


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python anew, from elsewhere, so that nothing of the repository is found by chance."""
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | environment,
        cwd=PYTHON.anchor,
        capture_output=True,
        text=True,
        check=True,
    )


def test_import_brings_only_what_it_needs() -> None:
    loaded = run("-c", "import sys, pymlp; print(*sys.modules)").stdout.split()
    heavy = {"safetensors", "tqdm", "matplotlib", "sklearn", "scipy", "pandas", "torch", "doctest"}
    assert "numpy" in loaded
    assert sorted(name for name in loaded if name.split(".")[0] in heavy) == []
    assert [name for name in loaded if name in {"pymlp.cli", "pymlp.__main__"}] == []
    assert [name for name in loaded if name.startswith("pymlp.files")] == []  # json, OpenSSL


@pytest.mark.slow  # as a clock judges it
def test_import_takes_at_most_30_milliseconds_over_numpy() -> None:
    def microseconds() -> int:
        report = run("-X", "importtime", "-c", "import numpy\nimport pymlp").stderr
        total = re.search(r"\|\s*(\d+) \| pymlp$", report, re.MULTILINE)
        assert total is not None
        return int(total[1])

    assert min(microseconds() for _ in range(7)) <= 30_000


# What a process shares with everything that runs in it, before and after.
STATE = """
import ctypes, json, os, random, signal, sys, tempfile, warnings
import numpy as np

c_getenv = ctypes.CDLL(None).getenv
c_getenv.restype = ctypes.c_char_p

def state():
    return {
        "environ": dict(os.environ),
        "c_environ": {name: str(c_getenv(name.encode())) for name in [*os.environ, *NAMES]},
        "warnings": [str(entry) for entry in warnings.filters],
        "errstate": np.geterr(),
        "signals": {str(s): str(signal.getsignal(s)) for s in signal.valid_signals()},
        "random": [str(random.getstate()), str(np.random.get_state())],
        "subnormals": float(np.float32(2e-38) / np.float32(8)) != 0.0,
        "folder": os.getcwd(),
        "print": str(np.get_printoptions()),
    }

NAMES = ["OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "OPENBLAS_MAIN_FREE", "GOTO_NUM_THREADS",
         "OMP_NUM_THREADS", "MKL_NUM_THREADS"]
before = state()
import pymlp
imported = state()
rng = np.random.default_rng(0)
X = rng.normal(size=(600, 20))
net = pymlp.Network([20, 64, 64, 3], output="softmax", seed=0)
net.fit(X, rng.integers(0, 3, 600), batch_size=256, epochs=2)
net.predict(X)
pymlp.show_config()
if pymlp.show_config()["blas_library"] != "none":
    with pymlp.arithmetic("blas"):
        net.predict(X)
with tempfile.TemporaryDirectory() as folder:
    net.save(folder + "/net.safetensors")
    pymlp.load(folder + "/net.safetensors")
print(json.dumps([before, imported, state()]))
"""


@pytest.mark.parametrize("environment", [{}, {"OPENBLAS_NUM_THREADS": "3", "OMP_NUM_THREADS": "2"}])
def test_import_and_use_leave_the_process_as_it_was(environment: dict[str, str]) -> None:
    before, imported, used = json.loads(run("-c", STATE, **environment).stdout)
    assert imported == before
    assert used == before
