"""Which groups of runs cannot be told from the best.

The best of several groups was picked because its mean is low, so it is lower than its true
mean: of ten equal groups some are "above the best" in more than half of all sweeps by plain
95 % intervals. Here all pairs count (Bonferroni), which covers every choice of the best.
In at most 5 % of sweeps a group is wrongly said to be above.

Dunnett's test knows its control beforehand, and Hsu's comparison with the best says only
that the true best is among those kept: with equal groups both say "above" too often.
Tukey's test holds the rate, but with one spread for all; groups that learn spread a
hundredth of those that do not. Welch's and paired differences need no such thing.
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
    is_tied: bool  # the interval is not above 0: not told from the best


def lowest_mean(groups: Mapping[str, Values]) -> str:
    """The group whose mean over its seeds is the lowest; the first of equals.

    Groups of a single seed count only where no group has more: nothing can be told from them.
    """
    several = [name for name, values in groups.items() if len(values) > 1]
    return min(several or groups, key=lambda name: float(np.mean(list(groups[name].values()))))


def count_pairs(groups: Mapping[str, Values]) -> int:
    """The pairs of groups that could be told apart: each p value is multiplied by it."""
    several = sum(len(values) > 1 for values in groups.values())
    return max(1, several * (several - 1) // 2)


def above_best(
    groups: Mapping[str, Values], level: float = LEVEL, best: str | None = None
) -> dict[str, AboveBest]:
    """Each group but the best, by name, with its difference from the best.

    Paired where seeds are shared. A group of a single seed is tied: nothing tells it apart.
    Another group than that of the lowest mean may be named the best.
    """
    best = best or lowest_mean(groups)
    pairs = count_pairs(groups)
    compared = {}
    for name in groups:
        if name != best:
            estimate = difference(groups[name], groups[best])
            p = min(1.0, pairs * estimates.p_differs(estimate))
            shown = estimates.interval(estimate, 1 - level / pairs)
            # Over the seeds that both have, the best may be the worse one.
            compared[name] = AboveBest(shown, p, p > level or estimate.value < 0)
    return compared


def tied_with_best(groups: Mapping[str, Values], level: float = LEVEL) -> list[str]:
    """The best and all groups that cannot be told from it, in the order given."""
    compared = above_best(groups, level)
    return [name for name in groups if name not in compared or compared[name].is_tied]
