"""Curves: an activation, and the gradients of a network by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from pymlp import _checks, activations
from pymlp._arrays import FloatArray
from pymlp.activations import Activation, Parametric
from pymlp.architecture import AnyActivation
from pymlp.layers import Gradients
from pymlp.losses import AnyLoss
from pymlp.network import Network
from pymlp.plot import canvas
from pymlp.plot.canvas import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION
from pymlp.plot.formulas import typeset, upright
from pymlp.plot.labels import layer_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS = 1001  # odd, so that the middle of the range is among them
_OVER_ROWS = ("softmax", "log_softmax")


def activation(
    activation: AnyActivation,
    *,
    ax: Axes | None = None,
    z: tuple[float, float] = (-6, 6),
) -> Axes:
    """Draw an activation and its derivative, with its equation, range and use.

    Of softmax and log_softmax the first of three outputs is drawn against the first pre-activation,
    the two others being 0. What grows much faster than z, such as exp, leaves the picture. A
    `pymlp.Parametric` is drawn as it begins, with alpha = 1, and its value with alpha = 0.5 beside.

    Parameters
    ----------
    activation : str or Activation
    ax : matplotlib.axes.Axes, optional
        Where to draw; None makes a new figure.
    z : (float, float), default (-6, 6)
        The range of pre-activations.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> ax = pymlp.plot.activation("sigmoid")
    >>> print(ax.get_title(loc="left").splitlines()[-1])
    used for outputs that are probabilities of yes; saturates in hidden layers
    """
    g = activations.resolve("activation", activation)
    low, high = _range_of(z)
    ax = canvas.axes(ax)
    points = np.linspace(low, high, _POINTS)
    value, slope = _value_and_derivative(g, points)
    over_rows = g.name in _OVER_ROWS
    labels = ("a_1", r"\partial a_1/\,\partial z_1") if over_rows else ("a", r"da\,/\,dz")
    ax.plot(points, value, color=BLUE, linewidth=2, label=f"value ${labels[0]}$")
    ax.plot(points, slope, "--", color=VERMILION, linewidth=2, label=f"derivative ${labels[1]}$")
    if isinstance(g, Parametric):
        half = points + 0.5 * (value - points)
        ax.plot(points, half, ":", color=SKY, linewidth=2, label=r"value with $\alpha = 0.5$")
        value = np.append(value, half)
    _limit(ax, np.append(value, slope), 1.5 * max(abs(low), abs(high)) + 2)
    ax.set_title(_description(g), loc="left", fontsize="medium", linespacing=1.4)
    where = "$z_1$ (dimensionless), with $z_2 = z_3 = 0$" if over_rows else "$z$ (dimensionless)"
    ax.set(xlabel=f"pre-activation {where}", ylabel="value and derivative (dimensionless)")
    ax.margins(x=0)
    canvas.open_frame(ax)
    ax.legend(loc="upper left", ncols=2, framealpha=1, edgecolor="none")
    return ax


def _range_of(z: Any) -> tuple[float, float]:
    try:
        low, high = z
    except (TypeError, ValueError) as error:
        raise type(error)(f"z must be a pair of numbers, not {z!r}") from None
    low = _checks.number("z[0]", low)
    return low, _checks.number("z[1]", high, above=low)


def _value_and_derivative(g: Activation, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the first output, and its derivative by the first pre-activation, of each point."""
    n = 3 if g.name in _OVER_ROWS else 1
    z = points[:, np.newaxis] * np.eye(n)[0]
    return g.forward(z)[:, 0], g.derivative(z)[:, 0]


def _limit(ax: Axes, values: FloatArray, most: float) -> None:
    """Set the vertical range: that of the values, within `most`, and room for the legend above."""
    inside = values[np.abs(values) <= most]
    if inside.size:
        height = np.ptp(inside) or 1.0
        ax.set_ylim(inside.min() - 0.05 * height, inside.max() + 0.2 * height)


def _description(g: Activation) -> str:
    if isinstance(g, Parametric):
        return _description_of_learnt(g, g.activation)
    own = activations.TABLE.get(g.name) is not type(g)
    show = str if own else typeset
    numbers = [f"{name} = {value:g}" for name, value in g.parameters.items() if not own]
    return "\n".join(
        [
            ", ".join([upright(g.name), *numbers]),
            f"$a = $ {show(g.equation)}",
            rf"$da\,/\,dz = $ {show(g.derivative_equation)}",
            f"range {show(g.range)}; largest slope {show(g.largest_slope)}",
            f"used for {g.use}",
        ]
    )


