"""What ``pymlp train`` and ``pymlp show`` print, from facts that JSON holds too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import pymlp
from pymlp.cli.scores import worst_first
from pymlp.tabular import Column, Decision

# A table of more characters across is no longer read; its worst rows are.
_PAGE_WIDTH = 120
_WORST = 10
_MOST_CLASSES = 20
_MOST_COLUMNS = 20
_LONGEST = 40  # characters of a text that is quoted

Facts = Mapping[str, Any]


def say(report: Mapping[str, str]) -> None:
    """Print a report, label by label."""
    for label, text in report.items():
        print(f"{label:<11}" + text.replace("\n", "\n" + 11 * " "), flush=True)


def cut(text: str, most: int = _LONGEST) -> str:
    """Return a text on one line, the end of a long one left out."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 3] + "..."


def lines(facts: Facts) -> dict[str, str]:
    """Return those lines of the report that the facts are there for, in their order."""
    found = {label: describe(facts) for label, describe in _LINES.items()}
    return {label: text for label, text in found.items() if text}


def preparations(facts: Facts) -> dict[str, str]:
    """Return the lines that can be told before the first epoch, but those of the data."""
    return lines({name: facts[name] for name in ("columns", "rows", "network")})


def results(facts: Facts) -> dict[str, str]:
    """Return the lines that can be told after the last epoch."""
    known = lines(facts)
    return {label: known[label] for label in _RESULTS if label in known}


# ---- the data ------------------------------------------------------------------------------------


def _data(facts: Facts) -> str:
    if "data" not in facts:
        return ""
    data = facts["data"]
    header = "a header" if data["header"] else "no header"
    kind = f"{data['classes']:,} classes" if data["classes"] else "amounts"
    kind = "1 class" if data["classes"] == 1 else kind
    size = f"{_several(data['rows'], 'row')}, {_several(data['columns'], 'column')}"
    return f"{data['source']}: {header}, {size}, target {cut(data['target'])!r} ({kind})"


