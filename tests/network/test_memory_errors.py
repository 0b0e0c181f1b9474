"""Memory that is not there: what is refused at once, and what a failed call leaves behind."""

import subprocess
import sys
import textwrap
from typing import Any

import numpy as np
import pytest

import pymlp

SECONDS = 60.0  # after which something hangs

SETUP = """
import pickle, resource, sys, threading
import numpy as np
import scipy.optimize
import pymlp
from pymlp.training import lbfgs

pymlp.set_num_threads(2)
rng = np.random.default_rng(0)
X = rng.normal(size=(20000, 64)).astype(np.float32)
y = rng.integers(0, 8, 20000)
dY = np.ones((20000, 8), np.float32)
net = pymlp.Network([64, 512, 512, 8], hidden="tanh", output="softmax", seed=0)
nets = pymlp.NetworkStack([net.copy() for _ in range(3)])
few, least = slice(0, 64), slice(0, 4)
net.copy().fit(X[few], y[few], epochs=1)  # what is imported and started once


def with_room(megabytes, work):
    '''Return whether the work raised MemoryError, with so much more address space at most.'''
    with open("/proc/self/statm") as file:
        size = int(file.read().split()[0]) * resource.getpagesize()
    most = resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_AS, (size + megabytes * 2**20, most))
    try:
        work()
    except MemoryError:
        return True
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    return False


def in_time(work):
    '''Call the work in another thread: who waits for a lock that was left must not wait here.'''
    done = []
    thread = threading.Thread(target=lambda: done.append(work()), daemon=True)
    thread.start()
    thread.join(30)
    assert done, "it hangs"
    return done[0]


def whole(one, twin):
    assert (one.parameters == twin.parameters).all()
    assert (in_time(lambda: one.predict(X[few])) == twin.predict(X[few])).all()
    for each in (one, twin):
        in_time(lambda: each.fit(X[few], y[few], epochs=1, seed=1))
    assert (one.parameters == twin.parameters).all()
"""

# What fails changes nothing; what it leaves is that of a network which never tried.
READS = {
    "predict": "net.predict(X)",
    "forward": "net.forward(X)",
    "loss": "net.loss(X, y, training=True)",
    "gradients": "net.gradients(X, y)",
    "vjp": "net.vjp(X, dY)",
    "copy": "[net.copy() for _ in range(100)]",
    "pickle": "[pickle.dumps(net) for _ in range(100)]",
    "a new network": "pymlp.Network([4096, 8192, 8192])",
}
TRAININGS = {
    "fit": "net.fit(X, y, epochs=1, batch_size=None)",
    "validation": "net.fit(X, y, epochs=1, validation=0.5, early_stopping=1)",
    "averages": "net.fit(X, y, epochs=1, average=0.9, optimizer='adam', batch_size=None)",
    "lbfgs": "net.fit(X, y, epochs=2, optimizer=pymlp.LBFGS(history_size=1000))",
    "train_batch": "net.train_batch(X, y, optimizer=pymlp.Adam())",
}

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux limits memory so")


def run(script: str) -> str:
    command = [sys.executable, "-W", "ignore", "-c", SETUP + textwrap.dedent(script)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert result.returncode == 0, f"{result.returncode}: {result.stdout}{result.stderr}"
    assert result.stderr == ""
    return result.stdout


@linux
@pytest.mark.parametrize("work", READS.values(), ids=READS.keys())
def test_a_read_that_finds_no_memory_leaves_all_as_it_was(work: str) -> None:
    run(
        f"""
        twin = net.copy()
        failed = [with_room(room, lambda: {work}) for room in (0, 1, 2, 4, 8, 16)]
        assert any(failed), "there was memory enough"
        whole(net, twin)
        """
    )


@linux
@pytest.mark.parametrize("work", TRAININGS.values(), ids=TRAININGS.keys())
def test_a_training_that_finds_no_memory_leaves_whole_networks_and_no_lock(work: str) -> None:
    run(
        f"""
        failed = 0
        for room in (0, 1, 2, 4, 8, 16, 24, 32, 48):
            before = net.history
            if with_room(room, lambda: {work}):
                failed += 1
                assert net.history is before or net.history.stopped_by == "interrupted"
            assert np.isfinite(net.parameters).all()
            whole(net, net.copy())
        assert failed, "there was memory enough"
        """
    )


@linux
def test_a_stack_that_finds_no_memory_leaves_whole_networks_and_no_lock() -> None:
    run(
        """
        failed = 0
        for room in (0, 1, 2, 4, 8, 16, 32):
            failed += with_room(room, lambda: nets.fit(X, y, epochs=1, batch_size=None, threads=2))
            for one in nets.networks:
                assert np.isfinite(one.parameters).all()
                whole(one, one.copy())
        assert failed, "there was memory enough"
        """
    )


@pytest.mark.parametrize(
    "widths",
    [[2**31 - 1] * 3, [2**62, 4], [2**40, 2**40], [1, 2**61, 1], [10**6, 10**7, 10**6]],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_widths_whose_parameters_overflow_are_refused_at_once(
    widths: list[int], dtype: Any
) -> None:
    with pytest.raises((MemoryError, ValueError)):
        pymlp.Network(widths, dtype=dtype)


def test_rows_whose_outputs_overflow_are_refused_at_once() -> None:
    net = pymlp.Network([1, 4096], seed=0)
    rows = np.lib.stride_tricks.as_strided(np.ones(1, np.float32), (2**50, 1), (0, 4))
    with pytest.raises((MemoryError, ValueError)):
        net.predict(rows)
    with pytest.raises((MemoryError, ValueError)):
        net.plan(batch_size=2**62)
    assert net.predict([1.0]).shape == (4096,)


def test_how_much_is_told() -> None:
    with pytest.raises(MemoryError, match="unable to allocate 4398051 MB of memory"):
        pymlp.Network([2**20, 2**20])
