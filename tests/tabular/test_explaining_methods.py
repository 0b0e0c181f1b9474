"""Integrated and expected gradients and Shapley values of functions that are known."""

import itertools
import math

import numpy as np
import pytest

import pymlp
from pymlp.tabular.explaining import function as explained
from pymlp.tabular.explaining.function import Function
from pymlp.tabular.explaining.gradients import expected_gradients, integrated_gradients
from pymlp.tabular.explaining.network_outputs import NetworkOutputs
from pymlp.tabular.explaining.quantities import Logits, Probabilities, Units
from pymlp.tabular.explaining.shapley import shapley_values


class Formula:
    """Outputs by a formula, and what its derivatives pull back."""

    def __init__(self, value, derivative, n_in):
        self._value, self._derivative = value, derivative
        self.inputs = np.arange(n_in)

    def outputs(self, X):
        return self._value(X)[:, np.newaxis]

    def pulled_back(self, X, dY):
        return self._derivative(X) * dY


def of(value, derivative, widths):
    columns = np.repeat(np.arange(len(widths)), widths)
    outputs = Formula(value, derivative, len(columns))
    return Function(outputs, Units(1.0, 2.0, ordered=False), columns)


WEIGHTS = np.array([1.0, -2.0, 0.5, 3.0, 0.0])


def linear(widths=(1, 1, 1, 1, 1)):
    return of(lambda X: X @ WEIGHTS, lambda X: np.tile(WEIGHTS, (len(X), 1)), widths)


def curved():
    """Return a function of four columns with interactions, in units of 2 from 1."""

    def value(X):
        a, b, c, d = X.T
        return a * b + np.sin(c) * d + a**2 * c

    def derivative(X):
        a, b, c, d = X.T
        return np.column_stack([b + 2 * a * c, a, np.cos(c) * d + a**2, np.sin(c)])

    return of(value, derivative, [1, 1, 1, 1])


def by_all_coalitions(function, x, background):
    """Return Shapley values of one row by their definition."""
    n = len(x)
    worth = {}
    for size in range(n + 1):
        for some in itertools.combinations(range(n), size):
            rows = background.copy()
            rows[:, list(some)] = x[list(some)]
            worth[frozenset(some)] = function(rows).mean(axis=0)
    values = np.zeros((n, function.n_numbers))
    for some in worth:
        for j in set(range(n)) - some:
            share = math.factorial(len(some)) * math.factorial(n - len(some) - 1)
            values[j] += share / math.factorial(n) * (worth[some | {j}] - worth[some])
    return values


def rows(m, n, seed=0):
    return np.random.default_rng(seed).normal(size=(m, n))


def generator(seed=0):
    return np.random.default_rng(seed)


def everything(function, X, background, n=40, seed=0):
    """Return what each method finds."""
    return {
        "integrated": integrated_gradients(function, X, background.mean(axis=0), 16),
        "expected": expected_gradients(function, X, background, n, generator(seed)),
        "shapley": shapley_values(function, X, background, n, generator(seed)),
    }


@pytest.mark.parametrize("widths", [(1, 1, 1, 1, 1), (2, 3), (5,)])
def test_all_are_exact_of_linear_functions(widths):
    X, background = rows(7, 5), rows(20, 5, seed=1)
    terms = 2.0 * WEIGHTS * (X - background.mean(axis=0))
    starts = np.cumsum([0, *widths[:-1]])
    expected = np.add.reduceat(terms, starts, axis=1)[..., np.newaxis]
    for name, found in everything(linear(widths), X, background).items():
        np.testing.assert_allclose(found.values, expected, atol=1e-12, err_msg=name)
        np.testing.assert_allclose(found.outputs[:, 0], 1.0 + 2.0 * X @ WEIGHTS, atol=1e-12)
        np.testing.assert_allclose(
            found.base + found.values.sum(axis=1), found.outputs, atol=1e-12, err_msg=name
        )


def test_one_row_as_background_leaves_no_error_of_linear_functions():
    X, base = rows(3, 5), rows(1, 5, seed=1)
    for name, found in everything(linear(), X, base).items():
        np.testing.assert_allclose(found.error, 0.0, atol=1e-12, err_msg=name)


def test_shapley_values_are_those_by_all_coalitions():
    function, X, background = curved(), rows(5, 4), rows(6, 4, seed=1)
    exact = np.array([by_all_coalitions(function, x, background) for x in X])
    found = shapley_values(function, X, background, 6000, generator())
    assert np.abs((found.values - exact) / found.error).max() < 4.0
    np.testing.assert_allclose(found.values, exact, atol=0.1)


