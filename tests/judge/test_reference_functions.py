"""The judge of activations and losses judged: by numbers worked by hand, slopes and limits."""

import math

import pytest
import reference
from reference import Vector
from reference_activations import activation_backward, activation_forward
from reference_cases import (
    FUSED_PAIRS,
    INF,
    LN3,
    LOSSES,
    TINY,
    Activation,
    by_name,
    near,
    numeric_gradient,
    random_matrix,
    rows,
    with_and_without_weights,
)
from reference_losses import fused_gradient, loss_gradient, loss_value, loss_value_from_logits


@pytest.mark.parametrize(("loss", "options"), LOSSES, ids=str)
@pytest.mark.parametrize("k", [1, 3])
@with_and_without_weights
def test_loss_and_gradient_share_one_normalisation(
    loss: str, options: dict[str, float], k: int, sample_weight: Vector | None
) -> None:
    [a] = random_matrix(27, 1, 5 * k, 0.2, 0.8)
    Y = random_matrix(28, 5, k, 0.0, 1.0)

    def J(a: Vector) -> float:
        return loss_value(loss, rows(a, k), Y, sample_weight, **options)

    expected = rows(numeric_gradient(J, a), k)
    assert loss_gradient(loss, rows(a, k), Y, sample_weight, **options) == near(expected, 1e-8)


@pytest.mark.parametrize(
    ("loss", "J"),
    [
        ("cross_entropy", (math.log(2.0) + math.log(4.0)) / 2.0),
        ("binary_cross_entropy", (math.log(2.0) + (math.log(4.0) + math.log(4.0 / 3.0)) / 2.0) / 2),
        ("kl_divergence", (math.log(2.0) + math.log(4.0)) / 2.0),
        ("mse", (0.25 + (0.75**2 + 0.25**2) / 2.0) / 2.0),
        ("mae", (0.5 + (0.75 + 0.25) / 2.0) / 2.0),
        ("huber", (0.25 / 2.0 + (0.75**2 + 0.25**2) / 4.0) / 2.0),
        ("quantile", (0.25 + 0.25) / 2.0),
        ("poisson", (0.5 + math.log(2.0) / 2.0 + 0.25 + math.log(4.0) / 2.0) / 2.0),
        ("hinge", ((0.5 + 1.0) / 2.0 + (1.0 + 0.75) / 2.0) / 2.0),
    ],
)
def test_losses_worked_by_hand(loss: str, J: float) -> None:
    # Certain targets; the true class has probability 1/2, then 1/4 beside a 1/4 for the other.
    Y = reference.one_hot([0, 1], 2)
    assert Y == [[1.0, 0.0], [0.0, 1.0]]
    assert loss_value(loss, [[0.5, 0.5], [0.25, 0.25]], Y) == pytest.approx(J, rel=1e-14)


def test_quantile_of_two_levels_worked_by_hand() -> None:
    # 0.2 of 2 above the first prediction, 0.1 of 3 below the second.
    J = loss_value("quantile", [[1.0, 3.0]], [[3.0, 0.0]], q=[0.2, 0.9])
    assert pytest.approx((0.4 + 0.3) / 2.0, rel=1e-14) == J
    gradient = loss_gradient("quantile", [[1.0, 3.0]], [[3.0, 0.0]], q=[0.2, 0.9])
    assert gradient == near([[-0.1, 0.05]], 1e-14)


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "kl_divergence", "mse"])
def test_certain_and_right_predictions_cost_nothing(loss: str) -> None:
    # The limits y log a and y / a of y = a = 0 are taken, not 0 times infinity.
    Y = [[1.0, 0.0], [0.0, 1.0]]
    assert loss_value(loss, Y, Y) == 0.0
    [first, second] = loss_gradient(loss, Y, Y)
    assert all(map(math.isfinite, first + second))


# ---- from logits ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("output", "loss"), FUSED_PAIRS)
@pytest.mark.parametrize("k", [1, 3])
@with_and_without_weights
def test_fused_form_agrees_with_the_general_one(
    output: str, loss: str, k: int, sample_weight: Vector | None
) -> None:
    # The rows of these targets do not sum to 1, which no form may assume.
    Z, Y = random_matrix(37, 5, k, -3.0, 3.0), random_matrix(38, 5, k, 0.0, 1.0)
    A = activation_forward(output, Z)
    dA = loss_gradient(loss, A, Y, sample_weight)
    general = activation_backward(output, dA, Z)
    J = loss_value(loss, A, Y, sample_weight)
    assert fused_gradient(loss, Z, Y, sample_weight) == near(general)
    assert loss_value_from_logits(loss, Z, Y, sample_weight) == pytest.approx(J, rel=1e-13)


