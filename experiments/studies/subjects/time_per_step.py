"""The time of a time step: a criterion on the ratio of two runs, and a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from experiments.reporting.claims import Finding, NotRun
from experiments.reporting.dots import draw_seeds, label_positions
from experiments.reporting.style import draw_title, new_figure, style_grid
from experiments.runs.run import Run
from experiments.statistics import equivalence, estimates
from experiments.statistics.intervals import Interval
from experiments.statistics.verdicts import LEVEL, as_ratio
from experiments.studies.entries import AgainstRun, StudyFigure
from experiments.studies.findings import judged, percent
from experiments.studies.runs import RunName, StudyRuns

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class TimeRatio(AgainstRun):
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
        ours, theirs = (self._unit_seconds(runs[name]) for name in (self.run, self.against))
        sides = (estimates.mean(np.log(seconds).tolist()) for seconds in (ours, theirs))
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

    def _unit_seconds(self, run: Run) -> list[float]:
        """Seconds for a unit, of each seed."""
        return step_seconds_of(run)


def step_seconds_of(run: Run) -> list[float]:
    """Seconds for a time step, of each seed. Raises NotRun where no seed has two rows."""
    if not run.step_seconds:
        raise NotRun(f"run {run.label}: too short to time")
    return list(run.step_seconds.values())


class TimePerStep(StudyFigure):
    """Every seed's time for a time step as a dot, the least beside them."""

    labels: dict[RunName, str] = Field(min_length=1)

    def draw(self, title: str, runs: StudyRuns) -> Figure:
        figure = new_figure()
        axes = figure.subplots()
        measured = [step_seconds_of(runs[name]) for name in self.labels]
        scale, unit = (
            (1e9, "nanoseconds") if max(map(min, measured)) < 1e-6 else (1e6, "microseconds")
        )
        for position, seconds in enumerate(measured):
            values = [scale * each for each in seconds]
            least = min(values)
            shown = f"{least:.3g}" if least < 100 else f"{least:,.0f}"
            draw_seeds(axes, position, values, Interval(least, None, None), shown)
        label_positions(axes, list(self.labels.values()))
        draw_title(axes, title)
        axes.set_ylabel(f"{unit} per time step")
        axes.set_ylim(bottom=0)
        style_grid(axes)
        return figure
