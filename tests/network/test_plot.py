"""Pictures: what is drawn is what was computed, and nothing but the Axes given is touched."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import pymlp
from pymlp import _core_test, plot
from pymlp.activations import TABLE

matplotlib = pytest.importorskip("matplotlib")
from matplotlib import colors  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.text import Text  # noqa: E402

RNG = np.random.default_rng(5)
X = RNG.normal(size=(40, 2))
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)  # 0, 1, 2
BINARY = (X[:, 0] > 0).astype(int)


def classifier(outputs: int = 3, output: str = "softmax", **options: Any) -> pymlp.Network:
    return pymlp.Network([2, 5, outputs], output=output, seed=0, **options)


def record(loss: list[float], val_loss: list[float] | None = None) -> pymlp.History:
    history = pymlp.History()
    history.loss, history.val_loss = loss, val_loss or []
    return history


def every_operation() -> pymlp.Network:
    return pymlp.Network(
        [2, 5, 5, 3], hidden=pymlp.Parametric("gelu"), norm="layer", residual=True,
        scale_inputs=True, output="softmax", seed=0, dtype="float64",
    )  # fmt: skip


PICTURES: dict[str, Callable[..., Axes]] = {
    "activation": lambda **ax: plot.activation("tanh", **ax),
    "history": lambda **ax: plot.history(record([3.0, 2.0], [3.5, 3.0]), **ax),
    "decision_boundary": lambda **ax: plot.decision_boundary(classifier(), X, LABELS, **ax),
    "gradients": lambda **ax: plot.gradients(classifier(), X, LABELS, **ax),
    "network": lambda **ax: plot.network(classifier(), **ax),
}
each_picture = pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES)


@pytest.fixture
def ax() -> Axes:
    """Return Axes that pyplot does not know."""
    return Figure(layout="constrained").subplots()


@pytest.fixture
def pyplot(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return pyplot on a backend without windows, its figures closed afterwards."""
    monkeypatch.setitem(matplotlib.rcParams, "backend", "agg")
    from matplotlib import pyplot

    pyplot.close("all")
    yield pyplot
    pyplot.close("all")


def data(ax: Axes, label: str) -> Any:
    """Return x and y of the line whose label begins so."""
    (line,) = (line for line in ax.lines if str(line.get_label()).startswith(label))
    return line.get_data()


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def legend(ax: Axes) -> list[str]:
    drawn = ax.get_legend()
    assert drawn is not None
    return [text.get_text() for text in drawn.get_texts()]


# ---- all of them ---------------------------------------------------------------------------------


@each_picture
def test_draws_on_the_axes_given_and_touches_nothing_else(
    draw: Callable[..., Axes], ax: Axes, pyplot: Any
) -> None:
    current = pyplot.gca()
    parameters, backend = dict(matplotlib.rcParams), matplotlib.get_backend()
    assert draw(ax=ax) is ax
    assert dict(matplotlib.rcParams) == parameters
    assert matplotlib.get_backend() == backend
    assert pyplot.get_fignums() == [current.figure.number]
    assert pyplot.gca() is current
    assert not current.has_data()


