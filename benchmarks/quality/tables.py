"""What was found, as rows of tables: a row a model, and a row a data set."""

from __future__ import annotations

from benchmarks.quality.datasets import CLASSIFICATION, DATASETS, Dataset
from benchmarks.quality.summary import MEASURES, Found, Interval

Rows = list[list[str]]

NOTE = (
    "Geometric means, over data sets, of a model's error over the reference's: the share of wrong "
    "classes, the root mean squared error; of log-losses, and of CPU time of training. Less is "
    "better. In brackets 95 % intervals over splits (bootstrap: each set's splits drawn anew, the "
    "same ones for all models). Seconds: CPU time, user and system, of one training on each set."
)


def means(found: Found, reference: str) -> Rows:
    """Return the title row and a row for each model, the least error first."""
    rows = []
    for model in found.models:
        intervals = [found.relative(model, measure, reference) for measure in MEASURES]
        cells = [_ratio(interval) for interval in intervals]
        everything = intervals[MEASURES.index("all")]
        sets = 0 if everything is None else everything.n_sets
        name = model if sets == len(found.sets) else f"{model} ({sets} of {len(found.sets)} sets)"
        order = float("inf") if everything is None else everything.value
        rows.append((order, [name, *cells, f"{found.seconds(model):,.1f}"]))
    rows.sort(key=lambda row: row[0])
    return [["model", *MEASURES, "seconds"], *(cells for _, cells in rows)]


def _ratio(interval: Interval | None) -> str:
    if interval is None:
        return ""
    if interval.low == interval.high:  # one split
        return f"{interval.value:.3f}"
    return f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def by_set(found: Found, measure: str) -> Rows:
    """Return the title row and a row for each data set that has the measure: means over splits."""
    sets = [d for d in found.sets if measure == "error" or d.task == CLASSIFICATION]
    rows = []
    for dataset in sets:
        values = [found.mean(dataset.name, model, measure) for model in found.models]
        percent = measure == "error" and dataset.task == CLASSIFICATION
        rows.append([dataset.name, *(_value(value, percent) for value in values)])
    return [["data set", *found.models], *rows]


def _value(value: float | None, percent: bool) -> str:
    if value is None:
        return ""
    if percent:
        return f"{value:.1%}"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def sets(half: str) -> Rows:
    """Return the title row and a row for each data set of a half: what it is, and whence."""
    chosen = [d for d in DATASETS if half in (d.half, "all")]
    titles = ["data set", "package", "task", "half", "rows", "columns"]
    return [titles, *(_about(d) for d in sorted(chosen, key=lambda d: (d.task, d.rows)))]


def _about(dataset: Dataset) -> list[str]:
    sizes = (f"{dataset.rows:,}", str(dataset.columns))
    return [dataset.name, dataset.package, dataset.task, dataset.half, *sizes]
