"""Interpreters beside the main one: an import there is refused, and nothing hangs or crashes."""

import subprocess
import sys

import pytest

SECONDS = 60.0  # after which something hangs

SCRIPT = """
import sys

try:
    from concurrent import interpreters
except ImportError:
    interpreters = None

def run(code):
    if interpreters is not None:
        one = interpreters.create()
        one.exec(code)
        one.close()
        return
    try:
        import _interpreters as own
    except ImportError:
        import _xxsubinterpreters as own
    one = own.create()
    excinfo = own.run_string(one, code)  # raised before Python 3.13
    own.destroy(one)
    if excinfo is not None:
        raise RuntimeError(excinfo.formatted)

IMPORT = '''
import warnings
warnings.simplefilter("ignore")  # NumPy's own, of the same
try:
    {module}
except ImportError as error:
    refused = str(error)
else:
    raise SystemError("it is there")
assert {said!r} in refused, refused
'''
OURS = "main interpreter alone"
PYMLP = "import pymlp"
"""
BODIES = {
    "before the main one": "run(IMPORT.format(module=PYMLP, said='')); import pymlp",
    "after the main one": "import pymlp; run(IMPORT.format(module=PYMLP, said=''))",
    "again and again": "[run(IMPORT.format(module=PYMLP, said='')) for _ in range(3)]; import pymlp",
}


def run(body: str) -> None:
    use = "net = pymlp.Network([3, 4, 2]); net.fit([[1, 2, 3]], [[1, 2]]); net.predict([1, 2, 3])"
    command = [sys.executable, "-W", "ignore", "-c", f"{SCRIPT}\n{body}\n{use}"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_an_import_in_another_interpreter_is_refused(body: str) -> None:
    run(body)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="NumPy is refused before the core")
def test_the_core_refuses_where_numpy_does_not() -> None:
    run("run(IMPORT.format(module='import pymlp._core', said=OURS)); import pymlp")
