"""Functions as users write them, right and wrong, for `fuzz.calls`."""

from __future__ import annotations

from typing import Any

import numpy as np

import pymlp


class Own(Exception):  # noqa: N818
    """Raised by a user's function: it passes through unchanged."""


def raises(*_: Any) -> Any:
    """Raise what is no exception of pymlp's."""
    raise Own


def of_step(t: float) -> float:
    """Return a factor of a schedule."""
    return 1.0 - t / 2


def _squared(a: Any, y: Any) -> tuple[Any, Any]:
    wanted = np.eye(a.shape[1])[np.asarray(y)] if np.ndim(y) == 1 else y
    return ((a - wanted) ** 2).mean(axis=1), 2 * (a - wanted) / a.shape[1]


# What comes back in the place of an array of a shape.
_WRONG: list[Any] = [
    raises, lambda a, *_: a[:-1], lambda *_: None, lambda *_: "x", lambda a, *_: a * np.nan,
    lambda a, *_: a.astype(object), lambda a, *_: a.fill(7.0), lambda a, *_: a + 1j,
    lambda a, *_: (a, a), lambda a, *_: np.float64(1.0), lambda a, *_: a.T,
]  # fmt: skip

ACTIVATIONS = [
    pymlp.Activation(forward=np.tanh, derivative=lambda z: 1 - np.tanh(z) ** 2),
    *(pymlp.Activation(forward=wrong, derivative=np.ones_like) for wrong in _WRONG),
    *(pymlp.Activation(forward=np.tanh, derivative=wrong) for wrong in _WRONG),
]
LOSSES = [
    pymlp.losses.Loss(_squared), *(pymlp.losses.Loss(wrong) for wrong in _WRONG),
    pymlp.losses.Loss(lambda a, y: (a[:, 0], a[:, :1])),
]  # fmt: skip
CALLBACKS = [
    [lambda network, history: None], [lambda network, history: True], [raises],
    [lambda network, history: network.predict(np.zeros((1, network.widths[0])))],
    [lambda network, history: network.fit(np.zeros((1, network.widths[0])), [0])],
    [lambda network, history: history.loss.clear()], [lambda network, history: "x"],
    [lambda network, history: setattr(network, "parameters", network.parameters * 0)],
]  # fmt: skip
