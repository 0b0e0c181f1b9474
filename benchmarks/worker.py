"""A process for each library and number of threads, which works when asked and sleeps otherwise.

In one process, libraries' thread pools and settings would fight each other: threads of one that
spin while they wait take the processor from the next.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

from benchmarks import peers
from benchmarks.cells import Cell

# Longer than any pool's threads spin before they sleep.
_PAUSE = 0.03
_LONG = 5e10  # operations an epoch, some tenths of a second
_PATIENCE = 300.0  # seconds, for code generation above all


class WorkerError(Exception):
    """Says why a library cannot be measured."""


class Worker:
    """One library on one number of threads, in a process of its own."""

    def __init__(self, library: str, threads: int) -> None:
        self.library = library
        self.threads = threads
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, library, threads), daemon=True, name=library
        )
        with thread_settings(threads):
            self._process.start()
        theirs.close()

    def begin(self, request: str, argument: Any = None) -> None:
        """Ask for something without waiting for it."""
        with contextlib.suppress(OSError):  # a process that has ended is found out in `end`
            self._pipe.send((request, argument))

    def end(self) -> Any:
        """Wait for the answer."""
        try:
            if not self._pipe.poll(_PATIENCE):
                self._process.terminate()  # an answer that came later would be taken for the next
                raise WorkerError(f"no answer in {_PATIENCE:.0f} seconds")
            answer, error = self._pipe.recv()
        except (EOFError, OSError):
            raise WorkerError("its process ended") from None
        if error is not None:
            raise WorkerError(error)
        return answer

    def prepare(self, cell: Cell) -> None:
        """Begin to build what a cell needs, and to run it once; several may do so at once."""
        self.begin("prepare", cell)

    def run(self, times: int) -> float:
        """Return the seconds that so many epochs or calls take, once all other work has ended."""
        time.sleep(_PAUSE)
        self.begin("run", times)
        return float(self.end())

    def stop(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join(2.0)
        if self._process.is_alive():
            self._process.terminate()


@contextlib.contextmanager
def thread_settings(threads: int) -> Iterator[None]:
    """Let a process that begins inside find this number of threads in its environment."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.pop(name, None) for name in names}
    os.environ.update(dict.fromkeys(names, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _serve(pipe: Connection, library: str, threads: int) -> None:
    """Answer requests until the other end is closed."""
    logging.disable(logging.WARNING)
    server = _Server(library, threads)
    with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            request, argument = pipe.recv()
            try:
                pipe.send((getattr(server, request)(argument), None))
            except Exception as error:  # whatever a library raises is a reason to leave it out
                pipe.send((None, " ".join(f"{type(error).__name__}: {error}".split())[:300]))


class _Server:
    def __init__(self, library: str, threads: int) -> None:
        self._threads = threads
        self._library = library
        # Before anything imports it: some libraries count their threads once.
        if hasattr(peers.load(library), "use_threads"):
            peers.load(library).use_threads(threads)
        self._run: peers.Run | None = None

    def about(self, _: None) -> dict[str, str]:
        return peers.load(self._library).about()

    def prepare(self, cell: Cell) -> bool:
        """Return whether the library does such a thing at all."""
        self._run = None
        try:
            self._run = peers.load(self._library).prepare(cell, self._threads)
        except peers.UnsupportedError:
            return False
        self._run(1)
        if cell.operations * cell.steps < _LONG:
            self._run(1)  # what generates code may do so again when its state has settled
        return True

    def run(self, times: int) -> float:
        assert self._run is not None
        start = time.perf_counter()
        self._run(times)
        return time.perf_counter() - start
