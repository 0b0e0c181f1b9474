"""Piecewise linear embeddings: ramps, their slopes, boundaries and where these come from."""

import copy
import itertools
import json
import pickle
import struct
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import FloatArray, Rng

import pymlp
from pymlp import Network
from pymlp.embeddings import Categories, Periodic, PiecewiseLinear


def showing_ramps(boundaries: Any, dtype: str) -> Network:
    """Return a network whose embedding shows them: its weights are the identity."""
    n = len(boundaries) - 1
    net = Network([1, 1], embedding=PiecewiseLinear({0: boundaries}, width=n + 1), dtype=dtype)
    views = net.embedding_parameters[0]
    views["weights"][:], views["biases"][:] = np.eye(n), 0
    return net


def exact_ramps(x: Any, boundaries: FloatArray) -> list[Fraction]:
    pairs = list(pairwise(Fraction(float(b)) for b in boundaries))
    shares = [(Fraction(float(x)) - low) / (high - low) for low, high in pairs]
    for t, share in enumerate(shares):
        limited = max(share, Fraction(0)) if t > 0 else share
        shares[t] = min(limited, Fraction(1)) if t + 1 < len(pairs) else limited
    return shares


# ---- what it is ----------------------------------------------------------------------------------
def test_it_stands_where_periodic_does() -> None:
    net, other = (
        Network([3, 5, 1], embedding=one)
        for one in (PiecewiseLinear({2: [0, 1, 2], 0: [1, 2]}), Periodic([0, 2]))
    )
    assert net.embedded_width == other.embedded_width == 9
    assert [view.shape for view in net.embedding_parameters[2].values()] == [(2, 3), (3,)]
    X = [[1.5, -7.0, 0.25]]
    assert net.embed(X)[0, [0, 4, 5]].tolist() == [1.5, -7.0, 0.25]


def test_parameters_begin_as_linear_layers_do(dtype: str) -> None:
    embedding = PiecewiseLinear({c: np.arange(65.0) for c in range(100)}, width=9)
    net = Network([100, 1], embedding=embedding, dtype=dtype, seed=1)
    for name in ("weights", "biases"):
        drawn = np.array([views[name] for views in net.embedding_parameters.values()])
        assert np.abs(drawn).max() == pytest.approx(1 / 8, rel=1e-2)
        assert drawn.std() == pytest.approx(1 / 8 / np.sqrt(3), rel=0.05)
    alone = Network([100, 1], embedding=PiecewiseLinear({7: range(65)}, width=9), seed=1)
    assert np.allclose(alone.embedding_parameters[7]["weights"], drawn_at(net, 7), atol=1e-7)


def drawn_at(net: Network, column: int) -> FloatArray:
    return net.embedding_parameters[column]["weights"]


# ---- ramps ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", [1, 2, 3, 17, 127])
def test_ramps_are_exact_to_a_few_roundings(size: int, dtype: str, rng: Rng) -> None:
    boundaries = np.sort(rng.standard_normal(size + 1)).astype(dtype)
    x = np.concatenate([boundaries, 3 * rng.standard_normal(50), [-1e6, 1e6]]).astype(dtype)
    found = showing_ramps(boundaries, dtype).embed(x[:, np.newaxis])
    assert np.array_equal(found[:, 0], x)
    expected = np.array([[float(r) for r in exact_ramps(value, boundaries)] for value in x])
    assert np.allclose(found[:, 1:], expected, rtol=4 * np.finfo(dtype).eps, atol=1e-37)


def test_at_boundaries_ramps_are_0_and_1_exactly(dtype: str, rng: Rng) -> None:
    boundaries = np.unique(rng.standard_cauchy(100).astype(dtype))
    n = len(boundaries) - 1
    found = showing_ramps(boundaries, dtype).embed(boundaries[:, np.newaxis])[:, 1:]
    assert np.array_equal(found, np.tri(n + 1, n, -1))


