"""Single kernels, each called on numbers that are known: its results by name."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pymlp import _core, losses
from pymlp.activations import TABLE
from pymlp.certificate import rules
from pymlp.certificate.inputs import numbers, shares

BROKEN = ""  # why the module of single kernels cannot be loaded, though there is one
try:
    from pymlp import _core_test
except ImportError as error:
    _core_test = None  # type: ignore[assignment]
    BROKEN = str(error)
LEFT_OUT = find_spec("pymlp._core_test") is None  # by the build
COMPILED: list[Any] = [module for module in (_core, _core_test) if module is not None]

ELEMENTARY = (
    "exp", "expm1", "log", "log1p", "tanh", "sigmoid", "softplus", "erf", "sin", "cos",
)  # fmt: skip
# Losses of probabilities or rates: also computed from what the output activation takes.
FROM_LOGITS = ("cross_entropy", "kl_divergence", "binary_cross_entropy", "poisson")
RATE, SEED, STEP, LAYER = 0.25, 11, 5, 2  # of dropout
SMOOTHING = 0.25

Named = Iterator[tuple[str, NDArray[Any]]]


class Sizes(NamedTuple):
    """How much a kernel is given."""

    rows: int
    columns: int
    product: tuple[int, int, int]  # rows, inputs, outputs
    rules: rules.Sizes


FEW = Sizes(1, 4, (2, 5, 3), rules.REPEATED)  # what the reference has been asked
# Whole vectors and what is left of them; sums of more than one chain.
MANY = Sizes(37, 43, (29, 300, 45), rules.DIFFERENT)
# Rows side by side in vectors, and what is left of them.
NARROW = Sizes(37, 5, (29, 7, 3), rules.REPEATED)


def without_test_module(sizes: Sizes, dtype: str) -> Named:
    """Yield what every build can call by itself: activations, their derivatives, optimisers."""
    shape = (sizes.rows, sizes.columns)
    z, da = numbers(shape, dtype), numbers(shape, dtype, low=-1.0, width=2.0, first=977)
    makers: dict[str, Any] = dict(TABLE)
    for name, make in makers.items():
        parameters = list(make().parameters.values())
        a = _core.activation_forward(name, parameters, z)
        yield name, a
        yield f"{name}, derivative", _core.activation_backward(name, parameters, da, z, a)
    yield from rules.all_steps(sizes.rules, dtype)


def with_test_module(sizes: Sizes, dtype: str) -> Named:
    """Yield what the module of single kernels can call."""
    if BROKEN:
        raise ImportError(BROKEN)
    yield from _losses((sizes.rows, sizes.columns), dtype)
    yield from _losses_of_targets((sizes.rows, sizes.columns), dtype)
    yield from _products(sizes.product, dtype)
    x = numbers((sizes.rows * sizes.columns,), dtype, low=0.125, width=4.0)
    for name in ELEMENTARY:
        yield name + " of a number", _core_test.elementary(name, x)
    a = numbers((sizes.rows, sizes.columns), dtype)
    yield "dropout", _core_test.dropout(a, RATE, SEED, STEP, LAYER)


def loss_outputs(name: str, from_logits: bool, shape: tuple[int, int], dtype: str) -> NDArray[Any]:
    """Return what a loss is computed of: probabilities, or any numbers."""
    if name in FROM_LOGITS and not from_logits:
        return numbers(shape, dtype, low=0.125, width=0.75)
    return numbers(shape, dtype)


def _losses(shape: tuple[int, int], dtype: str) -> Named:
    targets, scale = shares(shape, dtype), np.ones(shape[0], dtype)
    forms = [(name, False) for name in losses.TABLE] + [(name, True) for name in FROM_LOGITS]
    for name, from_logits in forms:
        outputs = loss_outputs(name, from_logits, shape, dtype)
        make: Any = losses.TABLE[name]
        options = vars(make())
        parameters = [float(options[key]) for key in ("delta", "q") if key in options]
        values, gradient = _core_test.loss(
            name, parameters, 0.0, from_logits, outputs, None, targets, scale
        )
        full = f"{name} from logits" if from_logits else name
        yield full, values
        yield f"{full}, gradient", gradient


class Targets(NamedTuple):
    """What a loss is given beside outputs."""

    labels: NDArray[np.int32] | None
    values: NDArray[Any] | None
    smoothing: float
    scale: NDArray[Any]  # of the gradient of each row


OF_LABELS = [(name, logits) for name in FROM_LOGITS[::2] for logits in (False, True)]


def targets(shape: tuple[int, int], dtype: str) -> dict[str, Targets]:
    """Return every kind of targets that a cross-entropy takes."""
    scale = numbers(shape[:1], dtype, low=0.125, width=2.0)
    labels = ((np.arange(shape[0]) * 7 + 2) % shape[1]).astype(np.int32)
    return {
        "labels": Targets(labels, None, 0.0, scale),
        "labels smoothed": Targets(labels, None, SMOOTHING, scale),
        "smoothed": Targets(None, shares(shape, dtype), SMOOTHING, scale),
    }


def _losses_of_targets(shape: tuple[int, int], dtype: str) -> Named:
    for name, from_logits in OF_LABELS:
        outputs = loss_outputs(name, from_logits, shape, dtype)
        for kind, (labels, values, smoothing, scale) in targets(shape, dtype).items():
            full = f"{name}{' from logits' if from_logits else ''}, {kind}"
            results = _core_test.loss(
                name, [], smoothing, from_logits, outputs, labels, values, scale
            )
            yield from zip((full, f"{full}, gradient"), results, strict=True)


def product_operands(shape: tuple[int, int, int], dtype: str) -> tuple[NDArray[Any], ...]:
    """Return rows, weights, biases, and gradients of the outputs."""
    m, n_in, n_out = shape
    shapes = [(m, n_in), (n_in, n_out), (n_out,), (m, n_out)]
    return tuple(
        numbers(one, dtype, low=-1.0, width=2.0, first=1 + 5000 * i) for i, one in enumerate(shapes)
    )


def _products(shape: tuple[int, int, int], dtype: str) -> Named:
    x, w, biases, dz = product_operands(shape, dtype)
    yield "product", _core_test.dense_forward(x, w, biases)
    names = ("product, dW", "product, db", "product, dX")
    yield from zip(names, _core_test.dense_backward(dz, x, w), strict=True)
