"""A published number compared with our seeds.

A published result is one more run, or the mean of a few, not the mean over all possible seeds. It
varies with its own seeds as our mean does with ours. A test that ignores this rejects faithful
reproductions too often.
"""

from __future__ import annotations

from collections.abc import Sequence

from experiments.statistics import estimates
from experiments.statistics.estimates import Estimate


def less_published(values: Sequence[float], published: float) -> Estimate:
    """Our mean minus the published number of one run, which varies as our runs do.

    `equivalence.within` judges it by a tolerance.
    """
    ours = _of_one_run(values)
    return ours._replace(value=ours.value - published)


def less_published_mean(
    values: Sequence[float], published: float, deviation: float, runs: int
) -> Estimate:
    """Our mean minus a published mean of several runs, given their standard deviation (Welch)."""
    theirs = Estimate(published, deviation / runs**0.5, runs - 1)
    return estimates.minus(estimates.mean(values), theirs)


def _of_one_run(values: Sequence[float]) -> Estimate:
    """Our mean, with the standard error of its difference from one more run."""
    ours = estimates.mean(values)
    return ours._replace(standard_error=ours.standard_error * (len(values) + 1) ** 0.5)
