"""How the cost and the result of training grow with num_steps, the width of the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from experiments.reporting.claims import NotRun
from experiments.reporting.learning_curves import FLOOR, draw_floors
from experiments.reporting.style import COLORS, draw_title, error_bars, new_figure, style_grid
from experiments.runs.run import Run
from experiments.studies.entries import StudyFigure
from experiments.studies.runs import RunName, StudyRuns
from experiments.studies.subjects.building import added_memory
from experiments.studies.subjects.time_per_step import step_seconds_of

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
        lines = _lines(self.labels, runs)
        for index, (label, line) in enumerate(lines.items()):
            _draw_line(panels, line, label, COLORS[index % len(COLORS)])
        for axes in panels:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter("{x:,.0f}")
            axes.xaxis.set_minor_formatter("")
            style_grid(axes)
        time, memory, loss = panels
        draw_title(time, title)
        for axes in (time, memory):
            _make_logarithmic(axes)
        time.set_ylabel("nanoseconds\nper time step")
        memory.set_ylabel("memory added\nby training (MiB)")
        draw_floors(loss, runs[next(iter(self.labels))].floors)
        loss.set_ylabel("final loss\n(nats per time step)")
        loss.set_xlabel("num_steps")
        figure.legend(
            *time.get_legend_handles_labels(), loc="outside lower center", ncols=len(lines),
            frameon=False,
        )  # fmt: skip
        return figure


class RelativeLossByWidth(StudyFigure):
    """Against num_steps: the final loss of every seed, relative to the largest reference loss.

    Runs with the same label are one line, through the means of their seeds.
    """

    labels: dict[RunName, str] = Field(min_length=1)

    def draw(self, title: str, runs: StudyRuns) -> Figure:
        from matplotlib.ticker import NullLocator

        figure = new_figure()
        axes = figure.subplots()
        lines = _lines(self.labels, runs)
        for index, (label, line) in enumerate(lines.items()):
            color = COLORS[index % len(COLORS)]
            shares = [relative_losses(run) for run in line]
            steps = [run.config.graph.num_steps for run in line]
            means = [sum(each) / len(each) for each in shares]
            axes.plot(steps, means, "s-", color=color, label=label)
            for width, each in zip(steps, shares, strict=True):
                axes.scatter([width] * len(each), each, s=14, color=color, alpha=0.45)
        axes.axhline(0.5, color=FLOOR, linestyle="--", linewidth=0.9, zorder=1)
        axes.set_xscale("log")
        axes.set_xticks(
            sorted({run.config.graph.num_steps for line in lines.values() for run in line})
        )
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_ylim(bottom=0)
        draw_title(axes, title)
        axes.set_xlabel("num_steps")
        axes.set_ylabel("final loss / reference loss")
        axes.legend(framealpha=0.9, edgecolor="none")
        style_grid(axes)
        return figure


def relative_losses(run: Run) -> list[float]:
    """Each seed's final loss, divided by the largest reference loss of the task."""
    if not run.floors:
        raise NotRun(f"run {run.label}: its task has no reference loss")
    return [loss / max(run.floors.values()) for loss in run.final_losses.values()]


def _lines(labels: Mapping[RunName, str], runs: StudyRuns) -> dict[str, list[Run]]:
    """The runs of each label, in the order of their width."""
    found: dict[str, list[Run]] = {}
    for name, label in labels.items():
        found.setdefault(label, []).append(runs[name])
    return {
        label: sorted(line, key=lambda run: run.config.graph.num_steps)
        for label, line in found.items()
    }


def _make_logarithmic(axes: Axes) -> None:
    """A logarithmic y axis whose ticks are plain numbers: 600, not 6×10²."""
    from matplotlib.ticker import LogFormatter

    class Plain(LogFormatter):
        """Labels the ticks that LogFormatter would."""

        def __call__(self, x: float, pos: int | None = None) -> str:
            return f"{x:,.0f}" if super().__call__(x, pos) else ""

    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(Plain())
    axes.yaxis.set_minor_formatter(Plain(minor_thresholds=(2, 0.5)))


def _draw_line(panels: Sequence[Axes], runs: Sequence[Run], label: str, color: str) -> None:
    """One line in each panel, through runs in the order of their width."""
    time, memory, loss = panels
    widths = [run.config.graph.num_steps for run in runs]
    nanoseconds = [1e9 * min(step_seconds_of(run)) for run in runs]
    time.plot(widths, nanoseconds, "o-", color=color, label=label)
    memory.plot(widths, [added_memory(run) / MIB for run in runs], "o-", color=color)
    finals = [run.final_loss for run in runs]
    means = [final.mean for final in finals]
    loss.errorbar(widths, means, error_bars(finals), fmt="o-", color=color, capsize=3)
