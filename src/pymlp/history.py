"""How a training ended: its record, the rule that watches it, and what is raised when it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymlp import _checks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["EarlyStopping", "History", "TrainingDiverged"]


class TrainingDiverged(ArithmeticError):  # noqa: N818
    """The loss or a parameter stopped being finite.

    The parameters are as they were when the epoch (in `train_batch`: the step) began.
    """


class EarlyStopping:
    """End training when the watched loss has not improved for a while.

    Parameters
    ----------
    patience : int, default 10
        Epochs without improvement that are waited for.
    min_delta : float, default 0
        An improvement is a decrease by more than this.
    restore_best : bool, default True
        Leave the parameters of the best epoch, not of the last one.
    """

    def __init__(
        self, patience: int = 10, *, min_delta: float = 0.0, restore_best: bool = True
    ) -> None:
        self.patience = _checks.integer("patience", patience, minimum=1)
        self.min_delta = _checks.number("min_delta", min_delta, minimum=0.0)
        self.restore_best = _checks.flag("restore_best", restore_best)

    def __repr__(self) -> str:
        return (
            f"EarlyStopping(patience={self.patience}, min_delta={self.min_delta:g}, "
            f"restore_best={self.restore_best})"
        )


class History:
    """The record of one `fit`.

    Attributes
    ----------
    loss : list of float
        Mean training loss of each epoch, over its batches as they were seen.
    val_loss : list of float
        Mean loss on the validation samples after each epoch; empty without validation.
    learning_rate : list of float
        Of the last step of each epoch.
    seconds : float
        Time spent training.
    stopped_by : str
        "epochs", "early_stopping", "max_seconds", "callback", "diverged" or "interrupted"; of
        L-BFGS also "converged" or "line_search" (which found no lower point); "running" until then.
    """

    def __init__(self) -> None:
        self.loss: list[float] = []
        self.val_loss: list[float] = []
        self.learning_rate: list[float] = []
        self.seconds = 0.0
        self.stopped_by = "running"

    def __repr__(self) -> str:
        last = f", loss={self.loss[-1]:.6g}" if self.loss else ""
        last += f", val_loss={self.val_loss[-1]:.6g}" if self.val_loss else ""
        return (
            f"History({len(self.loss)} epochs{last}, seconds={self.seconds:.3g}, "
            f"stopped_by='{self.stopped_by}')"
        )

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw the learning curve, as `pymlp.plot.history` does; needs matplotlib."""
        from pymlp import plot

        return plot.history(self, ax=ax)
