"""Embeddings: inputs that become several learnt numbers each before the first layer.

On tables a network learns sharp steps and periods in a number, and what a category is like, far
sooner where each has an embedding of its own; see `Periodic`, `PiecewiseLinear` and `Categories`.
``Network(widths, embedding=...)`` takes one or several, each for columns of its own; other columns
pass as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from pymlp import _boundaries, _checks
from pymlp._boundaries import Boundaries
from pymlp._values import Value, shown

__all__ = ["Categories", "Embedding", "Periodic", "PiecewiseLinear"]

# kind, column, size (frequencies, categories or ramps), width, and what else is not learnt: the
# deviation of frequencies at the start, or the boundaries of ramps
ColumnSpec: TypeAlias = tuple[str, int, int, int, Sequence[float]]

_MOST = 128  # frequencies, and the width of a column of numbers: as the core has room for
_MOST_COLUMNS = 2**20  # of which each has parameters of its own
_MOST_CATEGORIES = 2**24  # beyond, float32 has no number for every code


def __dir__() -> list[str]:
    return sorted(__all__)


class Embedding(Value):
    """How some of a network's inputs become several numbers each; use one of the kinds.

    Attributes
    ----------
    name : str
    """

    name: ClassVar[str] = ""

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments of the constructor, by name, as files have them."""
        return dict(vars(self))

    def _columns(self, n_in: int, others: set[int]) -> list[ColumnSpec]:
        """Return what becomes of each column; `others` are those that other embeddings name."""
        raise NotImplementedError

    def _named(self) -> set[int]:
        """Return the columns that it names."""
        raise NotImplementedError

    def check_dtype(self, dtype: np.dtype[Any]) -> None:
        """Refuse what a network of this dtype cannot compute."""


class Periodic(Embedding):
    """A number x becomes x itself and a linear map of cosines of multiples of it.

    ``(x, cos(2 pi x f + p) W + c)``, where every column has frequencies f and phases p of its own,
    shape (frequencies,), and W (frequencies, width - 1) and c (width - 1,); all of them are learnt.
    At the start f is normal with deviation `sigma`, p uniform in (-pi, pi), and W and c uniform
    within 1 / sqrt(frequencies). This is "PBLD" of Holzmueller et al., arXiv:2407.04491.

    Parameters
    ----------
    columns : sequence of int, optional
        Of the inputs, counted from 0. None: all that no other embedding names.
    frequencies : int, default 16
        From 1 to 128.
    width : int, default 4
        How many numbers each becomes, from 2 to 128.
    sigma : float, default 0.1
        The larger, the finer the differences in x that matter at the start. For inputs of about
        unit size.

    Notes
    -----
    Cosines are computed in turns, which are counted exactly: their absolute error is below 2^-21 in
    float32, and 2^-49 in float64, as long as ``x f`` is below 2^21 turns (2^50). Beyond, they are
    bounded, and mean nothing.

    Examples
    --------
    >>> net = pymlp.Network([3, 16, 1], embedding=pymlp.embeddings.Periodic(columns=[0, 2]))
    >>> net.embedded_width, net.layers[0].weights.shape
    (9, (9, 16))
    >>> net.embedding_parameters[2]["frequencies"].shape
    (16,)
    """

    name = "periodic"

    columns: tuple[int, ...] | None
    frequencies: int
    width: int
    sigma: float

    def __init__(
        self,
        columns: Iterable[int] | None = None,
        *,
        frequencies: int = 16,
        width: int = 4,
        sigma: float = 0.1,
    ) -> None:
        super().__init__(
            columns=_column_numbers(columns),
            frequencies=_checks.integer("frequencies", frequencies, minimum=1, below=_MOST + 1),
            width=_checks.integer("width", width, minimum=2, below=_MOST + 1),
            sigma=_checks.number("sigma", sigma, minimum=0.0),
        )

    def _columns(self, n_in: int, others: set[int]) -> list[ColumnSpec]:
        columns = self.columns
        if columns is None:
            if n_in - len(others) > _MOST_COLUMNS:
                raise ValueError(
                    f"Periodic embeds at most {_MOST_COLUMNS:,} columns, not {n_in - len(others):,}"
                )
            columns = tuple(column for column in range(n_in) if column not in others)
        if not columns:
            raise ValueError("Periodic has no column left: other embeddings name all of them")
        return [(self.name, c, self.frequencies, self.width, (self.sigma,)) for c in columns]

    def _named(self) -> set[int]:
        return set(self.columns or ())

    def __repr__(self) -> str:
        columns = "" if self.columns is None else f"columns={_first_few(self.columns)}, "
        return (
            f"Periodic({columns}frequencies={self.frequencies}, width={self.width}, "
            f"sigma={shown(self.sigma)})"
        )


