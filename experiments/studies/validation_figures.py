"""Figures of validation losses: a published table against what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from experiments.reporting.plots import COLORS, new_figure, style_axes
from experiments.runs.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Runs = Mapping[str, Run]
BESIDE = 0.22  # between the columns of a row


def validation_table(
    runs: Runs,
    title: str,
    rows: Mapping[str, Sequence[str]],
    columns: Sequence[str],
    minima: Mapping[str, float],
) -> Figure:
    """A table's rows side by side, a color for each column; `rows` has the run of each cell.

    Crosses are the published `minima`, dots each seed's least validation loss. A run that is
    not there has its cross alone.
    """
    figure = new_figure()
    axes = figure.subplots()
    for column, label in enumerate(columns):
        names = [cells[column] for cells in rows.values()]
        places = [row + BESIDE * (column - (len(columns) - 1) / 2) for row in range(len(names))]
        color = COLORS[column]
        axes.plot(places, [minima[name] for name in names], "x", color=color, label=label)
        for place, name in zip(places, names, strict=True):
            found = runs[name].least_validation_losses if name in runs else []
            axes.plot([place] * len(found), found, "o", color=color, alpha=0.6)
    axes.set_xticks(range(len(rows)), list(rows))
    style_axes(axes, title)
    figure.legend(loc="outside lower center", ncols=len(columns), frameon=False)
    return figure
