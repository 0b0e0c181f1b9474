"""The command line: ``pymlp train``, ``predict``, ``show``, ``bench`` and ``selftest``."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import NoReturn

import pymlp
from pymlp.cli import options


class _Parser(argparse.ArgumentParser):
    """Reports a wrong command line in one line, as every other error is."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"pymlp: error: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line, by default that of the process, and return its exit status."""
    try:
        arguments = _parser().parse_args(argv)
        # Each command has a module of its name, and is imported when it is run.
        module = importlib.import_module(f"pymlp.cli.{arguments.command}")
        if arguments.command != "predict" and hasattr(sys.stdout, "reconfigure"):
            # A report is for people: a letter that a terminal lacks must not end a training.
            sys.stdout.reconfigure(errors="backslashreplace")
        with _ended_in_order():
            status = getattr(module, arguments.command)(arguments)
        if sys.stdout is not None:  # it may be closed
            sys.stdout.flush()
    except SystemExit as stop:  # from argparse, after --help or a message of its own
        return int(stop.code or 0)
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except BrokenPipeError:
        # The reader of the output has gone; the flush at exit must not fail because of that.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error), 1)
    except options.WrongCommandLine as error:
        return _fail(str(error), 2)
    except (ValueError, TypeError, ArithmeticError, MemoryError, ImportError) as error:
        return _fail(str(error) or type(error).__name__, 1)
    return int(status or 0)


_ENDING = ("SIGTERM", "SIGHUP")


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let signals that end the process do it by an exception: no part of a file is left behind."""
    numbers = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []  # only the main thread may say what signals do
    # Those of which the user has said what they do, as nohup does, stay.
    numbers = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _end(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def _fail(message: str, status: int) -> int:
    print("pymlp: error:", " ".join(message.split()), file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="pymlp", description=pymlp.__doc__)
    parser.add_argument("--version", action="version", version=f"pymlp {pymlp.__version__}")
    commands = parser.add_subparsers(metavar="{train,predict,show,bench,selftest}", required=True)
    for name, purpose, add_options in (
        ("train", "learn one column of a table from the others", options.add_train_options),
        ("predict", "predict for each row of a table", options.add_predict_options),
        ("show", "describe a model file", options.add_show_options),
        ("bench", "measure the speed of this installation", options.add_bench_options),
        ("selftest", "test whether it computes what it should", options.add_selftest_options),
    ):
        command = commands.add_parser(name, help=purpose, description=purpose)
        command.set_defaults(command=name)
        add_options(command)
    return parser
