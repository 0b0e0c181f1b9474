"""Networks, and models that are made of one, from files."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from pymlp import _checks
from pymlp.files import safetensors
from pymlp.files.safetensors import FileFormatError
from pymlp.files.stored import said
from pymlp.network import Network
from pymlp.stack import NetworkStack

__all__ = ["load"]

# A text that a file has beside its network, and the module whose `from_file(network, texts)` makes
# a model of both, or raises ValueError.
_MODELS = {
    "estimator": "pymlp.estimators.loading",
    "table": "pymlp.tabular.loading",
    "preprocessing": "pymlp.tabular.earlier",
}


def load(path: str | os.PathLike[str], *, optimizer: bool = False) -> Any:
    """Read what `save` or ``pymlp train`` wrote, whichever it is.

    Parameters
    ----------
    path : str or path
        The file. Nothing in it is executed, where a pickle is a program: the file may be anybody's.
    optimizer : bool, default False
        Return ``(network, optimizer)`` of ``net.save(path, optimizer=...)``.

    Returns
    -------
    Network, NetworkStack, MLPClassifier, MLPRegressor, TabularClassifier or TabularRegressor
        What was saved. A file of ``pymlp train`` is a model of a table, also one of version 0.1; a
        checkpoint of `fit` is a network, or a stack, as it was after the last epoch.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If it is cut short, changed so that it is no model, or not of pymlp; if it lacks the
        optimiser that is asked for. The message says how.
    ImportError
        If it is an estimator, and there is no scikit-learn.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "small.safetensors"
    ...     pymlp.Network([2, 4, 3], seed=0).save(path)
    ...     pymlp.load(path).widths
    (2, 4, 3)
    """
    network, texts, kept = read_network(path)
    if _checks.flag("optimizer", optimizer):
        from pymlp.files.optimizer import read

        return network, read(path, network, texts, kept)
    text = next((text for text in _MODELS if text in texts), None)
    if text is None:
        return network
    if isinstance(network, NetworkStack) and text != "table":
        raise FileFormatError(f"'{path}': a model of kind {text} has one network, not a stack")
    make = importlib.import_module(_MODELS[text]).from_file
    try:
        return make(network, texts)
    except ValueError as error:
        raise FileFormatError(f"'{path}': {said(error)}") from None


def read_network(
    path: str | os.PathLike[str],
) -> tuple[Any, dict[str, str], dict[str, NDArray[Any]]]:
    """Return a network, or a stack, and the texts and arrays that were written with it."""
    state, texts, kept = safetensors.read(path)
    if isinstance(state, list):
        return NetworkStack(map(_network, state)), texts, kept
    return _network(state), texts, kept


def _network(state: Mapping[str, Any]) -> Network:
    network = Network.__new__(Network)
    network.__setstate__(dict(state))
    return network
