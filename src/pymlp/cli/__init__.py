"""The command line: ``pymlp train``, ``predict``, ``show`` and ``bench``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import pymlp
from pymlp.cli import options
from pymlp.cli.bench import bench
from pymlp.cli.predict import predict, show
from pymlp.cli.train import train


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
        # The reader of the output has gone; the flush at exit must not fail because of that.
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


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="pymlp", description=pymlp.__doc__)
    parser.add_argument("--version", action="version", version=f"pymlp {pymlp.__version__}")
    commands = parser.add_subparsers(metavar="{train,predict,show,bench}", required=True)
    for run, purpose, add_options in (
        (train, "learn one column of a CSV file from the others", options.add_train_options),
        (predict, "predict for each row of a CSV file", options.add_predict_options),
        (show, "describe a model file", options.add_show_options),
        (bench, "measure the speed of this installation", options.add_bench_options),
    ):
        command = commands.add_parser(run.__name__, help=purpose, description=purpose)
        command.set_defaults(run=run)
        add_options(command)
    return parser
