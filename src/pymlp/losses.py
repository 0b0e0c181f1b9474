"""Losses by name, and the one that goes with an output activation."""

from __future__ import annotations

from typing import Any

from pymlp import _checks
from pymlp.activations import Activation

LOSSES = ("cross_entropy", "binary_cross_entropy", "mse")

_AUTO = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"}


def resolve(loss: Any, output: Activation) -> str:
    """Return the name of the loss; "auto" goes by the output activation.

    Raises
    ------
    TypeError
        If `loss` is not a string.
    ValueError
        If no loss has that name, or if it reads outputs as probabilities and the output activation
        does not give any.
    """
    if not isinstance(loss, str):
        raise TypeError(f"loss must be a name, not {_checks.type_name(loss)}")
    if loss == "auto":
        return _AUTO.get(output.name, "mse")
    if loss not in LOSSES:
        raise _checks.unknown_name("loss", loss, [*LOSSES, "auto"])
    if loss != "mse" and not output.unit_interval:
        raise ValueError(
            f"loss '{loss}' needs an output activation with values in [0, 1], such as softmax or "
            f"sigmoid, not '{output.name}'"
        )
    return loss
