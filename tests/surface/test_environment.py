"""What the environment decides, and what asking about it does not: each in a process of its own.

What chooses BLAS, and when it is loaded, is in tests/network/test_arithmetic.py.
"""

import os
import subprocess
import sys

import pytest

import pymlp


def run(code: str, **environment: str) -> str:
    """Return what Python prints; OMP_NUM_THREADS is unset but where it is given."""
    own = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=own | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


# ---- threads -------------------------------------------------------------------------------------
THREADS = "import pymlp; print(pymlp.get_num_threads())"


@pytest.fixture(scope="module")
def without() -> int:
    """Return the number of threads where nothing limits it."""
    return int(run(THREADS))


@pytest.mark.parametrize(
    ("value", "limit"),
    [("1", 1), ("2", 2), (" 1 ", 1), ("1,2", 1), ("2,1", 2), ("1 , 4", 1), ("+1", 1),
     ("100000", 1000), ("9" * 30, 1000)],
)  # fmt: skip
def test_openmps_variable_is_an_upper_limit(value: str, limit: int, without: int) -> None:
    assert int(run(THREADS, OMP_NUM_THREADS=value)) == min(limit, without)


@pytest.mark.parametrize("value", ["", "0", "-1", "many", "1x", "1.5", ",1", " ", "-" + "9" * 30])
def test_what_is_no_number_of_threads_is_ignored(value: str, without: int) -> None:
    assert int(run(THREADS, OMP_NUM_THREADS=value)) == without


def test_a_number_that_the_user_sets_wins() -> None:
    code = "import pymlp; pymlp.set_num_threads(8); print(pymlp.get_num_threads())"
    assert int(run(code, OMP_NUM_THREADS="1")) == 8
    code = "import pymlp; print(pymlp.Network([900, 900, 900]).plan(batch_size=512{}).workers)"
    assert int(run(code.format(""), OMP_NUM_THREADS="1")) == 1
    assert int(run(code.format(", threads=2"), OMP_NUM_THREADS="1")) == 2


def test_the_packages_own_variable_is_what_set_num_threads_sets() -> None:
    assert int(run(THREADS, PYMLP_NUM_THREADS="7", OMP_NUM_THREADS="1")) == 7
    code = "import pymlp; pymlp.set_num_threads(3); print(pymlp.get_num_threads())"
    assert int(run(code, PYMLP_NUM_THREADS="7")) == 3


@pytest.mark.parametrize("value", ["0", "-1", "many", "1025", "2.0"])
def test_it_is_refused_where_it_is_none(value: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run(THREADS, PYMLP_NUM_THREADS=value)
    assert f"PYMLP_NUM_THREADS must be from 1 to 1024, not '{value}'" in caught.value.stderr


# ---- BLAS ----------------------------------------------------------------------------------------
BLAS = """
import numpy as np, pymlp

def loaded():
    return "pymlp_openblas" in open("/proc/self/maps").read()

before = pymlp.show_config()
assert not loaded()
net = pymlp.Network([4, 3])
net.fit(np.zeros((40, 4)), np.zeros((40, 3)), epochs=1)
after = pymlp.show_config()
assert loaded() == ({gemm!r} == "blas")
if {gemm!r} == "native":
    assert after == before
assert before["blas_kernels"] == "not loaded"
assert (after["blas_kernels"] == "not loaded") == ({gemm!r} == "native")
import os
for name in ("blas_library", "blas_version"):
    assert before[name] == after[name] != "", name
assert os.path.samefile(before["blas_path"], after["blas_path"])
print(after["blas_version"])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.skipif(
    "bundled" not in pymlp.show_config()["blas_library"], reason="its version is known before"
)
@pytest.mark.parametrize("gemm", ["native", "blas"])
def test_to_tell_of_blas_does_not_load_it(gemm: str) -> None:
    version = run(BLAS.format(gemm=gemm), PYMLP_GEMM=gemm).strip()
    assert version[0].isdigit()
    assert version.count(".") >= 2
