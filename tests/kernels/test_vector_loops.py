"""The kernels' loops are vectors: a formula that the compiler leaves scalar is far slower."""

import timeit
from collections.abc import Callable

import numpy as np
import pytest

import pymlp
from pymlp import _core_test

Z = np.random.default_rng(0).standard_normal((64, 64)).astype(np.float32)
CALLS = 50


def seconds(call: Callable[[], object]) -> float:
    return min(timeit.repeat(call, number=CALLS, repeat=40))


@pytest.mark.slow  # as a clock judges it
@pytest.mark.skipif(pymlp.show_config()["isa"] != "avx512", reason="the limit is for AVX-512")
@pytest.mark.parametrize("name", sorted(pymlp.activations.TABLE))
def test_activation_costs_few_times_what_relu_costs(name: str) -> None:
    # Scalar, tanh costs 25 times as much as relu; vectors of the costliest formula cost 10 times.
    parameters = list(pymlp.activations.resolve("name", name).parameters.values())
    a = _core_test.activation_forward(name, parameters, Z)
    forward = seconds(lambda: _core_test.activation_forward(name, parameters, Z))
    backward = seconds(lambda: _core_test.activation_backward(name, parameters, Z, Z, a))
    simplest = seconds(lambda: _core_test.activation_forward("relu", [], Z))
    assert forward < 16 * simplest
    assert backward < 16 * simplest
