"""Criteria that one run has a lower training loss than another, and the bases of differences."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from experiments.config.flat import shown_value
from experiments.config.schema import Config
from experiments.reporting.claims import Finding, NotRun
from experiments.runs.run import Run
from experiments.statistics import paired, verdicts
from experiments.statistics.estimates import Estimate
from experiments.statistics.paired import Values
from experiments.statistics.verdicts import LEVEL
from experiments.studies.entries import AgainstRun, Criterion, Planned
from experiments.studies.findings import judged, percent
from experiments.studies.runs import StudyRuns
from experiments.studies.subjects.losses import Losses, mean_losses, modes

Alternative = Literal["above", "below"]  # to a difference of 0, as the claim has it


class SeedsDiffer(Criterion):
    """A measurement of each seed is larger than another one, or smaller: the mean difference."""

    claimed: ClassVar[Alternative] = "above"

    def expectation(self) -> str:
        return f"{self.claimed} 0"

    @abstractmethod
    def _sides(self, runs: StudyRuns) -> tuple[Values, Values]:
        """Both measurements, by seed. Raises NotRun where there is none."""

    @abstractmethod
    def _names(self) -> tuple[str, str]:
        """What both are measured of."""

    @abstractmethod
    def _metric(self) -> str:
        """The measurement in words."""

    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        ours, theirs = self._sides(runs)
        judge = verdicts.above if self.claimed == "above" else verdicts.below
        judgement = judge(paired.difference(ours, theirs), level=level)
        one, other = (
            f"{name} ({np.mean([*side.values()]):.3f})"
            for name, side in zip(self._names(), (ours, theirs), strict=True)
        )
        note = (
            f"{self._metric()}, {one} minus {other}; {percent(judgement.confidence)} interval, "
            f"{pairing(ours, theirs)}"
        )
        return judged(judgement, compared(ours, theirs), note)


class Difference(NamedTuple):
    """The difference of two losses."""

    estimate: Estimate
    seeds: int  # that it is of
    how: str  # its interval is found


class LowersALoss(AgainstRun):
    """A loss of `run` is below that of `against`, by at least `margin` (may be negative)."""

    margin: float = 0.0

    of_one_task: ClassVar[bool] = True  # False: in a unit in which tasks can be compared

    def expectation(self) -> str:
        return f"below {0 - self.margin:g}"  # not -0

    @abstractmethod
    def _losses(self, run: Run) -> Losses:
        """The loss of each seed. Raises NotRun where there is none."""

    @abstractmethod
    def _metric(self) -> str:
        """The loss in words."""

    def check(self, planned: Planned) -> None:
        problem = self._other_task(planned[self.run].config, planned[self.against].config)
        if problem:
            raise ValueError(problem)

    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        problem = self._other_task(runs[self.run].config, runs[self.against].config)
        if problem:
            raise NotRun(problem)
        ours, theirs = (self._losses(runs[name]) for name in (self.run, self.against))
        difference = self._difference(ours, theirs, runs)
        judgement = verdicts.below(difference.estimate, -self.margin, level=level)
        note = (
            f"{self._metric()}, {self.run} minus {self.against}; "
            f"{percent(judgement.confidence)} interval, {difference.how}"
        )
        return judged(judgement, difference.seeds, note)

    def _other_task(self, config: Config, other: Config) -> str:
        """The first key in which the tasks differ, where that matters; empty: they may."""
        task, other_task = config.task_without_size, other.task_without_size
        if not self.of_one_task or task == other_task:
            return ""
        key = next(key for key in {**task, **other_task} if task.get(key) != other_task.get(key))
        return (
            f"losses of different tasks cannot be compared: task.{key} is "
            f"{shown_value(task.get(key))} in {self.run}, "
            f"{shown_value(other_task.get(key))} in {self.against}"
        )

    def _difference(self, ours: Losses, theirs: Losses, _runs: StudyRuns) -> Difference:
        """The difference of both losses."""
        estimate = paired.difference(ours, theirs)
        return Difference(estimate, compared(ours, theirs), pairing(ours, theirs))


class LowersLoss(LowersALoss):
    """The final loss of `run` is below that of `against`."""

    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        found = super().decide(runs, level)
        pair = (runs[name] for name in (self.run, self.against))
        divided = [modes(run, run.final_losses, f"{run.label}: ") for run in pair]
        return found._replace(note="".join([found.note, *divided]))

    def _losses(self, run: Run) -> Losses:
        return run.final_losses

    def _metric(self) -> str:
        return "final loss"


class LowersLossOfUpdates(LowersALoss):
    """The mean loss of updates `first` to `last` of `run` is below that of `against`."""

    first: int = Field(ge=1)
    last: int = Field(ge=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first > self.last:
            raise ValueError(f"last: expected at least first, {self.first}; got {self.last}")
        return self

    def check(self, planned: Planned) -> None:
        super().check(planned)
        for name in (self.run, self.against):
            planned[name].need_rows(self.first, self.last)

    def _losses(self, run: Run) -> Losses:
        return mean_losses(run, self.first, self.last)

    def _metric(self) -> str:
        return f"mean loss of updates {self.first} to {self.last}"


def pairing(ours: Values, theirs: Values) -> str:
    """How the interval of a difference is found."""
    if paired.are_paired(ours, theirs):
        return "paired by seed"
    return f"Welch, of {len(ours)} and {len(theirs)} seeds"


def compared(ours: Values, theirs: Values) -> int:
    """The seeds that a difference is of: the pairs, or all of the first where none is paired."""
    if paired.are_paired(ours, theirs):
        return len(paired.shared_seeds(ours, theirs))
    return len(ours)
