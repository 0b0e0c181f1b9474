"""The diagnosis of a network: how far gradients reach, layer by layer, and what stops them."""

from __future__ import annotations

import dataclasses

from numpy.typing import ArrayLike

from pymlp import _arrays, _checks, embeddings
from pymlp.diagnosis.measure import measure_layers
from pymlp.diagnosis.report import Diagnosis, Finding, InputReport, LayerReport, TargetReport
from pymlp.diagnosis.rules import findings
from pymlp.diagnosis.targets import measure_targets, steps
from pymlp.losses import AnyLoss
from pymlp.network import Network

__all__ = ["Diagnosis", "Finding", "InputReport", "LayerReport", "TargetReport", "diagnose"]


def diagnose(
    net: Network,
    X: ArrayLike,
    y: ArrayLike,
    *,
    loss: AnyLoss = "auto",
    sample_weight: ArrayLike | None = None,
    threads: int | None = None,
) -> Diagnosis:
    """Return how large gradients are in a network, layer by layer, with findings in words.

    Found are gradients that vanish, explode or are cut off, dead and saturated units, units that
    stay equal, unscaled inputs and targets, values that the network's dtype cannot tell apart, a
    loss worse than that of predicting the mean, gains, alphas and factors of inputs that learnt to
    be 0, running statistics that do not fit, residuals that add nothing, and numbers that are not
    finite. A few hundred samples suffice.

    Parameters
    ----------
    net : Network
        Not changed. Dropout is off, and batch norm works as in `Network.predict`.
    X, y, loss, sample_weight, threads
        As in `Network.loss`; shares and means over samples take all as equal.

    Returns
    -------
    Diagnosis

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(200, 4)), rng.normal(size=200)
    >>> net = pymlp.Network([4, 8, 8, 1], hidden="relu", seed=0)
    >>> net.biases[1][:] = -100
    >>> diagnosis = pymlp.diagnose(net, X, y)
    >>> diagnosis.findings[0].kind, diagnosis.findings[0].layers
    ('dead', (2,))
    >>> print(diagnosis.findings[0].sentence)
    Layer 2 (relu): 100 % of the units are dead: flat for every sample, so they tell nothing and
    get no gradient.
    """
    if not isinstance(net, Network):
        given = _checks.type_name(net) + _checks.network_of(net)
        raise TypeError(f"net must be a Network, not {given}")
    epochs = 0 if net.history is None else len(net.history.loss)
    net = net.copy()  # several calls look at it, while another thread may train it
    X = _arrays.numbers("X", X, net.feature_names)
    J, grads = net.gradients(X, y, loss=loss, sample_weight=sample_weight, dz=True, threads=threads)
    trace = net.forward(X, threads=threads)
    inputs, layers, product = measure_layers(net, trace, grads)
    places = embeddings.places(net.embedding, net.widths[0])
    step = steps(X, net.dtype)[[column for column, _ in places]]
    inputs = dataclasses.replace(inputs, step=step, names=_names_of_inputs(net, places))
    targets = measure_targets(net, trace.a[-1], y, loss, sample_weight, epochs)
    found = findings(J, inputs, targets, layers)
    return Diagnosis(J, inputs, targets, layers, found, product)


def _names_of_inputs(net: Network, places: list[tuple[int, int]]) -> tuple[str, ...] | None:
    """Return the names of what the first layer reads: "age", and where it is embedded "age.2"."""
    if not net.embedding:
        return net.feature_names
    names = net.feature_names or tuple(map(str, range(net.widths[0])))
    return tuple(f"{names[column]}.{place}" if place else names[column] for column, place in places)
