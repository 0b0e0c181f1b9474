"""The core checks again what is called without Python's checks in front of it."""

import contextlib
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pymlp import _core, _core_test

F32 = np.float32
X = np.zeros((6, 4), F32)
LABELS = np.zeros(6, np.int32)
UNALIGNED = np.zeros(97, np.uint8)[1:].view(F32).reshape(6, 4)
READ_ONLY = np.zeros((6, 3), F32)
READ_ONLY.flags.writeable = False
N_PARAMETERS = 43
INCOMPATIBLE = "incompatible function arguments"

Core = Any
Call = Callable[[Core], Any]


NO_LIMITS = _core.Regularization(0.0, 0.0, 0.0, 0.0, 0.0)


def named(name: str, *parameters: float) -> Any:
    return name, list(parameters), None, None


def network(
    widths: list[int], *activations: Any, bias: bool = True, dropout: tuple[float, ...] = ()
) -> Core:
    architecture = _core.Architecture(widths=widths, bias=bias, dropout=list(dropout))
    return _core.NetworkFloat32(architecture, list(activations))


def make() -> Core:
    core = network([4, 5, 3], named("relu"), named("softmax"), dropout=(0.0,))
    core.initialize("auto", 0.0, 1)
    return core


def custom(forward: Any, derivative: Any) -> Core:
    return network([4, 2], ("custom", [], forward, derivative))


def core_loss(name: str = "mse", function: Any = None, smoothing: float = 0.0) -> Any:
    return _core.Loss(name, [], smoothing, function)


def loss(
    x: Any = X, labels: Any = LABELS, values: Any = None, w: Any = None, name: str = "mse"
) -> Call:
    return lambda core: core.loss(x, labels, values, w, core_loss(name), None, 1)


def gradient(out: Any) -> Call:
    return lambda core: core.gradient(X, LABELS, None, None, core_loss(), None, out, False, 1)


def pull_back(dy: Any, out: Any, dx: Any) -> Call:
    return lambda core: core.pull_back(X, dy, out, dx, 1)


def sgd(n: int = N_PARAMETERS, **options: Any) -> Any:
    return _core.OptimizerFloat32("sgd", n, **options)


def train(optimizer_size: int = N_PARAMETERS, training: Any = None, **options: Any) -> Call:
    given = {
        "epochs": 1, "batch_size": 2, "shuffle": True, "seed": 0, "threads": 1,
        "regularization": NO_LIMITS, "scheduled": [], "average": 0.0, "frozen": [],
    }  # fmt: skip
    samples = (X, LABELS, None, None) if training is None else training

    def call(core: Core) -> None:
        _core.TrainerFloat32(
            core,
            sgd(optimizer_size),
            core_loss(),
            samples,
            None,
            _core.FitOptions(**given | options),
        )

    return call


def trainer(core: Core, samples: Any = (X, LABELS, None, None), **rows: Any) -> Any:
    options = _core.FitOptions(2, 2, True, 0, 1, NO_LIMITS, [], 0.0, [])
    return _core.TrainerFloat32(core, sgd(), core_loss(), samples, samples, options, **rows)


def rows(*numbers: Any, dtype: Any = np.int64, which: str = "rows") -> Call:
    return lambda core: trainer(core, **{which: np.array(numbers, dtype)})


def together(*cores: Core, epochs: int = 1, threads: int = 1) -> None:
    with contextlib.ExitStack() as trainings:
        for core in set(cores):
            trainings.enter_context(_core.Training(core))
        _core.train_together([trainer(core) for core in cores], epochs, 1.0, threads)


def predict_together(x: Any, out: Any, *more: Core, threads: int = 1) -> Call:
    return lambda core: _core.predict_together([core, *more], x, out, threads)


COSINE = _core.Schedule("cosine")


def schedule(kind: str, **options: Any) -> Call:
    return lambda _: _core.Schedule(kind, **options)


def scheduled(name: str, per: str) -> Call:
    return lambda _: _core.ScheduledNumber(name, 0.1, per, COSINE, [])


def kernel(name: str, *arguments: Any) -> Call:
    return lambda core: getattr(_core_test, name)(*arguments)


def zeros(*shape: int) -> Any:
    return np.zeros(shape, F32)


THREADS = (0, -1, 1025, 5000)


