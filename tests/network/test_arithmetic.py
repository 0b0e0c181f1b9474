"""What computes the products, chosen by name: of the process, of a context, of a network."""

import asyncio
import contextvars
import copy
import os
import pickle
import platform
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pymlp

NAMES = ("exact", "blas")
HAS_BLAS = pymlp.show_config()["blas_library"] != "none"
needs_blas = pytest.mark.skipif(not HAS_BLAS, reason="this build has no BLAS")
RNG = np.random.default_rng(0)
# Sums of so many terms are cut otherwise by any BLAS: its bits are others.
X = RNG.standard_normal((64, 2048)).astype("float32")
Y = RNG.standard_normal((64, 3)).astype("float32")


def network(**options: Any) -> pymlp.Network:
    return pymlp.Network([2048, 40, 3], hidden="tanh", seed=0, **options)


@pytest.fixture(autouse=True)
def same_choice_afterwards() -> Iterator[None]:
    before = pymlp.get_arithmetic()
    yield
    pymlp.set_arithmetic(before)


@pytest.fixture(scope="module")
def outputs() -> dict[str, bytes]:
    """Return the bits of a prediction by each arithmetic."""
    found = {}
    for name in NAMES if HAS_BLAS else NAMES[:1]:
        with pymlp.arithmetic(name):
            found[name] = network().predict(X).tobytes()
    assert len(set(found.values())) == len(found)
    return found


# ---- the process ---------------------------------------------------------------------------------
@needs_blas
@pytest.mark.parametrize("name", NAMES)
def test_the_process_has_a_choice(name: str, outputs: dict[str, bytes]) -> None:
    pymlp.set_arithmetic(name)
    assert pymlp.get_arithmetic() == name
    config = pymlp.show_config()
    assert config["arithmetic"] == name
    assert config["gemm"] == {"exact": "native", "blas": "blas"}[name]
    assert network().plan().arithmetic == name
    assert f"products {name}" in str(network().plan())
    assert network().predict(X).tobytes() == outputs[name]
    seen = []
    thread = threading.Thread(target=lambda: seen.append(network().predict(X).tobytes()))
    thread.start()
    thread.join()
    assert seen == [outputs[name]]


def test_unknown_names_are_refused_and_known_ones_told() -> None:
    before = pymlp.get_arithmetic()
    for refused in (pymlp.set_arithmetic, lambda name: pymlp.arithmetic(name).__enter__()):
        with pytest.raises(ValueError, match="name must be exact or blas, not 'mkl'"):
            refused("mkl")
        with pytest.raises(TypeError, match="name must be exact or blas, not int"):
            refused(1)
    with pytest.raises(ValueError, match="arithmetic must be exact or blas, not 'native'"):
        network(arithmetic="native")
    with pytest.raises(TypeError, match="arithmetic must be exact or blas, not bool"):
        network(arithmetic=True)
    assert pymlp.get_arithmetic() == before


@pytest.mark.skipif(HAS_BLAS, reason="this build has a BLAS")
def test_without_a_blas_choosing_it_says_what_to_do() -> None:
    for choose in (
        lambda: pymlp.set_arithmetic("blas"),
        lambda: pymlp.arithmetic("blas").__enter__(),
        lambda: network(arithmetic="blas"),
    ):
        with pytest.raises(RuntimeError, match="this build of pymlp has no BLAS: use the"):
            choose()
    assert pymlp.get_arithmetic() == "exact"
    assert pymlp.show_config()["blas_kernels"] == "none"


# ---- a context -----------------------------------------------------------------------------------
@needs_blas
def test_a_block_has_a_choice(outputs: dict[str, bytes]) -> None:
    pymlp.set_arithmetic("exact")
    net = network()
    with pymlp.arithmetic("blas"):
        assert pymlp.get_arithmetic() == "blas"
        assert pymlp.show_config()["arithmetic"] == "blas"
        assert net.predict(X).tobytes() == outputs["blas"]
        with pymlp.arithmetic("exact"):
            assert net.predict(X).tobytes() == outputs["exact"]
        assert net.predict(X).tobytes() == outputs["blas"]
        pymlp.set_arithmetic("exact")  # of the process: the block's counts
        assert pymlp.get_arithmetic() == "blas"
    assert pymlp.get_arithmetic() == "exact"
    assert net.predict(X).tobytes() == outputs["exact"]


