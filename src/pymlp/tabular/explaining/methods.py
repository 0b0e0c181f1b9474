"""The methods by their names: their arguments, all wrong ones told at once, and their calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pymlp import _checks
from pymlp.tabular.explaining.function import Attribution, Function
from pymlp.tabular.explaining.gradients import expected_gradients, integrated_gradients
from pymlp.tabular.explaining.shapley import shapley_values

__all__ = ["METHODS", "Method", "method_of"]

# name -> samples by default, at least, and below which number
METHODS = {
    "integrated_gradients": (32, 1, 1001),
    "expected_gradients": (200, 2, 2**31),
    "shapley": (64, 4, 2**31),
}


class Method(NamedTuple):
    """A method and how many samples it takes."""

    name: str
    n_samples: int

    def attribution(
        self, function: Function, X: NDArray[Any], background: NDArray[Any], seed: int
    ) -> Attribution:
        """Return what columns contribute to rows X, compared with a background (b, n_in)."""
        if self.name == "integrated_gradients":
            return integrated_gradients(function, X, background.mean(axis=0), self.n_samples)
        generator = np.random.default_rng(seed)
        if self.name == "expected_gradients":
            return expected_gradients(function, X, background, self.n_samples, generator)
        return shapley_values(function, X, background, -(-self.n_samples // 2), generator)


def method_of(name: Any, n_samples: Any, output: Any, outputs: Sequence[str]) -> Method:
    """Return the method that arguments of `explain` ask for.

    Raises
    ------
    TypeError, ValueError
        Where some are wrong; all are named.
    """
    faults: list[Exception] = []
    default, least, below = METHODS["integrated_gradients"]
    if isinstance(name, str) and name in METHODS:
        default, least, below = METHODS[name]
    else:
        known = ", ".join(map(repr, METHODS))
        faults.append(ValueError(f"method must be one of {known}, not {name!r}"))
    count = default
    if n_samples is not None:
        try:
            count = _checks.integer("n_samples", n_samples, minimum=least, below=below)
        except (TypeError, ValueError) as error:
            faults.append(error)
    if output is not None and output not in outputs:
        known = "".join(f"{name!r}, " for name in outputs) + "None"
        faults.append(ValueError(f"output must be one of {known}, not {output!r}"))
    refuse(faults)
    return Method(name, count)


def refuse(faults: Sequence[Exception]) -> None:
    """Raise one error of all; a ValueError where they are of several kinds."""
    kinds = {type(fault) for fault in faults}
    if faults:
        kind = kinds.pop() if len(kinds) == 1 else ValueError
        raise kind("; ".join(map(str, faults)))
