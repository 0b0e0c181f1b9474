"""What scikit-learn's networks do not have: every option does what it says."""

import math
import threading
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("sklearn")

from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.metrics import balanced_accuracy_score, f1_score
from sklearn.preprocessing import scale

import pymlp

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

Samples = tuple[NDArray[Any], NDArray[Any]]


@pytest.fixture(scope="module")
def iris() -> Samples:
    X, y = load_iris(return_X_y=True)
    return X, np.array(["setosa", "versicolor", "virginica"])[y]


@pytest.fixture(scope="module")
def diabetes() -> Samples:
    X, y = load_diabetes(return_X_y=True)
    return X, y


def classifier(**options: Any) -> pymlp.MLPClassifier:
    return pymlp.MLPClassifier(**({"random_state": 0, "max_iter": 30} | options))


# ---- the network ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "widths"),
    [
        ({"n_layers": 3, "width": 7}, (4, 7, 7, 7, 3)),
        ({"width": 7}, (4, 7, 7, 3)),
        ({"n_layers": 3}, (4, 5, 5, 5, 3)),
        ({"n_layers": 0}, (4, 3)),
        ({"hidden_layer_sizes": ()}, (4, 3)),
        ({"hidden_layer_sizes": np.int64(6)}, (4, 6, 3)),
        ({"hidden_layer_sizes": np.array([6, 2])}, (4, 6, 2, 3)),
    ],
)
def test_layers_are_counted_or_listed(
    iris: Samples, options: dict[str, Any], widths: tuple[int, ...]
) -> None:
    model = classifier(**({"hidden_layer_sizes": (5, 6), "max_iter": 2} | options)).fit(*iris)
    assert model.network_.widths == widths
    assert model.n_layers_ == len(widths)


def test_activations_are_per_layer_and_ones_own(iris: Samples) -> None:
    square = pymlp.Activation(forward=np.square, derivative=lambda z: 2 * z)
    kinds = [pymlp.LeakyReLU(0.2), "gelu", square]
    model = classifier(hidden_layer_sizes=(5, 6, 7), activation=kinds, max_iter=3).fit(*iris)
    assert [layer.activation for layer in model.network_.layers[:-1]] == [
        pymlp.LeakyReLU(0.2), pymlp.GELU(), square,
    ]  # fmt: skip


def test_network_options_reach_the_network(iris: Samples) -> None:
    model = classifier(
        n_layers=2, width=6, norm="layer", residual=True, dropout=[0.25, 0.5], input_dropout=0.125
    ).fit(*iris)
    net = model.network_
    assert (net.norm, net.residual, net.dropout, net.input_dropout) == (
        "layer", True, (0.25, 0.5), 0.125,
    )  # fmt: skip


def test_init_is_that_of_a_network(iris: Samples) -> None:
    model = classifier(init="orthogonal", width=4, learning_rate_init=1e-12, max_iter=1).fit(*iris)
    W = model.coefs_[0]
    np.testing.assert_allclose(W.T @ W, W[:, 0] @ W[:, 0] * np.eye(4), atol=1e-6)


def test_batch_norm_takes_a_last_row_along(iris: Samples) -> None:
    X, y = iris
    model = classifier(norm="batch", batch_size=10).fit(X[25:126], y[25:126])
    assert np.isfinite(model.loss_curve_).all()
    assert model.loss_curve_[-1] < model.loss_curve_[0]


def test_dtype_is_the_one_that_is_asked_for(iris: Samples) -> None:
    model = classifier(dtype="float32").fit(*iris)
    assert model.network_.dtype == "float32"
    assert model.predict_proba(iris[0]).dtype == "float32"


def test_gradients_go_through_the_network(iris: Samples) -> None:
    model = classifier().fit(*iris)
    codes = np.searchsorted(model.classes_, iris[1])
    J, grads = model.network_.gradients(iris[0], codes)
    assert grads.weights[0].shape == (4, 100)
    assert math.isfinite(J)


