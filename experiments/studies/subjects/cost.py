"""How the time of a step grows with the state."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from pydantic import Field

from experiments.reporting.claims import Finding, NotRun
from experiments.statistics import estimates, verdicts
from experiments.statistics.verdicts import LEVEL
from experiments.studies.entries import Criterion, Planned
from experiments.studies.findings import judged, percent
from experiments.studies.runs import RunPattern, StudyRuns, matching


class CostExponent(Criterion):
    """Seconds for a time step grow at most as a power of the state size.

    The exponent is the slope of a straight line through log seconds against log state size, one
    line for each seed. Each seed counts with its least disturbed rows.
    """

    names: tuple[RunPattern, ...] = Field(min_length=1)
    at_most: float = Field(gt=0)
    least_state: int = Field(default=1, ge=1)  # below it, overhead hides the work

    def expectation(self) -> str:
        return f"at most {self.at_most:g}"

    def check(self, planned: Planned) -> None:
        chosen = [planned[name] for name in matching(self.names, planned)]
        states = {run.config.model.state_sizes for run in chosen}
        if len([sizes for sizes in states if sizes[0] >= self.least_state]) < 2:
            raise ValueError(f"names: expected at least two state sizes from {self.least_state} on")

    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        points: dict[int, list[tuple[float, float]]] = defaultdict(list)
        for run in runs.matching(self.names):
            state = run.config.model.state_sizes[0]
            if state >= self.least_state:
                for seed, seconds in run.step_seconds.items():
                    points[seed].append((np.log(state), np.log(seconds)))
        slopes = [slope(each) for each in points.values() if len(each) > 1]
        if not slopes:
            raise NotRun("too few state sizes with two rows to time")
        judgement = verdicts.below(estimates.mean(slopes), self.at_most, level)
        note = (
            f"exponent of the seconds for a time step in the state size, from {self.least_state}; "
            f"{percent(judgement.confidence)} interval over seeds, on this machine"
        )
        return judged(judgement, len(slopes), note)


def slope(points: list[tuple[float, float]]) -> float:
    """The slope of the least-squares line through (x, y)."""
    x, y = np.array(points).T
    return float(np.polynomial.polynomial.polyfit(x, y, 1)[1])
