"""`ExplainedModel`: the part of a model of a table that explains predictions by columns."""

from __future__ import annotations

import abc
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pymlp import _arrays, _checks
from pymlp.files import stored as checks
from pymlp.metrics.named import Metric
from pymlp.tabular.columns import Columns
from pymlp.tabular.contract import seed_of
from pymlp.tabular.explaining.explanation import Explanation, explanation_of
from pymlp.tabular.explaining.function import Function, Outputs
from pymlp.tabular.explaining.methods import Method, method_of
from pymlp.tabular.explaining.network_outputs import EnsembleOutputs
from pymlp.tabular.explaining.permutation import Importances, metric_of, permutation_losses
from pymlp.tabular.explaining.quantities import Quantity
from pymlp.tabular.members import Samples

if TYPE_CHECKING:
    from pymlp.network import Network
    from pymlp.tabular.encoder import TableEncoder

__all__ = ["ExplainedModel"]

_KEPT = 1000  # rows, at most, of which importances and backgrounds are made
_MOST = 10_000  # rows of a background that is given
_AT_ONCE = 1 << 21  # numbers of rows that are explained: inputs, for each output
_PREDICTIONS = 50_000  # that `feature_importances_` takes, about


class ExplainedModel(abc.ABC):
    """What explains the predictions of a model of a table."""

    if TYPE_CHECKING:
        encoder_: TableEncoder
        networks_: tuple[Network, ...]
        metric: str | None

        def _check_fitted(self) -> None: ...
        def _inputs(self, X: Any) -> Columns: ...
        def _truth(self, X: Any, y: Any) -> tuple[Columns, NDArray[Any]]: ...
        def _threads(self) -> int | None: ...

    _explained: tuple[str, ...] = ()  # what `output` of `explain` may be
    _kept: Samples | None = None  # some rows of the training; files hold none
    _owners: NDArray[np.intp] | None = None  # the network that was not trained on each of them
    _mean_row: NDArray[Any] | None = None
    _importances: NDArray[np.float64] | None = None

    # ---- what a classifier and a regressor do each in their way ----------------------------------

    @abc.abstractmethod
    def _quantity(self, output: str | None) -> Quantity:
        """Return the numbers that are explained; None for the usual ones."""

    @property
    @abc.abstractmethod
    def _default_metric(self) -> str:
        """The metric of importances where none is asked for."""

    @abc.abstractmethod
    def _network_target(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return a target as `Samples` hold it."""

    @abc.abstractmethod
    def _score(
        self, metric: str, y: NDArray[Any], outputs: NDArray[Any], weights: NDArray[Any] | None
    ) -> float:
        """Return a metric of the network's outputs; y is as `Samples` hold it."""

    def _network_outputs(self, owners: NDArray[np.intp] | None = None) -> Outputs:
        """Return what makes outputs of encoded inputs; of each row those of its owner."""
        return EnsembleOutputs(self.networks_, self._threads(), owners)

    # ---- values of rows --------------------------------------------------------------------------

    def explain(
        self,
        X: Any,
        *,
        method: str = "integrated_gradients",
        background: Any = None,
        n_samples: int | None = None,
        output: str | None = None,
        random_state: Any = 0,
    ) -> Explanation:
        """Tell what each column contributes to the prediction of each row.

        Parameters
        ----------
        X : table
            As in `predict`.
        method : {"integrated_gradients", "expected_gradients", "shapley"}
            Integrated gradients (the default) follow the straight path from the mean row of the
            background to the row: the fastest. Expected gradients are their mean over paths from
            many rows of the background. Shapley values are those of the game in which columns that
            are out have the values of a row of the background, by sampling; they add up exactly.
        background : table, optional
            Rows that the explained ones are compared with: some hundred are plenty, and of more
            than 10,000 as many are drawn. None: the held-out rows of the training, or those of the
            training where none were held out, at most 1,000. A model from a file has none of these
            but their mean, which is enough for integrated gradients.
        n_samples : int, optional
            Points on the path (None: 32), or points for each row (200, at least 2), or walks
            through the columns (64, at least 4): what a row costs, and how small the error is. Rows
            of the background are used equally often; where they are more than samples, or than
            pairs of walks, some are drawn.
        output : {"logits", "probabilities"}, optional
            Of a classifier. Logits (None is the same) are those behind the temperature: log-odds of
            the second class where there are two, otherwise a logit for each class with the mean 0.
            A regressor's output is in the target's units and this must be None.
        random_state : int, RandomState, Generator or None, default 0
            Fixes the draws, which are the same for all rows of X.

        Returns
        -------
        Explanation
            Its `values` (n_rows, n_columns) or (n_rows, n_columns, n_outputs) and its `base` add up
            to its `outputs`.

        Raises
        ------
        TypeError, ValueError
            Where arguments are wrong; all of them are named.

        Examples
        --------
        >>> table = {"rooms": np.arange(60) % 5 + 1, "town": ["Bern", "Chur"] * 30}
        >>> rent = 500 + 300 * table["rooms"] + 200 * (np.arange(60) % 2)
        >>> model = pymlp.TabularRegressor(random_state=0).fit(table, rent)
        >>> found = model.explain({"rooms": [5], "town": ["Bern"]}, background=table)
        >>> found.columns, found.values.shape, bool(found.values[0, 0] > 300)
        (('rooms', 'town'), (1, 2), True)
        >>> bool(abs(found.base + found.values.sum() - found.outputs[0]) < 10)
        True
        """
        self._check_fitted()
        asked = method_of(method, n_samples, output, self._explained)
        generator = np.random.default_rng(seed_of(random_state))
        outputs = self._network_outputs()
        compared = self._compared_with(background, asked, generator, outputs)
        seed = int(generator.integers(2**63))
        function = Function(outputs, self._quantity(output), _columns_of_inputs(self.encoder_))
        parts = [
            asked.attribution(
                function, outputs.embedded(self.encoder_.transform(some)), compared, seed
            )
            for some in _pieces(self._inputs(X), len(outputs.inputs) * function.n_numbers)
        ]
        return explanation_of(
            parts,
            _names(self.encoder_),
            where=[field.position for field in self.encoder_.fields_],
            quantity=function.quantity,
            method=asked.name,
        )

    def _compared_with(
        self, background: Any, method: Method, generator: np.random.Generator, outputs: Outputs
    ) -> NDArray[Any]:
        """Return the rows that others are compared with, embedded."""
        if background is not None:
            return outputs.embedded(self._given_background(background, generator))
        if self._kept is not None:
            return outputs.embedded(self._kept.X)
        if self._mean_row is not None and method.name == "integrated_gradients":
            return self._mean_row[np.newaxis]
        raise ValueError(
            f"background must be given for method={method.name!r}: this model comes from a file, "
            "which holds no rows of the training; some hundred of them are plenty"
        )

    def _given_background(self, background: Any, generator: np.random.Generator) -> NDArray[Any]:
        try:
            columns = self._inputs(background)
            if not columns.n_rows:
                raise ValueError("it has no rows")
            if columns.n_rows > _MOST:
                columns = columns.take(generator.permutation(columns.n_rows)[:_MOST])
            return self.encoder_.transform(columns)
        except (TypeError, ValueError) as error:
            raise type(error)(f"background: {error}") from None

    # ---- importances of columns ------------------------------------------------------------------

    def importances(
        self,
        X: Any = None,
        y: Any = None,
        *,
        metric: str | None = None,
        n_repeats: int = 5,
        sample_weight: Any = None,
        random_state: Any = 0,
    ) -> Importances:
        """Measure what a metric loses where a column's values are shuffled.

        A column that says the same as another one loses little: the other is still there.
        `explain(X).importances` tells instead how far columns move predictions, right or wrong.

        Parameters
        ----------
        X, y : table and its target, optional
            Rows that the model was not trained on; y may be the name of a column of X. None: the
            held-out rows of the training with their weights, or those of the training where none
            were held out, at most 1,000; a model from a file has none of these.
        metric : str, optional
            A metric of `pymlp.metrics` by its name; None: that of the model, which is log-loss or
            RMSE by default.
        n_repeats : int, default 5
            Shuffles of each column.
        sample_weight : array-like, shape (n_rows,), optional
            Of the rows of X, in the metric.
        random_state : int, RandomState, Generator or None, default 0
            Fixes the shuffles.

        Returns
        -------
        Importances
            Its `values` (n_columns, n_repeats) are losses of the metric, in its unit: above 0 where
            the column helps, whether more or less of the metric is better.

        Raises
        ------
        TypeError, ValueError
            Where arguments are wrong.

        Examples
        --------
        >>> table = {"rooms": np.arange(60) % 5 + 1, "town": ["Bern", "Chur"] * 30}
        >>> rent = 500 + 300 * table["rooms"] + 200 * (np.arange(60) % 2)
        >>> model = pymlp.TabularRegressor(random_state=0).fit(table, rent)
        >>> list(model.importances(table, rent).to_dict())
        ['rooms', 'town']
        """
        self._check_fitted()
        repeats = _checks.integer("n_repeats", n_repeats, minimum=1, below=2**31)
        wanted = self._metric_of_importances(metric)
        samples = self._importance_samples(X, y, sample_weight)
        owners = self._owners if X is None else None
        found = self._importances_of(samples, owners, wanted, repeats, seed_of(random_state))
        if np.isnan(found.score):
            raise ValueError(f"metric {found.metric!r} has no value on these rows: it is NaN")
        return found

    def _metric_of_importances(self, metric: str | None) -> Metric:
        return metric_of(metric if metric is not None else self.metric or self._default_metric)

    def _importances_of(
        self,
        samples: Samples,
        owners: NDArray[np.intp] | None,
        metric: Metric,
        n_repeats: int,
        seed: int | None,
    ) -> Importances:
        outputs, sign = self._network_outputs(owners), 1.0 if metric.more_is_better else -1.0

        def score(X: NDArray[Any]) -> float:
            found = outputs.outputs(X)
            return sign * self._score(metric.name, samples.y, found, samples.weights)

        X = outputs.embedded(samples.X)
        columns = _columns_of_inputs(self.encoder_)[outputs.inputs]
        generator = np.random.default_rng(seed)
        whole, losses = permutation_losses(score, X, columns, n_repeats, generator)
        names = _names(self.encoder_)
        values = np.zeros((len(names), n_repeats))
        values[[field.position for field in self.encoder_.fields_]] = losses
        return Importances(values, names, metric.name, sign * whole)

    def _importance_samples(self, X: Any, y: Any, sample_weight: Any) -> Samples:
        if X is None:
            given = [n for n, v in (("y", y), ("sample_weight", sample_weight)) if v is not None]
            if given:
                raise ValueError(f"{' and '.join(given)} must go with X")
            if self._kept is None:
                raise ValueError(
                    "X and y must be given: this model comes from a file, which holds no rows"
                )
            return self._kept
        if y is None:
            raise ValueError("y must go with X")
        columns, truth = self._truth(X, y)
        weights: Any = _arrays.sample_weights(sample_weight, columns.n_rows, np.dtype(np.float64))
        inputs = self.encoder_.transform(self._inputs(columns))
        return Samples(inputs, self._network_target(truth), weights)

    @property
    def feature_importances_(self) -> NDArray[np.float64]:
        """How important each column is, shape (n_features_in_,): not negative, with the sum 1.

        `importances()` of the held-out rows: losses below 0, which are chance, count as 0, and the
        rest is divided by its sum; all are 0 where no column helps. Measured when first asked for,
        with fewer rows or shuffles where columns are many, and kept in files.
        """
        self._check_fitted()
        if self._importances is None:
            if self._kept is None:
                raise AttributeError(
                    "feature_importances_ are not in this file; importances(X, y) measures them"
                )
            self._importances = self._measured_importances(self._kept)
        return self._importances.copy()

    def _measured_importances(self, kept: Samples) -> NDArray[np.float64]:
        n_columns = len(self.encoder_.fields_)
        rows = _evenly(len(kept.X), max(100, _PREDICTIONS // n_columns))
        repeats = min(max(_PREDICTIONS // (len(rows) * n_columns), 1), 5)
        wanted = self._metric_of_importances(None)
        owners = None if self._owners is None else self._owners[rows]
        found = self._importances_of(kept.take(rows), owners, wanted, repeats, seed=0)
        # A metric may have no value on few rows, such as ROC AUC of one class.
        losses = np.maximum(np.nan_to_num(found.mean), 0.0)
        total = losses.sum()
        return losses / total if total > 0.0 else losses

    # ---- what is kept of the training ------------------------------------------------------------

    def _keep(
        self, samples: Samples, rows: NDArray[np.intp], owners: NDArray[np.intp] | None
    ) -> None:
        """Keep some of these rows, from which importances and backgrounds are made.

        In folds each row has an owner, the network that was not trained on it.
        """
        places = _evenly(len(rows), _KEPT)
        kept = samples.take(rows[places])
        self._owners = None if owners is None else owners[places]
        weighted = kept.weights is None or kept.weights.any()
        self._kept = kept if weighted else kept._replace(weights=None)
        self._mean_row = self._importances = None

    def _explaining_to_dict(self) -> dict[str, Any]:
        """Return what files hold of it: no rows, but their mean and what they told."""
        if self._kept is not None:
            mean_row = self._network_outputs().embedded(self._kept.X).mean(axis=0)
        elif self._mean_row is not None:
            mean_row = self._mean_row
        else:
            return {}
        return {"mean_row": mean_row.tolist(), "importances": self.feature_importances_.tolist()}

    def _explaining_from_dict(self, stored: dict[str, Any]) -> None:
        """Take what `_explaining_to_dict` stored; earlier files have nothing."""
        self._kept = self._owners = self._mean_row = self._importances = None
        if not stored:
            return
        encoder, n_in = self.encoder_, len(self._network_outputs().inputs)
        mean_row = checks.numbers("mean_row", stored["mean_row"], n_in)
        importances = checks.numbers("importances", stored["importances"], encoder.n_features_in_)
        self._mean_row = np.array(mean_row, encoder.dtype)
        self._importances = np.array(importances, np.float64)


def _pieces(columns: Columns, numbers: int) -> Iterator[Columns]:
    """Yield some rows at a time, each of which is so many numbers."""
    most = max(1, _AT_ONCE // numbers)
    for start in range(0, columns.n_rows, most):
        yield columns.take(np.arange(start, min(start + most, columns.n_rows)))


def _columns_of_inputs(encoder: TableEncoder) -> NDArray[np.intp]:
    """Return which of the columns that become inputs each input is made of."""
    widths = [field.encoding.width for field in encoder.fields_]
    return np.repeat(np.arange(len(widths)), widths)


def _evenly(n_rows: int, most: int) -> NDArray[np.intp]:
    """Return rows that lie evenly among all."""
    return np.arange(min(n_rows, most)) * n_rows // min(n_rows, most)


def _names(encoder: TableEncoder) -> tuple[str, ...]:
    """Return the names of all columns of the training's table."""
    known = {field.position: field.name for field in encoder.fields_}
    known |= {i: decision.name for i, decision in enumerate(encoder.decisions_)}
    return tuple(known.get(i, str(i)) for i in range(encoder.n_features_in_))
