"""The learning curve of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from pymlp import _checks
from pymlp.plot import canvas
from pymlp.plot.canvas import BLUE, GREEN, VERMILION

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Record(Protocol):
    """What is drawn of a `History`."""

    loss: list[float]
    val_loss: list[float]

    @property
    def best_epoch(self) -> int | None:
        """The index of the best epoch."""


def history(history: Record, *, ax: Axes | None = None) -> Axes:
    """Draw the learning curve: training and validation loss by epoch, the best epoch marked.

    The best epoch is `History.best_epoch`.
    Losses that span more than a factor of 20 are on a logarithmic scale.

    Parameters
    ----------
    history : History
        As `Network.fit` returns it.
    ax : matplotlib.axes.Axes, optional
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> net = pymlp.Network([1, 8, 1], hidden="tanh", seed=0)
    >>> record = net.fit([[0.0], [1.0]], [0.0, 1.0], epochs=5)
    >>> pymlp.plot.history(record).get_xlabel()
    'epoch'
    """
    if not hasattr(history, "val_loss"):
        raise TypeError(f"history must be a History, not {_checks.type_name(history)}")
    if not history.loss:
        raise ValueError("history must have at least 1 epoch, not 0")
    ax = canvas.axes(ax)
    marker = "." if len(history.loss) < 30 else ""
    for name, curve, line, colour in (
        ("training", history.loss, "-", BLUE),
        ("validation", history.val_loss, "--", VERMILION),
    ):
        if curve:
            ax.plot(range(1, len(curve) + 1), curve, line, marker=marker, color=colour, label=name)
    _mark_best(ax, history.val_loss or history.loss, history.best_epoch or 0)
    values = np.array(history.loss + history.val_loss)
    if values.min() > 0 and values.max() > 20 * values.min():
        ax.set_yscale("log")
    ax.set(title="Learning curve", xlabel="epoch", ylabel="loss (mean per sample)")
    canvas.count_along_x(ax)
    canvas.open_frame(ax)
    ax.legend()
    return ax


def _mark_best(ax: Axes, losses: list[float], best: int) -> None:
    label = f"best: {losses[best]:.4g} in epoch {best + 1}"
    ax.plot(best + 1, losses[best], "o", color=GREEN, fillstyle="none", ms=10, mew=1.5, label=label)