def _description_of_learnt(g: Parametric, function: Activation) -> str:
    numbers = [f"{name} = {value:g}" for name, value in function.parameters.items()]
    return "\n".join(
        [
            ", ".join(
                [
                    f"{upright(g.name)} {upright(function.name)}",
                    *numbers,
                    r"drawn with $\alpha = 1$",
                ]
            ),
            f"$a = $ {typeset(g.equation)}, $\\alpha$ learnt for every unit",
            rf"$da\,/\,dz = $ {typeset(g.derivative_equation)}",
            f"$g(z) = $ {typeset(function.equation)}",
            f"used for {g.use}",
        ]
    )


def gradients(
    net: Network,
    X: ArrayLike,
    y: ArrayLike,
    *,
    ax: Axes | None = None,
    loss: AnyLoss = "auto",
) -> Axes:
    """Draw how large the gradients are in each layer, to see them vanish or explode.

    Parameters
    ----------
    net : Network
    X, y, loss
        As in `Network.gradients`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The norm of dW and the root mean square of dZ on a logarithmic scale, and the norms of the
        gradients of gains, shifts, alphas and factors of the inputs, where there are any; what is
        exactly 0 is marked at the bottom.

    Examples
    --------
    >>> net = pymlp.Network([2, *[8] * 6, 1], hidden="sigmoid", seed=0)
    >>> ax = pymlp.plot.gradients(net, np.ones((4, 2)), np.zeros(4))
    >>> dW = ax.lines[0].get_ydata()
    >>> bool(dW[0] < 1e-3 * dW[-1])
    True
    """
    canvas.instance("net", net, Network)
    _, grads = net.gradients(X, y, loss=loss, dz=True)
    sizes = _gradient_sizes(grads)
    ax = canvas.axes(ax)
    for i, (label, of_layers) in enumerate(sizes.items()):
        _plot_sizes(ax, of_layers, label, _STYLES[label], 0.02 + 0.05 * i)
    if any(size > 0 for of_layers in sizes.values() for size in of_layers.values()):
        ax.set_yscale("log", nonpositive="mask")
    ax.set(title="Gradients by layer", xlabel="layer (1 is next to the input)")
    what = "$W$ or $Z$" if len(sizes) == 2 else "what it is taken by"
    ax.set_ylabel(f"size (loss per unit of {what})")
    _name_layers(ax, net)
    canvas.open_frame(ax)
    ax.legend()
    return ax


_STYLES = {
    "norm of $dW$": ("o", "-", BLUE),
    "root mean square of $dZ$": ("s", "--", VERMILION),
    r"norm of $d\,$gain": ("^", "-.", GREEN),
    r"norm of $d\,$shift": ("v", ":", ORANGE),
    r"norm of $d\alpha$": ("D", (0, (5, 1)), PURPLE),
    r"norm of $d\,$input_scale": ("X", "", SKY),
}


def _gradient_sizes(grads: Gradients) -> dict[str, dict[int, float]]:
    """Return the sizes of each kind of gradient by the number of the layer, without empty ones."""
    layers = list(enumerate(grads.layers, start=1))
    dZ = [
        None if dz is None else np.sqrt(np.mean(dz.astype(np.float64) ** 2))
        for dz in grads.dz or []
    ]
    found = [
        {number: _norm(layer.weights) for number, layer in layers},
        {number: float(size) for number, size in enumerate(dZ) if size is not None},
        *(
            {
                number: _norm(dv)
                for number, layer in layers
                if (dv := getattr(layer, name)) is not None
            }
            for name in ("gain", "shift", "alpha")
        ),
        {} if grads.input_scale is None else {1: _norm(grads.input_scale)},
    ]
    return {label: sizes for label, sizes in zip(_STYLES, found, strict=True) if sizes}


def _norm(gradient: FloatArray) -> float:
    return float(np.linalg.norm(gradient.astype(np.float64)))


def _plot_sizes(
    ax: Axes, of_layers: dict[int, float], label: str, style: tuple[str, Any, str], bottom: float
) -> None:
    """Draw a size for every layer; what is 0, and so not on the scale, stands at the bottom."""
    marker, line, colour = style
    layers, sizes = np.array(list(of_layers)), np.array(list(of_layers.values()))
    ax.plot(layers, sizes, marker=marker, linestyle=line, color=colour, label=label)
    zeros = layers[sizes == 0]
    if len(zeros):
        (marks,) = ax.plot(zeros, np.full(len(zeros), bottom), marker, color=colour)
        marks.set(transform=ax.get_xaxis_transform(), fillstyle="none", label=f"{label}: exactly 0")


def _name_layers(ax: Axes, net: Network) -> None:
    n = len(net.layers)
    names = ["\n".join([str(i + 1), *layer_lines(net, i)]) for i in range(n)]
    if n <= 6:
        ax.set_xticks(range(1, n + 1), names)
    else:
        canvas.count_along_x(ax)