@needs_blas
def test_a_block_that_raises_ends_as_any() -> None:
    pymlp.set_arithmetic("exact")
    with pytest.raises(KeyError), pymlp.arithmetic("blas"):
        raise KeyError("of the user's")
    assert pymlp.get_arithmetic() == "exact"
    with pymlp.arithmetic("blas"):
        with pytest.raises(ValueError, match="must be exact or blas"), pymlp.arithmetic("mkl"):
            pass
        assert pymlp.get_arithmetic() == "blas"


@needs_blas
def test_a_choice_serves_several_blocks() -> None:
    pymlp.set_arithmetic("exact")
    blas, exact = pymlp.arithmetic("blas"), pymlp.arithmetic("exact")
    for _ in range(2):
        with blas, exact, blas:
            assert pymlp.get_arithmetic() == "blas"
            with exact:
                assert pymlp.get_arithmetic() == "exact"
            assert pymlp.get_arithmetic() == "blas"
        assert pymlp.get_arithmetic() == "exact"
    assert blas(pymlp.get_arithmetic)() == "blas"
    inside = threading.Barrier(2)

    def of_a_thread() -> str:
        with blas:
            inside.wait(60)
            seen = pymlp.get_arithmetic()
            inside.wait(60)
        return seen + pymlp.get_arithmetic()

    with ThreadPoolExecutor(2) as pool:
        found = [pool.submit(of_a_thread) for _ in range(2)]
    assert [future.result() for future in found] == ["blasexact"] * 2


def generator_with(name: str) -> Iterator[str]:
    with pymlp.arithmetic(name):
        while True:
            yield pymlp.get_arithmetic()


@needs_blas
def test_blocks_that_end_out_of_order_end_themselves_alone() -> None:
    pymlp.set_arithmetic("exact")
    opened = generator_with("blas")
    assert next(opened) == "blas"
    with pymlp.arithmetic("exact"):
        opened.close()
        assert pymlp.get_arithmetic() == "exact"
        inner = generator_with("blas")
        next(inner)
    assert pymlp.get_arithmetic() == "blas"  # of the generator, which is open
    inner.close()
    assert pymlp.get_arithmetic() == "exact"


@needs_blas
def test_a_block_that_ends_in_another_context_leaves_others_alone() -> None:
    pymlp.set_arithmetic("exact")
    elsewhere = contextvars.copy_context()
    opened = elsewhere.run(lambda: (generator := generator_with("blas"), next(generator)))[0]
    with pymlp.arithmetic("exact"):
        with pytest.raises(RuntimeError, match="was not entered in this context"):
            opened.close()
        assert pymlp.get_arithmetic() == "exact"
    with pytest.raises(RuntimeError, match="was not entered in this context"):
        pymlp.arithmetic("exact").__exit__(None, None, None)


@needs_blas
def test_a_task_keeps_the_block_that_it_began_in() -> None:
    pymlp.set_arithmetic("exact")

    async def ask() -> str:
        return pymlp.get_arithmetic()

    async def outlive() -> tuple[str, str]:
        with pymlp.arithmetic("blas"):
            task = asyncio.create_task(ask())
        return await task, pymlp.get_arithmetic()

    assert asyncio.run(outlive()) == ("blas", "exact")


def test_it_decorates_plain_functions_alone() -> None:
    async def task() -> None: ...

    for function in (task, generator_with):
        with pytest.raises(TypeError, match="decorates plain functions, not coroutines or gener"):
            pymlp.arithmetic("exact")(function)


@needs_blas
def test_a_block_holds_for_its_thread_alone(outputs: dict[str, bytes]) -> None:
    pymlp.set_arithmetic("exact")
    inside, asked = threading.Event(), threading.Event()

    def other() -> None:
        with pymlp.arithmetic("blas"):
            inside.set()
            asked.wait(60)

    thread = threading.Thread(target=other)
    thread.start()
    assert inside.wait(60)
    net = network()
    assert pymlp.get_arithmetic() == "exact"
    assert net.predict(X).tobytes() == outputs["exact"]
    asked.set()
    thread.join()
    with pymlp.arithmetic("blas"):
        seen: list[str] = []
        for run in (lambda f: f(), contextvars.copy_context().run):
            thread = threading.Thread(
                target=run, args=(lambda: seen.append(pymlp.get_arithmetic()),)
            )
            thread.start()
            thread.join()
    assert seen[1] == "blas"  # a context that was taken along
    if not getattr(sys.flags, "thread_inherit_context", False):
        assert seen[0] == "exact"


