"""Arrays of any shape, dtype and layout: taken as the numbers that they hold, or refused."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pymlp

pytestmark = pytest.mark.filterwarnings("ignore")  # that a training is short, that 1e308 overflows

COLUMNS = 3
NUMBERS = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "g"]
OTHERS = ["c8", "U3", "S3", "M8[s]", "m8[s]", "O"]


# ---- arrays --------------------------------------------------------------------------------------


class Own(np.ndarray[Any, Any]):
    """A subclass that says wrong things of itself where it is asked as itself."""

    def __array_function__(self, *_: Any) -> Any:
        raise AssertionError("a user's class is not to be asked")


def unaligned(x: Any) -> Any:
    raw = np.zeros(x.nbytes + 1, np.uint8)
    result = raw[1:].view(x.dtype).reshape(x.shape) if x.nbytes else x
    result[...] = x
    return result


def mapped(x: Any) -> Any:
    if not x.nbytes:
        return x
    with tempfile.NamedTemporaryFile() as file:
        file.write(x.tobytes())
        file.flush()
        return np.memmap(file.name, x.dtype, "r", shape=x.shape)


def read_only(x: Any) -> Any:
    x = x.copy()
    x.flags.writeable = False
    return x


LAYOUTS: list[Callable[[Any], Any]] = [
    np.ascontiguousarray,
    np.asfortranarray,
    lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    lambda x: x[::-1],
    lambda x: x[..., ::-1],
    lambda x: np.broadcast_to(x[:1], x.shape),
    lambda x: np.broadcast_to(x.ravel()[:1].reshape((1,) * x.ndim), x.shape) if x.size else x,
    lambda x: x.astype(x.dtype.newbyteorder(">")),
    lambda x: x.view(Own),
    unaligned,
    mapped,
    read_only,
]
OBJECTS = st.one_of(
    st.integers(-(2**65), 2**65), st.floats(), st.booleans(), st.none(), st.text(max_size=2),
    st.decimals(allow_nan=False, allow_infinity=False), st.fractions(), st.complex_numbers(),
)  # fmt: skip


def arrays_of(shape: tuple[int, ...], dtypes: list[str]) -> st.SearchStrategy[Any]:
    def of(dtype: str) -> st.SearchStrategy[Any]:
        array = hnp.arrays(dtype, shape, elements=OBJECTS if dtype == "O" else None)
        # Numbers of a usual size in half of the cases: nearly all of the others overflow.
        small = hnp.arrays("i1", shape, elements=st.integers(0, 1)).map(lambda x: x.astype(dtype))
        array = array | small if dtype in NUMBERS else array
        return st.tuples(array, st.sampled_from(LAYOUTS)).map(lambda pair: pair[1](pair[0]))

    return st.sampled_from(dtypes).flatmap(of)


def meaning(array: Any, dtype: str, finite: bool) -> Any:
    """Return the numbers of an array as a network takes them, or the exception it raises."""
    if array.dtype.kind not in "fiub":
        return TypeError
    native = np.array(array.tolist(), array.dtype.newbyteorder("=")).reshape(array.shape)
    if array.dtype.kind == "u" and (native >= 2**63).any():
        return ValueError
    with np.errstate(all="ignore"):
        result = native.astype(dtype)
    overflown = np.isfinite(native) & ~np.isfinite(result)
    if overflown.any() or (finite and not np.isfinite(result).all()):
        return ValueError
    return result


# ---- what takes them -----------------------------------------------------------------------------


def network(dtype: str) -> pymlp.Network:
    return pymlp.Network([COLUMNS, 4, 2], output="sigmoid", dtype=dtype, seed=0)


def fitted(dtype: str, X: Any, y: Any, **options: Any) -> Any:
    net = network(dtype)
    net.fit(X, y, epochs=1, batch_size=2, seed=0, **options)
    return net.parameters.copy()


def trained(dtype: str, X: Any, y: Any) -> Any:
    net = network(dtype)
    net.train_batch(X, y, optimizer=pymlp.Adam(), loss="mse")
    return net.parameters.copy()


def stack(dtype: str) -> pymlp.NetworkStack:
    return pymlp.NetworkStack([network(dtype), network(dtype)])


def stack_fitted(dtype: str, X: Any, y: Any) -> Any:
    both = stack(dtype)
    both.fit(X, y, epochs=1, loss="mse", seed=0)
    return both[1].parameters.copy()


OF_X: list[Callable[[str, Any], Any]] = [
    lambda dtype, X: network(dtype).predict(X),
    lambda dtype, X: network(dtype).forward(X).a[-1],
    lambda dtype, X: network(dtype).vjp(X, np.ones((len(X), 2)))[1],
    lambda dtype, X: stack(dtype).predict(X),
]
OF_BOTH: list[Callable[[str, Any, Any], Any]] = [
    lambda dtype, X, y: network(dtype).loss(X, y, loss="mse"),
    lambda dtype, X, y: network(dtype).evaluate(X, y, loss="mse")["loss"],
    lambda dtype, X, y: network(dtype).gradients(X, y, loss="mse")[1].flat,
    lambda dtype, X, y: network(dtype).vjp(X, y)[1],
    lambda dtype, X, y: fitted(dtype, X, y, loss="mse"),
    trained,
    lambda dtype, X, y: stack(dtype).loss(X, y, loss="mse"),
    stack_fitted,
]


def outcome(call: Callable[[], Any]) -> Any:
    """Return what a call returns, as bytes, or the class of what it raises."""
    try:
        return np.asarray(call()).tobytes()
    except (TypeError, ValueError, pymlp.TrainingDiverged) as error:
        return type(error)


def same(found: Any, expected: Any) -> None:
    if isinstance(expected, type):
        assert found is expected
    else:
        assert found == expected


dtypes = st.sampled_from(["float32", "float64"])


@pytest.mark.parametrize("call", OF_X)
@given(dtypes, arrays_of((5, COLUMNS), NUMBERS + OTHERS[:-1]))
def test_inputs(call: Callable[[str, Any], Any], dtype: str, X: Any) -> None:
    before = X.tobytes()
    expected = meaning(X, dtype, finite=False)
    if not isinstance(expected, type):
        expected = outcome(lambda: call(dtype, expected))
    same(outcome(lambda: call(dtype, X)), expected)
    assert X.tobytes() == before


@pytest.mark.parametrize("call", OF_BOTH)
@given(dtypes, arrays_of((5, COLUMNS), NUMBERS), arrays_of((5, 2), NUMBERS))
def test_inputs_and_targets(call: Any, dtype: str, X: Any, y: Any) -> None:
    found = outcome(lambda: call(dtype, X, y))
    numbers = [meaning(array, dtype, finite=False) for array in (X, y)]
    if any(isinstance(one, type) for one in numbers):
        assert found is ValueError
    else:
        same(found, outcome(lambda: call(dtype, *numbers)))


@given(dtypes, arrays_of((5, COLUMNS), NUMBERS), arrays_of((5,), [d for d in NUMBERS if d != "g"]))
def test_sample_weights(dtype: str, X: Any, weight: Any) -> None:
    def call(X: Any, weight: Any) -> Any:
        return fitted(dtype, X, np.zeros((5, 2)), loss="mse", sample_weight=weight)

    found = outcome(lambda: call(X, weight))
    numbers = [meaning(array, dtype, finite=True) for array in (X, weight)]
    if any(isinstance(one, type) for one in numbers):
        assert found is ValueError
    else:
        same(found, outcome(lambda: call(*numbers)))


@given(dtypes, hnp.arrays("O", (4, COLUMNS), elements=OBJECTS), st.booleans())
def test_objects(dtype: str, X: Any, as_list: bool) -> None:
    values = X.ravel().tolist()
    found = outcome(lambda: network(dtype).predict(X.tolist() if as_list else X))
    if not as_list and any(v is None or isinstance(v, str | complex) for v in values):
        assert found in (TypeError, ValueError)  # whichever value is the first
    elif any(isinstance(v, str | complex) or v is None for v in values):
        assert found in (TypeError, ValueError)
    elif any(isinstance(v, int) and not -(2**63) <= v < 2**63 for v in values):
        assert found is ValueError
    else:
        numbers = meaning(np.array([[float(v) for v in row] for row in X.tolist()]), dtype, False)
        if not isinstance(numbers, type):
            numbers = outcome(lambda: network(dtype).predict(numbers))
        assert found == numbers or any(isinstance(v, int) and abs(v) > 2**53 for v in values)


shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


@given(shapes, st.sampled_from(["f4", "f8", "i8"]))
@settings(max_examples=100)
def test_shapes(shape: tuple[int, ...], dtype: str) -> None:
    X, net = np.zeros(shape, dtype), network("float32")
    right = len(shape) == 2 and shape[0] > 0 and shape[1] == COLUMNS
    one = shape == (COLUMNS,)
    assert isinstance(outcome(lambda: net.predict(X)), bytes) == (right or one)
    for call in (OF_X[1], OF_X[2]):
        found = outcome(lambda call=call: call("float32", X) if X.ndim else call("float32", [X]))
        assert isinstance(found, bytes) == right
    y = np.zeros((*shape[:1], 2))
    for call in OF_BOTH[:6]:
        assert isinstance(outcome(lambda call=call: call("float32", X, y)), bytes) == right


@given(shapes)
@settings(max_examples=100)
def test_shapes_of_targets(shape: tuple[int, ...]) -> None:
    X, y = np.zeros((4, COLUMNS)), np.zeros(shape)
    for call in OF_BOTH[:6]:
        found = outcome(lambda call=call: call("float32", X, y))
        assert (bytes if shape == (4, 2) else type) is type(found)


@given(arrays_of((6,), [*NUMBERS, *OTHERS]))
def test_labels(y: Any) -> None:
    net, X = pymlp.Network([COLUMNS, 3], output="softmax", seed=0), np.ones((6, COLUMNS))
    found = outcome(lambda: net.loss(X, y))
    if y.dtype.kind not in "biuO":
        assert found is TypeError
    elif y.dtype.kind != "O":
        right = all(0 <= int(label) <= 2 for label in y.tolist())
        expected = np.array(y.tolist(), np.int64) if right else None
        same(found, ValueError if expected is None else outcome(lambda: net.loss(X, expected)))


# ---- frames --------------------------------------------------------------------------------------


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
@given(st.data())
def test_frames(library: str, data: Any) -> None:
    kinds = [d for d in NUMBERS if d not in ("g", "f2")]
    names = data.draw(st.permutations(["a", "b", "c"]))
    columns = {name: data.draw(arrays_of((5,), kinds)) for name in names}
    columns = {n: np.array(x.tolist(), x.dtype.newbyteorder("=")) for n, x in columns.items()}
    module = pytest.importorskip(library)
    frame = (module.table if library == "pyarrow" else module.DataFrame)(columns)
    for dtype in ("float32", "float64"):
        net = pymlp.Network([3, 4, 2], dtype=dtype, feature_names=["a", "b", "c"], seed=0)
        X = np.column_stack([columns[name] for name in ("a", "b", "c")])
        same(
            outcome(lambda net=net: net.predict(frame)),
            outcome(lambda net=net, X=X: net.predict(X)),
        )


# ---- models --------------------------------------------------------------------------------------


def estimated(X: Any, y: Any) -> Any:
    pytest.importorskip("sklearn")
    model = pymlp.MLPRegressor((4,), max_iter=2, random_state=0, dtype="float64")
    return model.fit(X, y).predict(X)


def tabulated(X: Any, y: Any) -> Any:
    model = pymlp.TabularRegressor(epochs=1, hidden_layer_sizes=4, random_state=0, n_members=1)
    return model.fit(X, y).predict(X)


@pytest.mark.parametrize("call", [estimated, tabulated])
@given(arrays_of((12, COLUMNS), NUMBERS + OTHERS), arrays_of((12,), NUMBERS + OTHERS))
def test_models(call: Any, X: Any, y: Any) -> None:
    found = outcome(lambda: call(X, y))
    if y.dtype.kind not in "fiubOUS":
        assert isinstance(found, type)
        return
    copies = [np.array(x.tolist(), x.dtype.newbyteorder("=")).reshape(x.shape) for x in (X, y)]
    same(found, outcome(lambda: call(*copies)))
