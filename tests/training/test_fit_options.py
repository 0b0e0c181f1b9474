"""What `fit` takes, what it says of what it does not take, and what its record holds."""

import json
from typing import Any

import numpy as np
import pytest
from cases import Rng, random_network

import pymlp
from pymlp import EarlyStopping, Network

Arrays = tuple[Any, Any]


def regression(rng: Rng, m: int = 40) -> tuple[Network, Arrays]:
    net = random_network(rng, [3, 8, 1], hidden="tanh", dtype="float64")
    return net, (rng.normal(size=(m, 3)), rng.normal(size=m))


def classes(rng: Rng, m: int = 40) -> tuple[Network, Arrays]:
    net = random_network(rng, [3, 8, 3], output="softmax", dtype="float64")
    return net, (rng.normal(size=(m, 3)), rng.integers(0, 3, m))


# ---- keywords of other libraries -----------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("lr", "learning_rate"), ("learning_rate_init", "learning_rate"), ("n_epochs", "epochs"),
        ("max_iter", "epochs"), ("verbose", "progress=True"),
        ("validation_split", "validation=0.1"), ("validation_data", "validation=(Xv, yv)"),
        ("n_iter_no_change", "early_stopping"), ("alpha", "l2"), ("weight_decay", "l2"),
        ("random_state", "seed"), ("criterion", "loss"), ("solver", "optimizer"),
        ("n_jobs", "threads"), ("clipnorm", "clip_norm"), ("epoch", "epochs"),
        ("batchsize", "batch_size"), ("callback", "callbacks"), ("Verbose", "progress"),
        ("sample_weights", "sample_weight"), ("weights", "sample_weight"),
        ("step_size", "learning_rate"), ("warm_start", "fit once more"),
        ("dropout", "Network(..., dropout=...)"), ("val", "validation=(Xv, yv)"),
        ("param_groups", "optimizer=pymlp.Adam(groups=...)"), ("trainable", "freeze"),
        ("X_val", "validation=(Xv, yv)"), ("tolerance", "early_stopping"), ("workers", "threads"),
    ],
)  # fmt: skip
def test_a_keyword_of_another_library_is_translated(name: str, meant: str, rng: Rng) -> None:
    net, samples = regression(rng)
    before = net.parameters.copy()
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'") as caught:
        net.fit(*samples, **{name: 1})
    assert f"use {meant}" in str(caught.value)
    assert (net.parameters == before).all()


@pytest.mark.parametrize(
    ("name", "meant"),
    [("activation", "hidden"), ("random_state", "seed"), ("lr", "fit(..., learning_rate=...)"),
     ("drop_out", "dropout"), ("dropout_input", "input_dropout"), ("batch_norm", "norm='batch'"),
     ("normalization", "norm"), ("skip", "residual"), ("input_scale", "scale_inputs")],
)  # fmt: skip
def test_a_keyword_of_another_librarys_network_is_translated(name: str, meant: str) -> None:
    with pytest.raises(TypeError) as caught:
        Network([1, 1], **{name: 1})  # type: ignore[arg-type]
    wrong = f"Network.__init__() got an unexpected keyword argument '{name}'; use {meant}"
    assert str(caught.value).startswith(wrong)


@pytest.mark.parametrize(
    ("name", "meant"), [("lr", "optimizer="), ("weights", "sample_weight"), ("L2", "l2")]
)
def test_a_keyword_of_another_librarys_step_is_translated(name: str, meant: str) -> None:
    net = Network([1, 1], seed=0)
    before = net.parameters.copy()
    with pytest.raises(TypeError, match=rf"train_batch\(\) got .* '{name}'; use {meant}"):
        net.train_batch([[1.0]], [1.0], optimizer=pymlp.SGD(), **{name: 1})  # type: ignore[arg-type]
    assert (net.parameters == before).all()


def test_a_keyword_like_no_other_lists_all(rng: Rng) -> None:
    net, samples = regression(rng)
    with pytest.raises(
        TypeError,
        match="known are average, batch_size, callbacks, checkpoint, checkpoint_every",
    ):
        net.fit(*samples, zzz=1)


# ---- defaults ------------------------------------------------------------------------------------
def test_defaults(rng: Rng) -> None:
    net, samples = regression(rng, 70)
    twin, optimizer = net.copy(), pymlp.Adam()
    history = net.fit(*samples, optimizer=optimizer)
    assert len(history.loss) == 100
    assert optimizer.steps == 300  # batches of 32
    twin.fit(*samples, epochs=100, batch_size=32)
    assert (net.parameters == twin.parameters).all()


