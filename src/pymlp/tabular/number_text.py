"""Numbers as people write them: decimal commas, thousands separators, currencies, per cent."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["decimal_mark", "read_numbers"]

# Cells are read all at once, as one text with a line for each.
_PLAIN = re.compile(r"[0-9.eE+\-\n]*")

# Characters that mean the same: spaces that do not break and thin ones, apostrophes, minus signs.
_ALIKE = {
    " ": "\u00a0\u202f\u2007\u2009\t",
    "'": "\u2019\u2018\u00b4`",
    "-": "\u2212\u2013",
    "¤": "%\u2030$¢£¥\u058f\u060b\u0e3f" + "".join(map(chr, range(0x20A0, 0x20C1))),
}
# Behind these, currencies by letters; the dollars' letters stand before the sign.
_CURRENCIES = (
    *("EUR", "USD", "GBP", "CHF", "JPY", "CNY", "RMB", "INR", "AUD", "CAD", "NZD", "SEK", "NOK"),
    *("DKK", "PLN", "CZK", "HUF", "BRL", "MXN", "ZAR", "TRY", "RUB", "KRW"),
    *("Fr.", "Rs.", "Rs", "kr.", "kr", "zł", "Kč", "Ft"),
    *("US¤", "AU¤", "NZ¤", "CA¤", "HK¤", "A¤", "C¤", "S¤", "R¤"),
)
_BRACKETS = re.compile(r"^\( *\+?([^-+()\n]*?) *\)$", re.MULTILINE)
_MINUS_BEHIND = re.compile(r"^([0-9.,' ]+?) ?-$", re.MULTILINE)


def _grammar(decimal: str, other: str) -> re.Pattern[str]:
    grouped = rf"[0-9]{{1,3}}([{other}' ])(?:[0-9]{{2,3}}\1)*[0-9]{{3}}"
    return re.compile(
        rf"[-+]?(?={decimal}?[0-9])(?:{grouped}|[0-9]+)?(?:{decimal}[0-9]*)?(?:[eE][-+]?[0-9]+)?"
    )


_GRAMMARS = {".": _grammar(r"\.", ","), ",": _grammar(",", ".")}


def _evidence(decimal: str, other: str) -> re.Pattern[str]:
    """Return what shows that a mark is decimal.

    It has not three digits behind it, or stands behind a lonely 0 or behind thousands that the
    other mark separates.
    """
    return re.compile(
        rf"^[-+]?(?:[0-9]*{decimal}(?:[0-9]{{0,2}}|[0-9]{{4,}})(?:[eE][-+]?[0-9]+)?"
        rf"|0?{decimal}[0-9]+|[0-9]{{1,3}}(?:[{other}' ][0-9]{{2,3}})+{decimal}[0-9]+)$",
        re.MULTILINE,
    )


_SHOWS = {".": _evidence(r"\.", ","), ",": _evidence(",", ".")}
# Two separators of one kind are thousands', so that the other mark is decimal.
_TWICE = {
    ".": re.compile(r"^[-+]?[0-9]{1,3}(?:,[0-9]{2,3})+,[0-9]{3}$", re.MULTILINE),
    ",": re.compile(r"^[-+]?[0-9]{1,3}(?:\.[0-9]{3}){2,}$", re.MULTILINE),
}


def decimal_mark(cells: Sequence[str]) -> str | None:
    """Return which mark is decimal in a column, "." or ","; None where no cell shows it.

    A cell shows it where a mark has not exactly three digits behind it (``3,5``, ``0.1234``), where
    it stands behind a lonely 0 (``0,125``) or behind the other mark (``1.234,567``), and where the
    other mark stands twice (``1,234,567``). Where cells disagree the mark is taken with which more
    cells are numbers.

    Parameters
    ----------
    cells : sequence of str

    Returns
    -------
    str or None

    Examples
    --------
    >>> decimal_mark(["1.234", "2.345,50"]), decimal_mark(["1.234", "2.345"])
    (',', None)
    """
    text = _undecorated(cells)
    if "," not in text and "." not in text:
        return None
    shown = [mark for mark in ".," if _SHOWS[mark].search(text) or _TWICE[mark].search(text)]
    if len(shown) < 2:
        return shown[0] if shown else None
    counts = {mark: int(read_numbers(cells, mark)[1].sum()) for mark in shown}
    return max(shown, key=counts.__getitem__)


def is_ambiguous(cells: Sequence[str]) -> bool:
    """Tell whether the cells are other numbers with another decimal mark."""
    text = _undecorated(cells)
    return ("," in text or "." in text) and decimal_mark(cells) is None


def read_numbers(
    cells: Sequence[str], decimal: str = "."
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Read cells as numbers.

    Beside signs, digits, the decimal mark and an exponent a number may have thousands separators
    (the other mark, spaces, apostrophes; groups of three digits, or of two as in India), a currency
    before or behind it, a per cent sign (which changes nothing: ``5 %`` is 5), and as negative a
    minus behind it or brackets around it. ``5.-`` is 5.

    Parameters
    ----------
    cells : sequence of str
    decimal : str, default "."
        The decimal mark, "." or ",".

    Returns
    -------
    values : ndarray, shape (len(cells),), float64
        NaN where a cell is no finite number.
    good : ndarray, shape (len(cells),), bool
        Which cells are.

    Examples
    --------
    >>> read_numbers(["1.234,50 €", "-3", "(7,5 %)", "4 kg"], ",")[0].tolist()
    [1234.5, -3.0, -7.5, nan]
    """
    text = _joined(cells)
    if decimal == "." and _PLAIN.fullmatch(text):
        try:
            return _finite(np.fromiter(map(float, cells), np.float64, len(cells)))
        except ValueError:
            pass  # such as a date, or an empty cell
    lines = _undecorated(cells).split("\n") if len(cells) else []
    good = [match is not None for match in map(_GRAMMARS[decimal].fullmatch, lines)]
    text = "\n".join([line if fine else "nan" for line, fine in zip(lines, good, strict=True)])
    for separator in " '" + (",." if decimal == "." else ".,")[0]:
        text = text.replace(separator, "")
    if decimal == ",":
        text = text.replace(",", ".")
    parts = text.split("\n") if lines else []
    return _finite(np.fromiter(map(float, parts), np.float64, len(parts)))


