"""What each quality stands for: network, training and ensemble, by the task and the rows.

The recipe is RealMLP's (Holzmueller et al., arXiv:2407.04491) with smaller networks for a shorter
time, and several of them. Its numbers were chosen on the development half of
``python -m benchmarks.quality``, never on the half that is reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

import numpy as np

from pymlp import _checks, schedules
from pymlp.activations import Parametric
from pymlp.embeddings import Periodic
from pymlp.network import Network
from pymlp.optimizers import AdamW

__all__ = ["MOST_MEMBERS", "Asked", "Quality", "Recipe", "recipe_of"]

MOST_MEMBERS = 10_000

Quality: TypeAlias = Literal["fast", "default", "best"]


class Recipe(NamedTuple):
    """How the networks of a model are made and trained.

    Attributes
    ----------
    hidden_layer_sizes : tuple of int
    activation : str or Activation
    n_members : int
        Networks whose predictions are averaged.
    epochs : int
    learning_rate : float or None
        The largest of the schedule; weights of n inputs have 1 / sqrt(n) of it.
    optimizer : str, Optimizer or None
        None: AdamW with schedules; others have neither schedules nor rates of their own.
    fewest_steps : int
        Of few rows there are more epochs, so that there are so many steps.
    steps_of_an_epoch : int
        Batches have so many rows that there are so many steps, but from 32 to 256.
    batch_size : int, "auto" or None
        What the user says instead.
    dropout : float or sequence of float
    weight_decay : float
        As dropout, it goes to 0 in the second half of the training.
    embeds : bool
        Whether amounts are embedded.
    """

    hidden_layer_sizes: tuple[int, ...]
    activation: Any
    n_members: int
    epochs: int
    learning_rate: float | None
    optimizer: Any = None
    fewest_steps: int = 256
    steps_of_an_epoch: int = 16
    batch_size: int | str | None = "auto"
    dropout: float | Sequence[float] = 0.15
    weight_decay: float = 0.02
    embeds: bool = True

    def new_network(
        self, widths: Sequence[int], output: str, numbers: Sequence[int], dtype: Any, seed: int
    ) -> Network:
        """Return a network; `numbers` are the inputs that are amounts, not flags."""
        deep = len(widths) > 2  # else it is a linear model, and nothing more
        embedded = deep and self.embeds and len(numbers) > 0
        return Network(
            widths,
            hidden=self.activation,
            output=output,
            dropout=self.dropout if deep or np.ndim(self.dropout) else 0.0,
            embedding=Periodic(numbers) if embedded else None,
            scale_inputs=deep,
            dtype=dtype,
            seed=seed,
        )

    def options(self, network: Network, n_rows: int) -> dict[str, Any]:
        """Return options of `Network.fit` for so many rows."""
        if self.optimizer is not None:
            named = ("epochs", "batch_size", "optimizer", "learning_rate")
            return {name: getattr(self, name) for name in named}
        size: Any = self.batch_size
        if size == "auto":
            size = min(max(n_rows // self.steps_of_an_epoch, 32), 256)
        least = n_rows if size is None else min(size, n_rows)
        return {
            "epochs": max(self.epochs, -(-self.fewest_steps * least // n_rows)),
            "batch_size": size,
            "optimizer": self._new_optimizer(network),
            "schedule": _schedule(network),
        }

    def _new_optimizer(self, network: Network) -> AdamW:
        """Return AdamW with the rates of a network whose products are divided by sqrt(inputs)."""
        factors = {"biases": (0.1, 0.0)}
        if network.scale_inputs:
            factors["scale"] = (6.0, 1.0)
        if any(layer.alpha is not None for layer in network.layers):
            factors["activation"] = (0.1, 1.0)
        if network.embedding:
            factors["embedding"] = (0.1, 1.0)
        for place, layer in enumerate(network.layers):
            root = layer.weights.shape[0] ** 0.5
            factors[f"weights[{place}]"] = (1 / root, root)
        groups = {
            name: {"learning_rate": rate, "weight_decay": decay}
            for name, (rate, decay) in factors.items()
        }
        assert self.learning_rate is not None  # it is None with an optimiser of the user's own
        return AdamW(self.learning_rate, beta2=0.95, weight_decay=self.weight_decay, groups=groups)


def _schedule(network: Network) -> dict[str, schedules.Schedule]:
    found: dict[str, schedules.Schedule] = {
        "learning_rate": schedules.CosLog4(),
        "weight_decay": schedules.FlatCos(),
    }
    return found | ({"dropout": schedules.FlatCos()} if any(network.dropout) else {})


_CLASSES = Recipe((64, 64), Parametric("selu"), 8, 24, 0.04)
_AMOUNTS = Recipe((128, 128), Parametric("mish"), 5, 64, 0.2)

_RECIPES: dict[str, dict[str, Recipe]] = {
    "fast": {
        "classifier": _CLASSES._replace(n_members=3, embeds=False),
        "regressor": _AMOUNTS._replace(hidden_layer_sizes=(64, 64), n_members=3, epochs=32),
    },
    "default": {"classifier": _CLASSES, "regressor": _AMOUNTS},
    "best": {
        "classifier": _CLASSES._replace(n_members=24),
        "regressor": _AMOUNTS._replace(n_members=24),
    },
}


class Asked(Protocol):
    """Parameters of a model that say otherwise where they are not None."""

    quality: Any
    n_members: Any
    hidden_layer_sizes: Any
    activation: Any
    dropout: Any
    optimizer: Any
    learning_rate: Any
    epochs: Any
    batch_size: Any


def recipe_of(model: Asked, task: str) -> Recipe:
    """Return the recipe of a model's quality, with what its parameters say otherwise.

    Raises
    ------
    TypeError, ValueError
        If a parameter is of the wrong kind or out of range.
    """
    if not isinstance(model.quality, str) or model.quality not in _RECIPES:
        known = ", ".join(map(repr, _RECIPES))
        raise ValueError(f"quality must be one of {known}, not {model.quality!r}")
    recipe = _RECIPES[model.quality][task]
    given: dict[str, Any] = {}
    if model.hidden_layer_sizes is not None:
        given["hidden_layer_sizes"] = _widths(model.hidden_layer_sizes)
    for name in ("activation", "dropout"):
        if getattr(model, name) is not None:
            given[name] = getattr(model, name)
    if model.n_members is not None:
        given["n_members"] = _checks.integer(
            "n_members", model.n_members, minimum=1, below=MOST_MEMBERS + 1
        )
    if model.epochs is not None:
        given |= {"epochs": _checks.integer("epochs", model.epochs, minimum=1), "fewest_steps": 0}
    if model.batch_size != "auto":
        given["batch_size"] = model.batch_size
    if model.optimizer is not None:
        given = {"dropout": 0.0, **given, "optimizer": model.optimizer, "learning_rate": None}
    if model.learning_rate is not None:
        given["learning_rate"] = model.learning_rate
    return recipe._replace(**given)


def _widths(given: Any) -> tuple[int, ...]:
    widths = [given] if isinstance(given, int | np.integer) else list(given)
    return tuple(_checks.integer("hidden_layer_sizes", width, minimum=1) for width in widths)