def test_lbfgs_takes_all_samples_unless_told_otherwise(rng: Rng) -> None:
    net, samples = regression(rng)
    twin = net.copy()
    net.fit(*samples, epochs=5, optimizer="lbfgs")
    twin.fit(*samples, epochs=5, optimizer="lbfgs", batch_size=None)
    assert (net.parameters == twin.parameters).all()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (True, EarlyStopping()),
        (4, EarlyStopping(4)),
        (np.int64(4), EarlyStopping(4)),
        (np.array(4), EarlyStopping(4)),
        (False, None),
    ],
)
def test_short_forms_of_early_stopping(given: Any, meant: EarlyStopping | None, rng: Rng) -> None:
    net, samples = regression(rng)
    twin = net.copy()
    options: dict[str, Any] = {"epochs": 60, "learning_rate": 0.05, "validation": 0.5, "seed": 1}
    history = net.fit(*samples, early_stopping=given, **options)
    expected = twin.fit(*samples, early_stopping=meant, **options)
    assert history.stopped_by == ("epochs" if meant is None else "early_stopping")
    assert history.val_loss == expected.val_loss
    assert (net.parameters == twin.parameters).all()


@pytest.mark.parametrize("given", [np.True_, 3.0, "3", np.arange(2)], ids=repr)
def test_what_is_no_patience_is_refused(given: Any, rng: Rng) -> None:
    net, samples = regression(rng)
    with pytest.raises(TypeError, match="early_stopping must be an "):
        net.fit(*samples, early_stopping=given)


# ---- validation ----------------------------------------------------------------------------------
def test_validation_samples_have_weights_of_their_own(rng: Rng) -> None:
    net, samples = classes(rng)
    Xv, yv, w = rng.normal(size=(9, 3)), np.arange(9) % 3, rng.uniform(size=9)
    table = {0: 3.0, 2: 0.5}
    history = net.fit(*samples, epochs=2, validation=(Xv, yv, w), class_weight=table)
    weights = w * np.array([3.0, 1.0, 0.5])[yv]
    assert history.val_loss[-1] == pytest.approx(net.loss(Xv, yv, sample_weight=weights), rel=1e-13)
    plain = net.fit(*samples, epochs=1, validation=(Xv, yv, w))
    assert plain.val_loss[-1] == pytest.approx(net.loss(Xv, yv, sample_weight=w), rel=1e-13)


def test_balanced_weights_of_the_training_samples_weigh_the_validation(rng: Rng) -> None:
    net, (X, _) = classes(rng)
    y = np.r_[np.zeros(25, int), np.ones(10, int), np.full(5, 2)]
    Xv, yv = rng.normal(size=(6, 3)), np.array([0, 1, 2, 2, 2, 2])
    history = net.fit(X, y, epochs=1, validation=(Xv, yv), class_weight="balanced")
    weights = (40 / (3 * np.array([25, 10, 5])))[yv]
    assert history.val_loss[-1] == pytest.approx(net.loss(Xv, yv, sample_weight=weights), rel=1e-13)


def test_the_rows_that_are_held_out_are_told(rng: Rng) -> None:
    net, (X, y) = regression(rng)
    history = net.fit(X, y, epochs=2, validation=0.25)
    rows = history.held_out
    assert rows is not None
    assert len(set(rows.tolist())) == 10
    assert history.val_loss[-1] == pytest.approx(net.loss(X[rows], y[rows]), rel=1e-13)
    assert net.fit(X, y, epochs=1).held_out is None


@pytest.mark.parametrize("without", ["held out", "left to train on"])
def test_weights_of_0_on_one_side_of_the_division_are_refused(without: str, rng: Rng) -> None:
    net, (X, y) = regression(rng)
    rows = net.copy().fit(X, y, epochs=1, validation=0.25, seed=1).held_out
    assert rows is not None
    weights = np.zeros(40)
    weights[rows] = 1.0
    weights = 1.0 - weights if without == "held out" else weights
    before, history = net.parameters.copy(), net.history
    with pytest.raises(ValueError, match=rf"^validation: sample_weight.* that were {without};"):
        net.fit(X, y, validation=0.25, sample_weight=weights, seed=1)
    assert (net.parameters == before).all()
    assert net.history is history


# ---- the record ----------------------------------------------------------------------------------
def test_the_record_as_plain_values(rng: Rng) -> None:
    net, samples = regression(rng)
    history = net.fit(*samples, epochs=4, validation=0.5, l2=0.1)
    told = json.loads(json.dumps(history.to_dict()))
    assert told["loss"] == history.loss
    assert told["penalty"] == history.penalty
    assert min(history.penalty) > 0.0
    assert told["val_loss"] == history.val_loss
    assert told["best_epoch"] == int(np.argmin(history.val_loss))
    assert told["stopped_by"] == "epochs"
    assert net.fit(*samples, epochs=1).penalty == [0.0]


def test_the_best_epoch_is_the_one_whose_parameters_are_restored(rng: Rng) -> None:
    net, (X, y) = regression(rng)
    rule = EarlyStopping(3, min_delta=0.02)
    options: dict[str, Any] = {"batch_size": 8, "learning_rate": 0.02, "seed": 3}
    held_out = rng.normal(size=(20, 3)), rng.normal(size=20)
    history = net.fit(X, y, epochs=80, validation=held_out, early_stopping=rule, **options)
    assert history.best_epoch is not None
    assert net.loss(*held_out) == pytest.approx(history.val_loss[history.best_epoch], rel=1e-13)
    assert pymlp.History().best_epoch is None
