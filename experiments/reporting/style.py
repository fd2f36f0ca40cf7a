"""The look that all pictures share: size, colours, titles, grids, error bars."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.pictures import import_matplotlib
from experiments.statistics.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
)  # Okabe & Ito
DASHES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (8, 2, 2, 2)))
TITLE = 10.5  # of a line of the title, for each inch of the picture


class Pen(NamedTuple):
    """The look of a line."""

    color: str
    dashes: Any  # a line style of matplotlib


def pen(index: int) -> Pen:
    """The look of the line of this number: dashed when the colors start again."""
    again, place = divmod(index, len(COLORS))
    return Pen(COLORS[place], DASHES[again % len(DASHES)])


def new_figure(height: float = 4.5) -> Figure:
    """An empty figure as wide as a report; inches."""
    import_matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=(9, height), layout="constrained")


def show_empty(axes: Axes, why: str) -> None:
    """Show a message on axes without data, and hide the ticks, which would be arbitrary."""
    axes.set_yticks([])
    axes.text(0.5, 0.5, why, ha="center", transform=axes.transAxes)


def draw_title(axes: Axes, title: str) -> None:
    """Draw the title of a figure, at its left, in lines that fit its width."""
    figure = cast("Figure", axes.figure)
    axes.set_title(_in_lines(title, figure), fontsize=11, loc="left")


def draw_title_of_panels(figure: Figure, title: str) -> None:
    """Draw the title of a figure that has several panels."""
    figure.suptitle(_in_lines(title, figure), fontsize=11, x=0.01, ha="left")


def _in_lines(title: str, figure: Figure) -> str:
    return textwrap.fill(title, int(TITLE * figure.get_figwidth()))


def style_axes(axes: Axes, title: str) -> None:
    """Apply the style that all plots of losses share."""
    draw_title(axes, title)
    axes.set_ylabel("loss (nats per time step)")
    style_grid(axes)


def style_grid(axes: Axes) -> None:
    """Apply the style that all plots share."""
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def error_bars(intervals: Sequence[Interval]) -> NDArray[np.float64]:
    """Each interval's distances below and above its mean, [2, intervals], for `errorbar`.

    Without an interval they are nan, and matplotlib draws no bar.
    """
    ends = np.array([(each.low, each.high) for each in intervals], np.float64)  # None: nan
    means = np.array([each.mean for each in intervals])
    return np.asarray(np.abs(ends.T - means))


def bars_of_seeds(
    title: str, labels: Sequence[str], values: Sequence[Sequence[float]], y_label: str
) -> Figure:
    """A dot for each seed and a bar for their mean; values: [label][seed]."""
    figure = new_figure()
    axes = figure.subplots()
    for place, found in enumerate(values):
        color = COLORS[place % len(COLORS)]
        axes.bar(place, float(np.mean(found)), color=color, alpha=0.3)
        axes.plot([place] * len(found), found, "o", color=color, markersize=4, alpha=0.7)
    axes.set_xticks(range(len(labels)), labels)
    draw_title(axes, title)
    axes.set_ylabel(y_label)
    style_grid(axes)
    return figure
