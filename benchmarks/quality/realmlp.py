"""RealMLP's recipe, one network of pymlp's parts: whether it is right, and what each part is worth.

TD and its simple form TD-S of Holzmueller et al., arXiv:2407.04491, as pytabkit trains them: four
fifths of the rows are learnt, the others judge the epochs. Two things differ: tables of categories
have a tenth of the learning rate, as all embeddings here, and Adam's epsilon is the same for all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.quality.models import MODELS, Model, Task

_LEARNT = 0.8
_ONE_HOT = 8  # categories at most; TD embeds what has more


@dataclass(frozen=True)
class Parts:
    """What the recipe has; the defaults are TD's."""

    embeds_numbers: bool = True
    embeds_categories: bool = True  # where there are many
    scale: bool = True
    parametric: bool = True
    from_samples: bool = True  # the initial values
    zero_outputs: bool = False  # at the start
    robust: bool = True  # else standardised
    clip: bool = True  # smoothly
    smoothing: float = 0.1
    constant_rate: bool = False
    rate_of_numbers: float = 0.2  # the largest learning rate in regression
    beta2: float = 0.95
    dropout: float = 0.15
    weight_decay: float = 0.02
    limits: bool = True  # regressions stay in the targets' range
    epochs: int = 256


TD = Parts()
TD_S = Parts(
    embeds_numbers=False,
    embeds_categories=False,
    zero_outputs=True,
    parametric=False,
    from_samples=False,
    rate_of_numbers=0.07,
    dropout=0.0,
    weight_decay=0.0,
    limits=False,
)
ABLATIONS: Mapping[str, Parts] = {
    "embedding of numbers": replace(TD, embeds_numbers=False),
    "scaling layer": replace(TD, scale=False),
    "parametric activation": replace(TD, parametric=False),
    "start from samples": replace(TD, from_samples=False),
    "robust scaling": replace(TD, robust=False),
    "smooth clip": replace(TD, clip=False),
    "label smoothing": replace(TD, smoothing=0.0),
    "schedule of the rate": replace(TD, constant_rate=True),
    "beta2 0.95": replace(TD, beta2=0.999),
    "dropout": replace(TD, dropout=0.0),
    "weight decay": replace(TD, weight_decay=0.0),
}