@needs_blas
def test_tasks_have_choices_of_their_own() -> None:
    pymlp.set_arithmetic("exact")

    async def task(name: str, turn: asyncio.Event, other: asyncio.Event) -> list[str]:
        with pymlp.arithmetic(name):
            turn.set()
            await other.wait()
            return [pymlp.get_arithmetic(), await asyncio.to_thread(pymlp.get_arithmetic)]

    async def both() -> list[list[str]]:
        first, second = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(task("blas", first, second), task("exact", second, first))

    assert asyncio.run(both()) == [["blas"] * 2, ["exact"] * 2]
    assert pymlp.get_arithmetic() == "exact"


# ---- a call --------------------------------------------------------------------------------------
def trained(optimizer: Any = "adam", **options: Any) -> bytes:
    net = network()
    net.fit(X, Y, epochs=3, optimizer=optimizer, threads=2, **options)
    return net.parameters.tobytes()


@needs_blas
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_training_keeps_the_arithmetic_that_it_began_with(optimizer: str) -> None:
    if optimizer == "lbfgs":
        pytest.importorskip("scipy")
    expected = {}
    for name in NAMES:
        with pymlp.arithmetic(name):
            expected[name] = trained(optimizer)
    assert expected["exact"] != expected["blas"]
    pymlp.set_arithmetic("exact")
    seen = []

    def change(*_: Any) -> None:
        pymlp.set_arithmetic("blas")
        seen.append(pymlp.get_arithmetic())  # what a callback computes goes as the training

    assert trained(optimizer, callbacks=[change]) == expected["exact"]
    assert seen
    assert set(seen) == {"exact"}
    assert pymlp.get_arithmetic() == "blas"
    assert trained(optimizer) == expected["blas"]


@needs_blas
def test_single_steps_and_gradients_follow_from_call_to_call() -> None:
    nets, steps = {}, {}
    for name in NAMES:
        with pymlp.arithmetic(name):
            nets[name], optimizer = network(), pymlp.SGD(0.1)
            steps[name] = (
                nets[name].train_batch(X, Y, optimizer=optimizer),
                nets[name].gradients(X, Y)[1].flat.tobytes(),
                nets[name].loss(X, Y),
                nets[name].forward(X).z[1].tobytes(),
                nets[name].vjp(X, Y)[1].tobytes(),
            )
    assert all(a != b for a, b in zip(steps["exact"][1:], steps["blas"][1:], strict=True))
    both, optimizer = network(), pymlp.SGD(0.1)
    for name in ("exact", "blas", "exact"):
        alone, own = network(), pymlp.SGD(0.1)
        alone.parameters = both.parameters
        with pymlp.arithmetic(name):
            both.train_batch(X, Y, optimizer=optimizer)
            alone.train_batch(X, Y, optimizer=own)
        assert both.parameters.tobytes() == alone.parameters.tobytes(), name


@needs_blas
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_both_compute_the_same_up_to_rounding(dtype: str) -> None:
    results = []
    for name in NAMES:
        net = network(dtype=dtype, arithmetic=name)
        net.fit(X, Y, epochs=2, optimizer="sgd", learning_rate=0.01)
        results.append(net.predict(X))
    tolerance = 1e-3 if dtype == "float32" else 1e-9
    np.testing.assert_allclose(results[0], results[1], rtol=tolerance, atol=tolerance)


# ---- a network -----------------------------------------------------------------------------------
@needs_blas
def test_a_networks_own_choice_wins(outputs: dict[str, bytes]) -> None:
    net = network(arithmetic="blas")
    assert net.arithmetic == "blas"
    assert network().arithmetic is None
    with pymlp.arithmetic("exact"):
        assert net.plan().arithmetic == "blas"
        for same in (net, net.copy(), copy.copy(net), copy.deepcopy(net)):
            assert same.arithmetic == "blas"
            assert same.predict(X).tobytes() == outputs["blas"]
            assert same(X[:1]).tobytes() != network()(X[:1]).tobytes()
    with pytest.raises(AttributeError):
        net.arithmetic = "exact"  # type: ignore[misc]


@needs_blas
def test_files_and_pickles_hold_nothing_of_it(tmp_path: Path, outputs: dict[str, bytes]) -> None:
    net = network(arithmetic="blas")
    for name, made in {"own": net, "none": network()}.items():
        made.save(tmp_path / name)
    assert (tmp_path / "own").read_bytes() == (tmp_path / "none").read_bytes()
    with pymlp.arithmetic("exact"):
        for same in (pymlp.load(tmp_path / "own"), pickle.loads(pickle.dumps(net))):
            assert same.arithmetic is None
            assert same.predict(X).tobytes() == outputs["exact"]


