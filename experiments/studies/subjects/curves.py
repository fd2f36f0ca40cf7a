"""Learning curves: a criterion that several are the same, and their picture."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Self

import numpy as np
from pydantic import Field, model_validator

from experiments.reporting.chart import Chart, Marks, curve_chart
from experiments.reporting.claims import Finding, NotRun
from experiments.reporting.learning_curves import Series, learning_curve_figure
from experiments.runs.floor_noise import bands_of_rows
from experiments.runs.onset import Axis
from experiments.statistics.verdicts import LEVEL
from experiments.studies.entries import Criterion, Planned, StudyFigure
from experiments.studies.findings import exact
from experiments.studies.runs import RunName, RunPattern, StudyRuns, matching

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PUBLISHED = "published by r2rt"


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


class Curves(StudyFigure):
    """Learning curves of some runs; `published` are single values to draw beside them."""

    labels: dict[RunName, str] = Field(min_length=1)
    axis: Axis = "updates"
    published: dict[int, float] = Field(default_factory=dict)  # by update
    individual: bool = False

    @model_validator(mode="after")
    def _published_values_have_updates(self) -> Self:
        if self.published and self.axis != "updates":
            raise ValueError(f"published: its keys are updates; axis is {self.axis}")
        return self

    def check(self, planned: Planned) -> None:
        for name in self.labels:
            for update in self.published:
                planned[name].need_row_at(update)

    def chart(self, runs: StudyRuns) -> Chart:
        marks = Marks(PUBLISHED, "updates", self.published) if self.published else None
        chosen = [runs[name] for name in self.labels]
        return curve_chart(
            self._series(runs), chosen[0].floors, self.axis,
            marks=marks, bands=bands_of_rows(chosen),
        )  # fmt: skip

    def _series(self, runs: StudyRuns) -> list[Series]:
        return [Series(label, runs[name].curves) for name, label in self.labels.items()]

    def draw(self, title: str, runs: StudyRuns) -> Figure:
        chosen = [runs[name] for name in self.labels]
        figure = learning_curve_figure(
            title, self._series(runs), chosen[0].floors, self.axis, bands_of_rows(chosen)
        )
        axes = figure.axes[0]
        if self.individual:
            for run in chosen:
                x, losses = run.curves.against(self.axis)
                axes.plot(x, losses.T, color="#333333", alpha=0.7, linewidth=0.6)
        if self.published:
            updates, values = list(self.published), list(self.published.values())
            axes.plot(updates, values, "kx", label=PUBLISHED, zorder=5)
            axes.legend(loc="upper right", framealpha=0.9, edgecolor="none")
        return figure
