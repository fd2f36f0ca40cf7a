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


def share_interval(count: int, total: int) -> Interval:
    """The share count / total with its 95 % interval. Source: Wilson 1927."""
    from scipy.special import ndtri

    share, z = count / total, float(ndtri((1 + CONFIDENCE) / 2))
    center = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * (share * (1 - share) / total + (z / (2 * total)) ** 2) ** 0.5
    # The share is within its interval, which rounding must not change.
    return Interval(share, min(share, center - half), max(share, center + half))
