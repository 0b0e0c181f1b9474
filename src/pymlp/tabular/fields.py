"""How single columns become inputs: numbers, categories, dates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pymlp.files import stored as checks
from pymlp.tabular.columns import Column

FloatArray: TypeAlias = NDArray[np.float64]

# Standard deviations from the mean beyond which an input grows with its logarithm only: one rare
# outlier, or the first non-zero pixel of a nearly constant column, must not outweigh the rest.
_USUAL = 3.0
_ROWS = 4096  # whose numbers stay in the cache


@dataclass(frozen=True)
class Number:
    """Numbers, standardised and damped far from the mean.

    Attributes
    ----------
    mean, scale : float
        What becomes 0, and the standard deviation, which becomes 1.
    fill : float
        What stands for a missing number: the median.
    flag : bool
        Whether a second input says that it was missing.
    """

    mean: float
    scale: float
    fill: float
    flag: bool

    @classmethod
    def fit(cls, values: FloatArray, weights: FloatArray | None = None) -> Number:
        """Measure numbers of which NaN are missing; constant ones keep their scale."""
        present = ~np.isnan(values)
        flag = not present.all()
        if flag:
            values = values[present]
            weights = None if weights is None else weights[present]
        if not len(values):
            return cls(0.0, 1.0, 0.0, flag)
        largest = float(np.abs(values).max())
        unit = largest or 1.0  # the squares of very large numbers would overflow
        mean = float(np.average(values / unit, weights=weights))
        spread = float(np.average((values / unit - mean) ** 2, weights=weights)) ** 0.5
        noise = 8 * np.finfo(np.float64).eps  # rounding alone spreads equal numbers
        scale = spread * unit if spread > noise else 0.0
        return cls(mean * unit, scale or 1.0, _median(values, weights), flag)

    @property
    def width(self) -> int:
        """The number of inputs."""
        return 1 + self.flag

    @property
    def number_places(self) -> range:
        """Which of the inputs are amounts."""
        return range(1)

    def labels(self, name: str) -> list[str]:
        """Return the names of the inputs."""
        return [name, f"{name} missing"] if self.flag else [name]

    def to_dict(self) -> dict[str, Any]:
        """Return what `field_from_dict` reads."""
        return {"mean": self.mean, "scale": self.scale, "fill": self.fill, "flag": self.flag}


def _median(values: FloatArray, weights: FloatArray | None) -> float:
    """Return what half of the numbers, or of their weights, lies below."""
    if weights is None:
        return 2 * float(np.median(values / 2))  # the sum of two large numbers would overflow
    order = np.argsort(values, kind="stable")
    values, shares = values[order], np.cumsum(weights[order])
    middle = shares[-1] / 2
    low = int(np.searchsorted(shares, middle * (1 - 1e-12)))
    high = int(np.searchsorted(shares, middle * (1 + 1e-12), side="right"))
    return float(values[low] / 2 + values[min(high, len(values) - 1)] / 2)


@dataclass(frozen=True)
class Category:
    """One of some values, one-hot.

    Attributes
    ----------
    names : tuple of str
        Numbers in their order first, then texts.
    other : bool
        Whether an input stands for missing, rare and unknown values, as some rows of the training
        had one.
    shares : tuple of float
        How frequent each name is: what such a row has where no input stands for it, so that it is
        taken as the mean of the others; () for zeros.
    """

    names: tuple[str, ...]
    other: bool
    shares: tuple[float, ...] = ()

    @classmethod
    def fit(cls, column: Column, most: int, weights: FloatArray | None = None) -> Category:
        """Take the values that are in a column, the most frequent ones where there are more."""
        texts, codes = distinct(column)
        present = codes >= 0
        some = None if weights is None else weights[present]
        counts = np.bincount(codes[present], some, minlength=len(texts))
        order = np.argsort(-counts, kind="stable")
        kept = {texts[i]: float(counts[i]) for i in order[:most] if counts[i]}
        rare = bool(counts[order[most:]].any())
        names = tuple(sorted(kept, key=_order))
        shares = tuple(kept[name] / sum(kept.values()) for name in names)
        return cls(names, rare or not present.all(), shares)

    @property
    def width(self) -> int:
        """The number of inputs."""
        return len(self.names) + self.other

    @property
    def number_places(self) -> range:
        """Which of the inputs are amounts: none."""
        return range(0)

    def labels(self, name: str) -> list[str]:
        """Return the names of the inputs."""
        return [f"{name}={value}" for value in (*self.names, *["other"] * self.other)]

    def codes(self, column: Column) -> NDArray[np.intp]:
        """Return the place of each row's value among the names, -1 where it has none."""
        key = _truth if all(isinstance(_truth(name), bool) for name in self.names) else _key
        places = {key(name): place for place, name in enumerate(self.names)}
        texts, codes = distinct(column)
        table = np.array([places.get(key(text), -1) for text in texts] + [-1], np.intp)
        return np.take(table, codes)

    def write(self, X: NDArray[Any], place: int, column: Column) -> None:
        """Write a one behind this place for each row's value; X is in one piece and holds zeros."""
        codes = self.codes(column)
        unknown = codes < 0
        if self.other:
            codes[unknown] = len(self.names)
        elif unknown.any():
            if self.shares:
                X[unknown, place : place + self.width] = self.shares
            rows = np.flatnonzero(~unknown)
            X[rows, place + codes[rows]] = 1.0
            return
        codes += np.arange(place, X.size + place, X.shape[1])
        X.reshape(-1)[codes] = 1.0

    def to_dict(self) -> dict[str, Any]:
        """Return what `field_from_dict` reads."""
        return {"names": list(self.names), "other": self.other, "shares": list(self.shares)}


