"""Criteria on losses and time. Others stand with their subject: learning, horizon, influence."""

from __future__ import annotations

import itertools
from typing import Self

import numpy as np
from pydantic import Field, model_validator

from experiments.reporting.claims import Finding, NotRun
from experiments.statistics.intervals import difference_interval, mean_interval
from experiments.studies.entries import Criterion, Planned
from experiments.studies.runs import RunName, RunPattern, StudyRuns, matching
from experiments.studies.verdict_rules import below, exactly, share_at_least, within

HALF = 0.5  # of the seeds


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

    def decide(self, runs: StudyRuns) -> Finding:
        value = runs[self.run].floors[self.known]
        verdict = exactly(abs(value - self.expected) <= self.tolerance)
        return Finding(value, None, None, 0, verdict, "exact, no seeds")


class FinalLoss(Criterion):
    """The mean final loss over seeds equals a number, within a tolerance."""

    run: RunName
    expected: float
    tolerance: float = Field(gt=0)

    def expectation(self) -> float:
        return self.expected

    def decide(self, runs: StudyRuns) -> Finding:
        found = runs[self.run].final_loss
        verdict = within(found, self.expected - self.tolerance, self.expected + self.tolerance)
        seeds = len(runs[self.run].final_losses)
        note = f"mean final loss, 95 % interval; limit {self.tolerance:g} from what is expected"
        return Finding(*found, seeds, verdict, note)


class LeastValidationLoss(Criterion):
    """The least validation loss of the epochs, mean over seeds, equals a number."""

    run: RunName
    expected: float
    tolerance: float = Field(gt=0)

    def expectation(self) -> float:
        return self.expected

    def check(self, planned: Planned) -> None:
        planned[self.run].need_validation()

    def decide(self, runs: StudyRuns) -> Finding:
        run = runs[self.run]
        losses = run.least_validation_losses
        if not losses:
            raise NotRun(f"run {self.run}: no validation loss")
        found = mean_interval(losses)
        verdict = within(found, self.expected - self.tolerance, self.expected + self.tolerance)
        epochs = run.config.training.epochs
        limit = f"limit {self.tolerance:g} from what is expected"
        note = f"least validation loss of {epochs} epochs; {limit}"
        if len(losses) == 1:
            note += "; one seed has no interval"
        return Finding(*found, len(losses), verdict, note)


class LossOfUpdates(Criterion):
    """A published mean loss of updates `first` to `last` is within the range over seeds, widened.

    The margin widens the range on both sides. One seed has no range and decides nothing.
    """

    run: RunName
    first: int = Field(ge=1)
    last: int = Field(ge=1)
    expected: float
    margin: float = Field(ge=0)

    def expectation(self) -> float:
        return self.expected

    def check(self, planned: Planned) -> None:
        planned[self.run].need_row(self.first, self.last)

    def decide(self, runs: StudyRuns) -> Finding:
        by_seed: dict[int, list[float]] = {}
        for row in runs[self.run].rows:
            if row.split == "train" and self.first <= row.updates <= self.last:
                by_seed.setdefault(row.seed, []).append(row.loss)
        if not by_seed:
            raise NotRun(f"run {self.run}: no row of updates {self.first} to {self.last}")
        losses = [float(np.mean(found)) for found in by_seed.values()]
        low, high = min(losses), max(losses)
        inside = low - self.margin <= self.expected <= high + self.margin
        verdict = exactly(inside) if len(losses) > 1 else "undecided"
        note = f"mean of updates {self.first} to {self.last}; range over seeds"
        return Finding(float(np.mean(losses)), low, high, len(losses), verdict, note)


class StaysAbove(Criterion):
    """In most seeds no row comes as low as a floor + `margin`."""

    run: RunName
    known: str
    margin: float
    least_share: float = Field(default=HALF, gt=0, lt=1)

    def expectation(self) -> str:
        sign = "+" if self.margin >= 0 else "−"
        limit = f"“{self.known}” {sign} {abs(self.margin):g}"
        return f"above {limit} in ≥ {self.least_share:g} of seeds"

    def check(self, planned: Planned) -> None:
        planned[self.run].need_floor(self.known)

    def decide(self, runs: StudyRuns) -> Finding:
        run = runs[self.run]
        lowest = np.nanmin(run.curves.losses, axis=1)
        limit = run.floors[self.known] + self.margin
        count = int((lowest > limit).sum())
        verdict = share_at_least(count, len(lowest), self.least_share)
        note = (
            f"lowest row of each seed: mean and range; "
            f"{count} of {len(lowest)} seeds stay above {limit:.4f}"
        )
        mean, low, high = float(lowest.mean()), float(lowest.min()), float(lowest.max())
        return Finding(mean, low, high, len(lowest), verdict, note)