# ---- losses, solvers, schedules ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "shown"),
    [
        ("mae", lambda d: np.abs(d).mean()),
        ("mse", lambda d: (d**2).mean()),
        (pymlp.losses.Quantile(0.9), lambda d: np.maximum(0.9 * d, -0.1 * d).mean()),
        (pymlp.losses.Huber(2.0), lambda d: np.where(
            abs(d) <= 2, d**2 / 2, 2 * (abs(d) - 1)).mean()),
        (pymlp.losses.Loss(lambda a, y: (((a - y) ** 4).sum(1), 4 * (a - y) ** 3)),
         lambda d: (d**4).mean()),
    ],
)  # fmt: skip
def test_losses_for_numbers(diabetes: Samples, loss: Any, shown: Any) -> None:
    X, y = diabetes[0], scale(diabetes[1])
    model = pymlp.MLPRegressor(loss=loss, alpha=0, random_state=0, solver="lbfgs", max_iter=25)
    model.fit(X, y)
    assert model.loss_ == pytest.approx(shown(y - model.predict(X)), rel=1e-6)
    assert model.loss_ < model.loss_curve_[0]


def test_quantiles_hold_their_share(diabetes: Samples) -> None:
    X, y = diabetes
    model = pymlp.MLPRegressor(
        loss=pymlp.losses.Quantile(0.9), scale=True, random_state=0, width=5, max_iter=3000,
        learning_rate=pymlp.schedules.Cosine(), learning_rate_init=0.01, n_iter_no_change=300,
    ).fit(X, y)  # fmt: skip
    assert np.mean(y <= model.predict(X)) == pytest.approx(0.9, abs=0.03)


def test_label_smoothing_keeps_from_certainty(iris: Samples) -> None:
    sure, smooth = (
        classifier(loss=loss, scale=True, max_iter=200, learning_rate_init=0.01).fit(*iris)
        for loss in ("log_loss", pymlp.losses.CrossEntropy(label_smoothing=0.2))
    )
    assert sure.predict_proba(iris[0]).max() > 0.999
    assert smooth.predict_proba(iris[0]).max() < 0.95


def test_label_smoothing_of_two_classes() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    sure, smooth = (
        classifier(loss=pymlp.losses.CrossEntropy(label_smoothing=s), scale=True, max_iter=100)
        .fit(X, y).predict_proba(X).max(axis=1).mean() for s in (0.0, 0.2)
    )  # fmt: skip
    assert sure > 0.97
    assert 0.8 < smooth < 0.9


@pytest.mark.parametrize("loss", ["mse", "kl_divergence", "hinge"])
def test_losses_for_classes(iris: Samples, loss: str) -> None:
    model = classifier(loss=loss, scale=True, max_iter=200, learning_rate_init=0.01).fit(*iris)
    assert model.score(*iris) > 0.95


def test_hinge_has_margins_and_no_probabilities(iris: Samples) -> None:
    X, y = iris
    model = classifier(loss="hinge", scale=True, learning_rate_init=0.01, max_iter=100)
    several = model.fit(X, y).decision_function(X)
    assert several.shape == (150, 3)
    assert (model.classes_[several.argmax(axis=1)] == model.predict(X)).all()
    two = model.fit(X[:100], y[:100]).decision_function(X[:100])
    assert two.shape == (100,)
    assert (model.classes_[(two > 0).astype(int)] == model.predict(X[:100])).all()
    assert not hasattr(model, "predict_proba")
    assert not hasattr(classifier(), "decision_function")


@pytest.mark.parametrize(
    "solver", ["adamw", "rmsprop", "nadam", "lion", pymlp.AdamW(0.01), pymlp.LBFGS(history_size=3)]
)
def test_solvers_of_pymlp(iris: Samples, solver: Any) -> None:
    model = classifier(solver=solver, scale=True, max_iter=60, learning_rate_init=0.01)
    assert model.fit(*iris).score(*iris) > 0.93


def test_a_solver_object_is_not_used_up(iris: Samples) -> None:
    solver = pymlp.AdamW(0.01)
    first, second = (classifier(solver=solver).fit(*iris).coefs_ for _ in range(2))
    assert solver.steps == 0
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


