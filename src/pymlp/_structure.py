"""Checks of what a network is built from: widths, activations of the hidden layers, the seed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from pymlp import _checks, activations
from pymlp.activations import Activation


def checked_widths(widths: Any) -> tuple[int, ...]:
    """Return the layer widths: at least two, each at least 1."""
    if isinstance(widths, (str, bytes)) or not isinstance(widths, Iterable):
        raise TypeError(f"widths must be a sequence of integers, not {_checks.type_name(widths)}")
    result = tuple(
        _checks.integer(f"widths[{i}]", width, minimum=1) for i, width in enumerate(widths)
    )
    if len(result) < 2:
        raise ValueError(f"widths must name at least an input and an output, not {list(result)}")
    return result


def hidden_activations(hidden: Any, n_hidden: int) -> list[Activation]:
    """Return one activation for each hidden layer."""
    if isinstance(hidden, (str, Activation)):
        return [activations.resolve("hidden", hidden)] * n_hidden
    if not isinstance(hidden, Iterable):
        raise TypeError(
            "hidden must be a name, an Activation or a list of these, not "
            f"{_checks.type_name(hidden)}"
        )
    result = [activations.resolve(f"hidden[{i}]", g) for i, g in enumerate(hidden)]
    if len(result) != n_hidden:
        raise ValueError(
            f"hidden must name {n_hidden} activations, one for each hidden layer, not {len(result)}"
        )
    return result


def dropout_rates(dropout: Any, n_hidden: int) -> list[float]:
    """Return one rate in [0, 1) for each hidden layer."""
    if not isinstance(dropout, Iterable) or isinstance(dropout, str):
        return [_checks.number("dropout", dropout, minimum=0.0, below=1.0)] * n_hidden
    result = [
        _checks.number(f"dropout[{i}]", rate, minimum=0.0, below=1.0)
        for i, rate in enumerate(dropout)
    ]
    if len(result) != n_hidden:
        raise ValueError(
            f"dropout must name {n_hidden} rates, one for each hidden layer, not {len(result)}"
        )
    return result


def checked_seed(seed: int | None) -> int:
    """Return a seed below 2**64; None draws one."""
    if seed is None:
        return int.from_bytes(os.urandom(8), "little")
    seed = _checks.integer("seed", seed, minimum=0)
    if seed >= 2**64:
        raise ValueError(f"seed must be below 2**64, not {seed}")
    return seed
