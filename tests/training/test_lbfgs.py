"""L-BFGS: minima that are known, one normalisation, and the ways in which it ends."""

import itertools
import math
import pickle
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from cases import FloatArray, Rng, random_network
from threadpoolctl import threadpool_limits

import pymlp
from pymlp import LBFGS, EarlyStopping, History, Network, TrainingDiverged

optimize = pytest.importorskip("scipy.optimize")
Arrays = tuple[Any, Any]

TIGHT = {"tolerance_gradient": 1e-10, "tolerance_change": 0.0}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Keep SciPy's BLAS from waking threads for vectors this short."""
    with threadpool_limits(1):
        yield


def fit(net: Network, X: Any, y: Any, **options: Any) -> History:
    return net.fit(X, y, **{"batch_size": None, "epochs": 500, "optimizer": "lbfgs", **options})


def problem(rng: Rng, outputs: int = 3, dtype: str = "float64") -> tuple[Network, Arrays]:
    """Return a network that has something to learn for some 100 iterations."""
    net = random_network(rng, [4, 8, outputs], hidden="tanh", dtype=dtype)
    return net, (rng.normal(size=(30, 4)), rng.normal(size=(30, outputs)))


# ---- minima that are known -----------------------------------------------------------------------
@pytest.mark.parametrize("outputs", [1, 3])
def test_linear_regression_equals_least_squares(outputs: int, dtype: str, rng: Rng) -> None:
    X, y = rng.normal(size=(40, 5)), rng.normal(size=(40, outputs))
    net = Network([5, outputs], dtype=dtype)
    history = fit(net, X, y, optimizer=LBFGS(**TIGHT))
    solution, _, _, _ = np.linalg.lstsq(np.c_[X, np.ones(40)], y)
    tolerance = {"float64": 1e-8, "float32": 1e-3}[dtype]
    fitted = np.vstack([net.weights[0], net.biases[0]])
    np.testing.assert_allclose(fitted, solution, atol=tolerance)
    assert history.stopped_by in ("converged", "line_search")
    assert len(history.loss) < 50


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("l2", [0.003, 0.1])
def test_logistic_regression_equals_scikit_learn(classes: int, l2: float, rng: Rng) -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    X, y = rng.normal(size=(60, 4)), rng.integers(classes, size=60)
    # Its loss is a sum over samples, ours a mean, and C divides it; biases are free in both.
    model = linear_model.LogisticRegression(C=1.0 / (60 * l2), tol=1e-10, max_iter=10_000)
    model.fit(X, y)
    net = (
        Network([4, 1], output="sigmoid", dtype="float64")
        if classes == 2
        else Network([4, classes], output="softmax", dtype="float64")
    )
    fit(net, X, y, l2=l2, optimizer=LBFGS(**TIGHT))
    np.testing.assert_allclose(net.weights[0], model.coef_.T, atol=1e-5)
    chances = net.predict(X)
    chances = np.c_[1.0 - chances, chances] if classes == 2 else chances
    np.testing.assert_allclose(chances, model.predict_proba(X), atol=1e-5)


# ---- one normalisation of loss and gradient ------------------------------------------------------
def penalty(net: Network, l2: float) -> float:
    return 0.5 * l2 * sum(float((W * W).sum()) for W in net.weights)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("l2", [0.0, 0.02])
@pytest.mark.parametrize("outputs", [1, 3])
def test_it_is_scipys_minimiser_of_loss_and_gradients(
    outputs: int, l2: float, weighted: bool, rng: Rng
) -> None:
    net, (X, y) = problem(rng, outputs)
    w = rng.uniform(0.5, 2.0, 30) if weighted else None
    twin = net.copy()

    def by_hand(x: FloatArray) -> tuple[float, FloatArray]:
        twin.parameters = x
        J, gradients = twin.gradients(X, y, sample_weight=w)
        flat = gradients.flat.copy()
        slots = pymlp.Gradients(flat, net._architecture.tensors).weights
        for slot, W in zip(slots, twin.weights, strict=True):
            slot += l2 * W
        return J + penalty(twin, l2), flat

    losses: list[float] = []
    optimize.minimize(
        by_hand, net.parameters, jac=True, method="L-BFGS-B",
        callback=lambda intermediate_result: losses.append(float(intermediate_result.fun)),
        options={"maxiter": 40, "gtol": 1e-5, "ftol": 1e-9, "maxcor": 10, "maxls": 20},
    )  # fmt: skip
    history = fit(net, X, y, epochs=40, l2=l2, sample_weight=w)
    assert len(losses) == 40
    assert history.stopped_by == "epochs"
    assert np.add(history.loss, history.penalty) == pytest.approx(losses, rel=1e-9)
    assert history.loss[-1] == pytest.approx(net.loss(X, y, sample_weight=w), rel=1e-14)
    assert history.penalty[-1] == pytest.approx(penalty(net, l2), rel=1e-14)


