"""What a network says of itself: its architecture, in words and in tables."""

from __future__ import annotations

from typing import Any

import numpy as np

from pymlp.architecture import Architecture
from pymlp.embeddings import Embedding

__all__ = ["Described"]


class Described:
    """What has an architecture."""

    _architecture: Architecture

    @property
    def widths(self) -> tuple[int, ...]:
        """Layer widths, input first."""
        return self._architecture.widths

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of parameters, activations and gradients: float32 or float64."""
        return self._architecture.dtype

    @property
    def bias(self) -> bool:
        """Whether layers have biases."""
        return self._architecture.bias

    @property
    def dropout(self) -> tuple[float, ...]:
        """The share of units left out in training, for each hidden layer."""
        return self._architecture.dropout

    @property
    def input_dropout(self) -> float:
        """The share of inputs left out in training."""
        return self._architecture.input_dropout

    @property
    def norm(self) -> str | None:
        """The norm of hidden layers; None without."""
        return self._architecture.norm

    @property
    def residual(self) -> bool:
        """Whether hidden layers that can add their inputs to their outputs."""
        return self._architecture.residual

    @property
    def scale_inputs(self) -> bool:
        """Whether the inputs have factors that are learnt."""
        return self._architecture.scale_inputs

    @property
    def embedding(self) -> tuple[Embedding, ...]:
        """What some of the inputs become before the first layer; empty without."""
        return self._architecture.embedding

    @property
    def embedded_width(self) -> int:
        """How many numbers the first layer reads: ``widths[0]`` where nothing is embedded."""
        return self._architecture.embedded_width

    def __repr__(self) -> str:
        return repr(self._architecture)

    def _repr_html_(self) -> str:
        return self._architecture._repr_html_()

    def summary(self) -> str:
        """Return a table of the layers: activations, shapes and numbers of parameters.

        Norms, residuals and what else is learnt have columns where the network has them.

        Examples
        --------
        >>> print(pymlp.Network([2, 4, 3], output="softmax").summary())
        layer  activation  weights  biases  parameters
            1  ReLU()      2 x 4    4               12
            2  Softmax()   4 x 3    3               15
        27 parameters, float32, 108 bytes
        """
        return self._architecture.summary()
