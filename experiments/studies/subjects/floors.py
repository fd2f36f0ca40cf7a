"""A criterion on the entropy floors that the program computes."""

from __future__ import annotations

from pydantic import Field

from experiments.reporting.claims import Finding
from experiments.statistics.verdicts import LEVEL
from experiments.studies.entries import Criterion, Planned
from experiments.studies.findings import exact
from experiments.studies.runs import RunName, StudyRuns


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
