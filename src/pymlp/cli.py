"""The command line: ``pymlp train``, ``pymlp predict`` and ``pymlp show``."""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

import pymlp
from pymlp.preprocessing import (
    Categories,
    IntArray,
    Numbers,
    Preprocessing,
    Task,
    choose_task,
    fit_preprocessing,
    fit_target,
    split_rows,
)
from pymlp.serialization import read_network, write_network
from pymlp.table import Column, Table, read_csv

_VALIDATION_FRACTION = 0.1

# A confusion matrix wider than this many characters is no longer read; the worst cells are.
_PAGE_WIDTH = 100
_WORST = 10


class _Parser(argparse.ArgumentParser):
    """Reports a wrong command line in one line, as every other error is."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"pymlp: error: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line, by default that of the process, and return its exit status."""
    try:
        arguments = _parser().parse_args(argv)
        arguments.run(arguments)
        sys.stdout.flush()
    except SystemExit as stop:  # from argparse, after --help or a message of its own
        return int(stop.code or 0)
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except BrokenPipeError:
        # The reader of the output has left; nor may the flush at exit complain of that.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error), 1)
    except (ValueError, TypeError, ArithmeticError, MemoryError, ImportError) as error:
        return _fail(str(error) or type(error).__name__, 1)
    return 0


def _fail(message: str, status: int) -> int:
    print("pymlp: error:", " ".join(message.split()), file=sys.stderr)
    return status


# ---- the options ---------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="pymlp", description=pymlp.__doc__, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"pymlp {pymlp.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _train_options(commands.add_parser("train", help="learn a column of a CSV file from the others",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter, allow_abbrev=False))
    ...
