"""One arithmetic: the same bits on any number of threads, in any batch, on every ISA."""

import multiprocessing
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bit_cases
import numpy as np
import pytest
from bit_cases import BATCH_SIZES, WIDTHS

import pymlp
from pymlp import Network

NETWORKS = pytest.mark.parametrize("number", range(len(WIDTHS)), ids=map(str, WIDTHS))
# Another library's products promise none of it.
OWN_PRODUCTS = pytest.mark.skipif(
    not bit_cases.native_products(), reason="matrix products are another library's"
)
SECONDS = 60.0  # after which something hangs


# ---- threads -------------------------------------------------------------------------------------
@NETWORKS
def test_results_are_the_same_on_any_number_of_threads(number: int, dtype: str) -> None:
    alone = list(bit_cases.passes(number, dtype, 1))
    for threads in (2, 3, 8):
        assert list(bit_cases.passes(number, dtype, threads)) == alone


@pytest.mark.parametrize("batch_size", BATCH_SIZES)
@NETWORKS
def test_training_is_the_same_on_any_number_of_threads(
    number: int, batch_size: int, dtype: str
) -> None:
    alone = bit_cases.training(number, dtype, batch_size, 1)
    for threads in (2, 3, 8):
        assert bit_cases.training(number, dtype, batch_size, threads) == alone


@pytest.mark.parametrize("batch_size", [256, 512, None])
@pytest.mark.parametrize("number", [1, 3, *range(6, 14)], ids=lambda number: str(WIDTHS[number]))
def test_so_it_is_where_a_batch_is_shared_by_rows(
    number: int, batch_size: int | None, dtype: str
) -> None:
    alone = bit_cases.training(number, dtype, batch_size, 1, 1100)
    for threads in (2, 3, 8, 1):
        assert bit_cases.training(number, dtype, batch_size, threads, 1100) == alone


def test_trainings_are_told_apart(dtype: str) -> None:
    found = {bit_cases.training(number, dtype, 50, 1) for number in range(len(WIDTHS))}
    assert len(found) == len(WIDTHS)


# ---- in the middle of a training -----------------------------------------------------------------
def loaded(net: Network, folder: Path) -> Network:
    net.save(folder / "net.safetensors")
    return pymlp.load(folder / "net.safetensors")


@pytest.mark.parametrize("batch_size", [7, 64])
@NETWORKS
def test_copies_pickles_and_files_go_on_with_the_same_bits(
    number: int, batch_size: int, dtype: str, tmp_path: Path
) -> None:
    net, case = bit_cases.network(number, dtype), bit_cases.CASES[number]
    X, Y = bit_cases.samples(net)
    options = {"epochs": 2, "batch_size": batch_size, "loss": "mse", **case.fit}
    optimizer = case.optimizer()
    net.fit(X, Y, optimizer=optimizer, **options)
    twins = [net.copy(), pickle.loads(pickle.dumps(net)), loaded(net, tmp_path)]
    optimizers = [pickle.loads(pickle.dumps(optimizer)) for _ in twins]
    found = set()
    for each, rule in zip([net, *twins], [optimizer, *optimizers], strict=True):
        each.fit(X, Y, optimizer=rule, **options)
        found.add(bit_cases.digest(each._core.arena, each.history.loss, each.predict(X)))
    assert len(found) == 1


# ---- batches -------------------------------------------------------------------------------------
@OWN_PRODUCTS
@NETWORKS
def test_rows_alone_are_rows_of_any_batch(number: int, dtype: str) -> None:
    net = bit_cases.network(number, dtype)
    X, _ = bit_cases.samples(net, 1000)
    whole = net.predict(X)
    for i in [*range(20), 63, 64, 255, 256, 257, 500, 998, 999]:
        assert net.predict(X[i]).tobytes() == whole[i].tobytes()
        assert net.predict(X[i : i + 1]).tobytes() == whole[i].tobytes()
    for size in (2, 3, 5, 12, 13, 64, 65, 999):
        for first in {0, 1, 7, 128, 1000 - size}:
            if first + size > 1000:
                continue
            rows = slice(first, first + size)
            assert net.predict(X[rows]).tobytes() == whole[rows].tobytes(), (size, first)


@OWN_PRODUCTS
@NETWORKS
def test_so_they_are_where_the_caller_gives_the_memory(number: int, dtype: str) -> None:
    net = bit_cases.network(number, dtype)
    X, _ = bit_cases.samples(net, 64)
    whole = net.predict(X)
    out = np.full((66, net.widths[-1]), np.nan, net.dtype)
    net.predict(X, out=out[1:65])
    assert out[1:65].tobytes() == whole.tobytes()
    assert np.isnan(out[[0, 65]]).all()
    for i in range(64):
        one = np.full(net.widths[-1] + 2, np.nan, net.dtype)
        net.predict(X[i], out=one[1:-1])
        assert one[1:-1].tobytes() == whole[i].tobytes()
        assert np.isnan(one[[0, -1]]).all()


