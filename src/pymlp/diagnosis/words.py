"""The words of findings: layers, units and columns by their numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp.diagnosis.report import Finding, LayerReport


def one_finding(
    kind: str,
    layers: Iterable[LayerReport],
    sentence: Callable[[list[LayerReport]], str],
    remedy: str,
) -> list[Finding]:
    """Return a finding about these layers, none where there are none."""
    bad = list(layers)
    if not bad:
        return []
    return [Finding(kind, numbers(bad), f"{name(bad)}: {sentence(bad)}", remedy)]


def numbers(layers: Iterable[LayerReport]) -> tuple[int, ...]:
    """Return the numbers of layers, the first being 1."""
    return tuple(layer.number for layer in layers)


def name(layers: Sequence[LayerReport]) -> str:
    """Return "Layer 3 (relu)", "Layers 1 and 3 (relu)" or "Layers 2 to 5 (relu and tanh)"."""
    activations = " and ".join(dict.fromkeys(layer.activation for layer in layers))
    plural = "s" if len(layers) > 1 else ""
    return f"Layer{plural} {_listed_numbers(numbers(layers))} ({activations})"


def _listed_numbers(numbers: Sequence[int]) -> str:
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]} to {numbers[-1]}"
    *before, last = map(str, numbers)
    return f"{', '.join(before)} and {last}" if before else last


def percent(shares: Iterable[float]) -> str:
    """Return "90 %" or "80 to 90 %"."""
    ordered = sorted(shares)
    low, high = f"{100 * ordered[0]:.0f}", f"{100 * ordered[-1]:.0f}"
    return f"{low} %" if low == high else f"{low} to {high} %"


def units(layers: Iterable[LayerReport], attribute: str) -> str:
    """Return "all units of layer 1 and units 0, 3 of layer 2"."""

    def of(layer: LayerReport) -> str:
        units = getattr(layer, attribute)
        if len(units) == layer.units:
            return f"all units of layer {layer.number}"
        return f"unit{'s' if len(units) > 1 else ''} {listed(units)} of layer {layer.number}"

    return " and ".join(map(of, layers))


def columns(chosen: NDArray[np.bool_], names: Sequence[str] | None = None) -> str:
    """Return "column 3" or "columns 0, 3", by their names where these are known."""
    found = np.flatnonzero(chosen).tolist()
    shown = found if names is None else [repr(names[i]) for i in found]
    return f"column{'s' if len(found) > 1 else ''} {listed(shown)}"


def listed(indices: Sequence[Any]) -> str:
    """Return the first few and how many there are."""
    shown = ", ".join(map(str, indices[:4]))
    return shown if len(indices) <= 4 else f"{shown}, ... ({len(indices)} in all)"
