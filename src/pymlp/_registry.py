"""Names of things, and their names in scikit-learn, Keras and PyTorch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")


class Registry(Generic[T]):
    """Things by name, in any spelling: "LeakyReLU" and "leaky-relu" are ``leaky_relu``.

    Parameters
    ----------
    what : str
        What the names are of, as messages call it.
    things : mapping
        The things by their names.
    aliases : mapping
        Other names, and the names that they stand for.
    hints : mapping, optional
        Names of what is written otherwise here, and how.
    """

    def __init__(
        self,
        what: str,
        things: Mapping[str, T],
        aliases: Mapping[str, str],
        hints: Mapping[str, str] | None = None,
    ) -> None:
        self._hints = {folded(name): hint for name, hint in (hints or {}).items()}
        self._what = what
        self._names = list(things)
        self._aliases = list(aliases)
        self._things = {folded(name): thing for name, thing in things.items()}
        self._things |= {folded(alias): things[name] for alias, name in aliases.items()}

    def find(self, name: str) -> T:
        """Return the thing of this name.

        Raises
        ------
        ValueError
            If there is none; the nearest name is suggested.
        """
        key = folded(name)
        if key in self._hints:
            raise ValueError(f"unknown {self._what} '{name}'; use {self._hints[key]}")
        if key not in self._things:
            raise unknown_name(self._what, name, self._names, self._aliases)
        return self._things[key]


def folded(name: str) -> str:
    """Return a name without case, underscores, hyphens and spaces, as names are compared."""
    return "".join(c for c in name.lower() if c not in "_- ")


def unknown_name(
    what: str, name: str, known: Iterable[str], aliases: Iterable[str] = ()
) -> ValueError:
    """Return the error for a name that is not among `known`, with the nearest one as a hint."""
    names = sorted(known)
    near = nearest(name, [*names, *aliases])
    hint = f"; did you mean '{near}'?" if near else f"; known are {', '.join(names)}"
    return ValueError(f"unknown {what} '{name}'{hint}")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the name that was probably meant, or None where none is near."""
    import difflib

    folded = {other.casefold(): other for other in known}
    near = difflib.get_close_matches(name.casefold(), folded, n=1)
    return folded[near[0]] if near else None
