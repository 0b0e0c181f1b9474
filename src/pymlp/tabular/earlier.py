"""Models of tables that version 0.1 wrote: their columns are told in a text of another form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymlp.files import stored as checks
from pymlp.files.stored import MALFORMED
from pymlp.network import Network
from pymlp.tabular.classifier import TabularClassifier
from pymlp.tabular.encoder import Field, TableEncoder
from pymlp.tabular.fields import Category, Number
from pymlp.tabular.model import TableModel
from pymlp.tabular.regressor import TabularRegressor
from pymlp.training import History

__all__ = ["from_file"]

_MOST = 10_000_000  # columns of a table; an edited file could ask for any memory


def from_file(network: Network, texts: Mapping[str, str]) -> TableModel:
    """Return the model of a file of version 0.1: it predicts what it predicted then.

    Raises
    ------
    ValueError
        If the text about its columns is something else.
    """
    try:
        stored = checks.parsed(texts["preprocessing"])
        if stored["format"] != 1:
            raise ValueError(f"format {stored['format']!r} is unknown to this version")
        target = stored["target"]
        place = checks.integer("position", target["position"], below=_MOST)
        encoder = _encoder(stored, place, network.dtype)
        about = {"name": str(target["name"]), "place": place}
        notes = checks.parsed(texts.get("training", "{}"))
        return _model(target["encoding"], encoder, network, about, notes)
    except MALFORMED as error:
        raise ValueError(f"the preprocessing in the model cannot be read: {error}") from None


def _model(
    encoding: dict[str, Any],
    encoder: TableEncoder,
    network: Network,
    about: dict[str, Any],
    notes: dict[str, Any],
) -> TableModel:
    network.history = History()
    model: TableModel
    if "names" in encoding:
        labels = list(map(str, encoding["names"]))
        about |= {"classes": labels, "dtype": "O", "temperature": 1.0}
        model = TabularClassifier(dtype=network.dtype.name)
    else:
        about |= {"mean": encoding["mean"], "deviation": encoding["scale"]}
        model = TabularRegressor(dtype=network.dtype.name)
    model._restore(encoder, (network,), {}, about, notes)
    return model


def _encoder(stored: dict[str, Any], target: int, dtype: Any) -> TableEncoder:
    fields = [_field(field, target) for field in stored["inputs"]]
    # Of columns that were left out the names are not known.
    n_columns = checks.integer("n_columns", stored["n_columns"], below=_MOST)
    names: list[str | None] = [None] * (n_columns - 1)
    for field in fields:
        names[field.position] = field.name
    return TableEncoder.of(fields, names, bool(stored["has_header"]), dtype)


def _field(stored: dict[str, Any], target: int) -> Field:
    """Return a field of the columns without the target."""
    encoding = stored["encoding"]
    position = checks.integer("position", stored["position"], below=_MOST)
    position -= position > target
    if "names" in encoding:
        category = Category(tuple(map(str, encoding["names"])), other=False)
        return Field(str(stored["name"]), position, category, "text")
    mean = checks.number("mean", encoding["mean"])
    scale = checks.number("scale", encoding["scale"], above=0.0)
    return Field(str(stored["name"]), position, Number(mean, scale, mean, flag=False), ".")
