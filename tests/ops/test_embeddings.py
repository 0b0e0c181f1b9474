"""Embeddings, beside what every operation is walked through for: starts, codes, how exact."""

import copy
import itertools
import pickle
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import FloatArray, Rng

import pymlp
from pymlp import Network
from pymlp.embeddings import Categories, Embedding, Periodic


# ---- what it is ----------------------------------------------------------------------------------
def test_the_first_layer_reads_the_embedded_inputs_in_the_order_of_columns() -> None:
    net = Network(
        [5, 3, 1], embedding=[Categories({4: 6, 1: 2}, width=3), Periodic([2], width=2)], seed=0
    )
    assert (net.widths, net.embedded_width) == ((5, 3, 1), 10)
    assert net.weights[0].shape == (10, 3)
    assert list(net.embedding_parameters) == [1, 2, 4]
    X = [[10.0, 1.0, 20.0, 30.0, 5.0]]
    embedded = net.embed(X)[0]
    tables = net.embedding_parameters
    assert embedded[[0, 4, 6]].tolist() == [10.0, 20.0, 30.0]
    assert (embedded[1:4] == tables[1]["table"][1]).all()
    assert (embedded[7:] == tables[4]["table"][5]).all()


def test_without_an_embedding_the_inputs_are_as_they_are() -> None:
    net = Network([2, 1])
    assert (net.embedding, net.embedded_width, dict(net.embedding_parameters)) == ((), 2, {})
    assert net.embed([[1, 2]]).tolist() == [[1.0, 2.0]]


def test_parameters_begin_as_documented(dtype: str) -> None:
    net = Network(
        [300, 1],
        embedding=[Categories({7: 3000}), Periodic(frequencies=64, sigma=0.3)],
        dtype=dtype,
        seed=3,
    )
    columns = [views for column, views in net.embedding_parameters.items() if column != 7]
    assert len(columns) == 299
    drawn = {name: np.array([views[name] for views in columns]) for name in columns[0]}
    assert drawn["frequencies"].std() == pytest.approx(0.3, rel=0.02)
    assert abs(drawn["frequencies"].mean()) < 0.01
    assert np.abs(drawn["phases"]).max() == pytest.approx(np.pi, rel=1e-3)
    for name in ("weights", "biases"):
        assert np.abs(drawn[name]).max() == pytest.approx(1 / 8, rel=1e-2)
        assert drawn[name].std() == pytest.approx(1 / 8 / np.sqrt(3), rel=0.05)
    table = net.embedding_parameters[7]["table"]
    assert table.std() == pytest.approx(1.0, rel=0.02)
    assert len(np.unique(drawn["frequencies"])) > 0.99 * drawn["frequencies"].size


def test_a_columns_start_depends_on_no_other_and_on_no_initialiser() -> None:
    one = Network([3, 2], embedding=Periodic([2]), seed=5, init="zeros")
    both = Network([3, 4], embedding=[Categories({0: 9}), Periodic([1, 2])], seed=5)
    for name, values in one.embedding_parameters[2].items():
        assert np.array_equal(values, both.embedding_parameters[2][name])
    other = Network([3, 4], embedding=Periodic([2]), seed=6)
    phases = one.embedding_parameters[2]["phases"]
    assert not np.array_equal(phases, other.embedding_parameters[2]["phases"])


def test_parameters_come_first_column_by_column() -> None:
    net = Network([2, 1], embedding=[Periodic([1], frequencies=2, width=3), Categories({0: 2})])
    net.parameters[:] = np.arange(net.n_parameters)
    columns = net.embedding_parameters
    assert columns[0]["table"].ravel().tolist() == list(range(16))
    assert columns[1]["frequencies"].tolist() == [16.0, 17.0]
    assert columns[1]["phases"].tolist() == [18.0, 19.0]
    assert columns[1]["weights"].tolist() == [[20.0, 21.0], [22.0, 23.0]]
    assert columns[1]["biases"].tolist() == [24.0, 25.0]
    assert net.weights[0][0] == 26.0
    with pytest.raises(TypeError):
        columns[0]["table"] = 1  # type: ignore[index]


