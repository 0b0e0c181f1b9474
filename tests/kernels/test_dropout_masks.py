"""The masks of dropout: what they do, their statistics, and the same draws everywhere."""

import itertools
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from cases import Rng
from reference_dropout import RANGE, dropout_mask

from pymlp import Network, _core_test

RATES = [0.05, 0.3, 0.5, 0.9]


def mask(m: int, n: int, rate: float, *, seed: int = 7, step: int = 0, layer: int = 0) -> Any:
    """Return what a layer's outputs (m, n) are multiplied by, in float64."""
    return _core_test.dropout(np.ones((m, n)), rate, seed, step, layer)


def kept_factor(rate: float) -> float:
    """Return what units that stay are multiplied by."""
    return RANGE / (RANGE - round(rate * RANGE))


# ---- masks ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(("m", "n"), [(1, 1), (40, 1), (9, 13), (5, 128), (3, 300)])
@pytest.mark.parametrize("rate", [2.0**-17, 0.3, 0.5, 0.99, 1.0 - 2.0**-53])
def test_masks_are_the_reference_s(m: int, n: int, rate: float) -> None:
    for seed, step, layer in ((0, 0, 0), (2**63 + 5, 2**40 + 3, 0xFFFFFFFE)):
        drawn = mask(m, n, rate, seed=seed, step=step, layer=layer)
        np.testing.assert_array_equal(drawn, dropout_mask(m, n, rate, seed, step, layer))


@pytest.mark.parametrize("rate", RATES)
def test_units_are_dropped_or_scaled_up(rate: float, dtype: str, rng: Rng) -> None:
    a = rng.normal(size=(37, 29)).astype(dtype)
    out = _core_test.dropout(a, rate, 3, 5, 1)
    dropped = mask(37, 29, rate, seed=3, step=5, layer=1) == 0.0  # the same in both precisions
    assert (out[dropped] == 0.0).all()
    assert (out[~dropped] == a[~dropped] * np.dtype(dtype).type(kept_factor(rate))).all()
    assert 0 < dropped.sum() < dropped.size


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("n", [1, 3, 64, 1000])
def test_rate_and_expectation(rate: float, n: int) -> None:
    m, steps = 200_000 // (8 * n), 8
    draws = np.stack([mask(m, n, rate, step=step) for step in range(steps)])
    error = np.sqrt(rate * (1.0 - rate) / draws.size)
    assert abs(float((draws == 0.0).mean()) - rate) < 4.5 * error
    assert abs(float(draws.mean()) - 1.0) < 4.5 * error / (1.0 - rate)
    # Every unit, sample and step has the rate as well: their shares spread as those of a binomial.
    for axes in ((0, 1), (0, 2), (1, 2)):
        shares = (draws == 0.0).mean(axis=axes)
        variance = rate * (1.0 - rate) * shares.size / draws.size
        z = (shares - rate) ** 2 / variance
        excess = (1.0 - 6.0 * rate * (1.0 - rate)) * variance / (rate * (1.0 - rate)) ** 2
        assert abs(float(z.mean()) - 1.0) < 6.0 * np.sqrt((2.0 + excess) / z.size)


def test_draws_differ_with_everything_and_hang_together_with_nothing() -> None:
    rate, m, n = 0.4, 250, 400
    first = mask(m, n, rate)
    others = {
        "step": mask(m, n, rate, step=1),
        "far step": mask(m, n, rate, step=2**32),
        "layer": mask(m, n, rate, layer=1),
        "seed": mask(m, n, rate, seed=8),
        "far seed": mask(m, n, rate, seed=7 + 2**32),
        "next sample": np.roll(first, 1, axis=0),
        "next unit": np.roll(first, 1, axis=1),
        "next word": np.roll(first, 32, axis=1),
        "next group of counters": np.roll(first.ravel(), 128).reshape(m, n),
        "next sample and unit": np.roll(first, (1, 1), axis=(0, 1)),
        "next unit of the next step": np.roll(mask(m, n, rate, step=1), 1, axis=1),
        "next layer and step": mask(m, n, rate, step=1, layer=1),
    }
    for name, other in others.items():
        together = float(((first == 0.0) & (other == 0.0)).mean())
        error = rate * (1.0 - rate) / np.sqrt(m * n)
        assert abs(together - rate**2) < 4.5 * error + 2e-3 * rate, name
    assert (first == mask(m, n, rate)).all()


def test_draws_are_not_those_of_the_weights() -> None:
    # One seed for the network and for fit: a step must not repeat the draws of a layer's weights,
    # of which two come from a counter that gives eight units of a mask.
    counters = 2000
    net = Network([1, 2 * counters], init="uniform", seed=11, dtype="float64")
    low = (net.weights[0][0] < 0.0).reshape(counters, 2)
    for layer, step in itertools.product(range(3), repeat=2):
        dropped = mask(1, 8 * counters, 0.5, seed=11, step=step, layer=layer) == 0.0
        of_counters = dropped.reshape(-1, 4, 16, 2).swapaxes(1, 2).reshape(counters, 8)
        for place, number in itertools.product(range(8), range(2)):
            agreement = float((of_counters[:, place] == low[:, number]).mean())
            assert abs(agreement - 0.5) < 5.0 * 0.5 / np.sqrt(counters)


@pytest.mark.parametrize("rate", [0.0, 1e-12])
def test_no_rate_drops_nothing(rate: float, rng: Rng) -> None:
    a = rng.normal(size=(100, 50))
    assert (_core_test.dropout(a, 0.0, 1, 2, 3) == a).all()
    assert (mask(100, 50, rate) > 0.0).all()


def test_nearly_all_may_be_dropped() -> None:
    assert 0 < (mask(1000, 1000, 0.9999) > 0.0).sum() < 200
    assert np.isfinite(mask(10, 10, 1.0 - 2.0**-53)).all()


# ---- the same everywhere -------------------------------------------------------------------------
HASHES = """
import hashlib, numpy as np, pymlp
from pymlp import _core_test
for dtype in ("float32", "float64"):
    a = np.random.default_rng(0).normal(size=(33, 71)).astype(dtype)
    for rate, step in ((0.3, 0), (0.5, 2**40), (0.95, 17)):
        print(hashlib.sha256(_core_test.dropout(a, rate, 2**63 + 5, step, 2).tobytes()).hexdigest())
"""


def test_the_masks_are_the_same_on_every_instruction_set() -> None:
    outputs = {}
    for isa in ("generic", "avx2", "avx512"):
        run = subprocess.run(
            [sys.executable, "-c", HASHES], env={**os.environ, "PYMLP_ISA": isa},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if "this processor does not support" in run.stderr:
            continue
        assert run.returncode == 0, run.stderr
        outputs[isa] = run.stdout
    assert len(outputs["generic"].split()) == 6
    assert set(outputs.values()) == {outputs["generic"]}
