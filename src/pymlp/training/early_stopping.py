"""The rule that ends a training which gets no better."""

from __future__ import annotations

from pymlp import _checks
from pymlp._names import Mode, MonitorName, Ties
from pymlp._values import Value

__all__ = ["EarlyStopping"]


class EarlyStopping(Value):
    """End training when the loss, or a metric, has not improved for a while.

    Parameters
    ----------
    patience : int, default 10
        Epochs without improvement after which training ends, at least 1.
    min_delta : float, default 0
        An improvement is a decrease by more than this, or an increase where more is better.
    restore_best : bool, default True
        Leave the parameters of the best epoch, not of the last one, however training ends on its
        own.
    monitor : str, default "loss"
        What is watched: "loss", or the name of one of `fit`'s metrics; of the validation samples
        where there are some, else of the training samples.
    mode : {"auto", "min", "max"}, default "auto"
        Whether less or more of it is better; "auto" knows it of the loss and of built-in metrics.
    ties : {"first", "last"}, default "first"
        Which of equally good epochs is the best one. "last": an epoch that is as good as the best
        one (better by `min_delta`, where that is not 0) counts as an improvement too. Errors of
        classes take few values; the later of two equal epochs has learnt more.

    Raises
    ------
    TypeError, ValueError
        Where an argument is of the wrong kind or out of range; the message names it.

    Examples
    --------
    >>> pymlp.EarlyStopping(5, restore_best=False)
    EarlyStopping(patience=5, min_delta=0, restore_best=False, monitor='loss', mode='auto',
    ties='first')
    """

    patience: int
    min_delta: float
    restore_best: bool
    monitor: str
    mode: Mode
    ties: Ties = "first"  # of rules in files of earlier versions

    def __init__(
        self,
        patience: int = 10,
        *,
        min_delta: float = 0.0,
        restore_best: bool = True,
        monitor: MonitorName | str = "loss",
        mode: Mode = "auto",
        ties: Ties = "first",
    ) -> None:
        if not isinstance(monitor, str):
            raise TypeError(
                f"monitor must be 'loss' or the name of a metric, not {_checks.type_name(monitor)}"
            )
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"mode must be 'auto', 'min' or 'max', not {mode!r}")
        if ties not in ("first", "last"):
            raise ValueError(f"ties must be 'first' or 'last', not {ties!r}")
        super().__init__(
            patience=_checks.integer("patience", patience, minimum=1),
            min_delta=_checks.number("min_delta", min_delta, minimum=0.0),
            restore_best=_checks.flag("restore_best", restore_best),
            monitor=monitor,
            mode=mode,
            ties=ties,
        )
