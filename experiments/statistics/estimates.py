"""Estimates with standard errors, from which intervals, p values and verdicts are computed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from experiments.statistics.intervals import CONFIDENCE, Interval


class Estimate(NamedTuple):
    """An estimate whose error, over its standard error, follows Student's t.

    If the spread is unknown, as with a single seed, the standard error is infinite: there is no
    interval, and no p value is below 0.5.
    """

    value: float
    standard_error: float
    degrees: float  # degrees of freedom of Student's t


def mean(values: Sequence[float]) -> Estimate:
    """The mean of independent values; nan if one of them is not finite. Source: Student 1908."""
    if not np.isfinite(values).all():  # min and max may pass over nan
        return Estimate(math.nan, math.inf, 1)
    if len(values) < 2:
        return Estimate(float(np.mean(values)), math.inf, 1)
    if min(values) == max(values):  # do not take rounding for a spread
        return Estimate(float(values[0]), 0, len(values) - 1)
    error = float(np.std(values, ddof=1)) / len(values) ** 0.5
    return Estimate(float(np.mean(values)), error, len(values) - 1)


def minus(one: Estimate, other: Estimate) -> Estimate:
    """The difference of two independent estimates.

    Source: Welch 1947; degrees of freedom by Satterthwaite 1946.
    """
    value = one.value - other.value
    errors, degrees = zip(one[1:], other[1:], strict=True)
    if not all(map(math.isfinite, errors)):
        return Estimate(value, math.inf, 1)
    if not any(errors):
        return Estimate(value, 0, sum(degrees))
    variances = np.square(errors)
    pooled = variances.sum() ** 2 / (variances**2 / degrees).sum()
    return Estimate(value, float(variances.sum() ** 0.5), float(pooled))


def bounds(estimate: Estimate, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The low and high ends of the t interval; infinite if the spread is unknown."""
    quantile = float(stdtrit(estimate.degrees, (1 + confidence) / 2))
    half = quantile * estimate.standard_error
    return estimate.value - half, estimate.value + half


def interval(
    estimate: Estimate,
    confidence: float = CONFIDENCE,
    lowest: float = -math.inf,
    highest: float = math.inf,
) -> Interval:
    """The t interval, cut to the possible range: losses are at least 0, shares at most 1.

    Impossible values are cut away, so the coverage does not change.
    """
    if not math.isfinite(estimate.standard_error):
        return Interval(estimate.value, None, None)
    low, high = np.clip(bounds(estimate, confidence), lowest, highest)
    return Interval(estimate.value, float(low), float(high))


def p_above(estimate: Estimate, limit: float = 0) -> float:
    """One-sided p value for "above the limit"; small if the estimate is far above it."""
    return float(stdtr(estimate.degrees, -_distance(estimate, limit)))


def p_below(estimate: Estimate, limit: float = 0) -> float:
    """One-sided p value for "below the limit"; small if the estimate is far below it."""
    return float(stdtr(estimate.degrees, _distance(estimate, limit)))


def p_differs(estimate: Estimate, limit: float = 0) -> float:
    """Two-sided p value: at most 0.05 if and only if the 95 % interval excludes the limit."""
    return 2 * float(stdtr(estimate.degrees, -abs(_distance(estimate, limit))))


def _distance(estimate: Estimate, limit: float) -> float:
    """The distance from the limit to the estimate, in standard errors."""
    difference = estimate.value - limit
    if estimate.standard_error == 0:
        return math.copysign(math.inf, difference) if difference else 0.0
    return difference / estimate.standard_error
