"""How an interval, a share or an exact number decides a claim: holds, fails or undecided.

Pure functions of numbers. An interval whose bounds are nan or None does not exist, as with a
single seed; it decides nothing.
"""

from __future__ import annotations

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
    if not _exists(interval):
        return "undecided"
    if interval.high < limit:
        return "holds"
    return "fails" if interval.low > limit else "undecided"


def within(interval: Interval, low: float, high: float) -> Decision:
    """Whether a quantity equals another within a margin, by two one-sided tests.

    The whole interval inside [low, high]: holds. All of it outside: fails.
    Source: Schuirmann 1987.
    """
    if not _exists(interval):
        return "undecided"
    if low <= interval.low and interval.high <= high:
        return "holds"
    return "fails" if interval.high < low or interval.low > high else "undecided"


def share_at_least(count: int, total: int, least: float) -> Decision:
    """Whether a share of all seeds is at least `least`, by Wilson's interval of count / total."""
    if not total:
        return "undecided"
    share = share_interval(count, total)
    if share.low >= least:
        return "holds"
    return "fails" if share.high < least else "undecided"


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


def _exists(interval: Interval) -> bool:
    bounds = (interval.low, interval.high)
    return all(bound is not None and bound == bound for bound in bounds)
