"""From scikit-learn's fitted networks to pymlp's, and back."""

from __future__ import annotations

import inspect
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import neural_network  # type: ignore[import-untyped]
from sklearn.preprocessing import LabelBinarizer  # type: ignore[import-untyped]
from sklearn.utils import check_random_state  # type: ignore[import-untyped]
from sklearn.utils.validation import check_is_fitted  # type: ignore[import-untyped]

from pymlp import _checks
from pymlp.estimators import starting
from pymlp.estimators.base import BaseMLP
from pymlp.estimators.classifier import MLPClassifier
from pymlp.estimators.regressor import MLPRegressor

# scikit-learn's names of hidden activations, by pymlp's.
_ACTIVATIONS = {"linear": "identity", "sigmoid": "logistic", "tanh": "tanh", "relu": "relu"}
_RECORD = (
    "n_iter_", "t_", "loss_", "loss_curve_", "best_loss_", "validation_scores_",
    "best_validation_score_", "n_features_in_", "feature_names_in_", "classes_",
    "_no_improvement_count",
)  # fmt: skip


def from_sklearn(estimator: Any) -> BaseMLP:
    """Return a fitted network of scikit-learn as one of pymlp, with equal predictions.

    Parameters
    ----------
    estimator : sklearn.neural_network.MLPClassifier or MLPRegressor
        Fitted.

    Returns
    -------
    MLPClassifier or MLPRegressor
        Of pymlp, with the same parameters, weights and record. What the optimiser remembers stays
        behind: `partial_fit` begins with a fresh one.

    Raises
    ------
    TypeError
        If it is another kind of estimator.
    sklearn.exceptions.NotFittedError
        If it is not fitted.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> theirs = MLPClassifier(solver="lbfgs", random_state=0, max_iter=500).fit(X, y)
    >>> ours = pymlp.from_sklearn(theirs)
    >>> bool(abs(ours.predict_proba(X) - theirs.predict_proba(X)).max() < 1e-12)
    True
    """
    kinds: dict[type, type[BaseMLP]] = {
        neural_network.MLPClassifier: MLPClassifier,
        neural_network.MLPRegressor: MLPRegressor,
    }
    kind = next((ours for theirs, ours in kinds.items() if isinstance(estimator, theirs)), None)
    if kind is None:
        raise TypeError(
            "estimator must be an MLPClassifier or MLPRegressor of sklearn.neural_network, not "
            f"{_checks.type_name(estimator)}"
        )
    check_is_fitted(estimator)
    made = kind(**estimator.get_params(deep=False))
    made._reset_record()
    _copy_record(estimator, made)
    if isinstance(made, MLPClassifier):
        made._multilabel = estimator._label_binarizer.y_type_.startswith("multilabel")
    n_in, n_out = estimator.n_features_in_, estimator.n_outputs_
    dtype = estimator.coefs_[0].dtype
    network = starting.network(made, n_in, n_out, made._objective(n_out), dtype, 0)
    made._adopt_plain(network)
    made.coefs_, made.intercepts_ = estimator.coefs_, estimator.intercepts_
    return made