# ---- how exact it is -----------------------------------------------------------------------------
@pytest.mark.parametrize("largest", [1.0, 1e3, 1e5, 2e6])
def test_cosines_are_exact_however_large_the_angle(largest: float, dtype: str, rng: Rng) -> None:
    """The identity for weights shows them."""
    n = 20
    net = Network([1, 1], embedding=Periodic(frequencies=n, width=n + 1), dtype=dtype, seed=0)
    views = net.embedding_parameters[0]
    views["frequencies"][:] = rng.uniform(0.5, 1, n)
    views["weights"][:], views["biases"][:] = np.eye(n), 0
    x = (largest * rng.uniform(-1, 1, (200, 1))).astype(dtype)
    turns = np.array(
        [
            [float(Fraction(float(a)) * Fraction(float(f)) % 1) for f in views["frequencies"]]
            for a in x[:, 0]
        ]
    )
    exact = np.cos(2 * np.pi * turns + views["phases"].astype(np.float64))
    error = np.abs(net.embed(x)[:, 1:] - exact).max()
    assert error < 2.0 ** (-21 if dtype == "float32" else -49)


@pytest.mark.parametrize("x", [3e7, -1e30, 3e37])
def test_beyond_all_angles_it_is_bounded(x: float) -> None:
    net = Network([1, 1], embedding=Periodic(sigma=1.0), seed=0)
    assert np.abs(net.embed([[x]])[0, 1:]).max() < 10
    _, dX = net.vjp([[x]], [[1.0]])
    assert np.isfinite(dX).all()


def test_nan_stays_in_its_row(rng: Rng) -> None:
    net = Network([2, 4, 1], embedding=Periodic(), seed=0)
    X = rng.standard_normal((20, 2))
    expected = net.predict(X)
    X[7, 1] = np.nan
    found = net.predict(X)
    assert np.isnan(found[7]).all()
    assert np.array_equal(np.delete(found, 7), np.delete(expected, 7))
    with pytest.raises(ValueError, match="X must be finite"):
        net.fit(X, expected, epochs=1)


