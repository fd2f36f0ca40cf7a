"""Criteria on the least validation loss of the epochs: as published, and below another run's.

A run of one seed shows no spread. `spread_of` names runs of several seeds, whose pooled spread
then stands for that of every run.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from experiments.reporting.claims import NotRun
from experiments.runs.run import Run
from experiments.statistics import spread
from experiments.statistics.estimates import Estimate
from experiments.statistics.spread import Spread
from experiments.studies.entries import Planned
from experiments.studies.held_out import LowersALoss
from experiments.studies.losses import ExpectedLoss, Losses
from experiments.studies.runs import RunPattern, StudyRuns, matching

RunPatterns = tuple[RunPattern, ...]


class LeastValidationLoss(ExpectedLoss):
    """The least validation loss of the epochs, mean over seeds, equals a number."""

    spread_of: RunPatterns = ()

    @model_validator(mode="after")
    def _of_a_published_run(self) -> Self:
        if self.spread_of and self.expected_is != "one_run":
            raise ValueError(
                f"spread_of: only for expected_is: one_run, a run that spreads alike; got "
                f"{self.expected_is}"
            )
        return self

    @property
    def metric(self) -> str:
        return "least validation loss of the epochs"

    def check(self, planned: Planned) -> None:
        planned[self.run].need_validation()
        _check_spread(self.spread_of, planned)

    def losses(self, run: Run) -> Losses:
        return least_losses(run)

    def _less_expected(self, losses: list[float], runs: StudyRuns) -> Estimate:
        pooled = _pooled(self.spread_of, runs)
        if pooled is None:
            return super()._less_expected(losses, runs)
        return spread.less_published(losses, self.expected, pooled)


class LowersValidationLoss(LowersALoss):
    """The least validation loss of the epochs of `run` is below that of `against`.

    With `updates`, only validations after at most so many updates count.
    """

    spread_of: RunPatterns = ()
    updates: int | None = Field(default=None, ge=1)

    def check(self, planned: Planned) -> None:
        for name in (self.run, self.against):
            planned[name].need_validation(self.updates)
        _check_spread(self.spread_of, planned)

    def _losses(self, run: Run) -> Losses:
        return least_losses(run, self.updates)

    def _metric(self) -> str:
        within = "" if self.updates is None else f" within {self.updates:,} updates"
        return f"least validation loss of the epochs{within}"

    def _difference(self, ours: Losses, theirs: Losses, runs: StudyRuns) -> tuple[Estimate, str]:
        pooled = _pooled(self.spread_of, runs, self.updates)
        if pooled is None:
            return super()._difference(ours, theirs, runs)
        difference = spread.difference([*ours.values()], [*theirs.values()], pooled)
        return difference, f"by the pooled spread, {pooled.degrees} degrees of freedom"


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


def _check_spread(patterns: RunPatterns, planned: Planned) -> None:
    for name in matching(patterns, planned):
        planned[name].need_validation()
        planned[name].need_spread()


def _pooled(
    patterns: RunPatterns, runs: StudyRuns, updates: int | None = None
) -> Spread | None:  # fmt: skip
    """The spread of the seeds of those of these runs that are there; None if it is not known."""
    there = [runs[name] for name in matching(patterns, runs.there)]
    groups = [[*least_losses(run, updates).values()] for run in there]
    return spread.pooled(groups) if any(len(group) > 1 for group in groups) else None