def to_sklearn(estimator: BaseMLP) -> Any:
    """Return a fitted estimator as scikit-learn's, with equal predictions.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted, and a network that scikit-learn has too: no norm, no residuals, one of its four
        hidden activations. The scale of the inputs goes into the first layer.

    Returns
    -------
    sklearn.neural_network.MLPClassifier or MLPRegressor
        With those parameters that it knows; where it does not know a solver or a schedule, its own
        defaults.

    Raises
    ------
    TypeError, ValueError
        If it is no such estimator; the message tells everything that scikit-learn does not have.
    sklearn.exceptions.NotFittedError
        If it is not fitted.

    Examples
    --------
    >>> X, y = np.eye(4), [0, 1, 0, 1]
    >>> ours = pymlp.MLPClassifier(solver="lbfgs", random_state=0).fit(X, y)
    >>> pymlp.to_sklearn(ours).predict(X).tolist()
    [0, 1, 0, 1]
    """
    if not isinstance(estimator, BaseMLP):
        raise TypeError(
            "estimator must be an MLPClassifier or MLPRegressor of pymlp, not "
            f"{_checks.type_name(estimator)}"
        )
    check_is_fitted(estimator)
    _refuse_what_it_lacks(estimator)
    kind = getattr(neural_network, "MLP" + type(estimator).__name__.split("MLP")[-1])
    made = kind(**_parameters(estimator, kind))
    _copy_record(estimator, made)
    network = estimator.network_
    made.n_layers_, made.n_outputs_ = estimator.n_layers_, estimator.n_outputs_
    made.out_activation_ = estimator.out_activation_
    made.coefs_, made.intercepts_ = _arrays_of(estimator)
    if estimator.early_stopping:  # what a warm start returns to, unless it finds better
        made._best_coefs = [w.copy() for w in made.coefs_]
        made._best_intercepts = [b.copy() for b in made.intercepts_]
    made._random_state = check_random_state(estimator.random_state)
    if isinstance(estimator, MLPClassifier):
        k = network.widths[-1]
        labels = np.eye(k, dtype=int) if estimator._multilabel else estimator.classes_
        made._label_binarizer = LabelBinarizer().fit(labels)
    return made


def _copy_record(of: Any, to: Any) -> None:
    for name in _RECORD:
        if name in vars(of):
            setattr(to, name, copy(getattr(of, name)))


def _refuse_what_it_lacks(of: BaseMLP) -> None:
    network = of.network_
    hidden = {layer.activation.name for layer in network.layers[:-1]}
    outputs = ("softmax", "logistic") if isinstance(of, MLPClassifier) else ("identity", "exp")
    lacking = {
        f"norm='{network.norm}'": network.norm is not None,
        "residual=True": network.residual,
        "scale_inputs=True": network.scale_inputs,
        "an embedding": bool(network.embedding),
        "layers without biases": not network.bias,
        f"hidden activations {', '.join(sorted(hidden))}": (
            len(hidden) > 1 or not hidden <= _ACTIVATIONS.keys()
        ),
        f"the output activation {of.out_activation_}": of.out_activation_ not in outputs,
        "a single label": getattr(of, "_multilabel", False) and network.widths[-1] == 1,
    }
    found = [what for what, there in lacking.items() if there]
    if found:
        raise ValueError(f"scikit-learn's networks do not have: {'; '.join(found)}")


def _parameters(of: BaseMLP, kind: type) -> dict[str, Any]:
    """Return the parameters that scikit-learn's class knows, with values that it knows."""
    known = inspect.signature(kind).parameters
    given = {name: value for name, value in of.get_params(deep=False).items() if name in known}
    network = of.network_
    given["hidden_layer_sizes"] = network.widths[1:-1]
    if len(network.layers) > 1:
        given["activation"] = _ACTIVATIONS[network.layers[0].activation.name]
    for name, values in {
        "solver": ("adam", "sgd", "lbfgs"),
        "learning_rate": ("constant", "invscaling", "adaptive"),
    }.items():
        if not (isinstance(given[name], str) and given[name] in values):
            del given[name]
    if "loss" in given:
        given["loss"] = "poisson" if of.out_activation_ == "exp" else "squared_error"
    return given


def _arrays_of(of: BaseMLP) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
    """Return copies of weights and biases, the first layer's for inputs that are not scaled."""
    weights = [w.copy() for w in of.network_.weights]
    biases = [b.copy() for b in of.network_.biases]
    scale = of._input_scale
    if scale is not None:
        exact = weights[0].astype(np.float64) / scale.deviation[:, np.newaxis]
        weights[0] = exact
        biases[0] = biases[0] - scale.mean @ exact
    return weights, biases
