"""The rule that ends a training which gets no better."""

from __future__ import annotations

from pymlp import _checks
from pymlp._values import Value

__all__ = ["EarlyStopping"]


class EarlyStopping(Value):
    """End training when the watched loss has not improved for a while.

    Parameters
    ----------
    patience : int, default 10
        Epochs without improvement after which training ends, at least 1.
    min_delta : float, default 0
        An improvement is a decrease by more than this.
    restore_best : bool, default True
        Leave the parameters of the best epoch, not of the last one, however training ends on its
        own.

    Examples
    --------
    >>> pymlp.EarlyStopping(5, restore_best=False)
    EarlyStopping(patience=5, min_delta=0, restore_best=False)
    """

    patience: int
    min_delta: float
    restore_best: bool

    def __init__(
        self, patience: int = 10, *, min_delta: float = 0.0, restore_best: bool = True
    ) -> None:
        super().__init__(
            patience=_checks.integer("patience", patience, minimum=1),
            min_delta=_checks.number("min_delta", min_delta, minimum=0.0),
            restore_best=_checks.flag("restore_best", restore_best),
        )
