"""What the table of activations says of each is what its kernel does."""

import math
import re

import numpy as np
import pytest
from cases import ACTIVATIONS, FloatArray
from equations import evaluate, python_of
from reference_activations import ROWWISE

import pymlp
from pymlp import Activation, _core, _core_test
from pymlp.activations import ALIASES, TABLE

ELEMENTWISE = [g for g in ACTIVATIONS if g.name not in ROWWISE]
FOUR_DIGITS = 6e-5  # constants are written with four
POINTS = [*np.linspace(-8.0, 8.0, 401) + 0.0013, -30.0, -15.0, 15.0, 30.0]
FAR = np.geomspace(20.0, 700.0, 50)
GRID = np.concatenate([-FAR, np.linspace(-20.0, 20.0, 40001), FAR])

by_elementwise = pytest.mark.parametrize("g", ELEMENTWISE, ids=repr)
by_activation = pytest.mark.parametrize("g", ACTIVATIONS, ids=repr)


def values(g: Activation, z: FloatArray) -> FloatArray:
    """Return g(z), of a row activation the first of a row (z, 0)."""
    rows = np.column_stack([z, np.zeros_like(z)]) if g.name in ROWWISE else z[:, None]
    return _core_test.activation_forward(g.name, list(g.parameters.values()), rows)[:, 0]


def slopes(g: Activation, z: FloatArray) -> FloatArray:
    """Return g'(z), of a row activation that of the first entry by itself."""
    rows = np.column_stack([z, np.zeros_like(z)]) if g.name in ROWWISE else z[:, None]
    parameters = list(g.parameters.values())
    a = _core_test.activation_forward(g.name, parameters, rows)
    da = np.zeros_like(rows)
    da[:, 0] = 1.0
    return _core_test.activation_backward(g.name, parameters, da, rows, a)[:, 0]


# ---- names ---------------------------------------------------------------------------------------
def test_table_has_the_names_of_the_core() -> None:
    assert [*TABLE, "custom"] == list(_core.activations())
    assert [kind.name for kind in TABLE.values()] == list(TABLE)
    assert set(ALIASES.values()) <= set(TABLE)
    assert not set(ALIASES) & set(TABLE)


@pytest.mark.parametrize("name", [*TABLE, *ALIASES])
def test_every_name_makes_its_kind(name: str) -> None:
    net = pymlp.Network([1, 1], output=name)
    assert type(net.layers[0].activation) is TABLE[ALIASES.get(name, name)]
    assert getattr(pymlp, TABLE[ALIASES.get(name, name)].__name__)


@pytest.mark.parametrize("kind", TABLE.values())
def test_every_row_is_whole(kind: type[Activation]) -> None:
    columns = ("equation", "derivative_equation", "range", "largest_slope", "use")
    for column in columns:
        text = vars(kind)[column]
        assert text == text.strip() != ""
        assert text.isascii()
    assert kind.__doc__


# ---- equations -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("equation", "expression"),
    [
        ("2 sqrt(2 / pi) z", "2 * sqrt ( 2 / pi ) * z"),
        ("1 / (1 + e^-z)", "1 / ( 1 + e ** - z )"),
        ("z tanh(softplus(z))", "z * tanh ( softplus ( z ) )"),
        ("tanh z", "tanh ( z )"),
        ("z / (1 + |z|)", "z / ( 1 + abs ( z ) )"),
        ("0 if z <= -3, 1 if z >= 3, else 2 z", "0 if z <= - 3 else 1 if z >= 3 else 2 * z"),
        ("s (1 + z (1 - s))", "s * ( 1 + z * ( 1 - s ) )"),
    ],
)
def test_equations_are_read_as_a_reader_would(equation: str, expression: str) -> None:
    assert python_of(equation) == expression


def test_equations_hold_nothing_else() -> None:
    with pytest.raises(ValueError, match="more than a formula"):
        python_of("z.__class__")


def tolerance(g: Activation) -> float:
    return FOUR_DIGITS if re.search(r"\.\d{4}", g.equation) and g.name == "selu" else 1e-11


@by_elementwise
def test_equation_is_the_value(g: Activation) -> None:
    z = np.array(POINTS)
    expected = [evaluate(g.equation, z=x, **g.parameters) for x in POINTS]
    assert values(g, z) == pytest.approx(np.array(expected), rel=tolerance(g), abs=1e-14)