class DoesNotSettle(Criterion):
    """Within the second half of training the loss rises by `rise` again, in most seeds."""

    run: RunName
    rise: float = Field(gt=0)
    least_share: float = Field(default=HALF, gt=0, lt=1)

    def expectation(self) -> str:
        return f"rises ≥ {self.rise:g} in ≥ {self.least_share:g} of seeds"

    def decide(self, runs: StudyRuns) -> Finding:
        losses = runs[self.run].curves.losses
        late = losses[:, losses.shape[1] // 2 :]
        rises = np.max(late - np.minimum.accumulate(late, axis=1), axis=1)
        count = int((rises >= self.rise).sum())
        verdict = share_at_least(count, len(rises), self.least_share)
        note = (
            f"largest rise in the second half: mean and range; "
            f"{count} of {len(rises)} seeds rise by {self.rise:g}"
        )
        mean, low, high = float(rises.mean()), float(rises.min()), float(rises.max())
        return Finding(mean, low, high, len(rises), verdict, note)


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

    def decide(self, runs: StudyRuns) -> Finding:
        chosen = runs.matching(self.names)
        curves = [run.curves for run in chosen]
        for run, curve in zip(chosen, curves, strict=True):
            first = curves[0]
            if curve.seeds != first.seeds or not np.array_equal(curve.updates, first.updates):
                raise NotRun(f"runs {chosen[0].label} and {run.label}: their rows differ")
        pairs = itertools.combinations([curve.losses for curve in curves], 2)
        gap = max(float(np.abs(one - other).max()) for one, other in pairs)
        seeds, points = curves[0].losses.shape
        note = f"largest difference of a row, {points} rows a seed"
        return Finding(gap, None, None, seeds, exactly(gap <= self.tolerance), note)


class Comparison(Criterion):
    """A claim about one run against another."""

    run: RunName
    against: RunName

    @model_validator(mode="after")
    def _two_runs(self) -> Self:
        if self.run == self.against:
            raise ValueError(f"against: expected another run than {self.run}")
        return self


class LowersLoss(Comparison):
    """The final loss of `run` is below that of `against`."""

    def expectation(self) -> str:
        return "below 0"

    def decide(self, runs: StudyRuns) -> Finding:
        losses, others = (
            list(runs[name].final_losses.values()) for name in (self.run, self.against)
        )
        found = difference_interval(losses, others)
        note = f"final loss, {self.run} minus {self.against}; 95 % interval (Welch)"
        return Finding(*found, len(losses), below(found, 0), note)


class TimeRatio(Comparison):
    """Seconds for a time step against another run's, the least of each, are within limits."""

    at_least: float = Field(gt=0)
    at_most: float = Field(gt=0)

    @model_validator(mode="after")
    def _limits_leave_room(self) -> Self:
        if self.at_least > self.at_most:
            raise ValueError(f"at_most: expected at least {self.at_least:g}; got {self.at_most:g}")
        return self

    def expectation(self) -> str:
        return f"{self.at_least:g} to {self.at_most:g}"

    def decide(self, runs: StudyRuns) -> Finding:
        ours, theirs = (list(runs[name].paces.values()) for name in (self.run, self.against))
        if not (ours and theirs):
            raise NotRun(f"runs {self.run} and {self.against}: too short to time")
        ratio = min(ours) / min(theirs)
        note = (
            f"seconds for a time step, {self.run} / {self.against}, the least of each on this "
            f"machine; medians over seeds {np.median(ours) / np.median(theirs):.2f}"
        )
        verdict = exactly(self.at_least <= ratio <= self.at_most)
        return Finding(ratio, None, None, len(ours), verdict, note)
