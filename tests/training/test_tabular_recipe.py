"""What a recipe for tables needs of `fit`, and a network that is trained by it.

RealMLP-TD of Holzmueller et al., arXiv:2407.04491.
"""

from typing import Any

import numpy as np
import pytest
from cases import Rng

import pymlp
from pymlp import EarlyStopping, Network, schedules
from pymlp.embeddings import Categories, Periodic


# ---- a start that suits the data -----------------------------------------------------------------
@pytest.mark.parametrize("bias", [True, False])
def test_units_begin_with_variance_1_and_bend_among_the_samples(
    bias: bool, dtype: str, rng: Rng
) -> None:
    X = 1000 + 50 * rng.standard_normal((3000, 6))
    net = Network([6, 40, 30, 3], hidden="selu", bias=bias, dtype=dtype, seed=1)
    net.initialize_from(X)
    trace = net.forward(X)
    for z in trace.z[1:]:
        assert z is not None
        assert np.allclose(z.std(axis=0), 1, atol=2e-2 if dtype == "float32" else 1e-9)
        if bias:  # some samples are on either side of 0
            share = (z > 0).mean(axis=0)
            assert ((share > 0) & (share < 1)).all()
            assert share.std() > 0.02


def test_it_is_the_same_for_the_same_seed_and_samples(rng: Rng) -> None:
    X = rng.standard_normal((12_000, 3))

    def begun(seed: int | None, X: Any = X) -> Network:
        net = Network([3, 20, 2], embedding=Periodic(), scale_inputs=True, seed=4)
        net.fit(X[:50], np.zeros((50, 2)), epochs=1)
        net.initialize_from(X, seed=seed)
        return net

    first = begun(None)
    assert first.input_scale is not None
    assert (first.input_scale == 1).all()
    assert np.array_equal(first.parameters, begun(4).parameters)
    assert not np.array_equal(first.parameters, begun(5).parameters)
    assert not np.array_equal(first.parameters, begun(4, X[:5000]).parameters)


def test_normalised_layers_and_constant_units_keep_plain_weights() -> None:
    net = Network([2, 5, 3], norm="layer", seed=0)
    net.initialize_from(np.zeros((10, 2)))
    assert not net.biases[0].any()
    plain = Network([2, 5, 3], init="lecun_normal", seed=0)
    assert np.array_equal(net.weights[0], plain.weights[0])
    still = Network([2, 5, 3], bias=False, seed=0)
    still.initialize_from(np.zeros((10, 2)))
    assert np.array_equal(still.weights[0], plain.weights[0])


def test_bad_samples_are_refused_before_anything_is_drawn() -> None:
    net = Network([2, 3, 1], seed=0)
    before = net.parameters.copy()
    with pytest.raises(ValueError, match="X must be finite"):
        net.initialize_from([[1.0, np.nan]])
    with pytest.raises(ValueError, match="X must have 2 columns"):
        net.initialize_from([[1.0]])
    with pytest.raises(ValueError, match="seed must be at least 0"):
        net.initialize_from([[1.0, 2.0]], seed=-1)
    assert np.array_equal(net.parameters, before)


# ---- a short last batch --------------------------------------------------------------------------
@pytest.mark.parametrize(("m", "steps"), [(9, 2), (8, 2), (4, 1), (3, 1)])
def test_a_short_last_batch_is_left_out(m: int, steps: int, dtype: str, rng: Rng) -> None:
    X, y = rng.standard_normal((m, 2)), rng.standard_normal(m)
    optimizer = pymlp.Adam(0.1)
    net = Network([2, 3, 1], dtype=dtype, seed=0)
    twin = net.copy()
    net.fit(X, y, epochs=3, batch_size=4, drop_last=True, shuffle=False, optimizer=optimizer)
    assert optimizer.steps == 3 * steps
    seen = min(m, 4 * steps)
    twin.fit(X[:seen], y[:seen], epochs=3, batch_size=4, shuffle=False, optimizer=pymlp.Adam(0.1))
    assert np.array_equal(net.parameters, twin.parameters)


def test_every_epoch_leaves_out_other_samples_and_schedules_count_its_steps(rng: Rng) -> None:
    X, y = np.eye(7), rng.standard_normal(7)
    net = Network([7, 1], init="zeros", bias=False, seed=0)
    cosine = schedules.Cosine(per="step")
    history = net.fit(
        X, y, epochs=40, batch_size=3, drop_last=True, optimizer=pymlp.SGD(0.1), schedule=cosine
    )
    assert net.weights[0].all()  # each was seen
    assert history.learning_rate[-1] == pytest.approx(cosine.rate_at(0.1, 79, 80))
    with pytest.raises(TypeError, match="drop_last must be True or False"):
        net.fit(X, y, drop_last=1)  # type: ignore[arg-type]


