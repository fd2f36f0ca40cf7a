"""The figures of a comparison: curves in panels, and a heat map over two keys."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from experiments.comparison.groups import Group, named, sort_key
from experiments.config.flat import shown_value
from experiments.reporting.heat_map import Scale, draw_frame, draw_heat_map
from experiments.reporting.plots import (
    AXIS_LABELS,
    COLORS,
    FLOOR,
    Series,
    draw_curve,
    learning_curve_figure,
    new_figure,
    style_grid,
)
from experiments.runs.onset import Axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = len(COLORS)  # curves in a panel
LINE = 36  # characters beside a panel
BEST = "#D55E00"


def curves_figure(
    groups: Sequence[Group], floors: Mapping[str, float], axis: Axis, title: str
) -> Figure:
    """The groups' learning curves: in one panel, or in several where there are many groups.

    The axis is limited to the losses of complete groups, so that a diverging run may leave it.
    """
    panels = arrange(groups)
    if len(panels) == 1:
        series = [Series(group.label, group.curves) for group in groups]
        figure = learning_curve_figure(title, series, floors, axis)
        _limit(figure.axes[0], groups)
        return figure
    figure = new_figure(0.6 + 2.3 * len(panels))
    column = figure.subplots(len(panels), 1, sharex=True, sharey=True)
    for axes, (name, members) in zip(column, panels.items(), strict=True):
        _draw_panel(axes, name, members, floors, axis)
    _limit(column[0], groups)
    column[-1].set_xlabel(AXIS_LABELS[axis])
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    figure.supylabel("loss (nats per time step)", fontsize=10)
    return figure


def arrange(groups: Sequence[Group]) -> Mapping[str, Sequence[Group]]:
    """Panels of a few groups, by title. The groups of a panel share values of one or more keys.

    As few keys as possible are used. If none will do, panels hold consecutive groups.
    """
    if len(groups) <= MOST:
        return {"": groups}
    keys = list(groups[0].values)
    for count in range(1, len(keys)):
        found = [_by_values(groups, chosen) for chosen in itertools.combinations(keys, count)]
        fitting = [panels for panels in found if max(map(len, panels.values())) <= MOST]
        if fitting and len(best := min(fitting, key=len)) <= len(groups) / 2:
            return best
    starts = range(0, len(groups), MOST)
    return {f"panel {start // MOST + 1}": groups[start : start + MOST] for start in starts}


def loss_heat_map(groups: Sequence[Group], title: str) -> Figure:
    """The mean final loss over the two keys that the groups differ in; the lowest is framed.

    A cell without a run is empty; a cell without a final loss shows the status.
    """
    down, across = sorted(groups[0].values, key=lambda key: len(_distinct(groups, key)))
    rows, columns = _distinct(groups, down), _distinct(groups, across)
    values = np.full((len(rows), len(columns)), np.nan)
    texts = [["" for _ in columns] for _ in rows]
    for group in groups:
        row = rows.index(shown_value(group.values[down]))
        column = columns.index(shown_value(group.values[across]))
        losses = list(group.final_losses.values())
        values[row, column] = np.mean(losses) if losses else np.nan
        texts[row][column] = _text(group, values[row, column])
    figure = new_figure(1.6 + 0.42 * len(rows))
    axes = figure.subplots()
    scale = Scale("viridis_r", float(np.nanmin(values)), float(np.nanmax(values)))
    shown = draw_heat_map(axes, values, rows, columns, texts, scale)
    row, column = np.argwhere(values == np.nanmin(values))[0]
    draw_frame(axes, row, column, BEST)
    figure.colorbar(shown, ax=axes, label="final loss\n(nats per time step)")
    axes.set_title(title, fontsize=11, loc="left")
    axes.set_xlabel(across)
    axes.set_ylabel(down)
    return figure


def _distinct(groups: Sequence[Group], key: str) -> list[str]:
    """The sorted values of a key."""
    values = sorted((group.values[key] for group in groups), key=sort_key)
    return list(dict.fromkeys(map(shown_value, values)))


def _text(group: Group, loss: float) -> str:
    if loss != loss:
        return group.status
    seeds = "" if group.is_complete else f"\n{len(group.final_losses)} of {group.planned}"
    return f"{loss:.4f}{seeds}"


def _by_values(groups: Sequence[Group], keys: Sequence[str]) -> dict[str, list[Group]]:
    panels: dict[str, list[Group]] = {}
    for group in groups:
        panels.setdefault(named({key: group.values[key] for key in keys}), []).append(group)
    return panels


def _draw_panel(
    axes: Axes, title: str, groups: Sequence[Group], floors: Mapping[str, float], axis: Axis
) -> None:
    """A few groups, with a legend of the keys that differ within the panel."""
    differing = [key for key in groups[0].values if len(_distinct(groups, key)) > 1]
    keys = differing or list(groups[0].values)  # one curve alone needs a name too
    for group, color in zip(groups, COLORS, strict=False):
        label = textwrap.fill(named({key: group.values[key] for key in keys}), LINE)
        draw_curve(axes, group.curves, label, color, axis, 0.1)
    for value in floors.values():
        axes.axhline(value, color=FLOOR, linestyle="--", linewidth=0.9, zorder=1)
    axes.set_title(title, fontsize=9, loc="left")
    axes.tick_params(labelsize=8)
    style_grid(axes)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8, frameon=False)


def greatest_loss(groups: Sequence[Group]) -> float | None:
    """The greatest loss of the complete groups; None where none is complete."""
    losses = [group.curves.losses for group in groups if group.is_complete]
    return max((float(np.nanmax(each)) for each in losses), default=None)


def _limit(axes: Axes, groups: Sequence[Group]) -> None:
    """Limit the axis to the losses of complete groups, which a diverging one would flatten."""
    top = greatest_loss(groups)
    if top is not None and top < axes.get_ylim()[1]:
        axes.set_ylim(top=top + 0.05 * (top - axes.get_ylim()[0]))
