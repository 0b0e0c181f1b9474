"""The options of each command, and what is wrong of each by itself."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path

from pymlp import activations, optimizers

_ABOUT_FILES = """\
DATA is a file of CSV, packed by gzip or not, Parquet or Excel, told by its content; - is standard
input. Parquet and Excel need pip install 'pymlp[tables]', which reads CSV faster as well. The
delimiter, the encoding, whether the first row is a header, and how numbers and dates are written
are found out; options say otherwise. Numbers may have a decimal comma, thousands separators,
currencies, per cent signs, and brackets for negative ones. Empty cells, NA, N/A, NaN, null and ?
are missing. Several columns are written a,b or as one option for each; a column is a name, or an
index from 0 (-1 is the last). Exit status: 0; 1 on an error in data, files or training; 2 on a
wrong command line; 130 on Ctrl-C, after which a training keeps the best model so far; 143 on
SIGTERM, 129 on SIGHUP; 141 where the reader of the output has gone.
"""
_LARGEST = 2**63 - 1


class WrongCommandLine(ValueError):  # noqa: N818
    """What options say together is wrong."""


def add_train_options(parser: argparse.ArgumentParser) -> None:
    """Add those of ``pymlp train``."""
    add = parser.add_argument
    add("data", metavar="DATA", help="the samples, one a row")
    add("--target", metavar="COLUMN", required=True, help="name, or index from 0 (-1 is the last)")
    add("--task", choices=("classification", "regression"), help="by default as the target looks")
    _add_column_options(parser)
    _add_file_options(parser)
    add("--strict", action="store_true", help="refuse texts among numbers and missing targets")
    _add_network_options(parser)
    add("--test-fraction", type=fraction, default=0.2, metavar="F", help="(%(default)s)")
    add("--seed", type=seed, default=0, metavar="N", help="fixes every draw (%(default)s)")
    add("--dtype", choices=("float32", "float64"), default="float32", help="(%(default)s)")
    add(
        "--out",
        type=Path,
        metavar="MODEL",
        help="by default DATA.safetensors in this folder, or DATA-2.safetensors where that exists",
    )
    add("--force", action="store_true", help="replace the file that --out or --plot names")
    add("--plot", type=Path, metavar="FILE", help="draw the learning curve (.png, .svg, .pdf)")
    add("--json", action="store_true", help="print the report as JSON")
    add("--quiet", action="store_true", help="print nothing but errors")


def _add_column_options(parser: argparse.ArgumentParser) -> None:
    for name, purpose in (
        ("--ignore", "leave these out"),
        ("--keep", "take these, though they are constant, like ids or free text"),
        ("--categorical", "take the values of these as categories"),
        ("--numeric", "take these as numbers; texts among them are missing"),
    ):
        parser.add_argument(
            name, metavar="COLUMNS", action="append", default=[], help=f"{purpose}; repeatable"
        )
    among = parser.add_mutually_exclusive_group()
    among.add_argument(
        "--group", metavar="COLUMN", help="keep rows of one value together; no input itself"
    )
    among.add_argument("--time", metavar="COLUMN", help="test on the latest rows by this column")


def _add_network_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--quality",
        choices=("fast", "default", "best"),
        default="default",
        help="how much time goes into the model: what is not said below follows from it",
    )
    add("--members", type=members, metavar="N", help="networks whose predictions are averaged")
    add("--max-seconds", type=positive, metavar="S", help="end the training after so long")
    add("--hidden", type=widths, metavar="N,N", help="hidden layers, or none")
    add("--activation", type=activation, metavar="NAME", help="of the hidden layers")
    add("--optimizer", type=optimizer, metavar="NAME", help="instead of AdamW with schedules")
    add("--learning-rate", type=positive, metavar="R", help="its largest")
    add("--epochs", type=count, metavar="N", help="how often each row is seen, at most")
    add("--batch-size", type=batch_size, default="auto", metavar="N", help="rows a step")
    add("--patience", type=count, metavar="N", help="stop after so many epochs without gain")
    add(
        "--checkpoint",
        type=Path,
        metavar="FILE",
        help="where to keep what a training goes on from; OUT.checkpoint with --resume and --out",
    )
    add(
        "--checkpoint-every",
        type=count,
        metavar="N",
        help="epochs from one checkpoint to the next; by default a minute",
    )
    add("--resume", action="store_true", help="go on from the checkpoint, where there is one")
    add(
        "--label-smoothing",
        type=fraction,
        default=0.0,
        metavar="F",
        help="""share of certainty taken from each class label and spread over all classes
        (%(default)s); a temperature fitted on the validation rows makes up for it""",
    )


def add_predict_options(parser: argparse.ArgumentParser) -> None:
    """Add those of ``pymlp predict``."""
    add = parser.add_argument
    add("model", metavar="MODEL.safetensors")
    add("data", metavar="DATA", help="columns are found by name, or by position without names")
    _add_file_options(parser)
    add("--probabilities", action="store_true", help="add a column for each class")
    add(
        "--keep",
        metavar="COLUMNS",
        action="append",
        default=[],
        help="put these columns before the prediction; repeatable",
    )
    add(
        "--strict",
        action="store_true",
        help="""refuse missing cells, new categories, texts among numbers and rows of the wrong
        length, instead of counting them""",
    )
    add("--out", type=Path, metavar="FILE.csv", help="by default standard output")
    add("--force", action="store_true", help="replace the file that --out names")


def add_show_options(parser: argparse.ArgumentParser) -> None:
    """Add those of ``pymlp show``."""
    parser.add_argument("model", metavar="MODEL.safetensors")
    parser.add_argument("--json", action="store_true", help="print the training's report as JSON")


def add_bench_options(parser: argparse.ArgumentParser) -> None:
    """Add those of ``pymlp bench``."""
    add = parser.add_argument
    add("--seconds", type=positive, default=12.0, metavar="S", help="about so long (%(default)s)")
    add("--threads", type=threads, metavar="N", help="by default as many as there are processors")


def add_selftest_options(parser: argparse.ArgumentParser) -> None:
    """Add those of ``pymlp selftest``."""
    parser.add_argument("--json", action="store_true", help="print the certificate as JSON")


def _add_file_options(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _ABOUT_FILES
    boolean = argparse.BooleanOptionalAction
    add = parser.add_argument
    add("--header", action=boolean, help="whether the first row names the columns")
    add("--delimiter", type=delimiter, metavar="C", help="one character, or the word tab")
    add(
        "--encoding",
        type=encoding,
        metavar="NAME",
        help="of text: latin-1, utf-16, cp1250 and others",
    )
    add("--decimal", type=decimal, metavar="C", help="the decimal mark of all columns, . or ,")
    add("--sheet", metavar="NAME", help="of an Excel file; by default the first")


def delimiter(text: str) -> str:
    """Read one character, or "tab"."""
    mark = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(mark) != 1:
        raise argparse.ArgumentTypeError(f"must be one character or the word tab, not {text!r}")
    return mark


def decimal(text: str) -> str:
    """Read a decimal mark."""
    mark = {"point": ".", "comma": ","}.get(text, text)
    if mark not in (".", ","):
        raise argparse.ArgumentTypeError(f"must be . or , not {text!r}")
    return mark


def widths(text: str) -> tuple[int, ...]:
    """Read "128,64" or "none"."""
    return () if text == "none" else tuple(_whole(word, 1, 2**31 - 1) for word in text.split(","))


def batch_size(text: str) -> int | str:
    """Read a whole number from 1, or "auto"."""
    return text if text == "auto" else count(text)


def seed(text: str) -> int:
    """Read what draws begin with."""
    return _whole(text, 0, 2**64 - 1)


def count(text: str) -> int:
    """Read a whole number from 1."""
    return _whole(text, 1)


def activation(text: str) -> str:
    """Read the name of an activation."""
    with _told():
        activations.resolve("activation", text)
    return text


def optimizer(text: str) -> str:
    """Read the name of an optimiser."""
    with _told():
        optimizers.resolve(text, None)
    return text


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Let argparse tell what was wrong."""
    try:
        yield
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def encoding(text: str) -> str:
    """Read the name of an encoding of text."""
    try:
        "".encode(text)
    except (LookupError, ValueError):
        raise argparse.ArgumentTypeError(f"there is none of the name {text!r}") from None
    return text


def members(text: str) -> int:
    """Read a number of networks."""
    from pymlp.tabular.recipe import MOST_MEMBERS

    return _whole(text, 1, MOST_MEMBERS)


def threads(text: str) -> int:
    """Read a number of threads."""
    return _whole(text, 1, 1024)


def _whole(text: str, least: int, most: int = _LARGEST) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, not {text!r}") from None
    if not least <= value <= most:
        wanted = (
            f"at least {least}" if value < least and most >= _LARGEST else f"from {least} to {most}"
        )
        raise argparse.ArgumentTypeError(f"must be {wanted}, not {text}")
    return value


def positive(text: str) -> float:
    """Read a number above 0."""
    value = _number(text)
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be above 0, not {text}")
    return value


def fraction(text: str) -> float:
    """Read a number from 0 to below 1."""
    value = _number(text)
    if not 0.0 <= value < 1.0:
        raise argparse.ArgumentTypeError(f"must be from 0 to below 1, not {text}")
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number, not {text!r}") from None
