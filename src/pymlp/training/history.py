"""The record of a training, and what is raised when it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pymlp.training.monitor import Monitor

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["History", "TrainingDiverged"]


class TrainingDiverged(ArithmeticError):  # noqa: N818
    """The loss or a parameter stopped being finite.

    The parameters are as they were when the epoch (in `train_batch`: the step) began.
    """


class History:
    """The record of one `fit`: lists have one entry for each epoch.

    Attributes
    ----------
    loss : list of float
        Mean loss of the training samples, over the epoch's batches as they were seen, weighted by
        sample and class weights; without penalties.
    val_loss : list of float
        Mean loss of the validation samples after each epoch, weighted likewise; empty without
        validation.
    penalty : list of float
        What `l1` and `l2` added to the training loss.
    metrics : dict of str to list of float
        Of each metric that `fit` was asked for, by its name for the training samples, and with
        "val_" before it for those of validation; measured after each epoch, with the same weights
        as the loss.
    learning_rate : list of float
        Of the last step of each epoch.
    seconds : float
        Time spent training.
    stopped_by : str
        "epochs", "early_stopping", "max_seconds", "callback", "diverged" or "interrupted"; of
        L-BFGS also "converged", "line_search" (which found no lower point) or "evaluations" (as
        many as it may take); "running" until then.
    held_out : ndarray of int, or None
        The rows of X that were held out where `validation` is a fraction.

    Examples
    --------
    >>> net = pymlp.Network([1, 1], init="zeros")
    >>> history = net.fit([[1.0]], [1.0], epochs=3, optimizer=pymlp.SGD(0.25))
    >>> history.loss, history.best_epoch, history.stopped_by
    ([1.0, 0.0, 0.0], 1, 'epochs')
    """

    def __init__(self) -> None:
        self.loss: list[float] = []
        self.val_loss: list[float] = []
        self.penalty: list[float] = []
        self.metrics: dict[str, list[float]] = {}
        self.learning_rate: list[float] = []
        self.seconds = 0.0
        self.stopped_by = "running"
        self.held_out: NDArray[np.int64] | None = None
        self._monitor = Monitor()

    @property
    def watched(self) -> list[float]:
        """What early stopping watches: of validation where there is one."""
        name = self._monitor.name
        if name == "loss":
            return self.val_loss or self.loss
        return self.metrics.get(f"val_{name}") or self.metrics.get(name, [])

    @property
    def best_epoch(self) -> int | None:
        """The index of the epoch with the least watched loss; None before the first epoch.

        Where early stopping monitors a metric, that with the best value of it. What is better by no
        more than `EarlyStopping.min_delta` does not count as better.
        """
        watched = self.watched
        best: int | None = None
        for epoch, value in enumerate(watched):
            if best is None or self._monitor.improves(value, watched[best]):
                best = epoch
        return best

    @property
    def still_improving(self) -> bool:
        """Whether a training that ended for want of epochs or time was still getting better.

        It was where the last tenth of the epochs had more than a hundredth of the progress.
        """
        return self._still_improves()

    def to_dict(self) -> dict[str, Any]:
        """Return what there is of every epoch as lists, and the rest as plain values.

        It goes into JSON, and a data frame takes it as it is: metrics are lists of their own, and
        what there is not (`val_loss` without validation) is left out, as `held_out` is, which has
        an entry for each row.

        Examples
        --------
        >>> net = pymlp.Network([1, 1], init="zeros")
        >>> history = net.fit([[1.0]], [1.0], epochs=2, optimizer=pymlp.SGD(0.5))
        >>> history.to_dict()["loss"]
        [1.0, 1.0]
        """
        validation = {"val_loss": list(self.val_loss)} if self.val_loss else {}
        return {
            "loss": list(self.loss),
            **validation,
            **{name: list(values) for name, values in self.metrics.items()},
            "penalty": list(self.penalty),
            "learning_rate": list(self.learning_rate),
            "seconds": self.seconds,
            "stopped_by": self.stopped_by,
            "best_epoch": self.best_epoch,
        }

    def __repr__(self) -> str:
        columns = {"loss": self.loss, "val_loss": self.val_loss, **self.metrics}
        last = "".join(f", {name}={values[-1]:.6g}" for name, values in columns.items() if values)
        going = ", still improving" if self._still_improves() else ""
        return (
            f"History({len(self.loss)} epochs{last}, seconds={self.seconds:.3g}, "
            f"stopped_by='{self.stopped_by}'{going})"
        )

    def _repr_html_(self) -> str:
        from pymlp import _html
        from pymlp.training.curve import curve

        name, best = self._monitor.name, self.best_epoch
        if name == "loss":
            lines = {"loss": self.loss, "val_loss": self.val_loss}
        else:
            lines = {key: self.metrics.get(key, []) for key in (name, f"val_{name}")}
        return _html.block(
            _html.text(self._said(), strong=True),
            _html.beside(curve(lines, best), _html.table(self._table(), right={1, 2})),
        )

    def _said(self) -> str:
        """Return how many epochs there were, how long they took and what ended them."""
        count = f"{len(self.loss):,} epoch{'' if len(self.loss) == 1 else 's'}"
        going = "; still improving" if self._still_improves() else ""
        return f"{count}, {self.seconds:.3g} s, ended by {self.stopped_by.replace('_', ' ')}{going}"

    def _table(self) -> list[tuple[str, ...]]:
        """Return what was measured, in the last epoch and in the best one."""
        columns = {"loss": self.loss, "val_loss": self.val_loss, **self.metrics}
        shown = {name: values for name, values in columns.items() if values}
        best = self.best_epoch
        if best is None:
            return [("", "last epoch"), *((name, f"{v[-1]:.6g}") for name, v in shown.items())]
        header = ("", "last epoch", f"best ({best + 1:,})")
        return [header, *((k, f"{v[-1]:.6g}", f"{v[best]:.6g}") for k, v in shown.items())]

    def _still_improves(self) -> bool:
        """Tell whether the last tenth of the epochs had more than a hundredth of the progress.

        Of a training that ended for want of epochs or of time: more of them would have helped.
        """
        watched = self.watched
        last = len(watched) // 10
        if last == 0 or self.stopped_by not in ("epochs", "max_seconds"):
            return False
        best = max if self._monitor.more_is_better else min
        first, before, now = watched[0], best(watched[:-last]), best(watched)
        return abs(now - before) > 0.01 * abs(now - first)

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw the learning curve, as `pymlp.plot.history` does; needs matplotlib."""
        from pymlp.plot import learning

        return learning.history(self, ax=ax)
