"""`TabularClassifier`: classes of the rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from pymlp import _checks
from pymlp.files import stored as checks
from pymlp.metrics import named
from pymlp.metrics.classes import accuracy
from pymlp.metrics.comparison import Comparison
from pymlp.network import Network
from pymlp.tabular.calibration import fit_temperature
from pymlp.tabular.explaining.quantities import Logits, Probabilities, Quantity
from pymlp.tabular.members import Judged, Samples
from pymlp.tabular.model import TableModel
from pymlp.tabular.recipe import Quality
from pymlp.tabular.targets import classes_of, codes_of, refuse_another_kind

__all__ = ["TabularClassifier"]


class Classes:
    """The classes of a target: codes of labels, and what the network makes of them."""

    output = "softmax"
    loss = "cross_entropy"

    def __init__(
        self, labels: NDArray[Any], weights: NDArray[np.float64] | None, smoothing: float
    ) -> None:
        self.labels = labels
        self.weights = weights  # of each class; None where all are 1
        self._smoothing = smoothing

    @property
    def n_outputs(self) -> int:
        """One for each class."""
        return len(self.labels)

    def metric(self, name: str) -> tuple[Any, bool]:
        """Return a metric as `Network.fit` takes it, and whether more of it is better."""
        (metric,) = named.resolve(name)
        return metric.name, bool(metric.more_is_better)

    def do_without_held_out_rows(self) -> None:
        """Refuse what needs them."""
        if self._smoothing:
            raise ValueError(
                "label_smoothing needs rows that are held out, for the temperature that makes up "
                "for it, and none are: give more rows, or validation"
            )

    def softened(self, samples: Samples) -> NDArray[Any]:
        """Return labels, or probabilities: most goes to the label, the rest to all alike."""
        if not self._smoothing:
            return samples.y
        n_classes = len(self.labels)
        result = np.full((len(samples.y), n_classes), self._smoothing / n_classes, samples.X.dtype)
        result[np.arange(len(samples.y)), samples.y] += 1.0 - self._smoothing
        return result


class TabularClassifier(TableModel):
    """A classifier of tables: columns of any kind in, labels and probabilities out.

    It holds an encoder (see `pymlp.tabular.TableEncoder`), networks, the classes and a temperature.
    scikit-learn's functions take it; it needs no scikit-learn itself. The probabilities are the
    mean of those of its networks, each of which is trained on other rows and judged by the rest.

    Parameters
    ----------
    quality : {"fast", "default", "best"}, default "default"
        How much time goes into the model. What is not said below follows from it and the number of
        rows: how many networks of which widths, and how long they are trained. "best" is as many as
        `max_seconds` allow.
    metric : str, optional
        A metric of `pymlp.metrics` by its name, which the best epoch is chosen by; None: log-loss.
    max_seconds : float, optional
        End training after so long.
    n_members : int, optional
        Networks whose predictions are averaged.
    random_state : int, RandomState or Generator, optional
        Fixes every draw.
    hidden_layer_sizes : sequence of int, optional
        The widths of the hidden layers; () for none.
    activation : str or Activation, optional
        Of the hidden layers. By default SELU, whose share is learnt for every unit.
    dropout : float or sequence of float, optional
        The share of hidden units left out in a step. By default it is scheduled.
    optimizer : str or Optimizer, optional
        By default AdamW with the schedules and rates of the recipe; others have none of these.
    learning_rate : float, optional
        The largest of the schedule; weights of n inputs have 1 / sqrt(n) of it. With `optimizer`,
        its own.
    epochs : int, optional
        At most.
    batch_size : int, "auto" or None, default "auto"
        Rows a step, None for all; "auto": as the quality says, or 32 with `optimizer`.
    l2 : float, default 0
        Penalty of the weights, as in `Network.fit`.
    validation : float, "auto" or None, default "auto"
        "auto": each network holds out rows of its own, so that every row is held out by one of
        them; one network alone holds out a tenth. A share is held out by all alike. Held-out rows
        choose the best epoch, and the temperature. Of fewer than 20 rows none are, and all epochs
        are trained.
    patience : int, optional
        Epochs without improvement on these rows after which training ends. By default it does not,
        and the best epoch is kept.
    class_weight : dict or "balanced", optional
        A weight for each label; others have 1. "balanced": rows / (classes x rows of the class).
        It multiplies the weights of rows, held-out ones as well: of their loss, metric and
        temperature.
    label_smoothing : float, default 0
        The share of certainty taken from each label and spread over all classes. The temperature
        makes up for it, so rows must be held out.
    categorical, numeric, ignore, keep : names of columns, or their positions
    max_categories : int, default 100
        As in `pymlp.tabular.TableEncoder`.
    dtype : float32 or float64, default float32
    n_jobs : int, optional
        Threads; None and -1: as `pymlp.set_num_threads` says.

    Attributes
    ----------
    classes_ : ndarray
        The labels, sorted.
    encoder_ : TableEncoder
    networks_ : tuple of Network
    network_ : Network
        The first of them.
    temperature_ : float
        What the networks' logits were divided by, which their last layers do now; 1 where no rows
        were held out.
    history_ : History
        Of the first network.
    report_ : list of str
        What became of each column, a line each.
    n_rows_ : dict
        How many rows the networks were trained on, how many judged them, and in how many folds
        where all rows do both.
    target_name_ : str or None
    notes_ : dict
        Anything that JSON holds; `save` keeps it.
    feature_importances_ : ndarray, shape (n_features_in_,)
        What the metric loses on held-out rows where each column is shuffled, with the sum 1.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    Examples
    --------
    >>> table = {"age": [20, 30, None, 61] * 8, "city": ["Bern", "Chur", "Bern", None] * 8}
    >>> model = pymlp.TabularClassifier(random_state=0).fit(table, ["no", "yes", "no", "yes"] * 8)
    >>> model.predict({"city": ["Chur", "Basel"], "age": [33, 18]}).tolist()
    ['yes', 'no']
    >>> model.report_[1]
    "'city': category, 2 different values, 8 of 32 missing (ignore=['city'] leaves it out)"
    """

    _estimator_type = "classifier"
    _kind = "TabularClassifier"
    classes_: NDArray[Any]
    temperature_: float
    class_weight: Mapping[Any, float] | str | None
    label_smoothing: float

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
        class_weight: Mapping[Any, float] | str | None = None,
        label_smoothing: float = 0.0,
        categorical: Sequence[str | int] | str = (),
        numeric: Sequence[str | int] | str = (),
        ignore: Sequence[str | int] | str = (),
        keep: Sequence[str | int] | str = (),
        max_categories: int = 100,
        dtype: DTypeLike = "float32",
        n_jobs: int | None = None,
    ) -> None:
        self._take(locals())

    # ---- training ------------------------------------------------------------------------------

    def _target_of(
        self, y: NDArray[Any], weights: NDArray[np.float64] | None, training: NDArray[np.intp]
    ) -> Classes:
        smoothing = _checks.number("label_smoothing", self.label_smoothing, minimum=0.0, below=1.0)
        labels = classes_of(y)
        return Classes(labels, _class_weights(self.class_weight, labels, y), smoothing)

    def _labels(self, y: NDArray[Any]) -> NDArray[Any]:
        return codes_of(y, classes_of(y))

    def _samples(
        self, X: NDArray[Any], target: Any, y: NDArray[Any], weights: NDArray[np.float64] | None
    ) -> Samples:
        codes = codes_of(y, target.labels)
        if target.weights is not None:
            weights = target.weights[codes] * (1.0 if weights is None else weights)
        return Samples(X, codes, weights)

    def _trained(self, target: Any, judged: Callable[[], Judged | None]) -> None:
        self.classes_ = target.labels
        self.temperature_ = 1.0
        if target.n_outputs > 1 and (found := judged()) is not None:
            self.temperature_ = fit_temperature(*found)
            for network in self.networks_:
                _temper(network, self.temperature_)

    def _target_to_dict(self) -> dict[str, Any]:
        labels = self.classes_
        dtype = "O" if labels.dtype.kind == "O" else labels.dtype.str
        return {"classes": labels.tolist(), "dtype": dtype, "temperature": self.temperature_}

    @property
    def _n_outputs(self) -> int:
        return len(self.classes_)

    def _target_from_dict(self, stored: dict[str, Any]) -> None:
        labels = {"values": stored["classes"], "dtype": stored["dtype"]}
        self.classes_ = checks.array("classes", labels)
        n_outputs = self.network_.widths[-1]
        if len(self.classes_) != n_outputs:
            raise ValueError(f"classes must be {n_outputs}, not {len(self.classes_)}")
        self.temperature_ = checks.number("temperature", stored["temperature"], above=0.0)

    # ---- prediction ----------------------------------------------------------------------------

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable label of each row, shape (n_rows,).

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
        places = self.predict_proba(X).argmax(axis=1)
        found: NDArray[Any] = self.classes_[places]
        return found

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return the probability of each class, shape (n_rows, n_classes), as in `classes_`."""
        return self._outputs(X)

    def predict_log_proba(self, X: Any) -> NDArray[Any]:
        """Return the logarithms of the probabilities."""
        with np.errstate(divide="ignore"):
            found: NDArray[Any] = np.log(self.predict_proba(X))
        return found

    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """Return the accuracy of the predictions: the share of the rows that are right."""
        self._check_fitted()
        columns, truth = self._truth(X, y)
        refuse_another_kind(truth, self.classes_)
        right = self.predict(columns) == truth
        return accuracy(np.ones(len(truth), int), right.astype(int), sample_weight=sample_weight)

    # ---- explanation ---------------------------------------------------------------------------

    _explained = ("logits", "probabilities")

    def _quantity(self, output: str | None) -> Quantity:
        kind = Probabilities if output == "probabilities" else Logits
        return kind(self.classes_.tolist())

    @property
    def _default_metric(self) -> str:
        return "log_loss"

    def _network_target(self, y: NDArray[Any]) -> NDArray[Any]:
        return codes_of(y, self.classes_)

    def _score(
        self, metric: str, y: NDArray[Any], outputs: NDArray[Any], weights: NDArray[Any] | None
    ) -> float:
        given = Comparison("classes", y, y, outputs, "softmax", weights)
        return named.measure(named.resolve(metric), given)[metric]

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags  # type: ignore[import-untyped]

        tags = super().__sklearn_tags__()
        tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
        tags.target_tags.required = True
        return tags


def _temper(network: Network, temperature: float) -> None:
    """Divide the logits of a network by a temperature."""
    last = network.layers[-1]
    last.weights /= temperature
    assert last.biases is not None  # models have biases
    last.biases /= temperature


def _class_weights(given: Any, labels: NDArray[Any], y: NDArray[Any]) -> NDArray[Any] | None:
    """Return the weight of each class; None where all are 1."""
    if given is None:
        return None
    if isinstance(given, str):
        if given != "balanced":
            raise ValueError(f"class_weight must be a dict, 'balanced' or None, not {given!r}")
        counts = np.bincount(codes_of(y, labels), minlength=len(labels))
        return len(y) / (len(labels) * counts)
    if not isinstance(given, Mapping):
        raise TypeError(
            f"class_weight must be a dict, 'balanced' or None, not {_checks.type_name(given)}"
        )
    known = labels.tolist()
    unknown = [label for label in given if label not in known]
    if unknown:
        raise ValueError(f"class_weight names classes that y does not have: {unknown[:10]}")
    weights = np.ones(len(labels))
    for label, weight in given.items():
        place = known.index(label)
        weights[place] = _checks.number(f"class_weight[{label!r}]", weight, minimum=0.0)
    return weights
