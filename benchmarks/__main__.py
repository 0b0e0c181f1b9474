"""pymlp beside other libraries, taking turns in one run, each at its better number of threads."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks import chart, environment, page, running, tables
from benchmarks.marks import MARKS
from benchmarks.measuring import Pace
from benchmarks.others import OTHERS

SETS = {"marks": MARKS, "others": OTHERS, "all": MARKS + OTHERS}


def options() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--set", choices=SETS, default="marks", help="which tasks (default marks)")
    add("--cell", default="", metavar="TEXT", help="only tasks whose name contains this")
    add("--list", action="store_true", help="print the names of the tasks, and stop")
    add("--rounds", type=int, default=9, metavar="N", help="turns of each, at most (default 9)")
    running.add_options(parser)
    add("--chart", type=Path, metavar="FOLDER/NAME", help="draw NAME.png and NAME.svg")
    add("--page", type=Path, metavar="FILE", help="write the tables as a page, docs/speed.md")
    add("--markdown", action="store_true", help="print the tables in Markdown")
    add("--from", dest="source", type=Path, metavar="FILE", help="measure nothing: read --json's")
    return parser


def main() -> None:
    """Parse the arguments, measure or read, and print, write and draw."""
    parser = options()
    arguments = parser.parse_args()
    cells = [cell for cell in SETS[arguments.set] if arguments.cell in cell.name]
    if arguments.list:
        print(*(cell.name for cell in cells), sep="\n")
        return
    if arguments.resume and arguments.json is None:
        parser.error("--resume needs --json")
    if not cells:
        parser.error(f"no task's name contains {arguments.cell!r}")
    if arguments.source is not None:
        record = json.loads(arguments.source.read_text(encoding="utf-8"))
    else:
        environment.without_foreign_settings("benchmarks")
        record = running.run("benchmarks", cells, arguments, Pace(arguments.rounds))
    print(tables.both_kinds(record, tables.markdown if arguments.markdown else tables.text))
    print(f"\n{tables.NOTE}")
    if arguments.chart is not None:
        chart.draw(record, arguments.chart)
    if arguments.page is not None:
        arguments.page.write_text(page.page(record), encoding="utf-8")


if __name__ == "__main__":
    main()