# ---- equally good epochs -------------------------------------------------------------------------
@pytest.mark.parametrize(("ties", "best"), [("first", 0), ("last", 3)])
def test_of_equally_good_epochs_the_first_or_the_last_is_the_best(ties: Any, best: int) -> None:
    values = iter([0.5, 0.25, 0.5, 0.5, 0.25, 0.0])
    net = Network([1, 1], init="zeros")
    found: list[Any] = []
    history = net.fit(
        [[1.0]], [1.0], epochs=6, optimizer=pymlp.SGD(0.1),
        metrics=lambda y, outputs: next(values),
        callbacks=[lambda net, _: found.append(net.parameters.copy()) and None],
        early_stopping=EarlyStopping(6, monitor="<lambda>", mode="max", ties=ties),
    )  # fmt: skip
    assert history.best_epoch == best
    assert np.array_equal(net.parameters, found[best])


def test_ties_count_as_improvements() -> None:
    net = Network([1, 1], init="zeros")
    constant = {"metrics": lambda y, outputs: 0.5, "optimizer": pymlp.SGD(0.1)}
    watch = {"patience": 2, "monitor": "<lambda>", "mode": "max"}
    for ties, epochs in (("first", 3), ("last", 9)):
        stopping = EarlyStopping(**watch, ties=ties)  # type: ignore[arg-type]
        history = net.fit([[1.0]], [1.0], epochs=9, early_stopping=stopping, **constant)
        assert len(history.loss) == epochs
    with pytest.raises(ValueError, match="ties must be 'first' or 'last'"):
        EarlyStopping(ties="best")  # type: ignore[arg-type]


# ---- all together --------------------------------------------------------------------------------
def realmlp(X: Any, y: Any, validation: Any, embedding: Any, *, epochs: int = 30) -> Network:
    """A classifier by the recipe; numbers are scaled, and categories are codes."""
    widths = [X.shape[1], 64, 64, 64, int(y.max()) + 1]
    net = Network(
        widths, hidden=pymlp.Parametric("selu"), output="softmax", dropout=0.15, scale_inputs=True,
        embedding=embedding, seed=0,
    )  # fmt: skip
    net.initialize_from(X)
    n_in = [net.embedded_width, *widths[1:-1]]
    rates = {f"weights[{layer}]": n**-0.5 for layer, n in enumerate(n_in)}
    groups = {
        **{name: {"learning_rate": r, "weight_decay": 1 / r} for name, r in rates.items()},
        "biases": {"learning_rate": 0.1, "weight_decay": 0.0},
        "scale": {"learning_rate": 6.0},
        "activation": {"learning_rate": 0.1},
        "embedding": {"learning_rate": 0.1},
    }
    net.fit(
        X, y, validation=validation, epochs=epochs, batch_size=64, drop_last=True,
        optimizer=pymlp.AdamW(0.04, beta2=0.95, weight_decay=0.02, groups=groups),
        loss=pymlp.losses.CrossEntropy(label_smoothing=0.1), metrics="accuracy",
        schedule={
            "learning_rate": schedules.CosLog4(), "weight_decay": schedules.FlatCos(),
            "dropout": schedules.FlatCos(),
        },
        early_stopping=EarlyStopping(epochs, monitor="accuracy", ties="last"),
    )  # fmt: skip
    return net


def test_a_network_is_trained_by_the_recipe() -> None:
    rng = np.random.default_rng(1)
    X = rng.standard_normal((1500, 5))
    X[:, 4] = rng.integers(20, size=1500)
    side = rng.choice([-1.0, 1.0], 20)[X[:, 4].astype(int)]
    y = (np.sin(3 * X[:, 0]) * side + 0.3 * X[:, 1] > 0).astype(int)
    embedding = [Periodic([0, 1, 2, 3]), Categories({4: 20})]
    net = realmlp(X[:1000], y[:1000], (X[1000:], y[1000:]), embedding)
    assert net.history is not None
    accuracy = net.history.metrics["val_accuracy"]
    last_best = max(i for i, value in enumerate(accuracy) if value == max(accuracy))
    assert net.history.best_epoch == last_best
    assert max(accuracy) > 0.9
    measured = net.evaluate(X[1000:], y[1000:], metrics="accuracy")["accuracy"]
    assert measured == pytest.approx(max(accuracy))