def too_many_threads(n: int) -> list[Call]:
    """Return a call of everything that takes a number of threads."""
    return [
        lambda core: core.predict(X, n),
        lambda core: core.predict(X[:0], n),
        lambda core: core.predict_into(X, zeros(6, 3), n),
        lambda core: core.forward(X, n),
        lambda core: core.loss(X, LABELS, None, None, core_loss(), None, n),
        lambda core: core.gradient(
            X, LABELS, None, None, core_loss(), None, zeros(N_PARAMETERS), False, n
        ),
        lambda core: core.pull_back(X, zeros(6, 3), zeros(N_PARAMETERS), zeros(6, 4), n),
        lambda core: core.step(X, LABELS, None, None, core_loss(), sgd(), NO_LIMITS, 0, n),
        lambda core: _core.plan(core, 6, True, n),
        lambda core: together(core, threads=n),
        predict_together(X, zeros(1, 6, 3), threads=n),
        lambda core: _core.set_num_threads(n),
        train(threads=n),
    ]


WRONG_CALLS: list[tuple[Call, type[Exception], str]] = [
    (lambda core: core.predict(zeros(6, 3), 1), ValueError, "X must have 4 columns, not 3"),
    (lambda core: core.predict(X[0], 1), ValueError, "X must have 2 dimensions, not 1"),
    (lambda core: core.predict(UNALIGNED, 1), ValueError, "X must be aligned in memory"),
    (lambda core: core.predict(np.asfortranarray(X), 1), TypeError, INCOMPATIBLE),
    (lambda core: core.predict(zeros(6, 8)[:, ::2], 1), TypeError, INCOMPATIBLE),
    (lambda core: core.predict(X.astype(float), 1), TypeError, INCOMPATIBLE),
    (lambda core: core.predict(X.astype(">f4"), 1), TypeError, INCOMPATIBLE),
    (lambda core: core.predict(X.tolist(), 1), TypeError, INCOMPATIBLE),
    (lambda core: core.predict_into(X, READ_ONLY, 1), ValueError, "out must be writable"),
    (lambda core: core.predict_into(X, zeros(5, 3), 1), ValueError, "out must have 6 rows, not 5"),
    (loss(x=X[:0], labels=LABELS[:0]), ValueError, "X must have at least 1 row"),
    (loss(labels=None), ValueError, "give either labels or values"),
    (loss(values=zeros(6, 3)), ValueError, "give either labels or values"),
    (loss(labels=LABELS.astype(np.int64)), TypeError, INCOMPATIBLE),
    (loss(labels=LABELS + F32(0)), TypeError, INCOMPATIBLE),
    (loss(labels=LABELS[:5]), ValueError, "labels must have 6 elements, not 5"),
    (loss(labels=LABELS + np.int32(3)), ValueError, "labels must be from 0 to 2, not 3"),
    (loss(labels=LABELS - np.int32(1)), ValueError, "labels must be from 0 to 2, not -1"),
    (loss(labels=None, values=zeros(5, 3)), ValueError, "values must have 6 rows, not 5"),
    (loss(labels=None, values=zeros(6, 2)), ValueError, "values must have 3 columns, not 2"),
    (loss(w=zeros(5)), ValueError, "sample_weight must have 6 elements, not 5"),
    (loss(w=zeros(6, 1)), ValueError, "sample_weight must have 1 dimension, not 2"),
    (loss(name="nll"), ValueError, "loss 'nll' is not known"),
    (loss(name="custom"), ValueError, "a function goes with loss 'custom', and only with that"),
    (lambda core: core_loss("mse", len), ValueError, "a function goes with loss 'custom'"),
    (lambda core: core_loss("mse", smoothing=1.0), ValueError, "must be in [0, 1), not 1"),
    (lambda core: core_loss("huber"), ValueError, "loss 'huber' has 1 parameters, not 0"),
    (lambda core: core_loss("quantile"), ValueError, "loss 'quantile' has 1 parameters, not 0"),
    (
        lambda core: _core.Loss("huber", [1.0, 2.0], 0.0, None),
        ValueError,
        "loss 'huber' has 1 parameters, not 2",
    ),
    (gradient(zeros(3)), ValueError, "out must have 43 elements, not 3"),
    (gradient(np.zeros(N_PARAMETERS)), TypeError, INCOMPATIBLE),
    (pull_back(zeros(6, 2), zeros(43), zeros(6, 4)), ValueError, "dY must have 3 columns, not 2"),
    (pull_back(zeros(5, 3), zeros(43), zeros(6, 4)), ValueError, "dY must have 6 rows, not 5"),
    (pull_back(zeros(6, 3), zeros(43), zeros(6, 3)), ValueError, "dX must have 4 columns, not 3"),
    (lambda core: core.initialize("xavier", 0.0, 1), ValueError, "init must be one of auto"),
    (
        lambda core: core.step(X, LABELS, None, None, core_loss(), sgd(3), NO_LIMITS, 0, 1),
        ValueError,
        "optimizer must hold 43 parameters, not 3",
    ),
    (
        lambda core: core.step(
            X, LABELS, None, None, core_loss(), _core.OptimizerFloat64("sgd", 43), NO_LIMITS, 0, 1
        ),
        TypeError,
        INCOMPATIBLE,
    ),
    (train(optimizer_size=3), ValueError, "optimizer must hold 43 parameters, not 3"),
    (schedule("sine"), ValueError, "schedule 'sine' is not known"),
    (schedule("step", step_size=0), ValueError, "step_size must be at least 1, not 0"),
    (schedule("step", gamma=0.0), ValueError, "gamma must be above 0, not 0"),
    (schedule("inverse_scaling", power=-1.0), ValueError, "power must be at least 0, not -1"),
    (schedule("cosine", period=-1), ValueError, "period must be at least 0, not -1"),
    (schedule("cosine", restarts=True), ValueError, "restarts need a period"),
    (schedule("cosine", multiplier=0), ValueError, "multiplier must be at least 1, not 0"),
    (lambda _: COSINE.behind_warm_up(0, 0.1), ValueError, "length must be at least 1, not 0"),
    (lambda _: COSINE.value(0.1, -1, 5), ValueError, "t must be at least 0, not -1"),
    (lambda _: COSINE.value(0.1, 0, 0), ValueError, "total must be at least 1, not 0"),
    (scheduled("width", "step"), ValueError, "'width' is no number that a schedule changes"),
    (scheduled("l1", "hour"), ValueError, "per must be epoch or step, not 'hour'"),
    (lambda _: sgd().set_option("momentum", 0.5), ValueError, "there is no velocity"),
    (lambda _: sgd().set_option("l1", 0.5), ValueError, "'l1' is no option of an optimizer"),
    (train(epochs=0), ValueError, "epochs must be at least 1, not 0"),
    (train(batch_size=0), ValueError, "batch_size must be at least 1, not 0"),
    (train(average=1.0), ValueError, "average must be in [0, 1), not 1"),
    (train(average=float("nan")), ValueError, "average must be in [0, 1), not nan"),
    (lambda core: _core.plan(core, 2**40, True, 1), ValueError, "rows must be"),
    (lambda core: _core.plan(core, 0, True, 1), ValueError, "rows must be"),
    (
        lambda core: custom(lambda z: z[:1], lambda z: z).predict(X, 1),
        ValueError,
        "forward(z) must have 6 rows, not 1",
    ),
    (
        lambda core: custom(lambda z: z, lambda z: z[:1]).pull_back(
            X, zeros(6, 2), zeros(10), zeros(6, 4), 1
        ),
        ValueError,
        "derivative(z) must have 6 rows, not 1",
    ),
    (
        lambda core: core.loss(
            X, LABELS, None, None, core_loss("custom", lambda a, y: (a[:, 0], a[:1])), None, 1
        ),
        ValueError,
        "gradient must have 6 rows, not 1",
    ),
    (
        lambda core: core.loss(
            X, LABELS, None, None, core_loss("custom", lambda a, y: (a[:1, 0].copy(), a)), None, 1
        ),
        ValueError,
        "losses must have 6 elements, not 1",
    ),
    (train(training=(X, LABELS[:2], None, None)), ValueError, "labels must have 6 elements, not 2"),
    (lambda core: sgd(0), ValueError, "n_parameters must be from 1 to 4398046511104, not 0"),
    *(
        (lambda core, n=n: _core.OptimizerFloat32("adam", n), ValueError, "n_parameters must be")
        for n in (-1, 2**42 + 1, 2**61, 2**62, 2**63 - 1)
    ),
    *(
        (lambda core, n=n: setattr(sgd(), "steps", n), ValueError, "steps must be from 0 to")
        for n in (-1, 2**53 + 1, 2**63 - 1)
    ),
    (lambda core: setattr(sgd(), "steps", 2**63), TypeError, INCOMPATIBLE),
    *(
        (call, ValueError, f"threads must be from 1 to 1024, not {n}")
        for n in THREADS
        for call in too_many_threads(n)
    ),
    (rows(0, 6), ValueError, "rows must be from 0 to 5, not 6"),
    (rows(-1), ValueError, "rows must be from 0 to 5, not -1"),
    (rows(0, 6, which="validation_rows"), ValueError, "rows must be from 0 to 5, not 6"),
    (rows(), ValueError, "rows must be a vector of at least 1 number"),
    (rows([0]), ValueError, "rows must be a vector of at least 1 number"),
    (rows(0, dtype=np.int32), TypeError, "incompatible constructor arguments"),
    (lambda core: _core.train_together([], 1, 1.0, 1), ValueError, "trainers must be at least 1"),
    (lambda core: _core.train_together([None], 1, 1.0, 1), ValueError, "must not be None"),
    (
        lambda core: _core.train_together([trainer(core)], 1, 1.0, 1),
        RuntimeError,
        "this thread does not train this network",
    ),
    (lambda core: together(core, core), ValueError, "trainers must be of different networks"),
    (lambda core: together(core, epochs=0), ValueError, "epochs must be at least 1, not 0"),
    (predict_together(zeros(6, 3), zeros(1, 6, 3)), ValueError, "X must have 4 columns, not 3"),
    (predict_together(zeros(2, 6, 4), zeros(1, 6, 3)), ValueError, "X must have 1 matrices, not 2"),
    (predict_together(zeros(4), zeros(1, 6, 3)), ValueError, "X must have 2 or 3 dimensions"),
    (predict_together(X, zeros(6, 3)), ValueError, "out must have shape (1, 6, 3)"),
    (predict_together(X, zeros(1, 5, 3)), ValueError, "out must have shape (1, 6, 3)"),
    (predict_together(X, READ_ONLY[np.newaxis]), ValueError, "out must be writable"),
    (predict_together(UNALIGNED, zeros(1, 6, 3)), ValueError, "X must be aligned in memory"),
    (
        predict_together(X, zeros(2, 6, 3), network([4, 2], named("linear"))),
        ValueError,
        "networks must be of one shape",
    ),
    (
        predict_together(X, zeros(2, 6, 2), custom(np.tanh, np.tanh)),
        ValueError,
        "networks must be of one shape",
    ),
    (lambda core: sgd(beta3=1.0), ValueError, "optimizer option 'beta3' is not known"),
    (lambda core: _core.OptimizerFloat32("sdg", 3), ValueError, "optimizer 'sdg' is not known"),
    (lambda core: sgd(3).set_groups([(0, 4, 1.0, 1.0)]), ValueError, "groups must be disjoint"),
    (lambda core: sgd(3).set_groups([(0, 1, -1.0, 1.0)]), ValueError, "factors must be at least"),
    (lambda core: setattr(sgd(), "weight_sum", -1.0), ValueError, "weight_sum must be at least 0"),
    (lambda core: sgd(3).update(zeros(3), zeros(2)), ValueError, "gradient must have 3 elements"),
    (
        lambda core: sgd(18).update(READ_ONLY.reshape(-1), zeros(18)),
        ValueError,
        "parameters must be writable",
    ),
    (lambda core: _core.permutation(-1, 0, 0), ValueError, "n must be at least 0, not -1"),
    (
        lambda core: _core.Architecture(widths=[], bias=True, dropout=[]).tensors,
        ValueError,
        "widths must name at least 2 layers, not 0",
    ),
    (
        lambda core: network([3]),
        ValueError,
        "widths must name at least 2 layers, not 1",
    ),
    (
        lambda core: network([3, 0], named("relu")),
        ValueError,
        "widths must be from 1 to 2147483647, not 0",
    ),
    (lambda core: network([3, 2]), ValueError, "activations must be 1"),
    (
        lambda core: network([3, 2], named("relu"), dropout=(0.1,)),
        ValueError,
        "dropout must be 0, one for each hidden layer, not 1",
    ),
    (
        lambda core: network([3, 2, 1], named("relu"), named("relu"), dropout=(1.0,)),
        ValueError,
        "dropout must be in [0, 1), not 1",
    ),
    (
        lambda core: network([3, 2], named("custom")),
        ValueError,
        "two functions go with activation 'custom', and only with that",
    ),
    (
        lambda core: network([3, 2], named("rel")),
        ValueError,
        "activation 'rel' is not known",
    ),
    (
        lambda core: network([3, 2], named("elu")),
        ValueError,
        "activation 'elu' takes 1 parameters, not 0",
    ),
    (kernel("dense_forward", X, zeros(3, 2), None), ValueError, "w must have 4 rows, not 3"),
    (kernel("dense_forward", X, zeros(4, 2), zeros(3)), ValueError, "biases must have 2 elements"),
    (
        kernel("dense_backward", zeros(5, 2), X, zeros(4, 2)),
        ValueError,
        "dz must have 6 rows, not 5",
    ),
    (kernel("activation_forward", "relu", [], X[0]), ValueError, "z must have 2 dimensions"),
    (kernel("elementary", "gamma", zeros(3)), ValueError, "function 'gamma' is not known"),
    (
        kernel("loss", "nll", [], 0.0, False, X, None, X, zeros(6)),
        ValueError,
        "loss 'nll' is not known",
    ),
    (
        kernel("loss", "custom", [], 0.0, False, X, None, X, zeros(6)),
        ValueError,
        "a kernel cannot be 'custom'",
    ),
    (kernel("activation_forward", "custom", [], X), ValueError, "a kernel cannot be 'custom'"),
    (
        kernel("activation_backward", "custom", [], X, X, X),
        ValueError,
        "a kernel cannot be 'custom'",
    ),
    (
        kernel("loss", "mse", [], 0.0, True, X, None, X, zeros(6)),
        ValueError,
        "loss 'mse' is not computed from logits",
    ),
    (kernel("dropout", X, 1.0, 0, 0, 0), ValueError, "rate must be in [0, 1), not 1"),
]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    WRONG_CALLS,
    ids=[f"{i}-{re.sub(r'[^a-zA-Z0-9]+', '-', case[2])}" for i, case in enumerate(WRONG_CALLS)],
)
def test_core_refuses(call: Call, error: type[Exception], message: str) -> None:
    core = make()
    before = core.arena.copy()
    with pytest.raises(error, match=re.escape(message)):
        call(core)
    assert (core.arena == before).all()


