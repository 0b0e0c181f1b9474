"""The judge of penalties, limits and averages, judged by numbers worked by hand."""

from dataclasses import replace

import pytest
import reference
import reference_limits as limits
from reference_cases import near
from reference_network import flat_gradients, flat_parameters, new_network, with_parameters


def test_clipping_by_hand() -> None:
    assert limits.clipped([3.0, -4.0], None, None) == [3.0, -4.0]
    assert limits.clipped([3.0, -4.0], None, 3.5) == [3.0, -3.5]
    assert limits.clipped([3.0, -4.0], 10.0, None) == [3.0, -4.0]
    assert limits.clipped([3.0, -4.0], 1.0, None) == pytest.approx([0.6, -0.8], rel=1e-6)
    # The length first: 0.6 is not clipped.
    assert limits.clipped([3.0, -4.0], 1.0, 0.7) == pytest.approx([0.6, -0.7], rel=1e-6)


def test_columns_that_are_longer_are_scaled_back() -> None:
    W = [[3.0, 0.3, -6.0], [4.0, 0.4, 8.0]]
    assert limits.with_limited_columns(W, 5.0) == [[3.0, 0.3, -3.0], [4.0, 0.4, 4.0]]


def test_the_average_by_hand() -> None:
    first = limits.averaged(None, [2.0, 4.0], 0.75)
    assert first == [2.0, 4.0]
    assert limits.averaged(first, [6.0, 0.0], 0.75) == [3.0, 3.0]


def test_the_penalty_is_the_slope_of_its_formula() -> None:
    network, X, Y = new_network([2, 3, 1], ["tanh", "linear"], seed=3), [[0.5, -1.0]], [[0.25]]
    l1, l2 = 0.25, 0.5

    def J(flat: list[float]) -> float:
        moved = with_parameters(network, flat)
        weights = [w for W in moved.weights for row in W for w in row]
        added = l1 * sum(map(abs, weights)) + l2 / 2.0 * sum(w * w for w in weights)
        return reference.gradients(moved, X, Y, "mse")[0] + added

    _, g = reference.gradients(network, X, Y, "mse")
    flat, h = flat_parameters(network), 1e-6
    numeric = [
        (J([*flat[:i], w + h, *flat[i + 1 :]]) - J([*flat[:i], w - h, *flat[i + 1 :]])) / (2 * h)
        for i, w in enumerate(flat)
    ]
    found = flat_gradients(limits.with_penalty(g, network, l1, l2))
    assert found == pytest.approx(numeric, abs=1e-8)


def test_groups_scale_rate_and_decay_of_the_biases() -> None:
    network = replace(new_network([1, 1], ["linear"]), weights=[[[1.0]]], biases=[[1.0]])
    samples = limits.Samples([[1.0]], [[1.0]], [1.0], "mse")  # a = 2, dJ = 2 for both
    options = {"learning_rate": 0.5, "weight_decay": 0.5}
    training = limits.Training(network, "sgd", options, limits.Limits(biases=(0.5, 2.0)))
    assert training.step(samples) == 1.0
    assert training.parameters == near([1.0 - 0.5 * 2.5, 1.0 - 0.25 * 3.0], 1e-15)


def test_without_limits_it_is_what_the_reference_trains() -> None:
    network = new_network([2, 3, 1], ["tanh", "sigmoid"], seed=1)
    X, Y = [[0.0, 1.0], [1.0, 1.0], [0.5, 0.0]], [[0.0], [1.0], [1.0]]
    loss, options = "binary_cross_entropy", {"learning_rate": 0.125}
    recipe = reference.Recipe(loss, "adam", options, epochs=2, batch_size=2)
    expected, _ = reference.train(network, X, Y, recipe)
    training = limits.Training(network, "adam", options, limits.Limits())
    for batch in limits.Samples(X, Y, [1.0] * 3, loss).batches(2) * 2:
        training.step(batch)
    assert training.parameters == flat_parameters(expected)


def test_what_batches_hold() -> None:
    samples = limits.Samples([[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]], [7.0, 8.0, 9.0], "mse")
    first, last = samples.batches(2)
    assert (first.X, first.Y, first.weight) == ([[1.0], [2.0]], [[4.0], [5.0]], [7.0, 8.0])
    assert (last.X, last.Y, last.weight) == ([[3.0]], [[6.0]], [9.0])