@pytest.mark.parametrize("n_pairs", [1, 5, 6, 7, 30])
def test_shapley_values_add_up_exactly(n_pairs):
    function, X, background = curved(), rows(5, 4), rows(6, 4, seed=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = shapley_values(function, X, background, n_pairs, generator())
    np.testing.assert_allclose(found.values.sum(axis=1), found.outputs - found.base, rtol=1e-12)
    if n_pairs >= 6:  # all rows of the background are used equally often
        np.testing.assert_allclose(found.base, function(background).mean(axis=0), rtol=1e-12)


@pytest.mark.parametrize("method", [shapley_values, expected_gradients])
def test_standard_errors_are_as_large_as_errors_are(method):
    function, X, background = curved(), rows(5, 4), rows(400, 4, seed=1)
    exact = method(function, X, background, 40_000, generator(1)).values
    ratios = []
    for seed in range(60):
        found = method(function, X, background, 40, generator(seed))
        assert (found.error > 0).all()
        ratios.append((found.values - exact) / found.error)
    spread = np.sqrt(np.mean(np.square(ratios)))
    # Of expected gradients the error is that of independent draws, which these are better than.
    assert 0.8 < spread < 1.25 if method is shapley_values else 0.3 < spread < 1.15


def test_integrated_gradients_are_complete_and_by_their_definition():
    function, X, base = curved(), rows(5, 4), rows(1, 4, seed=1)[0]
    found = integrated_gradients(function, X, base, 20)
    np.testing.assert_allclose(
        found.values.sum(axis=1), function(X) - function(base[np.newaxis]), atol=1e-10
    )
    t = (np.arange(20_000) + 0.5) / 20_000
    path = base + t[:, np.newaxis] * (X[0] - base)
    (gradients,) = function.gradients(path)
    expected = 2.0 * (X[0] - base) * gradients.mean(axis=0)
    np.testing.assert_allclose(found.values[0, :, 0], expected, atol=1e-6)


def test_the_error_of_integrated_gradients_is_what_is_missing():
    kinked = of(lambda X: np.abs(X).sum(axis=1), np.sign, [1, 1])
    X, base = rows(9, 2), np.array([0.4, -0.3])
    found = integrated_gradients(kinked, X, base, 5)
    missing = found.outputs - found.base - found.values.sum(axis=1)
    np.testing.assert_allclose(found.error[:, 0], np.abs(missing), atol=1e-15)
    assert 0.0 < found.error.max() < 1.0
    assert integrated_gradients(kinked, X, base, 500).error.max() < 0.02


def test_expected_gradients_are_the_mean_of_integrated_ones():
    function, X, background = curved(), rows(3, 4), rows(6, 4, seed=1)
    each = [integrated_gradients(function, X, base, 30).values for base in background]
    found = expected_gradients(function, X, background, 6 * 2000, generator())
    np.testing.assert_allclose(found.values, np.mean(each, axis=0), atol=2e-3)
    np.testing.assert_allclose(found.base, function(background).mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), found.outputs, atol=5e-3)


def test_a_column_without_effect_has_0():
    function = of(
        lambda X: X[:, 0] ** 2 * X[:, 2],
        lambda X: np.column_stack([2 * X[:, 0] * X[:, 2], 0 * X[:, 0], X[:, 0] ** 2]),
        [1, 1, 1],
    )
    for name, found in everything(function, rows(5, 3), rows(9, 3, seed=1)).items():
        assert (found.values[:, 1] == 0.0).all(), name
        assert (found.values[:, [0, 2]] != 0.0).all(), name


def test_columns_that_play_the_same_part_have_the_same_values():
    def value(X):
        return X[:, 0] * X[:, 1] + X[:, 2]

    function = of(value, lambda X: np.column_stack([X[:, 1], X[:, 0], np.ones(len(X))]), [1, 1, 1])
    X, background = rows(5, 3), rows(6, 3, seed=1)
    X[:, 1], background[:, 1] = X[:, 0], background[:, 0]
    for name, found in everything(function, X, background, n=6000).items():
        error = 6.0 * np.maximum(found.error, 1e-12).max()
        np.testing.assert_allclose(found.values[:, 0], found.values[:, 1], atol=error, err_msg=name)
        assert error < 0.3


def test_draws_are_fixed_and_the_same_for_all_rows():
    X, background = rows(9, 4), rows(30, 4, seed=1)
    first, same, other, some = (
        everything(curved(), part, background, seed=seed)
        for part, seed in ((X, 0), (X, 0), (X, 1), (X[4:6], 0))
    )
    for name in ("expected", "shapley"):
        np.testing.assert_array_equal(first[name].values, same[name].values)
        assert (first[name].values != other[name].values).any()
        np.testing.assert_allclose(first[name].values[4:6], some[name].values, rtol=1e-12)


