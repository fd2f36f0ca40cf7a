"""Criteria on the loss that a run reaches: as published, or below another run's."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from experiments.reporting.claims import Finding, NotRun
from experiments.reporting.seed_losses import in_words
from experiments.runs.run import Run
from experiments.statistics import equivalence, estimates, prediction, spread
from experiments.statistics.estimates import Estimate
from experiments.statistics.floors import middle
from experiments.statistics.intervals import Interval
from experiments.statistics.over_seeds import modes_of
from experiments.statistics.parts import Judge, all_of
from experiments.statistics.spread import Spread
from experiments.statistics.verdicts import LEVEL
from experiments.studies.entries import Criterion, Planned
from experiments.studies.findings import HALF, at_least, judged, percent, shown_of
from experiments.studies.planned import PlannedRun
from experiments.studies.runs import RunName, RunPattern, StudyRuns, matching

Losses = Mapping[int, float]  # by seed
RunPatterns = tuple[RunPattern, ...]


class Side(NamedTuple):
    """The seeds whose loss is on one side of the middle of the floors, and all of them."""

    losses: list[float]
    seeds: int

    @property
    def most(self) -> Judge:
        """The judge of the claim that at least half of all possible seeds end there."""
        return at_least(len(self.losses), self.seeds, HALF)


class ExpectedLoss(Criterion):
    """A loss equals a number, within a limit, by two one-sided tests.

    A published number is one run, which has its own luck, unless `expected_is` calls it exact or
    `deviation` and `published_runs` say how much the runs behind it spread. Where the task has
    floors, seeds that learned and seeds that did not are told apart: the claim is about the side of
    the floors' middle that `expected` is on, and at least half of the seeds must end there.

    A run of one seed shows no spread. `spread_of` names runs of several seeds, whose pooled spread
    then stands for that of this run.
    """

    run: RunName
    expected: float
    tolerance: float = Field(gt=0)  # the largest difference that counts as equal
    expected_is: Literal["one_run", "mean", "exact"] = "one_run"
    deviation: float | None = Field(default=None, gt=0)
    published_runs: int | None = Field(default=None, ge=2)
    spread_of: RunPatterns = ()

    @model_validator(mode="after")
    def _a_mean_has_a_spread(self) -> Self:
        given = (self.deviation is not None, self.published_runs is not None)
        if given != (self.expected_is == "mean",) * 2:
            raise ValueError("deviation, published_runs: both and only for expected_is: mean")
        return self

    @model_validator(mode="after")
    def _only_a_published_run_spreads_alike(self) -> Self:
        if self.spread_of and self.expected_is != "one_run":
            raise ValueError(
                f"spread_of: only for expected_is: one_run, a run that spreads alike; got "
                f"{self.expected_is}"
            )
        return self

    @property
    @abstractmethod
    def metric(self) -> str:
        """The loss in words."""

    @abstractmethod
    def losses(self, run: Run) -> Losses:
        """The loss of each seed. Raises NotRun where there is none."""

    def need(self, run: PlannedRun) -> None:
        """Raise ValueError if this run will have no such loss."""

    def check(self, planned: Planned) -> None:
        self.need(planned[self.run])
        check_spread(self.spread_of, planned, self.need)

    def expectation(self) -> float:
        return self.expected

    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        run = runs[self.run]
        losses = self.losses(run)
        threshold = middle(run.floors)
        side = self._side(losses, threshold)
        parts: list[Judge] = [] if threshold is None else [side.most]
        note = f"{self.metric}; at most {self.tolerance:g} from what is expected"
        interval = Interval(float(np.mean([*losses.values()])), None, None)
        if side.losses:
            estimate = self._less_expected(side.losses, runs)
            within = partial(equivalence.within, estimate, self.tolerance, 0)
            parts.append(within)
            shown, how = shown_of(within, parts, level)
            interval = self._of_loss(shown.interval)
            note += f"; {self._kind_of_interval(estimate, shown.confidence)}{how}"
        note += modes(run, losses)
        return judged(all_of(parts)(level)._replace(interval=interval), len(losses), note)

    def _of_loss(self, difference: Interval) -> Interval:
        """The interval of the loss, from that of its difference to what is expected."""
        mean, *ends = difference
        low, high = (end if end is None else max(0, end + self.expected) for end in ends)
        return Interval(mean + self.expected, low, high)

    def _side(self, losses: Losses, threshold: float | None) -> Side:
        values = [*losses.values()]
        if threshold is None:
            return Side(values, len(values))
        low = self.expected < threshold
        return Side([loss for loss in values if (loss < threshold) == low], len(values))

    def _less_expected(self, losses: list[float], runs: StudyRuns) -> Estimate:
        known = pooled_spread(self.spread_of, runs, self.losses)
        if known is not None:
            return spread.less_published(losses, self.expected, known)
        match self.expected_is:
            case "one_run":
                return prediction.less_published(losses, self.expected)
            case "mean":
                assert self.deviation is not None
                assert self.published_runs is not None
                return prediction.less_published_mean(
                    losses, self.expected, self.deviation, self.published_runs
                )
            case "exact":
                ours = estimates.mean(losses)
                return ours._replace(value=ours.value - self.expected)

    def _kind_of_interval(self, estimate: Estimate, confidence: float) -> str:
        if not math.isfinite(estimate.standard_error):
            return "one seed has no interval"
        kinds = {
            "one_run": "where one more run may be",
            "mean": "of the difference to the published mean",
            "exact": "of the mean",
        }
        return f"{percent(confidence)} interval {kinds[self.expected_is]}"


class FinalLoss(ExpectedLoss):
    """The mean final loss over seeds equals a number, within a tolerance."""

    @property
    def metric(self) -> str:
        return "mean final loss"

    def losses(self, run: Run) -> Losses:
        return run.final_losses


class LossOfUpdates(ExpectedLoss):
    """The mean loss of updates `first` to `last` equals a number.

    A row of metrics.csv is the mean of all updates since the row before, so `first` is the one
    after a row.
    """

    first: int = Field(ge=1)
    last: int = Field(ge=1)

    @property
    def metric(self) -> str:
        return f"mean of updates {self.first} to {self.last}"

    def need(self, run: PlannedRun) -> None:
        run.need_rows(self.first, self.last)

    def losses(self, run: Run) -> Losses:
        return mean_losses(run, self.first, self.last)


def mean_losses(run: Run, first: int, last: int) -> Losses:
    """The mean loss of updates `first` to `last`, by seed: of the rows that lie within them.

    Raises NotRun where there is none.
    """
    means = {}
    for seed, rows in run.rows_by_seed.items():
        starts = [0, *(row.updates for row in rows)]  # updates before each row
        within = [
            (row.loss, row.updates - before)
            for before, row in zip(starts, rows, strict=False)
            if before + 1 >= first and row.updates <= last
        ]
        if within:
            losses, counts = zip(*within, strict=True)
            means[seed] = float(np.average(losses, weights=counts))
    if not means:
        raise NotRun(f"run {run.label}: no row of updates {first} to {last}")
    return means


def check_spread(
    patterns: RunPatterns, planned: Planned, need: Callable[[PlannedRun], None]
) -> None:  # fmt: skip
    """Raise ValueError if one of these runs shows no spread or lacks the loss."""
    for name in matching(patterns, planned):
        need(planned[name])
        planned[name].need_spread()


def pooled_spread(
    patterns: RunPatterns, runs: StudyRuns, losses: Callable[[Run], Losses]
) -> Spread | None:
    """The spread of the seeds of those of these runs that are there; None if it is not known."""
    there = [runs[name] for name in matching(patterns, runs.there)]
    groups = [[*losses(run).values()] for run in there]
    return spread.pooled(groups) if any(len(group) > 1 for group in groups) else None


def modes(run: Run, losses: Losses, name: str = "") -> str:
    """The seeds below the middle of the floors and the others, where there are both."""
    found = modes_of([*losses.values()], run.floors)
    return f"; {name}{in_words(found)}" if found else ""
