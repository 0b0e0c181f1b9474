"""`MLPRegressor`: numbers."""

from __future__ import annotations

import os
from typing import Any, Self

from numpy.typing import NDArray
from sklearn.base import RegressorMixin  # type: ignore[import-untyped]
from sklearn.utils.metaestimators import available_if  # type: ignore[import-untyped]

from pymlp import _arrays
from pymlp.estimators import objective
from pymlp.estimators.base import BaseMLP, takes_single_steps
from pymlp.estimators.checkpoints import as_before_a_refusal, opened
from pymlp.estimators.objective import Objective
from pymlp.estimators.scores import Validation
from pymlp.metrics.comparison import Comparison
from pymlp.network import Network
from pymlp.training import target_scale


class MLPRegressor(RegressorMixin, BaseMLP):  # type: ignore[misc]
    """A network that predicts numbers, with the contract of scikit-learn's `MLPRegressor`.

    Parameters
    ----------
    loss : str or Loss, default "squared_error"
        "squared_error" and "poisson" are scikit-learn's (half of the square, half of the deviance,
        behind an exponential). So are others of `pymlp.losses` for numbers, such as "huber" or
        ``Quantile(0.9)``, and your own; they are in pymlp's units.
    hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate
        As for `MLPClassifier`.
    learning_rate_init, power_t, max_iter, shuffle, random_state, tol, verbose, warm_start
        As for `MLPClassifier`.
    momentum, nesterovs_momentum, early_stopping, validation_fraction, beta_1, beta_2, epsilon
        As for `MLPClassifier`.
    n_iter_no_change, max_fun, n_layers, width, dropout, input_dropout, norm, residual, init
        As for `MLPClassifier`.
    scale : bool, default False
        Bring inputs and targets to mean 0 and deviation 1 inside the model; predictions are in the
        units of y. They are measured once, by the first `fit` or `partial_fit`; a warm start keeps
        them. Losses in the record are of the scaled targets. Targets of "poisson" and of your
        own losses stay as they are.
    l1, clip_norm, average, callbacks, max_seconds, n_jobs, dtype
        As for `MLPClassifier`.
    monitor : str or callable, optional
        As for `MLPClassifier`; None: the coefficient of determination, R².

    Attributes
    ----------
    network_ : Network
        The network itself. Where `scale` is set its inputs are scaled; its outputs are in the units
        of y, but for the time of training.
    coefs_, intercepts_, loss_, best_loss_, loss_curve_, validation_scores_
        As of `MLPClassifier`.
    best_validation_score_, n_iter_, t_, n_features_in_, feature_names_in_, n_layers_, n_outputs_
        As of `MLPClassifier`.
    out_activation_ : str

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = pymlp.MLPRegressor(width=20, scale=True, max_iter=2000, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.5
    True
    """

    _usual_score = "r2"
    _checks_of_y: dict[str, Any] = {"y_numeric": True}  # noqa: RUF012

    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: Any = 10,
        max_fun: int = 15000,
        n_layers: int | None = None,
        width: int | None = None,
        dropout: Any = 0.0,
        input_dropout: float = 0.0,
        norm: str | None = None,
        residual: bool = False,
        init: Any = "auto",
        scale: bool = False,
        l1: float = 0.0,
        clip_norm: float | None = None,
        average: float | None = None,
        monitor: Any = None,
        callbacks: Any = None,
        max_seconds: float | None = None,
        n_jobs: int | None = None,
        dtype: Any = None,
    ) -> None:
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.n_layers = n_layers
        self.width = width
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.norm = norm
        self.residual = residual
        self.init = init
        self.scale = scale
        self.l1 = l1
        self.clip_norm = clip_norm
        self.average = average
        self.monitor = monitor
        self.callbacks = callbacks
        self.max_seconds = max_seconds
        self.n_jobs = n_jobs
        self.dtype = dtype

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        validation: Any = None,
        *,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: int | None = None,
        resume: bool = False,
    ) -> Self:
        """Learn from samples; anew, unless `warm_start`.

        Parameters
        ----------
        X : array-like, frame or sparse matrix, shape (n_samples, n_features)
        y : array-like, shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like, shape (n_samples,), optional
        validation : tuple, optional
            ``(Xv, yv)`` or ``(Xv, yv, weights)``: what is scored after every epoch, in the place of
            a fraction that is held out. Whether that stops the training is for `early_stopping`.
        checkpoint, checkpoint_every, resume : optional
            As in `Network.fit`: a file that the training goes on from where it was ended. Not for
            sparse X.

        Returns
        -------
        MLPRegressor
            Itself.

        Raises
        ------
        TypeError, ValueError
            Where a parameter or an array is of the wrong kind or out of range; the message names
            it.
        """
        file = opened(self, checkpoint, checkpoint_every, resume)
        with as_before_a_refusal(self):
            return self._train(X, y, sample_weight, validation, file, incremental=False)

    @available_if(takes_single_steps)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn for one epoch from samples, going on from what was learnt before.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        MLPRegressor
            Itself.
        """
        return self._train(X, y, sample_weight, None, None, incremental=True)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the predictions, (n_samples,), or (n_samples, n_outputs) of several outputs."""
        return self._decode(self._outputs(X))

    @classmethod
    def from_network(cls, network: Network, *, feature_names: Any = None) -> Self:
        """Return a fitted regressor around a network.

        Parameters
        ----------
        network : Network
            It is `network_` itself, not a copy.
        feature_names : sequence of str, optional
            Names of the inputs: frames are checked for them.

        Returns
        -------
        MLPRegressor

        Examples
        --------
        >>> net = pymlp.Network([2, 3, 1], seed=0)
        >>> pymlp.MLPRegressor.from_network(net).predict([[1.0, 2.0]]).shape
        (1,)
        """
        output = network.layers[-1].activation.name
        return cls._around(
            network, feature_names, loss="poisson" if output == "exp" else "squared_error"
        )

    def _encode(self, y: Any, *, incremental: bool) -> NDArray[Any]:
        return self._known(_arrays.numbers("y", y))

    def _decode(self, outputs: NDArray[Any]) -> NDArray[Any]:
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def _outputs_of(self, codes: NDArray[Any]) -> int:
        return 1 if codes.ndim == 1 else codes.shape[1]

    def _objective(self, outputs: int) -> Objective:
        return objective.of_regressor(self.loss, outputs)

    def _targets(self, codes: NDArray[Any], objective: Objective) -> NDArray[Any]:
        return codes

    def _scales_targets(self, objective: Objective) -> bool:
        return objective.output == "linear" and objective.loss.name in target_scale.LOSSES

    def _compared(self, given: Validation, outputs: NDArray[Any]) -> Comparison:
        y = given.codes.reshape(len(given.codes), -1)
        return Comparison("numbers", y, y, outputs, "linear", given.weights)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = isinstance(self.loss, str) and self.loss == "poisson"
        return tags
