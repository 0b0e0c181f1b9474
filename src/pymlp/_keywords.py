"""Keywords that other libraries have, and what is written here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from pymlp._registry import nearest
from pymlp._values import constructor_signature

# By function: what other libraries call an option, and what is written here.
_ELSEWHERE = {
    "Network.fit": {
        "lr": "learning_rate",
        "learning_rate_init": "learning_rate",
        "verbose": "progress=True",
        "validation_split": "validation=0.1, the share to hold out",
        "validation_fraction": "validation=0.1, the share to hold out",
        "validation_data": "validation=(Xv, yv)",
        "n_epochs": "epochs",
        "num_epochs": "epochs",
        "nb_epoch": "epochs",
        "max_iter": "epochs",
        "max_epochs": "epochs",
        "n_iter_no_change": "early_stopping, the patience in epochs",
        "patience": "early_stopping, the patience in epochs",
        "tol": "early_stopping=pymlp.EarlyStopping(patience, min_delta=...)",
        "min_delta": "early_stopping=pymlp.EarlyStopping(patience, min_delta=...)",
        "restore_best_weights": "early_stopping=pymlp.EarlyStopping(patience, restore_best=...)",
        "alpha": "l2; scikit-learn's alpha is l2 times the number of samples",
        "weight_decay": "l2, or optimizer=pymlp.AdamW(weight_decay=...)",
        "momentum": "optimizer=pymlp.SGD(learning_rate, momentum=...)",
        "solver": "optimizer",
        "criterion": "loss",
        "loss_function": "loss",
        "loss_fn": "loss",
        "random_state": "seed",
        "max_grad_norm": "clip_norm",
        "ema": "average, the decay",
        "use_ema": "average, the decay",
        "ema_decay": "average",
        "ema_momentum": "average",
        "clipnorm": "clip_norm",
        "clipvalue": "clip_value",
        "swa": "average, the decay",
        "groups": "optimizer=pymlp.Adam(groups=...)",
        "param_groups": "optimizer=pymlp.Adam(groups=...)",
        "trainable": "freeze, the layers that stand still",
        "lr_scheduler": "schedule",
        "scheduler": "schedule",
        "n_jobs": "threads",
        "num_threads": "threads",
        "n_threads": "threads",
        "timeout": "max_seconds",
        "max_time": "max_seconds",
        "dropout": "Network(..., dropout=...)",
        "activation": "Network(..., hidden=..., output=...)",
        "hidden": "Network(..., hidden=...)",
        "output": "Network(..., output=...)",
        "hidden_layer_sizes": "Network([n_in, *sizes, n_out])",
        "initial_epoch": "epochs: fit goes on from the parameters as they are",
        "initializer": "Network(..., init=...)",
        "step_size": "learning_rate, or schedule=pymlp.schedules.Step(step_size)",
        "tolerance": "early_stopping=pymlp.EarlyStopping(patience, min_delta=...)",
        "val": "validation=(Xv, yv)",
        "X_val": "validation=(Xv, yv)",
        "y_val": "validation=(Xv, yv)",
        "warm_start": "fit once more: it goes on from the parameters as they are",
        "weights": "sample_weight",
        "workers": "threads",
    },
    "Network.train_batch": {
        "lr": "optimizer=pymlp.Adam(learning_rate)",
        "learning_rate": "optimizer=pymlp.Adam(learning_rate)",
        "weight_decay": "l2, or optimizer=pymlp.AdamW(weight_decay=...)",
        "weights": "sample_weight",
        "criterion": "loss",
        "loss_fn": "loss",
        "n_jobs": "threads",
        "class_weight": "sample_weight",
    },
    "LBFGS.__init__": {
        "lr": "no learning rate: the line search finds the step",
        "learning_rate": "no learning rate: the line search finds the step",
        "max_iter": "fit(..., epochs=...)",
        "max_ls": "max_line_search",
        "maxcor": "history_size",
    },
    "Network.__init__": {
        "hidden_layer_sizes": "widths: Network([n_in, *sizes, n_out])",
        "activation": "hidden, and output for the last layer",
        "activations": "hidden, and output for the last layer",
        "hidden_activation": "hidden",
        "output_activation": "output",
        "out_activation": "output",
        "initializer": "init",
        "kernel_initializer": "init",
        "use_bias": "bias",
        "random_state": "seed",
        "dropout_rate": "dropout",
        "dropout_input": "input_dropout",
        "batch_norm": "norm='batch'",
        "batchnorm": "norm='batch'",
        "use_batch_norm": "norm='batch'",
        "layer_norm": "norm='layer'",
        "layernorm": "norm='layer'",
        "rms_norm": "norm='rms'",
        "normalization": "norm",
        "norm_layer": "norm",
        "skip": "residual",
        "skip_connections": "residual",
        "input_scale": "scale_inputs",
        "learning_rate": "fit(..., learning_rate=...)",
        "lr": "fit(..., learning_rate=...)",
        "optimizer": "fit(..., optimizer=...)",
        "solver": "fit(..., optimizer=...)",
        "loss": "fit(..., loss=...)",
    },
}
_ELSEWHERE["NetworkStack.fit"] = _ELSEWHERE["Network.fit"]
_OF_OPTIMIZERS = {
    "lr": "learning_rate",
    "learning_rate_init": "learning_rate",
    "eps": "epsilon",
    "betas": "beta1 and beta2",
    "alpha": "beta, or weight_decay",
    "rho": "beta",
    "momentum": "pymlp.SGD(learning_rate, momentum=...)",
    "nesterov": "pymlp.SGD(learning_rate, momentum=..., nesterov=True)",
    "decay": "weight_decay, or fit(..., schedule=...)",
    "lr_decay": "learning_rate_decay of pymlp.Adagrad, or fit(..., schedule=...)",
    "initial_accumulator_value": "initial_accumulator",
    "l2": "weight_decay, or fit(..., l2=...)",
    "clipnorm": "fit(..., clip_norm=...)",
    "clipvalue": "fit(..., clip_value=...)",
    "max_iter": "fit(..., epochs=...)",
}


class HintsAtKeywords(type):
    """The class of classes whose constructor says which keyword was probably meant."""

    def __call__(cls, *values: Any, **options: Any) -> Any:
        if options:
            refuse_unknown(cls.__init__, _unknown(cls.__init__, options))  # type: ignore[misc]
        return super().__call__(*values, **options)

    @property
    def __signature__(cls) -> inspect.Signature:
        return constructor_signature(cls)


def _unknown(function: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that a function does not take."""
    parameters = inspect.signature(function).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return {}
    return {name: value for name, value in options.items() if name not in parameters}


def refuse_unknown(function: Callable[..., Any], unknown: Mapping[str, Any]) -> None:
    """Refuse keywords that a function does not have, and say which were probably meant."""
    if not unknown:
        return
    name = next(iter(unknown))
    parameters = inspect.signature(function).parameters.values()
    optional = (p for p in parameters if p.kind is p.KEYWORD_ONLY or p.default is not p.empty)
    known = [p.name for p in optional]
    elsewhere = _ELSEWHERE.get(function.__qualname__, _OF_OPTIMIZERS)
    meant = elsewhere.get(name)
    if meant is None:
        near = nearest(name, [*known, *elsewhere])
        meant = elsewhere.get(near, near) if near else None
    hint = f"; use {meant}" if meant else f"; known are {', '.join(sorted(known))}"
    raise TypeError(f"{function.__qualname__}() got an unexpected keyword argument '{name}'{hint}")
