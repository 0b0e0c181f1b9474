"""Optimisers, each with each of its options, on more numbers than a vector has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pymlp.certificate.inputs import numbers
from pymlp.optimizers import TABLE

LEARNING_RATE = 0.0625
STEPS = 5


class Sizes(NamedTuple):
    """How many numbers are moved, and how many of them differ."""

    numbers: int
    distinct: int


# The reference moves 7 numbers; they stand in every lane of vectors, and in what is left of these.
REPEATED = Sizes(77, 7)
DIFFERENT = Sizes(1591, 1591)

_MOMENTUM = {"momentum": 0.75}
# What has code of its own.
_FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: (name, {}) for name in TABLE if name != "lbfgs"},
    "sgd, momentum": ("sgd", _MOMENTUM),
    "sgd, nesterov": ("sgd", {**_MOMENTUM, "nesterov": True}),
    "rmsprop, momentum": ("rmsprop", _MOMENTUM),
    "rmsprop, centered": ("rmsprop", {"centered": True}),
    "rmsprop, centered, momentum": ("rmsprop", {**_MOMENTUM, "centered": True}),
    "adam, amsgrad": ("adam", {"amsgrad": True}),
    "adamw, amsgrad": ("adamw", {"amsgrad": True}),
    "nadam, decoupled": ("nadam", {"decoupled_weight_decay": True, "weight_decay": 0.25}),
}
_OTHER_NUMBERS = {
    "dampening": 0.25, "beta": 0.75, "beta1": 0.25, "beta2": 0.5, "epsilon": 0.125,
    "learning_rate_decay": 0.5, "initial_accumulator": 0.5, "momentum_decay": 25.0, "warm_up": 3,
    "weight_decay": 0.5, "maximize": True,
}  # fmt: skip


class Rule(NamedTuple):
    """An optimiser by name, with options."""

    kind: str
    options: dict[str, Any]


def _all_rules() -> Iterator[tuple[str, Rule]]:
    for name, (kind, options) in _FORMS.items():
        make: Any = TABLE[kind]
        known = make().options.keys() - options.keys()
        if "momentum" not in options or "nesterov" in options:
            known -= {"dampening"}  # of a velocity
        others = {key: x for key, x in _OTHER_NUMBERS.items() if key in known}
        yield name, Rule(kind, options)
        yield f"{name}, weight decay", Rule(kind, {**options, "weight_decay": 0.5})
        yield f"{name}, every option", Rule(kind, {**options, **others})


RULES = dict(_all_rules())


def parameters(sizes: Sizes, dtype: str) -> NDArray[Any]:
    """Return what is moved."""
    return _repeated(sizes, numbers((sizes.distinct,), dtype, low=-1.0, width=2.0))


def gradient(sizes: Sizes, dtype: str, step: int) -> NDArray[Any]:
    """Return what a step is given; every other one is small, so that averages fall as well."""
    high = 4.0 if step % 2 == 0 else 0.25
    values = numbers((sizes.distinct,), dtype, low=-high, width=2 * high, first=3000 * (step + 1))
    return _repeated(sizes, values)


def _repeated(sizes: Sizes, values: NDArray[Any]) -> NDArray[Any]:
    return np.resize(values, sizes.numbers)


def steps(rule: Rule, sizes: Sizes, dtype: str) -> NDArray[Any]:
    """Return the numbers after some steps."""
    optimizer = TABLE[rule.kind](learning_rate=LEARNING_RATE, **rule.options)
    core = optimizer._new_core(np.dtype(dtype), sizes.numbers)
    moved = parameters(sizes, dtype)
    for step in range(STEPS):
        core.update(moved, gradient(sizes, dtype, step))
    return moved


def all_steps(sizes: Sizes, dtype: str) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the numbers that every optimiser has moved."""
    for name, rule in RULES.items():
        yield f"rule {name}", steps(rule, sizes, dtype)