def test_between_neighbours_they_do_not_decrease(dtype: str, rng: Rng) -> None:
    boundaries = np.sort(rng.standard_normal(9)).astype(dtype)
    x = np.sort(rng.standard_normal(3000)).astype(dtype)
    assert (np.diff(showing_ramps(boundaries, dtype).embed(x[:, None]), axis=0) >= 0).all()


def test_they_are_finite_where_the_mathematics_is(dtype: str) -> None:
    info = np.finfo(dtype)
    most, least = float(info.max), 4 * float(info.smallest_normal)
    net = showing_ramps([-most, 0, most], dtype)
    found = net.embed(np.array([[-most], [-most / 2], [0], [most / 2], [most]], dtype))[:, 1:]
    assert found.tolist() == [[0, 0], [0.5, 0], [1, 0], [1, 0.5], [1, 1]]
    net.embedding_parameters[0]["weights"][:] *= most
    net.weights[0][:] = 1
    assert np.isfinite(net.input_gradients([[most / 2]], [[1.0]])).all()
    tiny = showing_ramps([0, least, 2 * least], dtype)
    found = tiny.embed(np.array([[least / 2], [least], [1.5 * least], [3 * least]], dtype))[:, 1:]
    assert found.tolist() == [[0.5, 0], [1, 0], [1, 0.5], [1, 2]]
    tiny.weights[0][:] = 0
    assert tiny.input_gradients([[0.0]], [[1.0]]) == 0


def test_beyond_the_boundaries_it_is_a_straight_line(dtype: str) -> None:
    net = Network(
        [1, 1], embedding=PiecewiseLinear({0: [1, 2, 4]}), dtype=dtype, output="linear", seed=0
    )
    for side in ([-1e3, -2e3, -3e3], [1e3, 2e3, 3e3]):
        first, second, third = net.predict(np.array(side)[:, np.newaxis])[:, 0]
        assert third - second == pytest.approx(second - first, rel=1e-5)


def test_the_slope_at_a_boundary_is_that_of_the_ramp_that_begins_there(dtype: str) -> None:
    net = showing_ramps([0, 1, 3, 7], dtype)
    net.weights[0][:, 0] = [0, 1, 1, 1]
    x = np.array([[-5], [0], [0.5], [1], [2.9], [3], [6.9], [7], [99]], dtype)
    expected = [1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25]
    assert net.input_gradients(x, np.ones((9, 1)))[:, 0].tolist() == expected
    assert net.vjp(x, np.ones((9, 1)))[1][:, 0].tolist() == expected
    net.weights[0][0] = 10
    assert (net.input_gradients(x, np.ones((9, 1)))[:, 0] == 10 + np.array(expected)).all()


def test_nan_stays_in_its_row(rng: Rng) -> None:
    net = Network([2, 1], embedding=PiecewiseLinear({1: [-1, 0, 1]}), output="linear", seed=0)
    X = rng.standard_normal((20, 2))
    expected, slopes = net.predict(X), net.input_gradients(X, np.ones((20, 1)))
    X[7, 1] = np.nan
    found, of_x = net.predict(X), net.input_gradients(X, np.ones((20, 1)))
    assert np.isnan(found[7]).all()
    assert np.isnan(of_x[7, 1])
    assert np.array_equal(np.delete(found, 7), np.delete(expected, 7))
    assert np.array_equal(np.delete(of_x, 7, axis=0), np.delete(slopes, 7, axis=0))


def test_alike_columns_side_by_side_are_what_they_are_apart(rng: Rng) -> None:
    """The core joins columns with the same boundaries."""
    X = rng.standard_normal((50, 3)).astype(np.float32)
    alike = Network([3, 1], embedding=PiecewiseLinear({c: [-1, 0, 1] for c in range(3)}), seed=0)
    apart = Network(
        [3, 1], embedding=PiecewiseLinear({0: [-1, 0, 1], 1: [-1, 0, 1.1], 2: [-1, 0, 1]}), seed=0
    )
    assert np.array_equal(alike.parameters, apart.parameters)
    others = [0, 1, 2, 3, 8, 9, 10, 11]
    assert np.array_equal(alike.embed(X)[:, others], apart.embed(X)[:, others])


