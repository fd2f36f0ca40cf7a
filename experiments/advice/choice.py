"""The cheapest setting whose bias is below the tolerance, or why there is none.

The time that training takes with a setting is that of an update, times 1 + N / num_steps, where N
is the noise scale of the gradient (McCandlish et al. 2018, in time steps of a row). Without noise
it is proportional to the seconds of an update, so the narrowest graph is best; with noise alone, to
the seconds of a symbol, which favours a wide one. A pilot does not measure N, so the cost of a
setting is the geometric mean of both. Of graphs with the same time a symbol, that is least in the
narrowest one that is enough.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from experiments.advice.settings import Setting
from experiments.statistics.intervals import Interval

NEAR = 1.2  # costs within this factor of the least count as equal: the experiment keeps its own
NEAR_STYLES = 1.5  # of two styles, which differ in noise: the one with the cheaper symbol
FAR_DEARER = 4  # by the work that is expected: not timed

Status = Literal["advised", "not_enough", "nothing_learned"]


class Candidate(NamedTuple):
    """A setting with its bias and its cost."""

    setting: Setting
    bias: Interval  # relative, at the moment where it is greatest
    work: float  # of an update, for each row, in cell applications of a forward pass
    seconds: float | None = None  # for one symbol; None: not timed
    expected: float = math.inf  # seconds for one symbol, from the settings that were timed

    @property
    def is_known(self) -> bool:
        """Whether the bias could be measured."""
        return not math.isnan(self.bias.mean)

    @property
    def bound(self) -> float:
        """The high end of the 95 % interval of the bias."""
        return 1.0 if self.bias.high is None else self.bias.high

    @property
    def symbol_seconds(self) -> float:
        """Seconds for one symbol, measured or else expected."""
        return self.expected if self.seconds is None else self.seconds

    @property
    def cost(self) -> float:
        """√(seconds an update × seconds a symbol), for each row."""
        return self.symbol_seconds * math.sqrt(self.setting.num_steps)


class Need(NamedTuple):
    """What the pilot found out about the data."""

    learned: bool  # whether its loss is below a guess, and it uses earlier inputs
    inputs: int | None  # the last inputs that it uses; None: more than the pilot's window
    unseen: float  # share of the error signal beyond the pilot's window, at most


class Choice(NamedTuple):
    """The settings that advice names."""

    status: Status
    advised: Candidate | None
    cheaper: Candidate | None  # the next cheaper one, which has more bias
    unbounded: Candidate | None = None  # enough at any price, where no window of the pilot is


def is_enough(candidate: Candidate, need: Need, tolerance: float) -> bool:
    """Whether a setting's bias is below the tolerance, and it reaches all inputs that count.

    A random style is right on average only; its noise is not measured, so it is never advised.
    """
    needed = math.inf if need.inputs is None else need.inputs
    reaches = candidate.setting.truncation.carries or candidate.setting.effective_depth >= needed
    return _is_exact(candidate) and reaches and candidate.bound < tolerance


def choose(candidates: Sequence[Candidate], need: Need, tolerance: float) -> Choice:
    """The cheapest setting that is enough, or the experiment's own if it costs about as little."""
    if not need.learned:
        return Choice("nothing_learned", None, None)
    enough = [each for each in candidates if is_enough(each, need, tolerance)]
    if not enough:
        return Choice("not_enough", None, None)
    advised, own = _cheapest(enough), candidates[0]
    if own not in enough and (need.inputs is None or need.unseen >= tolerance):
        return Choice("not_enough", None, None, advised)
    if own in enough and own.cost <= NEAR * advised.cost:
        advised = own
    return Choice("advised", advised, _cheaper(candidates, advised))


def frontier(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The timed settings of which no cheaper one has as little bias, from cheap to dear."""
    found: list[Candidate] = []
    timed = [each for each in candidates if each.seconds and _is_exact(each) and each.is_known]
    for each in sorted(timed, key=lambda each: (each.cost, each.bias.mean)):
        if not found or each.bias.mean < found[-1].bias.mean:
            found.append(each)
    return found


def to_time(
    candidates: Sequence[Candidate], need: Need, tolerance: float, most: int
) -> list[Candidate]:
    """The settings whose cost decides, the most important first.

    The config's own, which comes first among the candidates, is always timed. Of each style, in
    the order of its widths: the first that is enough, one at least twice as wide, which shows what
    an update costs whatever its width, and the last that is not enough. Styles that must cost far
    more than another that is enough are left out.
    """
    own, others = candidates[0], [each for each in candidates[1:] if _is_exact(each)]
    enough = [each for each in others if is_enough(each, need, tolerance)]
    least = min(map(_expected_cost, enough), default=math.inf)
    affordable = [each for each in others if _expected_cost(each) <= FAR_DEARER * least]
    ranked: list[list[Candidate]] = [[own], [], [], []]
    for kind in dict.fromkeys(each.setting.truncation.kind for each in affordable):
        of_kind = [each for each in affordable if each.setting.truncation.kind == kind]
        of_kind.sort(key=lambda each: (each.setting.num_steps, each.setting.effective_depth))
        passed = [each for each in of_kind if each in enough]
        failed = [each for each in of_kind if each not in enough]
        wide = [
            each for each in passed if each.setting.num_steps >= 2 * passed[0].setting.num_steps
        ]
        for place, some in enumerate((passed[:1], wide[:1], failed[-1:]), 1):
            ranked[place] += some
    return [each for rank in ranked for each in rank][:most]


def with_costs(
    candidates: Sequence[Candidate], seconds: Mapping[Setting, float]
) -> list[Candidate]:
    """The candidates with their times; those that were not timed get an expected one.

    An update is expected to take a fixed time, and some for each cell application of a row: the
    line through the settings that were timed, by least squares of relative errors.
    """
    from scipy.optimize import nnls

    timed = [each for each in candidates if each.setting in seconds]
    taken = np.array([seconds[each.setting] * each.setting.num_steps for each in timed])
    terms = np.array([[1.0, each.work] for each in timed])
    fixed, each_application = nnls(terms / taken[:, None], np.ones(len(taken)))[0]
    return [
        each._replace(
            seconds=seconds.get(each.setting),
            expected=float(fixed + each_application * each.work) / each.setting.num_steps,
        )
        for each in candidates
    ]


def _cheapest(enough: Sequence[Candidate]) -> Candidate:
    """Of each style the cheapest; of those that cost about the same, the cheapest a symbol."""
    kinds = {each.setting.truncation.kind for each in enough}
    of_kinds = [
        min(
            (each for each in enough if each.setting.truncation.kind == kind),
            key=lambda each: each.cost,
        )
        for kind in kinds
    ]
    least = min(each.cost for each in of_kinds)
    near = [each for each in of_kinds if each.cost <= NEAR_STYLES * least]
    return min(near, key=lambda each: each.symbol_seconds)


def _expected_cost(candidate: Candidate) -> float:
    """The cost, with work in the place of seconds."""
    return candidate.work / math.sqrt(candidate.setting.num_steps)


def _is_exact(candidate: Candidate) -> bool:
    return not candidate.setting.truncation.style.random


def _cheaper(candidates: Sequence[Candidate], advised: Candidate) -> Candidate | None:
    """Of the cheaper settings, the one with the least bias."""
    below = [
        each for each in candidates
        if _is_exact(each) and each.cost < advised.cost and each.bias.mean > advised.bias.mean
    ]  # fmt: skip
    return min(below, key=lambda each: each.bias.mean, default=None)
