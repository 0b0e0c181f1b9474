"""A small learning curve as SVG, for notebooks: no library draws it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_WIDTH, _HEIGHT = 380, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 10, 28, 24
_COLOURS = ("#3b82d6", "#e07b28")  # seen on white and on black
_MOST_POINTS = 400
_LOGARITHMIC = 20.0  # the largest over the smallest from which on the scale is


class _Scale(NamedTuple):
    """Where numbers lie: from `low` at 0 to `high` at 1."""

    low: float
    high: float
    logarithmic: bool

    def place(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        v, low, high = values, self.low, self.high
        if self.logarithmic:
            v, low, high = np.log(v), math.log(low), math.log(high)
        return (v - low) / (high - low)

    def ticks(self) -> list[float]:
        """Return round numbers between the ends, 2 to 6 of them."""
        if not self.logarithmic:
            return _multiples(self.low, self.high)
        low, high = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        every = 1 + (high - low) // 6
        digits = (1, 2, 5) if high - low < 3 else (1, 3) if high - low < 5 else (1,)
        numbers = [d * 10.0**e for e in range(low, high + 1, every) for d in digits]
        return [n for n in numbers if self.low <= n <= self.high] or [self.low, self.high]


def _multiples(low: float, high: float) -> list[float]:
    """Return the multiples of 1, 2 or 5 times a power of 10 between two numbers."""
    most = (high - low) / 2.2
    power = 10.0 ** math.floor(math.log10(most))
    step = next(d * power for d in (5, 2, 1, 0) if d * power <= most) or most
    first, last = math.ceil(low / step), math.floor(high / step)
    return [k * step for k in range(first, last + 1)]


def curve(lines: Mapping[str, Sequence[float]], best: int | None) -> str:
    """Return lines over epochs as one SVG element; a dot marks the best epoch of the last."""
    drawn = {name: np.asarray(values, np.float64) for name, values in lines.items() if len(values)}
    known = np.concatenate([np.empty(0), *drawn.values()])
    known = known[np.isfinite(known)]
    if not known.size or not math.isfinite(float(known.max()) - float(known.min())):
        return ""
    scale, epochs = _scale(known), max(map(len, drawn.values()))
    parts = [_grid(scale, epochs)]
    at = _LEFT
    for i, (name, values) in enumerate(drawn.items()):
        colour = _COLOURS[i % len(_COLOURS)]
        parts += [_line(values, scale, epochs, colour), _label(name, at, colour)]
        at += 40 + 6 * len(name)
        if i == len(drawn) - 1 and best is not None and np.isfinite(values[best]):
            x, y = _places(np.array([best]), values[best : best + 1], scale, epochs)
            parts.append(f'<circle cx="{x[0]:.1f}" cy="{y[0]:.1f}" r="3.5" fill="{colour}"/>')
    said = escape(", ".join(drawn))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{said} by epoch" '
        'style="font:11px system-ui,sans-serif;color:inherit" fill="currentColor">'
        f"{''.join(parts)}</svg>"
    )


def _scale(known: NDArray[np.float64]) -> _Scale:
    low, high = float(known.min()), float(known.max())
    if low == high:
        room = abs(low) / 2 or 1.0
        return _Scale(low - room, high + room, False)
    return _Scale(low, high, low > 0 and high > _LOGARITHMIC * low)


def _places(
    epochs: NDArray[np.int64], values: NDArray[np.float64], scale: _Scale, n_epochs: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x = _LEFT + (_WIDTH - _LEFT - _RIGHT) * epochs / max(1, n_epochs - 1)
    y = _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * scale.place(values)
    return x, y


def _line(values: NDArray[np.float64], scale: _Scale, n_epochs: int, colour: str) -> str:
    """Return a line through some hundreds of points at most, with gaps at what is not finite."""
    shown = np.unique(np.linspace(0, len(values) - 1, _MOST_POINTS).round().astype(np.int64))
    path, pen = [], "M"
    for x, y in zip(*_places(shown, values[shown], scale, n_epochs), strict=True):
        if math.isfinite(y):
            path.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L" if math.isfinite(y) else "M"
    ends = ' stroke-linecap="round" stroke-linejoin="round"'
    return f'<path d="{"".join(path)}" fill="none" stroke="{colour}" stroke-width="1.8"{ends}/>'


def _grid(scale: _Scale, n_epochs: int) -> str:
    """Return horizontal rules with their numbers, and the first and the last epoch."""
    ticks = np.array(scale.ticks())
    _, y = _places(np.zeros(len(ticks), np.int64), ticks, scale, n_epochs)
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - 6
    parts = [
        f'<path d="M{_LEFT} {at:.1f}H{right}" stroke="currentColor" stroke-opacity=".18"/>'
        f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end" opacity=".75">{tick:.6g}</text>'
        for tick, at in zip(ticks, y, strict=True)
    ]
    parts.append(f'<text x="{_LEFT}" y="{bottom}" opacity=".75">epoch 1</text>')
    if n_epochs > 1:
        last = f'x="{right}" y="{bottom}" text-anchor="end" opacity=".75"'
        parts.append(f"<text {last}>{n_epochs:,}</text>")
    return "".join(parts)


def _label(name: str, x: int, colour: str) -> str:
    return (
        f'<rect x="{x}" y="7" width="14" height="4" rx="2" fill="{colour}"/>'
        f'<text x="{x + 19}" y="13">{escape(name)}</text>'
    )
