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
PYMLP = "import pymlp"
USE = "net = pymlp.Network([3, 4, 2]); net.fit([[1, 2, 3]], [[1, 2]]); net.predict([1, 2, 3])"
"""


def run(body: str) -> None:
    command = [sys.executable, "-W", "ignore", "-c", f"{SCRIPT}\n{body}"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""


def test_an_import_in_another_interpreter_is_refused_and_the_main_one_works_on() -> None:
    run("import pymlp; exec(USE); run(IMPORT.format(module=PYMLP, said='')); exec(USE)")


def test_every_import_in_another_interpreter_is_refused() -> None:
    run("for _ in range(3): run(IMPORT.format(module=PYMLP, said=''))")


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="NumPy is refused before the core")
def test_the_core_refuses_where_numpy_does_not() -> None:
    # It hung there. Once NumPy is in one interpreter, no other can have it.
    run("run(IMPORT.format(module=PYMLP, said='main interpreter alone'))")