class PiecewiseLinear(Embedding):
    """A number x becomes x itself and a linear map of ramps between boundaries.

    ``(x, ramps(x) W + c)``, where W (T, width - 1) and c (width - 1,) are learnt for every column.
    Between T + 1 boundaries b there are T ramps: ``(x - b[t]) / (b[t + 1] - b[t])``, limited to
    [0, 1]. The first has no lower limit and the last no upper one, so that beyond the boundaries it
    goes on as a straight line. At the start W and c are uniform within 1 / sqrt(T). This is the
    piecewise linear encoding with a linear layer of Gorishniy et al., arXiv:2203.05556, sections
    3.2 and 3.4; x itself comes first as in `Periodic`, so that one can stand for the other.

    Parameters
    ----------
    boundaries : mapping of int to sequence of float
        Of each column, by its number, counted from 0: from 2 to 129, finite and strictly
        increasing, also in the network's dtype. They are not learnt. `from_samples` makes them.
    width : int, default 4
        How many numbers each becomes, from 2 to 128.

    Notes
    -----
    A ramp is computed to a few roundings, unless it is itself beyond the dtype's range, as of an x
    of 1e30 between boundaries 1e-10 apart, or half of x is below it. At a boundary the derivative
    by x is that of the ramp that begins there.

    Examples
    --------
    >>> embedding = pymlp.embeddings.PiecewiseLinear({1: [0.0, 1.0, 10.0]}, width=3)
    >>> net = pymlp.Network([2, 16, 1], embedding=embedding)
    >>> net.embedded_width, net.embedding_parameters[1]["weights"].shape
    (4, (2, 2))
    >>> views = net.embedding_parameters[1]
    >>> views["weights"][:], views["biases"][:] = [[1, 0], [0, 1]], 0  # shows the ramps
    >>> net.embed([[5.0, 0.5], [5.0, 5.5], [5.0, 19.0]])
    array([[ 5. ,  0.5,  0.5,  0. ],
           [ 5. ,  5.5,  1. ,  0.5],
           [ 5. , 19. ,  1. ,  2. ]], dtype=float32)
    """

    name = "piecewise_linear"

    boundaries: tuple[tuple[int, Boundaries], ...]
    width: int

    def __init__(self, boundaries: Mapping[int, ArrayLike], *, width: int = 4) -> None:
        super().__init__(
            boundaries=_boundaries.by_column(boundaries),
            width=_checks.integer("width", width, minimum=2, below=_MOST + 1),
        )

    @classmethod
    def from_samples(
        cls,
        X: ArrayLike,
        columns: Iterable[int] | None = None,
        *,
        bins: int = 16,
        width: int = 4,
        dtype: Any = "float32",
    ) -> PiecewiseLinear:
        """Return one whose boundaries are quantiles of samples: as many of them in every bin.

        Parameters
        ----------
        X : array-like, shape (m, n_in)
            The training samples, or a frame; the columns that are embedded must be finite.
        columns : sequence of int, optional
            Of X, counted from 0; one that holds a single value is refused. None: all that hold more
            than one; those that hold a single value pass as they are. Values that differ by no more
            than the dtype's smallest numbers count as one.
        bins : int, default 16
            Between boundaries, from 1 to 128. A column gets fewer where quantiles are equal, as
            they are where it has few values.
        width : int, default 4
            How many numbers each becomes, from 2 to 128.
        dtype : float32 or float64
            Of the network. Values of X that are one number of it are one boundary: for a network in
            float64 say so.

        Examples
        --------
        >>> X = [[0.0, 1], [1, 1], [2, 1], [3, 1], [4, 1]]
        >>> pymlp.embeddings.PiecewiseLinear.from_samples(X, bins=2)
        PiecewiseLinear({0: [0, 2, 4]}, width=4)
        """
        bins = _checks.integer("bins", bins, minimum=1, below=_boundaries.MOST_RAMPS + 1)
        return cls(_boundaries.of_samples(X, _column_numbers(columns), bins, dtype), width=width)

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments of the constructor, by name, as files have them."""
        return {"boundaries": list(self.boundaries), "width": self.width}

    def check_dtype(self, dtype: np.dtype[Any]) -> None:
        """Refuse boundaries that do not increase in this dtype."""
        for column, boundaries in self.boundaries:
            _boundaries.check_dtype(column, boundaries, dtype)

    def _columns(self, n_in: int, others: set[int]) -> list[ColumnSpec]:
        return [(self.name, c, len(b) - 1, self.width, b) for c, b in self.boundaries]

    def _named(self) -> set[int]:
        return {column for column, _ in self.boundaries}

    def __repr__(self) -> str:
        listed = ", ".join(f"{column}: {_few_numbers(b)}" for column, b in self.boundaries[:8])
        more = f", ... ({len(self.boundaries)} in all)" if len(self.boundaries) > 8 else ""
        return f"PiecewiseLinear({{{listed}{more}}}, width={self.width})"


class Categories(Embedding):
    """A category becomes a row of a table that is learnt.

    Its column holds codes: whole numbers from 0 to the number of categories less 1. Others are
    refused wherever X is looked at. At the start all numbers are normal with deviation 1.

    Parameters
    ----------
    sizes : mapping of int to int
        How many categories a column has, by its number, counted from 0.
    width : int, default 8
        How many numbers each category becomes.

    Examples
    --------
    >>> net = pymlp.Network([3, 16, 1], embedding=pymlp.embeddings.Categories({1: 20}))
    >>> net.embedding_parameters[1]["table"].shape
    (20, 8)
    >>> net.predict([0.5, 20.0, 1.0])
    Traceback (most recent call last):
    ValueError: X must hold codes from 0 to 19 in column 1, but X[1] is 20.0
    """

    name = "categories"

    sizes: tuple[tuple[int, int], ...]
    width: int

    def __init__(self, sizes: Mapping[int, int], *, width: int = 8) -> None:
        super().__init__(
            sizes=_category_counts(sizes),
            width=_checks.integer("width", width, minimum=1, below=2**16 + 1),
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments of the constructor, by name, as files have them."""
        return {"sizes": list(self.sizes), "width": self.width}

    def _columns(self, n_in: int, others: set[int]) -> list[ColumnSpec]:
        return [(self.name, column, size, self.width, ()) for column, size in self.sizes]

    def _named(self) -> set[int]:
        return {column for column, _ in self.sizes}

    def __repr__(self) -> str:
        listed = ", ".join(f"{column}: {size}" for column, size in self.sizes[:8])
        more = f", ... ({len(self.sizes)} in all)" if len(self.sizes) > 8 else ""
        return f"Categories({{{listed}{more}}}, width={self.width})"


