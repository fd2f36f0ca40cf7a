"""Figures of influence balancing: what each style sees, and where training with it leads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from experiments.reporting.plots import (
    COLORS,
    Series,
    draw_curve,
    new_figure,
    style_axes,
    style_grid,
)
from experiments.runs.run import Run
from experiments.studies import influence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Runs = Mapping[str, Run]


def influence_by_depth(
    _runs: Runs, title: str, styles: Mapping[str, str], depths: Sequence[int]
) -> Figure:
    """A line for each style by algebra, dots where the production gradient was measured."""
    figure = new_figure()
    axes = figure.subplots()
    everywhere = range(1, max(depths) + 1)
    for index, (name, label) in enumerate(styles.items()):
        color = COLORS[index % len(COLORS)]
        measured = [influence.measure(influence.style(name, depth)) for depth in depths]
        axes.plot(everywhere, influence.exact(name, everywhere), color=color, label=label)
        axes.plot(depths, measured, "o", color=color, markersize=4.5)
    axes.axhline(0, color="#000000", linewidth=0.8)
    axes.axhline(1 / influence.OPTIMUM, color="#666666", linestyle="--", linewidth=1)
    axes.set_title(title, fontsize=11, loc="left")
    axes.set_xlabel("depth k")
    axes.set_ylabel("influence seen\n(above zero: the wrong sign)")
    axes.legend(loc="upper right", framealpha=0.9, edgecolor="none")
    style_grid(axes)
    return figure


def losses_on_a_log_scale(runs: Runs, title: str, labels: Mapping[str, str]) -> Figure:
    """Learning curves of losses that span many powers of ten."""
    figure = new_figure(5.5)
    axes = figure.subplots()
    for index, name in enumerate(labels):
        run = Series(labels[name], runs[name].curves)
        draw_curve(axes, run.curves, run.label, COLORS[index % len(COLORS)])
    axes.set_yscale("log")
    axes.set_ylim(bottom=1e-9)  # below this is rounding
    style_axes(axes, title)
    axes.set_ylabel("loss, ½ (s_1 − 1)²")
    axes.set_xlabel("updates")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure
