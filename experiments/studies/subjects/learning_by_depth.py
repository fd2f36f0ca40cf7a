"""A figure of learning against depth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from experiments.reporting.learning_curves import AXIS_LABELS
from experiments.reporting.style import (
    COLORS,
    draw_title,
    error_bars,
    new_figure,
    show_empty,
    style_grid,
)
from experiments.runs.onset import Axis
from experiments.runs.run import Run
from experiments.statistics.intervals import Interval, share_interval
from experiments.studies.entries import Planned, StudyFigure
from experiments.studies.runs import RunName, StudyRuns
from experiments.studies.subjects.learning import learners

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class ByDepth(StudyFigure):
    """Against depth: the share of seeds that learned, and what they needed for it.

    Runs with the same label are one line; the lines stand a little beside each other.
    """

    labels: dict[RunName, str] = Field(min_length=1)
    lag: int = Field(ge=0)
    axis: Axis = "updates"

    def check(self, planned: Planned) -> None:
        for name in self.labels:
            planned[name].need_lags([self.lag])
            planned[name].need_onset()

    def draw(self, title: str, runs: StudyRuns) -> Figure:
        figure = new_figure(6.5)
        upper, lower = figure.subplots(2, 1, sharex=True)
        lines = list(dict.fromkeys(self.labels.values()))
        for index, label in enumerate(lines):
            chosen = sorted(
                (runs[name] for name in self.labels if self.labels[name] == label),
                key=lambda run: run.effective_depth,
            )
            aside = 0.5 * (index - (len(lines) - 1) / 2)
            depths = [run.effective_depth + aside for run in chosen]
            color = COLORS[index % len(COLORS)]
            shares = [share_interval(*learners(run, self.lag)) for run in chosen]
            _draw_intervals(upper, depths, shares, label, color)
            _draw_onsets(lower, depths, chosen, self.axis, color)
        for axes in (upper, lower):
            axes.axvline(self.lag + 1, color="#666666", linestyle=":", linewidth=1, zorder=0)
            style_grid(axes)
        draw_title(upper, title)
        upper.set_ylabel(f"share of seeds that\nlearned lag {self.lag}")
        lower.set_ylabel(f"{AXIS_LABELS[self.axis]}\nuntil learned")
        lower.set_xlabel(f"depth (cell applications); dotted: lag + 1 = {self.lag + 1}")
        if any(onset.learned for name in self.labels for onset in runs[name].onsets.values()):
            lower.set_ylim(bottom=0)
        else:
            show_empty(lower, "no seed learned")
        figure.legend(loc="outside lower center", ncols=len(lines), frameon=False)
        return figure


def _draw_intervals(
    axes: Axes, x: Sequence[float], intervals: Sequence[Interval], label: str, color: str
) -> None:
    means = [interval.mean for interval in intervals]
    bars = error_bars(intervals)
    axes.errorbar(x, means, bars, fmt="o-", color=color, label=label, capsize=3)


def _draw_onsets(
    axes: Axes, x: Sequence[float], runs: Sequence[Run], axis: Axis, color: str
) -> None:
    """A dot for each seed that learned; a line through the medians, where half of them did.

    A median needs no number for the seeds that did not learn: they come after all others.
    """
    medians = []
    for place, run in zip(x, runs, strict=True):
        found = [getattr(onset, axis) for onset in run.onsets.values() if onset.learned]
        axes.plot([place] * len(found), found, "o", color=color, alpha=0.35, markersize=4)
        late = [np.inf] * (len(run.onsets) - len(found))
        medians.append(np.median(found + late))
    reached = np.isfinite(medians)
    axes.plot(np.array(x)[reached], np.array(medians)[reached], "s-", color=color)
