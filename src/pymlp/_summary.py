"""The table that `Network.summary` returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pymlp.network import Network


def table(network: Network) -> str:
    """Return a row for each layer, and the totals."""
    rows = [("layer", "activation", "weights", "biases", "parameters")]
    for number, layer in enumerate(network.layers, start=1):
        n_in, n_out = layer.weights.shape
        biases = 0 if layer.biases is None else n_out
        rows.append(
            (
                str(number),
                repr(layer.activation),
                f"{n_in} x {n_out}",
                str(biases) if biases else "none",
                f"{n_in * n_out + biases:,}",
            )
        )
    size = f"{network.parameters.nbytes:,} bytes"
    totals = f"{network.n_parameters:,} parameters, {network.dtype}, {size}"
    return "\n".join([*aligned(rows, right={0, 4}), totals])


def aligned(rows: Sequence[Sequence[str]], right: set[int]) -> list[str]:
    """Return the rows as lines whose columns line up, those named by `right` on the right."""
    sizes = [max(map(len, column)) for column in zip(*rows, strict=True)]
    sides: dict[bool, Literal["<", ">"]] = {False: "<", True: ">"}
    return [
        "  ".join(f"{cell:{sides[i in right]}{sizes[i]}}" for i, cell in enumerate(row)).rstrip()
        for row in rows
    ]
