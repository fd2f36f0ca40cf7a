"""How an interval, a share or an exact number decides a claim: holds, fails or undecided.

Pure functions of numbers. Where there is no interval, as with a single seed, nothing is
decided.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from experiments.reporting.claims import Decision
from experiments.statistics.intervals import Interval, share_interval

OPPOSITE: dict[Decision, Decision] = {
    "holds": "fails",
    "fails": "holds",
    "undecided": "undecided",
}


def exactly(holds: bool) -> Decision:
    """A number without sampling error decides at once."""
    return "holds" if holds else "fails"


def below(interval: Interval, limit: float) -> Decision:
    """Whether a quantity is below the limit; undecided where the limit is inside its interval."""
    if interval.low is None or interval.high is None:
        return "undecided"
    if interval.high < limit:
        return "holds"
    return "fails" if interval.low > limit else "undecided"


def within(interval: Interval, low: float, high: float) -> Decision:
    """Whether a quantity equals another within a margin, by two one-sided tests.

    The whole interval inside [low, high]: holds. All of it outside: fails.
    Source: Schuirmann 1987.
    """
    if interval.low is None or interval.high is None:
        return "undecided"
    if low <= interval.low and interval.high <= high:
        return "holds"
    return "fails" if interval.high < low or interval.low > high else "undecided"


def share_at_least(count: int, total: int, least: float) -> Decision:
    """Whether a share of all seeds is at least `least`, by Wilson's interval of count / total."""
    if not total:
        return "undecided"
    return within(share_interval(count, total), least, math.inf)


def share_at_most(count: int, total: int, most: float) -> Decision:
    """Whether a share of all seeds is at most `most`, by Wilson's interval of count / total."""
    return share_at_least(total - count, total, 1 - most)


def opposite(decision: Decision) -> Decision:
    """Of the claim's contrary."""
    return OPPOSITE[decision]


def all_of(decisions: Iterable[Decision]) -> Decision:
    """A claim of several parts holds where all hold, and fails where one fails."""
    found = set(decisions)
    if "fails" in found:
        return "fails"
    return "undecided" if "undecided" in found or not found else "holds"


def any_of(decisions: Iterable[Decision]) -> Decision:
    """A claim of alternatives holds where one holds, and fails where all fail."""
    return opposite(all_of(map(opposite, decisions)))
