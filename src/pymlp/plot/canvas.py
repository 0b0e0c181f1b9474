"""What all pictures share: where they are drawn, and their colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pymlp import _checks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito, "Color Universal Design" (2008): told apart by colour-blind readers as well.
BLUE, VERMILION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
PURPLE, SKY, YELLOW, GREY = "#CC79A7", "#56B4E9", "#F0E442", "#666666"
CLASS_COLOURS = [BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, YELLOW, GREY]
CLASS_MARKERS = "os^DvPX<>h"


def axes(ax: Axes | None, *, size: tuple[float, float] = (6.4, 4.8)) -> Axes:
    """Return `ax`, or the Axes of a new pyplot figure of this size in inches."""
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise ImportError("pictures need matplotlib: pip install 'pymlp[plot]'") from error
    from matplotlib.axes import Axes

    if ax is None:
        from matplotlib import pyplot

        return pyplot.subplots(figsize=size, layout="constrained")[1]
    if not isinstance(ax, Axes):
        raise TypeError(f"ax must be a matplotlib Axes, not {_checks.type_name(ax)}")
    return ax


def instance(name: str, value: Any, kind: type) -> None:
    """Refuse a value that is not of this kind."""
    if not isinstance(value, kind):
        hint = _checks.network_of(value) if kind.__name__ == "Network" else ""
        raise TypeError(f"{name} must be a {kind.__name__}, not {_checks.type_name(value)}{hint}")


def open_frame(ax: Axes) -> None:
    """Leave of the frame what the scales need, and draw a faint grid behind everything."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_axisbelow(True)
    ax.grid(visible=True, color="0.5", alpha=0.25, linewidth=0.8)


def count_along_x(ax: Axes) -> None:
    """Put ticks at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
