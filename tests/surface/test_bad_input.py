"""Wrong calls: each is refused, with what was expected and what came, and changes nothing."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import FloatArray

import pymlp
from pymlp import Network
from pymlp.initializers import Constant, Normal


class Setting:
    """A network of 4 inputs and 3 classes, six good samples, and a network with one output."""

    def __init__(self) -> None:
        self.net = Network([4, 5, 3], output="softmax", seed=0)
        self.linear = Network([4, 1], seed=0)
        self.X = np.arange(24.0).reshape(6, 4)
        self.y = np.arange(6) % 3

    def changed(self, place: tuple[int, int], value: float) -> FloatArray:
        X = self.X.copy()
        X[place] = value
        return X


def loss(y: Any, **options: Any) -> Callable[[Setting], Any]:
    return lambda s: s.net.loss(s.X, y, **options)


def fit(**options: Any) -> Callable[[Setting], Any]:
    return lambda s: s.net.fit(s.X, s.y, **options)


def predict(X: Any) -> Callable[[Setting], Any]:
    return lambda s: s.net.predict(X)


def into(out: Any) -> Callable[[Setting], Any]:
    return lambda s: s.net.predict(s.X, out=out)


def network(widths: Any = (4, 3, 2), **options: Any) -> Callable[[Setting], Any]:
    return lambda s: Network(widths, **options)


def make(kind: Callable[..., Any], *values: Any, **options: Any) -> Callable[[Setting], Any]:
    return lambda s: kind(*values, **options)


def read_only(array: FloatArray) -> FloatArray:
    array.flags.writeable = False
    return array


def positional(method: str, *values: Any) -> Callable[[Setting], Any]:
    return lambda s: getattr(s.net, method)(s.X, *values)


F32 = np.float32
ADAM = pymlp.Adam()

# (call, exception, what its message says)
WRONG_ARRAYS = [
    (predict(3.0), ValueError, "X must have 2 dimensions (samples, 4), not 0"),
    (predict(np.zeros((2, 3, 4))), ValueError, "X must have 2 dimensions (samples, 4), not 3"),
    (predict(np.zeros((6, 3))), ValueError, "X must have 4 columns, not 3"),
    (predict(np.zeros(5)), ValueError, "X must have 4 columns, not 5"),
    (predict(np.zeros((0, 4))), ValueError, "X must have at least 1 row, not 0"),
    (predict(np.zeros((6, 4)) + 1j), TypeError, "X must hold real numbers, not dtype complex128"),
    (predict([[1, 2, 3, 4j]]), TypeError, "X must hold real numbers, not dtype complex128"),
    (predict([[1, None, 3, 4]]), TypeError, "X must hold real numbers, but X[0, 1] is None"),
    (
        predict([[0, 0, 2**64, 0]]),
        ValueError,
        "X must be below 2**63, but X[0, 2] is 184",
    ),
    (predict(np.full((6, 4), 2**63, np.uint64)), ValueError, "X must be below 2**63, but X[0, 0]"),
    (predict([["1"] * 4]), TypeError, "X must hold real numbers, not dtype <U1"),
    (predict(np.zeros((6, 4), "M8[s]")), TypeError, "not dtype datetime64[s]"),
    (predict(None), TypeError, "X must hold real numbers, not None"),
    (predict(np.ma.masked_less(np.eye(4), 1)), TypeError, "X must not be a masked array"),
    (predict([[1, 2, 3, 4], [1, 2]]), ValueError, "X must be an array of numbers: "),
    (
        lambda s: Network([784, 10]).predict(np.zeros((2, 783))),
        ValueError,
        "X must have 784 columns, not 783",
    ),
    (lambda s: s.net.forward(s.X[0]), ValueError, "one sample is X.reshape(1, -1)"),
    (lambda s: s.net.fit(s.X[0], s.y), ValueError, "X must have 2 dimensions (samples, 4), not 1"),
    (lambda s: s.net.fit(s.X[:, 1:], s.y), ValueError, "X must have 4 columns, not 3"),
    (
        lambda s: s.net.fit(s.changed((2, 1), np.nan), s.y),
        ValueError,
        "X must be finite, but X[2, 1] is nan",
    ),
    (lambda s: s.net.fit(s.changed((5, 3), -np.inf), s.y), ValueError, "but X[5, 3] is -inf"),
    (lambda s: s.net.fit(s.changed((0, 2), 1e300), s.y), ValueError, "but X[0, 2] is 1e+300"),
    (loss(np.zeros(5, int)), ValueError, "y must have 6 rows, as X has, not 5"),
    (loss(0), ValueError, "y must have shape (6, 3) for loss 'cross_entropy', not ()"),
    (loss(np.zeros((6, 2))), ValueError, "y must have shape (6, 3)"),
    (loss(np.zeros((6, 1), int)), ValueError, "not (6, 1); integer labels are a vector: y.ravel()"),
    (loss(["a"] * 6), TypeError, "not dtype <U1; classes, y = np.unique(y, return_inverse=True)"),
    (loss([0, 1, 2, 3, 0, 0]), ValueError, "y must hold labels from 0 to 2, but y[3] is 3"),
    (loss([0, 1, -1, 2, 0, 0]), ValueError, "labels from 0 to 2, but y[2] is -1"),
    (loss(np.full(6, 2**32)), ValueError, "but y[0] is 4294967296"),
    (loss(np.zeros(6)), TypeError, "y must hold integer class labels for loss 'cross_entropy'"),
    (loss(["a"] * 6), TypeError, "y must hold real numbers, not dtype <U1"),
    (
        loss(np.full((6, 3), 0.5)),
        ValueError,
        "y must have rows that sum to 1, but y[0] sums to 1.5",
    ),
    (loss(np.tile([-0.5, 0.5, 1.0], (6, 1))), ValueError, "y must be in [0, 1]"),
    (loss(np.full((6, 3), np.nan)), ValueError, "y must be finite, but y[0, 0] is nan"),
    (loss(np.full((6, 3), 2.0), loss="binary_cross_entropy"), ValueError, "but y[0, 0] is 2.0"),
    (
        loss(np.zeros((6, 3)), loss="mse", sample_weight=[1.0] * 5),
        ValueError,
        "shape (6,), not (5,)",
    ),
    (
        lambda s: s.net.fit(s.X, s.y, sample_weight=[1, 1, -1, 1, 1, 1]),
        ValueError,
        "sample_weight must not be negative, but sample_weight[2] is -1.0",
    ),
    (fit(sample_weight=np.zeros(6)), ValueError, "sample_weight must not be 0 for every sample"),
    (fit(sample_weight=[1, 1, 1, np.nan, 1, 1]), ValueError, "but sample_weight[3] is nan"),
    (fit(sample_weight="balanced"), TypeError, "sample_weight must hold real numbers"),
    (
        lambda s: s.linear.fit(s.X, np.r_[s.y[:5], np.inf]),
        ValueError,
        "y must be finite, but y[5, 0] is inf",
    ),
    (
        lambda s: s.linear.loss(s.X, np.zeros((6, 2))),
        ValueError,
        "y must have shape (6,) or (6, 1)",
    ),
    (
        lambda s: s.net.vjp(s.X, np.zeros((5, 3))),
        ValueError,
        "dY must have 6 rows, as X has, not 5",
    ),
    (lambda s: s.net.vjp(s.X, np.zeros((6, 2))), ValueError, "dY must have 3 columns, not 2"),
    (into(np.zeros((6, 3))), TypeError, "out must have dtype float32, not float64"),
    (into(np.zeros((5, 3), F32)), ValueError, "out must have shape (6, 3), not (5, 3)"),
    (into(np.zeros((6, 3), F32, order="F")), ValueError, "out must be C-contiguous"),
    (into(read_only(np.zeros((6, 3), F32))), ValueError, "aligned and writable"),
    (into([[0.0] * 3] * 6), TypeError, "out must be a NumPy array, not list"),
    (
        lambda s: (lambda x: Network([4, 4]).predict(x, out=x))(np.zeros((6, 4), F32)),
        ValueError,
        "out must not share memory with X",
    ),
    (
        lambda s: setattr(s.net, "parameters", [0.0] * 3),
        ValueError,
        "parameters must have shape (43,), not (3,)",
    ),
]
WRONG_OPTIONS = [
    (fit(loss="cross_entrophy"), ValueError, "unknown loss 'cross_entrophy'; did you mean 'cross_"),
    (fit(loss=None), TypeError, "loss must be a name or a Loss, not NoneType"),
    (
        lambda s: s.linear.fit(s.X, s.y, loss="cross_entropy"),
        ValueError,
        "needs an output activation with values in [0, 1], such as softmax or sigmoid, not",
    ),
    (fit(epochs=0), ValueError, "epochs must be at least 1, not 0"),
    (fit(epochs=2.5), TypeError, "epochs must be an integer, not float"),
    (fit(batch_size=0), ValueError, "batch_size must be at least 1, not 0"),
    (fit(batch_size=True), TypeError, "batch_size must be an integer, not bool"),
    (fit(shuffle=1), TypeError, "shuffle must be True or False, not int"),
    (fit(seed=-1), ValueError, "seed must be at least 0, not -1"),
    (fit(seed=2**64), ValueError, "seed must be below 2**64"),
    (fit(optimizer="adm"), ValueError, "unknown optimizer 'adm'; did you mean 'adam'?"),
    (fit(optimizer="zzz"), ValueError, "known are adadelta, adagrad, adam, adamax"),
    (fit(optimizer=pymlp.SGD), TypeError, "optimizer must be a name or an Optimizer, not type"),
    (fit(optimizer=ADAM, learning_rate=0.1), ValueError, "learning_rate goes with the name"),
    (fit(learning_rate=-1), ValueError, "learning_rate must be above 0, not -1"),
    (fit(learning_rate=np.nan), ValueError, "learning_rate must be finite, not nan"),
    (fit(learning_rate="0.1"), TypeError, "learning_rate must be a number, not str"),
    (
        fit(early_stopping="yes"),
        TypeError,
        "early_stopping must be an EarlyStopping, True",
    ),
    (fit(early_stopping=0), ValueError, "early_stopping must be at least 1, not 0"),
    (fit(batch_size="all"), ValueError, "batch_size must be an integer, 'auto' or None, not 'all'"),
    (fit(epochs=2**63), ValueError, "epochs must be below 2**63, not 9223372036854775808"),
    (fit(callbacks=print), TypeError, "callbacks must be an iterable of callables, not builtin"),
    (fit(callbacks=[print, 3]), TypeError, "callbacks[1] must be callable, not int"),
    (fit(progress="yes"), TypeError, "progress must be True or False, not str"),
    (fit(max_seconds=0), ValueError, "max_seconds must be above 0, not 0"),
    (fit(threads=0), ValueError, "threads must be at least 1, not 0"),
    (fit(threads=5000), ValueError, "threads must be at most 1024, not 5000"),
    (fit(validation=1.0), ValueError, "validation must be below 1, not 1"),
    (fit(validation=True), TypeError, "validation must be a number, not bool"),
    (fit(validation=(np.eye(4),)), ValueError, "validation: it must be (Xv, yv) or (Xv, yv, we"),
    (fit(validation=(np.eye(3), [0] * 3)), ValueError, "validation: X must have 4 columns, not 3"),
    (fit(validation=(np.eye(4), [0] * 3)), ValueError, "validation: y must have 4 rows"),
    (fit(validation=(np.eye(4) * np.nan, [0] * 4)), ValueError, "validation: X must be finite"),
    (fit(validation=0.95), ValueError, "validation=0.95 of 6 samples leaves none to train on"),
    (fit(measures=()), TypeError, "unexpected keyword argument 'measures'"),
    (fit(class_weights={}), TypeError, "argument 'class_weights'; use class_weight"),
    (positional("fit", [0] * 6, 5), TypeError, "3 positional arguments but 4 were given"),
    (positional("loss", [0] * 6, "mse"), TypeError, "3 positional arguments but 4 were given"),
    (positional("predict", None), TypeError, "2 positional arguments but 3 were given"),
    (positional("train_batch", [0] * 6), TypeError, "missing 1 required keyword-only argument"),
    (
        lambda s: s.net.train_batch(s.X, s.y, optimizer="adam"),
        TypeError,
        "optimizer must be an Optimizer, which keeps its state from call to call, not str",
    ),
    (make(pymlp.LBFGS, learning_rate=1), TypeError, "use no learning rate: the line search"),
    (make(pymlp.LBFGS, lr=1), TypeError, "use no learning rate: the line search finds the step"),
    (make(pymlp.set_num_threads, 0), ValueError, "n must be at least 1, not 0"),
    (make(pymlp.set_num_threads, None), TypeError, "n must be an integer, not NoneType"),
    (network([3]), ValueError, "widths must name at least an input and an output, not [3]"),
    (network([3, 0]), ValueError, "widths[1] must be at least 1, not 0"),
    (network([3, 2.0]), TypeError, "widths[1] must be an integer, not float"),
    (network("34"), TypeError, "widths must be a sequence of integers, not str"),
    (network(3), TypeError, "widths must be a sequence of integers, not int"),
    (network([2**31 - 1] * 6), ValueError, "widths describe too large a network"),
    (network(hidden="rleu"), ValueError, "unknown activation 'rleu'; did you mean 'relu'?"),
    (network(hidden=["relu", "relu"]), ValueError, "hidden must name 1 activations"),
    (network(hidden=[3]), TypeError, "hidden[0] must be a name or an Activation, not int"),
    (network(hidden=pymlp.ReLU), TypeError, "hidden must be a name, an Activation or a list"),
    (network(output=["relu"]), TypeError, "output must be a name or an Activation, not list"),
    (network(init="he_norml"), ValueError, "unknown init 'he_norml'; did you mean 'he_normal'?"),
    (network(init=0), TypeError, "init must be a name or an Initializer, not int"),
    (network(bias=1), TypeError, "bias must be True or False, not int"),
    (network(dtype="float16"), TypeError, "dtype must be float32 or float64, not 'float16'"),
    (network(dtype=None), TypeError, "dtype must be float32 or float64, not None"),
    (network(seed=1.5), TypeError, "seed must be an integer, not float"),
    (network(droput=0.5), TypeError, "unexpected keyword argument 'droput'"),
    (make(Network, [3, 2], "relu"), TypeError, "2 positional arguments but 3 were given"),
    (make(pymlp.SGD, 0), ValueError, "learning_rate must be above 0, not 0"),
    (make(pymlp.SGD, momentum=1), ValueError, "momentum must be below 1, not 1"),
    (
        make(pymlp.SGD, nesterov=True),
        ValueError,
        "nesterov needs momentum above 0",
    ),
    (make(pymlp.SGD, 0.1, 0.9), TypeError, "positional arguments but 3 were given"),
    (make(pymlp.RMSProp, epsilon=0), ValueError, "epsilon must be above 0, not 0"),
    (make(pymlp.RMSProp, centered=1), TypeError, "centered must be True or False, not int"),
    (make(pymlp.Adam, beta2=-0.1), ValueError, "beta2 must be at least 0, not -0.1"),
    (make(pymlp.SGD, amsgrad=True), TypeError, "unexpected keyword argument 'amsgrad'"),
    (lambda s: setattr(ADAM, "learning_rate", 0), ValueError, "learning_rate must be above 0"),
    (make(pymlp.EarlyStopping, 0), ValueError, "patience must be at least 1, not 0"),
    (make(pymlp.EarlyStopping, min_delta=-1), ValueError, "min_delta must be at least 0, not -1"),
    (make(pymlp.LeakyReLU, "a"), TypeError, "slope must be a number, not str"),
    (make(pymlp.LeakyReLU, np.inf), ValueError, "slope must be finite, not inf"),
    (make(pymlp.ELU, None), TypeError, "alpha must be a number, not NoneType"),
    (make(pymlp.Step, True), TypeError, "threshold must be a number, not bool"),
    (make(Constant, np.nan), ValueError, "value must be finite, not nan"),
    (make(Normal, -1), ValueError, "std must be at least 0, not -1"),
]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    WRONG_ARRAYS + WRONG_OPTIONS,
    ids=[re.sub(r"\W+", "-", message) for *_, message in WRONG_ARRAYS + WRONG_OPTIONS],
)
def test_wrong_call_is_refused(
    call: Callable[[Setting], Any], error: type[Exception], message: str
) -> None:
    setting = Setting()
    before = [a.copy() for a in (setting.net.parameters, setting.linear.parameters, setting.X)]
    with pytest.raises(error, match=re.escape(message)) as caught:
        call(setting)
    assert type(caught.value) is error
    after = (setting.net.parameters, setting.linear.parameters, setting.X)
    assert all((a == b).all() for a, b in zip(after, before, strict=True))
    assert setting.net.history is None
    # Nothing is left locked or half done.
    setting.net.fit(setting.X, setting.y, epochs=1)
