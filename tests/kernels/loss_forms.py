"""A loss as the core computes it, from activations or from logits, and what it is called with."""

from typing import Any, NamedTuple

import numpy as np
from cases import LOSSES, OF_PROBABILITIES, FloatArray, Rng, options_of
from reference_losses import LOSSES as OF_OUTPUTS
from reference_losses import LOSSES_FROM_LOGITS, smoothed

from pymlp import _core_test
from pymlp.losses import Loss


class Form(NamedTuple):
    """A loss as the core computes it: from activations, or from logits."""

    loss: Loss
    from_logits: bool

    def __repr__(self) -> str:
        return f"{self.loss!r}{' from logits' if self.from_logits else ''}"

    def core(self, outputs: FloatArray, labels: Any, values: Any, scale: FloatArray) -> Any:
        """Return the core's losses and gradients."""
        options = vars(self.loss)
        parameters = np.ravel([options[name] for name in ("delta", "q") if name in options])
        return _core_test.loss(
            self.loss.name, parameters, self.loss.label_smoothing, self.from_logits, outputs,
            labels, values, scale,
        )  # fmt: skip

    def reference(self, outputs: FloatArray, Y: list[list[float]]) -> tuple[Any, Any]:
        """Return the losses and gradients of single samples."""
        options = options_of(self.loss, outputs.dtype)
        smoothing = options.pop("label_smoothing", 0.0)
        targets = smoothed(self.loss.name, Y, smoothing) if smoothing else Y
        value, gradient = (LOSSES_FROM_LOGITS if self.from_logits else OF_OUTPUTS)[self.loss.name]
        pairs = list(zip(outputs.tolist(), targets, strict=True))
        return [value(a, y, **options) for a, y in pairs], [
            gradient(a, y, **options) for a, y in pairs
        ]


FORMS = [Form(loss, from_logits=False) for loss in LOSSES] + [
    Form(loss, from_logits=True)
    for loss in LOSSES
    if loss.name in LOSSES_FROM_LOGITS and loss.name != "mse"
]


def random_outputs(rng: Rng, shape: tuple[int, int], form: Form, dtype: str) -> FloatArray:
    if not form.from_logits and form.loss.name in (*OF_PROBABILITIES, "poisson"):
        return rng.uniform(0.1, 0.9, shape).astype(dtype)
    return rng.normal(0.0, 3.0 if form.from_logits else 1.0, shape).astype(dtype)