# ---- when it is loaded ---------------------------------------------------------------------------
def run(code: str, **environment: str) -> str:
    """Return what a process of its own prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYMLP_GEMM": "exact", **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


LOADED = """
import os, sys, numpy as np, pymlp
beside = os.path.join(os.path.dirname(pymlp.__file__), "lib")
def loaded():
    return any(beside in line and "blas" in line for line in open("/proc/self/maps"))
def threads():
    return len(os.listdir("/proc/self/task"))
net = pymlp.Network([3, 4, 2])
pymlp.show_config(); net.plan(); net.predict(np.ones((3, 3)))
with pymlp.arithmetic("exact"):
    net.predict(np.ones((3, 3)))
assert not loaded()
assert pymlp.show_config()["blas_kernels"] == "not loaded"
before = threads(), dict(os.environ), os.sched_getaffinity(0)
"""


@needs_blas
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize(
    "choose",
    ["pymlp.set_arithmetic('blas')", "pymlp.arithmetic('blas').__enter__()",
     "pymlp.Network([2, 3], arithmetic='blas')"],
)  # fmt: skip
def test_it_is_loaded_when_it_is_chosen(choose: str) -> None:
    code = f"""{LOADED}
{choose}
assert loaded()
assert pymlp.show_config()["blas_kernels"] != "not loaded"
assert os.environ == before[1] and os.sched_getaffinity(0) == before[2]
print(threads() - before[0])
"""
    assert run(code, OPENBLAS_NUM_THREADS="2") == "0\n"


@needs_blas
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_environment_chooses_and_the_first_call_loads() -> None:
    code = (
        LOADED.split("net =")[0]
        + """
assert pymlp.get_arithmetic() == "blas" and not loaded()
pymlp.show_config()
assert not loaded()
pymlp.Network([3, 2]).predict(np.ones((3, 3)))
assert loaded()
pymlp.set_arithmetic("exact")
print(pymlp.get_arithmetic())
"""
    )
    assert run(code, PYMLP_GEMM="blas") == "exact\n"


@pytest.mark.parametrize("name", ["exact", "native", "auto", ""])
def test_the_environments_names(name: str) -> None:
    code = "import pymlp; print(pymlp.get_arithmetic(), pymlp.show_config()['gemm'])"
    found = run(code, PYMLP_GEMM=name, PYMLP_ISA="")
    if name in ("exact", "native"):
        assert found == "exact native\n"
    assert found == run(code, PYMLP_GEMM=name or "auto", PYMLP_ISA="")


@needs_blas
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_fork_keeps_the_choice() -> None:
    code = """
import os, threading, numpy as np, pymlp
net, X = pymlp.Network([300, 200, 3], seed=0), np.ones((400, 300), "float32")
stop = threading.Event()
def busy():
    while not stop.is_set():
        with pymlp.arithmetic("blas"):
            net.predict(X)
threads = [threading.Thread(target=busy) for _ in range(2)]
for thread in threads: thread.start()
for chosen in ("exact", "blas"):
    for _ in range(5):
        with pymlp.arithmetic(chosen):
            expected = net.predict(X, threads=2).tobytes()
            child = os.fork()
            if child == 0:
                same = net.predict(X, threads=2).tobytes() == expected
                os._exit(0 if same and pymlp.get_arithmetic() == chosen else 1)
            assert os.waitpid(child, 0)[1] == 0
stop.set()
for thread in threads: thread.join()
print("done")
"""
    assert run(code) == "done\n"


@needs_blas
def test_threads_that_choose_at_once_load_it_once() -> None:
    code = """
import threading, numpy as np, pymlp
barrier, results = threading.Barrier(8), []
net, X = pymlp.Network([100, 50, 3], seed=0), np.ones((40, 100))
def work(i):
    barrier.wait()
    with pymlp.arithmetic("blas" if i % 2 else "exact"):
        results.append((i % 2, net.predict(X).tobytes()))
threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(results), len(set(results)))
"""
    assert run(code) == "8 2\n"


@pytest.mark.skipif(
    "bundled" not in pymlp.show_config()["blas_library"] or platform.machine() != "x86_64",
    reason="names a processor that this OpenBLAS knows",
)
def test_its_kernels_are_the_processors_or_those_that_openblas_is_told() -> None:
    code = "import pymlp; pymlp.set_arithmetic('blas'); print(pymlp.show_config()['blas_kernels'])"
    assert run(code, OPENBLAS_CORETYPE="").strip() not in ("not loaded", "unknown")
    assert run(code, OPENBLAS_CORETYPE="Nehalem") == "Nehalem\n"