@pytest.mark.parametrize("outputs", [1, 3])
def test_loss_falls_in_every_iteration(outputs: int, dtype: str, rng: Rng) -> None:
    net, samples = problem(rng, outputs, dtype)
    start = net.loss(*samples)
    history = fit(net, *samples, epochs=60)
    assert history.loss[-1] < 0.5 * start
    assert all(after < before for before, after in itertools.pairwise([start, *history.loss]))
    assert history.loss[-1] == pytest.approx(net.loss(*samples), rel=1e-6)
    assert history.learning_rate == [1.0] * len(history.loss)


def test_options_are_scipys(rng: Rng) -> None:
    net, samples = problem(rng)
    losses = {
        name: fit(net.copy(), *samples, epochs=200, optimizer=LBFGS(**options)).loss
        for name, options in {
            "defaults": {},
            "loose gradient": {"tolerance_gradient": 0.05},
            "loose change": {"tolerance_change": 0.01},
            "short history": {"history_size": 1},
        }.items()
    }
    assert len(losses["loose gradient"]) < len(losses["defaults"])
    assert len(losses["loose change"]) < len(losses["defaults"])
    assert losses["short history"][:2] == losses["defaults"][:2]
    assert losses["short history"][9] > losses["defaults"][9]


def test_a_line_search_that_finds_nothing_says_so(rng: Rng) -> None:
    net, samples = problem(rng)
    history = fit(net, *samples, optimizer=LBFGS(max_line_search=1, **TIGHT))
    assert history.stopped_by == "line_search"
    assert math.isclose(history.loss[-1], net.loss(*samples))


# ---- how it ends ---------------------------------------------------------------------------------
def test_it_goes_the_same_way_whoever_watches(rng: Rng, capfd: pytest.CaptureFixture[str]) -> None:
    net, samples = problem(rng)
    runs: list[dict[str, Any]] = [
        {}, {"progress": True}, {"validation": samples}, {"callbacks": [lambda n, h: None]},
        {"threads": 2}, {"shuffle": False}, {"seed": 3}, {"max_seconds": 60.0},
        {"early_stopping": EarlyStopping(20)},
    ]  # fmt: skip
    histories = [fit(net.copy(), *samples, epochs=20, **options) for options in runs]
    assert all(history.loss == histories[0].loss for history in histories)
    assert histories[2].val_loss == pytest.approx(histories[0].loss, rel=1e-12)
    out, err = capfd.readouterr()
    assert out == ""
    assert "epoch 20/20" in err


def test_callbacks_see_every_iteration_and_true_ends_it(rng: Rng) -> None:
    net, samples = problem(rng)
    seen: list[float] = []

    def watch(network: Network, history: History) -> bool:
        assert history.loss[-1] == pytest.approx(network.loss(*samples), rel=1e-14)
        seen.append(history.loss[-1])
        return len(seen) == 7

    history = fit(net, *samples, callbacks=[watch], early_stopping=EarlyStopping(100))
    assert history.stopped_by == "callback"
    assert history.loss == seen
    assert len(seen) == 7
    assert net.loss(*samples) == pytest.approx(seen[-1], rel=1e-14)


def test_what_a_callback_writes_is_where_it_goes_on(dtype: str, rng: Rng) -> None:
    net, samples = problem(rng, dtype=dtype)
    other = rng.normal(size=net.n_parameters).astype(dtype)
    twin = net.copy()
    twin.parameters = other

    def move(net: Network, history: History) -> None:
        if len(history.loss) == 3:
            net.parameters = other

    history = fit(net, *samples, epochs=8, callbacks=[move])
    expected = fit(twin, *samples, epochs=5)
    assert history.loss[3:] == expected.loss
    assert (net.parameters == twin.parameters).all()
    assert history.stopped_by == "epochs"
    ended = fit(net, *samples, epochs=3, callbacks=[move])
    assert (len(ended.loss), ended.stopped_by) == (3, "epochs")
    assert (net.parameters == other).all()