# ---- boundaries from samples ---------------------------------------------------------------------
def test_bins_hold_as_many_samples_each(rng: Rng) -> None:
    X = np.column_stack([rng.lognormal(0, 3, 1000), rng.standard_normal(1000)])
    embedding = PiecewiseLinear.from_samples(X, bins=10, width=3)
    assert [column for column, _ in embedding.boundaries] == [0, 1]
    for column, boundaries in embedding.boundaries:
        assert len(boundaries) == 11
        counts, _ = np.histogram(X[:, column].astype(np.float32), boundaries)
        assert (np.abs(counts - 100) <= 1).all()
        assert (boundaries[0], boundaries[-1]) == tuple(
            np.float32([X[:, column].min(), X[:, column].max()])
        )
    assert embedding.width == 3


def test_few_values_make_few_bins_and_one_value_none() -> None:
    X = np.column_stack([np.arange(100) % 3, np.zeros(100), np.arange(100)])
    found = dict(PiecewiseLinear.from_samples(X).boundaries)
    assert found.keys() == {0, 2}
    assert found[0] == (0, 1, 2)
    apart = r"column 1 must hold values at least 4.7e-38 apart in float32, .* 0"
    with pytest.raises(ValueError, match=apart):
        PiecewiseLinear.from_samples(X, columns=[0, 1])
    with pytest.raises(ValueError, match="X must have a column that holds more than one value"):
        PiecewiseLinear.from_samples(X[:, [1]])


def test_neighbours_are_distinct_in_the_networks_dtype() -> None:
    X = np.column_stack([1.7e9 + np.arange(500.0)])
    floats = PiecewiseLinear.from_samples(X, bins=128)
    doubles = PiecewiseLinear.from_samples(X, bins=128, dtype="float64")
    assert len(floats.boundaries[0][1]) < 6
    assert len(doubles.boundaries[0][1]) == 129
    Network([1, 1], embedding=floats)
    Network([1, 1], embedding=doubles, dtype="float64")
    with pytest.raises(
        ValueError, match=r"boundaries\[0\] must be strictly increasing in float32, by at"
    ):
        Network([1, 1], embedding=doubles)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_samples_at_the_ends_of_a_dtype_make_boundaries(dtype: Any) -> None:
    most, least = np.finfo(dtype).max, np.finfo(dtype).smallest_subnormal
    for values in ([-most, most, 0], [0, least, 1], [least, 3 * least, 1, most]):
        X = np.array(values, dtype)[:, np.newaxis]
        embedding = PiecewiseLinear.from_samples(X, bins=5, dtype=dtype)
        net = Network([1, 1], embedding=embedding, dtype=dtype, seed=0)
        assert np.isfinite(net.embed(X)).all()


def test_a_frame_is_read_and_its_columns_are_named() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"age": [20.0, 30.0, 40.0], "size": [1.0, np.nan, 2.0]})
    assert PiecewiseLinear.from_samples(frame, [0], bins=2).boundaries == ((0, (20, 30, 40)),)
    with pytest.raises(ValueError, match=r"finite in column 1 \('size'\), .* X\[1, 1\] is nan"):
        PiecewiseLinear.from_samples(frame)


# ---- the surface ---------------------------------------------------------------------------------
class Zero:
    def __index__(self) -> int:
        return 0


