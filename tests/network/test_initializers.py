"""The first weights: their distributions, their seeds, and what equal ones lead to."""

from typing import Any

import numpy as np
import pytest
from cases import FloatArray, Rng, random_inputs, random_labels
from reference_initializers import deviation

from pymlp import Network
from pymlp.initializers import Constant, Initializer, Normal, Uniform

N_IN, N_OUT = 300, 200
NAMES = ["normal", "uniform"]
NAMES += [f"{family}_{kind}" for family in ("glorot", "he", "lecun") for kind in NAMES[:2]]


@pytest.mark.parametrize(
    ("init", "options"),
    [
        *((name, (name, N_IN, N_OUT)) for name in NAMES),
        (Normal(0.3), ("normal", N_IN, N_OUT, 0.3)),
        (Uniform(0.7), ("uniform", N_IN, N_OUT, 0.7)),
    ],
    ids=str,
)
def test_random_weights_have_their_distribution(init: Any, options: tuple[Any, ...]) -> None:
    net = Network([N_IN, N_OUT], init=init, dtype="float64", seed=4)
    uniform = "uniform" in options[0]
    w = net.weights[0] / deviation(*options)
    n = w.size
    # Four standard errors of the mean, and of the variance, whose kurtosis is 3 or 1.8.
    assert abs(w.mean()) < 4 / n**0.5
    assert abs(w.var() - 1) < 4 * ((0.8 if uniform else 2.0) / n) ** 0.5
    edge = 3**0.5 if uniform else 7.0
    assert (0.999 if uniform else 0.5) * edge < np.abs(w).max() <= edge
    within = 1 / 3**0.5 if uniform else 0.6826895  # the share within one deviation
    assert np.mean(np.abs(w) < 1) == pytest.approx(within, abs=4 * 0.5 / n**0.5)
    assert abs(np.corrcoef(w.ravel()[1:], w.ravel()[:-1])[0, 1]) < 4 / n**0.5
    assert not net.biases[0].any()


@pytest.mark.parametrize(("init", "value"), [("zeros", 0.0), (Constant(0.3), 0.3)])
def test_weights_that_are_all_alike(init: Any, value: float) -> None:
    net = Network([3, 4, 2], init=init, dtype="float64")
    for w in net.weights:
        assert (w == value).all()


def test_initializers_show_their_parameter() -> None:
    assert repr(Initializer("orthogonal")) == "Initializer('orthogonal')"
    for init in (Constant(0.3), Normal(0.02), Uniform(0.1)):
        name = type(init).__name__
        assert repr(init) == f"{name}({init.scale})"
        assert eval(repr(init), {name: type(init)}).scale == init.scale


@pytest.mark.parametrize(
    ("hidden", "chosen"),
    [("relu", "he_normal"), ("leaky_relu", "he_normal"), ("elu", "he_normal"),
     ("selu", "lecun_normal"),
     ("tanh", "glorot_uniform"), ("sigmoid", "glorot_uniform"), ("softmax", "glorot_uniform")],
)  # fmt: skip
def test_auto_goes_by_the_activation(hidden: str, chosen: str) -> None:
    options: dict[str, Any] = {"hidden": hidden, "seed": 1}
    auto, named = Network([6, 7, 3], **options), Network([6, 7, 3], init=chosen, **options)
    assert (auto.weights[0] == named.weights[0]).all()
    last = Network([6, 7, 3], init="glorot_uniform", **options).weights[1]
    assert (auto.weights[1] == last).all(), "behind it is a linear layer"


# The shorter side decides how it is done: up to 512 by Gram-Schmidt, then by reflections.
SHAPES = [(5, 5), (40, 7), (7, 40), (1, 9), (9, 1), (512, 530)]
SHAPES += [(513, 513), (513, 1100), (1100, 515), (600, 700), (1000, 1000)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_orthogonal_weights(shape: tuple[int, int], dtype: str) -> None:
    w = Network(shape, init="orthogonal", dtype=dtype, seed=2).weights[0].astype("float64")
    product = w @ w.T if shape[0] <= shape[1] else w.T @ w
    bound = 1e-14 if dtype == "float64" else 2.0**-24
    np.testing.assert_allclose(product, np.eye(min(shape)), rtol=0, atol=bound)


@pytest.mark.parametrize("shape", [(520, 520), (513, 600), (600, 513)], ids=str)
def test_orthogonal_weights_are_uniformly_distributed(shape: tuple[int, int]) -> None:
    signs, traces = set(), []
    for seed in range(8):
        w = Network(shape, init="orthogonal", dtype="float64", seed=seed).weights[0]
        n = max(shape)
        # Like normal draws in every part: variance 1 / n, kurtosis about 3, signs of either kind.
        for part in (w[:40], w[-40:], w[:, :40], w[:, -40:], np.diag(w)):
            m = part.size
            assert abs(part.mean()) < 4.5 / (n * m) ** 0.5
            assert abs((part**2).mean() * n - 1) < 4.5 * (2 / m) ** 0.5
            assert abs((part**4).mean() * n**2 - 3) < 4.5 * (96 / m) ** 0.5
        traces.append(np.trace(w))
        if shape[0] == shape[1]:
            signs.add(float(np.linalg.slogdet(w).sign))
    assert np.mean(np.square(traces)) < 4, "the trace of such a matrix has a variance of 1 at most"
    assert shape[0] != shape[1] or signs == {-1.0, 1.0}


def test_wide_orthogonal_weights_differ_by_seed_and_layer() -> None:
    net = Network([520, 520, 520], init="orthogonal", seed=1)
    other = Network([520, 520], init="orthogonal", seed=2)
    assert np.abs(net.weights[0] - net.weights[1]).min(axis=1).max() > 0
    assert np.abs(np.sum(net.weights[0] * net.weights[1])) < 6, "drawn apart"
    assert np.abs(np.sum(net.weights[0] * other.weights[0])) < 6
    twin = Network([520, 520], init="orthogonal", seed=1, dtype="float64")
    assert (twin.weights[0].astype("float32") == net.weights[0]).all()


@pytest.mark.parametrize("init", ["auto", "normal", "uniform", "orthogonal"])
def test_draws_are_fixed_by_the_seed_and_alike_in_both_dtypes(init: str) -> None:
    def draw(seed: int, dtype: str) -> FloatArray:
        return Network([9, 8, 7], init=init, seed=seed, dtype=dtype).parameters

    assert (draw(1, "float64") == draw(1, "float64")).all()
    assert (draw(1, "float32") == draw(1, "float64").astype("float32")).all()
    assert (draw(1, "float64") != draw(2, "float64")).any()
    w1, w2 = Network([8, 8, 8], init=init, seed=1).weights
    assert (w1 != w2).any(), "layers draw apart"


def test_networks_without_a_seed_differ() -> None:
    a, b = Network([9, 8]), Network([9, 8])
    assert (a.parameters != b.parameters).any()
    assert (Network([9, 8], seed=a.seed).parameters == a.parameters).all()


@pytest.mark.parametrize("init", ["zeros", Constant(0.3)])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_equal_hidden_units_stay_equal(init: Any, optimizer: str, rng: Rng) -> None:
    net = Network([3, 5, 2], hidden="sigmoid", output="softmax", init=init, seed=0)
    X, y = random_inputs(rng, 20, net), random_labels(rng, 20, 2)
    net.fit(X, y, epochs=20, batch_size=6, optimizer=optimizer, learning_rate=0.5)
    units = np.vstack([net.weights[0], net.biases[0], net.weights[1].T])
    assert (units == units[:, :1]).all()
    assert units[:, 0].any(), "they learn, and the same thing"
