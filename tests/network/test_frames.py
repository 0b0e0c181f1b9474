"""Frames in a network: columns by name, nullable dtypes, and what is refused."""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pymlp

rng = np.random.default_rng(0)
COLUMNS = {
    "age": rng.normal(size=40),
    "rooms": rng.integers(0, 5, 40),
    "new": rng.normal(size=40) > 0,
}
X = np.column_stack([*COLUMNS.values()]).astype(float)
y = rng.normal(size=40)
NAMES = ("age", "rooms", "new")


def pandas(columns: dict[str, Any]) -> Any:
    return pytest.importorskip("pandas").DataFrame(columns)


def polars(columns: dict[str, Any]) -> Any:
    return pytest.importorskip("polars").DataFrame(columns)


def pyarrow(columns: dict[str, Any]) -> Any:
    return pytest.importorskip("pyarrow").table(columns)


LIBRARIES: list[Callable[[dict[str, Any]], Any]] = [pandas, polars, pyarrow]
every_library = pytest.mark.parametrize("frame_of", LIBRARIES)


def trained(frame: Any = None) -> pymlp.Network:
    net = pymlp.Network([3, 8, 1], seed=0)
    net.fit(X if frame is None else frame, y, epochs=2, seed=0)
    return net


# ---- names ---------------------------------------------------------------------------------------


@every_library
def test_a_frame_trains_as_its_numbers_do_and_leaves_its_names(frame_of: Any) -> None:
    net = trained(frame_of(COLUMNS))
    assert net.feature_names == NAMES
    assert net.parameters.tolist() == trained().parameters.tolist()
    assert trained().feature_names is None


@every_library
def test_columns_in_another_order_are_put_right(frame_of: Any) -> None:
    net = trained(pandas(COLUMNS))
    turned = frame_of({name: COLUMNS[name] for name in ("new", "age", "rooms")})
    expected = net.predict(X)
    assert net.predict(turned).tolist() == expected.tolist()
    assert net.forward(turned).a[-1].tolist() == net.forward(X).a[-1].tolist()
    assert net.loss(turned, y) == net.loss(X, y)
    assert net.evaluate(turned, y) == net.evaluate(X, y)
    assert net.gradients(turned, y)[1].flat.tolist() == net.gradients(X, y)[1].flat.tolist()
    assert net.vjp(turned, np.ones((40, 1)))[1].tolist() == net.vjp(X, np.ones((40, 1)))[1].tolist()
    assert pymlp.diagnose(net, turned, y).loss == net.loss(X, y)
    assert net.check_gradients(turned, y) == net.check_gradients(X, y)


def test_names_are_known_while_it_is_trained_for_the_first_time() -> None:
    seen = []
    turned = pandas({name: COLUMNS[name] for name in ("new", "age", "rooms")})

    def callback(net: pymlp.Network, history: pymlp.History) -> None:
        seen.append((net.loss(turned, y), history.val_loss[-1]))

    net = pymlp.Network([3, 8, 1], seed=0)
    net.fit(pandas(COLUMNS), y, epochs=2, validation=(turned, y), callbacks=[callback])
    assert [a for a, _ in seen] == pytest.approx([b for _, b in seen], rel=1e-6)


def test_a_second_training_goes_by_name_too() -> None:
    first, second = trained(pandas(COLUMNS)), trained(pandas(COLUMNS))
    turned = pandas({name: COLUMNS[name] for name in ("new", "age", "rooms")})
    first.fit(pandas(COLUMNS), y, epochs=1, seed=1)
    second.fit(turned, y, epochs=1, seed=1)
    assert first.parameters.tolist() == second.parameters.tolist()
    assert second.feature_names == NAMES


