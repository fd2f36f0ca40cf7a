"""Differences and ratios of two groups of runs, paired where they share seeds.

Runs with the same seed see the same data and, if their shapes are the same, start from the same
weights. The effect of the seed cancels in their difference, so the more the seed explains, the
narrower a paired interval is. Pairing unrelated runs only costs degrees of freedom: the error rate
is kept either way.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from experiments.statistics import estimates
from experiments.statistics.estimates import Estimate

Values = Mapping[int, float]  # by seed


def shared_seeds(values: Mapping[int, object], others: Mapping[int, object]) -> list[int]:
    """The seeds that both groups have, in ascending order."""
    return sorted(values.keys() & others.keys())


def are_paired(values: Values, others: Values) -> bool:
    """Whether `difference` pairs the groups: every seed of the smaller one is in the other."""
    shared = len(shared_seeds(values, others))
    return shared > 0 and shared == min(len(values), len(others))


def paired_difference(values: Values, others: Values) -> Estimate:
    """The mean of values - others over the shared seeds. Source: Student 1908, paired t.

    Raises ValueError if no seed is shared.
    """
    return estimates.mean([values[seed] - others[seed] for seed in pairs(values, others)])


def paired_log_ratio(values: Values, others: Values) -> Estimate:
    """The mean of log(values / others) over the shared seeds; all values must be positive.

    Its exponential is the geometric mean of the ratios; `verdicts.as_ratio` computes it.
    Raises ValueError if no seed is shared.
    """
    return estimates.mean(
        [float(np.log(values[seed] / others[seed])) for seed in pairs(values, others)]
    )


def difference(values: Values, others: Values) -> Estimate:
    """The mean of `values` minus that of `others`: paired if possible, otherwise Welch's.

    If each group has seeds that the other lacks, all seeds are used, unpaired, and none is
    dropped.
    """
    if are_paired(values, others):
        return paired_difference(values, others)
    sides = [estimates.mean(list(side.values())) for side in (values, others)]
    return estimates.minus(*sides)


def pairs(values: Mapping[int, object], others: Mapping[int, object]) -> list[int]:
    """The seeds that both groups have. Raises ValueError if there is none."""
    seeds = shared_seeds(values, others)
    if not seeds:
        raise ValueError("no seed is in both groups, so nothing can be paired")
    return seeds