def _finite(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    good = np.isfinite(values)
    values[~good] = np.nan
    return values, good


def _joined(cells: Sequence[str]) -> str:
    text = "\n".join(cells)
    if text.count("\n") >= len(cells) > 0:
        text = "\n".join([cell.replace("\n", "|") for cell in cells])  # no number has it
    return text


def _undecorated(cells: Sequence[str]) -> str:
    """Return the cells as lines, without currencies and per cent signs, the minus in front."""
    text = _joined(cells)
    if _PLAIN.fullmatch(text) and "-\n" not in f"{text}\n":
        return text
    characters = set(text)
    for plain, others in _ALIKE.items():
        for other in characters.intersection(others):
            text = text.replace(other, plain)
    if any(map(str.isalpha, characters - {"e", "E"})):
        for name in _CURRENCIES:
            text = text.replace(name, "¤")
    text = f"\n{text}\n"
    if "¤" in text:
        text = text.replace(" ¤", "¤").replace("¤ ", "¤")
        for before, behind in (("", ""), ("-", "-"), ("+", ")"), ("(", " ")):
            text = text.replace(f"\n{before}¤", f"\n{before}").replace(
                f"¤{behind}\n", f"{behind}\n"
            )
    for nothing in (".-", ",-", ".--"):  # as on price tags
        text = text.replace(f"{nothing}\n", "\n")
    text = text.replace("\n- ", "\n-")[1:-1]
    if "(" in characters:
        text = _BRACKETS.sub(r"-\1", text)
    return _MINUS_BEHIND.sub(r"-\1", text) if "-\n" in text or text.endswith("-") else text
