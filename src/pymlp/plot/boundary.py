"""The regions of the plane that a classifier gives to its classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pymlp import _arrays, _checks
from pymlp._arrays import FloatArray
from pymlp.network import Network
from pymlp.plot import canvas
from pymlp.plot.canvas import CLASS_COLOURS, CLASS_MARKERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def decision_boundary(
    net: Network, X: ArrayLike, y: ArrayLike, *, ax: Axes | None = None, resolution: int = 300
) -> Axes:
    """Draw the regions of a classifier with two inputs, and samples in the colours of their class.

    Parameters
    ----------
    net : Network
        Two inputs; ends in softmax or log_softmax over k classes, or in one sigmoid unit.
    X : array-like, shape (m, 2)
    y : array-like
        Classes (m,), or what else `Network.loss` takes.
    ax : matplotlib.axes.Axes, optional
        Where to draw; None makes a new figure.
    resolution : int, default 300
        The network is asked at this many points along each axis.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> X = [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> net = pymlp.Network([2, 4, 2], hidden="tanh", output="softmax", seed=0)
    >>> history = net.fit(X, [0, 1, 1, 0], epochs=200, learning_rate=0.05)
    >>> pymlp.plot.decision_boundary(net, X, [0, 1, 1, 0]).get_title()
    'Decision regions, 4 of 4 samples in their own'
    """
    canvas.instance("net", net, Network)
    classes = _refuse_other_networks(net)
    rows = _arrays.finite("X", _arrays.matrix("X", X, 2, net.dtype, net.feature_names))
    labels = _labels(net, y, len(rows))
    resolution = _checks.integer("resolution", resolution, minimum=2)
    right = int((_margins(net, rows).argmax(axis=1) == labels).sum())
    ax = canvas.axes(ax, size=(6.4, 5.2))
    _shade(ax, net, *_sides(rows, resolution))
    for k in range(classes):
        _scatter(ax, rows[labels == k], k)
    ax.set_title(f"Decision regions, {right:,} of {len(rows):,} samples in their own")
    names = ["input $x_1$", "input $x_2$"]
    if net.feature_names is not None:
        names = [name.replace("$", r"\$") for name in net.feature_names]
    ax.set(xlabel=f"{names[0]} (as in X)", ylabel=f"{names[1]} (as in X)")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    return ax


def _scatter(ax: Axes, points: FloatArray, k: int) -> None:
    colour, marker = CLASS_COLOURS[k % 8], CLASS_MARKERS[k % 10]
    x1, x2 = points.T
    ax.scatter(
        x1, x2, s=22, c=colour, marker=marker, ec="white", lw=0.5, label=f"class {k}", zorder=3
    )


def _refuse_other_networks(net: Network) -> int:
    """Return the number of classes."""
    inputs, outputs = net.widths[0], net.widths[-1]
    output = net.layers[-1].activation.name
    if inputs != 2:
        raise ValueError(f"net must have 2 inputs, not {inputs}")
    if outputs == 1 and output == "sigmoid":
        return 2
    if outputs > 1 and output in ("softmax", "log_softmax"):
        return outputs
    raise ValueError(
        "net must end in softmax over 2 classes or more, or in 1 sigmoid unit, "
        f"not in {outputs} of {output}"
    )


def _labels(net: Network, y: ArrayLike, m: int) -> NDArray[np.int32]:
    outputs = net.widths[-1]
    loss = "binary_cross_entropy" if outputs == 1 else "cross_entropy"
    labels, values = _arrays.targets(y, loss, m, outputs, net.dtype)
    if labels is not None:
        return labels
    assert values is not None
    best = values[:, 0] > 0.5 if outputs == 1 else values.argmax(axis=1)
    return best.astype(np.int32)


def _sides(rows: FloatArray, resolution: int) -> tuple[FloatArray, FloatArray]:
    """Return the points along each axis: the range of the samples and a tenth more."""
    low, high = rows.min(axis=0).astype(np.float64), rows.max(axis=0).astype(np.float64)
    room = np.where(high > low, 0.1 * (high - low), 1.0)
    x1, x2 = np.linspace(low - room, high + room, resolution).T
    return x1, x2


def _margins(net: Network, points: FloatArray) -> FloatArray:
    """Return by how much each class exceeds the best other one: positive in its own region."""
    scores = net.predict(points).astype(np.float64)
    if net.layers[-1].activation.name == "log_softmax":
        scores = np.exp(scores)
    if scores.shape[1] == 1:
        scores = np.hstack([1.0 - scores, scores])
    _arrays.finite("the network's output", scores)
    others = [np.delete(scores, k, axis=1).max(axis=1) for k in range(scores.shape[1])]
    margins: FloatArray = scores - np.array(others).T
    return margins


def _shade(ax: Axes, net: Network, x1: FloatArray, x2: FloatArray) -> None:
    grid: Any = np.meshgrid(x1, x2)
    margins = _margins(net, np.stack(grid, axis=-1).reshape(-1, 2))
    for k, margin in enumerate(margins.T.reshape(-1, len(x2), len(x1))):
        ax.contourf(*grid, margin, levels=[0.0, 2.0], colors=[CLASS_COLOURS[k % 8]], alpha=0.3)
        if margin.min() < 0 < margin.max():
            ax.contour(*grid, margin, levels=[0.0], colors=["0.25"], linewidths=1.0)
