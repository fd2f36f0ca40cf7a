"""Ratios of times, some known only as lower bounds: those of seeds that never learned.

Such a seed would have learned after its last row, or not at all. The mean of the ratios is then
unknown, but their median is not. The number of ratios on one side of the true median is binomial
with probability 1/2, whatever their distribution, which gives an exact test and an exact interval
(sign test: Arbuthnot 1710; its interval: Thompson 1936). A ratio that may be on either side counts
for neither, so the error rate is not exceeded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import bdtr, bdtrc

from experiments.statistics import equivalence, paired, verdicts
from experiments.statistics.intervals import Interval
from experiments.statistics.verdicts import LEVEL, Judgement, as_ratio, by_p_values


class Span(NamedTuple):
    """A value between `low` and `high`, either of which may be infinite."""

    low: float
    seen: float  # the value if nothing came after what was seen
    high: float


class Seen(NamedTuple):
    """A positive value, or what is known of it."""

    value: float
    known: bool  # False: the true value is above it


Times = Mapping[int, Seen]  # by seed


def ratio_below(values: Times, others: Times, level: float = LEVEL) -> Judgement:
    """The claim that values / others is below 1: the geometric mean or, see above, the median."""
    if _all_known(values, others):
        log_ratio = paired.paired_log_ratio(_numbers(values), _numbers(others))
        return as_ratio(verdicts.below(log_ratio, level=level))
    return as_ratio(below(log_ratios(values, others), level=level))


def ratio_within_factor(
    values: Times, others: Times, factor: float, level: float = LEVEL
) -> Judgement:
    """The claim that values / others is between 1 / factor and factor, by the same."""
    if _all_known(values, others):
        log_ratio = paired.paired_log_ratio(_numbers(values), _numbers(others))
        return equivalence.within_factor(log_ratio, factor, level=level)
    return as_ratio(within(log_ratios(values, others), math.log(factor), level=level))


def log_ratios(values: Times, others: Times) -> list[Span]:
    """log(value / other) of each shared seed. Raises ValueError if no seed is shared."""
    spans = []
    for seed in paired.pairs(values, others):
        value, other = values[seed], others[seed]
        ratio = math.log(value.value / other.value)
        low = ratio if other.known else -math.inf
        high = ratio if value.known else math.inf
        spans.append(Span(low, ratio, high))
    return spans


def below(spans: Sequence[Span], limit: float = 0, level: float = LEVEL) -> Judgement:
    """The claim that the median is below a limit, judged as `verdicts.below` judges a mean."""
    # Each direction may use half of the level, so each p value counts twice.
    holds, fails = (min(1.0, 2 * p(spans, limit)) for p in (_p_below, _p_above))
    verdict = by_p_values(holds, fails, level)
    return Judgement(verdict, min(holds, fails), interval(spans, 1 - level), 1 - level)


def within(spans: Sequence[Span], margin: float, level: float = LEVEL) -> Judgement:
    """The claim that the median is within `margin` of 0, judged as `equivalence.within`."""
    inside = max(_p_above(spans, -margin), _p_below(spans, margin))
    outside = min(_p_below(spans, -margin), _p_above(spans, margin))
    confidence = 1 - 2 * level
    verdict = by_p_values(inside, outside, level)
    return Judgement(verdict, min(inside, outside), interval(spans, confidence), confidence)


def interval(spans: Sequence[Span], confidence: float) -> Interval:
    """The median of what was seen, with the exact interval; None for an end that is not known."""
    median = float(np.median([span.seen for span in spans]))
    outer = _outside(len(spans), (1 - confidence) / 2)
    if not outer:
        return Interval(median, None, None)
    low = sorted(span.low for span in spans)[outer - 1]
    high = sorted(span.high for span in spans)[-outer]
    return Interval(median, *(end if math.isfinite(end) else None for end in (low, high)))


def _all_known(values: Times, others: Times) -> bool:
    """Whether the values of all shared seeds are known."""
    shared = paired.shared_seeds(values, others)
    return all(group[seed].known for group in (values, others) for seed in shared)


def _numbers(times: Times) -> dict[int, float]:
    return {seed: seen.value for seed, seen in times.items()}


def _outside(total: int, tail: float) -> int:
    """The most values on one side for which P(Binomial(total, 1/2) < most) is at most `tail`."""
    return sum(1 for count in range(total // 2) if bdtr(count, total, 0.5) <= tail)


def _p_below(spans: Sequence[Span], limit: float) -> float:
    """One-sided p value for "the median is below the limit"."""
    return _p_of(sum(span.high < limit for span in spans), len(spans))


def _p_above(spans: Sequence[Span], limit: float) -> float:
    """One-sided p value for "the median is above the limit"."""
    return _p_of(sum(span.low > limit for span in spans), len(spans))


def _p_of(count: int, total: int) -> float:
    """P(Binomial(total, 1/2) >= count)."""
    return float(bdtrc(count - 1, total, 0.5)) if count else 1.0
