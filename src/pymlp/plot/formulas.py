"""Formulas in plain text, as `pymlp.activations` has them, typeset for matplotlib."""

from __future__ import annotations

import re

_NAMES = {"inf": r"\infty"}
_NAMES |= {name: "\\" + name for name in ("alpha", "pi", "phi", "Phi", "log", "tanh", "min", "max")}
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_STEPS = [
    (r"([{}])", r"\\\1"),
    (r"(?<=[\w)}|]) (?=[\w(|]|-\w)", r"\\ "),  # between factors and words, not around operators
    (r"(?<=[,;]) (?![^()[\]]*[)\]])", r"\\ "),  # outside brackets
    (r"-(?=\w)", r"{-}"),  # a sign
    (r"sum_", r"\\Sigma_"),  # the size of a letter
    (r"sqrt\(([^()]*)\)", r"\\sqrt{\1}"),
    (r"\^\(([^()]*)\)", r"^{\1}"),
    (r"\^((?:{-})?\w)", r"^{\1}"),
    (r"<=", r"\\leq "),
    (r">=", r"\\geq "),
]


def typeset(formula: str) -> str:
    r"""Return a formula as mathematical text between dollars.

    >>> typeset("alpha (e^z - 1)")
    '$\\alpha\\ (e^{z} - 1)$'
    """
    formula, comma, prose = formula.partition(", the ")
    for pattern, replacement in _STEPS:
        formula = re.sub(pattern, replacement, formula)
    return f"${_WORD.sub(_word, formula)}${comma}{prose}"


def upright(name: str) -> str:
    """Return a name in bold upright letters."""
    return r"$\mathbf{" + name.replace("_", r"\_") + "}$"


def _word(match: re.Match[str]) -> str:
    return _NAMES.get(match[0], rf"\mathrm{{{match[0]}}}")
