"""The depth that an adaptive style chose."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from experiments.reporting.claims import Finding, NotRun
from experiments.reporting.style import COLORS, draw_title, new_figure, style_grid
from experiments.runs.run import Run
from experiments.statistics.verdicts import LEVEL
from experiments.studies.entries import Criterion, Planned, StudyFigure
from experiments.studies.findings import HALF, at_least, of_share
from experiments.studies.runs import RunName, StudyRuns

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METRIC = "chosen_depth"
AREA = 12.0  # of the dot of one seed, in square points
SHIFT = 0.2  # epochs between the dots of two runs


class ChoosesAtLeast(Criterion):
    """In at least half of the seeds the last epoch's depth is `depth` or more."""

    run: RunName
    depth: int = Field(ge=1)

    def expectation(self) -> str:
        return f"K of {self.depth} or more"

    def check(self, planned: Planned) -> None:
        need_choice(self.run, planned)

    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        found = [depths[-1] for depths in by_epoch(runs[self.run]).values()]
        count = sum(depth >= self.depth for depth in found)
        note = f"K of the last epoch: {min(found):g} to {max(found):g}, mean {np.mean(found):.3g}"
        return of_share(count, len(found), at_least(count, len(found), HALF)(level), note)


class DepthByEpoch(StudyFigure):
    """K by epoch, runs beside each other: a dot whose area is the number of seeds that chose K."""

    labels: dict[RunName, str] = Field(min_length=1)

    def check(self, planned: Planned) -> None:
        for name in self.labels:
            need_choice(name, planned)

    def draw(self, title: str, runs: StudyRuns) -> Figure:
        from matplotlib.collections import PathCollection
        from matplotlib.ticker import MaxNLocator

        figure = new_figure()
        axes = figure.subplots()
        for index, (name, label) in enumerate(self.labels.items()):
            seeds = Counter(
                (epoch, depth)
                for depths in by_epoch(runs[name]).values()
                for epoch, depth in enumerate(depths, 1)
            )
            epochs, chosen = np.transpose([*seeds])
            beside = SHIFT * (index - (len(self.labels) - 1) / 2)
            areas = [AREA * count for count in seeds.values()]
            color = COLORS[index % len(COLORS)]
            axes.scatter(epochs + beside, chosen, areas, [color], linewidths=0, label=label)
        draw_title(axes, title)
        axes.set_xlabel("epoch")
        axes.set_ylabel("K")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        legend = figure.legend(loc="outside lower center", ncols=len(self.labels), frameon=False)
        for handle in legend.legend_handles:
            assert isinstance(handle, PathCollection)
            handle.set_sizes([5 * AREA])
        style_grid(axes)
        return figure


def by_epoch(run: Run) -> dict[int, list[float]]:
    """By seed, the depth of each epoch. Raises NotRun where none was logged."""
    found: dict[int, dict[int, float]] = {}
    for seed, rows in run.rows_by_seed.items():
        for row in rows:
            if METRIC in row.metrics:  # a row's mean; the last one of an epoch has its depth alone
                found.setdefault(seed, {})[row.epoch] = row.metrics[METRIC]
    if not found:
        raise NotRun(f"run {run.label}: no row has {METRIC}")
    return {seed: [depths[epoch] for epoch in sorted(depths)] for seed, depths in found.items()}


def need_choice(name: RunName, planned: Planned) -> None:
    """See that a run logs the depth that it chooses. Raises ValueError."""
    if METRIC not in planned[name].config.logging.metrics:
        raise ValueError(f"run {name}: expected logging.metrics to have {METRIC}")
