"""The network of an estimator, with the weights that scikit-learn's would begin with."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp.activations import Activation
from pymlp.estimators import parameters
from pymlp.estimators.objective import Objective
from pymlp.network import Network


def draws(
    random_state: np.random.RandomState, sizes: Sequence[int], hidden: Sequence[Activation]
) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """Return weights and biases as scikit-learn draws them, in its order.

    Uniform in plus or minus sqrt(6 / (n_in + n_out)), the biases too; 2 in the place of 6 for the
    logistic sigmoid. Glorot and Bengio, AISTATS 2010.
    """
    weights, biases = [], []
    for i, (n_in, n_out) in enumerate(pairwise(sizes)):
        before = hidden[min(i, len(hidden) - 1)].name if hidden else ""
        bound = np.sqrt((2.0 if before == "sigmoid" else 6.0) / (n_in + n_out))
        weights.append(random_state.uniform(-bound, bound, (n_in, n_out)))
        biases.append(random_state.uniform(-bound, bound, n_out))
    return weights, biases


def network(of: Any, n_in: int, n_out: int, objective: Objective, dtype: Any, seed: int) -> Network:
    """Return the network that an estimator's parameters describe.

    Parameters
    ----------
    of : estimator
    n_in, n_out : int
    objective : Objective
    dtype : float32 or float64
    seed : int
        Of the initialiser, where `init` names one of pymlp's, and of dropout.
    """
    hidden = parameters.hidden_sizes(of)
    return Network(
        [n_in, *hidden, n_out],
        hidden=parameters.hidden_activations(of, len(hidden)),
        output=objective.output,
        init=parameters.initializer(of) or "zeros",
        dropout=of.dropout,
        input_dropout=of.input_dropout,
        norm=of.norm,
        residual=bool(of.residual),
        dtype=dtype,
        seed=seed,
    )