# ---- instruction sets ----------------------------------------------------------------------------
@pytest.fixture(scope="module")
def digests() -> dict[str, str]:
    """Return what each instruction set of this machine prints."""
    found = {}
    for isa in ("generic", "avx2", "avx512"):
        run = bit_cases.elsewhere(bit_cases.__file__, PYMLP_ISA=isa, PYMLP_GEMM="native")
        if "does not support" not in run.stderr:
            assert run.returncode == 0, run.stderr
            found[isa] = run.stdout
    return found


def test_every_instruction_set_gives_the_same(digests: dict[str, str]) -> None:
    generic = digests["generic"].splitlines()
    assert len(generic) == 2 * len(WIDTHS) * (6 + len(BATCH_SIZES) - 1)
    for isa, lines in digests.items():
        assert lines.splitlines() == generic, isa


# ---- whose products ------------------------------------------------------------------------------
PRODUCT = """
import sys
import numpy as np
from pymlp import _core_test
sys.path.append(sys.argv[1])
from bit_cases import digest
x, w = (np.random.default_rng(0).standard_normal(shape) for shape in [(64, 2048), (2048, 96)])
print(digest(_core_test.dense_forward(x, w, None)))
"""


def product_digest(**environment: str) -> str:
    folder = str(Path(bit_cases.__file__).parent)
    run = bit_cases.elsewhere("-c", PRODUCT, folder, **environment)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_gemm_is_chosen_by_the_environment() -> None:
    native = product_digest(PYMLP_GEMM="native")
    assert product_digest(PYMLP_GEMM="native", PYMLP_ISA="generic") == native
    # Sums of this length are cut by the other library, so that its bits are others.
    assert product_digest(PYMLP_GEMM="blas") != native
    assert product_digest(PYMLP_GEMM="auto", PYMLP_ISA="") == product_digest(
        PYMLP_GEMM="", PYMLP_ISA=""
    )


def test_another_gemm_is_refused() -> None:
    call = "import pymlp; pymlp.Network([2, 3]).predict([1.0, 2.0])"
    run = bit_cases.elsewhere("-c", call, PYMLP_GEMM="mkl")
    assert run.returncode == 1
    assert "ValueError: PYMLP_GEMM must be auto, exact (or native) or blas, not 'mkl'" in run.stderr


# ---- the caller's surroundings -------------------------------------------------------------------
def test_more_threads_than_processors_give_the_same() -> None:
    # On a machine where they only get in each other's way this must end, and soon enough.
    assert bit_cases.training(3, "float32", 200, 64) == bit_cases.training(3, "float32", 200, 1)


def in_a_fork(work: Callable[[], bool]) -> None:
    """Fork, and demand that `work` gives True there before it is taken to hang."""
    child = multiprocessing.get_context("fork").Process(target=lambda: sys.exit(not work()))
    child.start()
    child.join(SECONDS)
    if child.is_alive():
        child.kill()
        child.join()
    assert child.exitcode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere forks of threads are not for use")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_gives_the_same(dtype: str) -> None:
    expected = list(bit_cases.passes(3, dtype, 4)), bit_cases.training(3, dtype, 64, 4)
    in_a_fork(
        lambda: (
            (list(bit_cases.passes(3, dtype, 4)), bit_cases.training(3, dtype, 64, 4)) == expected
        )
    )


def test_arrays_are_not_written_behind_nor_before(dtype: str) -> None:
    net = bit_cases.network(1, dtype)
    X, Y = bit_cases.samples(net, 50)

    def between_nan(a: Any) -> Any:
        memory = np.full((len(a) + 2, a.shape[1]), np.nan, a.dtype)
        memory[1:-1] = a
        return memory[1:-1]

    inside, targets = between_nan(X), between_nan(Y)
    loss, gradients = net.gradients(inside, targets, loss="mse")
    expected, same = net.gradients(X, Y, loss="mse")
    assert (loss, gradients.flat.tobytes()) == (expected, same.flat.tobytes())
    _, dX = net.vjp(inside, targets)
    assert dX.tobytes() == net.vjp(X, Y)[1].tobytes()
    for array in (inside, targets):
        assert np.isnan(array.base[[0, -1]]).all()


def test_a_network_beside_others_in_memory_gives_the_same(dtype: str) -> None:
    # What lies behind parameters is read, and must not count.
    alone = bit_cases.network(2, dtype)
    X, _ = bit_cases.samples(alone, 9)
    expected = alone.predict(X).tobytes()
    neighbours = [Network([k, k], dtype=dtype) for k in range(1, 60)]
    for net in neighbours:
        net.parameters[:] = np.nan
    twins = [alone.copy() for _ in range(20)]
    del neighbours
    assert {twin.predict(X).tobytes() for twin in twins} == {expected}
