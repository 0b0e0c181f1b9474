"""Fits and predictions by the thousands: the memory that the process holds stays as it is."""

import subprocess
import sys

import pytest

SECONDS = 300.0  # after which something hangs

SCRIPT = """
import gc, resource
import numpy as np
import pymlp

rng = np.random.default_rng(0)
X, y = rng.normal(size=(64, 8)).astype(np.float32), rng.integers(0, 3, 64)
kept = pymlp.Network([8, 16, 3], output="softmax", seed=0)
callbacks = [lambda net, history: None]


def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def own(a, y):
    difference = a.copy()
    difference[np.arange(len(y)), y] -= 1
    return (difference**2).sum(axis=1), 2 * difference


def fit(i):
    # Networks that come and go, and one that stays; each option has memory of its own.
    net = kept if i % 2 else pymlp.Network([8, 16, 3], output="softmax", seed=i)
    options = [
        {},
        {"validation": 0.2, "early_stopping": 1},
        {"callbacks": callbacks},
        {"average": 0.9},
        {"loss": pymlp.losses.Loss(own)},
    ][i % 5]
    net.fit(X, y, epochs=1, batch_size=32, **options)


def predict(i):
    kept.predict(X[i % 64])


def fail(i):
    try:
        kept.predict(X[:, :7])
    except ValueError:
        pass
    try:
        kept.fit(X, y, epochs=1, callbacks=[lambda net, history: 1 / 0])
    except ZeroDivisionError:
        pass


def grown(work, times):
    '''Return by how many bytes memory grows, once all that is kept has been made.'''
    for i in range(times // 5):
        work(i)
    before = resident()
    for i in range(times):
        work(i)
    return resident() - before


print(grown(fit, {fits}), grown(predict, {predictions}), grown(fail, {fits} // 5))
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_is_flat_over_10_000_fits_and_a_million_predictions() -> None:
    # Ten bytes lost by a fit would be 100 KB, one by a prediction a megabyte.
    script = SCRIPT.replace("{fits}", "10_000").replace("{predictions}", "1_000_000")
    command = [sys.executable, "-W", "ignore", "-c", script]
    result = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert result.returncode == 0, result.stderr
    fits, predictions, failures = map(int, result.stdout.split())
    assert fits < 400_000
    assert predictions < 400_000
    assert failures < 400_000
