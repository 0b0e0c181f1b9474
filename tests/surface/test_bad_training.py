"""Wrong optimisers, schedules and limits: each is refused where it is made, and nothing changes."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from rules import RULES

import pymlp
from pymlp import LBFGS, SGD, Network
from pymlp.schedules import (
    Cosine,
    CosLog4,
    Exponential,
    FlatCos,
    Function,
    InverseScaling,
    OneCycle,
    ReduceOnPlateau,
    Step,
    WarmUp,
)

NAN, INF = float("nan"), float("inf")
X, Y = np.arange(24.0).reshape(6, 4) / 24.0, np.zeros((6, 3))

# What every number may not be, with the message; and every option with its bounds.
Bad = list[tuple[Any, type[Exception], str]]
OF_NUMBERS: Bad = [
    (NAN, ValueError, "must be finite, not nan"),
    (INF, ValueError, "must be finite, not inf"),
    ("0.1", TypeError, "must be a number, not str"),
    (None, TypeError, "must be a number, not NoneType"),
    (True, TypeError, "must be a number, not bool"),
]
OF_FLAGS: Bad = [
    (1, TypeError, "must be True or False, not int"),
    (None, TypeError, "must be True or False, not NoneType"),
]
OF_COUNTS: Bad = [
    (0, ValueError, "must be at least 1, not 0"),
    (2.0, TypeError, "must be an integer, not float"),
    (True, TypeError, "must be an integer, not bool"),
]
POSITIVE: Bad = [
    *OF_NUMBERS,
    (0, ValueError, "must be above 0, not 0"),
    (-1, ValueError, "must be above 0, not -1"),
]
NOT_NEGATIVE: Bad = [*OF_NUMBERS, (-1, ValueError, "must be at least 0, not -1")]
SHARE: Bad = [
    *NOT_NEGATIVE,
    (1, ValueError, "must be below 1, not 1"),
    (1.5, ValueError, "must be below 1, not 1.5"),
]
BAD_OPTIONS: dict[str, Bad] = {
    "learning_rate": POSITIVE,
    "momentum": SHARE,
    "dampening": [*NOT_NEGATIVE, (1.1, ValueError, "must be at most 1, not 1.1")],
    "beta": SHARE,
    "beta1": SHARE,
    "beta2": SHARE,
    "epsilon": POSITIVE,
    "learning_rate_decay": NOT_NEGATIVE,
    "initial_accumulator": NOT_NEGATIVE,
    "momentum_decay": NOT_NEGATIVE,
    "weight_decay": NOT_NEGATIVE,
    "nesterov": OF_FLAGS,
    "centered": OF_FLAGS,
    "amsgrad": OF_FLAGS,
    "decoupled_weight_decay": OF_FLAGS,
    "maximize": OF_FLAGS,
    "warm_up": [(-1, ValueError, "must be at least 0, not -1"), *OF_COUNTS[1:]],
    "history_size": OF_COUNTS,
    "tolerance_gradient": NOT_NEGATIVE,
    "tolerance_change": NOT_NEGATIVE,
    "max_line_search": OF_COUNTS,
    "max_evaluations": OF_COUNTS,
}
KINDS = [*{rule.kind: None for rule in RULES.values()}, LBFGS]


def options_of(kind: type[pymlp.Optimizer]) -> list[str]:
    return [*([] if kind is LBFGS else ["learning_rate"]), *kind()._options]


@pytest.mark.parametrize(
    ("kind", "option"), [(kind, option) for kind in KINDS for option in options_of(kind)]
)
def test_wrong_options_of_optimisers(kind: type[pymlp.Optimizer], option: str) -> None:
    for value, error, message in BAD_OPTIONS[option]:
        with pytest.raises(error, match=re.escape(f"{option} {message}")):
            kind(**{option: value})


@pytest.mark.parametrize("kind", KINDS)
def test_optimisers_take_no_other_options(kind: type[pymlp.Optimizer]) -> None:
    for option in (BAD_OPTIONS.keys() | {"lr"}) - {*options_of(kind)}:
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{option}'"):
            kind(**{option: 0.5})
    with pytest.raises(TypeError, match="positional argument"):
        kind(0.1, 0.9)  # type: ignore[call-arg]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not LBFGS])
def test_a_wrong_learning_rate_cannot_be_set(kind: type[pymlp.Optimizer]) -> None:
    optimizer = kind(0.25)
    for value, error, message in POSITIVE:
        with pytest.raises(error, match=re.escape(f"learning_rate {message}")):
            optimizer.learning_rate = value
    assert optimizer.learning_rate == 0.25


# ---- what goes together --------------------------------------------------------------------------
Call = Callable[[Network], Any]


def make(kind: Callable[..., Any], *values: Any, **options: Any) -> Call:
    return lambda net: kind(*values, **options)


def fit(**options: Any) -> Call:
    return lambda net: net.fit(X, Y, **options)


def lbfgs(**options: Any) -> Call:
    return fit(**{"optimizer": "lbfgs", "batch_size": None, **options})


def step(**options: Any) -> Call:
    return lambda net: net.train_batch(X, Y, **{"optimizer": SGD(), **options})


def network(**options: Any) -> Call:
    return lambda net: Network([4, 5, 5, 3], **options)


WRONG: list[tuple[Call, type[Exception], str]] = [
    (make(SGD, nesterov=True), ValueError, "nesterov needs momentum above 0, and dampening 0"),
    (make(SGD, momentum=0.9, dampening=0.1, nesterov=True), ValueError, "and dampening 0"),
    # Names of optimisers.
    (fit(optimizer="adm"), ValueError, "unknown optimizer 'adm'; did you mean 'adam'?"),
    (fit(optimizer="rms_pop"), ValueError, "did you mean 'rmsprop'?"),
    (fit(optimizer="adadeta"), ValueError, "did you mean 'adadelta'?"),
    (fit(optimizer="bfgs"), ValueError, "did you mean 'lbfgs'?"),
    (fit(optimizer="newton"), ValueError, "known are adadelta, adagrad, adam, adamax, adamw, "),
    (fit(optimizer=pymlp.Adam), TypeError, "optimizer must be a name or an Optimizer, not type"),
    (fit(optimizer=None), TypeError, "optimizer must be a name or an Optimizer, not NoneType"),
    (fit(optimizer=SGD(0.5), learning_rate=0.1), ValueError, "this object has its own, 0.5"),
    (fit(learning_rate=0), ValueError, "learning_rate must be above 0, not 0"),
    (fit(learning_rate=NAN), ValueError, "learning_rate must be finite, not nan"),
    (step(optimizer="sgd"), TypeError, "optimizer must be an Optimizer, which keeps its state"),
    # Schedules.
    (fit(schedule="cosine"), TypeError, "a Schedule or a dict of these, not str"),
    (fit(schedule=Cosine), TypeError, "a Schedule or a dict of these, not type"),
    (fit(schedule="cosine"), TypeError, "not str; make one, such as pymlp.schedules.Cosine()"),
    (fit(schedule={"learning_rate": Cosine}), TypeError, "not type; make one, such as pymlp.sche"),
    (fit(schedule=0.1), TypeError, "a Schedule or a dict of these, not float"),
    (fit(schedule=pymlp.Step(0.1)), TypeError, "a Schedule or a dict of these, not Step"),
    (fit(schedule=[Cosine()]), TypeError, "a Schedule or a dict of these, not list"),
    (fit(schedule={"lr": Cosine()}), ValueError, "unknown number in schedule 'lr'; use learning_r"),
    (fit(schedule={"weight_deccay": Cosine()}), ValueError, "did you mean 'weight_decay'?"),
    (fit(schedule={"qqq": Cosine()}), ValueError, "known are clip_norm, clip_value, dropout, "),
    (fit(schedule={3: Cosine()}), TypeError, "schedule must name numbers by str, not int"),
    (fit(schedule={"l2": 0.5}, l2=1), TypeError, "schedule['l2'] must be a Schedule, not float"),
    (
        fit(schedule={"l2": None}, l2=1),
        TypeError,
        "schedule['l2'] must be a Schedule, not NoneType",
    ),
    (fit(schedule={"beta1": Cosine()}), ValueError, "schedule['beta1']: betas cannot be scheduled"),
    (fit(schedule={"betas": Cosine()}), ValueError, "schedule['betas']: betas cannot be scheduled"),
    (
        fit(schedule={"l2": ReduceOnPlateau()}, l2=1),
        TypeError,
        "schedule['l2'] must be a schedule of time alone: ReduceOnPlateau goes with learning_rate",
    ),
    *(
        (fit(schedule={name: FlatCos()}), ValueError, f"['{name}'] would change nothing: {why}")
        for name, why in {
            "weight_decay": "weight_decay of Adam is 0",
            "momentum": "no momentum in Adam(learning_rate=0.001, ",
            "l1": "l1 is 0",
            "l2": "l2 is 0",
            "clip_norm": "clip_norm is None",
            "clip_value": "clip_value is None",
            "max_norm": "max_norm is None",
            "dropout": "the network has no dropout",
            "input_dropout": "the network has no input_dropout",
            "label_smoothing": "the loss MSE() smooths no labels",
        }.items()
    ),
    (
        fit(schedule={"momentum": FlatCos()}, optimizer=SGD()),
        ValueError,
        "schedule['momentum'] would change nothing: momentum of SGD is 0",
    ),
    (
        fit(schedule={"clip_norm": CosLog4()}, clip_norm=1.0),
        ValueError,
        "schedule['clip_norm'] must give numbers above 0, not 0",
    ),
    (fit(schedule=Function(lambda t: None)), TypeError, "f(0) must be a number, not NoneType"),
    (fit(schedule=Function(lambda t: -t - 1)), ValueError, "f(0) must be at least 0, not -1"),
    (make(Function, 0.5), TypeError, "f must be callable, not float"),
    (make(Function), TypeError, "missing 1 required positional argument: 'f'"),
    (make(CosLog4, 0), ValueError, "period must be at least 1, not 0"),
    (make(FlatCos, 2.5), TypeError, "period must be an integer, not float"),
    (make(FlatCos, per="batch"), ValueError, "per must be 'epoch' or 'step', not 'batch'"),
    (make(Step, 0), ValueError, "step_size must be at least 1, not 0"),
    (make(Step, 1.5), TypeError, "step_size must be an integer, not float"),
    (make(Step, 3, gamma=0), ValueError, "gamma must be above 0, not 0"),
    (make(Step, 3, 0.5), TypeError, "positional arguments but 3 were given"),
    (make(Step, 3, per="batch"), ValueError, "per must be 'epoch' or 'step', not 'batch'"),
    (make(Step, 3, per=None), ValueError, "per must be 'epoch' or 'step', not None"),
    (make(Exponential), TypeError, "missing 1 required positional argument: 'gamma'"),
    (make(Exponential, -0.5), ValueError, "gamma must be above 0, not -0.5"),
    (make(InverseScaling, -1), ValueError, "power must be at least 0, not -1"),
    (make(Cosine, 0), ValueError, "period must be at least 1, not 0"),
    (make(Cosine, minimum=-0.1), ValueError, "minimum must be at least 0, not -0.1"),
    (make(Cosine, restarts=True), ValueError, "restarts need a period, not None"),
    (make(Cosine, 3, restarts=1), TypeError, "restarts must be True or False, not int"),
    (make(Cosine, 3, multiplier=2), ValueError, "multiplier goes with restarts=True"),
    (make(Cosine, 3, restarts=True, multiplier=0), ValueError, "multiplier must be at least 1"),
    (make(OneCycle, warm_up=0), ValueError, "warm_up must be above 0, not 0"),
    (make(OneCycle, warm_up=1), ValueError, "warm_up must be below 1, not 1"),
    (make(OneCycle, initial_divisor=0), ValueError, "initial_divisor must be above 0, not 0"),
    (make(OneCycle, final_divisor=-1), ValueError, "final_divisor must be above 0, not -1"),
    (make(OneCycle, per="epoch"), TypeError, "unexpected keyword argument 'per'"),
    (make(WarmUp, 0), ValueError, "length must be at least 1, not 0"),
    (make(WarmUp, 3, start=0), ValueError, "start must be above 0, not 0"),
    (make(WarmUp, 3, start=1.5), ValueError, "start must be at most 1, not 1.5"),
    (make(WarmUp, 3, then="cosine"), TypeError, "then must be a Schedule, not str"),
    (make(WarmUp, 3, then=ReduceOnPlateau()), TypeError, "of time alone, not ReduceOnPlateau"),
    (make(WarmUp, 3, then=OneCycle()), ValueError, "then must count per epoch, as this schedule"),
    (make(WarmUp, 3, then=Cosine(), per="step"), ValueError, "as this schedule does, not epoch"),
    (make(ReduceOnPlateau, factor=0), ValueError, "factor must be above 0, not 0"),
    (make(ReduceOnPlateau, factor=1), ValueError, "factor must be below 1, not 1"),
    (make(ReduceOnPlateau, patience=0), ValueError, "patience must be at least 1, not 0"),
    (make(ReduceOnPlateau, threshold=1), ValueError, "threshold must be below 1, not 1"),
    (make(ReduceOnPlateau, cooldown=0.5), TypeError, "cooldown must be an integer, not float"),
    (make(ReduceOnPlateau, minimum=NAN), ValueError, "minimum must be finite, not nan"),
    # What does not go with L-BFGS.
    (fit(optimizer="lbfgs", batch_size=6), ValueError, "batch_size must be 'auto' or None, not 6"),
    (lbfgs(schedule=Cosine()), ValueError, "schedule does not go with lbfgs, which needs one smoo"),
    (lbfgs(schedule={"l2": Cosine()}, l2=0.1), ValueError, "schedule does not go with lbfgs"),
    (lbfgs(schedule={"epsilon": Cosine()}), ValueError, "schedule does not go with lbfgs"),
    (lbfgs(l1=0.1), ValueError, "l1 does not go with lbfgs, which needs one smooth function"),
    (lbfgs(clip_norm=1.0), ValueError, "clip_norm does not go with lbfgs"),
    (lbfgs(clip_value=1.0), ValueError, "clip_value does not go with lbfgs"),
    (lbfgs(max_norm=1.0), ValueError, "max_norm does not go with lbfgs"),
    (lbfgs(learning_rate=0.1), ValueError, "learning_rate does not go with lbfgs, whose line"),
    (lbfgs(optimizer=LBFGS(), learning_rate=0.1), ValueError, "learning_rate does not go with lb"),
    (step(optimizer=LBFGS()), ValueError, "LBFGS works on all samples at once, in fit"),
    (
        lambda net: lbfgs()(Network([4, 5, 3], dropout=0.5)),
        ValueError,
        "dropout does not go with lbfgs",
    ),
    # Dropout.
    (network(dropout=1), ValueError, "dropout must be below 1, not 1"),
    (network(dropout=-0.1), ValueError, "dropout must be at least 0, not -0.1"),
    (network(dropout="0.5"), TypeError, "dropout must be a number, not str"),
    (network(dropout=None), TypeError, "dropout must be a number, not NoneType"),
    (network(dropout=[0.5, 1.0]), ValueError, "dropout[1] must be below 1, not 1"),
    (network(dropout=[0.5]), ValueError, "dropout must name 2 rates, one for each hidden layer"),
    (network(dropout=[0.1] * 3), ValueError, "one for each hidden layer, not 3"),
    (make(Network, [4, 3], dropout=[0.5]), ValueError, "dropout must name 0 rates"),
    (make(Network, [4, 3], dropout=0.5), ValueError, "dropout leaves out hidden units, and there"),
]
OR_NONE = [bad for bad in POSITIVE if bad[0] is not None]
LIMITS = {
    "l1": NOT_NEGATIVE,
    "l2": NOT_NEGATIVE,
    "clip_norm": OR_NONE,
    "clip_value": OR_NONE,
    "max_norm": OR_NONE,
}
WRONG += [
    (use(**{name: value}), error, f"{name} {message}")
    for use in (fit, step)
    for name, several in LIMITS.items()
    for value, error, message in several
]


@pytest.mark.parametrize(
    ("call", "error", "message"), WRONG, ids=[re.sub(r"\W+", "-", message) for *_, message in WRONG]
)
def test_wrong_call_is_refused(call: Call, error: type[Exception], message: str) -> None:
    net = Network([4, 5, 3], seed=1)
    before, fits = net.parameters.copy(), net._fits
    with pytest.raises(error, match=re.escape(message)) as caught:
        call(net)
    assert type(caught.value) is error
    assert (net.parameters == before).all()
    assert net.history is None
    assert net._fits == fits
    net.fit(X, Y, epochs=1)
