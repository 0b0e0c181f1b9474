"""The short way through `predict` and the explaining one: the same bits and the same errors."""

import copy
import pickle
import sys
import threading
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import FloatArray, Rng, random_inputs, random_network
from own_functions import TWINS, squared

from pymlp import Activation, Network, _core
from pymlp.losses import Loss

WIDTHS = [5, 8, 3]
FEW, MANY = 7, 40_000  # rows that are worked on with the GIL held, and without it
SECONDS = 30.0  # after which something hangs

Convert = Callable[[FloatArray], Any]


class Subclass(np.ndarray[Any, Any]):
    pass


def short(net: Network, X: Any, out: Any = None, threads: Any = None) -> Any:
    return net._core.try_predict(X, out, threads)


def explaining(net: Network, X: Any, out: Any = None, threads: Any = None) -> Any:
    return net._predict(X, out, threads)


def unaligned(x: FloatArray) -> FloatArray:
    result: FloatArray = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    result[...] = x
    return result


def read_only(x: FloatArray) -> FloatArray:
    result = x.copy()
    result.flags.writeable = False
    return result


def other_dtype(x: FloatArray) -> FloatArray:
    return x.astype(np.float64 if x.dtype == np.float32 else np.float32)


def swapped(x: FloatArray) -> FloatArray:
    return x.astype(x.dtype.newbyteorder())


def on_disk(x: FloatArray, folder: Path) -> FloatArray:
    result = np.memmap(folder / "x", x.dtype, "w+", shape=x.shape)
    result[...] = x
    return result


PLAIN: dict[str, Convert] = {
    "as it is": lambda x: x,
    "read-only": read_only,
    "part of another": lambda x: np.concatenate([x, x])[: len(x)],
    "with a dtype of its own": lambda x: x.astype(np.dtype(x.dtype, metadata={"unit": "m"})),
}
NOT_PLAIN: dict[str, Convert] = {
    "lists": lambda x: x.tolist(),
    "integers": lambda x: x.astype(np.int64),
    "half precision": lambda x: x.astype(np.float16),
    "other dtype": other_dtype,
    "byte-swapped": swapped,
    "every other column": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "columns reversed": lambda x: x[..., ::-1],
    "unaligned": unaligned,
    "subclass": lambda x: x.view(Subclass),
}


def inputs(rng: Rng, net: Network) -> list[FloatArray]:
    """Return one sample, the same as a row, a few rows, and many."""
    X = random_inputs(rng, MANY, net)
    return [X[0], X[:1], X[:FEW], X]


def same(a: FloatArray, b: FloatArray) -> bool:
    return (a.shape, a.dtype, a.tobytes()) == (b.shape, b.dtype, b.tobytes())


# ---- what goes which way -------------------------------------------------------------------------
@pytest.mark.parametrize("convert", PLAIN.values(), ids=PLAIN)
def test_plain_arrays_go_the_short_way(convert: Convert, dtype: str, rng: Rng) -> None:
    net = random_network(rng, WIDTHS, dtype=dtype)
    for X in map(convert, inputs(rng, net)):
        expected = explaining(net, X)
        for result in (short(net, X), net.predict(X), net.predict(X, out=None), net(X)):
            assert same(result, expected)
            assert type(result) is np.ndarray
            assert result.flags.carray
        out = np.empty_like(expected)
        for call in (short, lambda n, X, y: n.predict(X, out=y), lambda n, X, y: n(X, out=y)):
            out.fill(np.nan)
            assert call(net, X, out) is out
            assert same(out, expected)


