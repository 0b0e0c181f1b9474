"""`TabularRegressor`: a number for each row of a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from pymlp import losses
from pymlp.files import stored as checks
from pymlp.metrics import named
from pymlp.metrics.numbers import mae, mape, quantile, r2, rmse
from pymlp.tabular.columns import Columns
from pymlp.tabular.explaining.quantities import Quantity, Units
from pymlp.tabular.members import Judged, Samples
from pymlp.tabular.model import TableModel
from pymlp.tabular.quantiles import levels_of, middle_of, rearranged
from pymlp.tabular.recipe import Quality
from pymlp.tabular.several_targets import names_in, several_of
from pymlp.tabular.targets import Scale, numbers_of_target, stored_scale

__all__ = ["TabularRegressor"]


_METRICS = {f.__name__: f for f in (mae, mape, quantile, r2, rmse)}


class Amounts:
    """Amounts in their units, and around 0 with deviation 1 as the network learns them."""

    output = "linear"

    def __init__(self, scale: Scale, levels: tuple[float, ...] | None) -> None:
        self.scale = scale
        self.levels = levels  # of quantiles, an output each; None where the mean is learnt

    @property
    def n_outputs(self) -> int:
        """One, or one for each target or quantile."""
        return np.size(self.scale.mean) if self.levels is None else len(self.levels)

    @property
    def loss(self) -> Any:
        """What the network minimises."""
        return "mse" if self.levels is None else losses.Quantile(self.levels)

    def values(self, y: NDArray[Any], dtype: Any) -> NDArray[Any]:
        """Return amounts as the network learns them, shape (n_rows, n_outputs)."""
        scaled = self.scale.scaled(numbers_of_target(y)).astype(dtype).reshape(len(y), -1)
        return scaled if self.levels is None else np.repeat(scaled, self.n_outputs, axis=1)

    def metric(self, name: str) -> tuple[Any, bool]:
        """Return a metric of the amounts in their units, and whether more of it is better."""
        (metric,) = named.resolve(name)
        function = _METRICS.get(metric.name)
        if function is None:
            known = sorted(_METRICS)
            raise ValueError(f"metric must compare numbers ({', '.join(known)}), not {name!r}")
        scale, levels = self.scale, self.levels

        def measured(y: Any, outputs: Any, sample_weight: Any = None) -> float:
            options = {"sample_weight": sample_weight}
            if levels is not None:
                outputs = rearranged(outputs)
                if function is quantile:
                    options["alpha"] = levels
                else:
                    y, outputs = y[:, 0], middle_of(outputs, levels)
            return float(function(scale.unscaled(y), scale.unscaled(outputs), **options))

        measured.__name__ = metric.name
        return measured, bool(metric.more_is_better)

    def do_without_held_out_rows(self) -> None:
        """Nothing here needs them."""

    def softened(self, samples: Samples) -> NDArray[Any]:
        """Return the targets as they are."""
        return samples.y


class TabularRegressor(TableModel):
    """A regressor of tables: columns of any kind in, a number or several for each row out.

    It holds an encoder (see `pymlp.tabular.TableEncoder`), networks, whose predictions it averages,
    and the scale of the target, which is learnt around 0 with deviation 1 and predicted in its
    units. Several targets, a table of them or a list of columns of X, are learnt together by each
    network. scikit-learn's functions take it; it needs no scikit-learn itself.

    Parameters
    ----------
    metric : str, optional
        A metric of `pymlp.metrics` by its name, which the best epoch is chosen by; None: RMSE, or
        of quantiles the mean of their pinball losses, which is "pinball".
    quantiles : sequence of float, optional
        Levels between 0 and 1 that ascend, such as (0.1, 0.5, 0.9): `predict_quantiles` gives a
        column for each, and they do not cross. They are learnt together, by the mean of their
        pinball losses.
    quality, max_seconds, n_members, random_state, hidden_layer_sizes, activation, dropout
    optimizer, learning_rate, epochs, batch_size, l2, validation, patience, categorical, numeric
    ignore, keep, max_categories, dtype, n_jobs
        As in `pymlp.TabularClassifier`; the activation is Mish by default.

    Attributes
    ----------
    scale_ : Scale
        Mean and deviation of the target among the rows of the training, arrays (k,) of several.
    target_name_ : str, tuple of str or None
        A tuple of several targets.
    encoder_, networks_, network_, history_, report_, n_rows_, notes_
    feature_importances_, n_features_in_, feature_names_in_
        As in `pymlp.TabularClassifier`. Losses in `history_` are of the scaled target, metrics in
        its units.

    Examples
    --------
    >>> table = {"rooms": np.arange(60) % 5 + 1, "town": ["Bern", "Chur"] * 30}
    >>> rent = 500 + 300 * table["rooms"] + 200 * (np.arange(60) % 2)
    >>> model = pymlp.TabularRegressor(random_state=0).fit(table, rent)
    >>> bool(abs(model.predict({"town": ["Chur"], "rooms": [3]})[0] - 1600) < 50)
    True

    >>> model = pymlp.TabularRegressor(quantiles=(0.1, 0.5, 0.9), random_state=0).fit(table, rent)
    >>> model.predict_quantiles({"town": ["Chur"], "rooms": [3]}).shape
    (1, 3)
    """

    _estimator_type = "regressor"
    _kind = "TabularRegressor"
    scale_: Scale
    quantiles: Sequence[float] | None

    def __init__(
        self,
        *,
        quality: Quality = "default",
        metric: str | None = None,
        max_seconds: float | None = None,
        n_members: int | None = None,
        random_state: Any = None,
        hidden_layer_sizes: Sequence[int] | None = None,
        activation: Any = None,
        dropout: float | Sequence[float] | None = None,
        optimizer: Any = None,
        learning_rate: float | None = None,
        epochs: int | None = None,
        batch_size: int | str | None = "auto",
        l2: float = 0.0,
        validation: float | Literal["auto"] | None = "auto",
        patience: int | None = None,
        quantiles: Sequence[float] | None = None,
        categorical: Sequence[str | int] | str = (),
        numeric: Sequence[str | int] | str = (),
        ignore: Sequence[str | int] | str = (),
        keep: Sequence[str | int] | str = (),
        max_categories: int = 100,
        dtype: DTypeLike = "float32",
        n_jobs: int | None = None,
    ) -> None:
        self._take(locals())

    def _target_of(
        self, y: NDArray[Any], weights: NDArray[np.float64] | None, training: NDArray[np.intp]
    ) -> Amounts:
        some = None if weights is None else weights[training]
        levels = levels_of(self.quantiles)
        if levels is not None and y.ndim == 2:
            raise ValueError(f"quantiles go with one target, and y has {y.shape[1]}")
        return Amounts(Scale.fit(numbers_of_target(y)[training], some), levels)

    def _labels(self, y: NDArray[Any]) -> NDArray[Any]:
        return np.zeros(len(y), np.int64)

    def _samples(
        self, X: NDArray[Any], target: Any, y: NDArray[Any], weights: NDArray[np.float64] | None
    ) -> Samples:
        return Samples(X, target.values(y, X.dtype), weights)

    def _trained(self, target: Any, judged: Callable[[], Judged | None]) -> None:
        self.scale_, self._levels = target.scale, target.levels

    def _names_of_target(self, y: Any, columns: Columns) -> list[str]:
        return names_in(y, columns)

    def _array_of_target(self, y: Any, n_rows: int) -> tuple[NDArray[Any], Any]:
        several = several_of(y, n_rows)
        return super()._array_of_target(y, n_rows) if several is None else several

    def _target_to_dict(self) -> dict[str, Any]:
        scale = {name: np.asarray(v).tolist() for name, v in self.scale_._asdict().items()}
        return scale | {"quantiles": self._levels}

    def _target_from_dict(self, stored: dict[str, Any]) -> None:
        self.scale_ = stored_scale(stored)
        levels = stored.get("quantiles")  # which earlier files do not name
        self._levels = levels_of(None if levels is None else checks.numbers("quantiles", levels))

    @property
    def _n_outputs(self) -> int:
        return Amounts(self.scale_, self._levels).n_outputs

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return a number for each row, shape (n_rows,), in the target's units.

        It has as many digits as the network's precision carries. Of several targets there is a
        column for each, shape (n_rows, n_targets). Of quantiles it is the median, on the line
        between the levels around 0.5, or the nearest level.

        Parameters
        ----------
        X : table
            Columns in any order where names tell which is which; others than those of the training
            are not looked at. A missing or unknown value is taken as such.

        Raises
        ------
        ValueError
            If columns are missing, or cells cannot be what their columns are; all are named.
        """
        outputs = self._outputs(X)
        if self._levels is not None:
            return self.scale_.decoded(middle_of(rearranged(outputs), self._levels))
        return self.scale_.decoded(outputs if outputs.shape[1] > 1 else outputs[:, 0])

    def predict_quantiles(self, X: Any) -> NDArray[np.float64]:
        """Return the quantiles of each row, shape (n_rows, n_quantiles), in ascending order.

        Parameters
        ----------
        X : table
            As in `predict`.

        Raises
        ------
        ValueError
            If the model has none, or X is not such a table.
        """
        self._check_fitted()
        if self._levels is None:
            raise ValueError(
                "this model has learnt no quantiles; TabularRegressor(quantiles=(0.1, 0.5, 0.9))"
            )
        return self.scale_.decoded(rearranged(self._outputs(X)))

    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """Return R2, the share of the target's variance that the predictions explain.

        Of several targets it is the mean.
        """
        self._check_fitted()
        columns, truth = self._truth(X, y)
        amounts = numbers_of_target(truth)
        found = r2(amounts, self.predict(columns), sample_weight=sample_weight)
        return float(found)

    # ---- explanation ---------------------------------------------------------------------------

    @property
    def _default_metric(self) -> str:
        return "rmse" if self._levels is None else "quantile"

    def _quantity(self, output: str | None) -> Quantity:
        several, names = np.ndim(self.scale_.mean) > 0, self.target_name_
        targets = (names or range(self._n_outputs)) if several else None
        return Units(*self.scale_, self._levels or targets, ordered=self._levels is not None)

    def _network_target(self, y: NDArray[Any]) -> NDArray[Any]:
        return Amounts(self.scale_, self._levels).values(y, np.float64)

    def _score(
        self, metric: str, y: NDArray[Any], outputs: NDArray[Any], weights: NDArray[Any] | None
    ) -> float:
        measured, _ = Amounts(self.scale_, self._levels).metric(metric)
        return float(measured(y, outputs, sample_weight=weights))

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import RegressorTags  # type: ignore[import-untyped]

        tags = super().__sklearn_tags__()
        tags.estimator_type, tags.regressor_tags = "regressor", RegressorTags()
        tags.target_tags.required = tags.target_tags.multi_output = True
        return tags
