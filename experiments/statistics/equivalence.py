"""Equality within a margin: two one-sided tests.

Source: Schuirmann 1987, "A comparison of the two one-sided tests procedure and the power
approach". A difference that is not significant does not show equality. An interval
that lies inside the margin does.

The interval shown has confidence 1 - 2 level, which is 90 % at the level of 5 %. Only one of the
two verdicts can be wrong, and only at one end of the margin. Each therefore needs a single tail
of 5 %, and with this interval at most 5 % of verdicts are wrong.
"""

from __future__ import annotations

import math

from experiments.statistics import estimates
from experiments.statistics.estimates import Estimate, p_above, p_below
from experiments.statistics.verdicts import LEVEL, Judgement, as_ratio, by_p_values


def within(estimate: Estimate, margin: float, center: float = 0, level: float = LEVEL) -> Judgement:
    """The claim that a quantity is within `margin` of `center`.

    It holds if the whole interval is inside the margin, fails if it is outside, and is undecided
    if the interval contains an end of the margin.
    """
    low, high = center - margin, center + margin
    inside = max(p_above(estimate, low), p_below(estimate, high))
    outside = min(p_below(estimate, low), p_above(estimate, high))
    confidence = 1 - 2 * level
    shown = estimates.interval(estimate, confidence)
    verdict = by_p_values(inside, outside, level)
    return Judgement(verdict, min(inside, outside), shown, confidence)


def within_factor(log_ratio: Estimate, factor: float, level: float = LEVEL) -> Judgement:
    """The claim that a ratio is between 1 / factor and factor, judged by its logarithm.

    The interval returned is that of the ratio.
    """
    return as_ratio(within(log_ratio, math.log(factor), level=level))