def test_a_step_of_a_loop_of_ones_own_takes_the_names() -> None:
    net, optimizer = pymlp.Network([3, 1], seed=0), pymlp.Adam()
    with pytest.raises(ValueError, match="y must have 40 rows"):
        net.train_batch(pandas(COLUMNS), y[:3], optimizer=optimizer)
    assert net.feature_names is None
    net.train_batch(pandas(COLUMNS), y, optimizer=optimizer)
    assert net.feature_names == NAMES


def test_a_training_that_is_refused_leaves_no_names() -> None:
    net = pymlp.Network([3, 1], seed=0)
    with pytest.raises(ValueError, match="X must be finite"):
        net.fit(pandas(COLUMNS | {"age": np.full(40, np.nan)}), y)
    assert net.feature_names is None


@every_library
def test_other_columns_are_refused_with_all_their_names(frame_of: Any) -> None:
    net = trained(pandas(COLUMNS))
    others = frame_of({"age": X[:, 0], "size": X[:, 1], "colour": X[:, 2]})
    with pytest.raises(ValueError, match="but lacks 'rooms', 'new' and has 'size', 'colour', whi"):
        net.predict(others)
    with pytest.raises(ValueError, match=r"of net\.feature_names, but lacks 'rooms', 'new'$"):
        net.predict(frame_of({"age": X[:, 0]}))
    with pytest.raises(ValueError, match="but has 'id', which the network does not know"):
        net.fit(frame_of({"id": X[:, 0], **COLUMNS}), y)


def test_one_row_of_a_frame_goes_by_name() -> None:
    net = trained(pandas(COLUMNS))
    row = pandas(COLUMNS).iloc[5]
    expected = net.predict(X)[5]
    assert net.predict(row).tolist() == expected.tolist()
    assert net.predict(row[["new", "age", "rooms"]]).tolist() == expected.tolist()
    with pytest.raises(ValueError, match="but lacks 'age' and has 'years'"):
        net.predict(row.rename({"age": "years"}))


def test_columns_without_names_go_by_position() -> None:
    net = trained(pandas(COLUMNS))
    numbered = pytest.importorskip("pandas").DataFrame(X)
    assert net.predict(numbered).tolist() == net.predict(X).tolist()
    assert trained(numbered).feature_names is None


def test_names_of_two_kinds_are_refused() -> None:
    with pytest.raises(TypeError, match=r"0 is no string as others are: X.columns = X.columns.ast"):
        trained(pandas({0: X[:, 0], "a": X[:, 1], "b": X[:, 2]}))


def test_a_column_that_is_there_twice_has_no_place() -> None:
    net = trained(pandas(COLUMNS))
    frame = pandas(COLUMNS)
    twice = frame[["new", "age", "rooms", "age"]]
    with pytest.raises(ValueError, match="X must have every column once, and has 'age' twice"):
        net.predict(twice)


def test_names_stay_with_the_network(tmp_path: Path) -> None:
    net = trained(pandas(COLUMNS))
    net.save(tmp_path / "net.safetensors")
    twins = [net.copy(), copy.deepcopy(net), pickle.loads(pickle.dumps(net))]
    for twin in [*twins, pymlp.load(tmp_path / "net.safetensors")]:
        assert twin.feature_names == NAMES
        assert twin.parameters.tolist() == net.parameters.tolist()
    assert "feature_names=['age', 'rooms', 'new']" in repr(net)
    assert net.summary().splitlines()[-1] == "inputs: 'age', 'rooms', 'new'"


def test_many_names_are_shown_by_the_first_few() -> None:
    net = pymlp.Network([9, 1], feature_names=[f"x{i}" for i in range(9)])
    assert net.summary().endswith("'x7', ... (9 in all)")


