"""Networks from files."""

from __future__ import annotations

import os

from pymlp.files import safetensors
from pymlp.network import Network

__all__ = ["load"]


def load(path: str | os.PathLike[str]) -> Network:
    """Read a network that `Network.save` or ``pymlp train`` wrote.

    Parameters
    ----------
    path : str or path
        A file of this version or of any earlier one.

    Returns
    -------
    Network

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If it is cut short, or is not a network of pymlp.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "small.safetensors"
    ...     pymlp.Network([2, 4, 3], seed=0).save(path)
    ...     pymlp.load(path).widths
    (2, 4, 3)
    """
    return read_network(path)[0]


def read_network(path: str | os.PathLike[str]) -> tuple[Network, dict[str, str]]:
    """Return a network and the texts that were written with it."""
    state, texts = safetensors.read(path)
    network = Network.__new__(Network)
    network.__setstate__(state)
    return network, texts
