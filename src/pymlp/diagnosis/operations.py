"""Rules on norms, residuals, learnt activations and factors of the inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pymlp.diagnosis.report import Finding, InputReport, LayerReport
from pymlp.diagnosis.words import columns, one_finding, units

OFF = 1e-3  # an input's factor, of the largest one
IDLE = 1e-3  # a layer's own outputs, of the inputs that its residual adds to them


def of_operations(inputs: InputReport, layers: Sequence[LayerReport]) -> list[Finding]:
    """Return what the numbers of these operations say, nothing where there are none."""
    return [
        *_inputs_off(inputs),
        *_faint(layers),
        *_constant(layers),
        *_untouched(layers),
        *_linear(layers),
        *_idle(layers),
    ]


def _inputs_off(inputs: InputReport) -> list[Finding]:
    if inputs.scale is None:
        return []
    sizes = np.abs(inputs.scale)
    off = sizes <= OFF * sizes.max()
    if not off.any():
        return []
    sentence = (
        f"X is multiplied by a factor at or near 0 in {columns(off, inputs.names)} (input_scale): "
        "the network does not see what is there, and the weights behind it hardly learn."
    )
    remedy = (
        "Try a factor of 1 there, a smaller learning rate for the group 'scale', or leave these "
        "columns out if they are of no use."
    )
    return [Finding("inputs off", (), sentence, remedy)]


def _faint(layers: Sequence[LayerReport]) -> list[Finding]:
    return one_finding(
        "faint gain",
        (layer for layer in layers if layer.faint),
        lambda bad: (
            f"the norm's gain is at or near 0 in {units(bad, 'faint')}: what passes there is the "
            "norm's shift (0 without), the same for every sample, and what comes before does not "
            "learn through it."
        ),
        "Try gains of 1, and a weight_decay of 0 for the group 'norm' of the optimiser.",
    )


def _constant(layers: Sequence[LayerReport]) -> list[Finding]:
    return one_finding(
        "constant",
        (layer for layer in layers if layer.constant),
        lambda bad: (
            f"the running variance is at or near 0 in {units(bad, 'constant')}: in training these "
            "were the same for every sample, and predict multiplies any difference from that by up "
            "to 300."
        ),
        "Try inputs that vary and weights as init='auto' draws them, and see what is dead before.",
    )


def _untouched(layers: Sequence[LayerReport]) -> list[Finding]:
    return one_finding(
        "running statistics",
        (layer for layer in layers if layer.untouched),
        lambda _: (
            "gains or shifts have changed, but the running means and variances are still those of "
            "the start, 0 and 1; predict normalises with these and not with the data's own."
        ),
        "Try a few epochs of fit or train_batch, which move them; steps of one's own do not.",
    )


def _linear(layers: Sequence[LayerReport]) -> list[Finding]:
    return one_finding(
        "linear",
        # Norms of rows are not linear.
        (g for g in layers if len(g.linear) == g.units and g.norm in (None, "batch")),
        lambda _: (
            "every alpha is at or near 0, which makes the activation linear: with the product "
            "behind it the layer is one linear map, and adds nothing to what the network can say."
        ),
        "Try alphas of 1, a smaller learning rate for the group 'activation', or fewer layers.",
    )


def _idle(layers: Sequence[LayerReport]) -> list[Finding]:
    return one_finding(
        "idle",
        # Why a dead layer adds nothing has been said.
        (g for g in layers if g.branch is not None and g.branch < IDLE and len(g.dead) < g.units),
        lambda bad: (
            f"its own outputs are at most {max(g.branch or 0 for g in bad):.2g} times as large as "
            "the inputs that the residual adds to them: the network works as if it were not there."
        ),
        "Try larger weights (init='auto'), less weight decay, or fewer layers.",
    )
