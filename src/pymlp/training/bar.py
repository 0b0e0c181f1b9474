"""The bar of `fit(progress=True)`: how far training is, and in the end why it ended."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from pymlp.training.history import History

_BROKEN_OFF = ("diverged", "interrupted")


class Bar:
    """Shows the epoch, the share of samples seen, and the losses and metrics of the last epoch.

    Parameters
    ----------
    epochs : int
    samples : int
        How many are seen in an epoch.
    """

    def __init__(self, epochs: int, samples: int) -> None:
        self._epochs = epochs
        self._bar = _tqdm()(total=epochs * samples, unit=" samples", unit_scale=True)

    def show(self, history: History, samples_seen: int) -> None:
        """Show how far training is."""
        self._bar.set_description(self._epoch(len(history.loss) + 1), refresh=False)
        self._bar.set_postfix(_last(history), refresh=False)
        self._bar.update(samples_seen - self._bar.n)

    def end(self, history: History) -> None:
        """Leave a full bar, or, of a training that was broken off, how far it came; say why."""
        reason, epochs = history.stopped_by, len(history.loss)
        broken_off = reason in _BROKEN_OFF
        said = "" if reason == "epochs" else f", {reason.replace('_', ' ')}"
        self._bar.set_description(self._epoch(epochs + broken_off) + said, refresh=False)
        self._bar.set_postfix(_last(history), refresh=False)
        if not broken_off:
            self._bar.total = self._bar.n
        self._bar.close()

    def _epoch(self, number: int) -> str:
        return f"epoch {min(number, self._epochs)}/{self._epochs}"


class StackBar:
    """Shows how many networks of a stack have ended, and the share of all samples seen.

    Parameters
    ----------
    tasks : sequence of Task

    Attributes
    ----------
    seconds : float
        From one update to the next.
    """

    seconds = 0.1

    def __init__(self, tasks: Sequence[Any]) -> None:
        self._seen = [0 for _ in tasks]
        self._most = [task.options.epochs * task.n_samples for task in tasks]
        self._ended = 0
        self._bar = _tqdm()(total=sum(self._most), unit=" samples", unit_scale=True)

    def show(self, members: Iterable[Any]) -> None:
        """Show how far the networks are that were in training."""
        for member in members:
            self._seen[member.number] = member.samples_seen
            self._ended += member.ended
            if member.ended:  # early, perhaps
                self._most[member.number] = member.samples_seen
        self._bar.total = sum(self._most)
        self._bar.set_description(f"{self._ended}/{len(self._seen)} networks", refresh=False)
        self._bar.update(sum(self._seen) - self._bar.n)

    def end(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()


def _last(history: History) -> dict[str, str]:
    columns = {"loss": history.loss, "val_loss": history.val_loss, **history.metrics}
    return {name: f"{values[-1]:.4g}" for name, values in columns.items() if values}


def _tqdm() -> Any:
    """Return tqdm's bar: a widget in notebooks that can show one, else text."""
    # tqdm.auto warns where there is no ipywidgets, and imports asyncio, which a notebook has.
    in_widgets = "ipykernel" in sys.modules and importlib.util.find_spec("ipywidgets")
    return importlib.import_module("tqdm.auto" if in_widgets else "tqdm").tqdm