class RealMLP:
    """One network of the recipe behind scikit-learn's three methods."""

    def __init__(self, task: Task, parts: Parts) -> None:
        self.task, self.parts = task, parts

    def fit(self, X: pd.DataFrame, y: NDArray[Any]) -> RealMLP:
        order = np.random.default_rng(self.task.seed).permutation(len(X))
        learnt, judges = np.split(order, [math.ceil(_LEARNT * len(X))])
        self._inputs = Inputs(X, learnt, self.parts)
        self._targets = _Classes(y) if self.task.classes else _Numbers(y[learnt], self.parts.limits)
        rows = self._inputs.of(X)
        self._network = self._new_network()
        if self.parts.from_samples:
            self._network.initialize_from(rows[learnt])
        else:
            _begin_plainly(self._network, self.task.seed)
        if self.parts.zero_outputs:
            self._network.layers[-1].weights[:] = 0.0
            self._network.layers[-1].biases[:] = 0.0
        samples = rows[learnt], self._targets.encoded(y[learnt])
        self._train(samples, (rows[judges], y[judges]))
        return self

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:
        return self._targets.decoded(self._outputs(X))

    def predict_proba(self, X: pd.DataFrame) -> NDArray[Any]:
        return self._outputs(X)

    def _outputs(self, X: pd.DataFrame) -> NDArray[Any]:
        return self._network.predict(self._inputs.of(X), threads=self.task.threads)

    def _new_network(self) -> Any:
        import pymlp

        name = "selu" if self.task.classes else "mish"
        return pymlp.Network(
            [self._inputs.width, 256, 256, 256, self._targets.n_outputs],
            hidden=pymlp.Parametric(name) if self.parts.parametric else name,
            output="softmax" if self.task.classes else "linear",
            dropout=self.parts.dropout,
            scale_inputs=self.parts.scale,
            embedding=self._inputs.embedding,
            seed=self.task.seed,
        )

    def _train(self, samples: tuple[Any, Any], judges: tuple[Any, Any]) -> None:
        import pymlp

        parts, classes = self.parts, self.task.classes
        flat = pymlp.schedules.FlatCos()
        schedule = {} if parts.constant_rate else {"learning_rate": pymlp.schedules.CosLog4()}
        schedule |= {"weight_decay": flat} if parts.weight_decay else {}
        schedule |= {"dropout": flat} if parts.dropout else {}
        best = _LastBest(self._targets, *judges, self.task.threads)
        smooth = pymlp.losses.CrossEntropy(label_smoothing=parts.smoothing)
        self._network.fit(
            *samples,
            epochs=parts.epochs,
            batch_size=256,
            drop_last=True,
            optimizer=self._optimizer(0.04 if classes else parts.rate_of_numbers),
            schedule=schedule or None,
            loss=smooth if classes else "mse",
            callbacks=[best],
            threads=self.task.threads,
        )
        self._network.parameters = best.parameters

    def _optimizer(self, rate: float) -> Any:
        import pymlp

        groups: dict[str, Any] = {"biases": {"learning_rate": 0.1, "weight_decay": 0}}
        for place, layer in enumerate(self._network.layers):
            root = layer.weights.shape[0] ** 0.5
            groups[f"weights[{place}]"] = {"learning_rate": 1 / root, "weight_decay": root}
        if self.parts.scale:
            groups["scale"] = {"learning_rate": 6, "weight_decay": 6}
        if self.parts.parametric:
            groups["activation"] = {"learning_rate": 0.1, "weight_decay": 0.1}
        if self._network.embedding:
            groups["embedding"] = {"learning_rate": 0.1, "weight_decay": 0.1}
        rate *= 0.5 if self.parts.constant_rate else 1.0  # the mean of the schedule
        decay = self.parts.weight_decay
        return pymlp.AdamW(rate, beta2=self.parts.beta2, weight_decay=decay, groups=groups)


class _LastBest:
    """Keeps the parameters of the last of the epochs with the least error on the rows that judge.

    `fit` has metrics for it, but measures them on the training samples too.
    """

    def __init__(self, targets: Any, X: NDArray[Any], y: NDArray[Any], threads: int) -> None:
        self._targets, self._X, self._y = targets, X, y
        self._threads, self._least = threads, np.inf
        self.parameters: Any = None

    def __call__(self, network: Any, history: Any) -> None:
        predicted = self._targets.decoded(network.predict(self._X, threads=self._threads))
        error = self._targets.error(predicted, self._y)
        if error <= self._least:
            self._least, self.parameters = error, network.parameters.copy()


class _Classes:
    """Classes as codes."""

    def __init__(self, y: NDArray[Any]) -> None:
        self.names = np.unique(y)
        self.n_outputs = len(self.names)

    def encoded(self, y: NDArray[Any]) -> NDArray[Any]:
        return np.searchsorted(self.names, y)

    def decoded(self, outputs: NDArray[Any]) -> NDArray[Any]:
        return self.names[outputs.argmax(axis=1)]

    @staticmethod
    def error(predicted: NDArray[Any], y: NDArray[Any]) -> float:
        return float((predicted != y).mean())


class _Numbers:
    """Numbers, standardised; predictions may be kept within the range of those that are learnt."""

    n_outputs = 1

    def __init__(self, y: NDArray[Any], limits: bool) -> None:
        self._mean, self._deviation = y.mean(), y.std() or 1.0
        self._range = (y.min(), y.max()) if limits else (-np.inf, np.inf)

    def encoded(self, y: NDArray[Any]) -> NDArray[Any]:
        return (y - self._mean) / self._deviation

    def decoded(self, outputs: NDArray[Any]) -> NDArray[Any]:
        return np.clip(np.ravel(outputs) * self._deviation + self._mean, *self._range)

    @staticmethod
    def error(predicted: NDArray[Any], y: NDArray[Any]) -> float:
        return float(np.mean((predicted - y) ** 2))