# ---- codes ---------------------------------------------------------------------------------------
CALLS: dict[str, Callable[[Network, FloatArray, FloatArray], Any]] = {
    "predict": lambda net, X, Y: net.predict(X),
    "predict one": lambda net, X, Y: net.predict(X[3]),
    "predict float32": lambda net, X, Y: net.predict(X.astype(np.float32)),
    "embed": lambda net, X, Y: net.embed(X),
    "forward": lambda net, X, Y: net.forward(X),
    "loss": lambda net, X, Y: net.loss(X, Y),
    "evaluate": lambda net, X, Y: net.evaluate(X, Y),
    "gradients": lambda net, X, Y: net.gradients(X, Y),
    "vjp": lambda net, X, Y: net.vjp(X, Y),
    "fit": lambda net, X, Y: net.fit(X, Y, epochs=1),
    "validation": lambda net, X, Y: net.fit(np.zeros((3, 3)), Y[:3], validation=(X, Y), epochs=1),
    "lbfgs": lambda net, X, Y: net.fit(X, Y, epochs=1, optimizer="lbfgs"),
    "train_batch": lambda net, X, Y: net.train_batch(X, Y, optimizer=pymlp.SGD()),
    "check_gradients": lambda net, X, Y: net.check_gradients(X, Y),
    "initialize_from": lambda net, X, Y: net.initialize_from(X),
    "diagnose": lambda net, X, Y: pymlp.diagnose(net, X, Y),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("code", [-1.0, 0.5, 5.0, 1e9, np.nan, np.inf])
def test_codes_that_name_no_category_are_refused(call: str, code: float) -> None:
    net = Network([3, 2], embedding=Categories({1: 5}), seed=0)
    X, Y = np.zeros((7, 3)), np.zeros((7, 2))
    X[3, 1] = code
    before = pickle.dumps(net)
    place = r"X\[1\]" if call == "predict one" else r"X\[3, 1\]"
    with pytest.raises(ValueError, match=f"codes from 0 to 4 in column 1, but {place} is {code}"):
        CALLS[call](net, X, Y)
    assert pickle.dumps(net) == before


def test_a_wrong_code_is_told_by_the_name_of_its_column() -> None:
    net = Network([2, 1], embedding=Categories({1: 5}), feature_names=["age", "city"])
    with pytest.raises(ValueError, match=r"in column 1 \('city'\)"):
        net.predict([[1.0, 7.0]])


@pytest.mark.parametrize("code", [-1.0, 1e30, -np.inf, np.inf, np.nan, 4.5, 5.0])
def test_the_core_reads_nothing_outside_a_table(code: float, dtype: str) -> None:
    net = Network([1, 2], embedding=Categories({0: 5}, width=3), dtype=dtype, seed=0)
    x = np.full((3, 1), code, dtype)
    rows = net._core.embed(x, 1)
    assert any((rows[0] == row).all() for row in net.embedding_parameters[0]["table"])
    flat, dX = np.empty_like(net.parameters), np.ones_like(x)
    net._core.pull_back(x, np.ones((3, 2), dtype), flat, dX, 1)
    assert np.isfinite(flat).all()
    assert not dX.any()


def test_codes_have_no_gradient_and_only_rows_that_are_seen_do(rng: Rng) -> None:
    net = Network([2, 3, 1], embedding=Categories({1: 6}, width=2), dtype="float64", seed=0)
    X = np.column_stack([rng.standard_normal(9), rng.choice([0, 2, 5], 9)])
    grads, dX = net.vjp(X, np.ones((9, 1)))
    assert not dX[:, 1].any()
    assert dX[:, 0].any()
    table = grads.embedding_parameters[1]["table"]
    seen = np.unique(X[:, 1].astype(int))
    assert np.flatnonzero(table.any(axis=1)).tolist() == seen.tolist()


def test_a_large_table_is_learnt_in_stretches_that_any_number_of_threads_shares(rng: Rng) -> None:
    embedding = Categories({0: 5000, 1: 30_000}, width=8)
    X = np.column_stack([rng.integers(5000, size=600), rng.integers(30_000, size=600)])
    y = rng.standard_normal(600)
    found = []
    for threads in (1, 2, 5):
        net = Network([2, 16, 1], embedding=embedding, seed=0)
        net.fit(X, y, epochs=2, batch_size=200, threads=threads, seed=1, optimizer="adamw")
        found.append(net.parameters.tobytes())
    assert len(set(found)) == 1
    assert net.plan(batch_size=200).operations[0].stretches > 1


# ---- the surface ---------------------------------------------------------------------------------
BAD: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: Periodic(frequencies=0), ValueError, "frequencies must be at least 1"),
    (lambda: Periodic(frequencies=129), ValueError, "frequencies must be below 129"),
    (lambda: Periodic(width=1), ValueError, "width must be at least 2"),
    (lambda: Periodic(sigma=-1.0), ValueError, "sigma must be at least 0"),
    (lambda: Periodic([]), ValueError, "columns must name at least one"),
    (lambda: Periodic([1, 1]), ValueError, "columns must not name a column twice"),
    (lambda: Periodic([-1]), ValueError, r"columns\[0\] must be at least 0"),
    (lambda: Periodic("abc"), TypeError, "columns must be a sequence"),  # type: ignore[arg-type]
    (lambda: Categories({}), ValueError, "sizes must name at least one"),
    (lambda: Categories({0: 0}), ValueError, r"sizes\[0\] must be at least 1"),
    (lambda: Categories([3]), TypeError, "sizes must be a dict"),  # type: ignore[arg-type]
    (lambda: Categories({0: 2}, width=0), ValueError, "width must be at least 1"),
    (lambda: Network([2, 1], embedding="periodic"), TypeError, "embedding must be one of"),
    (lambda: Network([2, 1], embedding=[3]), TypeError, r"embedding\[0\] must be one of"),
    (lambda: Network([2, 1], embedding=Periodic([2])), ValueError, "column 2, but there are 2"),
    (
        lambda: Network([2, 1], embedding=[Periodic([0]), Categories({0: 2})]),
        ValueError,
        "names column 0 twice",
    ),
    (
        lambda: Network([1, 1], embedding=[Periodic(), Categories({0: 2})]),
        ValueError,
        "has no column left",
    ),
]