def test_pieces_do_not_change_what_is_found(monkeypatch):
    X, background = rows(9, 4), rows(30, 4, seed=1)
    whole = everything(curved(), X, background)
    for most in (1, 7, 100, 700):
        monkeypatch.setattr(explained, "_NUMBERS", most)
        for name, found in everything(curved(), X, background).items():
            for a, b in zip(found, whole[name], strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_points_at_a_time_are_bounded(monkeypatch):
    monkeypatch.setattr(explained, "_NUMBERS", 400)
    most = 0

    def value(X):
        nonlocal most
        most = max(most, X.size)
        return X.sum(axis=1)

    function = of(value, np.ones_like, [1, 1, 1, 1])
    everything(function, rows(50, 4), rows(50, 4, seed=1), n=300)
    assert most <= 400


@pytest.mark.parametrize("kind", [Logits, Probabilities])
@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_slopes_are_those_of_differences(kind, n_classes):
    P = np.random.default_rng(0).dirichlet(np.ones(n_classes), 20) * 0.9 + 0.1 / n_classes
    quantity = kind(range(n_classes))
    found = quantity.of(P)
    assert found.shape == (20, 1 if n_classes == 2 else n_classes)
    step = 1e-6
    for j in range(found.shape[1]):
        expected = np.empty_like(P)
        for c in range(n_classes):
            move = step * np.eye(n_classes)[c]
            expected[:, c] = (quantity.of(P + move)[:, j] - quantity.of(P - move)[:, j]) / 2 / step
        slope = quantity.units[j] * quantity.slope(P, j)
        np.testing.assert_allclose(slope, expected, rtol=1e-5, atol=1e-6)


def test_logits_of_certain_probabilities_are_finite():
    for P in (np.array([[1.0, 0.0]], np.float32), np.array([[0.0, 1.0, 0.0]], np.float32)):
        quantity = Logits(range(P.shape[1]))
        assert np.isfinite(quantity.of(P)).all()
        for j in range(len(quantity.units)):
            assert np.isfinite(quantity.slope(P, j)).all()


def test_quantiles_are_explained_in_order():
    quantity = Units(1.0, 2.0, (0.1, 0.9), ordered=True)
    outputs = np.array([[3.0, 1.0], [0.0, 2.0]])
    assert quantity.of(outputs).tolist() == [[3.0, 7.0], [1.0, 5.0]]
    assert quantity.slope(outputs, 0).tolist() == [[0.0, 1.0], [1.0, 0.0]]
    assert quantity.slope(outputs, 1).tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_inputs_of_a_column_may_lie_apart():
    # As those of an ensemble do, whose members embed the same columns each in their way.
    X, background, order = rows(5, 4), rows(6, 4, seed=1), np.array([2, 0, 1, 0])

    def value(X):
        c, a, b, d = X.T
        return a * b + np.sin(c) * d

    def derivative(X):
        c, a, b, d = X.T
        return np.column_stack([np.cos(c) * d, b, a, np.sin(c)])

    outputs = Formula(value, derivative, 4)
    outputs.inputs = order
    function = Function(outputs, Units(1.0, 2.0, ordered=False), np.arange(3))
    beside = of(
        lambda X: value(X[:, [3, 0, 2, 1]]),
        lambda X: derivative(X[:, [3, 0, 2, 1]])[:, [1, 3, 2, 0]],
        [2, 1, 1],
    )
    found = everything(function, X, background)
    for name, expected in everything(
        beside, X[:, [1, 3, 2, 0]], background[:, [1, 3, 2, 0]]
    ).items():
        np.testing.assert_allclose(found[name].values, expected.values, rtol=1e-9)
        np.testing.assert_allclose(found[name].error, expected.error, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("norm", [None, "layer", "batch"])
def test_networks_are_explained_from_behind_their_embedding(norm):
    embeddings = pytest.importorskip("pymlp.embeddings")
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=90), rng.integers(0, 12, 90), rng.normal(size=90)])
    net = pymlp.Network(
        [3, 16, 16, 2], hidden=pymlp.Parametric("tanh"), norm=norm, residual=True,
        scale_inputs=True, dtype="float64", seed=0,
        embedding=[embeddings.Periodic([2]), embeddings.Categories({1: 12}, width=5)],
    )  # fmt: skip
    net.fit(X, np.column_stack([X[:, 0] * (X[:, 1] % 3), X[:, 2]]), epochs=5)
    outputs = NetworkOutputs(net, None)
    assert outputs.inputs.tolist() == [0] + [1] * 5 + [2] * 4
    embedded = outputs.embedded(X)
    np.testing.assert_array_equal(outputs.outputs(embedded), net.predict(X))
    function = Function(outputs, Units(0.0, 1.0, "ab", ordered=False), np.arange(3))
    for found in everything(function, embedded[:4], embedded, n=400).values():
        assert found.values.shape == (4, 3, 2)
        gap = found.outputs - found.base - found.values.sum(axis=1)
        assert np.abs(gap).max() < 0.1 * np.ptp(net.predict(X))
