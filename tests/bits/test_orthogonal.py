"""Orthogonal weights: the same bits on any number of threads and on every instruction set."""

import bit_cases
import pytest

import pymlp

# Digests of the weights in float64 with seed 3. The shorter side decides how they are made: up to
# 512 as in 0.1.0, with the same bits.
DIGESTS = {
    (9, 8): "6ae2d41eac25d3e9",
    (512, 512): "323dc5407b4c2dd8",
    (512, 700): "c866b8aaeb7b5980",
    (513, 513): "072bab117bd408b8",
    (1100, 515): "c6c67b9769ca3884",
    (513, 1200): "d1f0f76e32a4e52b",
}
PRINT = """
import sys
sys.path.append(sys.argv[1])
import test_orthogonal
for shape in test_orthogonal.DIGESTS:
    print(test_orthogonal.found(shape))
"""


def found(shape: tuple[int, int]) -> str:
    net = pymlp.Network(shape, init="orthogonal", dtype="float64", seed=3)
    return bit_cases.digest(net.parameters)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("shape", DIGESTS, ids=str)
def test_orthogonal_weights_on_any_number_of_threads(shape: tuple[int, int], threads: int) -> None:
    before = pymlp.get_num_threads()
    pymlp.set_num_threads(threads)
    try:
        assert found(shape) == DIGESTS[shape]
    finally:
        pymlp.set_num_threads(before)


@pytest.mark.parametrize("isa", ["generic", "avx2", "avx512"])
def test_orthogonal_weights_on_every_instruction_set(isa: str) -> None:
    folder = bit_cases.__file__.rpartition("/")[0]
    run = bit_cases.elsewhere("-c", PRINT, folder, PYMLP_ISA=isa)
    if "does not support" in run.stderr:
        pytest.skip(f"the processor does not support {isa}")
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == list(DIGESTS.values())
