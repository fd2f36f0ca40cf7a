"""The number of seeds that would tell two groups apart, or a mean from a limit.

The current estimate and spread are assumed to be the true ones. The answer is therefore a plan,
not a promise: if they are true, the claim is decided with probability `power`.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable

import numpy as np
from scipy.special import nctdtr, stdtrit

from experiments.statistics.estimates import Estimate
from experiments.statistics.verdicts import LEVEL

POWER = 0.8
MOST_SEEDS = 10_000


def seeds_needed(estimate: Estimate, seeds: int, level: float = LEVEL) -> int | None:
    """The total number of seeds that `verdicts.below` or `above` needs, with probability POWER.

    `estimate` is a mean, or the difference of two groups of `seeds` seeds each. A comparison with a
    single published number cannot be planned, because its standard error does not shrink. None:
    even MOST_SEEDS are too few, or there is no spread. Source: Cohen 1988, chapter 2.
    """

    def chance(n: int) -> float:
        return _rejects(estimate, seeds, n, abs(estimate.value), level / 2)

    return _fewest(chance, estimate)


def _rejects(estimate: Estimate, seeds: int, n: int, distance: float, level: float) -> float:
    """The probability that a one-sided t test of n seeds rejects a limit at this distance."""
    degrees = estimate.degrees * (n - 1) / (seeds - 1)
    error = estimate.standard_error * (seeds / n) ** 0.5
    return 1 - float(nctdtr(degrees, distance / error, stdtrit(degrees, 1 - level)))


def _fewest(chance: Callable[[int], float], estimate: Estimate) -> int | None:
    """The least number of seeds with probability POWER, which grows with the number."""
    if not 0 < estimate.standard_error < np.inf:
        return None
    numbers = range(2, MOST_SEEDS + 1)
    index = bisect.bisect_left(numbers, POWER, key=chance)
    return numbers[index] if index < len(numbers) else None
