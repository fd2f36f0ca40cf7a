"""How the cost and the result of training grow with num_steps, the width of the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from experiments.reporting.plots import COLORS, draw_floors, error_bars, new_figure, style_grid
from experiments.runs.run import Run
from experiments.studies.building import added_memory
from experiments.studies.entries import StudyFigure
from experiments.studies.runs import RunName, StudyRuns

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MIB = 2**20


class ByWidth(StudyFigure):
    """Against num_steps: seconds for a time step, added memory, and the final loss.

    Runs with the same label are one line. Seconds are the least of the seeds; losses are means over
    seeds with their intervals.
    """

    labels: dict[RunName, str] = Field(min_length=1)

    def draw(self, title: str, runs: StudyRuns) -> Figure:
        figure = new_figure(8.5)
        panels = figure.subplots(3, 1, sharex=True)
        lines = list(dict.fromkeys(self.labels.values()))
        for index, label in enumerate(lines):
            chosen = [runs[name] for name in self.labels if self.labels[name] == label]
            chosen.sort(key=lambda run: run.config.graph.num_steps)
            _draw_line(panels, chosen, label, COLORS[index % len(COLORS)])
        for axes in panels:
            axes.set_xscale("log")
            style_grid(axes)
        time, memory, loss = panels
        time.set_title(title, fontsize=11, loc="left")
        time.set_yscale("log")
        time.set_ylabel("nanoseconds\nper time step")
        memory.set_yscale("log")
        memory.set_ylabel("memory added\nby training (MiB)")
        draw_floors(loss, runs[next(iter(self.labels))].floors)
        loss.set_ylabel("final loss\n(nats per time step)")
        loss.set_xlabel("num_steps")
        figure.legend(
            *time.get_legend_handles_labels(), loc="outside lower center", ncols=len(lines),
            frameon=False,
        )  # fmt: skip
        return figure


def _draw_line(panels: Sequence[Axes], runs: Sequence[Run], label: str, color: str) -> None:
    """One line in each panel, through runs in the order of their width."""
    time, memory, loss = panels
    widths = [run.config.graph.num_steps for run in runs]
    paces = [1e9 * min(run.paces.values()) for run in runs]
    time.plot(widths, paces, "o-", color=color, label=label)
    memory.plot(widths, [added_memory(run) / MIB for run in runs], "o-", color=color)
    finals = [run.final_loss for run in runs]
    means = [final.mean for final in finals]
    loss.errorbar(widths, means, error_bars(finals), fmt="o-", color=color, capsize=3)