@pytest.mark.parametrize(("make", "error", "message"), BAD)
def test_bad_arguments(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_residuals_are_about_embedded_inputs() -> None:
    with pytest.raises(ValueError, match="no hidden layer"):
        Network([3, 3, 1], embedding=Periodic(), residual=True)
    assert Network([3, 12, 1], embedding=Periodic(), residual=True).layers[0].residual


def test_values_are_equal_and_immutable() -> None:
    assert Periodic([2, 1]) == Periodic((1, 2)) != Periodic([1])
    assert Categories({1: 2, 0: 3}) == Categories({0: 3, 1: 2})
    assert repr(Periodic([1], sigma=0.3)) == (
        "Periodic(columns=[1], frequencies=16, width=4, sigma=0.3)"
    )
    assert repr(Categories({1: 2, 0: 3})) == "Categories({0: 3, 1: 2}, width=8)"
    with pytest.raises(AttributeError, match="immutable"):
        Periodic().width = 3
    embeddings: list[Embedding] = [Periodic(range(20)), Categories({i: 2 for i in range(9)})]
    assert [eval(repr(one), vars(pymlp.embeddings)) for one in (Periodic(), Categories({3: 4}))]
    for one in embeddings:
        assert "in all" in repr(one)
        assert pickle.loads(pickle.dumps(one)) == copy.deepcopy(one) == one


def test_it_is_kept_by_copies_pickles_and_files(tmp_path: Path, dtype: str, rng: Rng) -> None:
    embedding = [Categories({1: 4}, width=3), Periodic([0, 3], frequencies=5)]
    net = Network(
        [4, 6, 2], embedding=embedding, scale_inputs=True, dtype=dtype, seed=1,
        feature_names=["a", "b", "c", "d"],
    )  # fmt: skip
    X = rng.standard_normal((9, 4))
    X[:, 1] = rng.integers(4, size=9)
    net.fit(X, rng.standard_normal((9, 2)), epochs=2)
    net.save(tmp_path / "net")
    for twin in (net.copy(), pickle.loads(pickle.dumps(net)), pymlp.load(tmp_path / "net")):
        assert twin.embedding == tuple(embedding)
        assert repr(twin) == repr(net)
        assert twin.summary() == net.summary()
        assert np.array_equal(twin.predict(X), net.predict(X))
        assert np.array_equal(twin.parameters, net.parameters)
    assert "embedding=[Categories({1: 4}, width=3), Periodic(columns=[0, 3]" in repr(net)
    assert "4 inputs become 12 numbers: 68 parameters" in net.summary()
    assert "4 inputs become 12 numbers" in net._repr_html_()


def test_parameter_groups_know_it(rng: Rng) -> None:
    net = Network([2, 4, 1], embedding=[Periodic([0]), Categories({1: 3})], seed=0)
    before = net.copy()
    X = np.column_stack([rng.standard_normal(30), rng.integers(3, size=30)])
    still = pymlp.AdamW(0.1, groups={"embedding": {"learning_rate": 0.0}})
    net.fit(X, rng.standard_normal(30), epochs=2, optimizer=still)
    for one, other in zip(
        net.embedding_parameters.values(), before.embedding_parameters.values(), strict=True
    ):
        assert all(np.array_equal(one[name], other[name]) for name in one)
    assert not np.array_equal(net.weights[0], before.weights[0])
    with pytest.raises(ValueError, match=r"embedding\[0\]"):
        net.fit(X, X[:, 0], optimizer=pymlp.SGD(groups={"embedding[0]": {"learning_rate": 0}}))


def test_freezing_the_first_layer_freezes_it(rng: Rng) -> None:
    net = Network([2, 4, 3, 1], embedding=Periodic(), seed=0)
    before = net.copy()
    X, y = rng.standard_normal((30, 2)), rng.standard_normal(30)
    for optimizer in ("adamw", "lbfgs"):
        net.fit(X, y, epochs=2, optimizer=optimizer, freeze=(0,))
    first = before.weights[1].size + before.biases[1].size + before.weights[2].size + 1
    assert np.array_equal(net.parameters[:-first], before.parameters[:-first])
    assert not np.array_equal(net.weights[1], before.weights[1])


@pytest.mark.parametrize("optimizer", ["adamw", "lbfgs", "sgd"])
def test_it_learns_what_a_plain_network_does_not(optimizer: str) -> None:
    """A wave of eight periods, and effects of categories without order."""
    rng = np.random.default_rng(0)
    x, code = rng.uniform(-1, 1, 600), rng.integers(12, size=600)
    effects = rng.standard_normal(12)
    X, y = np.column_stack([x, code]), np.sin(8 * np.pi * x) + effects[code]
    embedding = [Periodic([0], sigma=2.0), Categories({1: 12})]
    errors = []
    for given in (None, embedding):
        net = Network([2, 32, 1], hidden="tanh", embedding=given, seed=0)
        rate = {"adamw": 0.01, "sgd": 0.05, "lbfgs": None}[optimizer]
        history = net.fit(X, y, epochs=150, optimizer=optimizer, learning_rate=rate)
        errors.append(history.loss[-1])
    assert errors[1] < 0.15 * errors[0]


def test_check_gradients_names_its_parameters() -> None:
    net = Network([2, 3, 1], embedding=Periodic(frequencies=2), hidden="tanh", dtype="float64")
    error = net.check_gradients([[0.3, -0.7], [1.0, 2.0]], [0.1, 0.2])
    assert error < 1e-5
    names = {pymlp.derivatives._place(net._architecture, i) for i in range(net.n_parameters)}
    assert "embedding_parameters[1]['weights'][0, 2]" in names
    assert len(names) == net.n_parameters


def test_a_frame_goes_in_by_its_names() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"age": [20.0, 30.0, 40.0], "city": [0, 2, 1]})
    net = Network([2, 4, 1], embedding=[Periodic([0]), Categories({1: 3})], seed=0)
    net.fit(frame, [1.0, 2.0, 3.0], epochs=1)
    assert net.feature_names == ("age", "city")
    assert np.array_equal(net.predict(frame[["city", "age"]]), net.predict(frame))