@each_picture
def test_makes_a_figure_that_can_be_saved_and_shown(
    draw: Callable[..., Axes], pyplot: Any, tmp_path: Any
) -> None:
    ax = draw()
    assert isinstance(ax, Axes)
    assert pyplot.get_fignums() == [ax.figure.number]  # what a notebook shows
    ax.figure.savefig(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 5000


@each_picture
def test_says_what_it_shows(draw: Callable[..., Axes], ax: Axes) -> None:
    draw(ax=ax)
    assert ax.get_title(loc="left") or ax.get_title()
    assert legend(ax)
    assert not ax.axison or (ax.get_xlabel() and ax.get_ylabel())
    assert ax.get_ylabel() == "" or "(" in ax.get_ylabel()  # the unit


@each_picture
def test_refuses_other_axes_and_makes_no_figure(draw: Callable[..., Axes], pyplot: Any) -> None:
    with pytest.raises(TypeError, match="ax must be a matplotlib Axes, not str"):
        draw(ax="axes")
    assert pyplot.get_fignums() == []


@each_picture
def test_says_what_to_install(draw: Callable[..., Axes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'pymlp\[plot\]'"):
        draw()


def test_needs_no_display_and_imports_matplotlib_late() -> None:
    script = """
import sys, pymlp
import pymlp.plot
assert "matplotlib" not in sys.modules
from matplotlib.figure import Figure
pymlp.plot.activation("relu", ax=Figure().subplots())
assert "matplotlib.pyplot" not in sys.modules
pymlp.plot.activation("relu").figure.savefig(sys.stdout.buffer, format="png")
"""
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    picture = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    assert picture.startswith(b"\x89PNG")


# ---- activation ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TABLE)
def test_activation_draws_what_the_kernels_compute(name: str, ax: Axes) -> None:
    plot.activation(name, ax=ax, z=(-3, 2))
    z, value = data(ax, "value")
    assert (z.min(), z.max()) == (-3, 2)
    np.testing.assert_array_equal(data(ax, "derivative")[0], z)
    others = 2 if "softmax" in name else 0
    rows = np.column_stack([z, *[np.zeros_like(z)] * others])
    parameters = list(pymlp.activations.resolve("name", name).parameters.values())
    a = _core_test.activation_forward(name, parameters, rows)
    first = np.zeros_like(rows)
    first[:, 0] = 1.0
    slope = _core_test.activation_backward(name, parameters, first, rows, a)
    np.testing.assert_array_equal(value, a[:, 0])
    np.testing.assert_allclose(data(ax, "derivative")[1], slope[:, 0], rtol=1e-14, atol=1e-300)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in ("relu", "gelu", "softmax") else pytest.mark.slow)
        for name in TABLE
    ],
)
def test_every_title_can_be_typeset(name: str, ax: Axes) -> None:
    plot.activation(name, ax=ax)
    for text in ax.findobj(Text):
        text.get_window_extent()
    lines = ax.get_title(loc="left").splitlines()
    assert len(lines) == 5
    assert name in lines[0].replace("\\", "")
    assert lines[1].startswith("$a = $ ")
    assert lines[3].startswith("range $")
    assert lines[4] == f"used for {TABLE[name].use}"


def test_activation_tells_the_parameters(ax: Axes) -> None:
    plot.activation(pymlp.LeakyReLU(0.2, threshold=0.5), ax=ax)
    assert "slope = 0.2, threshold = 0.5" in ax.get_title(loc="left")
    z, slope = data(ax, "derivative")
    assert set(slope[z <= 0.5]) == {0.2}


def test_activation_of_ones_own(ax: Axes) -> None:
    cube = pymlp.Activation(forward=lambda z: z**3, derivative=lambda z: 3 * z**2)
    plot.activation(cube, ax=ax)
    z, value = data(ax, "value")
    np.testing.assert_array_equal(value, z**3)
    assert "f(z)" in ax.get_title(loc="left")
    ax.figure.draw_without_rendering()


