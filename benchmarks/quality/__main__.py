"""What models of tables learn, beside other libraries, on data sets that travel in packages."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks import environment, tables
from benchmarks.quality import HALVES, chart, page, run, summary
from benchmarks.quality import tables as rows
from benchmarks.quality.datasets import DATASETS
from benchmarks.quality.models import MODELS, REFERENCE
from benchmarks.quality.realmlp import MODELS_AND_RECIPES, RECIPES, WHOLE
from benchmarks.running import write

_HALF = {"dev": HALVES[0], "reported": HALVES[1], "all": "all"}


def options() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog=f"python -m {run.MODULE}", description=__doc__)
    add = parser.add_argument
    add("--sets", choices=_HALF, default="all", help="which half: settings are chosen on dev alone")
    add("--set", default="", metavar="TEXT", help="only sets whose name contains this")
    add("--models", metavar="A,B", help=f"of {', '.join(MODELS)} (default all)")
    add("--recipe", action="store_true", help="RealMLP's recipe in pymlp, part by part, instead")
    add("--splits", type=int, default=1, metavar="N", help="into training and test (default 1)")
    add("--threads", type=int, default=1, metavar="N", help="of every model (default 1)")
    add("--limit", type=float, default=1800, metavar="SECONDS", help="of one fit (default 1800)")
    add("--reference", metavar="MODEL", help=f"the 1 (default {REFERENCE}; of --recipe {WHOLE})")
    add("--list", action="store_true", help="print the data sets, and stop")
    add("--json", type=Path, metavar="FILE", help="write what was found, after every fit")
    add("--resume", action="store_true", help="keep the fits that --json's file has already")
    add(
        "--from", dest="sources", type=Path, nargs="+", metavar="FILE", help="measure nothing: read"
    )
    add("--markdown", action="store_true", help="print the tables in Markdown")
    add("--chart", type=Path, metavar="FOLDER/NAME", help="draw NAME.png and NAME.svg")
    add("--page", type=Path, metavar="FILE", help="write the tables as a page, docs/quality.md")
    return parser


def main() -> None:
    """Parse the arguments, measure or read, and print, write and draw."""
    parser = options()
    arguments = parser.parse_args()
    arguments.reference = arguments.reference or (WHOLE if arguments.recipe else REFERENCE)
    half = _HALF[arguments.sets]
    layout = tables.markdown if arguments.markdown else tables.text
    if arguments.list:
        print(layout(rows.sets(half)))
        return
    models = chosen_models(parser, arguments)
    if arguments.sources is not None:
        record = merged(arguments.sources)
        write(record, arguments.json)
    else:
        environment.without_foreign_settings(run.MODULE)
        sets = [d for d in DATASETS if half in (d.half, "all") and arguments.set in d.name]
        record = run.run(sets, models, arguments)
    for title in HALVES if half == "all" else [half]:
        show(record, title, arguments.reference, layout)
    print(f"\n{rows.NOTE} Reference: {arguments.reference}.")
    if arguments.chart is not None:
        chart.draw(record, arguments.chart, arguments.reference)
    if arguments.page is not None:
        arguments.page.write_text(page.page(record, arguments.reference), encoding="utf-8")


def chosen_models(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> list[str]:
    """Return the names of the models, after a look at what is asked."""
    names = [*(RECIPES if arguments.recipe else MODELS)]
    if arguments.models:
        names = arguments.models.split(",")
    known = MODELS_AND_RECIPES
    unknown = [name for name in [*names, arguments.reference] if name not in known]
    if unknown:
        parser.error(f"no model is called {', '.join(unknown)}: there are {', '.join(known)}")
    if arguments.resume and arguments.json is None:
        parser.error("--resume needs --json")
    return names


def merged(files: list[Path]) -> dict[str, Any]:
    """Return the records of several runs as one; of the same fit, and of where, the last counts."""
    records = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    both = {
        key: {name: value for record in records for name, value in record[key].items()}
        for key in ("libraries", "left_out", "models")
    }
    fits = {run.key_of(fit): fit for record in records for fit in record["fits"]}
    there = {name for fit in fits.values() for name in (fit["model"], fit["set"])}
    both["left_out"] = {k: v for k, v in both["left_out"].items() if k not in there}
    return records[-1] | both | {"fits": [*fits.values()]}


def show(record: dict[str, Any], half: str, reference: str, layout: Any) -> None:
    """Print the tables of a half."""
    found = summary.of_half(record["fits"], half)
    if found.sets:
        print(f"\n{half} half, {len(found.sets)} data sets\n")
        print(layout(rows.means(found, reference)))
        print(f"\n{layout(rows.by_set(found, 'error'))}")


if __name__ == "__main__":
    main()