def test_fused_cross_entropy_is_a_minus_y_over_m() -> None:
    # softmax(ln 3, 0) = (3/4, 1/4).
    dZ = fused_gradient("cross_entropy", [[LN3, 0.0], [0.0, LN3]], [[1.0, 0.0]] * 2)
    assert dZ == near([[-0.125, 0.125], [-0.375, 0.375]])


@pytest.mark.parametrize(
    ("loss", "z", "y", "J"),
    [
        pytest.param("cross_entropy", [1e4, 0.0], [0.0, 1.0], 1e4, id="softmax-wrong"),
        pytest.param("cross_entropy", [1e300, 0.0], [0.0, 1.0], 1e300, id="softmax-very-wrong"),
        pytest.param("cross_entropy", [40.0, 0.0], [1.0, 0.0], math.exp(-40.0), id="softmax-right"),
        pytest.param("cross_entropy", [-1e4] * 4, [0.25] * 4, math.log(4.0), id="softmax-level"),
        pytest.param("binary_cross_entropy", [1e4], [0.0], 1e4, id="sigmoid-wrong"),
        pytest.param("binary_cross_entropy", [-1e300], [1.0], 1e300, id="sigmoid-very-wrong"),
        pytest.param("binary_cross_entropy", [-40.0], [0.0], math.exp(-40.0), id="sigmoid-right"),
    ],
)
def test_loss_of_a_saturated_output(loss: str, z: Vector, y: Vector, J: float) -> None:
    assert loss_value_from_logits(loss, [z], [y]) == pytest.approx(J, rel=1e-14, abs=0.0)
    assert all(map(math.isfinite, fused_gradient(loss, [z], [y])[0]))


# ---- activations ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("linear", [-INF, -1e4, -TINY, TINY, 1e4, INF]),
        ("step", [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]),
        ("sigmoid", [0.0, 0.0, 0.5, 0.5, 1.0, 1.0]),
        ("tanh", [-1.0, -1.0, -TINY, TINY, 1.0, 1.0]),
        ("relu", [0.0, 0.0, 0.0, TINY, 1e4, INF]),
        ("leaky_relu", [-INF, -1e2, 0.0, TINY, 1e4, INF]),
        ("elu", [-1.0, -1.0, -TINY, TINY, 1e4, INF]),
        ("celu", [-1.0, -1.0, -TINY, TINY, 1e4, INF]),
        ("gelu", [0.0, 0.0, 0.0, 0.0, 1e4, INF]),
        ("gelu_tanh", [0.0, 0.0, 0.0, 0.0, 1e4, INF]),
        ("silu", [0.0, 0.0, 0.0, 0.0, 1e4, INF]),
        ("softplus", [0.0, 0.0, math.log(2.0), math.log(2.0), 1e4, INF]),
        ("softsign", [-1.0, -1e4 / 10001.0, -TINY, TINY, 1e4 / 10001.0, 1.0]),
        ("hard_sigmoid", [0.0, 0.0, 0.5, 0.5, 1.0, 1.0]),
        ("hard_tanh", [-1.0, -1.0, -TINY, TINY, 1.0, 1.0]),
        ("relu6", [0.0, 0.0, 0.0, TINY, 6.0, 6.0]),
        ("exp", [0.0, 0.0, 1.0, 1.0, INF, INF]),
        ("gaussian", [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]),
    ],
)
def test_extreme_arguments_give_the_limit(name: str, values: Vector) -> None:
    [a] = activation_forward(name, [[-INF, -1e4, -TINY, TINY, 1e4, INF]])
    assert a == values


@pytest.mark.parametrize(
    ("z", "a"),
    [
        ([LN3, 0.0], [0.75, 0.25]),
        ([1e4, -1e4], [1.0, 0.0]),
        ([INF, 0.0], [1.0, 0.0]),
        ([-INF, 0.0], [0.0, 1.0]),
        ([INF, INF], [0.5, 0.5]),
        ([-INF, -INF], [0.5, 0.5]),
    ],
)
def test_softmax_of_a_row(z: Vector, a: Vector) -> None:
    assert activation_forward("softmax", [z]) == near([a])


@pytest.mark.parametrize(
    ("z", "a"),
    [
        ([LN3, 0.0], [math.log(0.75), math.log(0.25)]),
        ([40.0, 0.0], [-math.exp(-40.0), -40.0]),
        ([1e4, -1e4], [0.0, -2e4]),
        ([INF, 0.0], [0.0, -INF]),
        ([-INF, 0.0], [-INF, 0.0]),
        ([INF, INF], [-math.log(2.0), -math.log(2.0)]),
        ([-INF, -INF], [-math.log(2.0), -math.log(2.0)]),
    ],
)
def test_log_softmax_of_a_row(z: Vector, a: Vector) -> None:
    assert activation_forward("log_softmax", [z]) == [pytest.approx(a, rel=1e-14, abs=0.0)]