BAD: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: PiecewiseLinear({}), ValueError, "boundaries must name at least one column"),
    (lambda: PiecewiseLinear([0, 1]), TypeError, "boundaries must be a dict"),  # type: ignore[arg-type]
    (lambda: PiecewiseLinear({0: 3}), TypeError, r"boundaries\[0\] must be a sequence"),
    (lambda: PiecewiseLinear({0: "01"}), TypeError, r"boundaries\[0\] must be a sequence"),
    (lambda: PiecewiseLinear({0: b"ab"}), TypeError, r"boundaries\[0\] must be a sequence"),
    (lambda: PiecewiseLinear({0: {1, 2}}), TypeError, r"\[0\] must be a sequence .*, not set"),
    (lambda: PiecewiseLinear({0: {0: 1}}), TypeError, r"\[0\] must be a sequence .*, not dict"),
    (lambda: PiecewiseLinear({0: np.array(3.0)}), TypeError, r"\[0\] must be a sequence"),
    (lambda: PiecewiseLinear({0: np.array([False, True])}), TypeError, r"\[0\]\[0\] must be a num"),
    (lambda: PiecewiseLinear({0: np.ma.array([0, 1])}), TypeError, "must not be a masked array"),
    (
        lambda: PiecewiseLinear({0: itertools.count()}),
        ValueError,
        "to 129 numbers, not 130 at least",
    ),
    (lambda: PiecewiseLinear({0: [0, 1], Zero(): [2, 3]}), ValueError, "not name a column twice"),
    (lambda: Categories({0: 3, Zero(): 2}), ValueError, "sizes must not name a column twice"),
    (lambda: Network([1, 1], embedding=np.array(3)), TypeError, "embedding must be one of"),
    (lambda: PiecewiseLinear.from_samples([[1]], np.array(0)), TypeError, "columns must be a seq"),
    (lambda: PiecewiseLinear({0: ["a", 1]}), TypeError, r"boundaries\[0\]\[0\] must be a number"),
    (lambda: PiecewiseLinear({0: [1]}), ValueError, r"\[0\] must have from 2 to 129 numbers"),
    (lambda: PiecewiseLinear({0: range(130)}), ValueError, "from 2 to 129 numbers, not 130"),
    (lambda: PiecewiseLinear({2: [0, np.nan]}), ValueError, r"boundaries\[2\]\[1\] must be finite"),
    (lambda: PiecewiseLinear({2: [0, np.inf]}), ValueError, r"boundaries\[2\]\[1\] must be finite"),
    (
        lambda: PiecewiseLinear({2: [0, 1, 1]}),
        ValueError,
        r"\[2\] must be strictly increasing, but",
    ),
    (lambda: PiecewiseLinear({-1: [0, 1]}), ValueError, "a column of boundaries must be at least"),
    (lambda: PiecewiseLinear({0: [0, 1]}, width=1), ValueError, "width must be at least 2"),
    (lambda: PiecewiseLinear({0: [0, 1]}, width=129), ValueError, "width must be below 129"),
    (
        lambda: Network([1, 1], embedding=PiecewiseLinear({1: [0, 1]})),
        ValueError,
        "column 1, but there are 1",
    ),
    (
        lambda: Network([1, 1], embedding=PiecewiseLinear({0: [1, 1 + 1e-12]})),
        ValueError,
        r"boundaries\[0\] must be strictly increasing in float32",
    ),
    (
        lambda: Network([1, 1], embedding=PiecewiseLinear({0: [0, 1e39]})),
        ValueError,
        r"boundaries\[0\] must be within the range of float32",
    ),
    (
        lambda: Network([2, 1], embedding=[PiecewiseLinear({0: [0, 1]}), Periodic([0])]),
        ValueError,
        "names column 0 twice",
    ),
    (lambda: PiecewiseLinear.from_samples([1.0, 2.0]), ValueError, "X must have shape"),
    (lambda: PiecewiseLinear.from_samples([["a"], ["b"]]), TypeError, "X must hold real numbers"),
    (lambda: PiecewiseLinear.from_samples([[1], [2]], bins=0), ValueError, "bins must be at least"),
    (lambda: PiecewiseLinear.from_samples([[1], [2]], bins=129), ValueError, "bins must be below"),
    (lambda: PiecewiseLinear.from_samples([[1], [2]], [1]), ValueError, "column 1, but X has 1"),
    (lambda: PiecewiseLinear.from_samples([[1], [2]], width=1), ValueError, "width must be at"),
    (lambda: PiecewiseLinear.from_samples([[1], [2]], dtype="f2"), TypeError, "dtype must be"),
    (
        lambda: PiecewiseLinear.from_samples([[0, 1], [2, np.inf]]),
        ValueError,
        r"finite in column 1",
    ),
    (lambda: PiecewiseLinear.from_samples([[0], [1e39]]), ValueError, r"in float32, but X\[1, 0\]"),
]


