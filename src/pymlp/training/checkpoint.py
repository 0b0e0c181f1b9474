"""Checkpoints of a call of `fit`: when they are written, and what a training goes on from."""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from numpy.typing import NDArray

from pymlp import _checks
from pymlp.files import checkpoint as files
from pymlp.files.atomic import is_special, remove_parts
from pymlp.files.checkpoint import Run
from pymlp.training.difference import differences, digest_of

__all__ = ["AnotherTraining", "Checkpoint", "Run"]

_SECONDS = 60.0  # from one to the next, where no number of epochs is given
_SHARE = 20.0  # writing takes at most one part of so many of the time


class AnotherTraining(ValueError):  # noqa: N818
    """A file is of a training that was asked for something else."""


class Checkpoint:
    """The file of one call of `fit`, which may train several networks.

    Parameters
    ----------
    path : str or path
    every : int, optional
        Epochs from one to the next; None: about a minute.
    resume : bool
        Whether a file that is there is gone on with.

    Attributes
    ----------
    beside, arrays : dict
        Of the file, where there was one.
    """

    def __init__(self, path: Any, every: Any, resume: Any) -> None:
        if not isinstance(path, str | os.PathLike):
            raise TypeError(f"checkpoint must be a path, not {_checks.type_name(path)}")
        if not os.fspath(path) or "\0" in str(path):
            raise ValueError(f"checkpoint must be the path of a file, not {os.fspath(path)!r}")
        self.path = Path(path)
        # Callbacks may change the working directory, and a link stays one.
        self._file = Path(os.path.realpath(self.path))
        self.every = (
            None if every is None else _checks.integer("checkpoint_every", every, minimum=1)
        )
        self.resume = _checks.flag("resume", resume)
        self.beside: dict[str, Any] = {}
        self.arrays: dict[str, NDArray[Any]] = {}
        self.first = 0  # of the networks that are trained now, among all
        self._runs: dict[int, Run] | None = None
        self._found: tuple[int, int] | None = None  # which file it was that is replaced
        self._is_unsure = False  # whose it is: a signal ended the last writing
        self._stacked = False
        self._is_written = True
        self._written_at = perf_counter()
        self._seconds = _SECONDS
        self._digests: dict[int, tuple[Any, str]] = {}

    # ---- before a training -----------------------------------------------------------------------

    def open(self, *, stacked: bool) -> None:
        """Read the file, or see that there is none and that one can be written.

        Raises
        ------
        FileExistsError
            If there is one, and `resume` does not say that it is gone on with.
        FileFormatError, OSError
            If it is no checkpoint, or cannot be read or written.
        """
        if self._runs is not None:  # by who trains several times
            return
        self._stacked = stacked
        if is_special(self.path):
            raise ValueError(f"checkpoint must be a file, not the device or pipe '{self.path}'")
        if self.path.is_dir():
            raise IsADirectoryError(f"checkpoint must be a file: '{self.path}' is a folder")
        _check_folder(self._file)
        if not self._file.exists():
            self._runs = {}
        elif not self.resume:
            raise FileExistsError(
                f"the checkpoint '{self.path}' is there already: resume=True (--resume) goes on "
                "with it; to begin anew, remove it or name another"
            )
        else:
            self._runs, self.beside, self.arrays = files.read(self.path, stacked)
        self._found = self._identity()
        remove_parts(self._file)  # of who was killed while writing

    def check_count(self, networks: int) -> None:
        """Refuse another number of networks than the file is of."""
        before = self.beside.setdefault("networks", networks)
        if before != networks:
            self._refuse([f"networks are {networks}, and were {before!r:.50}"])

    def compare(self, name: str, described: Mapping[str, Any]) -> None:
        """Refuse a model or table that is not described as the file's; what begins is, by this.

        Raises
        ------
        ValueError
            With what differs.
        """
        now = json.loads(json.dumps(dict(described)))
        before = self.beside.setdefault(name, now)
        self._refuse(differences(now, before if isinstance(before, dict) else {}))

    def _refuse(self, wrong: Sequence[str]) -> None:
        if wrong:
            told = "; ".join(wrong)
            raise AnotherTraining(f"the checkpoint '{self.path}' is of another training: {told}")

    def seed(self, number: int) -> int | None:
        """Return the seed of a training that the file has."""
        run = self.kept(number)
        return None if run is None else int(run.numbers["seed"])

    def run(self, number: int, described: Mapping[str, Any]) -> Run | None:
        """Return the training that is gone on with, if the file has it.

        Raises
        ------
        ValueError
            If it is another one, with what differs.
        """
        run = self.kept(number)
        if run is not None:
            self._refuse(differences(dict(described), run.options))
        return run

    def kept(self, number: int) -> Run | None:
        """Return what there is of a training."""
        return (self._runs or {}).get(self.first + number)

    def digest(self, array: NDArray[Any]) -> str:
        """Return the digest of an array, which is computed once."""
        if id(array) not in self._digests:
            self._digests[id(array)] = array, digest_of(array)
        return self._digests[id(array)][1]

    # ---- while it goes on ------------------------------------------------------------------------

    @property
    def seconds_left(self) -> float:
        """How long until the next one is due; no limit where epochs say it, or it is due."""
        left = self._written_at + self._seconds - perf_counter()
        return math.inf if self.every or left <= 0.0 else left

    def epochs_left(self, done: int) -> int:
        """Return how many epochs there are until the next one: one, where the time for it came."""
        if self.every:
            return self.every - done % self.every
        return 1 if self.seconds_left == math.inf else 2**62

    def is_due(self, number: int, done: int) -> bool:
        """Tell whether a training that has done so many epochs is to be kept."""
        run = self.kept(number)
        before = 0 if run is None else run.epochs
        if self.every:
            return done // self.every > before // self.every
        return done > before and self.seconds_left == math.inf

    def keep(self, number: int, run: Run) -> None:
        """Take what the next file will have of a training."""
        assert self._runs is not None  # which `open` made
        before = self.kept(number)
        if before is not None and before.arrays is not run.arrays:
            _let_go(before)  # which a task may have yet
        self._runs[self.first + number] = run
        self._is_written = False

    def was_taken(self, number: int) -> None:
        """Let go of what a training went on from, where no later file has it again."""
        run = self.kept(number)
        if run is not None and not self._stacked:
            _let_go(run)

    def write(self) -> None:
        """Write the file, where there is something new to write."""
        if not self._runs or self._is_written:
            return
        if not self._is_unsure and self._identity() not in (None, self._found):
            raise FileExistsError(
                f"the checkpoint '{self.path}' was written by another meanwhile: each training "
                "needs a file of its own"
            )
        started = perf_counter()
        runs = dict(sorted(self._runs.items()))
        self._check(runs)
        self._is_unsure = True
        files.write(self._file, runs, self.beside, self.arrays, stacked=self._stacked)
        self._found, self._is_unsure = self._identity(), False
        self._is_written = True
        for number in runs:
            self.was_taken(number - self.first)
        self._written_at = perf_counter()
        self._seconds = max(_SECONDS, _SHARE * (self._written_at - started))

    def _check(self, runs: Mapping[int, Run]) -> None:
        """Refuse what could not be read again, before it replaces what can."""
        for number, run in runs.items():
            try:
                if run.arrays:  # of one that has ended they may be let go
                    files.check_arrays(run)
            except ValueError as error:
                raise ValueError(
                    f"the checkpoint '{self.path}' cannot keep training {number}, whose record a "
                    f"callback may have changed: {error}"
                ) from None

    def _identity(self) -> tuple[int, int] | None:
        """Return what tells the file that is there from another one; None where there is none."""
        with contextlib.suppress(OSError):
            found = self._file.stat()
            return found.st_dev, found.st_ino
        return None


def _let_go(run: Run) -> None:
    """Let go of the memory of a training; what is told of it stays."""
    run.arrays.clear()
    run.state.clear()


def _check_folder(path: Path) -> None:
    folder = path.parent
    if not folder.is_dir():
        raise FileNotFoundError(f"checkpoint: there is no folder '{folder}'")
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"checkpoint: the folder '{folder}' cannot be written to")


def resolve(given: Mapping[str, Any]) -> Checkpoint | None:
    """Return what the options `checkpoint`, `checkpoint_every` and `resume` say.

    Raises
    ------
    TypeError, ValueError
        If one of them is wrong, or the others are given without `checkpoint`.
    """
    found, every, resume = (
        given.get(name) for name in ("checkpoint", "checkpoint_every", "resume")
    )
    if isinstance(found, Checkpoint):  # of a model that trains networks
        return found
    if found is not None:
        return Checkpoint(found, every, bool(resume) if resume is None else resume)
    if every is not None or resume not in (None, False):
        name = "resume" if every is None else "checkpoint_every"
        raise ValueError(f"{name} needs checkpoint, the path of a file")
    return None
