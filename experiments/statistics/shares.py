"""Shares of seeds, such as those that learned, compared with a threshold.

"Every seed learns" can fail by one seed of ten; "at least 80 % of seeds learn" can be tested.
Tables show a share with Wilson's interval (`intervals.share_interval`), whose coverage is 95 % on
average over shares. Near 0 and 1 the coverage is lower: for a true share of 0.9, the intervals of
7 % of samples of ten miss it on one side. Verdicts therefore use the exact test and show its
interval. Source: Clopper & Pearson 1934.
"""

from __future__ import annotations

from scipy.special import bdtr, bdtrc, betaincinv

from experiments.statistics.intervals import CONFIDENCE, Interval
from experiments.statistics.verdicts import LEVEL, Judgement, by_p_values


def exact_interval(count: int, total: int, confidence: float = CONFIDENCE) -> Interval:
    """The share count / total with Clopper and Pearson's interval."""
    tail = (1 - confidence) / 2
    low = float(betaincinv(count, total - count + 1, tail)) if count else 0.0
    high = float(betaincinv(count + 1, total - count, 1 - tail)) if count < total else 1.0
    return Interval(count / total, low, high)


def at_least(count: int, total: int, threshold: float, level: float = LEVEL) -> Judgement:
    """The claim that at least a share `threshold` of all possible seeds counts.

    It holds if the whole exact interval of confidence 1 - 2 level is above the threshold, and
    fails if it is below. Each verdict can be wrong on one side only, so at most a share `level` of
    verdicts is wrong. Raises ValueError unless 0 < threshold < 1, because no number of seeds can
    show that all seeds count.
    """
    if not 0 < threshold < 1:
        raise ValueError(f"the threshold of a share must be between 0 and 1, found {threshold}")
    p_at_least = float(bdtrc(count - 1, total, threshold)) if count else 1.0
    p_at_most = float(bdtr(count, total, threshold))
    verdict = by_p_values(p_at_least, p_at_most, level)
    confidence = 1 - 2 * level
    shown = exact_interval(count, total, confidence)
    return Judgement(verdict, min(p_at_least, p_at_most), shown, confidence)


def at_most(count: int, total: int, threshold: float, level: float = LEVEL) -> Judgement:
    """The claim that at most a share `threshold` counts, that is, at least the rest does not."""
    judged = at_least(total - count, total, 1 - threshold, level)
    return judged._replace(interval=exact_interval(count, total, judged.confidence))
