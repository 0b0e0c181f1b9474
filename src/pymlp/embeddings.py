"""Embeddings: inputs that become several learnt numbers each before the first layer.

On tables a network learns sharp steps and periods in a number, and what a category is like, far
sooner where each has an embedding of its own; see `Periodic` and `Categories`. ``Network(widths,
embedding=...)`` takes one or several, each for columns of its own; other columns pass as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

from pymlp import _checks
from pymlp._values import Value, shown

__all__ = ["Categories", "Embedding", "Periodic"]

# kind, column, frequencies or categories, width, deviation of the frequencies
ColumnSpec: TypeAlias = tuple[str, int, int, int, float]

_MOST = 128  # frequencies, and the width of a periodic column: as the core has room for
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
        return [(self.name, c, self.frequencies, self.width, self.sigma) for c in columns]

    def _named(self) -> set[int]:
        return set(self.columns or ())

    def __repr__(self) -> str:
        columns = "" if self.columns is None else f"columns={_first_few(self.columns)}, "
        return (
            f"Periodic({columns}frequencies={self.frequencies}, width={self.width}, "
            f"sigma={shown(self.sigma)})"
        )


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
        return [(self.name, column, size, self.width, 0.0) for column, size in self.sizes]

    def _named(self) -> set[int]:
        return {column for column, _ in self.sizes}

    def __repr__(self) -> str:
        listed = ", ".join(f"{column}: {size}" for column, size in self.sizes[:8])
        more = f", ... ({len(self.sizes)} in all)" if len(self.sizes) > 8 else ""
        return f"Categories({{{listed}{more}}}, width={self.width})"


AnyEmbedding: TypeAlias = Embedding | Sequence[Embedding] | None

_KINDS: dict[str, type[Embedding]] = {kind.name: kind for kind in (Periodic, Categories)}


def from_parameters(name: str, parameters: Mapping[str, Any]) -> Embedding:
    """Return the embedding with this name and these parameters, as a file has them."""
    if name not in _KINDS:
        raise ValueError(f"this pymlp does not know the embedding '{name}'")
    fields = dict(parameters)
    if name == Categories.name:
        fields["sizes"] = dict(fields["sizes"])
    return _KINDS[name](**fields)


def resolved(embedding: Any) -> tuple[Embedding, ...]:
    """Return the embeddings that an argument names; none for None."""
    if embedding is None:
        return ()
    if isinstance(embedding, Embedding):
        return (embedding,)
    if isinstance(embedding, str) or not isinstance(embedding, Iterable):
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
    if isinstance(columns, str) or not isinstance(columns, Iterable):
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
    if not isinstance(sizes, Mapping):
        came = _checks.type_name(sizes)
        raise TypeError(f"sizes must be a dict of category counts by column, not {came}")
    if not sizes:
        raise ValueError("sizes must name at least one column")
    counts = {
        _checks.integer("a column of sizes", column, minimum=0): _checks.integer(
            f"sizes[{column}]", size, minimum=1, below=_MOST_CATEGORIES + 1
        )
        for column, size in sizes.items()
    }
    return tuple(sorted(counts.items()))


def _first_few(columns: Sequence[int]) -> str:
    if len(columns) <= 8:
        return str(list(columns))
    return f"[{', '.join(map(str, columns[:8]))}, ... ({len(columns)} in all)]"
