"""The cheapest setting that leaves out less than the tolerance, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Literal, NamedTuple

from experiments.advice.settings import Setting
from experiments.statistics.intervals import Interval

NEAR = 1.5  # costs within this factor of the least count as equal
FAR_DEARER = 4  # by the work that is expected: not timed

Status = Literal["advised", "not_enough", "nothing_learned"]


class Candidate(NamedTuple):
    """A setting with what it leaves out and what it costs."""

    setting: Setting
    left_out: Interval  # share of the error signal, at the moment where it is greatest
    seconds: float | None = None  # for one symbol; None: not timed
    expected: float = math.inf  # seconds for one symbol, from the settings that were timed

    @property
    def bound(self) -> float:
        """The high end of the 95 % interval of the share left out."""
        return 1.0 if self.left_out.high is None else self.left_out.high


class Need(NamedTuple):
    """What the pilot found out about the data."""

    learned: bool  # whether its loss is below a guess, and it uses earlier inputs
    inputs: int | None  # the last inputs that it uses; None: more than the pilot's window
    unseen: float  # share of the error signal beyond the pilot's window, at most


class Choice(NamedTuple):
    """The settings that advice names."""

    status: Status
    advised: Candidate | None
    cheaper: Candidate | None  # the next cheaper one, which leaves out more
    quicker: Candidate | None  # enough too: dearer a symbol, but an update takes less time
    narrower: Candidate | None  # of the advised style, with more updates from the same data


def is_enough(candidate: Candidate, need: Need, tolerance: float) -> bool:
    """Whether a setting leaves out less than the tolerance, and reaches all inputs that count.

    A random style is right on average only; its noise is not measured, so it is never advised.
    """
    reaches = need.inputs is not None and candidate.setting.effective_depth >= need.inputs
    exact = not candidate.setting.truncation.style.random
    return exact and reaches and candidate.bound < tolerance


def choose(candidates: Sequence[Candidate], need: Need, tolerance: float) -> Choice:
    """The narrowest of the cheapest settings that are enough.

    Of settings that cost about the same a symbol, the narrowest makes the most updates.
    """
    if not need.learned:
        return Choice("nothing_learned", None, None, None, None)
    enough = [each for each in candidates if is_enough(each, need, tolerance)]
    if need.inputs is None or need.unseen >= tolerance or not enough:
        return Choice("not_enough", None, None, None, None)
    least = min(_cost(each) for each in enough)
    near = [each for each in enough if _cost(each) <= NEAR * least]
    own = candidates[0]
    advised = min(near, key=lambda each: (each.setting.num_steps, each != own, _cost(each)))
    return Choice(
        "advised",
        advised,
        _cheaper(candidates, advised),
        _quicker(enough, advised),
        _narrower(candidates, advised),
    )


def frontier(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The timed settings of which no cheaper one leaves out as little, from cheap to dear."""
    found: list[Candidate] = []
    timed = [each for each in candidates if each.seconds and _is_exact(each)]
    for each in sorted(timed, key=lambda each: (_cost(each), each.left_out.mean)):
        if not found or each.left_out.mean < found[-1].left_out.mean:
            found.append(each)
    return found


def to_time(
    candidates: Sequence[Candidate], need: Need, tolerance: float, most: int
) -> list[Setting]:
    """The settings whose cost decides, the most important first.

    The config's own, which comes first among the candidates, is always timed. Of each style, in
    the order of its widths: the first that is enough, the last that is not, and the second that is
    enough. Styles that must cost far more than another that is enough are left out.
    """
    own, others = candidates[0], [each for each in candidates[1:] if _is_exact(each)]
    enough = [each for each in others if is_enough(each, need, tolerance)]
    least = min((each.setting.expected_cost for each in enough), default=math.inf)
    affordable = [each for each in others if each.setting.expected_cost <= FAR_DEARER * least]
    ranked: list[list[Setting]] = [[own.setting], [], [], []]
    for kind in dict.fromkeys(each.setting.truncation.kind for each in affordable):
        of_kind = [each for each in affordable if each.setting.truncation.kind == kind]
        of_kind.sort(key=lambda each: (each.setting.num_steps, each.setting.effective_depth))
        passed = [each.setting for each in of_kind if each in enough]
        failed = [each.setting for each in of_kind if each not in enough]
        for place, names in enumerate((passed[:1], failed[-1:], passed[1:2]), 1):
            ranked[place] += names
    return list(dict.fromkeys(setting for rank in ranked for setting in rank))[:most]


def _is_exact(candidate: Candidate) -> bool:
    return not candidate.setting.truncation.style.random


def _cheaper(candidates: Sequence[Candidate], advised: Candidate) -> Candidate | None:
    """Of the cheaper settings, the one that leaves out the least."""
    below = [
        each for each in candidates
        if each.seconds and _is_exact(each) and _cost(each) < _cost(advised)
        and each.left_out.mean > advised.left_out.mean
    ]  # fmt: skip
    return min(below, key=lambda each: each.left_out.mean, default=None)


def _narrower(candidates: Sequence[Candidate], advised: Candidate) -> Candidate | None:
    kind, width = advised.setting.truncation.kind, advised.setting.num_steps
    below = [
        each for each in candidates
        if each.setting.truncation.kind == kind and each.setting.num_steps < width
    ]  # fmt: skip
    return max(below, key=lambda each: each.setting.num_steps, default=None)


def _quicker(enough: Sequence[Candidate], advised: Candidate) -> Candidate | None:
    """Of the settings that are enough, the one whose update takes the least time."""
    found = min(enough, key=_seconds_per_row)
    return found if NEAR * _seconds_per_row(found) < _seconds_per_row(advised) else None


def _seconds_per_row(candidate: Candidate) -> float:
    """Seconds of an update, for each of its rows."""
    return _cost(candidate) * candidate.setting.num_steps


def with_costs(
    candidates: Sequence[Candidate], seconds: Mapping[Setting, float]
) -> list[Candidate]:
    """The candidates with their times; those that were not timed get an expected one."""
    paces = [each / setting.expected_cost for setting, each in seconds.items()]
    pace = median(paces) if paces else math.inf
    return [
        each._replace(seconds=seconds.get(each.setting), expected=pace * each.setting.expected_cost)
        for each in candidates
    ]


def _cost(candidate: Candidate) -> float:
    return candidate.expected if candidate.seconds is None else candidate.seconds
