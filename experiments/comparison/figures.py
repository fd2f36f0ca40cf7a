"""The figures of a comparison: curves in panels, a heat map over two keys, times to a target."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from experiments.comparison.groups import Group, labels_of, named, sort_key
from experiments.comparison.table import Comparison, Line
from experiments.config.flat import shown_value
from experiments.reporting.heat_map import Scale, draw_frame, draw_heat_map
from experiments.reporting.learning_curves import (
    AXIS_LABELS,
    Series,
    draw_curve,
    draw_floors,
    learning_curve_figure,
)
from experiments.reporting.style import (
    COLORS,
    draw_title,
    draw_title_of_panels,
    error_bars,
    new_figure,
    pen,
    style_grid,
)
from experiments.runs.curves import Curves
from experiments.runs.onset import AXES, Axis
from experiments.statistics.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = len(COLORS)  # curves in a panel
LINE = 36  # characters a line of text beside a panel
BEST = "#D55E00"


class Curve(NamedTuple):
    """The kind of curve to draw for each group, and its x axis."""

    axis: Axis
    of: Callable[[Group], Curves]
    floors: Mapping[str, float]
    bands: Mapping[str, Interval]  # sampling noise around floors


def curves_figure(groups: Sequence[Group], curve: Curve, title: str) -> Figure:
    """The groups' learning curves, in several panels if there are many groups.

    The y axis is limited to the losses of complete groups; a diverging run may leave it.
    """
    panels = arrange(groups)
    if len(panels) == 1:
        labels = labels_of(groups)
        series = [Series(label, curve.of(g)) for label, g in zip(labels, groups, strict=True)]
        figure = learning_curve_figure(title, series, curve.floors, curve.axis, curve.bands)
        _limit(figure.axes[0], groups, curve)
        return figure
    figure = new_figure(0.6 + 2.3 * len(panels))
    column = figure.subplots(len(panels), 1, sharex=True, sharey=True)
    for axes, (name, members) in zip(column, panels.items(), strict=True):
        _draw_panel(axes, name, members, curve)
    _limit(column[0], groups, curve)
    column[-1].set_xlabel(AXIS_LABELS[curve.axis])
    draw_title_of_panels(figure, title)
    figure.supylabel("loss (nats per time step)", fontsize=10)
    return figure


def arrange(groups: Sequence[Group]) -> Mapping[str, Sequence[Group]]:
    """Panels of a few groups, by title. The groups of a panel share the values of some keys.

    Uses as few keys as possible. If no keys work, panels hold consecutive groups.
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


def heat_map(compared: Comparison, title: str) -> Figure:
    """A heat map of the ranked means over the two keys that differ.

    The best group of each task has a frame, and groups indistinguishable from it have a dashed
    one. A cell without a run is empty; a cell without a number shows the status.
    """
    groups = compared.groups
    down, across = sorted(compared.keys, key=lambda key: len(_distinct(groups, key)))
    rows, columns = _distinct(groups, down), _distinct(groups, across)
    values = np.full((len(rows), len(columns)), np.nan)
    texts = [["" for _ in columns] for _ in rows]
    framed = []
    for line in compared.lines:
        row = rows.index(shown_value(line.group.values[down]))
        column = columns.index(shown_value(line.group.values[across]))
        values[row, column] = line.mean.mean if line.mean else np.nan
        texts[row][column] = _text(line)
        if line.is_at_the_top:
            framed.append((row, column, "-" if line.standing == "best" else "--"))
    figure = new_figure(1.6 + 0.42 * len(rows))
    axes = figure.subplots()
    colors = "viridis" if compared.ranking.higher_is_better else "viridis_r"
    scale = Scale(colors, float(np.nanmin(values)), float(np.nanmax(values)))
    image = draw_heat_map(axes, values, rows, columns, texts, scale)
    for row, column, style in framed:
        draw_frame(axes, row, column, BEST, style)
    figure.colorbar(image, ax=axes, label=compared.ranking.title)
    draw_title(axes, title)
    axes.set_xlabel(across)
    axes.set_ylabel(down)
    return figure