def distinct(column: Column) -> tuple[Sequence[str], NDArray[Any]]:
    """Return the different values of any column as texts, and the code of each row's, or -1."""
    if column.categories is not None:
        return column.categories, column.values
    missing = column.missing
    values, codes = np.unique(column.values[~missing], return_inverse=True)
    texts = [text or "" for text in Column(column.name, values).texts()]
    result = np.full(len(column.values), -1, np.int32)
    result[~missing] = codes
    return texts, result


# Not 007, 1E2, nan, nor digits beyond those of float64: two codes must not become one.
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,16})?(?:e[-+][0-9]{2,3})?", re.ASCII)


def _key(text: str) -> float | str:
    # "3" and "3.0" are one category, whichever way a file writes it.
    return float(text) if _NUMBER.fullmatch(text) else text


def _truth(text: str) -> bool | float | str:
    # "true" of one file is "TRUE" of another, and the True of a frame; True equals 1.0.
    return {"false": False, "true": True}.get(text.lower(), _key(text))


def _order(text: str) -> tuple[bool, float | str]:
    key = _key(text)
    return isinstance(key, str), key


@dataclass(frozen=True)
class Date:
    """A date as numbers: year, month, day of the week, days since the first one, hour.

    Attributes
    ----------
    first : str
        The date that days are counted from.
    parts : dict of str to Number
        Those that differ among the rows of the training.
    """

    first: str
    parts: dict[str, Number]

    @classmethod
    def fit(cls, values: NDArray[Any], weights: FloatArray | None = None) -> Date:
        """Measure dates of which NaT are missing."""
        present = values[~np.isnat(values)]
        first = str(present.min()) if len(present) else "1970-01-01T00:00:00"
        numbers = _parts(values, first)
        varying = {n: v for n, v in numbers.items() if len(present) and np.nanmin(v) < np.nanmax(v)}
        parts = {name: Number.fit(v, weights) for name, v in (varying or numbers).items()}
        # One flag tells that the date is missing, not one for each part.
        last = len(parts) - 1
        return cls(
            first,
            {
                name: Number(part.mean, part.scale, part.fill, part.flag and i == last)
                for i, (name, part) in enumerate(parts.items())
            },
        )

    @property
    def width(self) -> int:
        """The number of inputs."""
        return sum(part.width for part in self.parts.values())

    @property
    def number_places(self) -> range:
        """Which of the inputs are amounts: all but the flag, which is the last."""
        return range(len(self.parts))

    def labels(self, name: str) -> list[str]:
        """Return the names of the inputs."""
        labels = [f"{name} {part}" for part in self.parts]
        flagged = any(part.flag for part in self.parts.values())
        return [*labels, f"{name} missing"] if flagged else labels

    def numbers(self, values: NDArray[Any]) -> list[FloatArray]:
        """Return the parts of dates, NaN where a date is missing."""
        found = _parts(values, self.first)
        return [found[name] for name in self.parts]

    def to_dict(self) -> dict[str, Any]:
        """Return what `field_from_dict` reads."""
        parts = {name: part.to_dict() for name, part in self.parts.items()}
        return {"first": self.first, "parts": parts}