def test_what_grows_fast_does_not_hide_the_rest(ax: Axes) -> None:
    plot.activation("exp", ax=ax)
    assert ax.get_ylim()[1] < 20 < data(ax, "value")[1].max()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"activation": "sigmiod"}, ValueError, "did you mean 'sigmoid'"),
        ({"activation": 3}, TypeError, "activation must be a name or an Activation, not int"),
        ({"activation": "relu", "z": (1, 1)}, ValueError, r"z\[1\] must be above 1, not 1"),
        ({"activation": "relu", "z": (0, "a")}, TypeError, r"z\[1\] must be a number, not str"),
        ({"activation": "relu", "z": 3}, TypeError, "z must be a pair of numbers, not 3"),
        (
            {"activation": "relu", "z": (1, 2, 3)},
            ValueError,
            r"z must be a pair of numbers, not \(1, 2, 3\)",
        ),
    ],
)
def test_activation_refuses(arguments: dict[str, Any], error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        plot.activation(**arguments)


def test_a_learnt_activation_is_drawn_as_it_begins(ax: Axes) -> None:
    plot.activation(pymlp.Parametric(pymlp.LeakyReLU(0.2)), ax=ax)
    g = pymlp.LeakyReLU(0.2)
    z, value = data(ax, "value $a$")
    np.testing.assert_array_equal(value, g.forward(z))
    np.testing.assert_array_equal(data(ax, "derivative")[1], g.derivative(z))
    np.testing.assert_allclose(data(ax, r"value with $\alpha = 0.5$")[1], (z + g.forward(z)) / 2)
    first, *formulas, use = ax.get_title(loc="left").splitlines()
    assert r"$\mathbf{parametric}$ $\mathbf{leaky\_relu}$, slope = 0.2" in first
    assert r"drawn with $\alpha = 1$" in first
    assert r"\alpha\ (g(z) - z)" in formulas[0]
    assert formulas[2].startswith("$g(z) = $ ")
    assert use == "used for hidden layers of networks on tables"
    ax.figure.draw_without_rendering()


# ---- history -------------------------------------------------------------------------------------


def test_history_draws_the_losses_and_the_best_epoch(ax: Axes) -> None:
    history = record([3.0, 2.0, 1.5, 1.0], [3.2, 2.1, 2.2, 2.5])
    assert history.plot(ax=ax) is ax
    for label, curve in (("training", history.loss), ("validation", history.val_loss)):
        epochs, losses = data(ax, label)
        np.testing.assert_array_equal(epochs, [1, 2, 3, 4])
        np.testing.assert_array_equal(losses, curve)
    np.testing.assert_array_equal(data(ax, "best: 2.1 in epoch 2"), [[2], [2.1]])
    assert ax.get_ylabel() == "loss (mean per sample)"
    assert ax.get_yscale() == "linear"


def test_history_without_validation(ax: Axes) -> None:
    plot.history(record([2.0, 1.0, 1.5]), ax=ax)
    assert legend(ax) == ["training", "best: 1 in epoch 2"]


@pytest.mark.parametrize(
    ("losses", "scale"), [([1.0, 0.01], "log"), ([1.0, 0.5], "linear"), ([1.0, 0.0], "linear")]
)
def test_history_takes_a_logarithm_where_the_range_asks(
    losses: list[float], scale: str, ax: Axes
) -> None:
    plot.history(record(losses), ax=ax)
    assert ax.get_yscale() == scale


def test_history_refuses() -> None:
    with pytest.raises(TypeError, match="history must be a History, not list"):
        plot.history([1.0, 2.0])
    with pytest.raises(ValueError, match="history must have at least 1 epoch, not 0"):
        pymlp.History().plot()


# ---- decision boundary ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("net", "y"),
    [
        (classifier(), LABELS),
        (classifier(), np.eye(3)[LABELS]),
        (classifier(output="log_softmax"), LABELS),
        (classifier(1, "sigmoid"), BINARY),
        (classifier(1, "sigmoid"), BINARY[:, np.newaxis]),
        (classifier(1, "sigmoid", dtype="float64"), BINARY),
    ],
)
def test_boundary_draws_every_sample_in_the_colour_of_its_class(
    net: pymlp.Network, y: Any, ax: Axes
) -> None:
    if net.layers[-1].activation.name == "log_softmax":
        y = LABELS
    plot.decision_boundary(net, X, y, ax=ax, resolution=20)
    labels = BINARY if net.widths[-1] == 1 else LABELS
    for k in np.unique(labels):
        (points,) = (c for c in ax.collections if c.get_label() == f"class {k}")
        np.testing.assert_allclose(points.get_offsets(), X[labels == k], rtol=1e-6)
    drawn = [c.get_facecolor()[0] for c in ax.collections if str(c.get_label()).startswith("class")]
    assert len({colors.to_hex(colour) for colour in drawn}) == len(np.unique(labels))
    output = net.predict(X)
    guesses = output.argmax(axis=1) if output.shape[1] > 1 else output[:, 0] > 0.5
    assert f"{(guesses == labels).sum()} of 40 samples" in ax.get_title()


