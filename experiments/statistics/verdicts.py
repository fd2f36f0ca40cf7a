"""Three verdicts: a claim holds, fails, or is undecided because there are too few seeds."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from experiments.statistics import estimates
from experiments.statistics.estimates import Estimate
from experiments.statistics.intervals import Interval

Verdict = Literal["holds", "fails", "undecided"]

LEVEL = 0.05  # a verdict is wrong in at most this share of studies


class Judgement(NamedTuple):
    """A verdict with the numbers that decide it."""

    verdict: Verdict
    p: float  # at most the level if and only if the claim is decided, either way
    interval: Interval
    confidence: float  # of the interval; the claim is decided if the interval is on one side


def by_p_values(holds: float, fails: float, level: float) -> Verdict:
    """The verdict from the p values for "the claim is true" and for "the claim is false".

    A p value that is not a number decides nothing.
    """
    if holds <= level and not fails < holds:
        return "holds"
    return "fails" if fails <= level else "undecided"


def below(estimate: Estimate, limit: float = 0, level: float = LEVEL) -> Judgement:
    """The claim that a quantity is below a limit.

    It holds if the whole interval of confidence 1 - level is below the limit, fails if it is above,
    and is undecided if the interval contains the limit.
    """
    p = estimates.p_differs(estimate, limit)
    verdict: Verdict = "undecided"
    if p <= level:
        verdict = "holds" if estimate.value < limit else "fails"
    return Judgement(verdict, p, estimates.interval(estimate, 1 - level), 1 - level)


def above(estimate: Estimate, limit: float = 0, level: float = LEVEL) -> Judgement:
    """The claim that a quantity is above a limit: the mirror of `below`."""
    judged = below(estimate, limit, level)
    mirror: dict[Verdict, Verdict] = {"holds": "fails", "fails": "holds"}
    return judged._replace(verdict=mirror.get(judged.verdict, "undecided"))


def as_ratio(judgement: Judgement) -> Judgement:
    """The judgement of a log ratio, with the interval of the ratio itself.

    Two seeds at a strict level give ends that no float holds; they are infinite.
    """
    mean, *ends = judgement.interval
    low, high = (end if end is None else _exp(end) for end in ends)
    return judgement._replace(interval=Interval(_exp(mean), low, high))


def _exp(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf
