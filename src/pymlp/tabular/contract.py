"""What scikit-learn expects of an estimator, without scikit-learn.

Its own functions ask objects, not their class. Where they want something made of their own parts
(tags, metadata requests), it is made when they ask: scikit-learn is imported by then.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from pymlp import _html

__all__ = ["Estimator", "NotFittedError"]


class NotFittedError(ValueError, AttributeError):
    """An estimator is used before `fit`."""


class Estimator:
    """Parameters that are set by the constructor, and attributes that end in "_" by `fit`."""

    @classmethod
    def _parameters(cls) -> dict[str, Any]:
        """Return the constructor's parameters with their defaults."""
        parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
        return {parameter.name: parameter.default for parameter in parameters}

    def _take(self, given: Mapping[str, Any]) -> None:
        """Store the constructor's arguments, of its ``locals()``, as they are."""
        for name in self._parameters():
            setattr(self, name, given[name])

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name.

        Parameters
        ----------
        deep : bool, default True
            Without effect here: no parameter is an estimator.
        """
        return {name: getattr(self, name) for name in sorted(self._parameters())}

    def set_params(self, **parameters: Any) -> Self:
        """Set parameters by name, and return the estimator.

        Raises
        ------
        ValueError
            If there is no such parameter.
        """
        known = self._parameters()
        unknown = [name for name in parameters if name not in known]
        if unknown:
            raise ValueError(
                f"Invalid parameter {unknown[0]!r} for estimator {self}. Valid parameters are: "
                f"{sorted(known)!r}."
            )
        for name, value in parameters.items():
            setattr(self, name, value)
        return self

    def _changed(self) -> dict[str, Any]:
        """Return the parameters that are not as by default."""
        defaults = self._parameters()
        return {n: v for n, v in self.get_params().items() if repr(v) != repr(defaults[n])}

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value!r}" for name, value in self._changed().items())
        return f"{type(self).__name__}({options})"

    def _repr_html_(self) -> str:
        """Return what notebooks show: what was set, and what became of the columns."""
        rows = [(name, repr(value)) for name, value in self._changed().items()]
        fitted = self.__sklearn_is_fitted__()
        if fitted:
            rows += self._fitted_rows()
        head = _html.text(type(self).__name__ + ("" if fitted else " (not fitted)"), strong=True)
        return head + (_html.table([("", ""), *rows]) if rows else "")

    def _fitted_rows(self) -> list[tuple[str, str]]:
        return []

    # ---- fitted or not -------------------------------------------------------------------------

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_features_in_")

    def _check_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            # That of scikit-learn for those who catch it.
            theirs = getattr(sys.modules.get("sklearn.exceptions"), "NotFittedError", None)
            name = type(self).__name__
            raise (theirs or NotFittedError)(f"This {name} is not fitted yet: call fit first")

    # ---- what scikit-learn makes of its own parts ----------------------------------------------

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags  # type: ignore[import-untyped]

        takes = InputTags(categorical=True, string=True, dict=True, allow_nan=True)
        return Tags(estimator_type=None, target_tags=TargetTags(required=False), input_tags=takes)

    def get_metadata_routing(self) -> Any:
        """Return which arguments of `fit` and `score` are asked for; scikit-learn calls it."""
        from sklearn.utils.metadata_routing import (  # type: ignore[import-untyped]
            MetadataRequest,
        )

        if "_metadata_request" in vars(self):
            return self._metadata_request
        requests = MetadataRequest(owner=type(self).__name__)
        for method in ("fit", "score"):
            for name in _arguments(getattr(self, method, None)):
                getattr(requests, method).add_request(param=name, alias=None)
        return requests

    def set_fit_request(self, **requests: bool | str | None) -> Self:
        """Say which arguments of `fit` scikit-learn's functions hand on: see its user guide."""
        return self._request("fit", requests)

    def set_score_request(self, **requests: bool | str | None) -> Self:
        """Say which arguments of `score` scikit-learn's functions hand on: see its user guide."""
        return self._request("score", requests)

    def _request(self, method: str, wanted: dict[str, bool | str | None]) -> Self:
        requests = self.get_metadata_routing()
        known = _arguments(getattr(self, method))
        if unknown := sorted(wanted.keys() - set(known)):
            raise TypeError(f"{method} takes {', '.join(known)}, and not {', '.join(unknown)}")
        for name, alias in wanted.items():
            getattr(requests, method).add_request(param=name, alias=alias)
        self._metadata_request = requests
        return self


def _arguments(method: Any) -> list[str]:
    """Return the arguments of a method that go along with X and y."""
    names = [] if method is None else list(inspect.signature(method).parameters)
    return [name for name in names if name not in ("X", "y")]


def warning_of_columns() -> type[Warning]:
    """Return the category of the warning that a column is taken as a vector."""
    found = getattr(sys.modules.get("sklearn.exceptions"), "DataConversionWarning", UserWarning)
    return found


def seed_of(random_state: Any) -> int | None:
    """Return a seed that a generator of NumPy draws, or the integer itself."""
    if random_state is None or isinstance(random_state, int | np.integer):
        return None if random_state is None else int(random_state)
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31 - 1))
    raise TypeError(
        "random_state must be None, an integer, a RandomState or a Generator of NumPy, not "
        f"{type(random_state).__name__}"
    )