def _several(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _notes(facts: Facts) -> str:
    return "\n".join(facts.get("data", {}).get("notes", ()))


def _left_out(facts: Facts) -> str:
    out = [column for column in facts.get("columns", ()) if column["kind"] == "left out"]
    texts = []
    for column in out[:_MOST_COLUMNS]:
        force = ""
        if column["option"] == "keep":
            force = f" (--keep {_quoted(column['name'])} takes it)"
        texts.append(f"{cut(column['name'])!r}: {cut(column['why'], 100)}{force}")
    return _with_more(texts, len(out))


def _missing(facts: Facts) -> str:
    found = [c for c in facts.get("columns", ()) if c["missing"] and c["kind"] != "left out"]
    texts = [
        f"{cut(c['name'])!r}: {c['missing']:,} of {c['rows']:,}, {_MEANING[c['kind']]}"
        for c in found[:_MOST_COLUMNS]
    ]
    return _with_more(texts, len(found))


_MEANING = {
    "number": "taken as the median, an input says so",
    "date": "taken as the median date, an input says so",
    "category": "a category of their own",
}


def _columns(facts: Facts) -> str:
    kinds = [column["kind"] for column in facts.get("columns", ())]
    names = {"number": "number", "category": "category", "date": "date"}
    plural = {"number": "numbers", "category": "categories", "date": "dates"}
    counts = [
        f"{kinds.count(kind):,} {plural[kind] if kinds.count(kind) != 1 else names[kind]}"
        for kind in names
        if kind in kinds
    ]
    if not counts:
        return ""
    damped = "number" in kinds or "date" in kinds
    recipe = "; beyond 3 standard deviations numbers grow like their logarithm" if damped else ""
    return f"{', '.join(counts)}{recipe}"


def _texts_among_numbers(facts: Facts) -> str:
    slips = [
        c for c in facts.get("columns", ()) if c["kind"] == "number" and "as missing" in c["why"]
    ]
    texts = [f"{cut(c['name'])!r}: {cut(c['why'], 80)}" for c in slips[:_MOST_COLUMNS]]
    return _with_more(texts, len(slips))


def _with_more(texts: Sequence[str], n: int) -> str:
    more = [f"... and {n - len(texts):,} more"] if n > len(texts) else []
    return "\n".join([*texts, *more])


def _quoted(name: str) -> str:
    plain = name and name.isprintable() and not set(name) & set(" \"'$&()*;<>?`|\\")
    return name if plain else repr(name)


def _rows(facts: Facts) -> str:
    if "rows" not in facts:
        return ""
    rows = facts["rows"]
    test = f"{rows['test']:,} for the test"
    how = f" ({rows['division']})" if rows["test"] and rows.get("division") else ""
    validation = f"{rows['validation']:,} for validation"
    if "folds" in rows:
        validation = f"in {rows['folds']} folds for validation"
    return f"{rows['training']:,} to learn from, {validation}, {test}{how}"


# ---- network and training ------------------------------------------------------------------------


def describe_networks(networks: Sequence[pymlp.Network]) -> str:
    """Return a line on networks of one shape."""
    network, n = networks[0], len(networks)
    several = "" if n == 1 else f"{n} of "
    widths = "-".join(map(str, network.widths))
    activations = ", ".join(repr(layer.activation) for layer in network.layers)
    size = f"{n * network.n_parameters:,} parameters"
    return f"{several}{widths}, {activations}, {size}, {network.dtype}"


_REASONS = {
    "early_stopping": "the validation loss stopped falling",
    "epochs": "the last epoch",
    "interrupt": "Ctrl-C; the best parameters so far are kept",
    "max_seconds": "the time was over",
}


def _training(facts: Facts) -> str:
    if "training" not in facts:
        return ""
    training = facts["training"]
    reason = _REASONS.get(training["stopped_by"], training["stopped_by"])
    n = training["epochs"]
    several = f" of {training['networks']} networks" if training.get("networks", 1) > 1 else ""
    text = f"{n:,} {'epoch' if n == 1 else 'epochs'}{several}, until {reason}"
    if training["still_improving"]:
        text += "\nthe loss was still falling: --epochs says how many there may be"
    return text


# ---- the test ------------------------------------------------------------------------------------


def _test(facts: Facts) -> str:
    if "training" in facts and not facts["rows"]["test"]:
        return str(facts["rows"]["why_no_test"])
    test = facts.get("test")
    if test is None:
        return ""
    if "accuracy" in test:
        low, high = test["interval"]
        loss = "" if test["log_loss"] is None else f", log-loss {test['log_loss']:.4g}"
        return (
            f"accuracy {100 * test['accuracy']:.2f} % ({test['right']:,} of {test['rows']:,})\n"
            f"95 % interval {100 * low:.1f} to {100 * high:.1f} %{loss}"
        )
    interval = test["interval"]
    text = (
        "RMSE {rmse:.6g}, MAE {mae:.6g}, R2 {r2:.4f}".format(**test) + f" ({test['rows']:,} rows)"
    )
    if interval is None:
        return text
    return f"{text}\n95 % interval of the RMSE {interval[0]:.6g} to {interval[1]:.6g}"


def _baseline(facts: Facts) -> str:
    test = facts.get("test")
    if test is None:
        return ""
    baseline = test["baseline"]
    if "accuracy" in baseline:
        return (
            f"accuracy {100 * baseline['accuracy']:.2f} %, always {cut(baseline['prediction'])!r}"
        )
    return f"RMSE {baseline['rmse']:.6g}, always the mean, {baseline['prediction']:.6g}"


def _classes(facts: Facts) -> str:
    test = facts.get("test") or {}
    classes = test.get("classes", [])
    if len(classes) < 2:
        return ""
    shown, head = list(classes), []
    if len(classes) > _MOST_CLASSES:
        shown, head = worst_first(classes)[:_WORST], ["those found least often"]
    table = [["", "rows", "precision", "recall", "F1"]]
    for figures in shown:
        shares = [figures[name] for name in ("precision", "recall", "f1")]
        cells = ["-" if share is None else f"{share:.3f}" for share in shares]
        table.append([cut(figures["name"]), f"{figures['rows']:,}", *cells])
    return "\n".join([*head, *_table(table)])


def _confusion(facts: Facts) -> str:
    test = facts.get("test") or {}
    if len(test.get("confusion", ())) < 2:
        return ""
    counts = np.array(test["confusion"], np.int64)
    names = [cut(figures["name"]) for figures in test["classes"]]
    cells = [["", *names], *([n, *map(str, row)] for n, row in zip(names, counts, strict=True))]
    width = 2 + max(len(cell) for row in cells for cell in row)
    if width * len(cells) <= _PAGE_WIDTH:
        rows = ["".join(cell.rjust(width) for cell in row) for row in cells]
        return "\n".join(["(rows: actual, columns: predicted)", *rows])
    wrong = counts - np.diag(counts.diagonal())
    worst = np.argsort(-wrong, axis=None, kind="stable")[:_WORST]
    pairs = [divmod(int(cell), len(names)) for cell in worst if wrong.flat[cell]]
    return "\n".join(
        [
            "the worst",
            *(
                f"{wrong[i, j]:>6,} {'time' if wrong[i, j] == 1 else 'times'} {names[i]} taken for "
                f"{names[j]}"
                for i, j in pairs
            ),
        ]
    )


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]


_LINES = {
    "data": _data,
    "note": _notes,
    "left out": _left_out,
    "missing": _missing,
    "texts": _texts_among_numbers,
    "inputs": _columns,
    "rows": _rows,
    "network": lambda facts: str(facts.get("network", "")),
    "training": _training,
    "test": _test,
    "baseline": _baseline,
    "classes": _classes,
    "confusion": _confusion,
}


_RESULTS = ("training", "test", "baseline", "classes", "confusion")


# ---- facts ---------------------------------------------------------------------------------------


def facts_of_column(decision: Decision, column: Column) -> dict[str, Any]:
    """Return what is told of a column."""
    return {**decision._asdict(), "missing": column.n_missing, "rows": len(column.values)}


def describe_speed(histories: Sequence[pymlp.History], n_samples: int, seconds: float) -> str:
    """Return a line on the speed; without histories, where others did a part, on the time alone."""
    if not histories:
        return f"{seconds:.3g} s of training since the checkpoint"
    samples = sum(len(history.loss) for history in histories) * n_samples
    return f"{samples / max(seconds, 1e-9):,.0f} samples/s, {seconds:.3g} s of training"
