"""Formulas as the documentation writes them, turned into Python that can be evaluated.

`2 sqrt(2 / pi) z`, `e^-z`, `|z|`, `tanh z` and `s (1 + z (1 - s)), s = sigmoid(z)` are read as a
reader would. Only numbers, a few names and operators may appear in one.
"""

import functools
import math
import re
import types
from typing import Any

FUNCTIONS: dict[str, Any] = {
    "tanh": math.tanh,
    "sin": math.sin,
    "cos": math.cos,
    "log": math.log,
    "sqrt": math.sqrt,
    "sigmoid": lambda z: 1.0 / (1.0 + math.exp(-z)),
    "softplus": lambda z: math.log1p(math.exp(z)),
    "Phi": lambda z: math.erfc(-z / math.sqrt(2.0)) / 2.0,
    "phi": lambda z: math.exp(-z * z / 2.0) / math.sqrt(2.0 * math.pi),
    "max": max,
    "min": min,
    "abs": abs,
}
CONSTANTS = {"e": math.e, "pi": math.pi, "inf": math.inf}
KEYWORDS = {"if", "else"}
TOKEN = re.compile(r"\d+(?:\.\d+)?|[A-Za-z]+|<=|>=|[-+*/^()<>,]")
WHERE = re.compile(r"(.*), (\w) = (.*)")


def begins_a_value(token: str) -> bool:
    return token == "(" or (token[0].isalnum() and token not in KEYWORDS)


def ends_a_value(token: str) -> bool:
    return token == ")" or (token[0].isalnum() and token not in (*KEYWORDS, *FUNCTIONS))


def tokens_of(equation: str) -> list[str]:
    """Return the tokens, |z| as abs(z), and `0 if z < 1, 1 if z > 2, else z` with `else` twice."""
    text = re.sub(r"\|([^|]*)\|", r"abs(\1)", equation)
    text = re.sub(r", (?=\S+ if )", " else ", text.replace(", else", " else"))
    if TOKEN.sub("", text).strip():
        raise ValueError(f"{equation!r} is more than a formula")
    return TOKEN.findall(text)


def python_of(equation: str) -> str:
    """Return the formula as a Python expression."""
    result: list[str] = []
    for token in tokens_of(equation):
        if result and result[-1] in FUNCTIONS and token != "(":
            result += ["(", token, ")"]  # tanh z
            continue
        if result and ends_a_value(result[-1]) and begins_a_value(token):
            result.append("*")
        result.append("**" if token == "^" else token)
    return " ".join(result)


@functools.cache
def compiled(equation: str) -> types.CodeType:
    return compile(python_of(equation), equation, "eval")


def evaluate(equation: str, **names: float) -> float:
    """Return the formula's value; what stands behind `, s =` is s in it."""
    where = WHERE.fullmatch(equation)
    if where:
        equation, name, definition = where.groups()
        names[name] = evaluate(definition, **names)
    known = {"__builtins__": {}, **FUNCTIONS, **CONSTANTS, **names}
    return float(eval(compiled(equation), known))
