"""Tables of other libraries as columns; none of these libraries is imported here."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlp import _checks
from pymlp.tabular.arrow import array_of
from pymlp.tabular.cells import (
    column_of_array,
    column_of_objects,
    column_of_texts,
    seconds,
    unread,
)
from pymlp.tabular.columns import BOOLEANS, Column, Columns, refuse_duplicates
from pymlp.tabular.text import read_text

__all__ = ["column_of", "columns_of"]

_ROWS = 1024


def columns_of(
    X: Any,
    names: Sequence[str] | None = None,
    source: str = "X",
    *,
    read: bool = True,
) -> Columns:
    """Return a table of any kind as columns.

    Parameters
    ----------
    X : table
        A data frame of pandas or polars, a table of pyarrow, a dict of columns, a structured array,
        an array of shape (rows, columns) or a list of rows; `Columns` are returned as they are.
    names : sequence of str, optional
        Of the columns of an array; by default "0", "1", ..., and columns go by position.
    source : str, default "X"
        What messages call it.
    read : bool, default True
        Whether texts are read as the numbers or dates that they stand for; `TableEncoder` otherwise
        reads them as those of its training.

    Returns
    -------
    Columns

    Raises
    ------
    TypeError, ValueError
        If it is no table, has no columns or rows, or names occur twice.

    Examples
    --------
    >>> from pymlp.tabular import columns_of
    >>> columns_of({"age": [3, None], "city": ["Bern", "Chur"]}).names
    ('age', 'city')
    """
    if isinstance(X, Columns):
        return X
    found = _named_columns(X, source)
    if found is None:
        found, named = _columns_of_array(X, names, source), names is not None
    else:
        # The names that pandas numbers columns by are positions; years, say, are names.
        named = [name for name, _ in found] != list(range(len(found)))
    return _columns(found, named, source, read=read)


def column_of(values: Any, name: str) -> Column:
    """Return one column of any kind: a series, an array, a list."""
    column = values if isinstance(values, Column) else _unread_column(values, name)
    return read_text(column)


def _unread_column(values: Any, name: str) -> Column:
    for module, kinds, _, convert in _LIBRARIES:
        if _is_of(values, module, kinds[1:]):
            return convert(values, name)
    if isinstance(values, np.ndarray):
        return column_of_array(values, name)
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise TypeError(
            f"column {name!r} must be a sequence of values, not {_checks.type_name(values)}; of a "
            "single row it is a list of one value"
        )
    if isinstance(values, list | tuple) or not hasattr(values, "__array__"):
        return column_of_objects(list(values), name)
    return column_of_array(np.asarray(values), name)


_Named = list[tuple[Any, Callable[[], Column]]]


def _columns(found: _Named, named: bool, source: str, *, read: bool) -> Columns:
    names = [str(name) for name, _ in found]
    refuse_duplicates(names, source)
    columns = []
    for _, convert in found:
        try:
            columns.append(read_text(convert()) if read else convert())
        except (TypeError, ValueError) as error:
            raise type(error)(f"{source}: {error}") from None
    n_rows = len(columns[0].values) if columns else 0
    result = Columns(columns, n_rows, source, named=named)
    if not columns:
        raise ValueError(
            f"{source} has 0 feature(s) (shape=(0, 0)) while a minimum of 1 is required."
        )
    if not n_rows:
        raise ValueError(f"{source} has {len(columns)} columns and no rows (n_samples = 0)")
    return result


def _named_columns(X: Any, source: str) -> _Named | None:
    """Return names and what makes each column, or None for what has no names."""
    if hasattr(X, "toarray"):  # of SciPy
        raise TypeError(
            f"{source} is a sparse matrix, and sparse input is not supported; pass "
            f"{source}.toarray()"
        )
    if hasattr(X, "to_native"):  # narwhals
        X = X.to_native()
    for module, kinds, columns, convert in _LIBRARIES:
        if _is_of(X, module, kinds[:1]):
            return _bound(columns(X), convert)
    if _is_of(X, "polars", ("LazyFrame",)):
        raise TypeError(
            f"{source} is a LazyFrame, which holds no rows yet; pass {source}.collect()"
        )
    if _is_of(X, "pyarrow", ("RecordBatch",)):
        return _bound(zip(X.schema.names, X.columns, strict=True), _of_arrow)
    if isinstance(X, Mapping):
        return _bound(X.items(), _unread_column)
    if isinstance(X, np.ndarray) and X.dtype.names:
        return _bound([(name, X[name]) for name in X.dtype.names], column_of_array)
    if hasattr(X, "to_pandas") and not hasattr(X, "__array__"):
        return _named_columns(X.to_pandas(), source)
    return None


def _bound(columns: Any, convert: Callable[[Any, str], Column]) -> _Named:
    return [(name, partial(convert, values, str(name))) for name, values in columns]


def _is_of(X: Any, module: str, kinds: Sequence[str]) -> bool:
    """Tell whether an object is of a class of a library, which then is imported already."""
    library = sys.modules.get(module)
    return library is not None and isinstance(X, tuple(getattr(library, kind) for kind in kinds))


# ---- arrays and lists of rows --------------------------------------------------------------------


def _columns_of_array(X: Any, names: Sequence[str] | None, source: str) -> _Named:
    array = _matrix(X, source)
    if array.shape[1] == 0:
        raise ValueError(
            f"{source} has 0 feature(s) (shape={array.shape}) while a minimum of 1 is required."
        )
    named = [str(i) for i in range(array.shape[1])] if names is None else list(names)
    if len(named) != array.shape[1]:
        raise ValueError(
            f"names must be {array.shape[1]}, as {source} has columns, not {len(named)}"
        )
    if array.dtype.kind in "US":
        return _bound(zip(named, array.T.tolist(), strict=True), column_of_texts)
    if array.dtype.kind in "fiu":
        array = _by_columns(array).T
    return _bound(zip(named, array.T, strict=True), column_of_array)


def _by_columns(array: NDArray[Any]) -> NDArray[np.float64]:
    """Return the numbers of an array with each column in one piece."""
    if array.dtype == np.float64 and array.flags.f_contiguous:
        return array.T
    columns = np.empty(array.shape[::-1])
    for start in range(0, len(array), _ROWS):  # which stay in the cache
        columns[:, start : start + _ROWS] = array[start : start + _ROWS].T
    return columns


def _matrix(X: Any, source: str) -> NDArray[Any]:
    if isinstance(X, str | bytes | set) or not (hasattr(X, "__len__") or hasattr(X, "__array__")):
        raise TypeError(
            f"{source} must be a table (a data frame, a dict of columns, an array, a list of rows),"
            f" not {_checks.type_name(X)}"
        )
    array = _as_array(X, source)
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {source} holds complex numbers")
    if array.ndim != 2:
        hint = "Reshape your data: one row is X.reshape(1, -1), one column X.reshape(-1, 1)"
        if array.ndim == 1 and len(array) and isinstance(array[0], Mapping):
            hint = "Rows that are dicts become a table by pandas.DataFrame(rows)"
        elif hasattr(X, "to_frame"):
            hint = "Of pandas, X.to_frame().T is one row, and X.to_frame() one column"
        raise ValueError(
            f"{source} must have 2 dimensions (rows, columns), not {array.ndim}. {hint}"
        )
    return array


def _as_array(X: Any, source: str) -> NDArray[Any]:
    try:
        array = np.asarray(X)
        if array.dtype.kind in "US" and not hasattr(X, "dtype"):
            array = np.asarray(X, object)  # NumPy would make texts of the numbers beside them
    except ValueError:
        raise ValueError(f"{source}: all rows must have the same number of columns") from None
    return array


# ---- pandas --------------------------------------------------------------------------------------


def _of_pandas(series: Any, name: str) -> Column:
    dtype = series.dtype
    kind = type(dtype).__name__
    if kind == "CategoricalDtype":
        texts = tuple(map(str, dtype.categories))
        return Column(name, series.cat.codes.to_numpy(np.int32), texts)
    if kind == "DatetimeTZDtype":
        series = series.dt.tz_localize(None)  # the hours and days of the place itself
    if kind == "PeriodDtype":
        series = series.dt.to_timestamp()
    of_numpy = isinstance(dtype, np.dtype)
    letter = dtype.kind
    if letter == "M":
        return Column(name, series.astype("datetime64[s]").to_numpy())
    if letter == "m":
        return Column(name, seconds(series.to_numpy("timedelta64[us]")))
    if letter == "b" and not of_numpy:
        codes = series.to_numpy(np.float64, na_value=np.nan)
        return Column(name, np.where(np.isnan(codes), -1, codes).astype(np.int32), BOOLEANS)
    if letter in "fiu" and not of_numpy:
        return Column(name, series.to_numpy(np.float64, na_value=np.nan))
    if kind == "StringDtype":
        return _of_pandas_texts(series, name)
    return column_of_array(series.to_numpy(), name)


def _of_pandas_texts(series: Any, name: str) -> Column:
    codes, texts = series.factorize()  # in the order in which they appear, -1 is missing
    return unread(np.asarray(codes, np.int32), map(str, texts), name)


# ---- polars --------------------------------------------------------------------------------------


def _of_polars(series: Any, name: str) -> Column:
    polars = sys.modules["polars"]
    dtype = series.dtype
    if dtype.is_nested():
        raise TypeError(f"column {name!r} must hold single values, not {dtype}")
    if dtype.is_numeric() or dtype == polars.Null:
        return Column(name, series.cast(polars.Float64).to_numpy().astype(np.float64))
    if dtype == polars.Boolean:
        codes = series.cast(polars.Int32).fill_null(-1).to_numpy()
        return Column(name, np.array(codes, np.int32), BOOLEANS)
    if dtype in (polars.Date, polars.Datetime):
        local = series.dt.replace_time_zone(None) if dtype == polars.Datetime else series
        return Column(name, local.to_numpy().astype("datetime64[s]"))
    if dtype == polars.Duration:
        return Column(name, seconds(series.to_numpy()))
    if dtype in (polars.String, polars.Categorical, polars.Enum):
        codes, texts = _coded_by_polars(series.cast(polars.String))
        return unread(codes, texts, name) if dtype == polars.String else Column(name, codes, texts)
    return column_of_objects(series.to_list(), name)


def _coded_by_polars(series: Any) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    polars = sys.modules["polars"]
    texts = series.drop_nulls().unique(maintain_order=True)
    codes = series.cast(polars.Enum(texts)).to_physical().cast(polars.Int32).fill_null(-1)
    return np.array(codes.to_numpy(), np.int32), tuple(texts.to_list())


# ---- pyarrow -------------------------------------------------------------------------------------


def _of_arrow(values: Any, name: str) -> Column:
    arrow = sys.modules["pyarrow"]
    types, kind = arrow.types, values.type
    if types.is_nested(kind):
        raise TypeError(f"column {name!r} must hold single values, not {kind}")
    if types.is_dictionary(kind) or types.is_string(kind) or types.is_large_string(kind):
        return _of_arrow_texts(values, name, types.is_dictionary(kind))
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        numbers = values.cast(arrow.float64(), safe=False)
        return Column(name, array_of(numbers, np.float64, np.nan))
    if types.is_date(kind) or types.is_timestamp(kind):
        if getattr(kind, "tz", None) is not None:
            values = importlib.import_module("pyarrow.compute").local_timestamp(values)
        times = values.cast(arrow.timestamp("s"), safe=False)
        return Column(name, array_of(times, "datetime64[s]", np.datetime64("NaT")))
    return column_of_objects(values.to_pylist(), name)


def _of_arrow_texts(values: Any, name: str, chosen: bool) -> Column:
    arrow = sys.modules["pyarrow"]
    coded = values if chosen else values.dictionary_encode()
    if hasattr(coded, "combine_chunks"):
        coded = coded.unify_dictionaries().combine_chunks()
    if not hasattr(coded, "indices"):  # several chunks stay several
        coded = coded.chunk(0)
    codes = array_of(coded.indices.cast(arrow.int32()), np.int32, -1)
    texts = tuple(map(str, coded.dictionary.to_pylist()))
    return Column(name, codes, texts) if chosen else unread(codes, texts, name)


# By module: the classes of tables and of single columns, a table's columns, what makes one.
_LIBRARIES: tuple[tuple[str, tuple[str, ...], Any, Callable[[Any, str], Column]], ...] = (
    (
        "pandas",
        ("DataFrame", "Series", "Index"),
        lambda X: [(name, X.iloc[:, i]) for i, name in enumerate(X.columns)],
        lambda v, name: _of_pandas(
            v if hasattr(v, "dt") or hasattr(v, "iloc") else v.to_series(), name
        ),
    ),
    (
        "polars",
        ("DataFrame", "Series"),
        lambda X: zip(X.columns, X.get_columns(), strict=True),
        _of_polars,
    ),
    (
        "pyarrow",
        ("Table", "ChunkedArray", "Array"),
        lambda X: zip(X.column_names, X.columns, strict=True),
        _of_arrow,
    ),
)