def _parts(values: NDArray[Any], first: str) -> dict[str, FloatArray]:
    missing = np.isnat(values)
    days = values.astype("datetime64[D]")
    seconds = (values - days).astype(np.float64)
    found = {
        "year": values.astype("datetime64[Y]").astype(np.int64) + 1970,
        "month": values.astype("datetime64[M]").astype(np.int64) % 12 + 1,
        "weekday": (days.astype(np.int64) + 3) % 7,  # Monday is 0
        "days": (values - np.datetime64(first, "s")) / np.timedelta64(86400, "s"),
        "hour": seconds / 3600,
    }
    return {name: np.where(missing, np.nan, part) for name, part in found.items()}


Encoding: TypeAlias = Number | Category | Date


def field_from_dict(stored: dict[str, Any]) -> Encoding:
    """Return what `to_dict` wrote."""
    if "names" in stored:
        names = tuple(map(str, stored["names"]))
        shares = checks.numbers("shares", stored["shares"])
        if len(shares) not in (0, len(names)):
            raise ValueError(f"shares must be {len(names)}, as there are names, not {len(shares)}")
        return Category(names, bool(stored["other"]), tuple(shares))
    if "parts" in stored:
        parts = {name: _number(part) for name, part in stored["parts"].items()}
        date = Date(str(stored["first"]), parts)
        date.numbers(np.array(["NaT"], "datetime64[s]"))  # with a date and parts that there are
        return date
    return _number(stored)


def _number(stored: dict[str, Any]) -> Number:
    mean, fill = checks.number("mean", stored["mean"]), checks.number("fill", stored["fill"])
    scale = checks.number("scale", stored["scale"], above=0.0)
    return Number(mean, scale, fill, bool(stored["flag"]))


# ---- many columns of numbers at once -------------------------------------------------------------


def write_numbers(
    X: NDArray[Any], columns: Sequence[FloatArray], numbers: Sequence[Number], places: Sequence[int]
) -> None:
    """Write columns of numbers into X, each at its place, and the flag of missing ones behind it.

    Some thousand rows of all columns are taken at a time, which stay in the cache.
    """
    if not columns:
        return
    mean, scale, fill = (
        np.array([getattr(n, name) for n in numbers])[:, np.newaxis]
        for name in ("mean", "scale", "fill")
    )
    block = np.empty((len(columns), min(_ROWS, len(X))))
    for start in range(0, len(X), _ROWS):
        rows = slice(start, min(start + _ROWS, len(X)))
        some = block[:, : rows.stop - start]
        for i, column in enumerate(columns):
            some[i] = column[rows]
        missing = np.isnan(some)
        if missing.any():
            np.copyto(some, fill, where=missing)
        with np.errstate(over="ignore"):
            some -= mean
            some /= scale
        damp(some)
        for i, place in enumerate(places):
            X[rows, place] = some[i]
            if numbers[i].flag:
                X[rows, place + 1] = missing[i]


def damp(scores: FloatArray) -> None:
    """Let scores beyond the usual grow with their logarithm only, in place."""
    far = np.abs(scores) > _USUAL
    if far.any():
        beyond = scores[far]
        excess = np.minimum(np.abs(beyond) - _USUAL, np.finfo(np.float64).max)
        scores[far] = np.copysign(_USUAL + np.log1p(excess), beyond)
