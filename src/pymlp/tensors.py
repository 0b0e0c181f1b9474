"""Tensors: the arrays that make up a network's arena, by name."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

from pymlp import _core
from pymlp._arrays import FloatArray

__all__ = ["STATE", "Tensor", "tensors_of"]

STATE = "state"  # the kind of what has no gradient


class Tensor(NamedTuple):
    """One array of a network.

    Attributes
    ----------
    attribute : str
        What it is called: ``weights``, ``biases``, ...
    kind : str
        "weights", "biases", ..., as in parameter groups; "state" has no gradient.
    layer : int
        Counted from 0.
    first : int
        Where it begins in the arena.
    shape : tuple of int
    column : int or None
        Of the inputs, of which this is a part of the embedding.
    """

    attribute: str
    kind: str
    layer: int
    first: int
    shape: tuple[int, ...]
    column: int | None = None

    @property
    def of_layer(self) -> bool:
        """Whether it is an attribute of its layer; else it is one of the network."""
        return self.attribute != "input_scale" and self.column is None

    @property
    def name(self) -> str:
        """Its name in files."""
        if self.column is not None:
            return f"embedding.{self.column}.{self.attribute}"
        return f"layers.{self.layer}.{self.attribute}" if self.of_layer else self.attribute

    @property
    def size(self) -> int:
        """The number of its numbers."""
        return math.prod(self.shape)

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return self.first + self.size

    def view(self, arena: FloatArray) -> FloatArray:
        """Return the part of the arena that this is."""
        return arena[self.first : self.end].reshape(self.shape)


def tensors_of(architecture: _core.Architecture) -> tuple[Tensor, ...]:
    """Return all tensors in the order of the arena; those of kind "state" come last."""
    return tuple(itertools.starmap(Tensor, architecture.tensors))
