"""The horizon as a picture: lag against reach, a panel for each cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from experiments.reporting.heat_map import Scale, draw_border, draw_heat_map
from experiments.reporting.plots import new_figure
from experiments.runs.run import Run
from experiments.studies.horizon import HALF, Place, learned_by_place

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HALVES, REACHES = "#D55E00", "#222222"


def horizon(runs: Mapping[str, Run], title: str, names: Sequence[str], reach: str) -> Figure:
    """The share of seeds that learned, by lag and by what `reach` names: num_steps or depth."""
    learned = learned_by_place(runs[name] for name in names)
    cells, lags, reaches = (sorted(set(values)) for values in zip(*learned, strict=True))
    figure = new_figure(1.6 + 0.42 * len(lags))
    panels = figure.subplots(1, len(cells), sharey=True, squeeze=False)[0]
    for axes, cell in zip(panels, cells, strict=True):
        found = [[learned.get(Place(cell, lag, to)) for to in reaches] for lag in lags]
        shares = np.array([[one.share if one else np.nan for one in row] for row in found])
        texts = [[f"{one.learned}/{one.seeds}" if one else "" for one in row] for row in found]
        draw_heat_map(axes, shares, lags, reaches, texts, Scale("Blues", 0, 1))
        reached = np.subtract.outer(lags, reaches) < 0
        draw_border(axes, np.where(np.isnan(shares), np.nan, shares >= HALF), HALVES)
        draw_border(axes, reached.astype(float), REACHES, ":")
        axes.set_title(cell, fontsize=10)
        axes.set_xlabel(reach)
    panels[0].set_ylabel("lag")
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    return figure
