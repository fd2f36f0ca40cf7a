"""The spread of seeds, pooled over runs: for a run of one seed, which has no spread of its own.

It assumes that seeds spread equally in all runs. Source: the pooled variance of Student's
two-sample test (1908), for any number of groups.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from experiments.statistics.estimates import Estimate


class Spread(NamedTuple):
    """The standard deviation of one seed."""

    deviation: float
    degrees: int  # of freedom: values beyond the first of each group

    def of_mean(self, seeds: int) -> float:
        """The standard error of the mean of so many seeds."""
        return self.deviation / math.sqrt(seeds)


def pooled(groups: Sequence[Sequence[float]]) -> Spread:
    """The spread within groups. Raises ValueError if no group has two values."""
    degrees = sum(max(len(group) - 1, 0) for group in groups)
    if not degrees:
        raise ValueError("no group has two values, so their spread is unknown")
    squares = sum(float(np.sum(np.square(np.subtract(g, np.mean(g))))) for g in groups if len(g))
    return Spread(math.sqrt(squares / degrees), degrees)


def difference(values: Sequence[float], others: Sequence[float], spread: Spread) -> Estimate:
    """The mean of `values` minus that of `others`, whose seeds have this spread."""
    error = math.hypot(spread.of_mean(len(values)), spread.of_mean(len(others)))
    return Estimate(float(np.mean(values) - np.mean(others)), error, spread.degrees)


def less_published(values: Sequence[float], published: float, spread: Spread) -> Estimate:
    """The mean of `values` minus a published run, which has the spread of one seed."""
    return difference(values, [published], spread)
