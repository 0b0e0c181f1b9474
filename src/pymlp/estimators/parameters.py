"""The parameters of the estimators, checked when `fit` begins, and what they mean to a network."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from pymlp import _arrays, _checks, activations, initializers
from pymlp._registry import unknown_name
from pymlp.activations import Activation
from pymlp.initializers import Initializer
from pymlp.optimizers import LBFGS, SGD, Adam, Optimizer
from pymlp.optimizers import resolve as resolve_optimizer
from pymlp.schedules import Schedule

LEARNING_RATES = ("constant", "invscaling", "adaptive")
_SCIPY_FTOL = 2.220446049250313e-09  # which scikit-learn leaves as it is
_LARGEST_MOMENTUM = math.nextafter(1.0, 0.0)  # scikit-learn takes 1 as well, and pymlp does not


def check(of: Any) -> None:
    """Refuse parameters that are of the wrong kind or out of range.

    Parameters
    ----------
    of : estimator

    Raises
    ------
    TypeError, ValueError
        With the name of the parameter.
    """
    for name in (
        "shuffle",
        "warm_start",
        "nesterovs_momentum",
        "early_stopping",
        "residual",
        "scale",
    ):
        _flag(name, getattr(of, name))
    for name in ("alpha", "power_t", "tol", "l1"):
        _checks.number(name, getattr(of, name), minimum=0.0)
    for name in ("learning_rate_init", "epsilon"):
        _checks.number(name, getattr(of, name), above=0.0)
    for name in ("beta_1", "beta_2", "validation_fraction"):
        _checks.number(name, getattr(of, name), minimum=0.0, below=1.0)
    _checks.number("momentum", of.momentum, minimum=0.0, maximum=1.0)
    for name in ("max_iter", "max_fun"):
        _checks.integer(name, getattr(of, name), minimum=1)
    if of.n_iter_no_change != math.inf:
        _checks.integer("n_iter_no_change", of.n_iter_no_change, minimum=1)
    if not (isinstance(of.batch_size, str) and of.batch_size == "auto"):
        _checks.integer("batch_size", of.batch_size, minimum=1)
    if not isinstance(of.verbose, bool | np.bool_):
        _checks.integer("verbose", of.verbose, minimum=0)
    _check_learning_rate(of)


def _flag(name: str, value: Any) -> None:
    if not isinstance(value, np.bool_):
        _checks.flag(name, value)


def _check_learning_rate(of: Any) -> None:
    rate = of.learning_rate
    if isinstance(rate, Schedule):
        if is_lbfgs(of):
            raise ValueError("learning_rate: a schedule does not go with lbfgs, which has no rate")
    elif not isinstance(rate, str):
        raise TypeError(
            "learning_rate must be 'constant', 'invscaling', 'adaptive' or a schedule of "
            f"pymlp.schedules, not {_checks.type_name(rate)}; its value is learning_rate_init"
        )
    elif rate not in LEARNING_RATES:
        raise unknown_name("learning_rate", rate, LEARNING_RATES)


def is_lbfgs(of: Any) -> bool:
    """Tell whether an estimator's solver is L-BFGS."""
    return of.solver == "lbfgs" if isinstance(of.solver, str) else isinstance(of.solver, LBFGS)


def optimizer(of: Any, factor: float) -> Optimizer:
    """Return a fresh optimiser.

    Parameters
    ----------
    of : estimator
    factor : float
        Of the gradients; see `pymlp.estimators.objective`. By "sgd" the rate takes it in, Adam's
        steps do not depend on it, and the thresholds of "lbfgs" are divided by it.
    """
    rate = float(of.learning_rate_init)
    if isinstance(of.solver, Optimizer):
        return of.solver.fresh()
    if not isinstance(of.solver, str):
        raise TypeError(
            f"solver must be a name or an optimiser of pymlp, not {_checks.type_name(of.solver)}"
        )
    if of.solver == "sgd":
        momentum = min(float(of.momentum), _LARGEST_MOMENTUM)
        nesterov = bool(of.nesterovs_momentum) and momentum > 0
        return SGD(rate * factor, momentum=momentum, nesterov=nesterov)
    if of.solver == "adam":
        return Adam(rate, beta1=of.beta_1, beta2=of.beta_2, epsilon=of.epsilon / factor)
    if of.solver == "lbfgs":
        return LBFGS(
            tolerance_gradient=of.tol / factor,
            tolerance_change=_SCIPY_FTOL / factor,
            max_evaluations=int(of.max_fun),
        )
    try:
        return resolve_optimizer(of.solver, rate)
    except ValueError as error:
        raise ValueError(f"solver: {error}") from None


def hidden_sizes(of: Any) -> list[int]:
    """Return the widths of the hidden layers, of which `n_layers` and `width` say more."""
    given = of.hidden_layer_sizes
    sizes = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    if any(
        not isinstance(n, bool | np.bool_) and hasattr(n, "__index__") and n <= 0 for n in sizes
    ):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    sizes = [_checks.integer("hidden_layer_sizes", n, minimum=1) for n in sizes]
    if of.n_layers is None and of.width is None:
        return sizes
    layers, width = of.n_layers, of.width
    layers = len(sizes) if layers is None else _checks.integer("n_layers", layers, minimum=0)
    if width is None and not sizes and layers:
        raise ValueError("n_layers needs a width where hidden_layer_sizes is empty")
    width = sizes[:1] if width is None else [_checks.integer("width", width, minimum=1)]
    return width * layers


def hidden_activations(of: Any, layers: int) -> list[Activation]:
    """Return the activation of every hidden layer."""
    given = of.activation
    if isinstance(given, str | Activation):
        return [activations.resolve("activation", given)] * layers
    if not isinstance(given, Iterable):
        raise TypeError(
            "activation must be a name, an Activation or a list of these, not "
            f"{_checks.type_name(given)}"
        )
    found = [activations.resolve(f"activation[{i}]", g) for i, g in enumerate(given)]
    if len(found) != layers:
        raise ValueError(
            f"activation must have an entry for each of {layers} hidden layers, not {len(found)}"
        )
    return found


def initializer(of: Any) -> Initializer | None:
    """Return how weights begin; None: as in scikit-learn."""
    given = of.init
    return None if isinstance(given, str) and given == "auto" else initializers.resolve(given)


def threads(of: Any) -> int | None:
    """Return the number of threads, of which `n_jobs` is another name; -1 are all processors."""
    if of.n_jobs is None:
        return None
    count = _checks.integer("n_jobs", of.n_jobs, minimum=-1)
    if count == 0:
        raise ValueError("n_jobs must be a number of threads, or -1 for all processors, not 0")
    return _processors() if count < 0 else count


def _processors() -> int:
    import os

    available = getattr(os, "sched_getaffinity", None)
    return len(available(0)) if available else os.cpu_count() or 1


def dtype(of: Any, X: Any) -> np.dtype[Any]:
    """Return the network's dtype: the one that is asked for, or that of the inputs."""
    return np.dtype(X.dtype) if of.dtype is None else _arrays.float_dtype(of.dtype)


def callbacks(of: Any) -> list[Any]:
    """Return the user's callbacks."""
    given = () if of.callbacks is None else of.callbacks
    if not isinstance(given, Iterable):
        raise TypeError(
            f"callbacks must be an iterable of callables, not {_checks.type_name(given)}"
        )
    found = list(given)
    for i, callback in enumerate(found):
        if not callable(callback):
            raise TypeError(f"callbacks[{i}] must be callable, not {_checks.type_name(callback)}")
    return found
