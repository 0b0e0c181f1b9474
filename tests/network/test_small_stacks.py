"""A thread whose stack is as small as is promised trains, predicts and tests as others do."""

import subprocess
import sys

SCRIPT = """
import faulthandler, threading, warnings
import numpy as np
import pymlp

faulthandler.enable()
warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
X, classes, numbers = rng.normal(size=(400, 10)), rng.integers(0, 3, 400), rng.normal(size=(400, 3))
ramps = pymlp.embeddings.PiecewiseLinear.from_samples(X)
EMBEDDINGS = (None, [pymlp.embeddings.Periodic()], [ramps])


def networks():
    for dtype in ("float32", "float64"):
        for embedding in EMBEDDINGS:
            for norm in (None, "batch", "layer"):
                yield pymlp.Network(
                    [10, 300, 64, 3], hidden="gelu", output="softmax", seed=0, dtype=dtype,
                    embedding=embedding, norm=norm,
                )


def use(net, y, **options):
    net.fit(X, y, epochs=1, threads=2, **options)
    net.gradients(X, y)
    net.vjp(X, numbers)
    net.predict(X)
    net.predict(X[0])


def work():
    for net in networks():
        use(net, classes)
        use(net, np.eye(3)[classes])
    use(pymlp.Network([10, 64, 3], seed=0), numbers, loss="huber", optimizer="lbfgs")
    model = pymlp.TabularClassifier(epochs=2, n_members=2).fit(X, classes)
    model.predict_proba(X)
    assert pymlp.selftest().passed
    print("done")


threading.stack_size(256 * 1024)
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


def test_the_least_stack_suffices() -> None:
    command = [sys.executable, "-c", SCRIPT]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (result.returncode, result.stdout) == (0, "done\n"), result.stderr