def test_schedules_of_pymlp(iris: Samples) -> None:
    model = classifier(learning_rate=pymlp.schedules.Cosine(), learning_rate_init=0.1)
    rates = model.fit(*iris).network_.history.learning_rate
    expected = pymlp.schedules.Cosine().rates(0.1, 30, 1)
    np.testing.assert_allclose(rates, expected[: len(rates)])


@pytest.mark.parametrize("option", [{"l1": 50.0}, {"alpha": 50.0}])
def test_penalties_pull_weights_to_zero(iris: Samples, option: dict[str, float]) -> None:
    plain, pulled = (classifier(max_iter=200, **o).fit(*iris).coefs_[0] for o in ({}, option))
    assert np.abs(pulled).sum() < 0.5 * np.abs(plain).sum()


def test_penalty_is_the_sum_of_absolute_weights(iris: Samples) -> None:
    options: dict[str, Any] = {"max_iter": 1, "alpha": 0.0, "learning_rate_init": 1e-12}
    plain, l1 = classifier(**options).fit(*iris), classifier(l1=3.0, **options).fit(*iris)
    total = sum(np.abs(w).sum() for w in l1.coefs_)
    assert l1.loss_ - plain.loss_ == pytest.approx(3.0 * total / 150)


def test_clip_norm_limits_a_step(iris: Samples) -> None:
    options: dict[str, Any] = {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 1.0}
    options |= {"alpha": 0.0, "max_iter": 1, "shuffle": False}
    still = classifier(**options | {"learning_rate_init": 1e-300}).fit(*iris)
    moved = classifier(clip_norm=0.01, **options).fit(*iris)
    step = np.sqrt(sum(
        ((a - b) ** 2).sum()
        for a, b in zip(
            still.coefs_ + still.intercepts_, moved.coefs_ + moved.intercepts_, strict=True
        )
    ))  # fmt: skip
    assert step == pytest.approx(0.01)


def test_average_moves_less(iris: Samples) -> None:
    plain, averaged = (
        np.abs(np.diff(classifier(average=d, batch_size=10, max_iter=n).fit(*iris).coefs_[0] -
                       classifier(average=d, batch_size=10, max_iter=n - 1).fit(*iris).coefs_[0]))
        .sum() for d, n in ((None, 10), (0.999, 10))
    )  # fmt: skip
    assert averaged < 0.5 * plain


# ---- weights, scale, monitors --------------------------------------------------------------------


@pytest.mark.parametrize("class_weight", ["balanced", {"setosa": 1.0, "versicolor": 9.0}])
def test_class_weights_are_sample_weights(iris: Samples, class_weight: Any) -> None:
    X, y = iris
    X, y = X[:110], y[:110]
    if class_weight == "balanced":
        table = {"setosa": 110 / 150, "versicolor": 110 / 150, "virginica": 110 / 30}
    else:
        table = {"virginica": 1.0} | class_weight
    weights = np.array([table[label] for label in y])
    a = classifier(class_weight=class_weight).fit(X, y)
    b = classifier().fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(a.coefs_[0], b.coefs_[0], rtol=1e-9)
    assert np.abs(a.coefs_[0] - classifier().fit(X, y).coefs_[0]).max() > 1e-3


