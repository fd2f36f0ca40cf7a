"""Shares of seeds, such as those that learned, against a threshold.

"Every seed learns" turns on one seed of ten; "at least 80 % of seeds learn" can be tested.
Tables show a share with Wilson's interval (`intervals.share_interval`), whose coverage is
95 % on average over shares. Near 0 and 1 it is less: a share of 0.9 is left out by 7 % of
samples of ten on one side alone. Verdicts are therefore by the exact test and show its
interval. Source: Clopper & Pearson 1934.
"""

from __future__ import annotations

from scipy.special import bdtr, bdtrc, betaincinv

from experiments.statistics.intervals import CONFIDENCE, Interval
from experiments.statistics.verdicts import LEVEL, Judgement, Verdict


def exact_interval(count: int, total: int, confidence: float = CONFIDENCE) -> Interval:
    """The share count / total with Clopper and Pearson's interval."""
    tail = (1 - confidence) / 2
    low = float(betaincinv(count, total - count + 1, tail)) if count else 0.0
    high = float(betaincinv(count + 1, total - count, 1 - tail)) if count < total else 1.0
    return Interval(count / total, low, high)


def at_least(count: int, total: int, threshold: float, level: float = LEVEL) -> Judgement:
    """The claim that at least a share `threshold` of all possible seeds counts.

    It holds where the whole exact interval of confidence 1 - 2 level is above, fails where
    it is below. Each of the verdicts can be wrong on one side alone, so at most a share
    `level` of them is. Raises ValueError unless 0 < threshold < 1: that all seeds count
    cannot be shown by any number of them.
    """
    if not 0 < threshold < 1:
        raise ValueError(f"the threshold of a share must be between 0 and 1, found {threshold}")
    so_many = float(bdtrc(count - 1, total, threshold)) if count else 1.0
    so_few = float(bdtr(count, total, threshold))
    verdict: Verdict = "undecided"
    if min(so_many, so_few) <= level:
        verdict = "holds" if so_many < so_few else "fails"
    confidence = 1 - 2 * level
    shown = exact_interval(count, total, confidence)
    return Judgement(verdict, min(so_many, so_few), shown, confidence)


def at_most(count: int, total: int, threshold: float, level: float = LEVEL) -> Judgement:
    """The claim that at most a share `threshold` counts: that at least the rest does not."""
    judged = at_least(total - count, total, 1 - threshold, level)
    return judged._replace(interval=exact_interval(count, total, judged.confidence))
