"""What both estimators are: parameters, one way through `fit`, predictions."""

from __future__ import annotations

import os
import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator  # type: ignore[import-untyped]
from sklearn.exceptions import ConvergenceWarning  # type: ignore[import-untyped]
from sklearn.model_selection import (  # type: ignore[import-untyped]
    ShuffleSplit,
    StratifiedShuffleSplit,
)
from sklearn.utils import check_random_state  # type: ignore[import-untyped]
from sklearn.utils.validation import (  # type: ignore[import-untyped]
    check_array,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from pymlp import _arrays
from pymlp.estimators import checkpoints, fitting, inputs, parameters, scores, starting, steps
from pymlp.estimators.coefficients import Coefficients
from pymlp.estimators.epochs import Epochs
from pymlp.estimators.fitting import Samples
from pymlp.estimators.inputs import InputScale
from pymlp.estimators.objective import OUTPUT_NAMES, Objective
from pymlp.estimators.scores import Monitor, Validation
from pymlp.metrics.comparison import Comparison
from pymlp.network import Network
from pymlp.optimizers import Optimizer
from pymlp.training import TrainingDiverged
from pymlp.training.checkpoint import Checkpoint
from pymlp.training.target_scale import TargetScale

_FLOATS = (np.float64, np.float32)  # scikit-learn keeps either, and makes the first of all others
_NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and "
    "need to be preprocessed."
)


def takes_single_steps(of: Any) -> bool:
    """Tell whether an estimator has `partial_fit`, as scikit-learn asks it."""
    if parameters.is_lbfgs(of):
        raise AttributeError("partial_fit is not there for lbfgs, which needs all samples at once")
    return True


def _same_rule(a: Optimizer, b: Optimizer) -> bool:
    return type(a) is type(b) and dict(a.options) == dict(b.options)


