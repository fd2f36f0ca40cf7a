"""The state probed for an earlier input: a criterion and a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from experiments.reporting.claims import Finding, NotRun
from experiments.reporting.style import COLORS, draw_title, new_figure, style_grid
from experiments.runs import checkpoints
from experiments.runs.run import Run
from experiments.statistics import paired, verdicts
from experiments.statistics.verdicts import LEVEL
from experiments.studies.batches import parts_of
from experiments.studies.criteria import Comparison
from experiments.studies.entries import Planned, StudyFigure
from experiments.studies.findings import judged, percent
from experiments.studies.runs import RunName, StudyRuns
from experiments.training.workload import make_workload

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class StateHoldsLess(Comparison):
    """A linear readout of the state explains less of x(t − lag) in `run` than in `against`."""

    lag: int = Field(ge=1)

    def expectation(self) -> str:
        return "below 0"

    def check(self, planned: Planned) -> None:
        for name in (self.run, self.against):
            need_ids(name, planned)

    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        ours, theirs = (memories(runs[name], self.lag) for name in (self.run, self.against))
        judgement = verdicts.below(paired.difference(ours, theirs), level=level)
        note = (
            f"share of the variance of x(t − {self.lag}) that the state explains, {self.run} "
            f"({np.mean([*ours.values()]):.3f}) minus {self.against} "
            f"({np.mean([*theirs.values()]):.3f}); {percent(judgement.confidence)} interval"
        )
        return judged(judgement, len(ours), note)


class StateMemory(StudyFigure):
    """A dot for each seed, and a bar for the mean, of what the state holds of an earlier input."""

    labels: dict[RunName, str] = Field(min_length=1)
    lag: int = Field(ge=1)

    def check(self, planned: Planned) -> None:
        for name in self.labels:
            need_ids(name, planned)

    def draw(self, title: str, runs: StudyRuns) -> Figure:
        figure = new_figure()
        axes = figure.subplots()
        for place, name in enumerate(self.labels):
            shares = [*memories(runs[name], self.lag).values()]
            color = COLORS[place % len(COLORS)]
            axes.bar(place, float(np.mean(shares)), color=color, alpha=0.3)
            axes.plot([place] * len(shares), shares, "o", color=color, markersize=4, alpha=0.7)
        axes.set_xticks(range(len(self.labels)), [*self.labels.values()])
        draw_title(axes, title)
        axes.set_ylabel(f"variance of x(t − {self.lag}) explained")
        style_grid(axes)
        return figure


def memories(run: Run, lag: int) -> dict[int, float]:
    """By seed, the share of the variance of x(t − lag) that the last checkpoint's state explains.

    Raises NotRun where no seed has a checkpoint.
    """
    from experiments.gradients.state_memory import StateBatchReader  # TensorFlow takes seconds

    found = {}
    with StateBatchReader(run.config, make_workload(run.config).task) as reader:
        for part in parts_of(run):
            for seed in part.config.seeds:
                kept = checkpoints.newest(part.directory.checkpoints, seed).checkpoint
                if kept is not None:
                    found[seed] = reader.memory(kept.variables, seed, lag)
    if not found:
        raise NotRun(f"run {run.label}: no checkpoint")
    return found


def need_ids(name: RunName, planned: Planned) -> None:
    """See that a run's inputs are numbers with a past to probe. Raises ValueError."""
    workload = planned[name].workload
    if workload and (workload.task.inputs != "ids" or not workload.task.carries_state):
        raise ValueError(f"run {name}: expected a task of one sequence of ids")
