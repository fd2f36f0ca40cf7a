"""The setting that trains in the least time, or why there is none.

The time that training takes is that of its updates. An update of num_steps losses takes u seconds,
u / num_steps for each symbol. Their number has three parts:

- with noise of scale N (in time steps of a row), it grows by 1 + N / num_steps (McCandlish et al.
  2018). The time is proportional to u without noise, so that a narrow graph is best, and to
  u / num_steps with noise alone, which favours a wide one. A pilot does not measure N, so the
  geometric mean of both counts, u / √num_steps;
- with a relative bias δ, a step goes along the gradient by at least 1 − δ of its length, so that
  the bound of the squared gradient after n updates is proportional to 1 / ((1 − δ) √n): it takes
  (1 − δ)^−2 times the updates (after Aicher, Foti & Fox 2019);
- the rest is the same for all settings.

In TF style, the least cost is that of the smallest num_steps whose errors mostly reach far enough.
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
    def unbiased_cost(self) -> float:
        """The cost if it had no bias: √(seconds an update × seconds a symbol), for each row."""
        return self.symbol_seconds * math.sqrt(self.setting.num_steps)

    @property
    def cost(self) -> float:
        """The time that training takes, but for a factor that all settings share."""
        return self.unbiased_cost * _slowdown(self.bound)


class Need(NamedTuple):
    """What the pilot found out about the data."""

    learned: bool  # whether its loss is below a guess, and it uses earlier inputs
    inputs: int | None  # the last inputs that it uses; None: more than the pilot's window
    unseen: float  # share of the error signal beyond the pilot's window, at most


class Choice(NamedTuple):
    """The settings that advice names."""

    status: Status
    advised: Candidate | None
    quicker: Candidate | None  # the next one with quicker updates, which has more bias
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
    return Choice("advised", advised, _quicker(candidates, advised))


def frontier(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The settings of which no quicker one has as little bias, from quick to slow."""
    found: list[Candidate] = []
    known = [each for each in candidates if _is_exact(each) and each.is_known]
    for each in sorted(known, key=lambda each: (each.unbiased_cost, each.bias.mean)):
        if not found or each.bias.mean < found[-1].bias.mean:
            found.append(each)
    return found


def to_time(
    candidates: Sequence[Candidate], need: Need, tolerance: float, most: int
) -> list[Candidate]:
    """The settings whose cost decides, the most important first.

    The config's own, which comes first among the candidates, is always timed. Of each style: the
    one that is expected to cost least, one at least twice as wide, which shows what an update takes
    whatever its width, and the next narrower one. Styles that must cost far more than another are
    left out.
    """
    own = candidates[0]
    enough = [each for each in candidates[1:] if is_enough(each, need, tolerance)]
    least = min(map(_expected_cost, enough), default=math.inf)
    ranked: list[list[Candidate]] = [[own], [], [], []]
    for kind in dict.fromkeys(each.setting.truncation.kind for each in candidates[1:]):
        of_kind = [each for each in candidates[1:] if each.setting.truncation.kind == kind]
        of_kind.sort(key=lambda each: (each.setting.num_steps, each.setting.effective_depth))
        best = min((each for each in of_kind if each in enough), key=_expected_cost, default=None)
        if best is None or _expected_cost(best) > FAR_DEARER * least:
            continue
        place = of_kind.index(best)
        width = best.setting.num_steps
        wider = [each for each in of_kind[place + 1 :] if each.setting.num_steps >= 2 * width]
        for rank, some in enumerate(([best], wider[:1], of_kind[max(place - 1, 0) : place]), 1):
            ranked[rank] += some
    return [each for rank in ranked for each in rank][:most]


class Update(NamedTuple):
    """An update that was timed."""

    work: float  # for each row, in cell applications of a forward pass
    seconds: float  # for each row


def with_costs(
    candidates: Sequence[Candidate], seconds: Mapping[Setting, float], pilot: Update
) -> list[Candidate]:
    """The candidates with their times; those that were not timed get an expected one.

    An update is expected to take a fixed time, and some for each cell application of a row. Styles
    differ in both, so an expectation rests on the settings of its own style that were timed, or on
    all of them if there are none, and on the pilot, which shows what a wide graph takes.
    """
    timed = {
        each.setting: Update(each.work, seconds[each.setting] * each.setting.num_steps)
        for each in candidates
        if each.setting in seconds
    }
    of_all = _line([*timed.values(), pilot])
    lines = {
        kind: _line([timed[each] for each in timed if each.truncation.kind == kind] + [pilot])
        for kind in {each.truncation.kind for each in timed}
    }
    found = []
    for each in candidates:
        fixed, each_application = lines.get(each.setting.truncation.kind, of_all)
        expected = (fixed + each_application * each.work) / each.setting.num_steps
        found.append(each._replace(seconds=seconds.get(each.setting), expected=expected))
    return found


def _line(updates: Sequence[Update]) -> tuple[float, float]:
    """Seconds of an update, and of each cell application: least squares of relative errors."""
    from scipy.optimize import nnls

    taken = np.array([each.seconds for each in updates])
    terms = np.array([[1.0, each.work] for each in updates])
    fixed, each_application = nnls(terms / taken[:, None], np.ones(len(taken)))[0]
    return float(fixed), float(each_application)


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
    return candidate.work / math.sqrt(candidate.setting.num_steps) * _slowdown(candidate.bound)


def _slowdown(bias: float) -> float:
    return math.inf if bias >= 1 else (1 - bias) ** -2


def _is_exact(candidate: Candidate) -> bool:
    return not candidate.setting.truncation.style.random


def _quicker(candidates: Sequence[Candidate], advised: Candidate) -> Candidate | None:
    """Of the settings with quicker updates and more bias, the one with the least bias."""
    below = [
        each for each in candidates
        if _is_exact(each)
        and each.unbiased_cost < advised.unbiased_cost
        and each.bias.mean > advised.bias.mean
    ]  # fmt: skip
    return min(below, key=lambda each: each.bias.mean, default=None)