class BaseMLP(BaseEstimator):  # type: ignore[misc]
    """A network with scikit-learn's contract, from which a classifier and a regressor derive."""

    _usual_score: str  # what `monitor=None` stands for
    _checks_of_y: dict[str, Any]

    # ---- what an estimator says of its targets ---------------------------------------------------

    def _encode(self, y: Any, *, incremental: bool) -> NDArray[Any]:
        """Return class numbers (m,), indicators (m, k), or numbers (m,) or (m, k)."""
        raise NotImplementedError

    def _known(self, y: Any) -> NDArray[Any]:
        """Return the same of targets that it was not fitted to."""
        return np.asarray(y)

    def _outputs_of(self, codes: NDArray[Any]) -> int:
        """Return how many outputs the network needs."""
        raise NotImplementedError

    def _objective(self, outputs: int) -> Objective:
        raise NotImplementedError

    def _targets(self, codes: NDArray[Any], objective: Objective) -> NDArray[Any]:
        """Return the targets as the loss takes them."""
        raise NotImplementedError

    def _decode(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Return predictions from the network's outputs."""
        raise NotImplementedError

    def _compared(self, given: Validation, outputs: NDArray[Any]) -> Comparison:
        raise NotImplementedError

    def _scales_targets(self, objective: Objective) -> bool:
        return False

    # ---- training --------------------------------------------------------------------------------

    def _train(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        validation: Any,
        checkpoint: Checkpoint | None,
        *,
        incremental: bool,
    ) -> Self:
        goes_on = bool(self.warm_start) or incremental
        first = not (goes_on and hasattr(self, "network_")) or checkpoints.begins_anew(checkpoint)
        parameters.check(self)
        monitor = scores.resolve(self.monitor, self._usual_score)
        X, y = self._validated(X, y, reset=first)
        codes = self._encode(y, incremental=incremental)
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        weights = self._weights(sample_weight, len(codes))
        outputs = self._outputs_of(codes) if first else self.network_.widths[-1]
        objective = self._objective(outputs)
        optimizer = parameters.optimizer(self, objective.factor)
        self._random_state = check_random_state(self._source_of_draws(checkpoint))
        begun = self._starting_values(X.shape[1], outputs, goes_on) if first else None
        X, codes, weights, held_out = self._divided(X, codes, weights, validation, objective)
        weights = self._with_class_weights(weights, codes, incremental=incremental)
        seed = None if incremental else int(self._random_state.randint(2**31 - 1))
        if first:
            self._make_network(X, codes, weights, objective, begun, seed)
        self._take_optimizer(optimizer, first=first, incremental=incremental)
        samples = Samples(self._scaled(X), self._targets(codes, objective), weights)
        self._learn(
            samples, objective, monitor, held_out, seed, checkpoint, incremental=incremental
        )
        return self

    def _source_of_draws(self, checkpoint: Checkpoint | None) -> Any:
        """Return the parameter, or where it is None what a training that goes on began with."""
        if checkpoint is None or self.random_state is not None:
            return self.random_state
        return checkpoint.beside["random_state"]

    def _validated(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        X, y = validate_data(
            self, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=_FLOATS,
            reset=reset, **self._checks_of_y,
        )  # fmt: skip
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return inputs.rows_of(X), y

    def _weights(self, sample_weight: Any, rows: int) -> Any:
        """Return the weights of the samples; None where all count the same."""
        if sample_weight is None:
            return None
        options: dict[str, Any] = {"ensure_2d": False, "dtype": _FLOATS}
        weights = check_array(sample_weight, input_name="sample_weight", **options)
        if not weights.any():
            raise ValueError("sample_weight must not be zero for every sample")
        return _arrays.sample_weights(weights, rows, weights.dtype)

    def _with_class_weights(self, weights: Any, codes: Any, *, incremental: bool) -> Any:
        """Return the weights of training samples, times those of their classes."""
        return weights

    def _divided(
        self, X: Any, codes: Any, weights: Any, validation: Any, objective: Objective
    ) -> tuple[Any, Any, Any, Validation | None]:
        """Return what is trained on, and what is not: the samples given for that, or a fraction."""
        if validation is not None:
            return X, codes, weights, self._given_validation(validation, objective)
        if not self.early_stopping or parameters.is_lbfgs(self):
            return X, codes, weights, None
        train, aside = self._divide(codes)
        if len(aside) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of "
                "your dataset."
            )
        of_training, of_validation = (
            None if weights is None else weights[r] for r in (train, aside)
        )
        held_out = self._validation_of(X[aside], codes[aside], of_validation, objective)
        return X[train], codes[train], of_training, held_out

    def _divide(self, codes: Any) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the rows to train on and those to hold out, as train_test_split divides them."""
        strata = self._strata(codes)
        kind = ShuffleSplit if strata is None else StratifiedShuffleSplit
        division = kind(test_size=self.validation_fraction, random_state=self._random_state)
        train, aside = next(division.split(codes, strata))
        return train, aside

    def _strata(self, codes: Any) -> Any:
        return None

    def _given_validation(self, validation: Any, objective: Objective) -> Validation:
        if not isinstance(validation, tuple | list) or len(validation) not in (2, 3):
            raise ValueError("validation must be (Xv, yv) or (Xv, yv, weights)")
        Xv, yv, *rest = validation
        try:
            Xv, yv = self._validated(Xv, yv, reset=False)
            codes = self._known(yv)
            weights = self._weights(rest[0] if rest else None, len(codes))
        except (TypeError, ValueError) as error:
            raise type(error)(f"validation: {error}") from None
        return self._validation_of(Xv, codes, weights, objective)

    def _validation_of(self, X: Any, codes: Any, weights: Any, objective: Objective) -> Validation:
        return Validation(X, self._targets(codes, objective), codes, weights)

    def _starting_values(self, n_in: int, outputs: int, goes_on: bool) -> Any:
        """Return the weights and biases that a new network begins with; None: its own draws."""
        assigned = self.__dict__.pop("_assigned", None)
        if assigned is not None and goes_on:
            return assigned["coefs_"], assigned["intercepts_"]
        hidden = parameters.hidden_sizes(self)
        if parameters.initializer(self) is not None:
            return None
        kinds = parameters.hidden_activations(self, len(hidden))
        return starting.draws(self._random_state, [n_in, *hidden, outputs], kinds)

    def _make_network(
        self, X: Any, codes: Any, weights: Any, objective: Objective, begun: Any, seed: int | None
    ) -> None:
        dtype = parameters.dtype(self, X)
        outputs = self._outputs_of(codes)
        own_seed = 0 if seed is None else seed
        network = starting.network(self, X.shape[1], outputs, objective, dtype, own_seed)
        if begun is not None:
            Coefficients("coefs_", network.weights).assign(begun[0])
            Coefficients("intercepts_", network.biases).assign(begun[1])
        self._input_scale = InputScale.of(X, weights) if self.scale else None
        self._target_scale = None
        if self.scale and self._scales_targets(objective):
            values = np.asarray(codes, np.float64).reshape(len(codes), -1)
            self._target_scale = TargetScale((values, None, values, weights))
            self._target_scale.refuse_too_large()
            network.biases[-1] = np.zeros(outputs)  # which begin as they are; see TargetScale
        self._adopt(network)
        self._reset_record()

    def _adopt(self, network: Network) -> None:
        """Take a network, and tell of it by scikit-learn's names."""
        self.network_ = network
        self.n_layers_ = len(network.widths)
        self.n_outputs_ = network.widths[-1]
        output = network.layers[-1].activation.name
        self.out_activation_ = OUTPUT_NAMES.get(output, output)

    def _adopt_plain(self, network: Network) -> None:
        """Take a network whose inputs and targets are in their own units."""
        self._input_scale = self._target_scale = None
        self._adopt(network)

    def _reset_record(self) -> None:
        self.n_iter_ = self.t_ = 0
        self.loss_curve_: list[float] = []
        self._no_improvement_count = 0
        self.best_loss_: float | None = np.inf
        self.validation_scores_: list[float] | None = None
        self.best_validation_score_: float | None = None

    def _take_optimizer(self, new: Optimizer, *, first: bool, incremental: bool) -> None:
        """Take a new optimiser, or go on with the one that has trained this network."""
        kept: Optimizer | None = None if first else vars(self).get("_optimizer")
        before = vars(self).get("_base_rate")
        if kept is None or parameters.is_lbfgs(self) or not _same_rule(kept, new):
            self._optimizer = new
        elif not incremental or before != new.learning_rate:
            past = (self.t_ + 1) ** self.power_t if self.learning_rate == "invscaling" else 1.0
            steps.set_rate(kept, new.learning_rate / past)
        self._base_rate = new.learning_rate

    def _learn(
        self,
        samples: Samples,
        objective: Objective,
        monitor: Monitor,
        held_out: Validation | None,
        seed: int | None,
        checkpoint: Checkpoint | None,
        *,
        incremental: bool,
    ) -> None:
        if held_out is not None:
            held_out = held_out._replace(X=self._scaled(held_out.X))
        checkpoints.check(self, samples, held_out, checkpoint)
        by_score = held_out is not None and bool(self.early_stopping)
        self._prepare_record(monitor, held_out, by_score, incremental)
        score = None if held_out is None else lambda: self._score(held_out, monitor, objective)
        constant = fitting.constant_of(samples, objective)
        with fitting.in_scale(self):
            epochs = Epochs(
                self, objective, len(samples.y), constant, monitor, score, checkpoint,
                by_score=by_score,
            )  # fmt: skip
            reason = self._end_of_training(samples, objective, epochs, seed, incremental)
        if reason == "diverged" and not by_score:
            raise ValueError(_NOT_FINITE)
        if by_score and reason != "diverged":
            self._refuse_no_value(monitor)
        if self.n_iter_ == 0 and reason not in ("diverged", "interrupted"):
            self.loss_ = fitting.loss_now(self, samples, objective) + constant
        self._warn_of(reason, incremental=incremental)

    def _refuse_no_value(self, monitor: Monitor) -> None:
        """Refuse a score that chose no epoch, such as ROC AUC of one class: all are equally bad."""
        if self.validation_scores_ and np.isnan(self.validation_scores_).all():
            raise ValueError(
                f"monitor {monitor.name or 'function'!r} has no value on the validation samples: "
                "it is NaN after every epoch"
            )

    def _prepare_record(
        self, monitor: Monitor, held_out: Validation | None, by_score: bool, incremental: bool
    ) -> None:
        self.n_iter_ = 0
        if not incremental:
            self._no_improvement_count = 0
        if held_out is not None and self.validation_scores_ is None:
            self.validation_scores_, self.best_validation_score_ = [], monitor.worst
        if by_score:
            self.best_loss_ = None
        elif self.best_loss_ is None:
            self.best_loss_ = np.inf

    def _end_of_training(
        self, samples: Samples, objective: Objective, epochs: Epochs, seed: Any, incremental: bool
    ) -> str:
        max_iter = 1 if incremental else int(self.max_iter)
        try:
            reason = fitting.run(self, samples, objective, epochs, max_iter, seed)
        except TrainingDiverged:
            epochs.diverged()
            reason = "diverged"
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=5)
            reason = "interrupted"
        epochs.restore_best(self.network_)
        return reason

    def _warn_of(self, reason: str, *, incremental: bool) -> None:
        if parameters.is_lbfgs(self):
            said = {
                "epochs": f"lbfgs reached max_iter={self.max_iter} iterations",
                "evaluations": f"lbfgs reached max_fun={self.max_fun} evaluations of the loss",
                "line_search": "lbfgs found no lower point along its last direction",
            }.get(reason)
            said = said and f"{said} before it converged"
        else:
            said = {
                "epochs": f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and "
                "the optimization hasn't converged yet.",
                "diverged": "Training diverged: the loss or a parameter is not finite any more. "
                "The parameters are those of the best epoch; a smaller learning_rate_init or "
                "scaled inputs may help.",
            }.get(reason)
        if said and not incremental:
            warnings.warn(said, ConvergenceWarning, stacklevel=5)

    def _score(self, given: Validation, monitor: Monitor, objective: Objective) -> float:
        """Return how good the network is on validation samples."""
        if monitor.of is None:
            return fitting.loss_of_validation(self, given, objective)
        outputs = self._network_outputs(given.X)
        if not np.isfinite(outputs).all():
            return float("nan")
        if not monitor.name:
            return float(monitor.of(self._labels(given.codes), self._decode(outputs)))
        return scores.measure(monitor, self._compared(given, outputs))

    def _labels(self, codes: NDArray[Any]) -> NDArray[Any]:
        """Return targets as the user gave them."""
        return codes

    # ---- running it ------------------------------------------------------------------------------

    def _outputs(self, X: Any) -> NDArray[Any]:
        """Return the network's outputs for the user's inputs."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=["csr", "csc"], reset=False, dtype=_FLOATS)
        return self._network_outputs(self._scaled(inputs.rows_of(X)))

    def _scaled(self, X: Any) -> Any:
        return inputs.for_network(X, self._input_scale, self.network_.dtype)

    def _network_outputs(self, X: Any) -> NDArray[Any]:
        outputs = inputs.predict(self.network_, X, parameters.threads(self))
        if self._target_scale is not None and self._learns_scaled:
            return self._target_scale.unscaled(outputs)
        return outputs

    _learns_scaled = False  # while it learns, the network predicts scaled targets

    # ---- what it is ------------------------------------------------------------------------------

    @property
    def coefs_(self) -> list[NDArray[Any]]:
        """The weights of every layer, (n_in, n_out): writable views of the network's."""
        return self._coefficients("coefs_")

    @coefs_.setter
    def coefs_(self, values: Any) -> None:
        self._assign("coefs_", values)

    @property
    def intercepts_(self) -> list[NDArray[Any]]:
        """The biases of every layer, (n_out,): writable views of the network's."""
        return self._coefficients("intercepts_")

    @intercepts_.setter
    def intercepts_(self, values: Any) -> None:
        self._assign("intercepts_", values)

    def _coefficients(self, name: str) -> list[NDArray[Any]]:
        network = vars(self).get("network_")
        if network is not None:
            return Coefficients(name, network.weights if name == "coefs_" else network.biases)
        try:
            values: list[NDArray[Any]] = vars(self)["_assigned"][name]
        except KeyError:
            kind = type(self).__name__
            raise AttributeError(f"this {kind} has no '{name}' before it is fitted") from None
        return values

    def _assign(self, name: str, values: Any) -> None:
        if hasattr(self, "network_"):
            Coefficients(name, self._coefficients(name)).assign(values)
        else:  # what a first `partial_fit` begins with
            self.__dict__.setdefault("_assigned", {})[name] = list(values)

    @classmethod
    def _around(cls, network: Network, feature_names: Any, **given: Any) -> Self:
        """Return an estimator with the parameters that describe a network, fitted to nothing."""
        if not network.bias or network.scale_inputs or network.embedding:
            raise ValueError(
                "network must have biases, no scale_inputs and no embedding, as estimators have"
            )
        kinds = [layer.activation for layer in network.layers[:-1]]
        made = cls(
            hidden_layer_sizes=network.widths[1:-1],
            activation=kinds[0] if len(set(kinds)) == 1 else kinds or "relu",
            dropout=list(network.dropout) if any(network.dropout) else 0.0,
            input_dropout=network.input_dropout,
            norm=network.norm,
            residual=network.residual,
            dtype=network.dtype.name,
            **given,
        )
        made._reset_record()
        made._adopt_plain(network)
        made.n_features_in_ = network.widths[0]
        if feature_names is not None:
            made._take_feature_names(feature_names)
        return made

    def _take_feature_names(self, names: Any) -> None:
        names = np.array(list(names), dtype=object)
        if len(names) != self.n_features_in_:
            raise ValueError(f"feature_names must be {self.n_features_in_} names, not {len(names)}")
        self.feature_names_in_ = names

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted estimator to one safetensors file, which `pymlp.load` reads.

        The file holds no code: nothing in it runs when it is read. It has the network, the
        parameters and what was learnt; `callbacks`, a function as `monitor` and a generator as
        `random_state` stay behind, and so does what the optimiser remembers. A pickle has all.

        Parameters
        ----------
        path : str or path
            No extension is added. A file of this name is replaced whole or not at all.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If it is not fitted.
        ValueError
            If an activation or the loss is a user function.
        """
        from pymlp.estimators import files

        check_is_fitted(self)
        files.save(self, path)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
