"""Models of tables from files: what `saving` wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pymlp.files import stored as checks
from pymlp.files.stored import MALFORMED
from pymlp.files.values import restored
from pymlp.network import Network
from pymlp.stack import NetworkStack
from pymlp.tabular.classifier import TabularClassifier
from pymlp.tabular.encoder import TableEncoder
from pymlp.tabular.model import TableModel
from pymlp.tabular.regressor import TabularRegressor
from pymlp.tabular.saving import FORMAT, HISTORY, TEXT
from pymlp.training import History
from pymlp.training.monitor import Monitor

__all__ = ["from_file"]

_KINDS: dict[str, type[TableModel]] = {
    "TabularClassifier": TabularClassifier,
    "TabularRegressor": TabularRegressor,
}


def from_file(network: Network | NetworkStack, texts: Mapping[str, str]) -> TableModel:
    """Return the model whose network, or stack of them, and texts a file has.

    Raises
    ------
    ValueError
        If the texts are of no model.
    """
    try:
        networks = network.networks if isinstance(network, NetworkStack) else (network,)
        return _read(networks, checks.parsed(texts[TEXT]))
    except MALFORMED as error:
        raise ValueError(f"the model of a table in it cannot be read: {error}") from None


def _read(networks: Sequence[Network], stored: dict[str, Any]) -> TableModel:
    if stored["format"] != FORMAT:
        raise ValueError(f"its format {stored['format']!r} is unknown to this version")
    kind = _KINDS[stored["kind"]]
    known = kind._parameters()
    model = kind(**{n: restored(v) for n, v in stored["parameters"].items() if n in known})
    encoder = TableEncoder.from_json(json.dumps(stored["encoder"]))
    histories = [_history(one, stored["monitor"]) for one in stored["histories"]]
    for network, history in zip(networks, histories, strict=True):
        network.history = history
    if not isinstance(stored["notes"], dict):
        raise ValueError(f"its notes must be a dict, not {stored['notes']!r:.50}")
    _check_target(stored["target"], encoder.n_features_in_)
    model._restore(encoder, networks, _rows(stored["rows"]), stored["target"], stored["notes"])
    model._explaining_from_dict(stored.get("explaining", {}))
    n_outputs, network = model._n_outputs, networks[0]
    if (encoder.n_inputs_, n_outputs) != (network.widths[0], network.widths[-1]):
        raise ValueError(
            f"its columns become {encoder.n_inputs_} inputs and it has {n_outputs} outputs, but "
            f"its network is {network.widths[0]}-...-{network.widths[-1]}"
        )
    return model


def _check_target(target: dict[str, Any], n_columns: int) -> None:
    """Refuse names and places in X that are none, or are of another number of targets."""
    n_targets = np.size(target.get("mean", 0.0))
    for what, kind in (("name", str), ("place", int)):
        given = target[what]
        values = given if isinstance(given, list) else [given] * n_targets
        wrong = len(values) != n_targets or any(type(value) is not kind for value in values)
        if given is not None and wrong:
            raise ValueError(f"the target's {what} cannot be {given!r:.50}")
    if target["place"] is not None:
        for place in np.ravel(target["place"]).tolist():
            checks.integer("the target's place", place, below=n_columns + n_targets)


def _rows(stored: dict[str, Any]) -> dict[str, int]:
    return {part: checks.integer(f"rows of {part}", n, below=2**63) for part, n in stored.items()}


def _history(stored: dict[str, Any], monitor: list[Any]) -> History:
    history = History()
    record = {name: stored[name] for name in HISTORY}
    metrics = record["metrics"].items()
    history.metrics = {name: checks.numbers(name, values) for name, values in metrics}
    for name in ("loss", "val_loss", "penalty", "learning_rate"):
        setattr(history, name, checks.numbers(name, record[name]))
    history.stopped_by = str(record["stopped_by"])
    name, more_is_better, min_delta, *ties = monitor  # the first files know no ties
    history._monitor = Monitor(str(name), bool(more_is_better), float(min_delta), any(ties))
    return history