def test_core_takes_what_is_right() -> None:
    core = make()
    assert core.predict(X, 1).shape == (6, 3)
    loss()(core)
    gradient(zeros(N_PARAMETERS))(core)
    pull_back(zeros(6, 3), zeros(N_PARAMETERS), zeros(6, 4))(core)
    train()(core)


HALF_MADE = """
import copy, pickle
import numpy as np
from pymlp import _core

def refuses(call, *arguments, errors=TypeError):
    try:
        call(*arguments)
    except errors:
        return
    raise AssertionError((call, arguments))

architecture = _core.Architecture(widths=[2, 1], bias=True, dropout=[])
network = _core.NetworkFloat32(architecture, [("linear", [], None, None)])
kinds = [kind for kind in vars(_core).values() if isinstance(kind, type)]
assert len(kinds) >= 9, kinds
members = 0
for kind in kinds:
    refuses(kind)
    refuses(kind.__new__, kind)
    refuses(object.__new__, kind)
    refuses(type, "Derived", (kind,), {})
    for name, member in vars(kind).items():
        if name.startswith("_"):
            continue
        members += 1
        other = object()
        if isinstance(member, property):
            refuses(member.fget, other, errors=(TypeError, RuntimeError))
        else:
            for count in range(12):
                refuses(member, other, *[None] * count)
assert members > 30, members
for thing in (network, _core.OptimizerFloat64("adam", 3)):
    refuses(copy.copy, thing)
    refuses(pickle.dumps, thing)
network.__init__([3, 1], [], True, [])  # a second time does nothing
assert network.arena.shape == (3,)
assert network.predict(np.zeros((1, 2), np.float32), 1).shape == (1, 1)
"""


def test_no_object_is_half_made() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HALF_MADE], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
