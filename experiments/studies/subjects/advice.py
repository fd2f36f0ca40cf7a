"""Criteria and a figure on the advice of `run.py advise`, for cases whose need is known."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from experiments.reporting.claims import Finding, NotRun
from experiments.reporting.style import COLORS, draw_title, new_figure, style_grid
from experiments.statistics.intervals import share_interval
from experiments.statistics.verdicts import LEVEL
from experiments.studies.entries import Criterion, Entry, Planned, StudyFigure
from experiments.studies.findings import measured_once
from experiments.studies.runs import RunName, RunPattern, StudyRuns, matching
from experiments.studies.subjects.advised import Case, advice_for, cases_of
from experiments.studies.subjects.influence_balancing.influence import measured_influence
from experiments.studies.subjects.influence_balancing.training import need_theta
from experiments.studies.subjects.time_per_step import step_seconds_of
from rnn_graphs.config import TruncationConfig

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SPACING = 0.25  # between the series of a figure, in lags


class OfAdvice(Entry):
    """The part that criteria and figures of advice share: their cases, and how advice is asked."""

    names: tuple[RunPattern, ...] = Field(min_length=1)
    budget: float = Field(default=60, gt=0)  # seconds for the advice of each case
    tolerance: float = Field(default=0.5, gt=0, lt=1)

    def advised(self, runs: StudyRuns) -> list[tuple[Case, dict[str, Any]]]:
        """Each case with its advice."""
        cases = cases_of(runs.matching(self.names))
        return [(case, advice_for(case, self.budget, self.tolerance)) for case in cases]


class OfCases(OfAdvice, Criterion):
    """A property of the advice in at least a share of the study's cases."""

    at_least: float = Field(gt=0, le=1)

    def expectation(self) -> str:
        return f"at least {self.at_least:.0%} of cases"

    @abstractmethod
    def counts(self, case: Case, advice: dict[str, Any]) -> bool:
        """Whether a case has the property."""

    def decide(self, runs: StudyRuns, _level: float = LEVEL) -> Finding:
        found = [(case, self.counts(case, advice)) for case, advice in self.advised(runs)]
        count = sum(counts for _, counts in found)
        _, low, high = share_interval(count, len(found))
        missed = [case.runs[0].label for case, counts in found if not counts]
        note = f"cases of this study; share of all such cases, 95 %: {low:.2f} to {high:.2f}"
        if missed:
            note += f"; not: {', '.join(missed)}"
        return measured_once(f"{count} of {len(found)}", count >= self.at_least * len(found), note)


class AdviceReaches(OfCases):
    """The advised setting reaches the longest dependency: an effective depth of lag + 1 or more."""

    def check(self, planned: Planned) -> None:
        for name in matching(self.names, planned):
            task = planned[name].config.task
            if not task.dependency_lags and not hasattr(task, "lag"):
                raise ValueError(f"run {name}: its task names no lag to reach")

    def counts(self, case: Case, advice: dict[str, Any]) -> bool:
        assert case.lag is not None
        advised = advice["advised"]
        return bool(advised and advised["effective_depth"] > case.lag)


class AdviceIsNearBest(OfCases):
    """After equal time, the run nearest to the advice has a loss near the best of the grid."""

    within: float = Field(gt=0)  # nats per time step

    def counts(self, case: Case, advice: dict[str, Any]) -> bool:
        if not advice["advised"]:
            return False
        losses = case.losses_after_equal_time()
        nearest = case.runs.index(case.nearest(advice["advised"]["effective_depth"]))
        return losses[nearest] <= min(losses) + self.within


class AdviceAdmits(OfCases):
    """Where no setting can be right, nothing is advised."""

    def counts(self, _case: Case, advice: dict[str, Any]) -> bool:
        return advice["advised"] is None


class AdviceIsCheap(OfAdvice, Criterion):
    """The advised setting costs at most a multiple of the cheapest run that learned, in the median.

    Cost is time a symbol. The advice's own timings relate its setting to the narrowest run's.
    """

    at_most: float = Field(ge=1)

    def expectation(self) -> str:
        return f"at most {self.at_most:g} times, in the median"

    def decide(self, runs: StudyRuns, _level: float = LEVEL) -> Finding:
        ratios = [
            _cost_ratio(case, advice)
            for case, advice in self.advised(runs)
            if advice["advised"] and case.learned()
        ]
        if not ratios:
            raise NotRun("no case has advice and a run that learned")
        median = float(np.median(ratios))
        note = (
            f"median over {len(ratios)} cases of time a symbol, advised / cheapest run that "
            f"learned; {min(ratios):.2f} to {max(ratios):.2f}"
        )
        return measured_once(median, median <= self.at_most, note)


def _cost_ratio(case: Case, advice: dict[str, Any]) -> float:
    advised, own = (
        advice[name]["microseconds_per_symbol"] or advice[name]["expected_microseconds_per_symbol"]
        for name in ("advised", "own")
    )
    least = [min(step_seconds_of(run)) for run in case.learned()]
    return float(advised / own * min(step_seconds_of(case.runs[0])) / min(least))


class AdviceHasRightSign(OfAdvice, Criterion):
    """On influence balancing, the gradient of the advised setting has the sign of the full one."""

    def check(self, planned: Planned) -> None:
        for name in matching(self.names, planned):
            need_theta(RunName(name), planned)

    def expectation(self) -> str:
        return "below 0"

    def decide(self, runs: StudyRuns, _level: float = LEVEL) -> Finding:
        ((_, advice),) = self.advised(runs)
        advised = advice["advised"]
        if not advised:
            return measured_once("nothing advised", False, advice["lines"][0])
        truncation = TruncationConfig(**advised["truncation"])
        found = measured_influence(truncation, advised["num_steps"])
        return measured_once(found, found < 0, f"influence of θ seen by {advice['lines'][0]}")


class AdvisedDepths(OfAdvice, StudyFigure):
    """The effective depth that is advised, by the longest lag; the least that reaches is a line."""

    def draw(self, title: str, runs: StudyRuns) -> Figure:
        figure = new_figure()
        axes = figure.subplots()
        points: dict[str, list[tuple[int, int]]] = {}
        for case, advice in self.advised(runs):
            if case.lag is not None and advice["advised"]:
                place = (case.lag, advice["advised"]["effective_depth"])
                label = f"{case.config.task.kind}, {case.config.model.cell}"
                points.setdefault(label, []).append(place)
        for number, (label, places) in enumerate(points.items()):
            aside = SPACING * (number - (len(points) - 1) / 2)  # cells often get the same advice
            x, y = zip(*((lag + aside, depth) for lag, depth in places), strict=True)
            axes.plot(x, y, "o", color=COLORS[number % len(COLORS)], label=label)
        lags = [lag for places in points.values() for lag, _ in places] or [1]
        line = np.arange(1, max(lags) + 1)
        axes.plot(line, line + 1, color="#666666", linestyle="--", label="lag + 1")
        draw_title(axes, title)
        axes.set_xlabel("longest lag")
        axes.set_ylabel("advised effective depth")
        axes.legend(framealpha=0.9, edgecolor="none")
        style_grid(axes)
        return figure
