"""The groups of runs that are indistinguishable from the best.

The best of several groups is selected for its low mean, which is therefore lower than its true
mean. With plain 95 % intervals, some of ten equal groups are "above the best" in more than half
of all sweeps. Here the correction counts all pairs (Bonferroni), which covers every choice of
the best: in at most 5 % of sweeps is any group wrongly found to be above it.

Dunnett's test requires a control named beforehand. Hsu's comparison with the best guarantees
only that the true best is among those kept. With equal groups both find a group above too often.
Tukey's test holds the rate but assumes one spread for all groups, and groups that learn spread a
hundred times less than groups that do not. Welch's and paired differences assume no common spread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from experiments.statistics import estimates
from experiments.statistics.intervals import Interval
from experiments.statistics.paired import Values, difference
from experiments.statistics.verdicts import LEVEL


class AboveBest(NamedTuple):
    """How far a group's mean is above that of the best."""

    interval: Interval  # of the difference, simultaneous over all groups
    p: float  # adjusted for all pairs
    is_tied: bool  # the interval is not above 0: indistinguishable from the best


def lowest_mean(groups: Mapping[str, Values]) -> str:
    """The group with the lowest mean over its seeds; the first of equals.

    Groups of a single seed, which have no spread, count only if no group has more seeds.
    """
    several = [name for name, values in groups.items() if len(values) > 1]
    return min(several or groups, key=lambda name: float(np.mean(list(groups[name].values()))))


def count_pairs(groups: Mapping[str, Values]) -> int:
    """The number of pairs of groups with a spread, by which each p value is multiplied."""
    several = sum(len(values) > 1 for values in groups.values())
    return max(1, several * (several - 1) // 2)


def above_best(groups: Mapping[str, Values], best: str | None = None) -> dict[str, AboveBest]:
    """The difference from the best of every other group, by name.

    Differences are paired where seeds are shared. A group of a single seed is tied, because it
    has no spread. `best` may name a group other than the one with the lowest mean.
    """
    best = best or lowest_mean(groups)
    pairs = count_pairs(groups)
    compared = {}
    for name in groups:
        if name != best:
            estimate = difference(groups[name], groups[best])
            p = min(1.0, pairs * estimates.p_differs(estimate))
            shown = estimates.interval(estimate, 1 - LEVEL / pairs)
            # Over the seeds that both have, the best may be the worse one.
            compared[name] = AboveBest(shown, p, p > LEVEL or estimate.value < 0)
    return compared
