"""A small network as circles and lines."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pymlp import _checks, embeddings
from pymlp._arrays import FloatArray
from pymlp.network import Network
from pymlp.plot import canvas
from pymlp.plot.canvas import BLUE, VERMILION
from pymlp.plot.labels import layer_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FOR_TEXT = 72.0  # points of the height, for headings of two lines and the legend
_LINE = 12.0  # for each more
Places = NDArray[np.float64]  # (n, 2), a unit a row


def network(net: Network, *, ax: Axes | None = None, max_units: int = 12) -> Axes:
    """Draw the units and weights of a small network.

    A line is a weight: its colour and style tell the sign, its width the magnitude, relative to the
    largest of the network. The number in a circle is the unit's bias. Above the units stands what a
    layer does behind its weights and biases: norm, activation, residual.

    Parameters
    ----------
    net : Network
    ax : matplotlib.axes.Axes, optional
        Where to draw; None makes a new figure.
    max_units : int, default 12
        A network with more units in a layer, or more layers, is refused. Of inputs that are
        embedded the numbers are drawn that they become.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> net = pymlp.Network([2, 4, 3], output="softmax", seed=0)
    >>> pymlp.plot.network(net).get_title()
    'Network 2-4-3, 27 parameters'
    """
    canvas.instance("net", net, Network)
    _refuse_large(net, _checks.integer("max_units", max_units, minimum=1))
    columns = [_column(i, n) for i, n in enumerate(_widths(net))]
    ax = canvas.axes(ax, size=(max(6.4, 1.4 * len(columns)), max(4.8, 0.55 * max(_widths(net)))))
    _prepare(ax, net)
    largest = max(float(np.abs(w).max()) for w in net.weights)
    for (start, end), W in zip(itertools.pairwise(columns), net.weights, strict=True):
        _draw_weights(ax, start, end, W, largest)
    diameter = _diameter(ax, net)
    for layer, column in enumerate(columns):
        _draw_units(ax, column, _texts(net, layer), diameter)
        _write_heading(ax, net, layer)
    _explain(ax, net, largest)
    return ax


def _widths(net: Network) -> list[int]:
    """Return how many units are drawn in each column."""
    return [net.embedded_width, *net.widths[1:]]


def _refuse_large(net: Network, most: int) -> None:
    widest, layers = max(_widths(net)), len(net.layers)
    if widest > most:
        raise ValueError(f"net must have at most max_units={most} units in a layer, not {widest}")
    if layers > most:
        raise ValueError(f"net must have at most max_units={most} layers, not {layers}")


def _column(layer: int, units: int) -> Places:
    """Return where the units of a layer are, the first one at the top."""
    return np.column_stack([np.full(units, layer), 0.5 * (units - 1) - np.arange(units)])


def _prepare(ax: Axes, net: Network) -> None:
    units, text = max(_widths(net)), _for_text(net)
    point = units / (_height(ax, net) - text)
    bottom, top = (0.5 * units + point * room for room in (0.5 * _FOR_TEXT, text - 0.5 * _FOR_TEXT))
    ax.set(xlim=(-0.5, len(net.layers) + 0.5), ylim=(-bottom, top))
    ax.set_axis_off()
    shape = "-".join(map(str, net.widths))
    ax.set_title(f"Network {shape}, {net.n_parameters:,} parameters")


def _draw_weights(ax: Axes, start: Places, end: Places, W: FloatArray, largest: float) -> None:
    from matplotlib.collections import LineCollection

    w = W.ravel()
    segments = [(a, b) for a in start for b in end]  # in the order of w
    lines = LineCollection(
        segments,
        colors=[VERMILION if value < 0 else BLUE for value in w],
        linestyles=["--" if value < 0 else "-" for value in w],
        linewidths=0.4 + 3.6 * np.abs(w) / (largest or 1.0),
        zorder=1,
    )
    ax.add_collection(lines, autolim=False)


def _for_text(net: Network) -> float:
    lines = max(len(_heading(net, layer)) for layer in range(len(net.widths)))
    return _FOR_TEXT + _LINE * (lines - 2)


def _height(ax: Axes, net: Network) -> float:
    """Return the height in points, so that at least a third of it is for units."""
    return max(ax.bbox.height * 72 / ax.figure.dpi, 1.5 * _for_text(net))


def _diameter(ax: Axes, net: Network) -> float:
    """Return how wide circles are, in points, so that they stay apart."""
    return float(min(32.0, 0.85 * (_height(ax, net) - _for_text(net)) / max(_widths(net))))


def _draw_units(ax: Axes, places: Places, texts: list[str], diameter: float) -> None:
    across, up = places.T
    ax.scatter(across, up, s=diameter**2, c="white", edgecolors="black", linewidths=1.2, zorder=2)
    size = min(9.0, 0.3 * diameter)
    for x, y, text in zip(across, up, texts, strict=True):
        ax.text(x, y, text, color="black", ha="center", va="center", fontsize=size, zorder=3)


def _texts(net: Network, layer: int) -> list[str]:
    """Return what stands in the circles of a layer: the names of inputs, the biases of others."""
    biases: Any = None if layer == 0 else net.layers[layer - 1].biases
    if layer == 0:
        return [
            f"$x_{{{column + 1}{f',{place}' if place else ''}}}$"
            for column, place in embeddings.places(net.embedding, net.widths[0])
        ]
    if biases is None:
        return [""] * net.widths[layer]
    return [f"{b:.2f}".replace("-", "\N{MINUS SIGN}") for b in biases]


def _heading(net: Network, layer: int) -> list[str]:
    if layer:
        return [f"layer {layer}", *layer_lines(net, layer - 1)]
    marks = {"embedded": bool(net.embedding), "scaled": net.input_scale is not None}
    return ["input", *(mark for mark, there in marks.items() if there)]


def _write_heading(ax: Axes, net: Network, layer: int) -> None:
    text, above = "\n".join(_heading(net, layer)), ax.get_xaxis_transform()
    ax.text(layer, 0.99, text, transform=above, ha="center", va="top", fontsize="small")


def _explain(ax: Axes, net: Network, largest: float) -> None:
    from matplotlib.lines import Line2D

    lines = [
        Line2D([], [], color=BLUE, linewidth=2, label="positive weight"),
        Line2D([], [], color=VERMILION, linewidth=2, linestyle="--", label="negative weight"),
        Line2D([], [], color="0.4", linewidth=4, label=f"widest: magnitude {largest:.3g}"),
    ]
    if net.bias:
        lines.append(Line2D([], [], ls="", marker="o", mfc="white", mec="black", label="bias"))
    ax.legend(handles=lines, loc="lower center", ncols=2, frameon=False, fontsize="small")