@pytest.mark.parametrize("convert", NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_others_are_left_to_the_explaining_way(convert: Convert, dtype: str, rng: Rng) -> None:
    net = random_network(rng, WIDTHS, dtype=dtype)
    for X in map(convert, inputs(rng, net)):
        expected = explaining(net, X)
        out = np.empty_like(expected)
        assert short(net, X) is None
        assert short(net, X, out) is None
        assert same(net.predict(X), expected)
        assert type(net.predict(X)) is np.ndarray
        assert net.predict(X, out=out) is out
        assert same(out, expected)


def test_order_matters_only_where_there_are_rows_and_columns(dtype: str, rng: Rng) -> None:
    net = random_network(rng, WIDTHS, dtype=dtype)
    X = random_inputs(rng, FEW, net)
    expected = net.predict(X)
    assert short(net, np.asfortranarray(X)) is None
    assert same(net.predict(np.asfortranarray(X)), expected)
    assert same(short(net, np.asfortranarray(X[:1])), net.predict(X[:1]))
    column = random_network(rng, [1, 3], dtype=dtype)
    x = random_inputs(rng, FEW, column)
    assert same(short(column, np.asfortranarray(x)), explaining(column, x))


def test_out_may_be_a_subclass(dtype: str, rng: Rng, tmp_path: Path) -> None:
    net = random_network(rng, WIDTHS, dtype=dtype)
    X = random_inputs(rng, FEW, net)
    expected = net.predict(X)
    for out in (np.zeros_like(expected).view(Subclass), on_disk(np.zeros_like(expected), tmp_path)):
        assert short(net, X, out) is None
        assert net.predict(X, out=out) is out
        assert same(np.asarray(out), expected)
    assert same(net.predict(on_disk(X, tmp_path)), expected)


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_number_of_threads_may_be_given(threads: int, dtype: str, rng: Rng) -> None:
    net = random_network(rng, WIDTHS, dtype=dtype)
    for X in inputs(rng, net):
        expected = net.predict(X)
        assert same(short(net, X, None, threads), expected)
        assert same(net.predict(X, threads=threads), expected)
        assert same(net.predict(X, threads=np.int64(threads)), expected)
        assert same(explaining(net, X, None, threads), expected)


def test_copies_predict_the_same(dtype: str, rng: Rng) -> None:
    net = random_network(rng, WIDTHS, dtype=dtype)
    x = random_inputs(rng, 1, net)[0]
    expected = net.predict(x)
    for twin in (net.copy(), copy.copy(net), copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert same(short(twin, x), expected)
        assert same(twin(x), expected)


# ---- errors --------------------------------------------------------------------------------------
WRONG_X: dict[str, Convert] = {
    "too few columns": lambda x: x[:, 1:].copy(),
    "no rows": lambda x: x[:0],
    "a number": lambda x: x[0, 0],
    "no dimensions": lambda x: np.array(1, x.dtype),
    "three dimensions": lambda x: x[None],
    "complex": lambda x: x + 1j,
    "objects": lambda x: np.full(x.shape, None),
    "words": lambda x: x.astype(str),
    "masked": np.ma.asarray,
    "None": lambda x: None,
    "wrong length": lambda x: x[0, 1:].copy(),
}
WRONG_OUT: dict[str, Convert] = {
    "too many rows": lambda y: np.concatenate([y, y]),
    "too few columns": lambda y: y[:, 1:].copy(),
    "one dimension": lambda y: y[0].copy(),
    "flat": np.ravel,
    "three dimensions": lambda y: y[None],
    "other dtype": other_dtype,
    "byte-swapped": swapped,
    "read-only": read_only,
    "unaligned": unaligned,
    "every other column": lambda y: np.repeat(y, 2, axis=1)[:, ::2],
    "Fortran order": np.asfortranarray,
    "lists": lambda y: y.tolist(),
    "False": lambda y: False,
}


def message(call: Callable[..., Any], *arguments: Any, **options: Any) -> tuple[type, str]:
    with pytest.raises((TypeError, ValueError)) as caught:
        call(*arguments, **options)
    return caught.type, str(caught.value)


@pytest.mark.parametrize("wrong", WRONG_X.values(), ids=WRONG_X)
def test_wrong_inputs_are_explained(wrong: Convert, dtype: str, rng: Rng) -> None:
    net = random_network(rng, WIDTHS, dtype=dtype)
    X = wrong(random_inputs(rng, FEW, net))
    out = np.zeros((FEW, 3), dtype)
    assert short(net, X) is None
    assert message(net.predict, X) == message(explaining, net, X)
    assert message(net.predict, X, out=out) == message(explaining, net, X, out=out)
    assert not out.any()


@pytest.mark.parametrize("wrong", WRONG_OUT.values(), ids=WRONG_OUT)
def test_wrong_outputs_are_explained(wrong: Convert, dtype: str, rng: Rng) -> None:
    net = random_network(rng, WIDTHS, dtype=dtype)
    X = random_inputs(rng, FEW, net)
    out = wrong(np.zeros((FEW, 3), dtype))
    assert short(net, X, out) is None
    assert message(net.predict, X, out=out) == message(explaining, net, X, out=out)
    assert not np.any(out)


@pytest.mark.parametrize(
    "threads", [0, -1, 1025, 2**31, 2**32 + 1, 2**80, -(2**80), True, 1.0, "2"]
)
def test_wrong_numbers_of_threads_are_explained(threads: Any, rng: Rng) -> None:
    net = random_network(rng, WIDTHS)
    x, out = random_inputs(rng, 1, net)[0], np.zeros(3, np.float32)
    assert short(net, x, out, threads) is None
    expected = message(explaining, net, x, out, threads)
    assert message(net.predict, x, out=out, threads=threads) == expected
    assert not out.any()


def test_out_must_not_share_memory_with_the_inputs(dtype: str, rng: Rng) -> None:
    net = random_network(rng, WIDTHS, dtype=dtype)
    n_in, n_out = FEW * 5, FEW * 3
    memory = np.zeros(n_in + n_out, dtype)

    def predict_within(x_first: int, out_first: int, call: Callable[..., Any]) -> Any:
        X = memory[x_first : x_first + n_in].reshape(FEW, 5)
        return call(net, X, memory[out_first : out_first + n_out].reshape(FEW, 3))

    for x_first, out_first in [(0, n_in), (n_out, 0)]:
        assert predict_within(x_first, out_first, short) is not None
    for x_first, out_first in [(0, n_in - 1), (n_out - 1, 0), (0, 0), (0, 7), (7, 10)]:
        assert predict_within(x_first, out_first, short) is None
        with pytest.raises(ValueError, match="out must not share memory with X"):
            predict_within(x_first, out_first, lambda n, X, y: n.predict(X, out=y))
    square = random_network(rng, [4, 4], dtype=dtype)
    x = np.zeros(4, dtype)
    assert short(square, x, x) is None
    with pytest.raises(ValueError, match="out must not share memory with X"):
        square.predict(x, out=x)


def test_core_takes_two_arguments_of_a_network() -> None:
    core: Any = Network([2, 1])._core
    x = np.zeros(2, np.float32)
    for arguments in ((), (x,), (x, None), (x, None, 1, 1)):
        with pytest.raises(TypeError, match="try_predict takes X, out and threads"):
            core.try_predict(*arguments)
    with pytest.raises(TypeError, match="no keyword arguments"):
        core.try_predict(X=x, out=None, threads=None)
    with pytest.raises(TypeError, match="NetworkFloat64"):
        _core.NetworkFloat64.try_predict(core, x, None, None)


# ---- memory --------------------------------------------------------------------------------------
def test_nothing_is_kept_from_call_to_call(dtype: str, rng: Rng) -> None:
    net = random_network(rng, WIDTHS, dtype=dtype)
    x, wrong, out = random_inputs(rng, 1, net)[0], np.zeros(4, dtype), np.zeros(3, dtype)
    watched = [x, out, wrong, net._core, x.dtype]

    def call_often() -> None:
        for _ in range(2000):
            net.predict(x)
            net.predict(x, out=out)
            short(net, wrong)
            short(net, x, wrong)

    call_often()
    before = [sys.getrefcount(thing) for thing in watched]
    tracemalloc.start()
    try:
        call_often()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [sys.getrefcount(thing) for thing in watched] == before
    assert kept < 2000


def test_results_are_arrays_of_their_own(dtype: str, rng: Rng) -> None:
    net = random_network(rng, WIDTHS, dtype=dtype)
    X = random_inputs(rng, 2, net)
    first = net.predict(X[0])
    kept = first.copy()
    second = net.predict(X[1])
    assert not np.shares_memory(first, second)
    assert same(first, kept)
    expected = net.predict(X[1])
    del net
    assert same(second, expected)


# ---- while others are at work --------------------------------------------------------------------
def test_predictions_during_training_are_those_of_a_whole_step(rng: Rng) -> None:
    net = random_network(rng, [6, 40, 2], hidden="tanh", output="linear")
    X, Y = random_inputs(rng, 200, net), rng.normal(size=(200, 2))
    x, out = X[0], np.zeros(2, np.float32)
    options: dict[str, Any] = {"epochs": 400, "batch_size": None, "learning_rate": 1e-3}
    steps = {net.predict(x).tobytes()}
    net.copy().fit(X, Y, callbacks=[lambda n, h: steps.add(n.predict(x).tobytes())], **options)
    seen = set()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(net.fit, X, Y, callbacks=[lambda n, h: None], **options)
        while not running.done():
            seen.add(net.predict(x).tobytes())
            seen.add(net.predict(x, out=out).tobytes())
        running.result()
    assert seen <= steps


def test_nobody_waits_for_a_step_with_the_gil(rng: Rng) -> None:
    # The step needs the GIL for the user's loss while it has the network's lock.
    net = random_network(rng, [4, 3], output="linear")
    X, Y = random_inputs(rng, 60, net), np.zeros((60, 3))
    inside = []

    def loss(a: FloatArray, y: FloatArray) -> tuple[Any, Any]:
        inside.append(net.predict(X[0]))  # of the very network, by the thread that has its lock
        return squared(a, y)

    own = Loss(loss)
    done = threading.Event()

    def predict_until_done() -> None:
        while not done.is_set():
            net.predict(X[0])

    with ThreadPoolExecutor(3) as pool:
        others = [pool.submit(predict_until_done) for _ in range(2)]
        try:
            training = pool.submit(net.fit, X, Y, loss=own, epochs=20, batch_size=10)
            assert training.result(SECONDS).stopped_by == "epochs"
        finally:
            done.set()
        for other in others:
            other.result(SECONDS)
    assert len(inside) >= 120
    assert np.isfinite(inside).all()


def test_functions_of_the_users_own_go_the_explaining_way(rng: Rng) -> None:
    inner = random_network(rng, [1, 4, 1], hidden="tanh", output="linear")

    def forward(z: FloatArray) -> FloatArray:
        return np.stack([inner.predict(np.float32([value])) for value in z.ravel()]).reshape(
            z.shape
        )

    outer = Network([2, 3], output=Activation(forward=forward, derivative=np.cos), seed=0)
    linear = Network([2, 3], seed=0)
    x = np.float32([0.5, -1.0])
    assert short(outer, x) is None
    assert same(outer.predict(x), forward(linear.predict(x)))
    assert short(Network([2, 3, 2], hidden=TWINS["tanh"]), x) is None
