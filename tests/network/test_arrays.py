"""What goes in and out of a network: batches, single samples, and arrays of any kind."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import AssertClose, FloatArray, Rng, random_inputs, random_network

import pymlp
from pymlp import Network


def test_stack_of_linear_layers_is_one_map(dtype: str, rng: Rng, assert_close: AssertClose) -> None:
    deep = random_network(rng, [5, 7, 6, 2], hidden="linear", dtype=dtype)
    flat = Network([5, 2], dtype=dtype)
    w, b = np.eye(5), np.zeros(5)
    for layer in deep.layers:
        w, b = w @ layer.weights.astype(float), b @ layer.weights + layer.biases
    flat.weights[0][:], flat.biases[0][:] = w, b
    X = random_inputs(rng, 9, deep)
    assert_close(deep.predict(X), flat.predict(X), "gradients")


def test_one_sample_is_a_batch_of_one(dtype: str, rng: Rng, assert_close: AssertClose) -> None:
    net = random_network(rng, [6, 9, 3], dtype=dtype, hidden="tanh", output="softmax")
    X = random_inputs(rng, 40, net)
    Y = net.predict(X)
    assert Y.shape == (40, 3)
    for x, y in zip(X, Y, strict=True):
        assert net.predict(x).shape == (3,)
        assert (net.predict(x) == net.predict(x[None])[0]).all()
        assert_close(net.predict(x), y, "kernel", scale=1.0)
    assert (net(X) == Y).all()


def test_out_receives_the_result(dtype: str, rng: Rng) -> None:
    net = random_network(rng, [6, 9, 3], dtype=dtype)
    X = random_inputs(rng, 40, net)
    out, one = np.full((40, 3), np.nan, dtype), np.full(3, np.nan, dtype)
    assert net.predict(X, out=out) is out
    assert (out == net.predict(X)).all()
    assert net.predict(X[0], out=one) is one
    assert (one == net.predict(X[0])).all()
    part = np.zeros((60, 3), dtype)
    net.predict(X, out=part[10:50])
    assert (part[10:50] == out).all()
    assert not part[:10].any()
    assert not part[50:].any()


def unaligned(x: FloatArray) -> FloatArray:
    raw = np.zeros(x.nbytes + 1, np.uint8)
    result = raw[1:].view(x.dtype).reshape(x.shape)
    result[:] = x
    assert not result.flags.aligned
    return result


ARRAY_LIKES: dict[str, Callable[[FloatArray], Any]] = {
    "lists": lambda x: x.tolist(),
    "list of rows": list,
    "tuple of tuples": lambda x: tuple(map(tuple, x.tolist())),
    "integers": lambda x: x.astype(np.int64),
    "small integers": lambda x: x.astype(np.int8),
    "half precision": lambda x: x.astype(np.float16),
    "double": lambda x: x.astype(np.float64),
    "single": lambda x: x.astype(np.float32),
    "Fortran order": np.asfortranarray,
    "every other column": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "rows reversed": lambda x: x[::-1].copy()[::-1],
    "unaligned": unaligned,
    "big endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "matrix": lambda x: np.matrix(x),
}


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("convert", ARRAY_LIKES.values(), ids=ARRAY_LIKES)
def test_array_likes_are_taken_and_never_written_to(
    convert: Callable[[FloatArray], Any], dtype: str, rng: Rng
) -> None:
    X, Y = rng.integers(-9, 9, (12, 5)).astype(dtype), rng.integers(0, 2, (12, 3)).astype(dtype)
    w = rng.integers(1, 4, (1, 12)).astype(dtype)
    net = random_network(rng, [5, 4, 3], hidden="tanh", output="sigmoid", dtype=dtype)
    given = convert(X), convert(Y), convert(w)[0]
    kept = copy.deepcopy(given)
    for array in given:
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    weight = np.asarray(given[2]).ravel() if isinstance(given[2], np.matrix) else given[2]
    assert (net.predict(given[0]) == net.predict(X)).all()
    assert type(net.predict(given[0])) is np.ndarray
    _, grads = net.gradients(given[0], given[1], sample_weight=weight)
    assert (grads.flat == net.gradients(X, Y, sample_weight=w[0])[1].flat).all()
    assert (net.vjp(given[0], given[1])[1] == net.vjp(X, Y)[1]).all()
    trained = net.copy()
    net.fit(given[0], given[1], sample_weight=weight, epochs=2, batch_size=5, validation=0.2)
    trained.fit(X, Y, sample_weight=w[0], epochs=2, batch_size=5, validation=0.2)
    assert (net.parameters == trained.parameters).all()
    for after, before in zip(given, kept, strict=True):
        np.testing.assert_array_equal(np.asarray(after), np.asarray(before))


def test_arrays_of_the_right_kind_are_not_copied(dtype: str, rng: Rng) -> None:
    net = random_network(rng, [3, 2], dtype=dtype)
    X = random_inputs(rng, 4, net)
    assert net.forward(X).a[0] is X or np.shares_memory(net.forward(X).a[0], X)


@pytest.mark.parametrize("labels", [np.uint8, np.int64, np.int32, np.bool_, list])
def test_labels_of_any_integer_kind(labels: Any, rng: Rng) -> None:
    net = random_network(rng, [3, 2], output="softmax")
    X, y = random_inputs(rng, 6, net), np.array([0, 1, 1, 0, 1, 0])
    given = y.tolist() if labels is list else y.astype(labels)
    assert net.loss(X, given) == net.loss(X, y) == net.loss(X, np.eye(2)[y])


def test_targets_of_one_output_may_be_a_vector(rng: Rng) -> None:
    net = random_network(rng, [3, 1])
    X, y = random_inputs(rng, 6, net), rng.normal(size=6)
    assert net.loss(X, y) == net.loss(X, y[:, None])


def test_number_of_threads_is_set_for_all_calls(rng: Rng) -> None:
    before = pymlp.get_num_threads()
    try:
        pymlp.set_num_threads(3)
        assert pymlp.get_num_threads() == 3
        assert pymlp.show_config()["threads"] == 3
    finally:
        pymlp.set_num_threads(before)


def test_numbers_too_small_for_float32_are_rounded_whatever_numpy_is_told() -> None:
    net = pymlp.Network([2, 1], seed=0)
    with np.errstate(all="raise"):
        tiny = net.predict([[1e-60, 1.0]])
        net.weights[0] = [[1e-60], [1.0]]
    assert np.array_equal(tiny, pymlp.Network([2, 1], seed=0).predict([[0.0, 1.0]]))
    assert net.weights[0][0, 0] == 0.0