AnyEmbedding: TypeAlias = Embedding | Sequence[Embedding] | None

_KINDS: dict[str, type[Embedding]] = {
    kind.name: kind for kind in (Periodic, PiecewiseLinear, Categories)
}


def from_parameters(name: str, parameters: Mapping[str, Any]) -> Embedding:
    """Return the embedding with this name and these parameters, as a file has them."""
    if name not in _KINDS:
        raise ValueError(f"this pymlp does not know the embedding '{name}'")
    fields = dict(parameters)
    for by_column in {"sizes", "boundaries"} & fields.keys():
        pairs = fields[by_column]
        fields[by_column] = dict(pairs)
        if len(fields[by_column]) < len(pairs):
            raise ValueError(f"{by_column} must not name a column twice")
    return _KINDS[name](**fields)


def resolved(embedding: Any) -> tuple[Embedding, ...]:
    """Return the embeddings that an argument names; none for None."""
    if embedding is None:
        return ()
    if isinstance(embedding, Embedding):
        return (embedding,)
    if not _checks.is_sequence(embedding):
        raise TypeError(
            "embedding must be one of pymlp.embeddings or a list of these, not "
            f"{_checks.type_name(embedding)}"
        )
    result = tuple(embedding)
    for i, one in enumerate(result):
        if not isinstance(one, Embedding):
            came = _checks.type_name(one)
            raise TypeError(f"embedding[{i}] must be one of pymlp.embeddings, not {came}")
    return result


def column_specs(embeddings: Sequence[Embedding], n_in: int) -> list[ColumnSpec]:
    """Return what becomes of the columns that are embedded, in their order.

    Raises
    ------
    ValueError
        If two embeddings name one column, or one names a column that is not there.
    """
    specs: dict[int, ColumnSpec] = {}
    named = [one._named() for one in embeddings]
    for i, one in enumerate(embeddings):
        others = set().union(*named[:i], *named[i + 1 :])
        for spec in one._columns(n_in, others):
            column = spec[1]
            if column >= n_in:
                raise ValueError(
                    f"embedding names column {column}, but there are {n_in} inputs, from 0"
                )
            if column in specs:
                raise ValueError(f"embedding names column {column} twice")
            specs[column] = spec
    return [specs[column] for column in sorted(specs)]


def places(embeddings: Sequence[Embedding], n_in: int) -> list[tuple[int, int]]:
    """Return of every number that the first layer reads its column of X, and its place there."""
    widths = {column: width for _, column, _, width, _ in column_specs(embeddings, n_in)}
    return [(column, place) for column in range(n_in) for place in range(widths.get(column, 1))]


def _column_numbers(columns: Any) -> tuple[int, ...] | None:
    if columns is None:
        return None
    if not _checks.is_sequence(columns):
        came = _checks.type_name(columns)
        raise TypeError(f"columns must be a sequence of integers, not {came}")
    numbers = [
        _checks.integer(f"columns[{i}]", column, minimum=0) for i, column in enumerate(columns)
    ]
    if not numbers:
        raise ValueError("columns must name at least one column")
    if len(set(numbers)) < len(numbers):
        raise ValueError("columns must not name a column twice")
    return tuple(sorted(numbers))


def _category_counts(sizes: Any) -> tuple[tuple[int, int], ...]:
    def count(name: str, size: Any) -> int:
        return _checks.integer(name, size, minimum=1, below=_MOST_CATEGORIES + 1)

    return _checks.by_column("sizes", "category counts", sizes, count)


def _few_numbers(numbers: Sequence[float]) -> str:
    if len(numbers) <= 8:
        return f"[{', '.join(map(shown, numbers))}]"
    return f"[{shown(numbers[0])}, ..., {shown(numbers[-1])}, {len(numbers)} in all]"


def _first_few(columns: Sequence[int]) -> str:
    if len(columns) <= 8:
        return str(list(columns))
    return f"[{', '.join(map(str, columns[:8]))}, ... ({len(columns)} in all)]"
