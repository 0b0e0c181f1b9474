"""The diagnosis: what it finds, that it says nothing of the healthy, and its numbers."""

import math
import re
import subprocess
import sys
from typing import Any

import numpy as np
import operation_cases
import pytest
from cases import FloatArray, Rng, random_inputs
from numpy.typing import NDArray

import pymlp
from pymlp.diagnosis import measure

SEEDS = range(21)
DEEP = [10, *[32] * 10, 1]  # ten hidden layers


def regression(seed: int = 0, m: int = 200) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(m, 10))
    return X, np.sin(X[:, 0]) + X[:, 1] * X[:, 2]


def images(seed: int) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return 8 x 8 pixels in [0, 1], dark at the edges: a blob, its place being the class."""
    rng = np.random.default_rng(seed)
    y = rng.integers(10, size=300)
    place = rng.normal(0.0, 0.3, (300, 2)) + np.stack([2 + y % 4, 2 + y // 4 * 1.5], axis=1)
    rows, columns = np.divmod(np.arange(64), 8)
    distance = (rows - place[:, :1]) ** 2 + (columns - place[:, 1:]) ** 2
    return np.round(255 * np.exp(-distance)) / 255, y


def spirals(seed: int) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    t, y = rng.uniform(0.5, 2.5, 300), rng.integers(2, size=300)
    angle = 3 * t + np.pi * y
    X = np.stack([t * np.cos(angle), t * np.sin(angle)], axis=1)
    return X + rng.normal(0.0, 0.05, X.shape), y.astype(float)


def kinds(net: pymlp.Network, X: FloatArray, y: NDArray[Any]) -> list[str]:
    return [finding.kind for finding in pymlp.diagnose(net, X, y).findings]


def centred(net: pymlp.Network) -> pymlp.Network:
    """Return a sigmoid network whose sums are near 0 for inputs near 0.5, as activations are."""
    for W, b in zip(net.weights, net.biases, strict=True):
        b[:] = -W.sum(axis=0) / 2
    return net


# ---- what it finds -------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_ten_layers_of_sigmoid_vanish(seed: int, dtype: str) -> None:
    X, y = regression(seed)
    found = pymlp.diagnose(
        pymlp.Network(DEEP, hidden="sigmoid", seed=seed, dtype=dtype), X, y
    ).findings
    assert [(f.kind, f.layers) for f in found] == [("vanishing", (1,))]
    assert "Every sigmoid on the way multiplies it by at most 0.25" in found[0].sentence
    assert "relu" in found[0].remedy


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_times_five_explodes_where_slopes_stay_large(seed: int, dtype: str) -> None:
    # Near 0 the slope is 0.25, so weights that turn and stretch by 1.8 multiply the gradient by
    # 0.45 a layer, and five times as large by 2.25, until the sums leave the slope.
    net = pymlp.Network(DEEP, hidden="sigmoid", init="orthogonal", seed=seed, dtype=dtype)
    net.parameters *= 1.8
    X, y = regression(seed)
    X = 0.5 + 0.01 * X
    centred(net)
    assert kinds(net, X, y) == ["unscaled inputs", "vanishing"]
    net.parameters *= 5
    assert kinds(net, X, y) == ["unscaled inputs", "exploding"]


@pytest.mark.parametrize("seed", SEEDS)
def test_sigmoid_times_five_does_not_explode_where_slopes_shrink(seed: int) -> None:
    # With biases of 0 the sums are five times as large too, and the slopes a half to a third: each
    # layer multiplies by about 0.7, which neither vanishes nor explodes.
    net = pymlp.Network(DEEP, hidden="sigmoid", seed=seed)
    net.parameters *= 5
    report = pymlp.diagnose(net, *regression(seed))
    gains = [layer.gain for layer in report.layers[:-1] if layer.gain is not None]
    assert 0.6 < math.prod(gains) ** 0.1 < 0.85
    assert report.findings == []


@pytest.mark.parametrize("hidden", ["relu", "tanh", "elu"])
@pytest.mark.parametrize("seed", SEEDS)
def test_other_deep_networks_times_five_explode(hidden: str, seed: int) -> None:
    net = pymlp.Network(DEEP, hidden=hidden, seed=seed)
    X, y = regression(seed)
    assert kinds(net, X, y) == []
    net.parameters *= 5
    assert "exploding" in kinds(net, X, y)


def test_small_weights_vanish(dtype: str) -> None:
    net = pymlp.Network([10, 32, 32, 32, 1], init="normal", seed=0, dtype=dtype)
    found = pymlp.diagnose(net, *regression()).findings
    assert [f.kind for f in found] == ["vanishing"]
    assert "larger weights" in found[0].remedy


def test_vanishing_is_found_where_float32_has_only_0_left() -> None:
    for dtype in ("float32", "float64"):
        net = pymlp.Network([10, *[8] * 80, 1], hidden="sigmoid", seed=0, dtype=dtype)
        report = pymlp.diagnose(net, *regression())
        assert [f.kind for f in report.findings] == ["vanishing"]
        assert (report.layers[0].dz == 0) is (dtype == "float32")


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_dead_layer(layer: int, dtype: str) -> None:
    net = pymlp.Network([10, 32, 32, 32, 1], seed=0, dtype=dtype)
    net.biases[layer - 1][:] = -100
    report = pymlp.diagnose(net, *regression())
    assert [(f.kind, f.layers) for f in report.findings] == [("dead", (layer,))]
    assert report.layers[layer - 1].dead == tuple(range(32))
    assert report.findings[0].sentence.startswith(f"Layer {layer} (relu): 100 % of the units")


@pytest.mark.parametrize("m", [1, 5, 200])
def test_few_samples_do_not_prove_a_layer_dead(m: int) -> None:
    net = pymlp.Network([10, 32, 32, 32, 1], seed=0)
    X, y = regression(m=m)
    assert kinds(net, X, y) == []
    net.biases[1][:28] = -100
    assert kinds(net, X, y) == (["dead"] if m == 200 else [])
    net.biases[1][:] = -100
    assert kinds(net, X, y) == ["dead"]


@pytest.mark.parametrize("hidden", ["relu", "sigmoid", "tanh", "linear"])
@pytest.mark.parametrize("init", ["zeros", "constant"])
def test_equal_weights_are_symmetric(hidden: str, init: str, dtype: str) -> None:
    start = pymlp.initializers.Constant(0.05) if init == "constant" else init
    net = pymlp.Network([10, 8, 6, 1], hidden=hidden, init=start, dtype=dtype)
    report = pymlp.diagnose(net, *regression())
    assert [(f.kind, f.layers) for f in report.findings] == [("symmetric", (1, 2))]
    assert [layer.equal for layer in report.layers] == [(tuple(range(8)),), (tuple(range(6)),), ()]
    assert "all 8 of layer 1; all 6 of layer 2" in report.findings[0].sentence


def test_equal_units_are_named_and_stay_equal() -> None:
    net = pymlp.Network([10, 8, 8, 1], hidden="tanh", seed=0)
    X, y = regression()
    for group in ([1, 6], [2, 3, 5]):
        net.weights[1][:, group] = net.weights[1][:, group[:1]]
    assert kinds(net, X, y) == []  # what goes out differs, so they will part
    for group in ([1, 6], [2, 3, 5]):
        net.weights[2][group] = net.weights[2][group[:1]]
    found = pymlp.diagnose(net, X, y).findings
    assert [(f.kind, f.layers) for f in found] == [("symmetric", (2,))]
    assert "((1, 6), (2, 3, 5) of layer 2)" in found[0].sentence
    net.fit(X, y, epochs=2)
    assert pymlp.diagnose(net, X, y).layers[1].equal == ((1, 6), (2, 3, 5))


def test_step_passes_no_gradient(dtype: str) -> None:
    net = pymlp.Network([10, 16, 16, 1], hidden=["relu", "step"], seed=0, dtype=dtype)
    report = pymlp.diagnose(net, *regression())
    assert [(f.kind, f.layers) for f in report.findings] == [("no gradient", (2,))]
    assert report.layers[0].dz == 0
    assert "layer 2 and those before it do not learn" in report.findings[0].sentence


def test_an_activation_of_ones_own() -> None:
    square = pymlp.Activation(forward=lambda z: z**2, derivative=lambda z: 2 * z)
    rounded = pymlp.Activation(forward=np.round, derivative=np.zeros_like)
    X, y = regression()
    net = pymlp.Network([10, 8, 1], hidden=square, seed=0, dtype="float64")
    report = pymlp.diagnose(net, X, y)
    assert report.findings == []
    z = net.forward(X).z[1]
    assert z is not None
    assert report.layers[0].slope == pytest.approx(np.abs(2 * z).mean(), rel=1e-14)
    assert kinds(pymlp.Network([10, 8, 1], hidden=rounded, seed=0), X, y) == ["no gradient"]


@pytest.mark.parametrize("hidden", ["sigmoid", "tanh", "softsign", "hard_tanh"])
def test_saturated_layer(hidden: str, dtype: str) -> None:
    net = pymlp.Network([10, 16, 16, 1], hidden=hidden, seed=0, dtype=dtype)
    net.biases[1][:] = 50
    report = pymlp.diagnose(net, *regression())
    found = {f.kind: f.layers for f in report.findings}
    assert found.pop("saturated") == (2,)
    assert set(found) <= {"vanishing"}
    assert report.layers[1].saturated == 1.0


def test_unscaled_inputs() -> None:
    rng = np.random.default_rng(0)
    pixels, y = images(0)
    net = pymlp.Network([64, 32, 10], output="softmax", seed=0)
    assert kinds(net, pixels, y) == []
    found = pymlp.diagnose(net, 255 * pixels, y).findings
    assert [(f.kind, f.layers) for f in found] == [("unscaled inputs", ())]
    assert "X.std(axis=0)" in found[0].remedy
    assert kinds(net, 1e-4 * pixels, y) == ["unscaled inputs"]
    assert kinds(net, rng.integers(0, 256, (300, 64)), y) == ["unscaled inputs"]


def test_one_column_of_another_scale() -> None:
    X, y = regression()
    net = pymlp.Network([10, 16, 1], seed=0)
    for scale, offset in ((1e3, 0.0), (1.0, 2000.0), (1e-4, 0.0), (1e-4, 1.0)):
        other = X.copy()
        other[:, 3] = scale * X[:, 3] + offset
        found = pymlp.diagnose(net, other, y).findings
        assert [f.kind for f in found] == ["unscaled inputs"], (scale, offset)
        assert " in column 3, where 1 is meant" in found[0].sentence


def test_columns_that_say_little_are_no_harm() -> None:
    X, y = regression()
    net = pymlp.Network([20, 16, 1], seed=0)
    X = np.hstack([X, np.zeros((200, 10))])
    X[:, 10] = 1.0  # a constant
    X[5, 11] = 1.0  # a rare indicator
    X[7, 12] = 0.004  # a faint pixel at an edge
    assert kinds(net, X, y) == []
    X[:, 10] = 100.0
    report = pymlp.diagnose(net, X, y)
    assert "unscaled inputs" not in [f.kind for f in report.findings]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_placed(bad: float, dtype: str) -> None:
    X, y = regression()
    net = pymlp.Network([10, 16, 16, 1], hidden="tanh", seed=0, dtype=dtype)
    holed = X.copy()
    holed[3, 4] = bad
    found = pymlp.diagnose(net, holed, y).findings
    assert [(f.kind, f.layers) for f in found] == [("not finite", ())]
    net.weights[1][2, 3] = bad
    found = pymlp.diagnose(net, X, y).findings
    assert [(f.kind, f.layers) for f in found] == [("not finite", (2,))]
    assert "its parameters" in found[0].sentence


def test_overflow_is_placed(dtype: str) -> None:
    X, y = regression()
    net = pymlp.Network([10, 16, 16, 16, 1], seed=0, dtype=dtype)
    net.parameters *= float(np.sqrt(np.finfo(dtype).max))
    found = pymlp.diagnose(net, X, y).findings
    assert [(f.kind, f.layers) for f in found] == [("not finite", (2,))]
    assert "its outputs" in found[0].sentence


# ---- what it says nothing of ---------------------------------------------------------------------

HEALTHY = [
    *((hidden, depth) for hidden in ("relu", "tanh", "gelu", "elu") for depth in (1, 2, 4, 6)),
    *(("sigmoid", depth) for depth in (1, 2, 3)),
    ("leaky_relu", 6),
    ("selu", 6),
    ("silu", 6),
]


@pytest.mark.parametrize(
    "seeds", [SEEDS[:1], pytest.param(SEEDS[1:], marks=pytest.mark.slow)], ids=str
)
@pytest.mark.parametrize(("hidden", "depth"), HEALTHY)
def test_nothing_is_said_of_a_healthy_network(hidden: str, depth: int, seeds: range) -> None:
    for seed in seeds:
        for (X, y), output, k in (
            (images(seed), "softmax", 10),
            (spirals(seed), "sigmoid", 1),
            (regression(seed), "linear", 1),
        ):
            dtype = ("float32", "float64")[seed % 2]
            net = pymlp.Network(
                [X.shape[1], *[24] * depth, k], hidden=hidden, output=output, seed=seed, dtype=dtype
            )
            untrained = pymlp.diagnose(net, X, y)
            net.fit(X, y, epochs=8)
            trained = pymlp.diagnose(net, X, y)
            assert [*untrained.findings, *trained.findings] == [], (seed, output)
            assert str(trained).endswith("\nnothing to report")


def test_nothing_is_said_of_a_network_that_has_learnt_all(dtype: str) -> None:
    X = np.random.default_rng(0).normal(size=(50, 3))
    net = pymlp.Network([3, 8, 1], seed=0, dtype=dtype)
    report = pymlp.diagnose(net, X, net.predict(X))
    assert report.loss == 0
    assert [layer.dz for layer in report.layers] == [0, 0]
    assert [layer.gain for layer in report.layers] == [None, None]
    assert report.findings == []


@pytest.mark.parametrize("hidden", ["sigmoid", "relu", "tanh"])
@pytest.mark.parametrize("scale", [1, 5])
def test_findings_depend_on_neither_dtype_nor_number_of_samples(hidden: str, scale: float) -> None:
    found = set()
    for m in (50, 200, 2000):
        for dtype in ("float32", "float64"):
            net = pymlp.Network(DEEP, hidden=hidden, seed=3, dtype=dtype)
            net.parameters *= scale
            X, y = regression(m=m)
            found.add(tuple(kinds(net, X, 1e3 * y)))
    assert len(found) == 1


# ---- its numbers ---------------------------------------------------------------------------------


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


@pytest.mark.parametrize("depth", [1, 2, 5, 10])
def test_product_of_a_chain_is_the_closed_formula(depth: int, rng: Rng) -> None:
    net = pymlp.Network([1] * (depth + 1), hidden="sigmoid", output="sigmoid", dtype="float64")
    net.parameters[:] = rng.normal(0.0, 2.0, net.n_parameters)
    X = rng.normal(size=(7, 1))
    report = pymlp.diagnose(net, X, np.full(7, 0.5))
    w = [float(W[0, 0]) for W in net.weights]
    b = [float(bias[0]) for bias in net.biases]
    for i, x in enumerate(X[:, 0].tolist()):
        expected, a = x * math.prod(w[1:]), x
        for weight, bias in zip(w, b, strict=True):
            z = weight * a + bias
            a = sigmoid(z)
            expected *= sigmoid(z) * sigmoid(-z)
        assert report.chain_product is not None
        assert report.chain_product[i] == pytest.approx(expected, rel=1e-12)
        one = pymlp.diagnose(net, X[i : i + 1], [0.5])
        assert abs(x) * one.expected_product == pytest.approx(abs(expected), rel=1e-12)


@pytest.mark.parametrize("hidden", ["tanh", "elu", "softplus", "sin", "gelu", "linear"])
def test_product_of_a_chain_is_what_backpropagation_finds(hidden: str, rng: Rng) -> None:
    net = pymlp.Network([1, 1, 1, 1, 1], hidden=hidden, dtype="float64")
    net.parameters[:] = rng.normal(0.0, 1.0, net.n_parameters)
    X = rng.normal(size=(9, 1))
    outputs = pymlp.losses.Loss(lambda a, _: (a[:, 0], np.ones_like(a)))
    report = pymlp.diagnose(net, X, np.zeros(9), loss=outputs)
    _, grads = net.gradients(X, np.zeros(9), loss=outputs)
    assert report.chain_product is not None
    assert report.chain_product.mean() == pytest.approx(grads.weights[0][0, 0], rel=1e-12)
    for x, product in zip(X, report.chain_product, strict=True):
        of_one, _ = net.vjp(x[None], [[1.0]])
        assert product == pytest.approx(of_one.weights[0][0, 0], rel=1e-12)


def test_chain_of_the_textbook() -> None:
    # z = 0 in every layer, where the slope is 0.25: each multiplies by w / 4.
    net = centred(pymlp.Network([1] * 12, hidden="sigmoid", init="zeros", dtype="float64"))
    for w, found in ((1.0, ["vanishing"]), (4.0, []), (5.0, []), (9.0, ["exploding"])):
        for W in net.weights:
            W[:] = w
        report = pymlp.diagnose(centred(net), [[0.5]], [1.0])
        assert report.chain_product == pytest.approx([0.5 * (w / 4) ** 10], rel=1e-12)
        assert [layer.gain for layer in report.layers[:-1]] == pytest.approx([w / 4] * 10)
        assert [f.kind for f in report.findings] == found


def test_only_a_chain_has_a_chain_product() -> None:
    X, y = regression()
    assert pymlp.diagnose(pymlp.Network([10, 1, 1]), X, y).chain_product is None


@pytest.mark.parametrize("weighted", [False, True])
def test_numbers_of_the_layers(weighted: bool, rng: Rng) -> None:
    X, y = rng.normal(size=(60, 5)), rng.integers(3, size=60)
    weights = rng.uniform(0.0, 2.0, 60) if weighted else None
    net = pymlp.Network(
        [5, 7, 6, 3], hidden=["tanh", "relu"], output="softmax", dtype="float64", seed=0
    )
    report = pymlp.diagnose(net, X, y, sample_weight=weights)
    J, grads = net.gradients(X, y, sample_weight=weights)
    trace = net.forward(X)
    share = np.ones(60) / 60 if weights is None else weights / weights.sum()
    slopes = [1 - trace.a[1] ** 2, 1.0 * (trace.a[2] > 0), trace.a[3] * (1 - trace.a[3])]
    dz = (trace.a[3] - np.eye(3)[y]) * share[:, None]
    assert report.loss == pytest.approx(J)
    for number in (3, 2, 1):
        layer = report.layers[number - 1]
        assert (layer.number, layer.units) == (number, net.widths[number])
        assert layer.dz == pytest.approx(np.linalg.norm(dz), rel=1e-12)
        assert layer.dw == pytest.approx(np.linalg.norm(grads.weights[number - 1]), rel=1e-12)
        assert layer.weights == pytest.approx(np.linalg.norm(net.weights[number - 1]), rel=1e-12)
        assert layer.slope == pytest.approx(slopes[number - 1].mean(), rel=1e-12)
        assert layer.steepest == pytest.approx(slopes[number - 1].max(), rel=1e-12)
        if number > 1:
            dz = dz @ net.weights[number - 1].T * slopes[number - 2]
    first, second, last = report.layers
    assert (first.gain, last.gain) == (pytest.approx(first.dz / second.dz), None)
    stretch = np.linalg.norm(net.weights[1]) / np.sqrt(6)
    assert first.expected_gain == pytest.approx(first.slope * stretch)
    assert report.expected_product == pytest.approx(
        math.prod(layer.expected_gain for layer in report.layers)
    )
    assert (first.saturated is None, second.saturated, second.equal) == (False, None, ())


def test_shares_of_saturated_and_dead_units() -> None:
    net = pymlp.Network([1, 4, 1], hidden="sigmoid", init="zeros", dtype="float64")
    net.weights[0][0] = [1.0, 2.0, 3.0, 4.0]
    y = np.zeros(2)
    # The slope is a hundredth of 0.25 at |z| = 5.98.
    assert pymlp.diagnose(net, [[1.5], [1.4]], y).layers[0].saturated == 1 / 8
    assert pymlp.diagnose(net, [[1.5], [-1.5]], y).layers[0].saturated == 2 / 8
    net = pymlp.Network([1, 4, 1], hidden="relu", init="zeros", dtype="float64")
    net.weights[0][0] = [1.0, -1.0, 0.0, 2.0]
    assert pymlp.diagnose(net, [[1.0], [2.0]], y).layers[0].dead == (1, 2)
    assert pymlp.diagnose(net, [[1.0], [-2.0]], y).layers[0].dead == (2,)


@pytest.mark.parametrize("hidden", ["linear", "leaky_relu", "elu", "selu", "softplus", "step"])
def test_only_what_has_a_flat_side_dies(hidden: str) -> None:
    net = pymlp.Network([10, 8, 1], hidden=hidden, seed=0)
    net.biases[0][:] = -100
    dies = hidden in ("elu", "selu", "softplus")
    assert len(pymlp.diagnose(net, *regression()).layers[0].dead) == (8 if dies else 0)


@pytest.mark.parametrize("name", sorted(set(measure._LARGEST_SLOPE) - {"softmax"}))
def test_largest_slopes(name: str) -> None:
    z = np.linspace(-4, 4, 100_001).reshape(1, -1)
    slope = np.abs(pymlp.activations.resolve("g", name).derivative(z))
    assert slope.max() == pytest.approx(measure._LARGEST_SLOPE[name], rel=1e-8)


# ---- norms, residuals, factors of inputs, learnt activations -------------------------------------


def deep(**options: Any) -> pymlp.Network:
    return pymlp.Network([10, 16, 16, 16, 1], **{"hidden": "tanh", "seed": 0, **options})


def found(net: pymlp.Network) -> list[tuple[str, tuple[int, ...]]]:
    return [(f.kind, f.layers) for f in pymlp.diagnose(net, *regression()).findings]


@pytest.mark.parametrize("norm", ["layer", "rms", "batch"])
def test_gains_at_0(norm: str, dtype: str) -> None:
    net = deep(norm=norm, dtype=dtype)
    for layer in net.layers[:-1]:
        assert layer.gain is not None
        layer.gain[:] = 1 + 0.3 * np.random.default_rng(1).normal(size=16)
    trained = pymlp.SGD(1e-6)
    net.train_batch(*regression(), optimizer=trained)
    assert found(net) == []
    net.layers[1].gain[[2, 5]] = [0.0, -1e-5]  # type: ignore[index]
    report = pymlp.diagnose(net, *regression())
    assert [(f.kind, f.layers) for f in report.findings] == [("faint gain", (2,))]
    assert [layer.faint for layer in report.layers] == [(), (2, 5), (), ()]
    assert "units 2, 5 of layer 2: what passes there is" in report.findings[0].sentence
    net.layers[1].gain[:] = 0  # type: ignore[index]
    report = pymlp.diagnose(net, *regression())
    assert [(f.kind, f.layers) for f in report.findings][:1] == [("faint gain", (2,))]
    assert "all units of layer 2" in report.findings[0].sentence


@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_dead_behind_a_norm(norm: str, dtype: str) -> None:
    net = deep(norm=norm, hidden="relu", dtype=dtype)
    net.train_batch(*regression(), optimizer=pymlp.SGD(1e-6))
    net.layers[1].shift[:] = -100  # type: ignore[index]
    report = pymlp.diagnose(net, *regression())
    assert [(f.kind, f.layers) for f in report.findings] == [("dead", (2,))]
    assert report.findings[0].remedy.startswith("Try shifts of 0 or a little above")
    net.layers[1].shift[:] = -1  # type: ignore[index]
    net.layers[1].gain[:] = 0  # type: ignore[index]
    assert found(net) == [("faint gain", (2,))]


def test_a_norm_that_saturates() -> None:
    net = deep(norm="layer")
    net.layers[1].shift[:] = 50  # type: ignore[index]
    found = {f.kind: f for f in pymlp.diagnose(net, *regression()).findings}
    assert found["saturated"].remedy == "Try gains of 1 and shifts of 0; or relu."


def test_running_statistics_that_never_moved(dtype: str) -> None:
    X, y = regression()
    net = deep(norm="batch", dtype=dtype)
    assert found(net) == []
    for _ in range(3):  # a loop of one's own moves no running statistics
        net.parameters -= 0.01 * net.gradients(X, y, training=True)[1].flat
    report = pymlp.diagnose(net, X, y)
    assert [(f.kind, f.layers) for f in report.findings] == [("running statistics", (1, 2, 3))]
    assert [layer.untouched for layer in report.layers] == [True, True, True, False]
    net.fit(X, y, epochs=1)
    assert found(net) == []


def test_units_that_were_constant_in_training() -> None:
    X, y = regression()
    net = deep(norm="batch", hidden="relu")
    net.weights[1][:, [3, 7]] = 0
    net.fit(X, y, epochs=30, freeze=[0], learning_rate=1e-9)
    report = pymlp.diagnose(net, X, y)
    assert [(f.kind, f.layers) for f in report.findings] == [("constant", (2,))]
    assert report.layers[1].constant == (3, 7)
    assert "units 3, 7 of layer 2" in report.findings[0].sentence


def test_inputs_that_are_switched_off(dtype: str) -> None:
    net = deep(scale_inputs=True, dtype=dtype)
    assert found(net) == []
    assert net.input_scale is not None
    net.input_scale[:] = np.linspace(0.05, 3, 10)
    assert found(net) == []
    net.input_scale[[2, 6]] = [0.0, -1e-3]
    report = pymlp.diagnose(net, *regression())
    assert [(f.kind, f.layers) for f in report.findings] == [("inputs off", ())]
    assert "in columns 2, 6 (input_scale)" in report.findings[0].sentence
    net.input_scale[:] = 0
    sentences = [f.sentence for f in pymlp.diagnose(net, *regression()).findings]
    assert "columns 0, 1, 2, 3, ... (10 in all)" in sentences[0]


def test_alphas_at_0_make_a_layer_linear(dtype: str) -> None:
    net = deep(hidden=["tanh", pymlp.Parametric("gelu"), pymlp.Parametric("linear")], dtype=dtype)
    net.layers[2].alpha = np.zeros(16)
    net.layers[1].alpha[:15] = 0  # type: ignore[index]
    assert found(net) == []
    net.layers[1].alpha[:] = 1e-5  # type: ignore[index]
    assert found(net) == [("linear", (2,))]
    net = deep(hidden=pymlp.Parametric("gelu"), norm="layer", dtype=dtype)
    net.layers[1].alpha = np.zeros(16)
    assert found(net) == []  # the norm is not linear


def test_a_residual_whose_layer_adds_nothing(dtype: str) -> None:
    net = deep(residual=True, dtype=dtype)
    report = pymlp.diagnose(net, *regression())
    assert report.findings == []
    assert [layer.branch is None for layer in report.layers] == [True, False, False, True]
    net.weights[1][:] *= 1e-5
    net.biases[1][:] = 0
    report = pymlp.diagnose(net, *regression())
    assert [(f.kind, f.layers) for f in report.findings] == [("idle", (2,))]
    trace = net.forward(regression()[0])
    assert trace.z[2] is not None
    own = np.linalg.norm(np.tanh(trace.z[2])) / np.linalg.norm(trace.a[1])
    assert report.layers[1].branch == pytest.approx(own, rel=1e-2)  # a difference in float32


def test_a_residual_of_scaled_inputs() -> None:
    net = pymlp.Network(
        [10, 10, 1], hidden="tanh", residual=True, scale_inputs=True, dtype="float64", seed=0
    )
    net.input_scale = np.linspace(0.5, 2, 10)
    X, y = regression()
    report = pymlp.diagnose(net, X, y)
    z = net.forward(X).z[1]
    assert z is not None
    own = np.linalg.norm(np.tanh(z)) / np.linalg.norm(X * net.input_scale)
    assert report.layers[0].branch == pytest.approx(own, rel=1e-12)


@pytest.mark.parametrize("name", ["gain", "shift", "alpha"])
def test_units_are_equal_where_all_that_they_learn_is(name: str) -> None:
    net = deep(norm="layer", hidden=pymlp.Parametric("tanh"), init="zeros")
    for layer in net.layers[:-1]:
        layer.shift[:] = 0.5  # type: ignore[index]
    assert [layer.equal for layer in pymlp.diagnose(net, *regression()).layers[:3]] == [
        (tuple(range(16)),)
    ] * 3
    getattr(net.layers[1], name)[4] = 0.75
    others = tuple(unit for unit in range(16) if unit != 4)
    assert pymlp.diagnose(net, *regression()).layers[1].equal == (others,)


def test_a_residual_parts_units() -> None:
    net = deep(residual=True, init=pymlp.initializers.Constant(0.05))
    X, y = regression()
    # Layer 2 hands its units to a residual, which layer 3 has too.
    assert [layer.equal for layer in pymlp.diagnose(net, X, y).layers] == [()] * 4
    net = pymlp.Network(
        [10, 8, 6, 6, 1], hidden="tanh", residual=True, init=pymlp.initializers.Constant(0.05)
    )
    equal = [layer.equal for layer in pymlp.diagnose(net, X, y).layers]
    assert equal == [(tuple(range(8)),), (), (), ()]
    net.fit(X, y, epochs=1)
    assert pymlp.diagnose(net, X, y).layers[0].equal == (tuple(range(8)),)


@pytest.mark.parametrize("name", ["gain", "shift", "alpha", "running_mean", "running_variance"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_placed_in_every_array(name: str, bad: float) -> None:
    net = deep(norm="batch", hidden=pymlp.Parametric("tanh"), scale_inputs=True)
    getattr(net.layers[1], name)[3] = bad
    report = pymlp.diagnose(net, *regression())
    assert [(f.kind, f.layers) for f in report.findings] == [("not finite", (2,))]
    what = "running statistics" if name.startswith("running") else "parameters"
    assert f"its {what} hold NaN or infinity" in report.findings[0].sentence


def test_an_input_scale_that_is_not_finite_belongs_to_layer_1() -> None:
    net = deep(scale_inputs=True)
    net.input_scale[2] = np.nan  # type: ignore[index]
    assert found(net) == [("not finite", (1,))]


@pytest.mark.parametrize("hidden", ["tanh", "relu", "selu", "sigmoid"])
def test_slopes_of_a_learnt_activation(hidden: str, rng: Rng) -> None:
    net = pymlp.Network([10, 6, 1], hidden=pymlp.Parametric(hidden), dtype="float64", seed=0)
    alpha = net.layers[0].alpha
    assert alpha is not None
    alpha[:] = rng.uniform(-0.5, 1.5, 6)
    X, y = regression()
    report = pymlp.diagnose(net, X, y)
    z = net.forward(X).z[1]
    slope = 1 + alpha * (pymlp.activations.resolve("g", hidden).derivative(z) - 1)
    assert report.layers[0].activation == f"parametric {hidden}"
    assert report.layers[0].slope == pytest.approx(np.abs(slope).mean(), rel=1e-12)
    assert report.layers[0].steepest == pytest.approx(np.abs(slope).max(), rel=1e-12)
    dz = net.gradients(X, y, dz=True)[1].dz
    assert dz is not None
    np.testing.assert_allclose(dz[1], dz[2] @ net.weights[1].T * slope, rtol=1e-12)


def test_a_learnt_activation_dies_and_saturates_where_alpha_is_1() -> None:
    X, y = regression()
    for hidden, finding in (("relu", "dead"), ("tanh", "saturated")):
        net = deep(hidden=pymlp.Parametric(hidden))
        net.biases[2][:] = -100
        assert finding in kinds(net, X, y)
        net.layers[2].alpha = np.full(16, 0.5)
        assert finding not in kinds(net, X, y)
    assert kinds(deep(hidden=pymlp.Parametric("step")), X, y) == ["no gradient"]


def test_product_of_a_chain_with_a_factor_and_learnt_activations(rng: Rng) -> None:
    net = pymlp.Network(
        [1, 1, 1, 1], hidden=pymlp.Parametric("tanh"), scale_inputs=True, dtype="float64"
    )
    net.parameters[:] = rng.normal(0.0, 1.0, net.n_parameters)
    X = rng.normal(size=(9, 1))
    report = pymlp.diagnose(net, X, np.zeros(9))
    assert report.chain_product is not None
    for x, product in zip(X, report.chain_product, strict=True):
        of_one, _ = net.vjp(x[None], [[1.0]])
        assert product == pytest.approx(of_one.weights[0][0, 0], rel=1e-12)
        one = pymlp.diagnose(net, x[None], [0.0]).expected_product
        assert one is not None
        assert one * abs(x * net.input_scale) == pytest.approx(abs(product), rel=1e-12)


@pytest.mark.parametrize("options", [{"norm": "batch"}, {"residual": True}], ids=str)
def test_what_norms_and_residuals_have_no_formula_for(options: dict[str, Any]) -> None:
    net = pymlp.Network([1, 1, 1, 1], hidden="tanh", seed=0, **options)
    report = pymlp.diagnose(net, [[0.5]], [1.0])
    assert (report.chain_product, report.expected_product) == (None, None)
    expected = [layer.expected_gain is None for layer in report.layers]
    assert expected == [True, False, False]
    assert all(layer.gain is not None for layer in report.layers[:-1])


@pytest.mark.parametrize("norm", ["layer", "rms"])
def test_ten_layers_of_sigmoid_with_a_norm_or_a_residual(norm: str) -> None:
    X, y = regression()
    assert kinds(pymlp.Network(DEEP, hidden="sigmoid", residual=True, seed=0), X, y) == []
    net = pymlp.Network(DEEP, hidden="sigmoid", norm=norm, seed=0)
    _, grads = net.gradients(X, y, dz=True)
    assert grads.dz is not None
    sizes = [np.linalg.norm(dz) for dz in grads.dz[1:] if dz is not None]
    report = pymlp.diagnose(net, X, y)
    assert [layer.dz for layer in report.layers] == pytest.approx(sizes, rel=1e-5)
    assert (min(sizes) < 1e-3 * sizes[-1]) == ("vanishing" in [f.kind for f in report.findings])
    for layer in net.layers[:-1]:
        layer.gain[:] = 0.01  # type: ignore[index]
    (vanishing,) = pymlp.diagnose(net, X, y).findings
    assert vanishing.kind == "vanishing"
    assert "relu" in vanishing.remedy


@operation_cases.by_name
def test_nothing_is_said_of_a_fresh_network_of_every_kind(name: str, dtype: str) -> None:
    widths, options = operation_cases.NETWORKS[name]
    rng = np.random.default_rng(0)
    net = pymlp.Network(widths, **{"hidden": "tanh", **options, "dtype": dtype, "seed": 1})
    X, Y = random_inputs(rng, 100, net), rng.normal(size=(100, widths[-1]))
    X = X.astype(np.float64)
    report = pymlp.diagnose(net, X, Y, loss="mse")
    assert report.findings == []
    _, grads = net.gradients(X, Y, loss="mse")
    for layer, learnt in zip(report.layers, grads.layers, strict=True):
        names = {"db": "biases", "dgain": "gain", "dshift": "shift", "dalpha": "alpha"}
        for size, attribute in names.items():
            values = getattr(learnt, attribute)
            expected = None if values is None else pytest.approx(np.linalg.norm(values), rel=1e-5)
            assert getattr(layer, size) == expected
    assert (report.inputs.dscale is None) == (net.input_scale is None)
    shown = str(report)
    for column, attribute in (
        ("|dscale|", "input_scale"), ("|dgain|", "gain"), ("|dshift|", "shift"),
        ("|dalpha|", "alpha"),
    ):  # fmt: skip
        has = any(tensor.attribute == attribute for tensor in net._tensors)
        assert (column in shown) == has


@pytest.mark.parametrize(
    "depth",
    [1, 4, pytest.param(2, marks=pytest.mark.slow), pytest.param(6, marks=pytest.mark.slow)],
)
@pytest.mark.parametrize("norm", [None, "layer", "rms", "batch"])
@pytest.mark.parametrize("hidden", ["relu", "tanh", pymlp.Parametric("mish")], ids=str)
def test_nothing_is_said_of_a_healthy_network_with_operations(
    hidden: Any, norm: str | None, depth: int
) -> None:
    for residual in (False, True)[:depth]:
        for (X, y), output, k in (
            (images(0), "softmax", 10),
            (spirals(0), "sigmoid", 1),
            (regression(0), "linear", 1),
        ):
            net = pymlp.Network(
                [X.shape[1], *[24] * depth, k], hidden=hidden, output=output, norm=norm,
                residual=residual, scale_inputs=True, seed=0,
            )  # fmt: skip
            untrained = pymlp.diagnose(net, X, y)
            net.fit(X, y, epochs=8)
            assert [*untrained.findings, *pymlp.diagnose(net, X, y).findings] == []


# ---- how it is used ------------------------------------------------------------------------------


def test_it_prints_a_table_and_sentences() -> None:
    net = pymlp.Network([10, 8, 8, 1], hidden=["tanh", "relu"], seed=0)
    net.biases[1][:] = -100
    head, *rows, totals = str(pymlp.diagnose(net, *regression())).split("\n")[:5]
    assert head.split() == [
        *("layer", "activation", "units", "|dZ|", "gain", "|dW|", "|W|", "mean", "|g'|"),
        *("saturated", "dead", "equal"),
    ]
    assert re.sub(" +", " ", rows[1]).startswith(" 2 relu 8 0.00e+00 0 0.00e+00")
    assert rows[1].endswith("  0          -     8      0")
    assert [row.rindex(" ") for row in rows] == [head.rindex("  ") + len("  equal") - 2] * 3
    assert totals.startswith("200 samples, loss ")
    text = str(pymlp.diagnose(net, *regression()))
    assert "\ndead: Layer 2 (relu): 100 % of the units are dead" in text
    assert max(map(len, text.splitlines())) <= 100


def ill_networks() -> list[pymlp.Network]:
    """Return networks with a finding about each operation."""
    net = deep(norm="batch", hidden=pymlp.Parametric("tanh"), residual=True, scale_inputs=True)
    ill = [net.copy() for _ in range(6)]
    ill[0].layers[1].gain = np.zeros(16)
    ill[1].layers[1].shift = np.full(16, 0.5)
    ill[2].layers[1].running_variance = np.zeros(16)
    ill[3].input_scale = np.arange(10)
    ill[4].layers[1].alpha = np.zeros(16)
    ill[5].layers[1].gain = np.full(16, 2e-4)
    return ill


def test_each_of_these_networks_is_ill_in_its_own_way() -> None:
    X, y = regression()
    found = [kinds(net, X, y) for net in ill_networks()]
    expected = ["faint gain", "running statistics", "constant", "inputs off", "linear", "idle"]
    assert [kind in own for kind, own in zip(expected, found, strict=True)] == [True] * 6


def test_every_finding_has_a_remedy() -> None:
    X, y = regression()
    for net in (
        pymlp.Network(DEEP, hidden="sigmoid", seed=0),
        pymlp.Network(DEEP, hidden="step", seed=0),
        pymlp.Network(DEEP, init="zeros"),
        *ill_networks(),
    ):
        assert pymlp.diagnose(net, X, y).findings
        for finding in pymlp.diagnose(net, 100 * X, y).findings:
            assert re.match(r"(Layers? \d|X reaches|X is multiplied)", finding.sentence)
            assert finding.sentence.endswith(".")
            assert re.match("(Try|Draw|Standardise) ", finding.remedy)
            assert finding.remedy.endswith((".", ")."))
            assert str(finding) == f"{finding.kind}: {finding.sentence} {finding.remedy}"


@pytest.mark.parametrize("output", ["softmax", "sigmoid", "linear", "log_softmax", "relu"])
@pytest.mark.parametrize("bias", [False, True])
def test_every_kind_of_network_and_loss(output: str, bias: bool, rng: Rng, dtype: str) -> None:
    y = np.eye(3)[rng.integers(3, size=40)]
    net = pymlp.Network(
        [4, 8, 3], output=output, bias=bias, dropout=0.5, dtype=dtype, init="orthogonal", seed=0
    )
    before = net.parameters.copy()
    report = pymlp.diagnose(net, rng.normal(size=(40, 4)), y, threads=1)
    assert report.findings == []
    assert (net.parameters == before).all()
    assert pymlp.diagnose(net, rng.normal(size=(40, 4)), y, loss="mse").findings == []


def test_wrong_arguments_are_refused_as_loss_refuses_them() -> None:
    X, y = regression()
    net = pymlp.Network([10, 4, 1], seed=0)
    for arguments, options in (
        ((X[:, :9], y), {}),
        ((X, y[:-1]), {}),
        ((X[:0], y[:0]), {}),
        ((X.astype(str), y), {}),
        ((X, np.full(200, np.nan)), {}),
        ((X, y), {"loss": "mze"}),
        ((X, y), {"loss": "cross_entropy"}),
        ((X, y), {"sample_weight": -np.ones(200)}),
        ((X, y), {"threads": 0}),
    ):
        with pytest.raises((TypeError, ValueError)) as expected:
            net.loss(*arguments, **options)
        with pytest.raises(expected.type, match=f"^{re.escape(str(expected.value))}$"):
            pymlp.diagnose(net, *arguments, **options)
    with pytest.raises(TypeError, match=r"^net must be a Network, not str$"):
        pymlp.diagnose("net", X, y)
    model = pymlp.TabularRegressor(epochs=1).fit([[0, 1], [2, 3], [4, 6]], [1, 2, 3])
    with pytest.raises(
        TypeError, match=r"TabularRegressor; its network_ is one, whose inputs its "
    ):
        pymlp.diagnose(model, X, y)


def test_it_is_imported_when_asked_for() -> None:
    script = (
        "import sys, pymlp; print('pymlp.diagnosis' in sys.modules);"
        "pymlp.diagnose; print('pymlp.diagnosis' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout
    assert shown.split() == ["False", "True"]