def test_boundary_shades_the_plane_as_the_network_sees_it(ax: Axes) -> None:
    net = pymlp.Network([2, 2], output="softmax", init="zeros")
    net.weights[0][0] = [-1, 1]  # class 1 where x_1 > 0
    plot.decision_boundary(net, X, BINARY, ax=ax)
    regions = [c for c in ax.collections if hasattr(c, "levels") and c.filled]
    for k, region in enumerate(regions):
        outline = region.get_paths()[0].vertices
        assert (outline[:, 0].min() >= -0.02) == (k == 1)
        assert (outline[:, 0].max() <= 0.02) == (k == 0)
    assert ax.get_title() == "Decision regions, 40 of 40 samples in their own"


@pytest.mark.filterwarnings("error")
def test_boundary_of_a_network_that_sees_one_class_only(ax: Axes) -> None:
    net = pymlp.Network([2, 3], output="softmax", init="zeros")
    net.biases[0][1] = 5.0
    plot.decision_boundary(net, X[:1], [1], ax=ax)
    ax.figure.draw_without_rendering()
    assert legend(ax) == ["class 0", "class 1", "class 2"]


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (pymlp.Network([784, 3], output="softmax"), "net must have 2 inputs, not 784"),
        (pymlp.Network([1, 3], output="softmax"), "net must have 2 inputs, not 1"),
        (pymlp.Network([2, 3], output="tanh"), "not in 3 of tanh"),
        (pymlp.Network([2, 3], output="sigmoid"), "not in 3 of sigmoid"),
        (pymlp.Network([2, 1], output="softmax"), "not in 1 of softmax"),
    ],
)
def test_boundary_refuses_other_networks(net: pymlp.Network, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plot.decision_boundary(net, X, LABELS)


def test_boundary_has_the_names_of_the_inputs() -> None:
    ax = plot.decision_boundary(classifier(), X, LABELS)
    assert ax.get_xlabel() == "input $x_1$ (as in X)"
    net = classifier()
    net.feature_names = ["age", "US$"]
    ax = plot.decision_boundary(net, X, LABELS)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("age (as in X)", r"US\$ (as in X)")


def test_boundary_refuses_other_arguments() -> None:
    broken = classifier()
    broken.parameters[:] = np.nan
    with pytest.raises(TypeError, match="net must be a Network, not str"):
        plot.decision_boundary("net", X, LABELS)
    with pytest.raises(ValueError, match="X must have 2 columns, not 3"):
        plot.decision_boundary(classifier(), np.ones((4, 3)), [0, 1, 2, 0])
    with pytest.raises(ValueError, match="y must have 40 rows, as X has, not 3"):
        plot.decision_boundary(classifier(), X, [0, 1, 2])
    with pytest.raises(ValueError, match="y must hold labels from 0 to 2"):
        plot.decision_boundary(classifier(), X, LABELS + 1)
    with pytest.raises(ValueError, match="X must be finite"):
        plot.decision_boundary(classifier(), X * np.inf, LABELS)
    with pytest.raises(ValueError, match=r"the network's output must be finite, but .* is nan"):
        plot.decision_boundary(broken, X, LABELS)
    with pytest.raises(ValueError, match="resolution must be at least 2, not 1"):
        plot.decision_boundary(classifier(), X, LABELS, resolution=1)


# ---- gradients -----------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["auto", "mse"])
def test_gradients_are_those_of_the_network(loss: str, ax: Axes) -> None:
    net = classifier(dtype="float64")
    y = LABELS if loss == "auto" else np.eye(3)[LABELS]
    plot.gradients(net, X, y, ax=ax, loss=loss)
    _, grads = net.gradients(X, y, loss=loss)
    layers, norms = data(ax, "norm of")
    np.testing.assert_array_equal(layers, [1, 2])
    np.testing.assert_allclose(norms, [np.linalg.norm(dW) for dW in grads.weights], rtol=1e-14)
    assert ax.get_yscale() == "log"


def test_root_mean_square_of_dz(ax: Axes) -> None:
    net = classifier(dtype="float64")
    plot.gradients(net, X, LABELS, ax=ax)
    trace = net.forward(X)
    last = (trace.a[-1] - np.eye(3)[LABELS]) / len(X)
    first = last @ net.weights[1].T * (np.asarray(trace.z[1]) > 0)
    expected = [np.sqrt(np.mean(dZ**2)) for dZ in (first, last)]
    np.testing.assert_allclose(data(ax, "root mean square")[1], expected, rtol=1e-12)


@pytest.mark.filterwarnings("error")
def test_gradients_that_are_0_stand_at_the_bottom(ax: Axes) -> None:
    plot.gradients(classifier(init="zeros"), X, LABELS, ax=ax)
    ax.figure.draw_without_rendering()
    np.testing.assert_array_equal(data(ax, "norm of $dW$: exactly 0")[0], [1, 2])
    np.testing.assert_array_equal(data(ax, "root mean square of $dZ$: exactly 0")[0], [1])


@pytest.mark.filterwarnings("error")
def test_gradients_that_are_all_0(ax: Axes) -> None:
    net = pymlp.Network([2, 1], output="step", init="zeros")
    plot.gradients(net, X, BINARY, ax=ax, loss="mse")
    ax.figure.draw_without_rendering()
    assert ax.get_yscale() == "linear"


def test_gradients_of_everything_that_is_learnt(ax: Axes) -> None:
    net = every_operation()
    plot.gradients(net, X, LABELS, ax=ax)
    _, grads = net.gradients(X, LABELS)
    for label, attribute in (("gain", "gain"), ("shift", "shift"), (r"\alpha", "alpha")):
        (line,) = (line for line in ax.lines if label in str(line.get_label()))
        expected = [np.linalg.norm(getattr(layer, attribute)) for layer in grads.layers[:2]]
        np.testing.assert_array_equal(line.get_xdata(), [1, 2])
        np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-12)
    (factors,) = (line for line in ax.lines if "input_scale" in str(line.get_label()))
    assert grads.input_scale is not None
    assert factors.get_ydata() == pytest.approx([np.linalg.norm(grads.input_scale)])
    np.testing.assert_array_equal(data(ax, "norm of $dW$")[0], [1, 2, 3])
    names = [label.get_text() for label in ax.get_xticklabels()]
    assert names == [
        "1\nlayer norm\nparametric\ngelu",
        "2\nlayer norm\nparametric\ngelu\nresidual",
        "3\nsoftmax",
    ]
    assert ax.get_ylabel() == "size (loss per unit of what it is taken by)"
    ax.figure.draw_without_rendering()


