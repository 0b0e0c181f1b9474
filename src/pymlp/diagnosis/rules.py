"""What is wrong with a network, in words: rules on the numbers of a diagnosis.

Every rule is a ratio or a share, so neither the size of the loss nor the dtype nor the number of
samples matters. The thresholds leave room around what networks that learn well showed, of 1 to 6
hidden layers of 8 to 64 units and eight activations, before, during and after 30 epochs on five
data sets: gradients of 0.015 to 57 times the output layer's (80 times after 400 epochs; from 0.008
with up to three layers of sigmoid), at most a third of a layer's activations saturated, and at most
three quarters of its units dead, which is rare in more than 8 units.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from pymlp.diagnosis.data import of_data, unit_of, worse_than_the_mean
from pymlp.diagnosis.operations import of_operations
from pymlp.diagnosis.report import Finding, InputReport, LayerReport, TargetReport
from pymlp.diagnosis.words import listed, name, numbers, one_finding, percent

VANISHING = 1e-3  # of the output layer's gradient
EXPLODING = 100.0  # times the output layer's gradient
DEAD = 0.75  # of a layer's units
FEW_SAMPLES = 30  # which prove a layer dead only where all of its units are
SATURATED = 0.75  # of a layer's activations
# Functions that shrink every gradient, and what they multiply it by at most.
FLAT = {"sigmoid": "0.25", "hard_sigmoid": "1/6", "softmax": "0.5"}


def findings(
    loss: float, inputs: InputReport, targets: TargetReport, layers: Sequence[LayerReport]
) -> list[Finding]:
    """Return what the numbers of a diagnosis say, nothing where all is well."""
    broken = _not_finite(inputs, layers)
    if broken:  # numbers that come from these say nothing more
        return broken
    of_inputs, of_targets = of_data(inputs, targets)
    of_layers = [
        *_symmetric(layers),
        *_no_gradient(layers),
        *_dead(inputs.samples, layers),
        *_saturated(layers),
        *of_operations(inputs, layers),
        *_vanishing_or_exploding(layers, 1.0 if of_targets else unit_of(targets)),
    ]
    # A loss is the consequence of what is wrong with layers or targets.
    consequence = [] if of_layers or of_targets else worse_than_the_mean(loss, targets)
    return [*of_inputs, *of_targets, *of_layers, *consequence]


# ---- the rules -----------------------------------------------------------------------------------


def _not_finite(inputs: InputReport, layers: Sequence[LayerReport]) -> list[Finding]:
    """Report where NaN or infinity begins: what comes after it has them from there."""
    if not inputs.finite:
        sentence = "X holds NaN or infinity, and so does all that is computed from it."
        return [Finding("not finite", (), sentence, "Remove or fill in these samples.")]
    for what, order, remedy in (
        ("parameters", layers, "Load or initialise them again, and train with a smaller step."),
        (
            "running statistics",
            layers,
            "Try inputs of a size near 1 and smaller weights, and train again from the start.",
        ),
        ("outputs", layers, "Try smaller weights (init='auto') and inputs of a size near 1."),
        ("gradients", layers[::-1], "Try smaller weights (init='auto'), or a loss that is finite."),
    ):
        first = [layer for layer in order if what in layer.not_finite][:1]
        if first:
            sentence = f"{name(first)}: its {what} hold NaN or infinity."
            return [Finding("not finite", numbers(first), sentence, remedy)]
    return []


def _symmetric(layers: Sequence[LayerReport]) -> list[Finding]:
    def groups(layer: LayerReport) -> str:
        if len(layer.equal[0]) == layer.units:
            return f"all {layer.units} of layer {layer.number}"
        shown = ["(" + listed(group) + ")" for group in layer.equal]
        return f"{listed(shown)} of layer {layer.number}"

    return one_finding(
        "symmetric",
        (layer for layer in layers if layer.equal),
        lambda bad: (
            f"units that have the same weights in and out ({'; '.join(map(groups, bad))}) get the "
            "same gradient and stay equal, unless dropout parts them: such a group works as one "
            "unit."
        ),
        "Draw the weights at random: init='auto' (biases may begin at 0).",
    )


def _no_gradient(layers: Sequence[LayerReport]) -> list[Finding]:
    return one_finding(
        "no gradient",
        filter(_is_flat, layers),
        lambda bad: (
            "the derivative is 0 for every sample, so no gradient passes, and layer "
            f"{bad[-1].number} and those before it do not learn."
        ),
        "Try sigmoid while training; step may take its place afterwards.",
    )


def _is_flat(layer: LayerReport) -> bool:
    function = layer.activation.removeprefix("parametric ")
    return function in ("step", "custom") and layer.steepest == 0.0


def _dead(samples: int, layers: Sequence[LayerReport]) -> list[Finding]:
    def share(layer: LayerReport) -> float:
        # Of flat functions, equal units and units that the norm holds all has been said.
        known = (*layer.equal, layer.faint, layer.constant)
        alone = set() if _is_flat(layer) else set(layer.dead).difference(*known)
        return len(alone) / layer.units

    limit = DEAD if samples >= FEW_SAMPLES else 1 - 1e-9
    shares = [share(layer) for layer in layers]
    # Where nothing comes in, from a layer that is dead itself, nothing is said of what is behind.
    pairs = zip(layers, shares, [0.0, *shares], strict=False)
    bad = [layer for layer, own, before in pairs if own > limit and before < 1]
    remedy = (
        "Try biases of 0 or a little above, init='auto', a smaller learning rate, or leaky_relu."
    )
    normed = (
        "Try shifts of 0 or a little above, gains of 1, a smaller learning rate, or leaky_relu."
    )
    return one_finding(
        "dead",
        bad,
        lambda bad: (
            f"{percent(map(share, bad))} of the units are dead: flat for every sample, so "
            "they tell nothing and get no gradient."
        ),
        normed if any(layer.norm for layer in bad) else remedy,
    )


def _saturated(layers: Sequence[LayerReport]) -> list[Finding]:
    # Outputs are meant to saturate where the network is sure; softmax is a share of a whole.
    hidden = (layer for layer in layers[:-1] if layer.activation != "softmax")
    bad = [layer for layer in hidden if (layer.saturated or 0) > SATURATED]
    remedy = "Try smaller weights (init='auto', l2) and biases, and standardised inputs; or relu."
    return one_finding(
        "saturated",
        bad,
        lambda bad: (
            f"{percent(layer.saturated or 0 for layer in bad)} of the activations are saturated: "
            "so far out that the slope is below 1 % of its largest, and little gradient passes."
        ),
        "Try gains of 1 and shifts of 0; or relu." if any(g.norm for g in bad) else remedy,
    )


def _vanishing_or_exploding(layers: Sequence[LayerReport], unit: float) -> list[Finding]:
    """Compare the gradients of all layers down to the first that gets none with the output's.

    That is taken by outputs in units of the targets' size, which the last weights have taken in.
    """
    top = dataclasses.replace(layers[-1], dz=layers[-1].dz * unit)
    reached = [top]
    for layer in layers[-2::-1]:
        if layer.dz == 0.0:
            break
        reached.append(layer)
    smallest = min(reached, key=lambda layer: layer.dz)
    largest = max(reached, key=lambda layer: layer.dz)
    if smallest.dz < VANISHING * top.dz:
        way = layers[smallest.number - 1 : -1]
        # Beside a residual's layer the gradient passes whole.
        flat = [layer for layer in way if layer.activation in FLAT and layer.branch is None]
        return [_vanishing(smallest, top, flat)]
    if largest.dz > EXPLODING * top.dz:
        return [_exploding(largest, top)]
    return []


def _vanishing(weakest: LayerReport, top: LayerReport, flat: Sequence[LayerReport]) -> Finding:
    """Return the finding; `flat` are the layers on the way whose slope is always small."""
    sentence = f"{name([weakest])}: {_ratio(weakest, top)}, so it hardly learns."
    remedy = "Try larger weights in the hidden layers (init='auto'), or fewer layers."
    if weakest.norm:  # which takes the size of the weights before it out
        remedy = "Try gains of 1, residual=True, or fewer layers."
    if flat:
        function, most = flat[0].activation, FLAT[flat[0].activation]
        sentence += f" Every {function} on the way multiplies it by at most {most}."
        remedy = "Try relu or tanh in the hidden layers, with init='auto', or fewer layers."
    return Finding("vanishing", (weakest.number,), sentence, remedy)


def _exploding(strongest: LayerReport, top: LayerReport) -> Finding:
    sentence = (
        f"{name([strongest])}: {_ratio(strongest, top)}, so a step that suits one layer is far "
        "too long for another, and training may diverge."
    )
    remedy = "Try smaller weights (init='auto'), clip_norm=1.0 in fit, or fewer layers."
    if strongest.norm:  # which divides by the spread of what the weights before it make
        remedy = (
            "Try gains of 1, weights as init='auto' draws them, clip_norm=1.0, or fewer layers."
        )
    return Finding("exploding", (strongest.number,), sentence, remedy)


def _ratio(layer: LayerReport, top: LayerReport) -> str:
    ratio = layer.dz / top.dz
    each = ratio ** (1 / (top.number - layer.number))
    return (
        f"the gradient here is {ratio:.2g} times the output layer's, on average {each:.2g} times "
        "the next one's at each layer on the way"
    )
