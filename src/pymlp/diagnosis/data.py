"""Rules on inputs and targets: their scale, what a dtype keeps of them, what is learnt of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pymlp.diagnosis.report import Finding, InputReport, TargetReport
from pymlp.diagnosis.words import columns
from pymlp.training.target_scale import DEVIATIONS, FARTHEST_MEAN

LARGE = 10.0  # the mean or the standard deviation of an input
SMALL = 0.01  # the largest deviation from the mean, in units of 1 or of the widest input's
SMALL_SHARE = 0.1  # of the inputs; single faint ones, such as pixels at an edge, are no harm
NARROW = 0.05  # the deviation of most inputs, none of which goes five times as far
COARSE = 5e-3  # the distance of two numbers of a dtype, of the deviation
FEW_EPOCHS = 20  # after which a network need not have learnt yet
WORSE = 1.05  # times the loss of the mean
FAR = 2.0  # times the mean's squared error: no prediction in these units
AWAY = 0.25  # of the targets' deviation: a mean that is not reached
STILL = 0.05  # of the targets' deviation: predictions that hardly differ
HARDLY = 0.85  # of the targets' deviation: an error with which hardly anything is learnt

_STANDARDISE = "Standardise the columns that vary: (X - X.mean(axis=0)) / X.std(axis=0)"


def of_data(inputs: InputReport, targets: TargetReport) -> tuple[list[Finding], list[Finding]]:
    """Return what the numbers of inputs say, and those of targets."""
    coarse = inputs.step > COARSE if inputs.step is not None else np.zeros(len(inputs.mean), bool)
    of_inputs = [*_rounded_inputs(inputs, coarse), *_unscaled_inputs(inputs, ~coarse)]
    return of_inputs, _rounded_targets(targets) or _unscaled_targets(targets)


# ---- inputs --------------------------------------------------------------------------------------


def _rounded_inputs(inputs: InputReport, coarse: NDArray[np.bool_]) -> list[Finding]:
    if not coarse.any() or inputs.step is None:
        return []
    worst = int(np.argmax(inputs.step))
    sentence = (
        f"X lies around {inputs.mean[worst]:.3g} in {columns(coarse, inputs.names)}, where numbers "
        f"of the network's dtype are {inputs.step[worst]:.2g} standard deviations apart: it cannot "
        "tell values apart that lie closer together."
    )
    remedy = (
        "Standardise these columns in float64 before they go in: (X - X.mean(axis=0)) / "
        "X.std(axis=0), of times the difference from the first; or Network(..., dtype='float64')."
    )
    return [Finding("rounded inputs", (), sentence, remedy)]


def _unscaled_inputs(inputs: InputReport, judged: NDArray[np.bool_]) -> list[Finding]:
    sizes = np.maximum(np.abs(inputs.mean), inputs.std)
    varying = judged & (inputs.reach > 0)  # a constant input is another bias
    large = varying & (sizes > LARGE)
    if large.any():
        sentence = (
            f"X reaches a mean or standard deviation of {sizes[large].max():.3g} in "
            f"{columns(large, inputs.names)}, where 1 is meant: the first layer's sums are as "
            "large, and steps that suit one weight are too long or too short for another."
        )
        remedy = f"{_STANDARDISE}; pixels may be divided by their largest value."
        return [Finding("unscaled inputs", (), sentence, remedy)]
    small = varying & (inputs.reach < SMALL * max(1.0, float(inputs.std[judged].max(initial=0.0))))
    if small.sum() < SMALL_SHARE * max(1, varying.sum()):
        small[:] = False
    small |= varying & (inputs.reach < SMALL * np.abs(inputs.mean))  # nearly another bias
    if small.any():
        sentence = (
            f"X differs from its mean by at most {inputs.reach[small].max():.2g} in "
            f"{columns(small, inputs.names)}, where 1 is meant: the network hardly sees what is "
            "there."
        )
        return [Finding("unscaled inputs", (), sentence, f"{_STANDARDISE}.")]
    narrow = varying & (inputs.std < NARROW) & (inputs.reach < 5 * NARROW)
    if narrow.any() and narrow.sum() > varying.sum() / 2:
        sentence = (
            f"X has a standard deviation of at most {inputs.std[narrow].max():.2g} in "
            f"{columns(narrow, inputs.names)}, where 1 is meant: the first layer's sums are as "
            "small, and it takes many steps until they matter."
        )
        return [Finding("unscaled inputs", (), sentence, f"{_STANDARDISE}.")]
    return []


# ---- targets -------------------------------------------------------------------------------------


def _rounded_targets(targets: TargetReport) -> list[Finding]:
    if targets.step is None or targets.mean is None or not (targets.step > COARSE).any():
        return []
    worst = int(np.argmax(targets.step))
    sentence = (
        f"{_name_of_y(targets, worst)} lies around {targets.mean[worst]:.3g}, where numbers of the "
        f"network's dtype are {targets.step[worst]:.2g} standard deviations apart: closer than "
        "that no prediction comes."
    )
    remedy = (
        "Try y - y.mean() in float64 before it goes in, and add the mean to the predictions; or "
        "Network(..., dtype='float64')."
    )
    return [Finding("rounded targets", (), sentence, remedy)]


def _unscaled_targets(targets: TargetReport) -> list[Finding]:
    """Report targets far from what is learnt well, where the network does not reach them."""
    mean, std = targets.mean, targets.std
    a, spread, error = targets.predicted_mean, targets.predicted_std, targets.error
    if mean is None or std is None or a is None or spread is None or error is None:
        return []
    varying = std > 1e-12 * np.abs(mean)  # else it is rounding
    outside = varying & _outside(mean, std)
    away = (error > HARDLY * std) & (np.abs(a - mean) > AWAY * std)
    away |= error > FAR**0.5 * std
    wrong = outside & (away | (spread < STILL * std))
    if not wrong.any():
        return []
    column = int(np.argmax(wrong))
    sentence = (
        f"{_name_of_y(targets, column)} has a mean of {mean[column]:.4g} and a standard deviation "
        f"of {std[column]:.4g}, the predictions {a[column]:.4g} and {spread[column]:.4g}: targets "
        "around 0 with a deviation near 1 are learnt best, those far from it late or never."
    )
    remedy = "Try fit(..., scale_target=True), which learns them so and predicts in their units."
    return [Finding("unscaled targets", (), sentence, remedy)]


def unit_of(targets: TargetReport) -> float:
    """Return the size of targets whose deviation is far from 1; else 1."""
    if targets.mean is None or targets.std is None:
        return 1.0
    size = float(np.sqrt(np.mean(targets.std**2)))
    least, most = DEVIATIONS
    return 1.0 if size == 0.0 or least <= size <= most else size


def _outside(mean: NDArray[np.float64], std: NDArray[np.float64]) -> NDArray[np.bool_]:
    least, most = DEVIATIONS
    return (std < least) | (std > most) | (np.abs(mean) > FARTHEST_MEAN)


def worse_than_the_mean(loss: float, targets: TargetReport) -> list[Finding]:
    """Report a trained network that knows less than the mean, or the shares of the classes."""
    constant = targets.constant_loss
    if constant is None or targets.epochs < FEW_EPOCHS or not loss > WORSE * constant:
        return []
    what = "the shares of the classes" if targets.of_classes else "the mean of y"
    sentence = (
        f"The loss, {loss:.4g}, is worse than that of predicting {what} for every sample, "
        f"{constant:.4g}: of these samples the network knows less than nothing."
    )
    scale = ""
    if targets.mean is not None and targets.std is not None:
        far = _outside(targets.mean, targets.std).any()
        scale = "scale_target=True in fit, " if far else ""
    remedy = (
        f"Try {scale}a smaller learning rate and more epochs where it learnt from these samples; "
        "early stopping, l2 or dropout where it learnt from others; and see that rows of X and y "
        "belong together."
    )
    return [Finding("worse than the mean", (), sentence, remedy)]


def _name_of_y(targets: TargetReport, column: int) -> str:
    several = targets.mean is not None and len(targets.mean) > 1
    return f"y[:, {column}]" if several else "y"
