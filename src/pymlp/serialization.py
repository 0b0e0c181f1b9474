"""Files: one safetensors file holds a network, and what a program wants to keep beside it.

Tensors are ``layers.0.weights``, ``layers.0.biases``, ...; one metadata entry, ``pymlp``, is JSON
with the format's version, the network's structure and the metadata of the caller.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pymlp._arrays import FloatArray

if TYPE_CHECKING:
    from pymlp.network import Network

FORMAT_VERSION = 1

_STRUCTURE = ("widths", "activations", "bias", "dropout", "dtype", "seed", "fits")


def write_network(
    path: str | os.PathLike[str], network: Network, metadata: Mapping[str, str]
) -> None:
    """Write a network, and texts by name, to one file.

    The file appears whole or not at all: it is written under another name and then renamed.
    """
    from safetensors.numpy import save

    for layer in network.layers:
        if layer.activation.name == "custom":
            raise ValueError(
                "a network with an activation of your own cannot be written to a file, which holds "
                "no functions; pickle it instead"
            )
    state = network.__getstate__()
    header = {
        "format_version": FORMAT_VERSION,
        "network": {key: state[key] for key in _STRUCTURE},
        "metadata": dict(metadata),
    }
    # One entry, because the order of several is not fixed: equal networks make equal files.
    data = save(_tensors(network), {"pymlp": json.dumps(header, sort_keys=True)})
    _write_whole(Path(path), data)


def _write_whole(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _tensors(network: Network) -> dict[str, FloatArray]:
    tensors = {}
    for i, layer in enumerate(network.layers):
        tensors[f"layers.{i}.weights"] = layer.weights
        if layer.biases is not None:
            tensors[f"layers.{i}.biases"] = layer.biases
    return tensors


def load(path: str | os.PathLike[str]) -> Network:
    """Read a network that `Network.save` or ``pymlp train`` wrote.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is cut short, or is not a network of pymlp.
    """
    return read_network(path)[0]


def read_network(path: str | os.PathLike[str]) -> tuple[Network, dict[str, str]]:
    """Return a network and the texts that were written with it."""
    from safetensors import SafetensorError, safe_open

    if Path(path).is_dir():
        raise IsADirectoryError(f"'{path}' is a folder, not a model file")
    if not Path(path).exists():
        raise FileNotFoundError(f"there is no file '{path}'")
    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {})["pymlp"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return _network(header, tensors), dict(header["metadata"])
    except SafetensorError as error:
        raise ValueError(f"'{path}' is cut short or not a safetensors file: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"'{path}' does not hold a pymlp network: {error}") from None


def _network(header: dict[str, Any], tensors: dict[str, FloatArray]) -> Network:
    from pymlp.network import Network

    if header["format_version"] != FORMAT_VERSION:
        raise ValueError(
            f"its format version is {header['format_version']}; this pymlp reads {FORMAT_VERSION}"
        )
    structure = header["network"]
    network = Network.__new__(Network)
    n_parameters = _count(structure)
    if sum(tensor.size for tensor in tensors.values()) != n_parameters:
        raise ValueError(f"its tensors do not have the {n_parameters} parameters of its layers")
    network.__setstate__({**structure, "parameters": np.zeros(n_parameters)})
    for name, view in _tensors(network).items():
        tensor = tensors[name]
        if tensor.shape != view.shape or tensor.dtype != view.dtype:
            raise ValueError(
                f"{name} must be {view.dtype} {view.shape}, not {tensor.dtype} {tensor.shape}"
            )
        view[...] = tensor
    return network


def _count(structure: dict[str, Any]) -> int:
    widths = structure["widths"]
    pairs = itertools.pairwise(widths)
    return sum(n_in * n_out + (n_out if structure["bias"] else 0) for n_in, n_out in pairs)
