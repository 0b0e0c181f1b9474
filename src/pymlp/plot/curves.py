"""Curves: an activation, and the gradients of a network by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from pymlp import _checks, activations
from pymlp._arrays import FloatArray
from pymlp.activations import Activation
from pymlp.losses import Loss
from pymlp.network import Network
from pymlp.plot import canvas
from pymlp.plot.canvas import BLUE, VERMILION
from pymlp.plot.formulas import typeset, upright

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS = 1001  # odd, so that the middle of the range is among them
_OVER_ROWS = ("softmax", "log_softmax")


def activation(
    activation: str | Activation, *, ax: Axes | None = None, z: tuple[float, float] = (-6, 6)
) -> Axes:
    """Draw an activation and its derivative, with its equation, range and use.

    Of softmax and log_softmax the first of three outputs is drawn against the first pre-activation,
    the two others being 0. What grows much faster than z, such as exp, leaves the picture.

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


def gradients(
    net: Network, X: ArrayLike, y: ArrayLike, *, ax: Axes | None = None, loss: str | Loss = "auto"
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
        The norm of dW and the root mean square of dZ on a logarithmic scale; what is exactly 0 is
        marked at the bottom.

    Examples
    --------
    >>> net = pymlp.Network([2, *[8] * 6, 1], hidden="sigmoid", seed=0)
    >>> ax = pymlp.plot.gradients(net, np.ones((4, 2)), np.zeros(4))
    >>> dW = ax.lines[0].get_ydata()
    >>> bool(dW[0] < 1e-3 * dW[-1])
    True
    """
    canvas.instance("net", net, Network)
    dW, dZ = _gradient_sizes(net, X, y, loss)
    ax = canvas.axes(ax)
    _plot_sizes(ax, dW, "norm of $dW$", ("o", "-", BLUE), 0.02)
    _plot_sizes(ax, dZ, "root mean square of $dZ$", ("s", "--", VERMILION), 0.07)
    if (dW > 0).any() or (dZ > 0).any():
        ax.set_yscale("log", nonpositive="mask")
    ax.set(title="Gradients by layer", xlabel="layer (1 is next to the input)")
    ax.set_ylabel("size (loss per unit of $W$ or $Z$)")
    _name_layers(ax, net)
    canvas.open_frame(ax)
    ax.legend()
    return ax


def _gradient_sizes(net: Network, X: Any, y: Any, loss: Any) -> tuple[FloatArray, FloatArray]:
    """Return the norm of dW and the root mean square of dZ of every layer."""
    _, grads = net.gradients(X, y, loss=loss, dz=True)
    dW = [np.linalg.norm(dw.astype(np.float64)) for dw in grads.weights]
    all_dZ = [dz for dz in grads.dz or [] if dz is not None]
    return np.array(dW), np.array([np.sqrt(np.mean(dz.astype(np.float64) ** 2)) for dz in all_dZ])


def _plot_sizes(
    ax: Axes, sizes: FloatArray, label: str, style: tuple[str, str, str], bottom: float
) -> None:
    """Draw a size for every layer; what is 0, and so not on the scale, stands at the bottom."""
    marker, line, colour = style
    layers = np.arange(1, len(sizes) + 1)
    ax.plot(layers, sizes, marker=marker, linestyle=line, color=colour, label=label)
    zeros = layers[sizes == 0]
    if len(zeros):
        (marks,) = ax.plot(zeros, np.full(len(zeros), bottom), marker, color=colour)
        marks.set(transform=ax.get_xaxis_transform(), fillstyle="none", label=f"{label}: exactly 0")


def _name_layers(ax: Axes, net: Network) -> None:
    names = [f"{n}\n{layer.activation.name}" for n, layer in enumerate(net.layers, start=1)]
    if len(names) <= 6:
        ax.set_xticks(range(1, len(names) + 1), names)
    else:
        canvas.count_along_x(ax)
