"""Criteria on floors, curves and time. Others stand with their subject: losses, learning, ..."""

from __future__ import annotations

import itertools
from typing import ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from experiments.reporting.claims import Finding, NotRun
from experiments.runs.run import Run
from experiments.statistics import equivalence, estimates
from experiments.statistics.verdicts import LEVEL, as_ratio
from experiments.studies.entries import Criterion, Planned
from experiments.studies.findings import exact, judged, percent
from experiments.studies.runs import RunName, RunPattern, StudyRuns, matching


class Floor(Criterion):
    """An entropy floor that the program computes equals a published number."""

    run: RunName
    known: str
    expected: float
    tolerance: float = Field(ge=0)

    def expectation(self) -> float:
        return self.expected

    def check(self, planned: Planned) -> None:
        planned[self.run].need_floor(self.known)

    def decide(self, runs: StudyRuns, _level: float = LEVEL) -> Finding:
        value = runs[self.run].floors[self.known]
        return exact(value, abs(value - self.expected) <= self.tolerance, "exact, no seeds")


class CurvesAgree(Criterion):
    """The curves of several runs are the same, row by row, for every seed."""

    names: tuple[RunPattern, ...] = Field(min_length=1)
    tolerance: float = Field(ge=0)

    def expectation(self) -> str:
        return f"at most {self.tolerance:g} apart"

    def check(self, planned: Planned) -> None:
        chosen = [planned[name] for name in matching(self.names, planned)]
        if len(chosen) < 2:
            raise ValueError(f"names: expected at least two runs; got {len(chosen)}")
        for run in chosen[1:]:
            if run.config.seeds != chosen[0].config.seeds:
                raise ValueError(f"runs {chosen[0].name} and {run.name}: they have other seeds")

    def decide(self, runs: StudyRuns, _level: float = LEVEL) -> Finding:
        chosen = runs.matching(self.names)
        curves = [run.curves for run in chosen]
        first = curves[0]
        for run, curve in zip(chosen, curves, strict=True):
            # nan: a seed that stopped early has no such row
            if (
                curve.seeds != first.seeds
                or not np.array_equal(curve.updates, first.updates)
                or not np.array_equal(np.isnan(curve.losses), np.isnan(first.losses))
            ):
                raise NotRun(f"runs {chosen[0].label} and {run.label}: their rows differ")
        pairs = itertools.combinations([curve.losses for curve in curves], 2)
        gap = max(float(np.nanmax(np.abs(one - other))) for one, other in pairs)
        seeds, points = first.losses.shape
        note = f"largest difference of a row, {points} rows a seed"
        return exact(gap, gap <= self.tolerance, note, seeds)


class Comparison(Criterion):
    """A claim about one run against another."""

    run: RunName
    against: RunName

    @model_validator(mode="after")
    def _two_runs(self) -> Self:
        if self.run == self.against:
            raise ValueError(f"against: expected another run than {self.run}")
        return self


class TimeRatio(Comparison):
    """Seconds for a time step against another run's are within limits: geometric means of seeds.

    Each seed counts with its least disturbed rows.
    """

    at_least: float = Field(gt=0)
    at_most: float = Field(gt=0)

    unit: ClassVar[str] = "time step"

    @model_validator(mode="after")
    def _limits_leave_room(self) -> Self:
        if self.at_least >= self.at_most:
            raise ValueError(f"at_most: expected above {self.at_least:g}; got {self.at_most:g}")
        return self

    def expectation(self) -> str:
        return f"{self.at_least:g} to {self.at_most:g}"

    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        ours, theirs = (self._paces(runs[name]) for name in (self.run, self.against))
        if not (ours and theirs):
            raise NotRun(f"runs {self.run} and {self.against}: too short to time")
        sides = (estimates.mean(np.log(paces).tolist()) for paces in (ours, theirs))
        low, high = np.log([self.at_least, self.at_most]).tolist()
        judgement = as_ratio(
            equivalence.within(estimates.minus(*sides), (high - low) / 2, (high + low) / 2, level)
        )
        note = (
            f"seconds for a {self.unit}, {self.run} / {self.against}, on this machine; "
            f"{percent(judgement.confidence)} interval; ratio of the least "
            f"{min(ours) / min(theirs):.2f}"
        )
        return judged(judgement, len(ours), note)

    def _paces(self, run: Run) -> list[float]:
        """Seconds for a unit, of each seed."""
        return list(run.paces.values())
