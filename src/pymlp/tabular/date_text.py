"""Dates as people write them: ISO, day or month first, months by name, with a time or without."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["date_order", "read_dates"]

_TIME = (
    r"(?:[T ,]+(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,]\d{1,9})?)?(?: ?([AaPp])\.?[Mm]\.?)?"
    r" ?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?"
)
_ISO = re.compile(r"(?:\d{4}-\d\d(?:-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?)?\n)*")
_YEAR_FIRST = re.compile(r"(\d{4})(?:-(\d\d)|([-/.])(\d{1,2})\3(\d{1,2})" + _TIME + ")")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d\d)" + _TIME)
_DAY_MONTH = re.compile(r"(\d{1,2})([-. /]+)([^\W\d_]{3,10})[-.,/ ]+(\d{4}|\d\d)" + _TIME)
_MONTH_DAY = re.compile(r"([^\W\d_]{3,10})([-. /]+)(\d{1,2})[-., /]+(\d{4})" + _TIME)

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# German, French, Spanish and Italian ones that begin with other letters; four where three are two.
_OTHERS = (
    *(("mär", 3), ("mrz", 3), ("mai", 5), ("okt", 10), ("dez", 12), ("ene", 1), ("abr", 4)),
    *(("ago", 8), ("dic", 12), ("gen", 1), ("mag", 5), ("giu", 6), ("lug", 7), ("set", 9)),
    *(("ott", 10), ("fev", 2), ("fév", 2), ("avr", 4), ("juin", 6), ("juil", 7)),
    *(("aou", 8), ("aoû", 8), ("déc", 12)),
)
_NUMBER_OF_MONTH = {name: i + 1 for i, name in enumerate(_MONTHS)} | dict(_OTHERS)

_SAMPLE = 50  # cells looked at before the rest: texts that are no dates cost nothing more


def date_order(cells: Sequence[str]) -> str | None:
    """Return the order of day and month in a column of dates: "dmy" or "mdy".

    None where no cell shows it: all of them are ISO dates, say, or no day is beyond 12.

    Examples
    --------
    >>> date_order(["1/2/2024", "13/2/2024"]), date_order(["1/2/2024"])
    ('dmy', None)
    """
    for cell in cells:
        match = _YEAR_LAST.fullmatch(cell)
        if match and (match[2] == "." or int(match[1]) > 12):
            return "dmy"
        if match and int(match[3]) > 12:
            return "mdy"
    return None


def read_dates(
    cells: Sequence[str], order: str = "mdy"
) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """Read cells as dates.

    Known are ``2024-03-31``, ``2024-03`` (its first day), ``31.3.2024``, ``3/31/2024``,
    ``31 March 2024``, ``Mar 31, 2024``, and years of two digits, 1970 to 2069. A time may stand
    behind them; an offset from UTC is subtracted.

    Parameters
    ----------
    cells : sequence of str
    order : str, default "mdy"
        What ``1/2/2024`` is: "mdy", the second of January, or "dmy".

    Returns
    -------
    values : ndarray, shape (len(cells),), datetime64[s]
        NaT where a cell is no date.
    good : ndarray, shape (len(cells),), bool
        Which cells are.

    Examples
    --------
    >>> read_dates(["31.3.2024", "2024-03-31 14:05", "soon"])[0].astype(str).tolist()
    ['2024-03-31T00:00:00', '2024-03-31T14:05:00', 'NaT']
    """
    if _ISO.fullmatch("\n".join([*cells[:_SAMPLE], ""])):
        try:
            values = np.array(cells, "M8[s]")
            if _ISO.fullmatch("\n".join([*cells, ""])):  # NumPy reads a little more
                return values, ~np.isnat(values)
        except ValueError:
            pass  # one that is no date
    elif not any(_fields(cell, order) for cell in cells[:_SAMPLE]):
        return np.full(len(cells), np.datetime64("NaT", "s")), np.zeros(len(cells), bool)
    fields = [_fields(cell, order) or _NO_DATE for cell in cells]
    return _dates(np.array(fields, np.int64).reshape(-1, 7))


_NO_DATE = (0, 0, 0, 0, 0, 0, 0)


def _fields(cell: str, order: str) -> tuple[int, ...] | None:
    """Return year, month, day, hour, minute, second and the offset in minutes, not yet checked."""
    match = _YEAR_FIRST.fullmatch(cell)
    if match and match[2]:
        return int(match[1]), int(match[2]), 1, 0, 0, 0, 0
    if match:
        return (int(match[1]), int(match[4]), int(match[5]), *_time(match))
    match = _YEAR_LAST.fullmatch(cell)
    if match:
        day, month = (1, 3) if order == "dmy" or match[2] == "." else (3, 1)
        return (_year(match[4]), int(match[month]), int(match[day]), *_time(match))
    match = _DAY_MONTH.fullmatch(cell)
    if match:
        return (_year(match[4]), _month(match[3]), int(match[1]), *_time(match))
    match = _MONTH_DAY.fullmatch(cell)
    if match:
        return (_year(match[4]), _month(match[1]), int(match[3]), *_time(match))
    return None


def _year(digits: str) -> int:
    year = int(digits)
    return year if len(digits) == 4 else year + (1900 if year >= 70 else 2000)


def _month(name: str) -> int:
    low = name.lower()
    return _NUMBER_OF_MONTH.get(low[:3]) or _NUMBER_OF_MONTH.get(low[:4], 0)


def _time(match: re.Match[str]) -> tuple[int, int, int, int]:
    hour, minute, second, half, zone = match.groups()[-5:]
    if hour is None:
        return 0, 0, 0, 0
    hours = int(hour) if half is None else int(hour) % 12 + 12 * (half in "pP")
    return hours, int(minute), int(second or 0), _offset(zone)


def _offset(zone: str | None) -> int:
    if zone is None or zone[0] not in "+-":
        return 0
    minutes = 60 * int(zone[1:3]) + int(zone[3:].lstrip(":") or 0)
    return minutes if zone[0] == "+" else -minutes


def _dates(fields: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Put dates together; the 31st of February and the hour 25 are none."""
    year, month, day, hour, minute, second, offset = fields.T
    good = (month >= 1) & (month <= 12) & (day >= 1) & (hour < 24) & (minute < 60) & (second < 60)
    months = (year - 1970).astype("M8[Y]").astype("M8[M]") + np.where(good, month - 1, 0)
    days = months.astype("M8[D]") + (day - 1)
    good &= days.astype("M8[M]") == months
    seconds = 3600 * hour + 60 * (minute - offset) + second
    values = days.astype("M8[s]") + seconds.astype("m8[s]")
    return np.where(good, values, np.datetime64("NaT", "s")), good