def test_gradients_show_what_there_is(ax: Axes) -> None:
    plot.gradients(classifier(norm="rms"), X, LABELS, ax=ax)
    assert legend(ax) == ["norm of $dW$", "root mean square of $dZ$", r"norm of $d\,$gain"]


def test_gradients_refuse() -> None:
    with pytest.raises(TypeError, match="net must be a Network, not NoneType"):
        plot.gradients(None, X, LABELS)
    with pytest.raises(ValueError, match="X must have 2 columns"):
        plot.gradients(classifier(), np.ones((40, 3)), LABELS)
    with pytest.raises(ValueError, match="unknown loss"):
        plot.gradients(classifier(), X, LABELS, loss="mes")


# ---- network -------------------------------------------------------------------------------------


def test_network_draws_weights_by_sign_and_magnitude(ax: Axes) -> None:
    net = classifier()
    plot.network(net, ax=ax)
    weights = [c for c in ax.collections if type(c).__name__ == "LineCollection"]
    largest = max(np.abs(W).max() for W in net.weights)
    for lines, W in zip(weights, net.weights, strict=True):
        w = W.ravel()
        widths = np.array(lines.get_linewidths())
        np.testing.assert_allclose(widths, 0.4 + 3.6 * np.abs(w) / largest, rtol=1e-6)
        colours = np.array([colors.to_hex(c) for c in lines.get_colors()])
        assert len(set(colours)) == 2
        assert len(set(colours[w > 0])) == 1
        first, last = lines.get_segments()[0], lines.get_segments()[-1]
        assert first[0][1] > last[0][1]  # the first unit is at the top
        assert first[1][1] > last[1][1]


