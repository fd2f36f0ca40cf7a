"""A claim of several parts, or of alternatives, at the error rate of one claim.

"All parts hold" is wrong only where one of the parts is, and that part was to be shown at the full
level: no correction (intersection-union test, Berger 1982). "One part fails" may be the luck of
any of them, so each has an equal share of the level (Bonferroni). For alternatives it is
the other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from experiments.statistics.verdicts import Judgement, Verdict

Judge = Callable[[float], Judgement]  # of a level


def all_of(parts: Sequence[Judge]) -> Judge:
    """The claim that every part holds. It fails where one of them does."""
    return partial(_combined, parts, "holds", "fails")


def any_of(parts: Sequence[Judge]) -> Judge:
    """The claim that at least one of the alternatives holds. It fails where all of them do."""
    return partial(_combined, parts, "fails", "holds")


def _combined(parts: Sequence[Judge], by_all: Verdict, by_one: Verdict, level: float) -> Judgement:
    """`by_all` where all parts say so, `by_one` where one does at its share of the level.

    The interval is that of the part which decides; its p is 1 where none does.
    """
    shares = [part(level / len(parts)) for part in parts]
    sure = [found for found in shares if found.verdict == by_one]
    if sure:
        surest = min(sure, key=lambda found: found.p)
        return surest._replace(p=len(parts) * surest.p)
    whole = [part(level) for part in parts]
    weakest = max(whole, key=lambda found: (found.verdict != by_all, found.p))
    if weakest.verdict == by_all:
        return weakest
    return weakest._replace(verdict="undecided", p=1.0)