def test_names_may_be_given_and_forgotten() -> None:
    net = pymlp.Network([3, 8, 1], seed=0, feature_names=NAMES)
    turned = pandas({name: COLUMNS[name] for name in ("new", "age", "rooms")})
    assert net.predict(turned).tolist() == net.predict(X).tolist()
    net.feature_names = None
    assert net.predict(turned).tolist() != net.predict(X).tolist()
    net.feature_names = ["a", "b", "c"]
    assert net.feature_names == ("a", "b", "c")


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        ("abc", TypeError, "feature_names must be a sequence of strings, not str"),
        (3, TypeError, "feature_names must be a sequence of strings, not int"),
        (["a", 1, "c"], TypeError, r"feature_names\[1\] must be a string, not int"),
        (["a", "b"], ValueError, "feature_names must name 3 inputs, as the network has, not 2"),
    ],
)
def test_names_that_cannot_be_are_refused(names: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        pymlp.Network([3, 1], feature_names=names)
    net = pymlp.Network([3, 1])
    with pytest.raises(error, match=message):
        net.feature_names = names


# ---- dtypes --------------------------------------------------------------------------------------

DTYPES = [
    {"age": "Float64", "rooms": "Int64", "new": "boolean"},
    {"age": "Float32", "rooms": "UInt8", "new": "boolean"},
    {"age": object, "rooms": object, "new": object},
    {"age": "double[pyarrow]", "rooms": "int64[pyarrow]", "new": "bool[pyarrow]"},
    {"age": "Sparse[float64]", "rooms": "int8", "new": "category"},
]


@pytest.mark.parametrize("dtypes", DTYPES, ids=lambda dtypes: str(dtypes["age"]))
def test_numbers_of_every_dtype_go_in(dtypes: dict[str, Any]) -> None:
    pytest.importorskip("pyarrow")
    net = trained(pandas(COLUMNS))
    expected = net.predict(X)
    assert net.predict(pandas(COLUMNS).astype(dtypes)) == pytest.approx(expected, rel=1e-5)


@every_library
def test_targets_and_weights_may_be_columns(frame_of: Any) -> None:
    net = trained()
    columns = frame_of({"y": y, "w": np.abs(y)})
    expected = net.loss(X, y, sample_weight=np.abs(y))
    assert net.loss(X, columns["y"], sample_weight=columns["w"]) == expected
    nullable = pandas({"y": y}).astype("Float64")["y"]
    assert net.loss(X, nullable) == net.loss(X, y)
    assert net.loss(X, frame_of({"y": y})) == net.loss(X, y)


def missing_in_pandas() -> Any:
    frame = pandas(COLUMNS).astype({"rooms": "Int64", "new": "boolean"})
    frame.loc[[3, 7], "rooms"] = None
    return frame


def missing_in(frame_of: Any) -> Callable[[], Any]:
    gap = [None if i in (3, 7) else int(v) for i, v in enumerate(COLUMNS["rooms"])]
    return lambda: frame_of(COLUMNS | {"rooms": gap})


@pytest.mark.parametrize(
    "make",
    [missing_in_pandas, missing_in(polars), missing_in(pyarrow)],
    ids=["pandas", "polars", "pyarrow"],
)
def test_a_missing_value_is_refused_with_row_and_column(make: Any) -> None:
    frame = make()
    expected = r"column 'rooms' has no value in row 3 \(and 1 more\)"
    with pytest.raises(ValueError, match=expected):
        trained(frame)
    with pytest.raises(ValueError, match=expected):
        trained().predict(frame)


def test_missing_objects_and_targets_are_refused_with_their_row() -> None:
    pd = pytest.importorskip("pandas")
    gap = pd.Series([1, pd.NA] * 20, dtype=object)
    with pytest.raises(ValueError, match="column 'rooms' has no value in row 1"):
        trained(pandas(COLUMNS | {"rooms": gap}))
    with pytest.raises(ValueError, match="y must hold real numbers, but it has no value in row 1"):
        trained().fit(X, pd.Series([1, pd.NA] * 20, dtype="Int64"))


def test_nan_is_a_number_for_predict_and_named_by_fit() -> None:
    frame = pandas(COLUMNS | {"age": [np.nan, *X[1:, 0]]})
    assert np.isnan(trained(pandas(COLUMNS)).predict(frame)[0, 0])
    with pytest.raises(
        ValueError, match=r"X must be finite, but X\[0, 0\] \(column 'age'\) is nan"
    ):
        trained(frame)


@every_library
def test_columns_that_hold_no_numbers_are_named_all_at_once(frame_of: Any) -> None:
    days = np.array(["2024-01-01"] * 40, "datetime64[us]")
    frame = frame_of({"age": X[:, 0], "city": ["Rome", "Oslo"] * 20, "day": days})
    expected = r"'city' holds text, 'Rome' in row 0; column 'day' holds datetime64\[us\]. pymlp.Tab"
    with pytest.raises(TypeError, match=expected):
        trained(frame)


def test_many_bad_columns_are_counted() -> None:
    frame = pandas({f"c{i}": ["a"] for i in range(9)})
    with pytest.raises(TypeError, match="column 'c4' holds text, 'a' in row 0; and 4 more columns"):
        pymlp.Network([9, 1]).predict(frame)


def test_what_becomes_an_array_by_a_call_is_told_so() -> None:
    sparse = pytest.importorskip("scipy.sparse").csr_matrix(X)
    with pytest.raises(TypeError, match=r"X.toarray\(\) is one"):
        trained().predict(sparse)
    lazy = pytest.importorskip("polars").LazyFrame(COLUMNS)
    with pytest.raises(TypeError, match=r"X.collect\(\) is one"):
        trained().predict(lazy)


# ---- labels --------------------------------------------------------------------------------------

REMEDY = (
    r"classes, y = np.unique\(y, return_inverse=True\) numbers classes from 0, and pymlp.MLPClass"
)


def labels(what: str) -> Any:
    words = ["cat", "dog"] * 20
    return {
        "list": lambda: words,
        "objects": lambda: np.array(words, object),
        "strings": lambda: np.array(words),
        "pandas": lambda: pytest.importorskip("pandas").Series(words),
        "category": lambda: pytest.importorskip("pandas").Series(words, dtype="category"),
        "polars": lambda: pytest.importorskip("polars").Series(words),
        "from 1": lambda: np.array([1, 2, 3, 2] * 10),
    }[what]()


@pytest.mark.parametrize(
    "what", ["list", "objects", "strings", "pandas", "category", "polars", "from 1"]
)
def test_labels_that_are_not_numbered_from_0_are_told_what_to_do(what: str) -> None:
    net = pymlp.Network([3, 4, 3], output="softmax", seed=0)
    with pytest.raises((TypeError, ValueError), match=REMEDY):
        net.fit(X, labels(what))
    _, numbered = np.unique(labels(what), return_inverse=True)
    net.fit(X, numbered, epochs=1)  # what it says helps


def test_labels_of_one_sigmoid_are_told_what_to_do() -> None:
    net = pymlp.Network([3, 4, 1], output="sigmoid", seed=0)
    with pytest.raises(ValueError, match=REMEDY):
        net.fit(X, np.array([1, 2] * 20))
    with pytest.raises(ValueError, match=r"y must be in \[0, 1\].* is 2.0$"):
        net.fit(X, np.array([0.5, 2] * 20))
    with pytest.raises(ValueError, match="3 classes need as many outputs, behind softmax"):
        net.fit(X, np.array([0, 1, 2, 1] * 10))
    with pytest.raises(ValueError, match=r"of 0 and 1, 2 \* y - 1 makes them"):
        pymlp.Network([3, 1]).fit(X, np.array([0, 1] * 20), loss="hinge")


def test_more_classes_than_outputs_are_counted() -> None:
    net = pymlp.Network([3, 4, 3], output="softmax", seed=0)
    with pytest.raises(ValueError, match="5 classes need as many outputs, behind softmax"):
        net.fit(X, np.arange(40) % 5)