def test_network_names_units_layers_and_biases(ax: Axes) -> None:
    net = classifier()
    net.biases[0][:] = [0.0, 0.25, -0.5, 1.0, 12.0]
    plot.network(net, ax=ax)
    assert texts(ax)[:3] == ["$x_{1}$", "$x_{2}$", "input"]
    assert texts(ax)[3:9] == [
        "0.00",
        "0.25",
        "\N{MINUS SIGN}0.50",
        "1.00",
        "12.00",
        "layer 1\nrelu",
    ]
    assert texts(ax)[-1] == "layer 2\nsoftmax"
    assert ax.get_title() == "Network 2-5-3, 33 parameters"
    circles = [c for c in ax.collections if type(c).__name__ == "PathCollection"]
    assert [len(c.get_offsets()) for c in circles] == [2, 5, 3]


def test_network_names_what_a_layer_does(ax: Axes) -> None:
    net = every_operation()
    plot.network(net, ax=ax)
    assert [text for text in texts(ax) if text.startswith(("input", "layer"))] == [
        "input\nscaled",
        "layer 1\nlayer norm\nparametric\ngelu",
        "layer 2\nlayer norm\nparametric\ngelu\nresidual",
        "layer 3\nsoftmax",
    ]
    assert ax.get_title() == f"Network 2-5-5-3, {net.n_parameters} parameters"


@pytest.mark.parametrize("size", [(4, 3), (6.4, 4.8), (5, 9)])
def test_headings_leave_room_for_units(size: tuple[float, float]) -> None:
    ax = Figure(figsize=size, layout="constrained").subplots()
    plot.network(every_operation(), ax=ax)
    ax.figure.draw_without_rendering()
    headings = [text for text in ax.texts if text.get_text().startswith("layer")]
    lowest = min(text.get_window_extent().y0 for text in headings)
    circles = [c for c in ax.collections if type(c).__name__ == "PathCollection"]
    highest = max(ax.transData.transform(c.get_offsets())[:, 1].max() for c in circles)
    radius = np.sqrt(circles[0].get_sizes()[0]) / 2 * ax.figure.dpi / 72
    assert highest + radius < lowest


def test_network_without_biases_or_with_zeros_only(ax: Axes) -> None:
    plot.network(classifier(init="zeros", bias=False), ax=ax)
    ax.figure.draw_without_rendering()
    assert "bias" not in legend(ax)
    assert "0.00" not in texts(ax)


def test_network_refuses_large_ones(ax: Axes) -> None:
    large = pymlp.Network([784, 3])
    with pytest.raises(ValueError, match="at most max_units=12 units in a layer, not 784"):
        plot.network(large)
    with pytest.raises(ValueError, match="at most max_units=3 layers, not 4"):
        plot.network(pymlp.Network([2, 2, 2, 2, 2]), max_units=3)
    with pytest.raises(ValueError, match="max_units must be at least 1, not 0"):
        plot.network(large, max_units=0)
    with pytest.raises(TypeError, match="net must be a Network, not int"):
        plot.network(3)
    plot.network(pymlp.Network([13, 2]), ax=ax, max_units=13)