def test_scale_gives_predictions_in_the_units_of_the_target(diabetes: Samples) -> None:
    X, y = diabetes[0] * [1e3, 1, 1, 1e-3, 1, 1, 1, 1, 1, 1] + 50, diabetes[1] * 1e4 + 1e7
    model = pymlp.MLPRegressor(scale=True, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.5
    assert pymlp.MLPRegressor(random_state=0).fit(X, y).score(X, y) < 0
    same = pymlp.MLPRegressor(random_state=0).fit(scale(X), scale(y))
    assert abs(same.loss_ - model.loss_) < 0.05  # in scaled units
    before = model.score(X, y)
    for _ in range(20):
        model.partial_fit(X, y)
    assert model.score(X, y) > before


@pytest.mark.parametrize("goes_on", ["warm_start", "partial_fit"])
def test_scale_is_measured_once(diabetes: Samples, goes_on: str) -> None:
    X, y = diabetes
    model = pymlp.MLPRegressor(scale=True, warm_start=True, max_iter=1, random_state=0)
    model.fit(X, y)
    model.set_params(learning_rate_init=1e-12)
    before = model.predict(X)
    again = model.fit if goes_on == "warm_start" else model.partial_fit
    again(X[:20] * 7, y[:20] * 7)
    np.testing.assert_allclose(model.predict(X), before, rtol=1e-6)


def test_scale_of_several_targets(diabetes: Samples) -> None:
    X, y = diabetes
    model = pymlp.MLPRegressor(scale=True, random_state=0, early_stopping=True)
    assert model.fit(X, np.stack([y, -1e6 * y], axis=1)).score(X, np.stack([y, -1e6 * y], 1)) > 0.4


def test_regression_in_raw_units_does_not_warn(
    diabetes: Samples, recwarn: pytest.WarningsRecorder
) -> None:
    pymlp.MLPRegressor(random_state=0, max_iter=400, tol=1e9).fit(*diabetes)
    assert [str(w.message) for w in recwarn] == []


def test_validation_samples_are_given(iris: Samples) -> None:
    X, y = iris
    model = classifier(early_stopping=True, max_iter=300, scale=True, learning_rate_init=0.01)
    model.fit(X[::2], y[::2], validation=(X[1::2], y[1::2]))
    assert len(model.validation_scores_) == model.n_iter_
    assert model.best_validation_score_ == model.score(X[1::2], y[1::2])
    assert model.t_ == 75 * model.n_iter_


def test_validation_without_early_stopping_is_only_recorded(iris: Samples) -> None:
    X, y = iris
    plain, watched = classifier(), classifier()
    plain.fit(X, y)
    watched.fit(X, y, validation=(X[:9], y[:9], np.ones(9)))
    assert len(watched.validation_scores_) == watched.n_iter_ == plain.n_iter_
    assert (watched.coefs_[0] == plain.coefs_[0]).all()


def f1_of_virginica(y_true: NDArray[Any], y_pred: NDArray[Any]) -> float:
    return float(f1_score(y_true == "virginica", y_pred == "virginica"))


@pytest.mark.parametrize("monitor", ["balanced_accuracy", "log_loss", "loss", f1_of_virginica])
def test_monitors(iris: Samples, monitor: Any) -> None:
    X, y = iris
    Xv, yv = X[1::2], y[1::2]
    model = classifier(monitor=monitor, early_stopping=True, scale=True, max_iter=100)
    model.fit(X[::2], y[::2], validation=(Xv, yv))
    scores, P = model.validation_scores_, model.predict_proba(Xv)
    expected = {
        "balanced_accuracy": lambda: balanced_accuracy_score(yv, model.predict(Xv)),
        f1_of_virginica: lambda: f1_of_virginica(yv, model.predict(Xv)),
    }.get(monitor, lambda: -np.log(P[np.arange(75), np.searchsorted(model.classes_, yv)]).mean())
    best = min(scores) if monitor in ("log_loss", "loss") else max(scores)
    assert model.best_validation_score_ == best
    assert best == pytest.approx(expected())  # and the best parameters are there


def test_a_monitor_that_has_no_value_is_refused(iris: Samples) -> None:
    X, y = iris
    model = classifier(monitor="roc_auc", early_stopping=True)
    with pytest.raises(ValueError, match="monitor 'roc_auc' has no value on the validation"):
        model.fit(X, y == "setosa", validation=(X[:20], y[:20] == "setosa"))
    assert model.n_iter_ == model.n_iter_no_change + 1
    with pytest.raises(ValueError, match="monitor 'function' has no value"):
        classifier(monitor=lambda *_: math.nan, early_stopping=True).fit(X, y)


def test_monitor_in_the_units_of_the_target(diabetes: Samples) -> None:
    X, y = diabetes
    model = pymlp.MLPRegressor(monitor="rmse", early_stopping=True, scale=True, random_state=0)
    model.fit(X[:300], y[:300], validation=(X[300:], y[300:]))
    rmse = np.sqrt(np.mean((model.predict(X[300:]) - y[300:]) ** 2))
    assert model.best_validation_score_ == min(model.validation_scores_) == pytest.approx(rmse)


# ---- how it is trained ---------------------------------------------------------------------------


def test_callbacks_see_every_epoch_and_end_training(iris: Samples) -> None:
    seen: list[tuple[int, int, float]] = []

    def callback(model: Any, history: pymlp.History) -> bool:
        seen.append((model.n_iter_, len(history.loss), model.score(*iris)))
        return model.n_iter_ == 5

    model = classifier(callbacks=[callback]).fit(*iris)
    assert [epochs for epochs, *_ in seen] == [1, 2, 3, 4, 5]
    assert model.n_iter_ == len(model.loss_curve_) == 5


def test_callbacks_see_predictions_in_the_units_of_the_target(diabetes: Samples) -> None:
    X, y = diabetes
    seen: list[float] = []
    model = pymlp.MLPRegressor(
        scale=True, random_state=0, max_iter=5,
        callbacks=[lambda model, history: seen.append(float(model.predict(X).mean()))],
    ).fit(X, y)  # fmt: skip
    assert np.abs(np.array(seen) - y.mean()).max() < y.std()
    assert seen[-1] == pytest.approx(model.predict(X).mean())


def test_searches_prune_by_what_a_callback_raises(iris: Samples) -> None:
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def objective(trial: Any) -> float:
        def report(model: Any, history: Any) -> None:
            trial.report(model.loss_, model.n_iter_)
            if trial.should_prune():
                raise optuna.TrialPruned

        rate = trial.suggest_categorical("rate", [0.01, 1e-9])
        options = {"callbacks": [report], "learning_rate_init": rate}
        model = classifier(n_iter_no_change=math.inf, **options).fit(*iris)
        return float(model.loss_)

    study = optuna.create_study(
        sampler=optuna.samplers.GridSampler({"rate": [0.01, 1e-9]}, seed=0),
        pruner=optuna.pruners.ThresholdPruner(upper=1.0, n_warmup_steps=25),
    )
    study.optimize(objective, n_trials=2)
    states = {t.params["rate"]: t.state.name for t in study.trials}
    assert states == {0.01: "COMPLETE", 1e-9: "PRUNED"}


def test_max_seconds_end_training(iris: Samples) -> None:
    model = classifier(max_iter=10**9, tol=0.0, n_iter_no_change=math.inf, max_seconds=0.05)
    assert model.fit(*iris).n_iter_ < 10**9
    assert model.network_.history.stopped_by == "max_seconds"


@pytest.mark.parametrize("n_jobs", [1, 2, -1])
def test_any_number_of_threads_gives_the_same_bits(iris: Samples, n_jobs: int) -> None:
    one, more = classifier(n_jobs=1).fit(*iris), classifier(n_jobs=n_jobs).fit(*iris)
    assert (one.coefs_[0] == more.coefs_[0]).all()


def test_warm_start_keeps_the_state_of_the_solver(iris: Samples) -> None:
    options: dict[str, Any] = {"n_iter_no_change": math.inf, "shuffle": False}
    whole = classifier(max_iter=20, **options).fit(*iris)
    halves = classifier(max_iter=10, warm_start=True, **options).fit(*iris).fit(*iris)
    np.testing.assert_allclose(halves.coefs_[0], whole.coefs_[0], rtol=1e-12)
    assert halves.loss_curve_ == pytest.approx(whole.loss_curve_)
    assert halves._optimizer.steps == 20


def test_warm_start_takes_a_new_rate(iris: Samples) -> None:
    model = classifier(warm_start=True).fit(*iris)
    before = model.coefs_[0].copy()
    model.set_params(learning_rate_init=1e-300).fit(*iris)
    assert (model.coefs_[0] == before).all()


def test_interrupted_training_keeps_what_is_learnt(iris: Samples) -> None:
    def interrupt(model: Any, history: Any) -> None:
        if model.n_iter_ == 3:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="interrupted by user"):
        model = classifier(callbacks=[interrupt]).fit(*iris)
    assert model.n_iter_ == 3
    assert model.predict(iris[0]).shape == (150,)