@pytest.mark.parametrize(("make", "error", "message"), BAD)
def test_bad_arguments(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_values_are_equal_hashed_and_immutable() -> None:
    one = PiecewiseLinear({2: np.array([0, 1]), 0: [-0.0, 2.5]})
    same = PiecewiseLinear({0: (0, 2.5), 2: range(2)})
    assert one == same != PiecewiseLinear({0: (0, 2.5), 2: (0, 2)})
    assert hash(one) == hash(same)
    assert repr(one) == "PiecewiseLinear({0: [0, 2.5], 2: [0, 1]}, width=4)"
    assert eval(repr(one), vars(pymlp.embeddings)) == one
    many = PiecewiseLinear({c: np.linspace(0, 1, 17) for c in range(9)})
    assert "0: [0, ..., 1, 17 in all]" in repr(many)
    assert "... (9 in all)}, width=4)" in repr(many)
    for value in (one, many):
        assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == value
    with pytest.raises(AttributeError, match="immutable"):
        one.width = 3


def fitted(rng: Rng, dtype: str = "float32") -> tuple[Network, FloatArray]:
    X = rng.standard_normal((90, 3))
    X[:, 1] = rng.integers(4, size=90)
    embedding = [Categories({1: 4}), PiecewiseLinear.from_samples(X, [0, 2], dtype=dtype)]
    net = Network([3, 6, 2], embedding=embedding, dtype=dtype, seed=1)
    net.fit(X, rng.standard_normal((90, 2)), epochs=2)
    return net, X


def test_it_is_kept_by_copies_pickles_and_files(tmp_path: Path, dtype: str, rng: Rng) -> None:
    net, X = fitted(rng, dtype)
    net.save(tmp_path / "net")
    for twin in (net.copy(), pickle.loads(pickle.dumps(net)), pymlp.load(tmp_path / "net")):
        assert twin.embedding == net.embedding
        assert (repr(twin), twin.summary()) == (repr(net), net.summary())
        assert np.array_equal(twin.predict(X), net.predict(X))
        assert np.array_equal(twin.parameters, net.parameters)
    assert "PiecewiseLinear({0: [" in net.summary()
    assert "PiecewiseLinear" in net._repr_html_()


def with_boundaries(path: Path, change: Callable[[list[Any]], None]) -> None:
    """Edit those in a file: [[column, numbers], ...]."""
    data = path.read_bytes()
    (n,) = struct.unpack("<Q", data[:8])
    head = json.loads(data[8 : 8 + n])
    stored = json.loads(head["__metadata__"]["pymlp"])
    change(stored["network"]["embedding"][1][1]["boundaries"])
    head["__metadata__"]["pymlp"] = json.dumps(stored)
    text = json.dumps(head).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + n :])