@pytest.mark.parametrize("restore_best", [True, False])
def test_early_stopping_watches_the_validation_loss(restore_best: bool, rng: Rng) -> None:
    net, samples = problem(rng)
    held_out = (rng.normal(size=(20, 4)), rng.normal(size=(20, 3)))
    watch = EarlyStopping(4, restore_best=restore_best)
    history = fit(net, *samples, validation=held_out, early_stopping=watch)
    assert history.stopped_by == "early_stopping"
    best = int(np.argmin(history.val_loss))
    assert len(history.val_loss) == best + 5
    left = history.val_loss[best if restore_best else -1]
    assert net.loss(*held_out) == pytest.approx(left, rel=1e-14)


def test_a_share_is_held_out(rng: Rng) -> None:
    net, (X, y) = problem(rng)
    rows = pymlp._core.permutation(30, 5, 2**33)
    twin = net.copy()
    history = fit(net, X, y, epochs=5, validation=0.2, seed=5)
    expected = fit(twin, X[rows[6:]], y[rows[6:]], epochs=5, validation=(X[rows[:6]], y[rows[:6]]))
    assert history.loss == expected.loss
    assert history.val_loss == expected.val_loss


def test_max_seconds(rng: Rng) -> None:
    net, samples = problem(rng)
    history = fit(net, *samples, max_seconds=1e-9)
    assert history.stopped_by == "max_seconds"
    assert len(history.loss) == 1
    assert history.seconds > 0.0


def test_it_keeps_nothing_from_fit_to_fit(rng: Rng) -> None:
    net, samples = problem(rng)
    optimizer, twin, other = LBFGS(history_size=7), net.copy(), net.copy()
    first = fit(net, *samples, epochs=5, optimizer=optimizer)
    assert fit(other, *samples, epochs=5, optimizer=optimizer).loss == first.loss
    assert repr(pickle.loads(pickle.dumps(optimizer))) == repr(optimizer)
    fit(twin, *samples, epochs=5)
    again = fit(net, *samples, epochs=5, optimizer=optimizer)
    assert again.loss == fit(twin, *samples, epochs=5).loss


class Stop(BaseException):
    pass


def test_what_stops_it_in_a_line_search_leaves_a_whole_iteration(rng: Rng) -> None:
    calls = 0

    def value(z: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 15:
            raise Stop
        return np.sin(z)

    net = Network(
        [4, 8, 3], hidden=pymlp.Activation(forward=value, derivative=np.cos), dtype="float64"
    )
    samples = (rng.normal(size=(30, 4)), rng.normal(size=(30, 3)))
    iterations: list[FloatArray] = [net.parameters.copy()]
    with pytest.raises(Stop):
        fit(net, *samples, callbacks=[lambda n, h: iterations.append(n.parameters.copy())])
    assert len(iterations) > 2
    assert (net.parameters == iterations[-1]).all()
    assert net.history is not None
    assert net.history.stopped_by == "interrupted"
    assert len(net.history.loss) == len(iterations) - 1


@pytest.mark.parametrize("size", [1e200, 1e155])
def test_divergence(size: float, rng: Rng) -> None:
    net = random_network(rng, [4, 8, 3], hidden="relu", dtype="float64")
    before = net.parameters.copy()
    with pytest.raises(TrainingDiverged, match="epoch 1"):
        fit(net, size * rng.normal(size=(30, 4)), rng.normal(size=(30, 3)))
    assert (net.parameters == before).all()


# ---- what it does without ------------------------------------------------------------------------
def test_a_validation_loss_that_is_not_finite_is_divergence(rng: Rng) -> None:
    net, (_, (X, y)) = Network([4, 3], seed=0), problem(rng)
    before = net.parameters.copy()
    far = (np.full((5, X.shape[1]), 3e38, np.float32), y[:5])
    with pytest.raises(TrainingDiverged, match="epoch 1"):
        fit(net, X, y, validation=far)
    assert np.array_equal(net.parameters, before)
    assert net.history is not None
    assert net.history.loss == []


def test_it_has_no_learning_rate_to_set() -> None:
    optimizer = LBFGS()
    with pytest.raises(AttributeError, match="learning_rate does not go with lbfgs"):
        optimizer.learning_rate = 0.5
    assert optimizer.learning_rate == 1.0


def test_without_scipy_it_says_what_to_install(rng: Rng, monkeypatch: Any) -> None:
    net, samples = problem(rng)
    for name in [name for name in sys.modules if name.split(".")[0] == "scipy"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"lbfgs needs SciPy: pip install 'pymlp\[lbfgs\]'"):
        fit(net, *samples)
    assert net.history is None


def test_scipy_is_imported_only_when_it_is_needed() -> None:
    code = (
        "import sys, numpy as np, pymlp; pymlp.LBFGS()\n"
        "pymlp.Network([1, 1]).fit(np.zeros((2, 1)), np.zeros(2), epochs=1)\n"
        "assert 'scipy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