def test_several_threads_fit_and_predict(iris: Samples) -> None:
    alone = classifier().fit(*iris).predict_proba(iris[0])
    found: list[NDArray[Any]] = []

    def work() -> None:
        found.append(classifier().fit(*iris).predict_proba(iris[0]))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 4
    assert all((alone == P).all() for P in found)


# ---- weights and networks as attributes ----------------------------------------------------------


def test_coefficients_are_the_networks_own(iris: Samples) -> None:
    X, y = iris
    model = classifier().fit(X, y)
    before = model.predict_proba(X)
    model.coefs_[-1] *= 0.0
    model.intercepts_[-1][:] = [0.0, 50.0, 0.0]
    assert (model.predict(X) == "versicolor").all()
    model.coefs_ = [w.copy() for w in classifier().fit(X, y).coefs_]
    model.intercepts_[:] = [b.copy() for b in classifier().fit(X, y).intercepts_]
    assert (model.predict_proba(X) == before).all()
    with pytest.raises(ValueError, match=r"coefs_\[0\]"):
        model.coefs_[0] = np.zeros((3, 3))
    with pytest.raises(ValueError, match="2 arrays, not 1"):
        model.coefs_ = [np.zeros((4, 100))]
    with pytest.raises(TypeError, match="coefs_ are the network's arrays"):
        model.coefs_.append(np.zeros(3))


