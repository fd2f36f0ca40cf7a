"""Figures of influence balancing: the influence by depth, and losses over many powers of ten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from experiments.reporting.learning_curves import Series, draw_curve
from experiments.reporting.style import COLORS, draw_title, new_figure, pen, style_axes, style_grid
from experiments.studies.entries import StudyFigure
from experiments.studies.runs import RunName, StudyRuns
from experiments.studies.subjects.influence_balancing.influence import (
    OPTIMUM,
    StyleName,
    exact_influence,
    measured_influence,
    style_and_window,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class InfluenceByDepth(StudyFigure):
    """A line for each style by algebra, dots where the production gradient was measured."""

    styles: dict[StyleName, str] = Field(min_length=1)
    depths: tuple[int, ...] = Field(min_length=1)

    def draw(self, title: str, _runs: StudyRuns) -> Figure:
        figure = new_figure()
        axes = figure.subplots()
        everywhere = range(1, max(self.depths) + 1)
        for index, (name, label) in enumerate(self.styles.items()):
            color = COLORS[index % len(COLORS)]
            measured = [measured_influence(*style_and_window(name, depth)) for depth in self.depths]
            axes.plot(everywhere, exact_influence(name, everywhere), color=color, label=label)
            axes.plot(self.depths, measured, "o", color=color, markersize=4.5)
        axes.axhline(0, color="#000000", linewidth=0.8)
        axes.axhline(1 / OPTIMUM, color="#666666", linestyle="--", linewidth=1)
        draw_title(axes, title)
        axes.set_xlabel("depth k")
        axes.set_ylabel("influence seen\n(above zero: the wrong sign)")
        axes.legend(loc="upper right", framealpha=0.9, edgecolor="none")
        style_grid(axes)
        return figure


class LossesOnALogScale(StudyFigure):
    """Learning curves of losses that span many powers of ten."""

    labels: dict[RunName, str] = Field(min_length=1)

    def draw(self, title: str, runs: StudyRuns) -> Figure:
        figure = new_figure(5.5)
        axes = figure.subplots()
        for index, (name, label) in enumerate(self.labels.items()):
            run = Series(label, runs[name].curves)
            draw_curve(axes, run.curves, run.label, pen(index))
        axes.set_yscale("log")
        axes.set_ylim(bottom=1e-9)  # below this is rounding
        style_axes(axes, title)
        axes.set_ylabel("loss, ½ (s_1 − 1)²")
        axes.set_xlabel("updates")
        figure.legend(loc="outside lower center", ncols=3, frameon=False)
        return figure
