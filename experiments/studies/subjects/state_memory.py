"""The state probed for an earlier input: a criterion and a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from experiments.reporting.style import bars_of_seeds
from experiments.runs.run import Run
from experiments.statistics.paired import Values
from experiments.studies.batches import last_checkpoints
from experiments.studies.entries import AgainstRun, Planned, StudyFigure
from experiments.studies.runs import RunName, StudyRuns
from experiments.studies.subjects.lower_losses import Alternative, SeedsDiffer
from experiments.training.workload import make_workload

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class StateHoldsLess(SeedsDiffer, AgainstRun):
    """A linear readout of the state explains less of x(t − lag) in `run` than in `against`."""

    lag: int = Field(ge=1)

    claimed: ClassVar[Alternative] = "below"

    def check(self, planned: Planned) -> None:
        for name in (self.run, self.against):
            need_ids(name, planned)

    def _sides(self, runs: StudyRuns) -> tuple[Values, Values]:
        ours, theirs = (explained_shares(runs[name], self.lag) for name in (self.run, self.against))
        return ours, theirs

    def _names(self) -> tuple[str, str]:
        return self.run, self.against

    def _metric(self) -> str:
        return f"share of the variance of x(t − {self.lag}) that the state explains"


class StateMemory(StudyFigure):
    """A dot for each seed, and a bar for the mean, of what the state holds of an earlier input."""

    labels: dict[RunName, str] = Field(min_length=1)
    lag: int = Field(ge=1)

    def check(self, planned: Planned) -> None:
        for name in self.labels:
            need_ids(name, planned)

    def draw(self, title: str, runs: StudyRuns) -> Figure:
        shares = [[*explained_shares(runs[name], self.lag).values()] for name in self.labels]
        labels = [*self.labels.values()]
        return bars_of_seeds(title, labels, shares, f"variance of x(t − {self.lag}) explained")


def explained_shares(run: Run, lag: int) -> dict[int, float]:
    """By seed, the share of the variance of x(t − lag) that the last checkpoint's state explains.

    Raises NotRun where a seed lacks it.
    """
    from experiments.gradients.state_memory import StateBatchReader  # TensorFlow takes seconds

    found = {}
    with StateBatchReader(run.config, make_workload(run.config).task) as reader:
        for seed, kept in last_checkpoints(run):
            found[seed] = reader.memory(kept.variables, seed, lag)
    return found


def need_ids(name: RunName, planned: Planned) -> None:
    """See that a run's inputs are numbers with a past to probe. Raises ValueError."""
    workload = planned[name].workload
    if workload and (workload.task.inputs != "ids" or not workload.task.carries_state):
        raise ValueError(f"run {name}: expected a task of one sequence of ids")
