"""What an estimator minimises: scikit-learn's loss by its name, or any loss of pymlp.

scikit-learn's losses are the same functions as pymlp's in another unit. It adds up over the labels
of a sample where pymlp takes the mean, and its squared error and Poisson deviance have their own
factor and constant. ``factor`` takes gradients of pymlp's loss to those of scikit-learn's, so that
``alpha`` and learning rates mean what they mean there; ``shown`` and ``constant`` do that for the
values in `loss_curve_`. Of several targets scikit-learn shows the mean squared error over them, but
steps along the gradient of the sum: hence two factors.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pymlp import _checks, activations, losses
from pymlp._registry import folded
from pymlp.losses import BinaryCrossEntropy, CrossEntropy, Loss

# scikit-learn's names of the output activations that an estimator may end in.
OUTPUT_NAMES = {"linear": "identity", "sigmoid": "logistic", "softmax": "softmax", "exp": "exp"}


class Objective(NamedTuple):
    """A loss, the output activation that it is taken behind, and its unit.

    Attributes
    ----------
    loss : Loss
    output : str
        The output activation.
    factor : float
        Of the gradients.
    shown : float
        Of the values.
    """

    loss: Loss
    output: str
    factor: float = 1.0
    shown: float = 1.0

    @property
    def takes_labels(self) -> bool:
        """Whether classes that exclude each other are given by their numbers."""
        return self.loss.name in ("cross_entropy", "custom")

    def constant(self, y: NDArray[Any], weights: NDArray[Any] | None) -> float:
        """Return what scikit-learn's value has beyond pymlp's: y log y - y of the deviance."""
        if not (self.loss.name == "poisson" and self.factor == y.shape[-1] == self.shown):
            return 0.0
        log_y = np.log(np.where(y > 0, y, 1))
        return float(np.average(y * log_y - y, weights=weights, axis=0).sum())


def of_classifier(loss: Any, outputs: int, *, exclusive: bool) -> Objective:
    """Return the objective of a classifier.

    Parameters
    ----------
    loss : str or Loss
    outputs : int
    exclusive : bool
        Whether a sample has one class; else it has any number of labels.
    """
    output = "softmax" if exclusive and outputs > 1 else "sigmoid"
    if is_hinge(loss):
        return Objective(losses.Hinge(), "linear")
    found = _cross_entropy(loss, output) or losses.resolve(
        loss, activations.resolve("output", output)
    )
    if found.name == "binary_cross_entropy":
        return Objective(found, output, float(outputs), float(outputs))
    return Objective(found, output)


def is_hinge(loss: Any) -> bool:
    """Tell whether a parameter means the hinge loss."""
    return folded(loss) == "hinge" if isinstance(loss, str) else isinstance(loss, losses.Hinge)


def _cross_entropy(loss: Any, output: str) -> Loss | None:
    """Return the cross-entropy for an output activation, whichever of the two is named."""
    kind = CrossEntropy if output == "softmax" else BinaryCrossEntropy
    names = ("logloss", "crossentropy", "binarycrossentropy")
    if isinstance(loss, str):
        return kind() if folded(loss) in names else None
    if isinstance(loss, CrossEntropy | BinaryCrossEntropy):
        return kind(label_smoothing=loss.label_smoothing)
    return None


def of_regressor(loss: Any, outputs: int) -> Objective:
    """Return the objective of a regressor."""
    if not isinstance(loss, str | Loss):
        raise TypeError(f"loss must be a name or a Loss, not {_checks.type_name(loss)}")
    if loss == "squared_error":
        return Objective(losses.MSE(), "linear", outputs / 2, 0.5)
    if loss == "poisson":
        return Objective(losses.Poisson(), "exp", float(outputs), float(outputs))
    output = "exp" if isinstance(loss, losses.Poisson) else "linear"
    found = losses.resolve(loss, activations.resolve("output", output))
    if found.name in ("cross_entropy", "binary_cross_entropy", "kl_divergence", "hinge"):
        raise ValueError(f"loss '{found.name}' is for classes, and this is a regressor")
    return Objective(found, output)
