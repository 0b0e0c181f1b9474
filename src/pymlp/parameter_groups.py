"""Parameter groups: factors of an optimiser's learning rate and weight decay, by kind and layer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from pymlp import _checks
from pymlp._registry import unknown_name
from pymlp.tensors import Tensor

Factors: TypeAlias = dict[str, float]
Groups: TypeAlias = Mapping[str, Mapping[str, float]]  # as a user gives them

KINDS = ("weights", "biases", "scale", "activation", "norm", "embedding")
_OPTIONS = ("learning_rate", "weight_decay")
_KEY = re.compile(r"(?P<kind>[^\[\]]*)(\[(?P<layer>-?\d+)\])?")


def checked(groups: Any) -> dict[str, Factors]:
    """Return the groups as plain values; each message names the key."""
    if not isinstance(groups, Mapping):
        came = _checks.type_name(groups)
        raise TypeError(f"groups must be a dict of factors by kind or layer, not {came}")
    for key in groups:
        _parsed(key)
    return {key: _factors(f"groups[{key!r}]", factors) for key, factors in groups.items()}


def resolved(
    groups: Mapping[str, Factors], tensors: Iterable[Tensor]
) -> list[tuple[int, int, float, float]]:
    """Return (first, count, factor of the learning rate, of the weight decay) of named tensors.

    A key with a layer goes before its kind's: factors that it does not name are those of the kind.
    """
    tensors = list(tensors)
    n_layers = 1 + max(tensor.layer for tensor in tensors)
    for key in groups:
        _check_present(key, n_layers, tensors)
    by_place = _by_place(groups, n_layers)
    ranges = []
    for tensor in sorted(tensors, key=lambda tensor: tensor.first):
        of_kind = by_place.get((tensor.kind, None), {})
        of_layer = by_place.get((tensor.kind, _layer_of(tensor)), {})
        if factors := of_kind | of_layer:
            rate, decay = (factors.get(name, 1.0) for name in _OPTIONS)
            ranges.append((tensor.first, tensor.size, rate, decay))
    return _joined(ranges)


def _joined(
    ranges: Iterable[tuple[int, int, float, float]],
) -> list[tuple[int, int, float, float]]:
    """Return ascending ranges, those that follow each other with equal factors as one."""
    result: list[tuple[int, int, float, float]] = []
    for first, count, *factors in ranges:
        if result and sum(result[-1][:2]) == first and result[-1][2:] == tuple(factors):
            first, before = result.pop()[:2]
            count += before
        result.append((first, count, factors[0], factors[1]))
    return result


def _layer_of(tensor: Tensor) -> int | None:
    return tensor.layer if tensor.of_layer else None


def _parsed(key: Any) -> tuple[str, int | None]:
    """Return the kind and the layer that a key names."""
    if not isinstance(key, str):
        raise TypeError(f"groups must be named by texts, not by {_checks.type_name(key)}")
    match = _KEY.fullmatch(key)
    if match is None:
        raise ValueError(f"groups are named like 'biases' or 'weights[0]', not {key!r}")
    if match["kind"] not in KINDS:
        raise unknown_name("group", key, KINDS)
    return match["kind"], None if match["layer"] is None else int(match["layer"])


def _place(key: str, n_layers: int) -> tuple[str, int | None]:
    """Return the same, the layer counted from the first."""
    kind, layer = _parsed(key)
    return kind, layer + n_layers if layer is not None and layer < 0 else layer


def _by_place(
    groups: Mapping[str, Factors], n_layers: int
) -> dict[tuple[str, int | None], Factors]:
    """Return the factors by kind and layer; two keys of one place are refused."""
    keys: dict[tuple[str, int | None], str] = {}
    for key in groups:
        other = keys.setdefault(_place(key, n_layers), key)
        if other != key:
            raise ValueError(f"groups name one layer twice, by {other!r} and by {key!r}")
    return {place: groups[key] for place, key in keys.items()}


def _factors(name: str, factors: Any) -> Factors:
    if not isinstance(factors, Mapping):
        came = _checks.type_name(factors)
        raise TypeError(f"{name} must be a dict of learning_rate and weight_decay, not {came}")
    for option in factors:
        if option not in _OPTIONS:
            raise ValueError(
                f"{name} has factors of learning_rate and weight_decay, not {option!r}"
            )
    return {
        option: _checks.number(f"{name}[{option!r}]", factors[option], minimum=0.0)
        for option in _OPTIONS
        if option in factors
    }


def _check_present(key: str, n_layers: int, tensors: Iterable[Tensor]) -> None:
    """Refuse a key that names nothing of the network."""
    kind, layer = _place(key, n_layers)
    layers = {_layer_of(tensor) for tensor in tensors if tensor.kind == kind}
    if layers and (layer is None or layer in layers):
        return
    present = list(dict.fromkeys(tensor.kind for tensor in tensors))
    if layers - {None}:
        numbers = sorted(number for number in layers if number is not None)
        present = [f"{kind}[{number}]" for number in numbers]
    raise ValueError(f"groups name {key!r}, but the network has {', '.join(present)} only")
