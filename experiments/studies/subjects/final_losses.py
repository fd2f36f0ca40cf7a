"""A figure of the final losses of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from experiments.reporting.dots import draw_seeds, label_positions
from experiments.reporting.learning_curves import draw_floors
from experiments.reporting.style import new_figure, style_axes
from experiments.studies.entries import StudyFigure
from experiments.studies.runs import RunName, StudyRuns

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class FinalLosses(StudyFigure):
    """Every seed's final loss as a dot, the mean with its 95 % interval beside them."""

    labels: dict[RunName, str] = Field(min_length=1)

    def draw(self, title: str, runs: StudyRuns) -> Figure:
        figure = new_figure()
        axes = figure.subplots()
        for position, name in enumerate(self.labels):
            losses, interval = list(runs[name].final_losses.values()), runs[name].final_loss
            draw_seeds(axes, position, losses, interval, f"{interval.mean:.4f}")
        label_positions(axes, list(self.labels.values()))
        low, high = axes.get_ylim()
        floors = runs[next(iter(self.labels))].floors
        draw_floors(axes, {name: value for name, value in floors.items() if value < high + 0.01})
        axes.set_ylim(min([low, *floors.values()]) - 0.005, high + 0.005)
        style_axes(axes, title)
        return figure