@by_elementwise
def test_derivative_equation_is_the_slope(g: Activation) -> None:
    z = np.array(POINTS)
    a = values(g, z)
    expected = [
        evaluate(g.derivative_equation, z=x, a=y, **g.parameters)
        for x, y in zip(POINTS, a, strict=True)
    ]
    assert slopes(g, z) == pytest.approx(np.array(expected), rel=tolerance(g), abs=1e-11)


@by_elementwise
def test_slope_is_the_central_difference_of_the_equation(g: Activation) -> None:
    # Points lie off the kinks, which are at whole numbers and tenths; the step is 1e-5.
    z = np.array([x for x in POINTS if abs(x) <= 8.0])
    differences = [
        (evaluate(g.equation, z=x + 1e-5, **g.parameters)
         - evaluate(g.equation, z=x - 1e-5, **g.parameters)) / 2e-5
        for x in z
    ]  # fmt: skip
    assert slopes(g, z) == pytest.approx(np.array(differences), rel=tolerance(g) + 1e-7, abs=1e-8)


def test_equations_of_rows() -> None:
    # Softmax of (log 3, 0) is (3/4, 1/4).
    z = np.array([math.log(3.0)])
    assert values(pymlp.Softmax(), z) == pytest.approx([0.75])
    assert slopes(pymlp.Softmax(), z) == pytest.approx([0.75 - 0.75**2])
    assert values(pymlp.LogSoftmax(), z) == pytest.approx([math.log(0.75)])
    assert slopes(pymlp.LogSoftmax(), z) == pytest.approx([1.0 - 0.75])


# ---- ranges --------------------------------------------------------------------------------------
INTERVAL = re.compile(r"([\[(])(\S+), (\S+)([\])])")


@by_activation
def test_range(g: Activation) -> None:
    a = values(g, GRID)
    if g.range.startswith("{"):
        assert set(a) == {float(text) for text in g.range.strip("{}").split(", ")}
        return
    match = INTERVAL.match(g.range)
    assert match
    opening, low_text, high_text, closing = match.groups()
    low, high = (evaluate(text, **g.parameters) for text in (low_text, high_text))
    lowest, highest = float(a.min()), float(a.max())
    for end, reached, attained in (
        (low, lowest, opening == "["),
        (high, highest, closing == "]"),
    ):
        if math.isinf(end):
            # As far as the grid is wide, or for leaky_relu a share of that.
            assert reached * math.copysign(1.0, end) >= 0.009 * 20.0
        else:
            # An open end is come near to: softsign, the slowest, is 1/701 from it.
            near = FOUR_DIGITS if attained else 2e-3 * max(1.0, abs(end))
            assert reached == pytest.approx(end, rel=0.0, abs=near)
    assert low - FOUR_DIGITS <= lowest
    assert highest <= high + FOUR_DIGITS
    middle = a[np.abs(GRID) < 10.0]
    assert opening == "[" or middle.min() > low
    assert closing == "]" or middle.max() < high


# ---- largest slopes ------------------------------------------------------------------------------
def largest_slope(g: Activation) -> tuple[float, str]:
    """Return the number, and the words on where it is."""
    text, _, where = g.largest_slope.rpartition(", ")
    if not text or text.count("(") != text.count(")"):  # max(1, |alpha|)
        text, where = g.largest_slope, ""
    return evaluate(text, **g.parameters), where


@by_activation
def test_largest_slope(g: Activation) -> None:
    largest, where = largest_slope(g)
    seen = np.abs(slopes(g, GRID))
    if math.isinf(largest):
        assert seen.max() > 1e300
        return
    assert seen.max() == pytest.approx(largest, abs=4e-4)  # hard_swish, a step before its kink
    place = re.fullmatch(r"(at|near|just below) ([^a-z]*|.*sqrt\(2\))", where)
    if place and g.name not in ROWWISE:
        z = evaluate(place[2]) - (1e-9 if place[1] == "just below" else 0.0)
        assert abs(slopes(g, np.array([z]))[0]) == pytest.approx(largest, abs=FOUR_DIGITS)
        steepest = abs(GRID[np.argmax(seen)])  # of gaussian on either side
        assert steepest == pytest.approx(z, abs=0.02), "and nowhere else"
    else:
        assert where in {
            "", "everywhere", "towards inf", "where z > 0", "where z >= 0", "where |z| < 3",
            "where |z| < 1", "where 0 < z < 6", "at multiples of pi", "where a_i = 0.5",
            "where softmax(z)_i = 0",
        }  # fmt: skip
