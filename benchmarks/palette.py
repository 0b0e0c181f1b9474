"""The look that all charts share: colours that the colour-blind tell apart, and quiet lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# After Okabe and Ito; ours is the strongest.
COLOURS = {
    "pymlp": "#d55e00",
    "NumPy": "#0072b2",
    "scikit-learn": "#56b4e9",
    "PyTorch": "#009e73",
    "PyTorch compiled": "#7bc8ae",
    "JAX": "#cc79a7",
    "ONNX Runtime": "#e6a800",
}
SHAPES = {
    "pymlp": "D",
    "NumPy": "o",
    "scikit-learn": "s",
    "PyTorch": "^",
    "PyTorch compiled": "v",
    "JAX": "P",
    "ONNX Runtime": "X",
}
INK = "#333333"
FAINT = "#e4e4e4"


def pyplot() -> Any:
    """Return matplotlib's pyplot, drawing to files, in this look."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update(
        {
            "font.size": 9,
            "axes.edgecolor": "#999999",
            "axes.labelcolor": INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlelocation": "left",
            "axes.titleweight": "bold",
            "axes.titlesize": 10,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "svg.fonttype": "none",
            "legend.frameon": False,
        }
    )
    return plt


def save(figure: Any, path: Path) -> None:
    """Write PATH.png and PATH.svg."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for suffix in (".png", ".svg"):
        figure.savefig(path.with_name(path.name + suffix), dpi=160, facecolor="white")
