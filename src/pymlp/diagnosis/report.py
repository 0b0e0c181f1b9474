"""What a diagnosis says: numbers of every layer and what they mean; it prints as a table."""

from __future__ import annotations

import dataclasses
import textwrap

import numpy as np
from numpy.typing import NDArray

from pymlp.architecture import aligned

__all__ = ["Diagnosis", "Finding", "InputReport", "LayerReport", "TargetReport"]


@dataclasses.dataclass(frozen=True, eq=False)
class InputReport:
    """What was seen of the inputs; of embedded ones, of the numbers that they become.

    Attributes
    ----------
    samples : int
    mean, std, reach : ndarray, shape (n_in,)
        Of each column: mean, standard deviation, and largest deviation from the mean.
    finite : bool
        Whether no entry is NaN or infinite.
    scale : ndarray, shape (n_in,), or None
        Its factors, of a network with `scale_inputs`.
    dscale : float or None
        Norm of the gradient of the mean loss by these.
    step : ndarray, shape (n_in,), or None
        Of each column: how far numbers of the network's dtype lie apart at its mean, over its
        standard deviation; 0 where that dtype has all of its values.
    names : tuple of str, or None
        Of the columns, where the network knows them.
    """

    samples: int
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    reach: NDArray[np.float64]
    finite: bool
    scale: NDArray[np.float64] | None = None
    dscale: float | None = None
    step: NDArray[np.float64] | None = None
    names: tuple[str, ...] | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class TargetReport:
    """What was seen of the targets.

    Attributes
    ----------
    constant_loss : float or None
        The mean loss of the best that is the same for every sample: the mean of y, or the shares of
        its classes. None where y is the same for every sample, where there are too few samples to
        know, or where the output's activation or the loss has no such thing.
    of_classes : bool
        Whether that are shares of classes.
    epochs : int
        Of the network's history; 0 without.
    mean, std, step : ndarray, shape (n_out,), or None
        Of each column of targets that are numbers, behind a linear output: mean, standard
        deviation, and as in `InputReport`. None otherwise.
    predicted_mean, predicted_std, error : ndarray, shape (n_out,), or None
        Of the same columns: mean and standard deviation of the predictions, and the root of their
        mean squared error.
    """

    constant_loss: float | None
    of_classes: bool
    epochs: int
    mean: NDArray[np.float64] | None = None
    std: NDArray[np.float64] | None = None
    step: NDArray[np.float64] | None = None
    predicted_mean: NDArray[np.float64] | None = None
    predicted_std: NDArray[np.float64] | None = None
    error: NDArray[np.float64] | None = None


