"""Claims on the training of influence balancing: where θ ends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from experiments.reporting.claims import Finding
from experiments.runs.run import Run
from experiments.statistics.verdicts import LEVEL
from experiments.studies.batches import last_checkpoints
from experiments.studies.entries import Criterion, Planned
from experiments.studies.findings import HALF, at_least, exact, of_share
from experiments.studies.runs import RunName, StudyRuns
from experiments.studies.subjects.influence_balancing.influence import OPTIMUM, THETA
from rnn_graphs.truncation.styles import STYLES


class EndsAtOptimum(Criterion):
    """Training brings θ within `tolerance` of its optimum, in at least half of the seeds."""

    run: RunName
    expected: float
    tolerance: float = Field(gt=0)

    def expectation(self) -> float:
        return self.expected

    def check(self, planned: Planned) -> None:
        need_theta(self.run, planned)

    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        thetas = final_thetas(runs[self.run])
        count = sum(abs(theta - self.expected) <= self.tolerance for theta in thetas)
        note = f"seeds whose θ ends within {self.tolerance:g} of its optimum"
        return _finding(runs[self.run], thetas, count, note, level)


class MovesAway(Criterion):
    """Training takes θ further from its optimum than it began, in at least half of the seeds."""

    run: RunName

    def expectation(self) -> str:
        return f"further from −1/6 than {THETA:g} is"

    def check(self, planned: Planned) -> None:
        need_theta(self.run, planned)

    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        thetas = final_thetas(runs[self.run])
        count = sum(abs(theta - OPTIMUM) > abs(THETA - OPTIMUM) for theta in thetas)
        note = f"seeds whose θ ends further away than it began, at {THETA}"
        return _finding(runs[self.run], thetas, count, note, level)


def _finding(run: Run, thetas: Sequence[float], count: int, note: str, level: float) -> Finding:
    """The finding of a run in which θ ends as claimed in `count` of the seeds.

    Without random gates every seed is the same, and one decides.
    """
    seeds, mean = len(thetas), float(np.mean(thetas))
    note += f"; θ after training: mean {mean:.6g}, {min(thetas):.6g} to {max(thetas):.6g}"
    if not STYLES[run.config.truncation.kind].random:
        return exact(mean, count == seeds, note, seeds)
    return of_share(count, seeds, at_least(count, seeds, HALF)(level), note)


def need_theta(name: RunName, planned: Planned) -> None:
    """See that a run trains θ. Raises ValueError."""
    kind = planned[name].config.task.kind
    if kind != "influence_balancing":
        raise ValueError(f"run {name}: expected task influence_balancing; got {kind}")


def final_thetas(run: Run) -> list[float]:
    """θ of each seed's last checkpoint. Raises NotRun where a seed lacks it."""
    thetas = []
    for _, kept in last_checkpoints(run):
        (theta,) = (v for k, v in kept.variables.items() if k.endswith("/theta"))
        thetas.append(float(theta))
    return thetas
