"""What a network is: its layers, what they are made of, and its dtype, as one immutable value."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np

from pymlp import _arrays, _checks, _core, _frames, activations, embeddings
from pymlp._arrays import FloatArray
from pymlp._names import ActivationName
from pymlp._registry import Registry
from pymlp._values import Value
from pymlp.activations import Activation
from pymlp.embeddings import Categories, ColumnSpec, Embedding
from pymlp.tensors import STATE, Tensor, tensors_of

# Fields that are None, False, 0 or empty by default.
_ADDED = ("norm", "residual", "scale_inputs", "input_dropout", "feature_names", "embedding")
NORMS = ("layer", "rms", "batch")
_NORMS = Registry(
    "norm",
    {name: name for name in NORMS},
    {"layer_norm": "layer", "rms_norm": "rms", "batch_norm": "batch"},
)

AnyActivation: TypeAlias = ActivationName | str | Activation
CoreNetwork: TypeAlias = "_core._Network[Any]"

_CORE: dict[np.dtype[Any], type[CoreNetwork]] = {
    np.dtype(np.float32): _core.NetworkFloat32,
    np.dtype(np.float64): _core.NetworkFloat64,
}


class Architecture(Value):
    """What a network is, apart from the values of its parameters.

    Parameters are as for `Network`; each is checked here, and the message names it.

    Attributes
    ----------
    widths : tuple of int
    activations : tuple of Activation
        One for each layer behind the input.
    bias : bool
    dropout : tuple of float
        One rate for each hidden layer.
    input_dropout : float
    residual, scale_inputs : bool
    norm : str or None
    feature_names : tuple of str, or None
        Of the inputs: the columns of the frame that the network was trained with.
    embedding : tuple of Embedding
    embedded_width : int
        How many numbers the first layer reads: of inputs that are embedded several.
    dtype : dtype
    arena : tuple of Tensor
        All arrays of a network in the order of its memory; states are behind the parameters.
    tensors : tuple of Tensor
        The parameters, in program order.
    """

    FIELDS: ClassVar[set[str]] = {"widths", "activations", "bias", "dropout", "dtype", *_ADDED}

    widths: tuple[int, ...]
    activations: tuple[Activation, ...]
    bias: bool
    dropout: tuple[float, ...]
    input_dropout: float
    residual: bool
    scale_inputs: bool
    norm: str | None
    feature_names: tuple[str, ...] | None
    embedding: tuple[Embedding, ...]
    embedded_width: int
    dtype: np.dtype[Any]
    arena: tuple[Tensor, ...]
    tensors: tuple[Tensor, ...]

    def __init__(
        self,
        widths: Any,
        *,
        hidden: Any,
        output: Any,
        bias: Any,
        dropout: Any = 0.0,
        input_dropout: Any = 0.0,
        residual: Any = False,
        scale_inputs: Any = False,
        norm: Any = None,
        feature_names: Any = None,
        embedding: Any = None,
        dtype: Any,
    ) -> None:
        widths = _checked_widths(widths)
        n_hidden = len(widths) - 2
        embedding = embeddings.resolved(embedding)
        columns = embeddings.column_specs(embedding, widths[0])
        embedded_width = widths[0] + sum(width - 1 for *_, width, _ in columns)
        super().__init__(
            widths=widths,
            activations=(
                *_hidden_activations(hidden, n_hidden),
                activations.resolve("output", output),
            ),
            bias=_checks.flag("bias", bias),
            dropout=_dropout_rates(dropout, n_hidden),
            input_dropout=_checks.number("input_dropout", input_dropout, minimum=0.0, below=1.0),
            residual=_residual(residual, (embedded_width, *widths[1:])),
            scale_inputs=_checks.flag("scale_inputs", scale_inputs),
            norm=_norm(norm, n_hidden),
            feature_names=_feature_names(feature_names, widths[0]),
            embedding=embedding,
            embedded_width=embedded_width,
            dtype=_arrays.float_dtype(dtype),
        )
        for one in embedding:
            one.check_dtype(self.dtype)
        weights = sum(n_in * n_out for n_in, n_out in self.shapes)
        if weights * self.dtype.itemsize >= 2**62:
            raise ValueError(f"widths describe too large a network: {weights} weights")
        arena = tensors_of(self._for_core())
        tensors = tuple(tensor for tensor in arena if tensor.kind != STATE)
        vars(self).update(arena=arena, tensors=tensors)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Architecture:
        """Return the architecture that `to_dict` described."""
        *hidden, output = itertools.starmap(activations.from_parameters, fields["activations"])
        names = ("widths", "bias", "dropout", "dtype", *_ADDED)  # the first files lack some
        given = {name: fields[name] for name in names if name in fields}
        given["embedding"] = list(
            itertools.starmap(embeddings.from_parameters, fields.get("embedding") or ())
        )
        return cls(hidden=hidden, output=output, **given)

    def to_dict(self) -> dict[str, Any]:
        """Return the architecture as plain values, and the user functions of custom activations.

        What the first files did not know is there only where it is not its default.
        """
        added = {name: getattr(self, name) for name in _ADDED}
        added["embedding"] = [(one.name, one.parameters) for one in self.embedding]
        return {
            "widths": self.widths,
            "activations": [(g.name, dict(g.parameters)) for g in self.activations],
            "bias": self.bias,
            "dropout": self.dropout,
            "dtype": self.dtype.name,
        } | {name: value for name, value in added.items() if value}

    @property
    def has_added_fields(self) -> bool:
        """Whether it is more than the first files could say."""
        return any(getattr(self, name) for name in _ADDED)

    def with_dtype(self, dtype: Any) -> Architecture:
        """Return the same with another dtype."""
        return Architecture.from_dict(self.to_dict() | {"dtype": dtype})

    def with_feature_names(self, names: Any) -> Architecture:
        """Return the same with other names of the inputs."""
        return Architecture.from_dict(self.to_dict() | {"feature_names": names})

    def named_by(self, X: Any) -> Architecture:
        """Return the same with the names of a frame's columns, where it has none so far."""
        if self.feature_names is not None or isinstance(X, np.ndarray):
            return self
        names = _frames.names_of(X)
        fit = names is not None and len(names) == self.widths[0]
        return self.with_feature_names(names) if fit else self

    def rows(self, name: str, values: Any) -> FloatArray:
        """Return samples as rows (m, n_in) of the network's dtype; those of a frame by name."""
        rows = _arrays.matrix(name, values, self.widths[0], self.dtype, self.feature_names)
        return self.with_codes(name, rows)

    def with_codes(self, name: str, rows: FloatArray, one: bool = False) -> FloatArray:
        """Return `rows`, in which a code that names no category is refused; `one`: it is a row."""
        codes = [spec for spec in self._embedded_columns if spec[0] == Categories.name]
        wrong = _core.wrong_code(rows, codes) if codes and len(rows) else None
        if wrong is not None:
            i, j = wrong
            last = next(size for _, column, size, *_ in codes if column == j) - 1
            named = f" ({self.feature_names[j]!r})" if self.feature_names else ""
            place = f"{name}[{j}]" if one else f"{name}[{i}, {j}]"
            raise ValueError(
                f"{name} must hold codes from 0 to {last} in column {j}{named}, but {place} is "
                f"{rows[i, j]}"
            )
        return rows

    def new_core(self) -> CoreNetwork:
        """Return a network of the core; its parameters are 0."""
        return _CORE[self.dtype](self._for_core(), [g.for_core() for g in self.activations])

    def _for_core(self) -> _core.Architecture:
        return _core.Architecture(
            widths=list(self.widths),
            bias=self.bias,
            dropout=list(self.dropout),
            input_dropout=self.input_dropout,
            residual=self.residual,
            scale_inputs=self.scale_inputs,
            norm=self.norm or "none",
            parametric=[isinstance(g, activations.Parametric) for g in self.activations],
            embedding=self._embedded_columns,
        )

    @property
    def _embedded_columns(self) -> list[ColumnSpec]:
        return embeddings.column_specs(self.embedding, self.widths[0])

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """(n_in, n_out) of every layer."""
        return list(itertools.pairwise((self.embedded_width, *self.widths[1:])))

    @property
    def residual_layers(self) -> list[bool]:
        """Of every layer, whether it adds its inputs to its outputs."""
        return [self.residual and n_in == n_out for n_in, n_out in self.shapes[:-1]] + [False]

    @property
    def n_parameters(self) -> int:
        """The number of parameters."""
        return self.tensors[-1].end

    def __repr__(self) -> str:
        *hidden, output = map(repr, self.activations)
        options = {
            "norm": self.norm,
            "dropout": list(self.dropout) if any(self.dropout) else None,
            "input_dropout": self.input_dropout,
            "residual": self.residual,
            "scale_inputs": self.scale_inputs,
            "embedding": list(self.embedding),
        }
        given = "".join(f"{name}={value!r}, " for name, value in options.items() if value)
        if self.feature_names:
            given += f"feature_names=[{_first_few(self.feature_names)}], "
        return (
            f"Network({list(self.widths)}, hidden=[{', '.join(hidden)}], output={output}, "
            f"bias={self.bias}, {given}dtype={self.dtype})"
        )

    def summary(self) -> str:
        """Return a table with a row for each layer, and the totals."""
        rows = self._rows()
        lines = [*aligned(rows, right={0, len(rows[0]) - 1}), *self._embedded(), self._totals()]
        if self.feature_names:
            lines.append(f"inputs: {_first_few(self.feature_names)}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from pymlp import _html

        rows = self._rows()
        widths = " → ".join(f"{width:,}" for width in self.widths)
        rates = f", dropout {', '.join(f'{rate:g}' for rate in self.dropout)}"
        shown = f"Network {widths}{rates if any(self.dropout) else ''}"
        names = self.feature_names or ()
        return _html.block(
            _html.text(shown, strong=True),
            _html.table(rows, right={0, len(rows[0]) - 1}),
            *(_html.text(line) for line in self._embedded()),
            _html.text(self._totals(), faint=True),
            _html.details(f"{len(names)} named inputs", ", ".join(names)) if names else "",
        )

    def _embedded(self) -> list[str]:
        """Return a line for every embedding, and what comes of all."""
        if not self.embedding:
            return []
        size = sum(tensor.size for tensor in self.tensors if tensor.column is not None)
        said = f"{self.widths[0]} inputs become {self.embedded_width} numbers"
        return [*map(repr, self.embedding), f"{said}: {size:,} parameters"]

    def _totals(self) -> str:
        size = f"{self.n_parameters * self.dtype.itemsize:,} bytes"
        totals = f"{self.n_parameters:,} parameters, {self.dtype}, {size}"
        states = self.arena[-1].end - self.n_parameters
        return f"{totals}; {states:,} running means and variances" if states else totals

    def _rows(self) -> list[list[str]]:
        """Return a header and a row for each layer."""
        columns = [column for column in self._columns() if column]
        return [list(row) for row in zip(*columns, strict=True)]

    def _columns(self) -> list[list[str]]:
        """Return the columns of the summary; those that are empty are of what is not there."""
        layers = range(len(self.shapes))
        hidden, adds = layers[:-1], self.residual_layers
        sizes: dict[str, list[int]] = {}
        of_layers = [tensor for tensor in self.tensors if tensor.column is None]
        for tensor in of_layers:
            sizes.setdefault(tensor.attribute, [0 for _ in layers])[tensor.layer] = tensor.size
        del sizes["weights"]
        biases = sizes.pop("biases", [0 for _ in layers])
        return [
            ["layer", *(str(i + 1) for i in layers)],
            ["norm", *(self.norm if i in hidden else "none" for i in layers)] if self.norm else [],
            ["activation", *map(repr, self.activations)],
            ["residual", *("yes" if added else "no" for added in adds)] if self.residual else [],
            ["weights", *(f"{n_in} x {n_out}" for n_in, n_out in self.shapes)],
            *(
                [name, *(str(size) if size else "none" for size in of_each)]
                for name, of_each in {"biases": biases, **sizes}.items()
            ),
            [
                "parameters",
                *(f"{sum(t.size for t in of_layers if t.layer == i):,}" for i in layers),
            ],
        ]


def aligned(rows: Sequence[Sequence[str]], right: set[int]) -> list[str]:
    """Return the rows as lines whose columns line up, those named by `right` on the right."""
    sizes = [max(map(len, column)) for column in zip(*rows, strict=True)]
    sides: dict[bool, Literal["<", ">"]] = {False: "<", True: ">"}
    return [
        "  ".join(f"{cell:{sides[i in right]}{sizes[i]}}" for i, cell in enumerate(row)).rstrip()
        for row in rows
    ]


def checked_seed(seed: int | None) -> int:
    """Return a seed below 2**64; None draws one."""
    if seed is None:
        return int.from_bytes(os.urandom(8), "little")
    return _checks.integer("seed", seed, minimum=0, below=2**64)


def _checked_widths(widths: Any) -> tuple[int, ...]:
    """Return the layer widths: at least two, each at least 1."""
    if isinstance(widths, (str, bytes)) or not isinstance(widths, Iterable):
        raise TypeError(f"widths must be a sequence of integers, not {_checks.type_name(widths)}")
    result = tuple(
        _checks.integer(f"widths[{i}]", width, minimum=1) for i, width in enumerate(widths)
    )
    if len(result) < 2:
        raise ValueError(f"widths must name at least an input and an output, not {list(result)}")
    return result


def _hidden_activations(hidden: Any, n_hidden: int) -> list[Activation]:
    """Return one activation for each hidden layer."""
    if isinstance(hidden, (str, Activation)):
        return [activations.resolve("hidden", hidden)] * n_hidden
    if not isinstance(hidden, Iterable):
        raise TypeError(
            "hidden must be a name, an Activation or a list of these, not "
            f"{_checks.type_name(hidden)}"
        )
    result = [activations.resolve(f"hidden[{i}]", g) for i, g in enumerate(hidden)]
    if len(result) != n_hidden:
        raise ValueError(
            f"hidden must name {n_hidden} activations, one for each hidden layer, not {len(result)}"
        )
    return result


def _residual(residual: Any, widths: tuple[int, ...]) -> bool:
    if not _checks.flag("residual", residual):
        return False
    if not any(n_in == n_out for n_in, n_out in itertools.pairwise(widths[:-1])):
        raise ValueError(
            "residual adds a hidden layer's inputs to its outputs where it has as many of both, "
            f"and no hidden layer of {list(widths)} has"
        )
    return True


def _norm(norm: Any, n_hidden: int) -> str | None:
    if norm is None:
        return None
    if not isinstance(norm, str):
        came = _checks.type_name(norm)
        raise TypeError(f"norm must be 'layer', 'rms', 'batch' or None, not {came}")
    name = _NORMS.find(norm)
    if n_hidden == 0:
        raise ValueError(f"norm='{name}' is for hidden layers, and there are none")
    return name


def _feature_names(names: Any, n_in: int) -> tuple[str, ...] | None:
    if names is None:
        return None
    if isinstance(names, str) or not isinstance(names, Iterable):
        came = _checks.type_name(names)
        raise TypeError(f"feature_names must be a sequence of strings, not {came}")
    result = tuple(names)
    for i, name in enumerate(result):
        if not isinstance(name, str):
            raise TypeError(f"feature_names[{i}] must be a string, not {_checks.type_name(name)}")
    if len(result) != n_in:
        raise ValueError(
            f"feature_names must name {n_in} inputs, as the network has, not {len(result)}"
        )
    return tuple(map(str, result))


def _first_few(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:8]))
    return shown if len(names) <= 8 else f"{shown}, ... ({len(names)} in all)"


def _dropout_rates(dropout: Any, n_hidden: int) -> tuple[float, ...]:
    """Return one rate in [0, 1) for each hidden layer."""
    if not isinstance(dropout, Iterable) or isinstance(dropout, str):
        rate = _checks.number("dropout", dropout, minimum=0.0, below=1.0)
        if rate > 0.0 and n_hidden == 0:
            raise ValueError(f"dropout leaves out hidden units, and there are none: not {rate:g}")
        return (rate,) * n_hidden
    result = tuple(
        _checks.number(f"dropout[{i}]", rate, minimum=0.0, below=1.0)
        for i, rate in enumerate(dropout)
    )
    if len(result) != n_hidden:
        raise ValueError(
            f"dropout must name {n_hidden} rates, one for each hidden layer, not {len(result)}"
        )
    return result
