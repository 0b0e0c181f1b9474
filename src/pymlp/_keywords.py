"""Keywords that other libraries have, and what is written here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from pymlp._registry import nearest

# By function: what other libraries call an option, and what is written here.
_ELSEWHERE = {
    "fit": {
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
        "clipnorm": "clip_norm",
        "clipvalue": "clip_value",
        "lr_scheduler": "schedule",
        "scheduler": "schedule",
        "n_jobs": "threads",
        "num_threads": "threads",
        "n_threads": "threads",
        "timeout": "max_seconds",
        "max_time": "max_seconds",
        "dropout": "Network(..., dropout=...)",
        "step_size": "learning_rate, or schedule=pymlp.schedules.Step(step_size)",
        "tolerance": "early_stopping=pymlp.EarlyStopping(patience, min_delta=...)",
        "val": "validation=(Xv, yv)",
        "X_val": "validation=(Xv, yv)",
        "y_val": "validation=(Xv, yv)",
        "warm_start": "fit once more: it goes on from the parameters as they are",
        "weights": "sample_weight",
        "workers": "threads",
    },
    "train_batch": {
        "lr": "optimizer=pymlp.Adam(learning_rate)",
        "learning_rate": "optimizer=pymlp.Adam(learning_rate)",
        "weight_decay": "l2, or optimizer=pymlp.AdamW(weight_decay=...)",
        "weights": "sample_weight",
        "criterion": "loss",
        "loss_fn": "loss",
        "n_jobs": "threads",
        "class_weight": "sample_weight",
    },
    "__init__": {
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
        "learning_rate": "fit(..., learning_rate=...)",
        "lr": "fit(..., learning_rate=...)",
        "optimizer": "fit(..., optimizer=...)",
        "solver": "fit(..., optimizer=...)",
        "loss": "fit(..., loss=...)",
    },
}


def refuse_unknown(function: Callable[..., Any], unknown: Mapping[str, Any]) -> None:
    """Refuse keywords that a function does not have, and say which were probably meant."""
    if not unknown:
        return
    name = next(iter(unknown))
    parameters = inspect.signature(function).parameters.values()
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    elsewhere = _ELSEWHERE[function.__name__]
    meant = elsewhere.get(name)
    if meant is None:
        near = nearest(name, [*known, *elsewhere])
        meant = elsewhere.get(near, near) if near else None
    hint = f"; use {meant}" if meant else f"; known are {', '.join(sorted(known))}"
    raise TypeError(f"{function.__qualname__}() got an unexpected keyword argument '{name}'{hint}")
