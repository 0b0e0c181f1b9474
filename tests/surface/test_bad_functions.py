"""Activations, losses and class weights that cannot be: each is refused when it is named."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pymlp
from pymlp import Activation, Network, losses
from pymlp.losses import Loss


def make(kind: Callable[..., Any], *values: Any, **options: Any) -> Callable[[], Any]:
    return lambda: kind(*values, **options)


def network(**options: Any) -> Callable[[], Any]:
    return lambda: Network([4, 3, 2], **options)


def loss(loss: Any, y: Any = None, output: str = "linear") -> Callable[[], Any]:
    targets = np.zeros((6, 2)) if y is None else y
    return lambda: Network([4, 2], output=output, seed=0).loss(np.ones((6, 4)), targets, loss=loss)


def fit(class_weight: Any, y: Any = (0, 1, 2, 0, 1, 2), **options: Any) -> Callable[[], Any]:
    def call() -> None:
        net = Network([4, 5, 3], **({"output": "softmax", "seed": 0} | options))
        before = net.parameters.copy()
        try:
            net.fit(np.ones((6, 4)), np.array(y), class_weight=class_weight, epochs=1)
        finally:
            assert (net.parameters == before).all()
            assert net.history is None

    return call


# (call, exception, what its message says)
PARAMETERS = [
    (make(pymlp.LeakyReLU, np.nan), ValueError, "slope must be finite, not nan"),
    (make(pymlp.LeakyReLU, -np.inf), ValueError, "slope must be finite, not -inf"),
    (make(pymlp.LeakyReLU, "0.1"), TypeError, "slope must be a number, not str"),
    (make(pymlp.LeakyReLU, 0.1, 0.2), TypeError, "positional arguments but 3 were given"),
    (make(pymlp.LeakyReLU, threshold=np.nan), ValueError, "threshold must be finite, not nan"),
    (make(pymlp.Step, None), TypeError, "threshold must be a number, not NoneType"),
    (make(pymlp.ELU, np.inf), ValueError, "alpha must be finite, not inf"),
    (make(pymlp.ELU, [1.0, 2.0]), TypeError, "alpha must be a number, not list"),
    (make(pymlp.CELU, 0), ValueError, "alpha must be above 0, not 0"),
    (make(pymlp.CELU, alpha=-1), ValueError, "alpha must be above 0, not -1"),
    (make(pymlp.CELU, True), TypeError, "alpha must be a number, not bool"),
    (make(pymlp.SELU, 1.0), TypeError, "takes 1 positional argument but 2 were given"),
    (make(pymlp.GELU, approximate="tanh"), TypeError, "unexpected keyword argument 'approximate'"),
    (make(pymlp.Softplus, beta=2.0), TypeError, "unexpected keyword argument 'beta'"),
    (make(Activation), TypeError, "missing 2 required keyword-only arguments"),
    (make(Activation, np.tanh, np.cos), TypeError, "takes 1 positional argument but 3 were given"),
    (
        make(Activation, forward=np.tanh),
        TypeError,
        "missing 1 required keyword-only argument: 'derivative'",
    ),
    (
        make(Activation, forward="tanh", derivative=np.cos),
        TypeError,
        "forward must be callable, not str",
    ),
    (
        make(Activation, forward=np.tanh, derivative=None),
        TypeError,
        "derivative must be callable, not NoneType",
    ),
    (make(losses.Huber, 0), ValueError, "delta must be above 0, not 0"),
    (make(losses.Huber, np.inf), ValueError, "delta must be finite, not inf"),
    (make(losses.Huber, delta="1"), TypeError, "delta must be a number, not str"),
    (make(losses.Quantile, 1), ValueError, "q must be below 1, not 1"),
    (make(losses.Quantile, 0.0), ValueError, "q must be above 0, not 0"),
    (make(losses.Quantile, np.nan), ValueError, "q must be finite, not nan"),
    (make(losses.Quantile, "0.5"), TypeError, "q must be a number, not str"),
    (make(losses.Quantile, ()), ValueError, "q must be a level, or one for each output"),
    (make(losses.Quantile, (0.1, 1.0)), ValueError, "q[1] must be below 1, not 1"),
    (make(losses.Quantile, [0.1, "a"]), TypeError, "q[1] must be a number, not str"),
    (
        loss(losses.Quantile((0.1, 0.5, 0.9)), output="linear"),
        ValueError,
        "q of loss 'quantile' must be one number, or 2, one for each output, not 3",
    ),
    (
        make(losses.CrossEntropy, label_smoothing=1),
        ValueError,
        "label_smoothing must be below 1, not 1",
    ),
    (
        make(losses.BinaryCrossEntropy, label_smoothing=-0.1),
        ValueError,
        "label_smoothing must be at least 0, not -0.1",
    ),
    (make(losses.CrossEntropy, 0.1), TypeError, "takes 1 positional argument but 2 were given"),
    (make(losses.MSE, label_smoothing=0.1), TypeError, "unexpected keyword argument"),
    (make(Loss, "mse"), TypeError, "function must be callable, not str"),
    (make(Loss), TypeError, "missing 1 required positional argument: 'function'"),
]
NAMES = [
    (network(hidden="sigmoyd"), ValueError, "unknown activation 'sigmoyd'; did you mean 'sigmoid'"),
    (network(output="Sofmax"), ValueError, "unknown activation 'Sofmax'; did you mean 'softmax'"),
    (network(hidden="leakrelu"), ValueError, "did you mean 'leaky_relu'?"),
    (network(hidden="swich"), ValueError, "did you mean 'swish'?"),
    (
        network(hidden="PReLU"),
        ValueError,
        "unknown activation 'PReLU'; use pymlp.Parametric('relu')",
    ),
    (network(hidden="zzz"), ValueError, "unknown activation 'zzz'; known are celu, elu, exp"),
    (network(hidden="custom"), ValueError, "unknown activation 'custom'"),
    (network(hidden=""), ValueError, "unknown activation ''; known are"),
    (network(output=np.tanh), TypeError, "output must be a name or an Activation, not ufunc"),
    (network(hidden=[pymlp.ELU]), TypeError, "hidden[0] must be a name or an Activation, not type"),
    (loss("hubert"), ValueError, "unknown loss 'hubert'; did you mean 'huber'?"),
    (loss("msee"), ValueError, "unknown loss 'msee'; did you mean 'mse'?"),
    (loss("custom"), ValueError, "unknown loss 'custom'"),
    (loss("zzz"), ValueError, "known are auto, binary_cross_entropy, cross_entropy, hinge"),
    (loss(losses.MSE), TypeError, "loss must be a name or a Loss, not type"),
    (loss(np.abs), TypeError, "loss must be a name or a Loss, not ufunc"),
]
PAIRS = [
    *(
        (loss(name, output=output), ValueError, f"loss '{name}' needs an output activation with")
        for name in ("cross_entropy", "binary_cross_entropy", "kl_divergence")
        for output in ("linear", "tanh", "relu", "exp", "softplus")
    ),
    (loss("binary_cross_entropy", output="log_softmax"), ValueError, "not 'log_softmax'"),
    (loss("poisson"), ValueError, "without negative values, such as exp or softplus, not 'linear'"),
    (loss("poisson", output="log_softmax"), ValueError, "not 'log_softmax'"),
    (loss(losses.Poisson(), output="tanh"), ValueError, "not 'tanh'"),
]
TARGETS = [
    (
        loss("poisson", [[-1.0, 2.0]] * 6, "exp"),
        ValueError,
        "y must not be negative for loss 'poisson', but y[0, 0] is -1",
    ),
    (
        loss("hinge", [[1.0, 0.0]] * 6),
        ValueError,
        "y must be -1 or 1 for loss 'hinge', but y[0, 1] is 0",
    ),
    (
        loss("kl_divergence", [[0.5, 0.6]] * 6, "softmax"),
        ValueError,
        "y must have rows that sum to 1, but y[0] sums to 1.1",
    ),
    (loss("kl_divergence", [0] * 6, "softmax"), ValueError, "y must have shape (6, 2)"),
    (loss("kl_divergence", [[-0.5, 1.5]] * 6, "softmax"), ValueError, "y must be in [0, 1]"),
    (
        loss("binary_cross_entropy", [[0.5, 1.5]] * 6, "sigmoid"),
        ValueError,
        "y must be in [0, 1] for loss 'binary_cross_entropy', but y[0, 1] is 1.5",
    ),
    (loss("huber", [0] * 6), ValueError, "y must have shape (6, 2) for loss 'huber', not (6,)"),
    (loss(Loss(print), [0, 1, 2, 0, 0, 0]), ValueError, "labels from 0 to 1, but y[2] is 2"),
    (loss(Loss(print), [0.5] * 6), TypeError, "y must hold integer class labels"),
]
CLASS_WEIGHTS = [
    (fit("balance"), ValueError, "unknown class_weight 'balance'; did you mean 'balanced'?"),
    (fit([1.0, 2.0, 3.0]), TypeError, "class_weight must be a dict of weights or 'balanced', not "),
    (fit({3: 1.0}), ValueError, "class_weight must name labels from 0 to 2, not 3"),
    (fit({-1: 1.0}), ValueError, "a label of class_weight must be at least 0, not -1"),
    (fit({"a": 1.0}), TypeError, "a label of class_weight must be an integer, not str"),
    (fit({0.5: 1.0}), TypeError, "a label of class_weight must be an integer, not float"),
    (fit({True: 1.0}), TypeError, "a label of class_weight must be an integer, not bool"),
    (fit({1: -1.0}), ValueError, "class_weight[1] must be at least 0, not -1"),
    (fit({1: np.nan}), ValueError, "class_weight[1] must be finite, not nan"),
    (fit({1: "2"}), TypeError, "class_weight[1] must be a number, not str"),
    (
        fit({0: 0, 1: 0, 2: 0}),
        ValueError,
        "class_weight must not leave a weight of 0 for every",
    ),
    (fit({1: 1e300}), ValueError, "sample_weight must be finite, but class_weight times"),
    (
        fit({1: 2.0}, np.eye(3)[[0, 1, 2, 0, 1, 2]]),
        ValueError,
        "class_weight needs a y of integer labels, or of 0 and 1 for one output",
    ),
    (
        fit("balanced", np.linspace(0.0, 1.0, 18).reshape(6, 3), output="linear"),
        ValueError,
        "class_weight needs a y of integer labels, or of 0 and 1 for one output",
    ),
]
WRONG = PARAMETERS + NAMES + PAIRS + TARGETS + CLASS_WEIGHTS


@pytest.mark.parametrize(
    ("call", "error", "message"),
    WRONG,
    ids=[re.sub(r"\W+", "-", message) for *_, message in WRONG],
)
def test_wrong_function_is_refused(
    call: Callable[[], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=re.escape(message)) as caught:
        call()
    assert type(caught.value) is error
