"""How close the gradients of styles with an influence are to rtrl's: a criterion and a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from experiments.reporting.claims import Finding, NotRun
from experiments.reporting.style import COLORS, draw_title, new_figure, style_grid
from experiments.runs import checkpoints
from experiments.runs.run import Run
from experiments.statistics import paired, verdicts
from experiments.statistics.verdicts import LEVEL
from experiments.studies.batches import parts_of
from experiments.studies.entries import Criterion, Planned, StudyFigure
from experiments.studies.findings import judged, percent
from experiments.studies.runs import RunName, StudyRuns
from experiments.training.workload import make_workload
from rnn_graphs.config import TruncationConfig

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Approximation = Literal["snap", "rflo", "kf_rtrl", "uoro"]
WINDOWS, SETTLED = 30, 10  # of one step; the first ones have no past to differ in


class CloserToExact(Criterion):
    """The gradient of `style` has a larger cosine with rtrl's than that of `than`.

    It is measured at the last checkpoint of each seed, in windows of one step of fresh data.
    """

    run: RunName
    style: Approximation
    than: Approximation
    leak: float = Field(ge=0, le=1)  # of rflo

    def expectation(self) -> str:
        return "above 0"

    def check(self, planned: Planned) -> None:
        need_one_sequence(self.run, planned)

    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        by_seed = cosines(runs[self.run], self.leak)
        ours, theirs = (
            {seed: found[style] for seed, found in by_seed.items()}
            for style in (self.style, self.than)
        )
        judgement = verdicts.above(paired.difference(ours, theirs), level=level)
        note = (
            f"cosine with rtrl's gradient, {self.style} ({np.mean([*ours.values()]):.3f}) minus "
            f"{self.than} ({np.mean([*theirs.values()]):.3f}), one draw of a random style; "
            f"{percent(judgement.confidence)} interval, paired by seed"
        )
        return judged(judgement, len(ours), note)


class CosinesToExact(StudyFigure):
    """A dot for each seed: the mean cosine of each style's gradient with rtrl's."""

    run: RunName
    leak: float = Field(ge=0, le=1)

    def check(self, planned: Planned) -> None:
        need_one_sequence(self.run, planned)

    def draw(self, title: str, runs: StudyRuns) -> Figure:
        by_seed = [*cosines(runs[self.run], self.leak).values()]
        names = [*by_seed[0]]
        figure = new_figure()
        axes = figure.subplots()
        for place, name in enumerate(names):
            values = [found[name] for found in by_seed]
            color = COLORS[place % len(COLORS)]
            axes.bar(place, float(np.mean(values)), color=color, alpha=0.3)
            axes.plot([place] * len(values), values, "o", color=color, markersize=4, alpha=0.7)
        axes.set_xticks(range(len(names)), names)
        draw_title(axes, title)
        axes.set_ylabel("cosine with rtrl")
        style_grid(axes)
        return figure


def cosines(run: Run, leak: float) -> dict[int, dict[str, float]]:
    """By seed and style, the mean cosine with rtrl. Raises NotRun without checkpoints."""
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
        for part in parts_of(run):
            for seed in part.config.seeds:
                kept = checkpoints.newest(part.directory.checkpoints, seed).checkpoint
                if kept is None:
                    continue
                windows = fresh_windows(config, task, seed, WINDOWS)
                errors = gauge.measure(kept.variables, windows, seed)[SETTLED:]
                found[seed] = {
                    name: float(np.mean([window[name].cosine for window in errors]))
                    for name in errors[0]
                }
    if not found:
        raise NotRun(f"run {run.label}: no checkpoint")
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