def target_figure(compared: Comparison, title: str) -> Figure:
    """Updates, time steps and seconds to the target, one row for each group that reached it."""
    names = dict(zip(compared.groups, labels_of(compared.groups), strict=True))
    shown = [group for group in names if _has_reached(compared, group)]
    labels = [textwrap.fill(names[group], LINE) for group in shown]
    figure = new_figure(1.2 + 0.38 * len(shown))
    panels = figure.subplots(1, len(AXES), sharey=True)
    places = np.arange(len(shown))[::-1]
    for axes, axis in zip(panels, AXES, strict=True):
        means = [compared.reached[group.label].means[axis] for group in shown]
        axes.errorbar(
            [mean.mean for mean in means], places, xerr=error_bars(means), fmt="o", capsize=3,
            color=COLORS[0],
        )  # fmt: skip
        axes.set_xlabel(AXIS_LABELS[axis], fontsize=9)
        axes.set_xlim(left=0)
        axes.tick_params(labelsize=8)
        axes.ticklabel_format(axis="x", style="sci", scilimits=(-3, 5))
        style_grid(axes)
    panels[0].set_yticks(places, labels)
    panels[0].set_ylim(-0.7, len(shown) - 0.3)
    draw_title_of_panels(figure, title)
    return figure


def _has_reached(compared: Comparison, group: Group) -> bool:
    reached = compared.reached.get(group.label)
    return reached is not None and reached.seeds > 0


def _distinct(groups: Sequence[Group], key: str) -> list[str]:
    """The sorted values of a key."""
    values = sorted((group.values[key] for group in groups), key=sort_key)
    return list(dict.fromkeys(map(shown_value, values)))


def _text(line: Line) -> str:
    group = line.group
    if line.mean is None:
        return group.status
    seeds = "" if group.is_complete else f"\n{len(group.finals)} of {group.planned}"
    return f"{line.mean.mean:.4f}{seeds}"


def _by_values(groups: Sequence[Group], keys: Sequence[str]) -> dict[str, list[Group]]:
    panels: dict[str, list[Group]] = {}
    for group in groups:
        panels.setdefault(named({key: group.values[key] for key in keys}), []).append(group)
    return panels


def _draw_panel(axes: Axes, title: str, groups: Sequence[Group], curve: Curve) -> None:
    """Draw a few groups, with a legend of the keys that differ within the panel."""
    labels = [textwrap.fill(label, LINE) for label in labels_of(groups)]
    for index, (group, label) in enumerate(zip(groups, labels, strict=True)):
        draw_curve(axes, curve.of(group), label, pen(index), curve.axis, 0.1)
    draw_floors(axes, curve.floors, curve.bands)
    axes.set_title(title, fontsize=9, loc="left")
    axes.tick_params(labelsize=8)
    style_grid(axes)
    beside = 1.15 if curve.floors else 1  # the names of the floors come first
    axes.legend(loc="center left", bbox_to_anchor=(beside, 0.5), fontsize=8, frameon=False)


def greatest_loss(groups: Sequence[Group], curve: Curve) -> float | None:
    """The greatest loss of the complete groups, or a floor above it; None if none is complete.

    Every floor is in the picture, because its label is at its height.
    """
    losses = [curve.of(group).losses for group in groups if group.is_complete]
    greatest = [float(np.nanmax(each)) for each in losses if each.size]
    return max([*greatest, *curve.floors.values()]) if greatest else None


def _limit(axes: Axes, groups: Sequence[Group], curve: Curve) -> None:
    """Limit the y axis to complete groups and floors; a diverging one would flatten them."""
    top = greatest_loss(groups, curve)
    if top is not None and top < axes.get_ylim()[1]:
        axes.set_ylim(top=top + 0.05 * (top - axes.get_ylim()[0]))
