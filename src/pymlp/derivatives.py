"""Gradients: checked by central differences, and pulled back from the outputs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from pymlp import _arrays, config
from pymlp._arrays import FloatArray
from pymlp.architecture import Architecture, CoreNetwork
from pymlp.losses import Loss
from pymlp.training import samples

__all__ = ["GradientError"]


class GradientError(float):
    """The largest relative difference between a gradient and central differences.

    Attributes
    ----------
    parameter : str
        Where it is, such as ``weights[0][2, 1]``.
    """

    parameter: str


def check_gradients(
    gradient: FloatArray,
    parameters: FloatArray,
    architecture: Architecture,
    X: ArrayLike,
    y: ArrayLike,
    loss: Loss,
    sample_weight: ArrayLike | None,
) -> GradientError:
    """Compare the gradient of a network with these parameters with differences in float64."""
    exact = architecture.with_dtype(np.float64)
    core, core_loss = exact.new_core(), loss.for_core()
    core.arena[:] = parameters
    arrays = samples.checked(X, y, sample_weight, loss, exact)
    numeric = _central_differences(
        lambda: core.loss(*arrays, core_loss, None, 1), core.arena[: gradient.size]
    )
    size = np.maximum(np.abs(gradient), np.abs(numeric))
    floor = max(1e-3 * float(size.max()), float(np.finfo(np.float64).tiny))
    errors = np.abs(gradient - numeric) / np.maximum(size, floor)
    worst = int(errors.argmax())
    result = GradientError(errors[worst])
    result.parameter = _place(architecture, worst)
    return result


def _central_differences(J: Callable[[], float], parameters: FloatArray) -> FloatArray:
    numeric = np.empty_like(parameters)
    for i in range(parameters.size):
        value = float(parameters[i])
        step = 1e-5 * max(1.0, abs(value))
        parameters[i] = value + step
        above = J()
        parameters[i] = value - step
        numeric[i] = (above - J()) / (2.0 * step)
        parameters[i] = value
    return numeric


def _place(architecture: Architecture, position: int) -> str:
    """Return the name of one parameter."""
    tensor = next(tensor for tensor in architecture.tensors if position < tensor.end)
    index = ", ".join(map(str, np.unravel_index(position - tensor.first, tensor.shape)))
    if tensor.column is not None:
        return f"embedding_parameters[{tensor.column}][{tensor.attribute!r}][{index}]"
    plain = tensor.attribute in ("weights", "biases") or not tensor.of_layer
    of_layer = f"{tensor.attribute}[{tensor.layer}]" if tensor.of_layer else tensor.attribute
    return f"{of_layer if plain else f'layers[{tensor.layer}].{tensor.attribute}'}[{index}]"


def pull_back(
    core: CoreNetwork,
    architecture: Architecture,
    X: ArrayLike,
    dY: ArrayLike,
    flat: FloatArray | None,
    threads: int | None,
) -> FloatArray:
    """Return the gradient by X; that by the parameters goes to `flat`, where it is wanted."""
    rows = architecture.rows("X", X)
    output_gradient = _arrays.matrix("dY", dY, architecture.widths[-1], rows.dtype)
    if (m := len(output_gradient)) != len(rows):
        raise ValueError(f"dY must have {len(rows)} rows, as X has, not {m}")
    dX = np.empty_like(rows)
    core.pull_back(rows, output_gradient, flat, dX, config.threads(threads))
    return dX