def test_diagnosis_and_pictures_look_at_embedded_inputs(rng: Rng) -> None:
    net = Network([2, 3, 1], embedding=[Categories({1: 4}, width=2)], scale_inputs=True, seed=0)
    X = np.column_stack([1e4 + rng.standard_normal(50), rng.integers(4, size=50)])
    found = pymlp.diagnose(net, X, rng.standard_normal(50))
    assert found.inputs.mean.shape == (3,)
    assert found.inputs.names == ("0", "1", "1.1")
    assert "unscaled inputs" in [finding.kind for finding in found.findings]
    pytest.importorskip("matplotlib").use("Agg")
    ax = pymlp.plot.network(net)
    texts = [text.get_text() for text in ax.texts]
    assert "$x_{2,1}$" in texts
    assert any("embedded" in text for text in texts)


def test_plan_shows_it() -> None:
    net = Network([3, 8, 1], embedding=Periodic())
    first = net.plan(batch_size=64, threads=1).operations[0]
    assert (first.kind, first.n_in, first.n_out, first.layer) == ("embedding", 3, 12, 1)
    assert first.parameters == 3 * (2 * 16 + 17 * 3)
    assert "embedding" in str(net.plan(batch_size=64))
    assert not net.plan(batch_size=64).lanes


def test_all_sizes_compute_what_the_formula_says(dtype: str, rng: Rng) -> None:
    x = rng.standard_normal((70, 1))
    for size, width in itertools.product((1, 53, 128), (2, 17, 128)):
        net = Network(
            [1, 1], embedding=Periodic(frequencies=size, width=width), dtype=dtype, seed=0
        )
        p = {name: v.astype(np.float64) for name, v in net.embedding_parameters[0].items()}
        angles = 2 * np.pi * x.astype(dtype) * p["frequencies"] + p["phases"]
        z = np.cos(angles) @ p["weights"] + p["biases"]
        tolerance = 2e-5 if dtype == "float32" else 1e-13
        assert np.allclose(net.embed(x)[:, 1:], z, atol=tolerance, rtol=0)
        dY = rng.standard_normal((70, 1)).astype(dtype)
        grads, dX = net.vjp(x, dY)
        dz = dY @ net.weights[0][1:].astype(np.float64).T
        dangles = -np.sin(angles) * (dz @ p["weights"].T)
        expected = {
            "frequencies": 2 * np.pi * (dangles * x).sum(axis=0),
            "phases": dangles.sum(axis=0),
            "weights": np.cos(angles).T @ dz,
            "biases": dz.sum(axis=0),
        }
        tolerance *= 70
        for name, wanted in expected.items():
            assert np.allclose(
                grads.embedding_parameters[0][name], wanted, atol=tolerance, rtol=1e-4
            ), (size, width, name)
        through = 2 * np.pi * (dangles @ p["frequencies"])
        wanted_dX = dY @ net.weights[0][:1].T + through[:, np.newaxis]
        assert np.allclose(dX, wanted_dX, atol=tolerance, rtol=1e-4)


def test_estimators_do_not_take_it() -> None:
    pytest.importorskip("sklearn")
    net = Network([2, 3, 1], embedding=Periodic(), seed=0)
    with pytest.raises(ValueError, match="no embedding, as estimators have"):
        pymlp.MLPRegressor._around(net, None)
