# ruff: noqa: E501  (lines of a page)
"""docs/quality.md: the tables of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks import tables
from benchmarks.quality import tables as rows
from benchmarks.quality.summary import Found, of_half

_TEXT = """# What models of tables learn, beside other libraries

<!-- Made by: python -m benchmarks.quality --from docs/quality.json --page docs/quality.md -->

{sets_count} data sets that travel inside Python packages, half of them classification, half regression; {splits} into at most
3,000 training rows and at most 5,000 others that judge, on {where}. Every library has its defaults, and
takes categories and gaps as its documentation recommends; each model trains on {threads}.

The sets are in two halves. Of each task's sets in order of their rows every other one belongs to the reported half.
**pymlp's defaults were chosen on the development half alone**; the other models' defaults are their authors'.

![Error over CPU seconds](quality.png)

## The reported half

{reported}

{note} The reference is {reference}.

## The development half

{development}

## Every data set

Shares of wrong classes, with half a row added so that none is 0, or root mean squared errors: means over the splits that
all models have.

{errors}

Log-loss of classification:

{log_losses}

## The data sets

Columns that give the target away, identifiers, and copies of other columns are left out.

{sets}

## The models

{models}

The whole record is [quality.json](quality.json), made by `python -m benchmarks.quality --splits {most} --json docs/quality.json`;
CONTRIBUTING.md says what to install. RealMLP's defaults smooth labels and choose the epoch by wrong classes, which costs
log-loss.
"""


def page(record: Mapping[str, Any], reference: str) -> str:
    """Return the page of a record."""
    everything = of_half(record["fits"], "all")
    machine = record["machine"]
    threads = sorted({fit["threads"] for fit in record["fits"]})
    return _TEXT.format(
        sets_count=len(everything.sets),
        splits=_splits(everything),
        most=everything.n_splits()[1],
        where=f"{machine['cores']} cores of an {machine['processor']}, {record['date'][:10]}",
        threads="one thread" if threads == [1] else f"{' or '.join(map(str, threads))} threads",
        reported=tables.markdown(rows.means(of_half(record["fits"], "reported"), reference)),
        development=tables.markdown(rows.means(of_half(record["fits"], "development"), reference)),
        note=rows.NOTE,
        reference=reference,
        errors=tables.markdown(rows.by_set(everything, "error")),
        log_losses=tables.markdown(rows.by_set(everything, "log-loss")),
        sets=tables.markdown(rows.sets("all")),
        models=_models(record, everything),
    )


def _splits(found: Found) -> str:
    fewest, most = found.n_splits()
    if fewest == most:
        return "one split" if most == 1 else f"{most} splits"
    return f"{fewest} to {most} splits"


def _models(record: Mapping[str, Any], found: Found) -> str:
    """Return a line for each model that ran, with its version, and one for each that did not."""
    lines = [f"- {name}: {record['models'][name]}" for name in found.models]
    versions = ", ".join(f"{name} {version}" for name, version in record["libraries"].items())
    absent = [f"- {name} is left out: {reason}" for name, reason in record["left_out"].items()]
    return "\n".join([*lines, *absent, "", f"Versions: {versions}."])