def test_a_network_becomes_an_estimator(iris: Samples) -> None:
    X, y = iris
    codes = np.unique(y, return_inverse=True)[1]
    net = pymlp.Network([4, 9, 8, 3], hidden=["tanh", "gelu"], output="softmax", seed=0)
    net.fit(X, codes, epochs=60, learning_rate=0.01)
    model = pymlp.MLPClassifier.from_network(net, np.unique(y))
    assert model.network_ is net
    assert model.score(X, y) == np.mean(net.predict(X).argmax(axis=1) == codes)
    assert model.set_params(warm_start=True, max_iter=5).fit(X, y).network_ is net
    fresh = model.set_params(warm_start=False).fit(X, y).network_
    assert fresh is not net
    assert repr(fresh) == repr(net)


def test_a_network_gets_names_of_its_inputs() -> None:
    pd = pytest.importorskip("pandas")
    net = pymlp.Network([2, 3, 1], seed=0)
    model = pymlp.MLPRegressor.from_network(net, feature_names=["a", "b"])
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    assert (model.predict(frame) == net.predict(frame.to_numpy())[:, 0]).all()
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[["b", "a"]])


def test_networks_of_other_outputs_become_estimators() -> None:
    X = np.random.RandomState(0).normal(size=(9, 2))
    two = pymlp.MLPClassifier.from_network(pymlp.Network([2, 2], output="softmax"), ["no", "yes"])
    assert two.predict_proba(X).shape == (9, 2)
    assert set(two.partial_fit(X, ["no", "yes", "no"] * 3).predict(X)) <= {"no", "yes"}
    labels = pymlp.MLPClassifier.from_network(
        pymlp.Network([2, 3], output="sigmoid"), multilabel=True
    )
    assert labels.predict(X).shape == (9, 3)
    numbers = pymlp.MLPRegressor.from_network(pymlp.Network([2, 3, 2]))
    assert numbers.predict(X).shape == (9, 2)


@pytest.mark.parametrize(
    ("network", "options", "message"),
    [
        (pymlp.Network([2, 3]), {}, "must end in softmax or sigmoid, not linear"),
        (pymlp.Network([2, 3], output="sigmoid"), {}, "multilabel=True"),
        (pymlp.Network([2, 3], output="softmax"), {"classes": [1, 2]}, "classes must be 3, not 2"),
        (pymlp.Network([2, 3], output="softmax"), {"classes": [3, 2, 1]}, "must be sorted"),
        (pymlp.Network([2, 3], output="softmax", bias=False), {}, "must have biases"),
        (pymlp.Network([2, 3], output="softmax"), {"feature_names": "a"}, "must be 2 names, not 1"),
    ],
)
def test_other_networks_are_refused(network: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pymlp.MLPClassifier.from_network(network, **options)