@dataclasses.dataclass(frozen=True)
class LayerReport:
    """What was seen of one layer. Norms are Euclidean, over all entries.

    Attributes
    ----------
    number : int
        The first layer behind the inputs is 1.
    activation : str
        Its name; "parametric gelu" where it is learnt.
    units : int
    dz, dw : float
        Norms of the gradients of the mean loss by the pre-activations (what the activation
        receives, behind a norm) and by the weights.
    weights : float
        Norm of the weights.
    gain : float or None
        What the gradient was multiplied by on its way from the next layer: ``dz`` over the next
        layer's ``dz``. None for the last layer, and where both are 0.
    expected_gain : float or None
        The same by rule of thumb, for a gradient of any direction: ``slope`` times the size of the
        next layer's weights, ``norm(W) / sqrt(units)``. The last layer's is its ``slope``. None
        where the next layer has a norm or a residual, of which the rule knows nothing.
    slope, steepest : float
        Mean and largest ``|g'(z)|``; of softmax and log_softmax the Jacobian's diagonal.
    saturated : float or None
        The share of activations whose slope is below 1 % of the function's largest; None where the
        function is not flat on both sides.
    dead : tuple of int
        Units whose slope is 0 (below 1e-4) for every sample, of relu and others with a flat side.
    equal : tuple of tuple of int
        Groups of hidden units with the same weights in and out, bias, gain, shift and alpha. Units
        that a residual goes into or comes from differ by that.
    not_finite : tuple of str
        Which of "parameters", "running statistics", "outputs" and "gradients" hold NaN or infinity.
    db, dgain, dshift, dalpha : float or None
        As ``dw``, by what else the layer learns: biases, the norm's gain and shift, the parametric
        activation's alpha. None where it has none.
    norm : str or None
        "layer", "rms" or "batch".
    faint : tuple of int
        Units whose gain is at most 1e-4.
    constant : tuple of int
        Units whose running variance is at most 1e-8.
    untouched : bool
        Whether running means and variances are the first ones, 0 and 1, though gains or shifts are
        not.
    linear : tuple of int
        Units whose alpha is at most 1e-4.
    branch : float or None
        Of a layer with a residual: the norm of its outputs without what it adds to them, over the
        norm of that.
    """

    number: int
    activation: str
    units: int
    dz: float
    dw: float
    weights: float
    gain: float | None
    expected_gain: float | None
    slope: float
    steepest: float
    saturated: float | None
    dead: tuple[int, ...]
    equal: tuple[tuple[int, ...], ...]
    not_finite: tuple[str, ...]
    db: float | None = None
    dgain: float | None = None
    dshift: float | None = None
    dalpha: float | None = None
    norm: str | None = None
    faint: tuple[int, ...] = ()
    constant: tuple[int, ...] = ()
    untouched: bool = False
    linear: tuple[int, ...] = ()
    branch: float | None = None


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that keeps a network from learning, and what to try.

    Attributes
    ----------
    kind : str
        "vanishing", "exploding", "dead", "saturated", "symmetric", "no gradient", "not finite",
        "unscaled inputs", "inputs off" (factors of inputs near 0), "faint gain", "constant" (a
        running variance near 0), "running statistics" (not those of the data), "linear" (alphas
        near 0) or "idle" (a residual's layer adds nothing).
    layers : tuple of int
        The layers it is about, the first being 1; empty where it is about the inputs.
    sentence : str
        What is the case and what it means.
    remedy : str
        What to try.
    """

    kind: str
    layers: tuple[int, ...]
    sentence: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.sentence} {self.remedy}"


@dataclasses.dataclass(frozen=True, eq=False)
class Diagnosis:
    """Numbers of every layer and what they mean; prints as a table with the findings below it.

    Attributes
    ----------
    loss : float
        The mean loss.
    inputs : InputReport
    targets : TargetReport
    layers : list of LayerReport
    findings : list of Finding
        What is wrong and what to try; empty for a network in good health.
    chain_product : ndarray, shape (m,), or None
        For a network whose layers all have one unit, one input included: for each sample
        ``x s w_2 ... w_L g_1'(z_1) ... g_L'(z_L)``, the derivative of the output by the first
        weight; s is the factor of the input, 1 without `scale_inputs`. None with norm or residual.
    """

    loss: float
    inputs: InputReport
    targets: TargetReport
    layers: list[LayerReport]
    findings: list[Finding]
    chain_product: NDArray[np.float64] | None

    @property
    def expected_product(self) -> float | None:
        """The product of the expected gains: what a change of the first layer does to the output.

        For layers of one unit and one sample, ``|x s|`` times this is ``|chain_product|``. None
        where a layer has none.
        """
        gains = [layer.expected_gain for layer in self.layers if layer.expected_gain is not None]
        return float(np.prod(gains)) if len(gains) == len(self.layers) else None

    def __str__(self) -> str:
        table = aligned(self._table(), right={0, *range(2, 11)})
        learnt = self._learnt()
        second = aligned(learnt, right=set(range(len(learnt[0])))) if learnt else []
        said = [
            textwrap.fill(str(finding), 100, subsequent_indent="    ") for finding in self.findings
        ]
        return "\n".join([*table, *second, self._totals(), *(said or [_NOTHING])])

    def _repr_html_(self) -> str:
        from pymlp import _html

        learnt = self._learnt()
        pairs = [(one.kind, f"{one.sentence} {one.remedy}") for one in self.findings]
        return _html.block(
            _html.text(self._totals(), strong=True),
            _html.table(self._table(), right={0, *range(2, 11)}),
            _html.table(learnt, right=range(len(learnt[0]))) if learnt else "",
            _html.items(pairs) if pairs else _html.text(_NOTHING),
        )

    def _totals(self) -> str:
        constant, what = self.targets.constant_loss, "the mean of y"
        if self.targets.of_classes:
            what = "the shares of the classes"
        beside = "" if constant is None else f"; {what} for every sample: {constant:.4g}"
        return f"{self.inputs.samples:,} samples, loss {self.loss:.4g}{beside}"

    def _table(self) -> list[tuple[str, ...]]:
        return [_HEADER, *map(_row, self.layers)]

    def _learnt(self) -> list[tuple[str, ...]]:
        """Return a second table, of gradients, where layers learn more than weights and biases."""
        layers = self.layers
        added = {
            "|dscale|": [self.inputs.dscale, *(None for _ in layers[1:])],
            "|dgain|": [layer.dgain for layer in layers],
            "|dshift|": [layer.dshift for layer in layers],
            "|dalpha|": [layer.dalpha for layer in layers],
        }
        learnt = {name: sizes for name, sizes in added.items() if set(sizes) != {None}}
        if not learnt:
            return []
        columns = {
            "layer": [str(layer.number) for layer in layers],
            "|dW|": [_size(layer.dw) for layer in layers],
            "|db|": [_size(layer.db) for layer in layers],
            **{name: list(map(_size, sizes)) for name, sizes in learnt.items()},
        }
        return [tuple(columns), *zip(*columns.values(), strict=True)]


# ---- the table -----------------------------------------------------------------------------------

_NOTHING = "nothing to report"
_HEADER = (
    *("layer", "activation", "units", "|dZ|", "gain", "|dW|", "|W|", "mean |g'|"),
    *("saturated", "dead", "equal"),
)


def _row(layer: LayerReport) -> tuple[str, ...]:
    return (
        str(layer.number),
        layer.activation,
        str(layer.units),
        f"{layer.dz:.2e}",
        "-" if layer.gain is None else f"{layer.gain:.3g}",
        f"{layer.dw:.2e}",
        f"{layer.weights:.3g}",
        f"{layer.slope:.3g}",
        "-" if layer.saturated is None else f"{100 * layer.saturated:.0f} %",
        str(len(layer.dead)),
        str(sum(map(len, layer.equal))),
    )


def _size(value: float | None) -> str:
    return "-" if value is None else f"{value:.2e}"
