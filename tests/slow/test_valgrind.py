"""A short training under Valgrind: no read of what nobody wrote, none outside of what is there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SECONDS = 300.0  # after which something hangs

SCRIPT = """
import numpy as np
import pymlp

pymlp.set_num_threads(2)
rng = np.random.default_rng(0)
X, y = rng.normal(size=(150, 20)).astype(np.float32), rng.integers(0, 3, 150)
for widths, options in [
    ([20, 70, 33, 3], dict(hidden="tanh", norm="batch", dropout=0.1)),
    ([20, 32, 32, 3], dict(norm="layer", residual=True, scale_inputs=True)),
    ([20, 5, 3], dict(hidden="sigmoid")),
]:
    net = pymlp.Network(widths, output="softmax", seed=0, **options)
    net.fit(X, y, epochs=2, batch_size=40, validation=0.2, l2=1e-3, clip_norm=1.0)
    net.predict(X[0]), net.predict(X), net.gradients(X, y), net.copy()
    net.train_batch(X[:7], y[:7], optimizer=pymlp.SGD(0.1, momentum=0.9))
nets = pymlp.NetworkStack(pymlp.Network([20, 9, 3], output="softmax", seed=i) for i in range(3))
nets.fit(X, y, epochs=1)
print("trained")
"""


def of_this_package(report: str) -> list[str]:
    """Return the errors in whose stacks are functions of the package.

    Python's and NumPy's have theirs, by design: they read memory to find out whose it is.
    """
    errors = re.split(r"^==\d+== \n", report, flags=re.M)
    return [error for error in errors if re.search(r"==    (at|by) .*(pymlp::|pymlp/)", error)]


def test_errors_of_others_are_told_apart() -> None:
    line = "==7==    at 0x1: {}\n==7==    by 0x2: main\n==7== \n"
    report = "==7== Invalid read\n" + line.format("PyObject_Free (in python)")
    report += "==7== Invalid read\n" + line.format("work (in pymlp/_core.so)")
    assert len(of_this_package(report)) == 1


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("valgrind") is None, reason="Valgrind is not installed")
def test_a_short_training_reads_and_writes_what_is_its_own(tmp_path: Path) -> None:
    log = tmp_path / "log"
    options = [f"--log-file={log}", "--num-callers=30", "--error-limit=no"]
    command = ["valgrind", *options, sys.executable, "-W", "ignore", "-c", SCRIPT]
    # Valgrind knows no AVX-512.
    environment = {"PYTHONMALLOC": "malloc", "PYMLP_ISA": "avx2"}
    result = subprocess.run(
        ["env", *(f"{key}={value}" for key, value in environment.items()), *command],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert result.stdout == "trained\n", result.stderr
    report = log.read_text(encoding="utf-8")
    assert "ERROR SUMMARY" in report
    assert not of_this_package(report)
