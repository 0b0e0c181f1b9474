"""A process for each model, which fits when asked: if it ends or takes too long, the rest goes on.

What a library imports or compiles at its first fit happens on a small table, and is not counted.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import resource
import time
import warnings
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.quality.datasets import CLASSIFICATION, DATASETS, REGRESSION, split
from benchmarks.quality.models import Task
from benchmarks.quality.realmlp import MODELS_AND_RECIPES
from benchmarks.worker import WorkerError, thread_settings

# Probabilities below that count as that: float32's distance from 1 to the next number.
_LEAST_PROBABILITY = float(np.finfo(np.float32).eps)


class Worker:
    """One model in a process of its own, which starts when it is needed."""

    def __init__(self, model: str, threads: int, limit: float) -> None:
        self._model, self._threads, self._limit = model, threads, limit
        self._process: Any = None

    def fit(self, dataset: str, seed: int) -> dict[str, float]:
        """Return what `fitted` finds, or raise `WorkerError`."""
        if self._process is None:
            self._start()
        try:
            self._pipe.send((dataset, seed))
            if not self._pipe.poll(self._limit):
                raise WorkerError(f"no answer in {self._limit:.0f} seconds")
            answer, error = self._pipe.recv()
        except (EOFError, OSError):
            self.stop()
            raise WorkerError("its process ended") from None
        except BaseException:  # an answer that came later would be taken for the next
            self.stop()
            raise
        if error is not None:
            raise WorkerError(error)
        return answer

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._pipe.close()
            self._process.terminate()
            self._process.join()
            self._process = None

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, self._model, self._threads), daemon=True
        )
        with thread_settings(self._threads):
            self._process.start()
        theirs.close()


def _serve(pipe: Connection, model: str, threads: int) -> None:
    """Answer requests until the other end is closed."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    warm: set[str] = set()
    sets = {dataset.name: dataset for dataset in DATASETS}
    with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            name, seed = pipe.recv()
            try:
                dataset = sets[name]
                if dataset.task not in warm:
                    warm_up(model, dataset.task, threads)
                    warm.add(dataset.task)
                pipe.send((fitted(model, dataset.task, split(dataset, seed), threads, seed), None))
            except Exception as error:  # whatever a library raises is this fit's failure
                pipe.send((None, " ".join(f"{type(error).__name__}: {error}".split())[:300]))


def warm_up(model: str, task: str, threads: int) -> None:
    """Fit a small table of numbers and categories."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"number": rng.normal(size=100), "text": rng.choice(["a", "b", "c"], 100)})
    X = X.astype({"text": "category"})
    y = rng.permutation(np.arange(100) % 3)
    fitted(model, task, (X, X, y if task == CLASSIFICATION else y * 1.0, y), threads, 0)


def fitted(
    model: str,
    task: str,
    samples: tuple[pd.DataFrame, pd.DataFrame, NDArray[Any], NDArray[Any]],
    threads: int,
    seed: int,
) -> dict[str, float]:
    """Return how a model trained on X, y judges X_test, and the seconds of its training."""
    X, X_test, y, y_test = samples
    categories = tuple(X.select_dtypes("category").columns)
    estimator = MODELS_AND_RECIPES[model].make(
        Task(task == CLASSIFICATION, categories, threads, seed)
    )
    cpu, wall = _cpu_seconds(), time.perf_counter()
    estimator.fit(X, y)
    seconds = {"cpu_seconds": _cpu_seconds() - cpu, "wall_seconds": time.perf_counter() - wall}
    judged = rmse if task == REGRESSION else errors
    return judged(estimator, X_test, y_test) | seconds | {"rows": len(X), "test_rows": len(X_test)}


def _cpu_seconds() -> float:
    """Return user and system seconds of this process, its threads and children that have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def errors(estimator: Any, X: pd.DataFrame, y: NDArray[Any]) -> dict[str, float]:
    """Return the share of wrong classes and the log-loss."""
    wrong = np.ravel(estimator.predict(X)) != y
    shares = np.asarray(estimator.predict_proba(X), np.float64)[np.arange(len(y)), y]
    if not np.isfinite(shares).all():
        raise ValueError("probabilities are not finite")
    log_loss = -np.log(np.clip(shares, _LEAST_PROBABILITY, 1.0)).mean()
    return {"error": float(wrong.mean()), "log_loss": float(log_loss)}


def rmse(estimator: Any, X: pd.DataFrame, y: NDArray[Any]) -> dict[str, float]:
    """Return the root of the mean squared error, and that as R²."""
    mean_square = float(np.mean((np.ravel(estimator.predict(X)) - y) ** 2))
    if not np.isfinite(mean_square):
        raise ValueError("predictions are not finite")
    return {"error": mean_square**0.5, "r2": 1.0 - mean_square / float(np.var(y))}
