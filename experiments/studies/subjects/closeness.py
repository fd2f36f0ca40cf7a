"""How close the gradients of styles with an influence are to rtrl's: a criterion and a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from experiments.reporting.style import bars_of_seeds
from experiments.runs.run import Run
from experiments.statistics.paired import Values
from experiments.studies.batches import last_checkpoints
from experiments.studies.entries import Planned, StudyFigure
from experiments.studies.runs import RunName, StudyRuns
from experiments.studies.subjects.lower_losses import SeedsDiffer
from experiments.training.workload import make_workload
from rnn_graphs.config import TruncationConfig

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Approximation = Literal["snap", "rflo", "kf_rtrl", "uoro"]
WINDOWS, SETTLED = 30, 10  # of one step; the first ones have no past to differ in


class CloserToExact(SeedsDiffer):
    """The gradient of `style` has a larger cosine with rtrl's than that of `than`.

    It is measured at the last checkpoint of each seed, in windows of one step of fresh data.
    """

    run: RunName
    style: Approximation
    than: Approximation
    leak: float = Field(ge=0, le=1)  # of rflo

    def check(self, planned: Planned) -> None:
        need_one_sequence(self.run, planned)

    def _sides(self, runs: StudyRuns) -> tuple[Values, Values]:
        by_seed = cosines(runs[self.run], self.leak)
        ours, theirs = (
            {seed: found[style] for seed, found in by_seed.items()}
            for style in (self.style, self.than)
        )
        return ours, theirs

    def _names(self) -> tuple[str, str]:
        return self.style, self.than

    def _metric(self) -> str:
        return "cosine with rtrl's gradient, one draw of a random style"


class CosinesToExact(StudyFigure):
    """A dot for each seed: the mean cosine of each style's gradient with rtrl's."""

    run: RunName
    leak: float = Field(ge=0, le=1)

    def check(self, planned: Planned) -> None:
        need_one_sequence(self.run, planned)

    def draw(self, title: str, runs: StudyRuns) -> Figure:
        by_seed = [*cosines(runs[self.run], self.leak).values()]
        styles = [*by_seed[0]]
        values = [[found[style] for found in by_seed] for style in styles]
        return bars_of_seeds(title, styles, values, "cosine with rtrl")


def cosines(run: Run, leak: float) -> dict[int, dict[str, float]]:
    """By seed and style, the mean cosine with rtrl. Raises NotRun without a checkpoint."""
    from experiments.gradients.carried import (
        CarriedGauge,
        fresh_windows,
    )  # imports TensorFlow

    config = run.config.model_copy(
        update={"graph": run.config.graph.model_copy(update={"num_steps": 1})}
    )
    task = make_workload(run.config).task
    found = {}
    with CarriedGauge(config, task, approximations(leak)) as gauge:
        for seed, kept in last_checkpoints(run):
            windows = fresh_windows(config, task, seed, WINDOWS)
            errors = gauge.measure(kept.variables, windows, seed)[SETTLED:]
            found[seed] = {
                name: float(np.mean([window[name].cosine for window in errors]))
                for name in errors[0]
            }
    return found


def approximations(leak: float) -> dict[str, TruncationConfig]:
    """The styles that are compared, by name; `none` is the same graph without an influence."""
    return {
        "snap": TruncationConfig(kind="snap", order=1),
        "rflo": TruncationConfig(kind="rflo", leak=leak),
        "kf_rtrl": TruncationConfig(kind="kf_rtrl"),
        "uoro": TruncationConfig(kind="uoro"),
        "none": TruncationConfig(kind="tf_style"),
    }


def need_one_sequence(name: RunName, planned: Planned) -> None:
    """See that a run carries its state. Raises ValueError."""
    workload = planned[name].workload
    if workload and not workload.task.carries_state:
        raise ValueError(f"run {name}: expected a task that carries its state")
