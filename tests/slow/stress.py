"""Three networks, and threads that do everything to them at once, for some seconds.

    python tests/slow/stress.py [seconds] [seed]

Ends with 0 where no exception came but the documented ones, and says what was done how often.
"""

import collections
import pickle
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import pymlp

REFUSED = (RuntimeError,)  # a second training of a network, an optimiser of another one: ValueError


class Stress:
    """The networks, and what a thread does with one of them."""

    def __init__(self, seed: int, folder: Path) -> None:
        rng = np.random.default_rng(seed)
        self.X = rng.normal(size=(3000, 20)).astype(np.float32)
        self.y = rng.integers(0, 5, 3000)
        tanh = pymlp.Activation(forward=np.tanh, derivative=lambda z: 1 - np.tanh(z) ** 2)
        self.nets = [
            pymlp.Network([20, 64, 64, 5], output="softmax", dropout=0.1, seed=seed),
            pymlp.Network([20, 256, 256, 5], hidden="tanh", output="softmax", seed=seed),
            pymlp.Network([20, 16, 5], hidden=tanh, output="softmax", seed=seed),
        ]
        self.folder = folder
        self.done: collections.Counter[str] = collections.Counter()
        self.failures: list[str] = []

    def loss(self, other: pymlp.Network) -> pymlp.losses.Loss:
        def function(a: Any, y: Any) -> tuple[Any, Any]:
            other.predict(self.X[:50])
            difference = a.copy()
            difference[np.arange(len(y)), y] -= 1
            return (difference**2).sum(axis=1), 2 * difference

        return pymlp.losses.Loss(function)

    def works(self, net: pymlp.Network, rng: np.random.Generator) -> dict[str, Callable[[], Any]]:
        X, y = self.X, self.y
        other = self.nets[rng.integers(3)]
        path = self.folder / f"{rng.integers(3)}.safetensors"
        own = self.loss(other)
        return {
            "fit": lambda: net.fit(X, y, epochs=2, validation=0.2, early_stopping=1),
            "fit by the clock": lambda: net.fit(X, y, epochs=10**9, max_seconds=0.1),
            "fit, user loss": lambda: net.fit(X[:500], y[:500], epochs=1, loss=own),
            "lbfgs": lambda: pymlp.Network([20, 5], output="softmax").fit(
                X, y, epochs=3, optimizer="lbfgs"
            ),
            "train_batch": lambda: net.train_batch(X[:100], y[:100], optimizer=pymlp.Adam()),
            "predict": lambda: net.predict(X),
            "one row": lambda: [net.predict(X[i]) for i in range(100)],
            "forward": lambda: net.forward(X[:200]),
            "loss": lambda: net.loss(X, y),
            "user loss": lambda: net.loss(X[:500], y[:500], loss=own),
            "gradients": lambda: net.gradients(X, y),
            "vjp": lambda: net.vjp(X, np.ones((3000, 5))),
            "copy": lambda: net.copy().fit(X, y, epochs=1),
            "pickle": lambda: (
                net._architecture.activations[0].name == "custom" or pickle.loads(pickle.dumps(net))
            ),
            "save": lambda: (
                net._architecture.activations[0].name == "custom"
                or (net.save(path), pymlp.load(path))
            ),
            "threads": lambda: pymlp.set_num_threads(int(rng.integers(1, 5))),
        }

    def work(self, seed: int, until: float) -> None:
        rng = np.random.default_rng(seed)
        while time.perf_counter() < until:
            works = self.works(self.nets[rng.integers(3)], rng)
            name = str(rng.choice(list(works)))
            try:
                result = works[name]()
                if isinstance(result, np.ndarray) and not np.isfinite(result).all():
                    self.failures.append(f"{name}: not finite")
            except REFUSED as error:
                if "being trained already" not in str(error):
                    self.failures.append(f"{name}: {error!r}")
                name += ", refused"
            except Exception as error:  # noqa: BLE001
                self.failures.append(f"{name}: {error!r}")
            self.done[name] += 1


def stress(seconds: float, seed: int) -> Stress:
    """Let six threads work on three networks."""
    with tempfile.TemporaryDirectory() as folder:
        stress = Stress(seed, Path(folder))
        until = time.perf_counter() + seconds
        threads = [
            threading.Thread(target=stress.work, args=(10 * seed + i, until)) for i in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return stress


if __name__ == "__main__":
    result = stress(
        float(sys.argv[1]) if len(sys.argv) > 1 else 8.0, int((sys.argv[2:] or ["0"])[0])
    )
    print(dict(result.done))
    sys.exit("\n".join(result.failures) if result.failures else 0)
