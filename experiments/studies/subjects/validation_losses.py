"""Criteria on the least validation loss of the epochs: as published, below another run's,
and as a table."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from experiments.reporting.claims import NotRun
from experiments.reporting.style import COLORS, new_figure, style_axes
from experiments.runs.run import Run
from experiments.statistics import spread
from experiments.studies.entries import Planned, StudyFigure
from experiments.studies.planned import PlannedRun
from experiments.studies.runs import RunName, StudyRuns
from experiments.studies.subjects.losses import (
    ExpectedLoss,
    Losses,
    RunPatterns,
    check_spread,
    pooled_spread,
)
from experiments.studies.subjects.lower_losses import Difference, LowersALoss

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BESIDE = 0.22  # between the columns of a row


class LeastValidationLoss(ExpectedLoss):
    """The least validation loss of the epochs, mean over seeds, equals a number."""

    @property
    def metric(self) -> str:
        return "least validation loss of the epochs"

    def need(self, run: PlannedRun) -> None:
        run.need_validation()

    def losses(self, run: Run) -> Losses:
        return least_losses(run)


class LowersValidationLoss(LowersALoss):
    """The least validation loss of the epochs of `run` is below that of `against`.

    With `updates`, only validations after at most so many updates count. `spread_of` is that of
    ExpectedLoss.
    """

    spread_of: RunPatterns = ()
    updates: int | None = Field(default=None, ge=1)

    def check(self, planned: Planned) -> None:
        super().check(planned)
        for name in (self.run, self.against):
            planned[name].need_validation(self.updates)
        check_spread(self.spread_of, planned, PlannedRun.need_validation)

    def _losses(self, run: Run) -> Losses:
        return least_losses(run, self.updates)

    def _metric(self) -> str:
        within = "" if self.updates is None else f" within {self.updates:,} updates"
        return f"least validation loss of the epochs{within}"

    def _difference(self, ours: Losses, theirs: Losses, runs: StudyRuns) -> Difference:
        losses = partial(least_losses, updates=self.updates)
        known = pooled_spread(self.spread_of, runs, losses)
        if known is None:
            return super()._difference(ours, theirs, runs)
        estimate = spread.difference([*ours.values()], [*theirs.values()], known)
        how = (
            f"by the pooled spread, {known.degrees} degrees of freedom, of {len(ours)} and "
            f"{len(theirs)} seeds"
        )
        return Difference(estimate, len(ours), how)


def least_losses(run: Run, updates: int | None = None) -> Losses:
    """The least of the epochs, by seed. Raises NotRun where there is none."""
    found = run.summary.get("validation")
    if not found:
        raise NotRun(f"run {run.label}: no validation loss")
    if updates is None:
        return {int(seed): loss for seed, loss in found["per_seed"].items()}
    early = {
        seed: [row.loss for row in rows if row.updates <= updates]
        for seed, rows in run.validation_rows.items()
    }
    if not early or not all(early.values()):
        raise NotRun(f"run {run.label}: no validation loss within {updates:,} updates")
    return {seed: min(losses) for seed, losses in early.items()}


class ValidationTable(StudyFigure):
    """A published table of least validation losses, row by row, a color for each column.

    `rows` has the run of each cell, `minima` what was published of it. Crosses are published,
    dots each seed's least validation loss. An absent run has its cross alone.
    """

    rows: dict[str, tuple[RunName, ...]] = Field(min_length=1)
    columns: tuple[str, ...] = Field(min_length=1, max_length=len(COLORS))
    minima: dict[RunName, float]

    @model_validator(mode="after")
    def _every_cell_has_its_minimum(self) -> Self:
        for row, cells in self.rows.items():
            if len(cells) != len(self.columns):
                raise ValueError(
                    f"rows.{row!r}: expected {len(self.columns)} runs, one a column; "
                    f"got {len(cells)}"
                )
        named = {name for cells in self.rows.values() for name in cells}
        for name in sorted(named ^ self.minima.keys()):
            where = "no row names it" if name in self.minima else "it has no published value"
            raise ValueError(f"minima: run {name}: {where}")
        return self

    def check(self, planned: Planned) -> None:
        for name in self.minima:
            planned[name].need_validation()

    def draw(self, title: str, runs: StudyRuns) -> Figure:
        figure = new_figure()
        axes = figure.subplots()
        for column, label in enumerate(self.columns):
            names = [cells[column] for cells in self.rows.values()]
            aside = BESIDE * (column - (len(self.columns) - 1) / 2)
            positions = [row + aside for row in range(len(names))]
            minima, color = [self.minima[name] for name in names], COLORS[column]
            axes.plot(positions, minima, "x", color=color, label=label)
            for position, name in zip(positions, names, strict=True):
                found = runs[name].least_validation_losses if name in runs else []
                axes.plot([position] * len(found), found, "o", color=color, alpha=0.6)
        axes.set_xticks(range(len(self.rows)), list(self.rows))
        style_axes(axes, title)
        figure.legend(loc="outside lower center", ncols=len(self.columns), frameon=False)
        return figure