@by_name
@pytest.mark.parametrize("place", [0, 1])
def test_nan_in_gives_nan_out(activation: Activation, place: int) -> None:
    name, parameters = activation
    z = [1.0, 1.0]
    z[place] = math.nan
    [a] = activation_forward(name, [z], **parameters)
    assert math.isnan(a[place])


@pytest.mark.parametrize(
    ("name", "parameters", "z", "slope"),
    [
        ("step", {}, 0.0, 0.0),
        ("relu", {}, 0.0, 0.0),
        ("leaky_relu", {}, 0.0, 0.01),
        ("leaky_relu", {"threshold": 1.0, "slope": 0.5}, 1.0, 0.5),
        ("elu", {"alpha": 2.0}, 0.0, 2.0),
        ("sigmoid", {}, 40.0, math.exp(-40.0)),
        ("tanh", {}, -20.0, 4.0 * math.exp(-40.0)),
        ("tanh", {}, 1e4, 0.0),
        ("elu", {}, -INF, 0.0),
        ("selu", {}, 0.0, 1.0507009873554805 * 1.6732632423543772),
        ("celu", {"alpha": 0.5}, -LN3, 1.0 / 9.0),
        ("gelu", {}, -INF, 0.0),
        ("gelu", {}, INF, 1.0),
        ("gelu_tanh", {}, 0.0, 0.5),
        ("silu", {}, 0.0, 0.5),
        ("silu", {}, 1e300, 1.0),
        ("mish", {}, 0.0, 0.6),
        ("mish", {}, -INF, 0.0),
        ("softplus", {}, LN3, 0.75),
        ("softsign", {}, -3.0, 1.0 / 16.0),
        ("hard_sigmoid", {}, 3.0, 0.0),
        ("hard_swish", {}, -3.0, 0.0),
        ("hard_swish", {}, 3.0, 1.0),
        ("hard_tanh", {}, 1.0, 0.0),
        ("relu6", {}, 6.0, 0.0),
        ("exp", {}, LN3, 3.0),
        ("sin", {}, 0.0, 1.0),
        ("gaussian", {}, INF, 0.0),
        ("gaussian", {}, 1.0, -2.0 / math.e),
    ],
)
def test_derivative_at_kinks_and_far_out(
    name: str, parameters: dict[str, float], z: float, slope: float
) -> None:
    actual = activation_backward(name, [[3.0]], [[z]], **parameters)
    assert actual == [[pytest.approx(3.0 * slope, rel=1e-14, abs=0.0)]]


@pytest.mark.parametrize(
    ("name", "parameters", "z", "a"),
    [
        ("step", {}, 0.0, 0.0),
        ("step", {"threshold": 0.5}, 0.5, 0.0),
        ("leaky_relu", {"threshold": 1.0, "slope": 0.5}, 1.0, 0.5),
        ("elu", {"alpha": 2.0}, -LN3, -4.0 / 3.0),
        ("selu", {}, -LN3, -1.0507009873554805 * 1.6732632423543772 * 2.0 / 3.0),
        ("celu", {"alpha": 0.5}, -LN3, -4.0 / 9.0),
        ("gelu", {}, math.sqrt(2.0), math.sqrt(0.5) * (1.0 + math.erf(1.0))),
        ("gelu_tanh", {}, 1.0, 0.8411919906082768),
        ("silu", {}, LN3, 0.75 * LN3),
        ("mish", {}, LN3, LN3 * 15.0 / 17.0),
        ("softplus", {}, LN3, 2.0 * math.log(2.0)),
        ("softsign", {}, -3.0, -0.75),
        ("hard_sigmoid", {}, 1.5, 0.75),
        ("hard_swish", {}, 1.5, 1.125),
        ("hard_tanh", {}, -0.5, -0.5),
        ("relu6", {}, 7.0, 6.0),
        ("exp", {}, LN3, 3.0),
        ("sin", {}, math.pi / 6.0, 0.5),
        ("gaussian", {}, math.sqrt(LN3), 1.0 / 3.0),
    ],
)
def test_value_at_kinks_and_below(
    name: str, parameters: dict[str, float], z: float, a: float
) -> None:
    assert activation_forward(name, [[z]], **parameters) == near([[a]])


@pytest.mark.parametrize(("name", "steepest"), [("sigmoid", 0.25), ("tanh", 1.0)])
def test_largest_slope_is_at_zero(name: str, steepest: float) -> None:
    z = [i / 10.0 for i in range(-100, 101)]
    [slopes] = activation_backward(name, [[1.0] * len(z)], [z])
    assert slopes[100] == steepest
    assert max(slopes[:100] + slopes[101:]) < steepest
