"""Every optimiser of the library with options, and the reference's step that it must equal."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import reference_optimizers as judge

import pymlp


class Rule(NamedTuple):
    """An optimiser of the library, the reference's step, and options that both take."""

    kind: type[pymlp.Optimizer]
    step: Callable[..., judge.Vector]
    options: dict[str, Any]

    def make(self) -> pymlp.Optimizer:
        return self.kind(**self.options)

    @property
    def remembers(self) -> bool:
        """Whether a step depends on those before it."""
        return self.kind is not pymlp.SGD or "momentum" in self.options


RMSPROP = {"learning_rate": 0.01, "beta": 0.9, "epsilon": 1e-8}
CENTERED = {**RMSPROP, "epsilon": 1e-3, "centered": True}
ADAGRAD = {"learning_rate": 0.02, "epsilon": 1e-10}
ADADELTA = {"learning_rate": 0.8, "beta": 0.9, "epsilon": 1e-6}
ADAM = {"learning_rate": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
NADAM = {**ADAM, "momentum_decay": 0.004}
LION = {"learning_rate": 0.1, "beta1": 0.9, "beta2": 0.99}
DECAY = {"weight_decay": 0.1}
CLIMB = {"weight_decay": 0.3, "maximize": True}

RULES = {
    "sgd": Rule(pymlp.SGD, judge.sgd_step, {"learning_rate": 0.1}),
    "sgd climb": Rule(pymlp.SGD, judge.sgd_step, {"learning_rate": 0.1, **CLIMB}),
    "sgd momentum": Rule(pymlp.SGD, judge.sgd_step, {"learning_rate": 0.1, "momentum": 0.9}),
    "sgd dampening": Rule(
        pymlp.SGD, judge.sgd_step, {"learning_rate": 0.1, "momentum": 0.9, "dampening": 0.4}
    ),
    "nesterov": Rule(
        pymlp.SGD,
        judge.sgd_step,
        {"learning_rate": 0.1, "momentum": 0.8, "nesterov": True, **DECAY},
    ),
    "momentum": Rule(pymlp.Momentum, judge.momentum_step, {"learning_rate": 0.1, "beta": 0.9}),
    "momentum climb": Rule(
        pymlp.Momentum, judge.momentum_step, {"learning_rate": 0.1, "beta": 0.7, **CLIMB}
    ),
    "rmsprop": Rule(pymlp.RMSProp, judge.rmsprop_step, RMSPROP),
    "rmsprop climb": Rule(pymlp.RMSProp, judge.rmsprop_step, {**RMSPROP, **CLIMB}),
    "rmsprop momentum": Rule(pymlp.RMSProp, judge.rmsprop_step, {**RMSPROP, "momentum": 0.5}),
    "rmsprop centered": Rule(pymlp.RMSProp, judge.rmsprop_step, CENTERED),
    "rmsprop centered momentum": Rule(
        pymlp.RMSProp, judge.rmsprop_step, {**CENTERED, "momentum": 0.5, **DECAY}
    ),
    "adagrad": Rule(pymlp.Adagrad, judge.adagrad_step, ADAGRAD),
    "adagrad options": Rule(
        pymlp.Adagrad,
        judge.adagrad_step,
        {**ADAGRAD, "learning_rate_decay": 0.3, "initial_accumulator": 0.1, **CLIMB},
    ),
    "adadelta": Rule(pymlp.Adadelta, judge.adadelta_step, ADADELTA),
    "adadelta climb": Rule(pymlp.Adadelta, judge.adadelta_step, {**ADADELTA, **CLIMB}),
    "adam": Rule(pymlp.Adam, judge.adam_step, ADAM),
    "adam amsgrad": Rule(pymlp.Adam, judge.adam_step, {**ADAM, "amsgrad": True, **CLIMB}),
    "amsgrad": Rule(pymlp.AMSGrad, judge.amsgrad_step, {**ADAM, "beta2": 0.6}),
    "adamw": Rule(pymlp.AdamW, judge.adamw_step, {**ADAM, **DECAY}),
    "adamw amsgrad": Rule(pymlp.AdamW, judge.adamw_step, {**ADAM, "amsgrad": True, **CLIMB}),
    "adamax": Rule(pymlp.Adamax, judge.adamax_step, ADAM),
    "adamax climb": Rule(pymlp.Adamax, judge.adamax_step, {**ADAM, "beta2": 0.8, **CLIMB}),
    "nadam": Rule(pymlp.Nadam, judge.nadam_step, NADAM),
    "nadam climb": Rule(pymlp.Nadam, judge.nadam_step, {**NADAM, "momentum_decay": 0.3, **CLIMB}),
    "nadam decoupled": Rule(
        pymlp.Nadam, judge.nadam_step, {**NADAM, "decoupled_weight_decay": True, **DECAY}
    ),
    "lion": Rule(pymlp.Lion, judge.lion_step, LION),
    "lion climb": Rule(pymlp.Lion, judge.lion_step, {**LION, **CLIMB}),
}
by_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
