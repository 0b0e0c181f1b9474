"""`coefs_` and `intercepts_`: lists of arrays, as scikit-learn has them, that are the network's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, SupportsIndex

from numpy.typing import ArrayLike

from pymlp._arrays import FloatArray
from pymlp.layers import copy_into


class Coefficients(list[FloatArray]):
    """Writable views of a network's weights or biases; assigning to an item copies in.

    Parameters
    ----------
    name : str
        What they are called.
    views : iterable of ndarray
    """

    def __init__(self, name: str, views: Iterable[FloatArray]) -> None:
        super().__init__(views)
        self._name = name

    def __setitem__(self, i: Any, values: Any) -> None:
        if isinstance(i, slice):
            places = range(*i.indices(len(self)))
            for place, value in zip(places, values, strict=True):
                self[place] = value
            return
        copy_into(f"{self._name}[{i}]", self[i], values)

    def assign(self, values: Iterable[ArrayLike]) -> None:
        """Copy an array into each of them."""
        arrays = list(values)
        if len(arrays) != len(self):
            raise ValueError(f"{self._name} must be {len(self)} arrays, not {len(arrays)}")
        for i, array in enumerate(arrays):
            self[i] = array

    def _fixed(self, *_: Any) -> Any:
        """Refuse: a network has as many arrays as it has layers."""
        raise TypeError(f"{self._name} are the network's arrays: none can be added or taken away")

    append = extend = insert = remove = pop = clear = __delitem__ = _fixed

    def __iadd__(self, other: Any) -> Any:  # type: ignore[misc]
        return self._fixed(other)

    def __imul__(self, other: SupportsIndex) -> Any:
        return self._fixed(other)

    def __reduce__(self) -> Any:
        return list, ([array.copy() for array in self],)