DAMAGES: list[Callable[[list[Any]], Any]] = [
    lambda boundaries: boundaries[0][1].pop(),  # as many weights as before
    lambda boundaries: boundaries[0][1].reverse(),
    lambda boundaries: boundaries[0][1].__setitem__(3, float("nan")),
    lambda boundaries: boundaries[0][1].__setitem__(16, 1e300),
    lambda boundaries: boundaries[0][1].__setitem__(1, None),
    lambda boundaries: boundaries[0].__setitem__(0, 7),
    lambda boundaries: boundaries[0].__setitem__(1, 7),
    lambda boundaries: boundaries.append(boundaries[0]),
    lambda boundaries: boundaries.clear(),
    lambda boundaries: boundaries[0].clear(),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_are_refused(damage: Callable[[list[Any]], None], tmp_path: Path) -> None:
    net, _ = fitted(np.random.default_rng(0))
    net.save(tmp_path / "net")
    with_boundaries(tmp_path / "net", damage)
    with pytest.raises(pymlp.FileFormatError):
        pymlp.load(tmp_path / "net")


def test_stacks_have_one_set_of_boundaries(rng: Rng) -> None:
    X, y = rng.standard_normal((60, 2)), rng.standard_normal(60)
    embedding = PiecewiseLinear.from_samples(X)
    arrays = [(column, np.array(boundaries)) for column, boundaries in embedding.boundaries]
    nets = [Network([2, 5, 1], embedding=embedding, seed=seed) for seed in range(3)]
    alone = [net.copy() for net in nets]
    stack = pymlp.NetworkStack(nets)
    stack.fit(X, y, epochs=3, seed=1)
    for net, twin in zip(nets, alone, strict=True):
        twin.fit(X, y, epochs=3, seed=1)
        assert np.array_equal(net.parameters, twin.parameters)
    assert np.array_equal(stack.predict(X)[1], nets[1].predict(X))
    for other, said in [
        (PiecewiseLinear({0: [0, 1]}), r"embedding \[PiecewiseLinear\({0: \[0, 1\]}"),
        (PiecewiseLinear({c: [b[0], *b[2:]] for c, b in embedding.boundaries}), "embedding"),
        (PiecewiseLinear({c: [b[0], *(b[1:-1] + 1e-3), b[-1]] for c, b in arrays}), "another emb"),
    ]:
        with pytest.raises(ValueError, match=rf"architecture, but networks\[1\] has {said}"):
            pymlp.NetworkStack([nets[0], Network([2, 5, 1], embedding=other)])


def test_groups_freezing_and_data_driven_starts_know_it(rng: Rng) -> None:
    net, X = fitted(rng)
    before = net.copy()
    y = rng.standard_normal((90, 2))
    size = sum(t.size for t in net._architecture.tensors if t.kind == "embedding")
    net.fit(X, y, epochs=1, optimizer=pymlp.AdamW(groups={"embedding": {"learning_rate": 0}}))
    assert np.array_equal(net.parameters[:size], before.parameters[:size])
    net.fit(X, y, epochs=1, freeze=(0,))
    assert np.array_equal(net.parameters[:size], before.parameters[:size])
    net.fit(X, y, epochs=1)
    assert not np.isclose(net.parameters[:size], before.parameters[:size], rtol=0, atol=0).any()
    net.initialize_from(X)
    assert net.forward(X).z[1].std(axis=0) == pytest.approx(1, rel=1e-3)


def test_plan_diagnosis_and_derivatives_look_through_it(rng: Rng) -> None:
    net, X = fitted(rng, "float64")
    first = net.plan(batch_size=64, threads=1).operations[0]
    assert (first.kind, first.n_in, first.n_out) == ("embedding", 3, 16)
    assert first.parameters == 4 * 8 + 2 * (16 * 3 + 3)
    names = pymlp.diagnose(net, X, rng.standard_normal((90, 2))).inputs.names
    assert names[:5] == ("0", "0.1", "0.2", "0.3", "1")
    assert net.check_gradients(X, rng.standard_normal((90, 2))) < 1e-5
    names = {pymlp.derivatives._place(net._architecture, i) for i in range(net.n_parameters)}
    assert "embedding_parameters[2]['weights'][15, 2]" in names


@pytest.mark.parametrize("optimizer", ["adamw", "lbfgs", "sgd"])
def test_it_learns_steps_that_a_plain_network_does_not(optimizer: str) -> None:
    rng = np.random.default_rng(0)
    X = rng.uniform(0, 1, (600, 1))
    y = rng.standard_normal(12)[(12 * X[:, 0]).astype(int)]
    errors = []
    for embedding in (None, PiecewiseLinear.from_samples(X, bins=48, width=8)):
        net = Network([1, 32, 1], hidden="tanh", embedding=embedding, seed=0)
        rate = {"adamw": 0.01, "sgd": 0.05, "lbfgs": None}[optimizer]
        history = net.fit(X, y, epochs=100, optimizer=optimizer, learning_rate=rate)
        errors.append(history.loss[-1])
    assert errors[1] < 0.4 * errors[0]
