"""The options of each command."""

from __future__ import annotations

import argparse
from pathlib import Path

_ABOUT_FILES = """\
CSV files are UTF-8 text. The delimiter is a comma, or a semicolon or tab where the first line has
those and no comma. The first row is a header if it has text over a column of numbers, or, in a file
of text alone, if none of its cells occurs again in its column; without a header, columns are named
0, 1, 2 and so on. A column with a text cell is a category column. An empty cell, NA, N/A, NaN, null
and ? are missing values, which are refused.
"""


def add_train_options(parser: argparse.ArgumentParser) -> None:
    """Add those of ``pymlp train``."""
    add = parser.add_argument
    add("data", metavar="DATA.csv", help="the samples, one a row")
    add("--target", metavar="COLUMN", required=True, help="name, or index from 0 (-1 is the last)")
    add("--task", choices=("classification", "regression"), help="by default as the target looks")
    add("--ignore", metavar="COLUMN", action="append", default=[], help="leave out; repeatable")
    _add_file_options(parser)
    add("--hidden", type=widths, default=(128,), metavar="N,N", help="hidden layers, or none (128)")
    add("--activation", default="relu", metavar="NAME", help="of the hidden layers (%(default)s)")
    add("--optimizer", default="adam", metavar="NAME", help="(%(default)s)")
    add("--learning-rate", type=float, metavar="R", help="by default the optimizer's own")
    add("--epochs", type=int, default=200, metavar="N", help="at most (%(default)s)")
    add("--batch-size", type=batch_size, default="auto", metavar="N", help="by default 32, or all")
    add(
        "--patience",
        type=int,
        default=10,
        metavar="N",
        help="""stop after so many epochs without
        a better loss on the tenth of the training rows kept for validation (%(default)s)""",
    )
    add(
        "--label-smoothing",
        type=fraction,
        default=0.05,
        metavar="F",
        help="""share of certainty
        taken from each class label and spread over all classes (%(default)s)""",
    )
    add("--test-fraction", type=fraction, default=0.2, metavar="F", help="(%(default)s)")
    add(
        "--seed", type=natural, default=0, metavar="N", help="fixes every random draw (%(default)s)"
    )
    add("--dtype", choices=("float32", "float64"), default="float32", help="(%(default)s)")
    add("--out", type=Path, metavar="MODEL", help="by default DATA.safetensors, in this folder")
    add("--quiet", action="store_true", help="print nothing but errors")


def add_predict_options(parser: argparse.ArgumentParser) -> None:
    """Add those of ``pymlp predict``."""
    add = parser.add_argument
    add("model", metavar="MODEL.safetensors")
    add("data", metavar="DATA.csv", help="columns are found by name, or by position without names")
    _add_file_options(parser)
    add("--probabilities", action="store_true", help="add a column for each class")
    add("--out", type=Path, metavar="FILE.csv", help="by default standard output")


def add_show_options(parser: argparse.ArgumentParser) -> None:
    """Add those of ``pymlp show``."""
    parser.add_argument("model", metavar="MODEL.safetensors")


def add_bench_options(parser: argparse.ArgumentParser) -> None:
    """Add those of ``pymlp bench``."""
    add = parser.add_argument
    add("--seconds", type=positive, default=12.0, metavar="S", help="about so long (%(default)s)")
    add("--threads", type=threads, metavar="N", help="by default as many as there are processors")


def _add_file_options(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _ABOUT_FILES
    boolean = argparse.BooleanOptionalAction
    parser.add_argument("--header", action=boolean, help="whether the first row names the columns")
    parser.add_argument("--delimiter", metavar="C", help="one character, or the word tab")


def widths(text: str) -> tuple[int, ...]:
    """Read "128,64" or "none"."""
    return () if text == "none" else tuple(int(width) for width in text.split(","))


def batch_size(text: str) -> int | str:
    """Read a whole number, or "auto"."""
    return text if text == "auto" else int(text)


def natural(text: str) -> int:
    """Read a whole number from 0."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be at least 0, not {text}")
    return value


def threads(text: str) -> int:
    """Read a number of threads."""
    value = int(text)
    if not 1 <= value <= 1024:
        raise argparse.ArgumentTypeError(f"must be from 1 to 1024, not {text}")
    return value


def positive(text: str) -> float:
    """Read a number above 0."""
    value = float(text)
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be above 0, not {text}")
    return value


def fraction(text: str) -> float:
    """Read a number from 0 to below 1."""
    value = float(text)
    if not 0.0 <= value < 1.0:
        raise argparse.ArgumentTypeError(f"must be from 0 to below 1, not {text}")
    return value
