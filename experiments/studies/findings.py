"""Findings of criteria: exact ones, and those that an interval or a share of seeds decides."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from experiments.reporting.claims import Finding
from experiments.statistics import shares
from experiments.statistics.intervals import share_interval
from experiments.statistics.parts import Judge, all_of
from experiments.statistics.verdicts import Judgement, Verdict

HALF = 0.5  # of the seeds


def exact(value: float | str, holds: bool, note: str, seeds: int = 0) -> Finding:
    """Of a number without sampling error, which decides at once."""
    return Finding(value, None, None, seeds, _verdict(holds), note, exact=not seeds)


def measured_once(value: float | str, holds: bool, note: str) -> Finding:
    """Of one measurement on this machine, such as of seconds: no spread, and so no test."""
    return Finding(value, None, None, 0, _verdict(holds), f"{note}; measured once, not tested")


def _verdict(holds: bool) -> Verdict:
    return "holds" if holds else "fails"


def judged(
    judgement: Judgement, seeds: int, note: str, value: float | str | None = None
) -> Finding:
    """Of a judgement, whose interval is shown. `value` stands in for its mean."""
    mean, low, high = judgement.interval
    shown = mean if value is None else value
    return Finding(shown, low, high, seeds, judgement.verdict, note, judgement.p)


def shown_of(part: Judge, parts: Sequence[Judge], level: float) -> tuple[Judgement, str]:
    """The judgement of the part whose interval is shown, and how to read it beside the verdict.

    A part that fails at the full level, but not at its share of it, decides nothing: its interval
    is that at its share, which leaves the part open too.
    """
    alone = part(level)
    if alone.verdict == "fails" and all_of(parts)(level).verdict == "undecided":
        return part(level / len(parts)), f", at its share of the level (1 of {len(parts)} parts)"
    return alone, ""


def of_share(count: int, seeds: int, judgement: Judgement, note: str) -> Finding:
    """Of `count` of the seeds, with the interval that decides and Wilson's in the note."""
    shown = f"{note}; low to high: {exact_and_wilson(count, seeds, judgement)}"
    return judged(judgement, seeds, shown, f"{count} of {seeds}")


def exact_and_wilson(count: int, seeds: int, judgement: Judgement) -> str:
    """How to read the interval of a share."""
    _, low, high = share_interval(count, seeds)
    return (
        f"share of seeds, exact {percent(judgement.confidence)} interval "
        f"(Wilson's, 95 %: {low:.2f} to {high:.2f})"
    )


def at_least(count: int, seeds: int, share: float) -> Judge:
    """The judge of the claim that at least this share of all possible seeds counts."""
    return partial(shares.at_least, count, seeds, share)


def at_most(count: int, seeds: int, share: float) -> Judge:
    """The judge of the claim that at most this share of all possible seeds counts."""
    return partial(shares.at_most, count, seeds, share)


def percent(confidence: float) -> str:
    """0.975 as "97.5 %"."""
    return f"{100 * confidence:.4g} %"