def _begin_plainly(network: Any, seed: int) -> None:
    """Draw parameters of variance 1, with weights divided by sqrt(n)."""
    rng = np.random.default_rng(seed)
    for layer in network.layers:
        layer.weights[:] = rng.standard_normal(layer.weights.shape) / layer.weights.shape[0] ** 0.5
        layer.biases[:] = rng.standard_normal(layer.biases.shape)


class Inputs:
    """The columns of a table as the recipe's network takes them."""

    def __init__(self, X: pd.DataFrame, learnt: NDArray[Any], parts: Parts) -> None:
        texts = X.select_dtypes("category")
        self._categories = {
            name: texts[name].cat.remove_unused_categories().cat.categories for name in texts
        }
        self._parts, self._numbers = parts, list(X.select_dtypes("number"))
        many = {name for name in texts if self._categories[name].size > _ONE_HOT}
        self._coded = [name for name in texts if parts.embeds_categories and name in many]
        self._one_hot = [name for name in texts if name not in self._coded]
        self._medians = X[self._numbers].iloc[learnt].median().fillna(0.0)
        plain = self._plain(X.iloc[learnt])
        self._centre, self._scale = (_quartiles if parts.robust else _moments)(plain)
        self.width = plain.shape[1] + len(self._coded)
        self.embedding = self._new_embedding(plain.shape[1])

    def _new_embedding(self, first_code: int) -> Any:
        from pymlp.embeddings import Categories, Periodic

        found: list[Any] = []
        if self._parts.embeds_numbers and self._numbers:
            found.append(Periodic(range(len(self._numbers))))
        if self._coded:
            sizes = [self._categories[name].size + 1 for name in self._coded]
            found.append(Categories(dict(enumerate(sizes, first_code))))
        return found or None

    def of(self, X: pd.DataFrame) -> NDArray[Any]:
        """Return rows of numbers; the codes of embedded categories stand last, 0 for a gap."""
        scaled = (self._plain(X) - self._centre) * self._scale
        if self._parts.clip:
            scaled /= np.sqrt(1 + (scaled / 3) ** 2)
        codes = [self._codes(X, name) + 1.0 for name in self._coded]
        return np.column_stack([scaled, *codes]).astype(np.float32)

    def _plain(self, X: pd.DataFrame) -> NDArray[Any]:
        columns = list(X[self._numbers].fillna(self._medians).to_numpy(np.float64).T)
        for name in self._one_hot:
            codes = self._codes(X, name)
            flags = (codes[:, None] == np.arange(self._categories[name].size)).astype(float)
            two = flags.shape[1] == 2  # one column of -1 and 1, and 0 for a gap
            columns.append(flags[:, 1] - flags[:, 0] if two else flags)
        return np.column_stack(columns)

    def _codes(self, X: pd.DataFrame, name: str) -> NDArray[Any]:
        """Return the codes of a column; -1 is a gap, or not seen in training."""
        return X[name].cat.set_categories(self._categories[name]).cat.codes.to_numpy()


def _quartiles(X: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    low, centre, high = np.quantile(X, [0.25, 0.5, 0.75], axis=0)
    whole = np.ptp(X, axis=0)
    with np.errstate(divide="ignore"):
        scale = np.where(high > low, 1 / (high - low), np.where(whole > 0, 2 / whole, 0.0))
    return centre, scale


def _moments(X: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    deviation = X.std(axis=0)
    return X.mean(axis=0), 1 / np.where(deviation > 0, deviation, 1.0)


def _model(parts: Parts, settings: str) -> Model:
    return Model(lambda task: RealMLP(task, parts), "pymlp", settings)


# What `--recipe` compares with the whole recipe.
RECIPES: Mapping[str, Model] = {
    "pymlp as TD-S": _model(TD_S, "one network with RealMLP-TD-S's recipe"),
    "pymlp as TD": _model(TD, "one network with RealMLP-TD's recipe"),
} | {
    f"TD without {name}": _model(parts, f"RealMLP-TD's recipe without {name}")
    for name, parts in ABLATIONS.items()
}

WHOLE = "pymlp as TD"
MODELS_AND_RECIPES: Mapping[str, Model] = {**MODELS, **RECIPES}
