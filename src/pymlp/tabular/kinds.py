"""What becomes of each column of a table, and why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from pymlp._registry import nearest
from pymlp.tabular.columns import Column, Columns
from pymlp.tabular.text import read_as, strays_of

Kind: TypeAlias = Literal["number", "category", "date", "left out"]

# Up to here distinct texts are categories however few rows there are.
FEW_VALUES = 20
# A text among numbers is a slip where fewer rows than this share are texts.
_STRAY = 0.1
# Texts of more words or characters than these are sentences.
_WORDS, _CHARACTERS = 4.0, 40.0
_NAME_OF_IDS = re.compile(
    r"(?i:unnamed: \d+|index|idx|#|no\.?|nr\.?|key|uuid|guid|row(_?(id|number|num|no|nr))?|id)"
    r"|.*[_ .-](?i:id|uuid|guid|key)|.*[a-z](Id|ID)"
)


class Decision(NamedTuple):
    """What becomes of a column.

    Attributes
    ----------
    name : str
    kind : {"number", "category", "date", "left out"}
    why : str
        What is to be known of it; of a column that is left out, the reason.
    option : str
        The option that would make something else of it: "keep", "ignore", "categorical", ...
    effect : str
        What the option would do.
    """

    name: str
    kind: Kind
    why: str
    option: str
    effect: str

    def line(self, option: str = "{option}=[{name!r}]") -> str:
        """Return it as a sentence; `option` is how the option is written, such as on a command.

        Examples
        --------
        >>> from pymlp.tabular.kinds import Decision
        >>> decision = Decision("nr", "left out", "row numbers, 1 to 9", "keep", "takes it")
        >>> decision.line("--{option} {name}")
        "'nr': left out, row numbers, 1 to 9 (--keep nr takes it)"
        """
        why = f", {self.why}" if self.why else ""
        how = option.format(option=self.option, name=self.name)
        return f"{self.name!r}: {self.kind}{why} ({how} {self.effect})"


class Forced(NamedTuple):
    """The names of columns whose kind the user says."""

    categorical: frozenset[str] = frozenset()
    numeric: frozenset[str] = frozenset()
    ignore: frozenset[str] = frozenset()
    keep: frozenset[str] = frozenset()


def forced(columns: Columns, options: dict[str, Any]) -> Forced:
    """Return the columns that options name, by name or by position.

    Raises
    ------
    ValueError
        If there are no such columns, or one has two kinds; all are named.
    """
    found = {o: _names(columns, o, given) for o, given in options.items()}
    for a, b in (("categorical", "numeric"), ("ignore", "keep")):
        both = sorted(found[a] & found[b])
        if both:
            raise ValueError(f"{a} and {b} must name different columns, but both name {both}")
    return Forced(**found)


def _names(columns: Columns, option: str, given: Any) -> frozenset[str]:
    wanted = [given] if isinstance(given, str | int) else list(given)
    found = {name: _name(columns, name) for name in wanted}
    unknown = [name for name, column in found.items() if column is None]
    if unknown:
        near = nearest(str(unknown[0]), columns.names)
        hint = f"; did you mean {near!r}?" if near else f"; it has {shown(columns.names)}"
        raise ValueError(
            f"{option} names columns that {columns.source} does not have: {shown(unknown)}{hint}"
        )
    return frozenset(name for name in found.values() if name is not None)


def _name(columns: Columns, given: Any) -> str | None:
    if str(given) in columns:
        return str(given)
    if isinstance(given, int | np.integer) and -len(columns) <= given < len(columns):
        return columns[int(given)].name
    return None


def shown(names: Sequence[Any], most: int = 10) -> str:
    """Return names for a message, the first of many."""
    more = f", ... ({len(names):,} in all)" if len(names) > most else ""
    return ", ".join(map(repr, names[:most])) + more


def decide(column: Column, options: Forced, *, named: bool) -> Decision:
    """Decide what becomes of a column.

    Parameters
    ----------
    column : Column
    options : Forced
    named : bool
        Whether names mean something: a plain array has no column of row numbers or ids.
    """
    name = column.name
    if name in options.ignore:
        return Decision(name, "left out", "as it is ignored", "ignore", "does this")
    kind = _kind(column, options)
    reason = _reason_to_leave_out(column, kind, named=named)
    says = name in options.keep | options.categorical | options.numeric
    if reason == _EMPTY:
        return Decision(name, "left out", reason, "ignore", "says so beforehand")
    if reason and not says:
        return Decision(name, "left out", reason, "keep", "takes it")
    option, effect = ("ignore", "leaves it out")
    if kind == "number" and column.whole and not says:
        option, effect = ("categorical", "takes its values as categories")
    return Decision(name, kind, _about(column, kind), option, effect)


def _kind(column: Column, options: Forced) -> Kind:
    if column.name in options.categorical:
        return "category"
    if column.is_date:
        if column.name in options.numeric:
            raise ValueError(f"numeric: {column.name!r} holds dates, which become numbers anyhow")
        return "date"
    if column.is_number or column.name in options.numeric:
        return "number"
    return "number" if _is_numbers_with_slips(column) else "category"


def _is_numbers_with_slips(column: Column) -> bool:
    """Tell whether a few texts stand among many numbers."""
    if column.style is None or column.categories is None or len(column.categories) <= FEW_VALUES:
        return False
    _, strays = read_as(column, column.style)
    present = len(column.values) - column.n_missing
    return bool(np.count_nonzero(strays) < _STRAY * present)


# ---- what is left out ----------------------------------------------------------------------------

_EMPTY = "every value is missing"


def _reason_to_leave_out(column: Column, kind: Kind, *, named: bool) -> str:
    n_missing = column.n_missing
    present = len(column.values) - n_missing
    if not present:
        return _EMPTY
    if not n_missing and _is_constant(column):
        return f"every value is {column.take(slice(0, 1)).texts()[0]!r}"
    if column.is_text:
        return _reason_of_texts(column, present) if kind == "category" else ""
    if kind == "number" and named and not n_missing:
        return _reason_of_numbers(column)
    return ""


def _is_constant(column: Column) -> bool:
    return bool((column.values == column.values[0]).all())


def _reason_of_texts(column: Column, present: int) -> str:
    assert column.categories is not None
    codes = np.unique(column.values)
    codes = codes[codes >= 0]
    if len(codes) <= max(FEW_VALUES, present // 2):
        return ""
    texts = [column.categories[code] for code in codes[:1000]]
    words = np.mean([len(text.split()) for text in texts])
    characters = np.mean([len(text) for text in texts])
    what = "free text" if words >= _WORDS or characters >= _CHARACTERS else "id-like"
    return f"{what}: {len(codes):,} different texts in {present:,} rows, such as {texts[0]:.30}"


def _reason_of_numbers(column: Column) -> str:
    values, n = column.values, len(column.values)
    named_so = _NAME_OF_IDS.fullmatch(column.name) is not None
    if not column.whole or (n <= FEW_VALUES and not named_so):
        return ""
    if values[0] in (0, 1) and (np.diff(values) == 1).all():
        return f"row numbers, {values[0]:.0f} to {values[-1]:.0f}"
    if named_so and len(np.unique(values)) == n:
        return "id-like: its name says so, and all its values differ"
    return ""


def _about(column: Column, kind: Kind) -> str:
    facts = []
    if kind == "number" and column.is_text:
        texts = strays_of(column)
        facts.append(f"{shown(texts, 3)} {'counts' if len(texts) == 1 else 'count'} as missing")
    if kind == "category":
        n = _count(column)
        facts.append("1 value" if n == 1 else f"{n:,} different values")
    if column.n_missing:
        facts.append(f"{column.n_missing:,} of {len(column.values):,} missing")
    return ", ".join(facts)


def _count(column: Column) -> int:
    return len(np.unique(column.values[~column.missing]))
