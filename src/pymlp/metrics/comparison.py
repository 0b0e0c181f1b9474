"""What a metric compares: the targets of samples and the outputs that a network has for them.

The target and the loss say what the outputs mean: labels, or probabilities of classes, for
`cross_entropy`; two classes, or a table of labels that are there or not, for
`binary_cross_entropy` and `hinge`; else numbers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pymlp._arrays import FloatArray, LabelArray


class Comparison(NamedTuple):
    """Targets and outputs of m samples.

    Attributes
    ----------
    kind : str
        "classes", of which each sample has one; "labels", each there or not; or "numbers".
    y : ndarray
        Class numbers (m,), indicators (m, k), or numbers (m, k).
    targets : ndarray
        `y` as the loss takes it: labels (m,), or values (m, k).
    outputs : ndarray, shape (m, k)
        As `Network.predict` gives them.
    activation : str
        The name of the activation that they come from.
    weights : ndarray, shape (m,), or None
    """

    kind: str
    y: NDArray[Any]
    targets: NDArray[Any]
    outputs: FloatArray
    activation: str
    weights: FloatArray | None

    @property
    def classes(self) -> NDArray[Any]:
        """The predicted class numbers (m,), or indicators (m, k)."""
        positive = self.outputs > (0.5 if self.activation in ("sigmoid", "hard_sigmoid") else 0.0)
        if self.kind == "labels":
            return positive.astype(np.intp)
        return (
            self.outputs.argmax(axis=1) if self._n_outputs > 1 else positive[:, 0].astype(np.intp)
        )

    @property
    def scores(self) -> FloatArray:
        """What orders the classes: (m,) of the second of two, or (m, k)."""
        return self.outputs if self._n_outputs > 1 else self.outputs[:, 0]

    @property
    def probabilities(self) -> FloatArray:
        """The same as probabilities.

        Raises
        ------
        ValueError
            If the outputs are none.
        """
        if self.activation == "log_softmax":
            return np.exp(self.outputs)
        if self.activation in ("softmax", "sigmoid") and self.kind == "classes":
            return self.scores
        raise ValueError(
            "it needs probabilities of classes that exclude each other, which are the outputs "
            f"behind softmax, or of one sigmoid, not of {self._n_outputs} behind {self.activation}"
        )

    @property
    def n_classes(self) -> int:
        """How many classes there are."""
        return max(2, self._n_outputs)

    @property
    def _n_outputs(self) -> int:
        return int(self.outputs.shape[1])


def compared(
    labels: LabelArray | None,
    values: FloatArray | None,
    weights: FloatArray | None,
    outputs: FloatArray,
    activation: str,
    loss: str,
) -> Comparison:
    """Return targets, of which one is None, and outputs as metrics compare them."""
    kind, y = _targets(labels, values, loss)
    targets = values if labels is None else labels
    assert targets is not None
    return Comparison(kind, y, targets, outputs, activation, weights)


def _targets(
    labels: LabelArray | None, values: FloatArray | None, loss: str
) -> tuple[str, NDArray[Any]]:
    if values is None:
        assert labels is not None
        return "classes", labels
    if loss == "cross_entropy":
        return "classes", values.argmax(axis=1)
    if loss not in ("binary_cross_entropy", "hinge"):
        return "numbers", values
    there = (values > (0.5 if loss == "binary_cross_entropy" else 0.0)).astype(np.intp)
    return ("classes", there[:, 0]) if there.shape[1] == 1 else ("labels", there)
