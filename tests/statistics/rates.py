"""Rates of simulations: at most, or about, what is promised."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from experiments.statistics.intervals import Interval


def rate(events: Iterable[bool]) -> float:
    return float(np.mean(list(events)))


def margin(expected: float, trials: int) -> float:
    """The error of a simulated rate by chance: three standard errors."""
    return 3 * math.sqrt(expected * (1 - expected) / trials)


def at_most(expected: float, events: Iterable[bool]) -> bool:
    """Whether events happen at most so often, chance aside."""
    happened = list(events)
    return rate(happened) <= expected + margin(expected, len(happened))


def about(expected: float, events: Iterable[bool]) -> bool:
    """Whether events happen so often, chance aside."""
    happened = list(events)
    return abs(rate(happened) - expected) <= margin(expected, len(happened))


def ends(interval: Interval) -> NDArray[np.float64]:
    """Low and high; nan where the interval has none."""
    return np.array(interval[1:], float)


def covers(interval: Interval, truth: float) -> bool:
    low, high = ends(interval)
    return bool(low <= truth <= high)


def by_seed(values: Iterable[float]) -> dict[int, float]:
    return dict(enumerate(values))
