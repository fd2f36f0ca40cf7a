"""Seeds until the claims are decided: train a batch, look, and go on with what is undecided.

Each look has an equal part of the level (experiments/statistics/sequential.py). A claim keeps the
verdict of the first look that decides it; runs that no undecided claim names get no more seeds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from experiments.console import is_quiet
from experiments.errors import UsageError
from experiments.reporting.claims import Claim
from experiments.statistics import sequential
from experiments.statistics.verdicts import LEVEL
from experiments.studies.batches import batch_of
from experiments.studies.decisions import read_runs
from experiments.studies.runs import StudyRuns, hits, names_in
from experiments.studies.spec import ClaimSpec
from experiments.sweeps.points import Point

DEFAULT_LOOKS = 4

Decide = Callable[[ClaimSpec, StudyRuns, float], Claim]  # the float is the level


class Budget(NamedTuple):
    """How far to go for claims that are not decided."""

    max_seeds: int | None  # None: DEFAULT_LOOKS times the seeds that the study has
    max_seconds: float | None  # no batch starts later


def planned_looks(points: Sequence[Point], budget: Budget | None) -> int:
    """The number of looks, each with as many new seeds as the study has. Raises UsageError."""
    if budget is None:
        return 1
    if not points:
        raise UsageError(
            "--seeds-until decided: the study trains no runs that could have more seeds; its "
            "claims measure for themselves"
        )
    if budget.max_seeds is None:
        return DEFAULT_LOOKS
    first = max(point.config.training.seeds for point in points)
    if budget.max_seeds < first:
        raise UsageError(
            f"--max-seeds: the study begins with {first} seeds, expected at least as many; "
            f"got {budget.max_seeds}"
        )
    return len(sequential.looks(first, first, budget.max_seeds // first * first))


@dataclass
class Looks:
    """The looks so far: batches of each run, and the claims as they stand."""

    specs: Sequence[ClaimSpec]
    planned: int
    max_seconds: float | None
    batches: dict[str, list[Point]]  # by run; each but the first is `batch_of` the first
    own: Mapping[str, Point]  # where further batches of a run belong
    absent: dict[str, str] = field(default_factory=dict)  # why a run is not complete, by name
    look: int = 0
    claims: dict[str, Claim] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    @property
    def level(self) -> float:
        """The chance of a wrong verdict at one look."""
        return sequential.level_of_look(max(1, self.look), self.planned, LEVEL)

    def runs(self) -> StudyRuns:
        """The runs that are complete, each with all its batches, as they are on disk now."""
        return read_runs(self.batches, self.absent)

    def take(self, runs: StudyRuns, decide: Decide) -> None:
        """Look once: decide what is not decided yet."""
        self.look += 1
        open_specs = [
            spec
            for spec in self.specs
            if self.look == 1 or self.claims[spec.id].verdict == "undecided"
        ]
        if open_specs and not is_quiet():  # some measure for minutes
            noun = "claim" if len(open_specs) == 1 else "claims"
            print(f"deciding {len(open_specs)} {noun}", flush=True)
        for spec in open_specs:
            self.claims[spec.id] = decide(spec, runs, self.level)

    def next_batch(self) -> list[Point]:
        """More seeds for the runs of undecided claims; none once looks or time are spent."""
        late = self.max_seconds is not None and self.seconds > self.max_seconds
        if self.look >= self.planned or late:
            return []
        return [batch_of(self.own[name], self.look) for name in self._wanted()]

    def add(self, batch: Sequence[Point]) -> None:
        """Count a batch that was trained to the runs that it belongs to."""
        for name, point in zip(self._wanted(), batch, strict=True):
            self.batches[name].append(point)

    @property
    def seconds(self) -> float:
        """Seconds since the first look was planned."""
        return time.monotonic() - self.started

    def _wanted(self) -> list[str]:
        """The runs that undecided claims name."""
        named = [
            name
            for spec in self.specs
            if self.claims[spec.id].verdict == "undecided"
            for pattern in names_in(spec.criterion)
            for name in hits(pattern, self.batches)
        ]
        return list(dict.fromkeys(named))

    def describe(self) -> str:
        """One sentence on the looks taken and their level."""
        count = sum(claim.verdict == "undecided" for claim in self.claims.values())
        noun = "claims are" if count > 1 else "claim is"
        return (
            f"Looks taken: {self.look} of at most {self.planned}, each at the level "
            f"{self.level:.3g}, so that each claim is wrong in at most {100 * LEVEL:g} % of "
            f"studies; {count or 'no'} {noun} undecided."
        )
