"""The judge of early stopping."""

import math

Vector = list[float]


def best_epoch(losses: Vector, min_delta: float = 0.0) -> int:
    """Give the epoch, from 0, that is the best so far; before any is finite, that is -1.

    A loss is better only if it is below the best one by more than `min_delta`.
    """
    best, where = math.inf, -1
    for epoch, loss in enumerate(losses):
        if loss < best - min_delta:
            best, where = loss, epoch
    return where


def epochs_trained(losses: Vector, patience: int, min_delta: float = 0.0) -> int:
    """Give after how many epochs training ends that would have these losses."""
    for epoch in range(len(losses)):
        if epoch - best_epoch(losses[: epoch + 1], min_delta) >= patience:
            return epoch + 1
    return len(losses)
