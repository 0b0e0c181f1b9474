"""What was unusual in the rows that were predicted: counted, told at the end, or refused."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pymlp.cli.report import cut
from pymlp.tabular import Columns
from pymlp.tabular.encoder import TableEncoder
from pymlp.tabular.reading import Table

__all__ = ["Counts"]

_SHOWN = 5  # examples of each kind


class Counts:
    """Cells and rows that are not like those of the training.

    Parameters
    ----------
    strict : bool
        Refuse them with a ValueError instead of counting them.
    """

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._missing: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()
        self._values: dict[str, list[str]] = {}
        self._n_rows = 0
        self._reasons: list[str] = []

    def wrong_rows(self, table: Table) -> NDArray[np.bool_]:
        """Return which rows have as many cells as the first; the others are counted."""
        good = np.ones(table.columns.n_rows, bool)
        for wrong in table.wrong_rows:
            good[wrong.row] = False
            cells = "cell" if wrong.n_cells == 1 else "cells"
            self._reasons.append(
                f"{table.columns.source}, row {wrong.line}: {wrong.n_cells} {cells}, not "
                f"{len(table.columns)}"
            )
        self._n_rows += len(table.wrong_rows)
        self._refuse(self._reasons)
        return good

    def cells(self, encoder: TableEncoder, columns: Columns) -> NDArray[np.bool_]:
        """Return which rows can be predicted; the others, missing and unknown cells are counted.

        Parameters
        ----------
        encoder : TableEncoder
        columns : Columns
            As the encoder arranges them.
        """
        good = np.ones(columns.n_rows, bool)
        reasons = []
        for refused in encoder.refused(columns):
            good[refused.rows] = False
            place = columns.place(int(refused.rows[0]), refused.name)
            reasons.append(f"{place}: {cut(refused.reason, 80)}{_others(len(refused.rows))}")
        self._refuse(reasons)
        self._reasons += reasons
        self._n_rows += int(np.count_nonzero(~good))
        for unusual in encoder.unusual(columns):
            self._missing[unusual.name] += unusual.n_missing
            self._unknown[unusual.name] += unusual.n_unknown
            values = self._values.setdefault(unusual.name, [])
            values += [text for text in unusual.unknown if text not in values]
        self._refuse(self._about_cells(), f"{columns.source}: ")
        return good

    def _refuse(self, reasons: Sequence[str], before: str = "") -> None:
        if self._strict and reasons:
            more = f"; and {len(reasons) - 10:,} more" if len(reasons) > 10 else ""
            raise ValueError(before + "; ".join(reasons[:10]) + more)

    def _about_cells(self) -> list[str]:
        found = []
        if missing := +self._missing:
            found.append(f"{missing.total():,} missing {_cells(missing.total())} in {_in(missing)}")
        if unknown := +self._unknown:
            values = [value for name in unknown for value in self._values[name]]
            shown = ", ".join(repr(cut(value)) for value in values[:_SHOWN])
            found.append(
                f"{unknown.total():,} {_cells(unknown.total())} of categories that the training "
                f"did not have in {_in(unknown)}: {shown}{', ...' if len(values) > _SHOWN else ''}"
            )
        return found

    def tell(self) -> None:
        """Print what was counted to standard error."""
        for text in self._about_cells():
            print(f"pymlp: {text}", file=sys.stderr)
        if self._n_rows:
            rows = "row" if self._n_rows == 1 else "rows"
            shown = "; ".join(self._reasons[:_SHOWN])
            more = "; ..." if len(self._reasons) > _SHOWN else ""
            print(
                f"pymlp: {self._n_rows:,} {rows} without a prediction: {shown}{more}",
                file=sys.stderr,
            )


def _cells(n: int) -> str:
    return "cell" if n == 1 else "cells"


def _others(n: int) -> str:
    return f" (and {n - 1:,} more)" if n > 1 else ""


def _in(counts: Counter[str]) -> str:
    shown = [f"{cut(name)!r} ({n:,})" for name, n in counts.most_common(_SHOWN)]
    return ", ".join(shown) + (", ..." if len(counts) > _SHOWN else "")
