"""Means over seeds with 95 % intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

CONFIDENCE = 0.95


class Interval(NamedTuple):
    """A mean and its 95 % interval; low and high are None if there is no interval."""

    mean: float
    low: float | None
    high: float | None


def mean_interval(values: Sequence[float]) -> Interval:
    """The mean with Student's 95 % interval. A single value has none: low and high are None."""
    from scipy.special import stdtrit  # scipy.stats takes a second to import

    mean = float(np.mean(values))
    if len(values) < 2:
        return Interval(mean, None, None)
    standard_error = float(np.std(values, ddof=1)) / len(values) ** 0.5
    half = float(stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2)) * standard_error
    return Interval(mean, mean - half, mean + half)


def difference_interval(values: Sequence[float], others: Sequence[float]) -> Interval:
    """The mean of `values` minus that of `others`, with Welch's 95 % interval.

    Source: Welch 1947; degrees of freedom by Satterthwaite 1946. If a side has a single value,
    its spread is unknown and there is no interval: low and high are None.
    """
    from scipy.special import stdtrit

    difference = float(np.mean(values) - np.mean(others))
    if len(values) < 2 or len(others) < 2:
        return Interval(difference, None, None)
    parts = np.array([np.var(side, ddof=1) / len(side) for side in (values, others)])
    if not parts.any():
        return Interval(difference, difference, difference)
    degrees = parts.sum() ** 2 / (parts**2 / [len(values) - 1, len(others) - 1]).sum()
    half = float(stdtrit(degrees, (1 + CONFIDENCE) / 2) * parts.sum() ** 0.5)
    return Interval(difference, difference - half, difference + half)


def ratio_interval(values: Sequence[float], others: Sequence[float]) -> Interval:
    """The geometric mean of values / others, pair by pair, with its 95 % interval.

    A single pair has no interval: low and high are None.
    """
    logarithms = mean_interval(np.log(np.divide(values, others)).tolist())
    return Interval._make(None if end is None else float(np.exp(end)) for end in logarithms)


def share_interval(count: int, total: int) -> Interval:
    """The share count / total with its 95 % interval. Source: Wilson 1927."""
    from scipy.special import ndtri

    share, z = count / total, float(ndtri((1 + CONFIDENCE) / 2))
    center = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * (share * (1 - share) / total + (z / (2 * total)) ** 2) ** 0.5
    # The share is within its interval, which rounding must not change.
    return Interval(share, min(share, center - half), max(share, center + half))
