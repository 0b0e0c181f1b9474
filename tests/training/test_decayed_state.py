"""The state of weights whose gradient stops: it decays to 0, and not to the subnormal numbers."""

import time

import numpy as np
import pytest
from cases import FloatArray
from reference_optimizers import State, update
from rules import RULES, Rule

import pymlp

REMEMBERING = {name: rule for name, rule in RULES.items() if rule.remembers}
by_remembering = pytest.mark.parametrize("rule", REMEMBERING.values(), ids=REMEMBERING)


def count_subnormal(x: FloatArray) -> int:
    return int(((x != 0) & (np.abs(x) < np.finfo(x.dtype).tiny)).sum())


# Of every size, so that in each step some state comes to the smallest normal number.
@by_remembering
def test_no_state_is_subnormal(rule: Rule, dtype: str) -> None:
    limits = np.finfo(dtype)
    exponents = np.linspace(np.log10(limits.smallest_subnormal), 0.0, 3001)
    gradient = (10.0**exponents).astype(dtype)
    gradient[1::2] *= -1
    core = rule.make()._new_core(gradient.dtype, gradient.size)
    w = np.zeros_like(gradient)
    for step in range(200):
        core.update(w, gradient if step < 20 else np.zeros_like(gradient))
        assert count_subnormal(core.state) == 0, step
    assert np.isfinite(w).all()


# An epsilon this small shows what the roots are taken of.
@by_remembering
def test_small_states_are_those_of_the_reference(rule: Rule) -> None:
    options = {**rule.options, "learning_rate": 1.0}
    if "epsilon" in options:
        options["epsilon"] = 1e-290
    gradient = np.logspace(-308, -140, 200)
    core = rule.kind(**options)._new_core(gradient.dtype, gradient.size)
    w, state = np.zeros_like(gradient), State()
    flat = w.tolist()
    for step in range(40):
        g = gradient if step < 10 else np.zeros_like(gradient)
        core.update(w, g)
        flat = update(rule.name, flat, g.tolist(), state, **options)
    np.testing.assert_allclose(w, flat, rtol=1e-9, atol=0.0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["RMSProp", "Adagrad", "Adam"])
def test_an_update_without_gradient_is_no_slower(name: str) -> None:
    n = 50_000
    w, zero = np.zeros(n, np.float32), np.zeros(n, np.float32)
    cores = {}
    for start in (1.0, 1e-21):
        cores[start] = core = getattr(pymlp, name)()._new_core(w.dtype, n)
        core.update(w, np.full(n, start, np.float32))
    for _ in range(3000):
        cores[1e-21].update(w, zero)
    seconds = dict.fromkeys(cores, np.inf)
    for _ in range(300):
        for start, core in cores.items():
            began = time.perf_counter()
            core.update(w, zero)
            seconds[start] = min(seconds[start], time.perf_counter() - began)
    assert seconds[1e-21] < 1.5 * seconds[1.0]
