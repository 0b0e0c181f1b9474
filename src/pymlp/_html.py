"""HTML for notebooks: tables and lines of text that suit light and dark pages.

Colours are those of the page, and greys and hues that are seen on white and on black. Every text is
escaped here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from html import escape

_RULE = "1px solid rgba(128,128,128,.45)"
_TABLE = "border-collapse:collapse;margin:.3em 0;font-variant-numeric:tabular-nums"


def text(words: str, *, strong: bool = False, faint: bool = False) -> str:
    """Return words as a line of their own."""
    style = "font-weight:600" * strong + "opacity:.7" * faint
    return f'<div style="margin:.2em 0;{style}">{escape(words)}</div>'


def table(rows: Iterable[Sequence[str]], right: Collection[int] = ()) -> str:
    """Return rows, the first of which is the header, as a table; some columns on the right."""
    header, *cells = rows
    head = "".join(map(_cell, ["th"] * len(header), header, _sides(header, right)))
    body = "".join(
        f"<tr>{''.join(map(_cell, ['td'] * len(row), row, _sides(row, right)))}</tr>"
        for row in cells
    )
    return (
        f'<table style="{_TABLE}"><thead><tr style="border-bottom:{_RULE}">{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _sides(row: Sequence[str], right: Collection[int]) -> list[str]:
    return ["right" if column in right else "left" for column in range(len(row))]


def _cell(tag: str, words: str, side: str) -> str:
    return f'<{tag} style="padding:.15em .7em;text-align:{side}">{escape(words)}</{tag}>'


def items(pairs: Iterable[tuple[str, str]]) -> str:
    """Return names, each with what is said of it, as a list."""
    lines = "".join(f"<li><b>{escape(name)}</b>: {escape(said)}</li>" for name, said in pairs)
    return f'<ul style="margin:.3em 0;padding-left:1.4em;max-width:60em">{lines}</ul>'


def details(summary: str, words: str) -> str:
    """Return words that are shown when the summary is clicked."""
    return f"<details><summary>{escape(summary)}</summary>{text(words)}</details>"


def beside(*parts: str) -> str:
    """Return parts beside each other, below each other where there is no room."""
    cells = "".join(f"<div>{part}</div>" for part in parts)
    return f'<div style="display:flex;flex-wrap:wrap;gap:1.5em;align-items:center">{cells}</div>'


def block(*parts: str) -> str:
    """Return parts below each other."""
    return f"<div>{''.join(parts)}</div>"
