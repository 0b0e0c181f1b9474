"""The look that all charts share: colours that the colour-blind tell apart, and quiet lines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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
    "pymlp on BLAS": "#8c4a1f",
    "PyTorch medium": "#9a9a9a",
    "PyTorch bf16": "#9a9a9a",
}
SHAPES = {
    "pymlp": "D",
    "NumPy": "o",
    "scikit-learn": "s",
    "PyTorch": "^",
    "PyTorch compiled": "v",
    "JAX": "P",
    "ONNX Runtime": "X",
    "pymlp on BLAS": "d",
    "PyTorch medium": "2",
    "PyTorch bf16": "1",
}
INK = "#333333"
FAINT = "#e4e4e4"


@contextmanager
def look() -> Iterator[None]:
    """Draw to files, in this look, and leave everybody else's as it was."""
    import matplotlib

    matplotlib.use("Agg")
    with matplotlib.rc_context(
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
    ):
        yield


def save(figure: Any, path: Path) -> None:
    """Write PATH.png and PATH.svg."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for suffix in (".png", ".svg"):
        figure.savefig(path.with_name(path.name + suffix), dpi=160, facecolor="white")
