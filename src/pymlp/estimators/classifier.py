"""`MLPClassifier`: classes and labels."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin  # type: ignore[import-untyped]
from sklearn.utils.class_weight import compute_sample_weight  # type: ignore[import-untyped]
from sklearn.utils.metaestimators import available_if  # type: ignore[import-untyped]
from sklearn.utils.multiclass import (  # type: ignore[import-untyped]
    check_classification_targets,
    type_of_target,
    unique_labels,
)

from pymlp import _checks
from pymlp._registry import unknown_name
from pymlp.estimators import objective
from pymlp.estimators.base import BaseMLP, takes_single_steps
from pymlp.estimators.checkpoints import as_before_a_refusal, opened
from pymlp.estimators.objective import Objective
from pymlp.estimators.scores import Validation
from pymlp.metrics.comparison import Comparison
from pymlp.network import Network


def _has_probabilities(of: Any) -> bool:
    if objective.is_hinge(of.loss):
        raise AttributeError("the hinge loss gives no probabilities; decision_function has scores")
    return True


def _has_margins(of: Any) -> bool:
    if not objective.is_hinge(of.loss):
        raise AttributeError("only the hinge loss has a decision_function; see predict_proba")
    return True


class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """A network that tells classes apart, with the contract of scikit-learn's `MLPClassifier`.

    The parameters down to `max_fun` are scikit-learn's, with its meanings and defaults, and so are
    the attributes; ``shuffle=False`` gives its numbers up to rounding. The others are pymlp's.
    The page on estimators tells what differs and why.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default (100,)
        The widths of the hidden layers; ``()`` for none.
    activation : str, Activation or list of these, default "relu"
        Of the hidden layers: scikit-learn's "identity", "logistic", "tanh" and "relu", any other of
        `pymlp.activations`, or one of your own. A list has one for each hidden layer.
    solver : str or Optimizer, default "adam"
        "adam", "sgd" and "lbfgs" are scikit-learn's. So do the names of pymlp's optimisers, with
        `learning_rate_init`; an object such as ``pymlp.Lion(1e-3)`` has its own.
    alpha : float, default 0.0001
        Adds ``alpha / 2`` times the sum of the squared weights, over the batch's samples, or their
        sum of weights.
    batch_size : int or "auto", default "auto"
        "auto" is at most 200. L-BFGS sees all samples.
    learning_rate : {"constant", "invscaling", "adaptive"} or Schedule, default "constant"
        "invscaling" divides by ``t_ ** power_t``, "adaptive" by 5 where "constant" would stop; they
        are for every solver but "adam" and "lbfgs". A schedule of `pymlp.schedules` is for every
        one but "lbfgs", and plans for `max_iter` epochs.
    learning_rate_init : float, default 0.001
    power_t : float, default 0.5
    max_iter : int, default 200
        Epochs, or iterations of L-BFGS.
    shuffle : bool, default True
        Visit the samples in a new order every epoch.
    random_state : int, RandomState or None, default None
        Of the weights, the held-out share, the orders and dropout.
    tol : float, default 1e-4
        Training ends after more than `n_iter_no_change` epochs without an improvement by this.
    verbose : bool or int, default False
        Print every epoch's loss.
    warm_start : bool, default False
        `fit` goes on from what was learnt before, the optimiser's state among it.
    momentum : float, default 0.9
        For "sgd".
    nesterovs_momentum : bool, default True
        For "sgd".
    early_stopping : bool, default False
        Hold a share of the samples out, end by their score, and leave the best parameters. With
        "lbfgs" only where `fit` is given ``validation``.
    validation_fraction : float, default 0.1
    beta_1, beta_2, epsilon : float, default 0.9, 0.999 and 1e-8
        For "adam".
    n_iter_no_change : int or inf, default 10
    max_fun : int, default 15000
        Evaluations of the loss by "lbfgs".
    n_layers, width : int, optional
        In the place of `hidden_layer_sizes`, for searches: so many layers, each so wide. One of the
        two alone takes the other from there.
    loss : str or Loss, default "log_loss"
        Any of `pymlp.losses` for classes, such as ``CrossEntropy(label_smoothing=0.1)``, or one of
        your own. "hinge" gives `decision_function` in the place of probabilities.
    dropout : float or list of float, default 0
        The share of units of each hidden layer left out in a step.
    input_dropout : float, default 0
    norm : {"layer", "rms", "batch"}, optional
        Of the hidden layers.
    residual : bool, default False
        Add to the outputs of a hidden layer its inputs, where it has as many of both.
    init : str or Initializer, default "auto"
        "auto" draws as scikit-learn does; others are those of `pymlp.initializers`.
    scale : bool, default False
        Bring the inputs to mean 0 and deviation 1 inside the model. They are measured once, by the
        first `fit` or `partial_fit`; a warm start keeps them.
    l1 : float, default 0
        As `alpha`, of the absolute weights.
    clip_norm : float, optional
        Scale the gradient back to this length where it is longer.
    average : float, optional
        Average the parameters over the steps, with this decay, such as 0.999.
    class_weight : dict or "balanced", optional
        A weight for each class, which multiplies the sample weights; classes that it does not name
        have 1.
    monitor : str or callable, optional
        What validation samples are scored by: "loss", a metric of `pymlp.metrics` by name, or a
        function ``f(y_true, y_pred)`` of which more is better. None: the accuracy.
    callbacks : iterable of callables, optional
        Each is called as ``callback(estimator, history)`` after every epoch; True ends training.
        What one raises ends it too, as pruning of a search does.
    max_seconds : float, optional
        End training after this long.
    n_jobs : int, optional
        Threads; -1 are all processors, None is what `pymlp.set_num_threads` says.
    dtype : float32 or float64, optional
        What the network computes in; None: as the inputs are.

    Attributes
    ----------
    classes_ : ndarray
        The classes; of labels their numbers.
    network_ : Network
        The network itself: gradients, layers, plans. Where `scale` is set its inputs are scaled.
    coefs_, intercepts_ : list of ndarray
        Weights (n_in, n_out) and biases of every layer. They are the network's own: what is written
        to them counts.
    loss_, best_loss_ : float
        The last and the least training loss, penalties included.
    loss_curve_ : list of float
    validation_scores_ : list of float, or None
        The score after every epoch.
    best_validation_score_ : float, or None
    n_iter_ : int
        Epochs of the last `fit`.
    t_ : int
        Samples seen.
    n_features_in_, n_layers_, n_outputs_ : int
    feature_names_in_ : ndarray
        Where X had names.
    out_activation_ : str

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = pymlp.MLPClassifier(solver="lbfgs", scale=True, random_state=0).fit(X, y)
    >>> model.predict(X[:2]), model.score(X, y) > 0.95
    (array([0, 0]), True)
    """

    _usual_score = "accuracy"
    _checks_of_y: dict[str, Any] = {}  # noqa: RUF012

    def __init__(
        self,
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
        loss: Any = "log_loss",
        dropout: Any = 0.0,
        input_dropout: float = 0.0,
        norm: str | None = None,
        residual: bool = False,
        init: Any = "auto",
        scale: bool = False,
        l1: float = 0.0,
        clip_norm: float | None = None,
        average: float | None = None,
        class_weight: Any = None,
        monitor: Any = None,
        callbacks: Any = None,
        max_seconds: float | None = None,
        n_jobs: int | None = None,
        dtype: Any = None,
    ) -> None:
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
        self.loss = loss
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.norm = norm
        self.residual = residual
        self.init = init
        self.scale = scale
        self.l1 = l1
        self.clip_norm = clip_norm
        self.average = average
        self.class_weight = class_weight
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
        y : array-like, shape (n_samples,) or (n_samples, n_labels)
            Classes, numbers or strings; or 0 and 1 for each label that a sample may have.
        sample_weight : array-like, shape (n_samples,), optional
        validation : tuple, optional
            ``(Xv, yv)`` or ``(Xv, yv, weights)``: what is scored after every epoch, in the place of
            a fraction that is held out. Whether that stops the training is for `early_stopping`.
        checkpoint, checkpoint_every, resume : optional
            As in `Network.fit`: a file that the training goes on from where it was ended. Not for
            sparse X.

        Returns
        -------
        MLPClassifier
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
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Learn for one epoch from samples, going on from what was learnt before.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        classes : array-like, optional
            All classes that will ever come; needed in the first call.

        Returns
        -------
        MLPClassifier
            Itself.
        """
        self._take_classes(y, classes)
        return self._train(X, y, sample_weight, None, None, incremental=True)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of each sample, (n_samples,), or its labels, (n_samples, n_labels)."""
        return self._decode(self._outputs(X))

    @available_if(_has_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return the probability of every class, or label, in the order of `classes_`."""
        outputs = self._outputs(X)
        if self._multilabel or outputs.shape[1] > 1:
            return outputs
        if len(self.classes_) == 1:
            return np.ones_like(outputs)
        return np.hstack([1 - outputs, outputs])

    @available_if(_has_probabilities)  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> NDArray[Any]:
        """Return the logarithms of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))  # type: ignore[no-any-return]

    @available_if(_has_margins)  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> NDArray[Any]:
        """Return the scores of the hinge loss: (n_samples,) of two classes, else one for each."""
        outputs = self._outputs(X)
        return outputs[:, 0] if outputs.shape[1] == 1 and not self._multilabel else outputs

    @classmethod
    def from_network(
        cls,
        network: Network,
        classes: Any = None,
        *,
        multilabel: bool = False,
        feature_names: Any = None,
    ) -> Self:
        """Return a fitted classifier around a network.

        Parameters
        ----------
        network : Network
            It is `network_` itself, not a copy. Its output is softmax; or sigmoid, of one output
            for two classes, or of one for each label.
        classes : array-like, optional
            What its outputs stand for, sorted; None: 0, 1, ...
        multilabel : bool, default False
            Whether a sample may have any number of labels.
        feature_names : sequence of str, optional
            Names of the inputs: frames are checked for them.

        Returns
        -------
        MLPClassifier

        Raises
        ------
        ValueError
            If the outputs are no probabilities of these classes.

        Examples
        --------
        >>> net = pymlp.Network([2, 3, 2], output="softmax", seed=0)
        >>> pymlp.MLPClassifier.from_network(net, ["no", "yes"]).predict([[1.0, 2.0]]).shape
        (1,)
        """
        n, output = network.widths[-1], network.layers[-1].activation.name
        if output != "sigmoid" and (output != "softmax" or multilabel):
            raise ValueError(f"network must end in softmax or sigmoid, not {output}")
        if output == "sigmoid" and n > 1 and not multilabel:
            raise ValueError("several sigmoid outputs are labels: multilabel=True")
        made = cls._around(network, feature_names)
        n_classes = n if multilabel else max(2, n)
        made.classes_ = np.arange(n_classes) if classes is None else np.asarray(classes)
        if made.classes_.shape != (n_classes,):
            raise ValueError(f"classes must be {n_classes}, not {made.classes_.size}")
        if not np.array_equal(made.classes_, np.unique(made.classes_)):
            raise ValueError("classes must be sorted, each once: scikit-learn has them so")
        made._multilabel = multilabel
        return made

    # ---- classes ---------------------------------------------------------------------------------

    def _take_classes(self, y: Any, classes: Any) -> None:
        """Take the classes of a first `partial_fit`, or refuse others in a later one."""
        known = vars(self).get("classes_")
        if known is None and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if classes is None:
            return
        given = unique_labels(classes)
        if known is not None and not np.array_equal(known, given):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: "
                f"{known!r}"
            )
        if known is None:
            self._multilabel = str(type_of_target(y)).startswith("multilabel")
            self.classes_ = given

    def _encode(self, y: Any, *, incremental: bool) -> NDArray[Any]:
        kind = type_of_target(y)
        if kind not in ("binary", "multiclass", "multilabel-indicator"):
            check_classification_targets(y)
            raise ValueError("Multioutput target data is not supported: y must be 0 or 1 per label")
        known = hasattr(self, "classes_") and (incremental or self.warm_start)
        if not known:
            self._multilabel = kind == "multilabel-indicator"
            self.classes_ = np.arange(y.shape[1]) if self._multilabel else np.unique(y)
        elif self.warm_start and not incremental:
            self._refuse_other_classes(unique_labels(y))
        return self._known(y)

    def _refuse_other_classes(self, classes: Any) -> None:
        if set(classes) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {self.classes_}, `y` has {classes}"
            )

    def _known(self, y: Any) -> NDArray[Any]:
        if self._multilabel:
            indicators = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
            if indicators.ndim != 2 or indicators.shape[1] != len(self.classes_):
                raise ValueError(f"y must have {len(self.classes_)} labels for each sample")
            return indicators.astype(np.int64)
        y = np.asarray(y)
        codes: NDArray[Any] = np.searchsorted(self.classes_, y)
        if (codes == len(self.classes_)).any() or (self.classes_[codes] != y).any():
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. "
                f"'y' has {unique_labels(y)}."
            )
        return codes

    def _labels(self, codes: NDArray[Any]) -> NDArray[Any]:
        labels: NDArray[Any] = codes if self._multilabel else self.classes_[codes]
        return labels

    def _decode(self, outputs: NDArray[Any]) -> NDArray[Any]:
        half = 0.0 if objective.is_hinge(self.loss) else 0.5
        if self._multilabel:
            return (outputs > half).astype(np.int64)
        if outputs.shape[1] > 1:
            codes = outputs.argmax(axis=1)
        else:
            codes = (outputs[:, 0] > half).astype(np.intp) * (len(self.classes_) > 1)
        return self._labels(codes)

    # ---- what the network learns -----------------------------------------------------------------

    def _outputs_of(self, codes: NDArray[Any]) -> int:
        n = len(self.classes_)
        return n if self._multilabel or n > 2 else 1

    def _objective(self, outputs: int) -> Objective:
        return objective.of_classifier(self.loss, outputs, exclusive=not self._multilabel)

    def _targets(self, codes: NDArray[Any], objective: Objective) -> NDArray[Any]:
        if objective.output == "softmax" and objective.takes_labels:
            return codes.astype(np.int32)
        if not self._multilabel and (objective.output == "softmax" or len(self.classes_) > 2):
            codes = codes[:, np.newaxis] == np.arange(len(self.classes_))
        low = -1.0 if objective.loss.name == "hinge" else 0.0
        return np.where(codes, 1.0, low)

    def _strata(self, codes: Any) -> Any:
        # In the form that scikit-learn divides by, so that the parts are its own.
        return codes.astype(bool).reshape(-1, 1) if self._outputs_of(codes) == 1 else None

    def _compared(self, given: Validation, outputs: NDArray[Any]) -> Comparison:
        kind = "labels" if self._multilabel else "classes"
        activation = self.network_.layers[-1].activation.name
        return Comparison(kind, given.codes, given.targets, outputs, activation, given.weights)

    def _with_class_weights(self, weights: Any, codes: Any, *, incremental: bool) -> Any:
        if self.class_weight is None:
            return weights
        if incremental and isinstance(self.class_weight, str):
            raise ValueError(
                "class_weight='balanced' does not go with partial_fit, which sees a part of the "
                "samples; give a dict of weights"
            )
        of_classes = self._class_weights(codes)
        product = of_classes if weights is None else weights * of_classes
        if not product.any():
            raise ValueError("class_weight must not leave a weight of 0 for every sample")
        return product

    def _class_weights(self, codes: NDArray[Any]) -> NDArray[Any]:
        """Return the weight of each sample's class."""
        given = self.class_weight
        if isinstance(given, str) and given != "balanced":
            raise unknown_name("class_weight", given, ["balanced"])
        if self._multilabel:
            return np.asarray(compute_sample_weight(given, codes))
        if isinstance(given, str):
            counts = np.bincount(codes, minlength=len(self.classes_))
            table = len(codes) / (np.count_nonzero(counts) * np.maximum(counts, 1))
        elif isinstance(given, Mapping):
            table = self._class_weight_table(given)
        else:
            raise TypeError(
                f"class_weight must be a dict or 'balanced', not {_checks.type_name(given)}"
            )
        return np.asarray(table[codes], np.float64)

    def _class_weight_table(self, given: Mapping[Any, Any]) -> NDArray[np.float64]:
        table = np.ones(len(self.classes_))
        places = {label: i for i, label in enumerate(self.classes_.tolist())}
        for label, weight in given.items():
            key = label.item() if isinstance(label, np.generic) else label
            if key not in places:
                known = ", ".join(map(repr, places))
                raise ValueError(f"class_weight names {key!r}, which is no class of y: {known}")
            table[places[key]] = _checks.number(f"class_weight[{key!r}]", weight, minimum=0.0)
        return table

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
