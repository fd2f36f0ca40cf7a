"""Criteria on the least validation loss of the epochs: as published, and below another run's."""

from __future__ import annotations

from functools import partial

from pydantic import Field

from experiments.reporting.claims import NotRun
from experiments.runs.run import Run
from experiments.statistics import spread
from experiments.statistics.estimates import Estimate
from experiments.studies.entries import Planned
from experiments.studies.losses import (
    ExpectedLoss,
    Losses,
    RunPatterns,
    check_spread,
    pooled_spread,
)
from experiments.studies.lower_losses import LowersALoss
from experiments.studies.planned import PlannedRun
from experiments.studies.runs import StudyRuns


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
        for name in (self.run, self.against):
            planned[name].need_validation(self.updates)
        check_spread(self.spread_of, planned, PlannedRun.need_validation)

    def _losses(self, run: Run) -> Losses:
        return least_losses(run, self.updates)

    def _metric(self) -> str:
        within = "" if self.updates is None else f" within {self.updates:,} updates"
        return f"least validation loss of the epochs{within}"

    def _difference(self, ours: Losses, theirs: Losses, runs: StudyRuns) -> tuple[Estimate, str]:
        losses = partial(least_losses, updates=self.updates)
        known = pooled_spread(self.spread_of, runs, losses)
        if known is None:
            return super()._difference(ours, theirs, runs)
        difference = spread.difference([*ours.values()], [*theirs.values()], known)
        return difference, f"by the pooled spread, {known.degrees} degrees of freedom"


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
