"""Networks in the processes of multiprocessing, of concurrent.futures and of joblib."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

SECONDS = 120.0  # after which something hangs

# A file, as processes that are started anew import the functions of their parent from there.
SETUP = """
import multiprocessing, threading
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pymlp

rng = np.random.default_rng(0)
X = rng.normal(size=(600, 64)).astype(np.float32)
y = rng.integers(0, 10, 600)


def network():
    return pymlp.Network([64, 128, 10], hidden="tanh", output="softmax", seed=0)


def trained(net, seed):
    net.fit(X, y, epochs=2, batch_size=200, seed=seed, threads=2)
    return net.parameters.tobytes(), net.predict(X, threads=2).tobytes()


def predicted(net):
    return net.predict(X, threads=2).tobytes()
"""

POOLS = {
    "pool": """
        with multiprocessing.get_context(method).Pool(2) as pool:
            found = pool.starmap(trained, [(net, seed) for seed in range(3)])
            same = pool.map(predicted, [net] * 4)
        """,
    "executor": """
        with ProcessPoolExecutor(2, multiprocessing.get_context(method)) as pool:
            found = list(pool.map(trained, [net] * 3, range(3)))
            same = list(pool.map(predicted, [net] * 4))
        """,
    "loky": """
        import joblib

        with joblib.parallel_config("loky", n_jobs=2), joblib.Parallel() as parallel:
            found = parallel(joblib.delayed(trained)(net, seed) for seed in range(3))
            same = parallel(joblib.delayed(predicted)(net) for _ in range(4))
        """,
}
# The parent has used its threads, and another thread of it trains meanwhile.
MAIN = """
if __name__ == "__main__":
    method = {method!r}
    net = network()
    expected = [trained(net.copy(), seed) for seed in range(3)]
    alone = predicted(net)
    other, stop = network(), threading.Event()
    training = threading.Thread(
        target=other.fit,
        args=(X, y),
        kwargs=dict(epochs=10**9, callbacks=[lambda net, history: stop.is_set()], threads=2),
    )
    training.start()
    try:
        {work}
    finally:
        stop.set()
        training.join()
    assert [list(pair) for pair in found] == [list(pair) for pair in expected]
    assert set(same) == {{alone}}
    assert other.history.stopped_by == "callback"
"""


def run(folder: Path, pool: str, method: str) -> None:
    work = textwrap.indent(textwrap.dedent(POOLS[pool]).strip(), 8 * " ").strip()
    file = folder / "pools.py"
    file.write_text(SETUP + MAIN.format(method=method, work=work), encoding="utf-8")
    command = [sys.executable, "-W", "ignore", file]
    result = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("pool", ["pool", "executor"])
def test_processes_train_and_predict_the_same_bits(pool: str, method: str, tmp_path: Path) -> None:
    run(tmp_path, pool, method)


@pytest.mark.slow  # as processes of joblib start
def test_processes_of_joblib_train_and_predict_the_same_bits(tmp_path: Path) -> None:
    pytest.importorskip("joblib")
    run(tmp_path, "loky", "")
