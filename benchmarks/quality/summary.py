"""From fits to what is said of models: geometric means of ratios, with intervals over splits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.datasets import CLASSIFICATION, DATASETS, REGRESSION, Dataset
from benchmarks.quality.models import MODELS

Record = Mapping[str, Any]
Series = dict[int, float]  # a value for each split

_DRAWS = 2_000
MEASURES = ("classification", "regression", "all", "log-loss", "CPU time")


class Interval(NamedTuple):
    """A geometric mean, and between what 95 % of those lie whose splits are drawn anew."""

    value: float
    low: float
    high: float
    n_sets: int


class Found:
    """The fits of some data sets, by set and model.

    Parameters
    ----------
    fits : records of fits
        Those that failed are left out. The same fit on several numbers of threads, or of several
        runs: the last one counts.
    sets : data sets
        Those that the fits are looked for.
    """

    def __init__(self, fits: Iterable[Record], sets: Sequence[Dataset]) -> None:
        names = {dataset.name for dataset in sets}
        self._fits: dict[tuple[str, str], dict[int, Record]] = {}
        for fit in fits:
            if fit["set"] in names and "failure" not in fit:
                self._fits.setdefault((fit["set"], fit["model"]), {})[fit["split"]] = fit
        known = {name for name, _ in self._fits}
        self.sets = [dataset for dataset in sets if dataset.name in known]
        present = {model for _, model in self._fits}
        self.models = [*(m for m in MODELS if m in present), *sorted(present - MODELS.keys())]

    def series(self, dataset: str, model: str, measure: str) -> Series:
        """Return a measure of every split of a set."""
        fits = self._fits.get((dataset, model), {})
        return {split: _value(fits[split], measure) for split in sorted(fits)}

    def mean(self, dataset: str, model: str, measure: str) -> float | None:
        """Return the mean over the splits of a set that all models have, None where it has none."""
        having = [self._fits[dataset, m].keys() for m in self.models if (dataset, m) in self._fits]
        common = set.intersection(*map(set, having))
        values = [v for k, v in self.series(dataset, model, measure).items() if k in common]
        return float(np.mean(values)) if values else None

    def n_splits(self) -> tuple[int, int]:
        """Return how many splits fits have, at least and at most."""
        counts = [len(fits) for fits in self._fits.values()] or [0]
        return min(counts), max(counts)

    def seconds(self, model: str) -> float:
        """Return the CPU seconds of one training on each set."""
        means = [self.mean(d.name, model, "CPU time") for d in self.sets]
        return sum(mean for mean in means if mean is not None)

    def relative(self, model: str, measure: str, reference: str) -> Interval | None:
        """Return the geometric mean of a measure's ratios to another model's, set by set.

        Both are compared on the splits that both have.
        """
        logarithms = [
            _log_ratios(
                self.series(dataset.name, model, _column(measure)),
                self.series(dataset.name, reference, _column(measure)),
                seed,
            )
            for seed, dataset in enumerate(self.sets)
            if measure in (dataset.task, "all", "CPU time")
            or (measure == "log-loss" and dataset.task == CLASSIFICATION)
        ]
        logarithms = [ratios for ratios in logarithms if ratios is not None]
        if not logarithms:
            return None
        means = np.exp(np.mean(logarithms, axis=0))
        low, high = np.percentile(means[1:], [2.5, 97.5])
        return Interval(float(means[0]), float(low), float(high), len(logarithms))


def _column(measure: str) -> str:
    return "error" if measure in (CLASSIFICATION, REGRESSION, "all") else measure


def _value(fit: Record, measure: str) -> float:
    """Return what a fit has of a measure; half a row is wrong where none is, as 0 has no ratio."""
    if measure == "error" and "log_loss" in fit:
        return (fit["error"] * fit["test_rows"] + 0.5) / (fit["test_rows"] + 1)
    key = {"error": "error", "log-loss": "log_loss", "CPU time": "cpu_seconds"}
    return float(fit[key[measure]])


def _log_ratios(own: Series, reference: Series, seed: int) -> NDArray[np.float64] | None:
    """Return the logarithm of the ratio of two means over splits, then those of splits drawn anew.

    Whatever model is compared, a set's splits are drawn alike.
    """
    common = sorted(own.keys() & reference.keys())
    if not common:
        return None
    a, b = (np.array([series[split] for split in common]) for series in (own, reference))
    draws = np.random.default_rng(seed).integers(0, len(common), (_DRAWS, len(common)))
    draws = np.vstack([np.arange(len(common)), draws])
    return np.asarray(np.log(a[draws].mean(axis=1) / b[draws].mean(axis=1)))


def of_half(fits: Iterable[Record], half: str) -> Found:
    """Return the fits of a half's data sets, in order of task and rows."""
    sets = [d for d in DATASETS if half in (d.half, "all")]
    return Found(fits, sorted(sets, key=lambda d: (d.task, d.rows)))
