"""Means and shares with their 95 % intervals."""

from __future__ import annotations

from typing import NamedTuple

CONFIDENCE = 0.95


class Interval(NamedTuple):
    """A mean and its 95 % interval; low and high are None if there is no interval."""

    mean: float
    low: float | None
    high: float | None


def share_interval(count: int, total: int) -> Interval:
    """The share count / total with its 95 % interval. Source: Wilson 1927."""
    from scipy.special import ndtri

    share, z = count / total, float(ndtri((1 + CONFIDENCE) / 2))
    center = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * (share * (1 - share) / total + (z / (2 * total)) ** 2) ** 0.5
    # The share is within its interval, which rounding must not change.
    return Interval(share, min(share, center - half), max(share, center + half))
