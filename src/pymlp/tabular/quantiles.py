"""Quantiles that do not cross.

All levels are learnt together by the mean of their pinball losses, an output each. What is
predicted are the outputs in ascending order: rearranged so they are never further from the true
quantiles, and the training is left as it is. Chernozhukov, Fernandez-Val and Galichon, Econometrica
78, 2010.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp import _checks

__all__ = ["levels_of", "middle_of", "rearranged"]

_MIDDLE = 0.5


def levels_of(quantiles: Any) -> tuple[float, ...] | None:
    """Return the levels that a parameter names; None where it is None.

    Raises
    ------
    TypeError, ValueError
        If they are not numbers between 0 and 1 that ascend.
    """
    if quantiles is None:
        return None
    if isinstance(quantiles, str | bytes) or not hasattr(quantiles, "__len__"):
        raise TypeError(
            "quantiles must be a sequence of levels such as (0.1, 0.5, 0.9), not "
            f"{_checks.type_name(quantiles)}"
        )
    given = enumerate(quantiles)
    levels = [_checks.number(f"quantiles[{i}]", v, above=0.0, below=1.0) for i, v in given]
    if not levels or any(a >= b for a, b in pairwise(levels)):
        raise ValueError(f"quantiles must be levels that ascend, not {tuple(levels)}")
    return tuple(levels)


def rearranged(outputs: NDArray[Any]) -> NDArray[Any]:
    """Return outputs (m, k) in ascending order within each row."""
    return np.sort(outputs, axis=1)


def middle_of(outputs: NDArray[Any], levels: tuple[float, ...]) -> NDArray[Any]:
    """Return the median (m,) of rearranged outputs (m, k).

    It lies on the line between the levels on either side of 0.5; where there are none on one side,
    it is the level that is nearest.
    """
    place = float(np.interp(_MIDDLE, levels, range(len(levels))))
    low = int(place)
    high = min(low + 1, len(levels) - 1)
    share = place - low
    if not share:
        return outputs[:, low]
    result: NDArray[Any] = (1.0 - share) * outputs[:, low] + share * outputs[:, high]
    return result
