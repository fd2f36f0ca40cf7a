"""Figures of a study: its YAML names one of these by `kind`.

Each takes the study's runs by name, the title and the arguments of the YAML; `labels`
chooses the runs. Importing this draws nothing and loads no matplotlib.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from experiments.reporting.plots import (
    AXIS_LABELS,
    COLORS,
    Series,
    draw_floors,
    error_bars,
    learning_curve_figure,
    new_figure,
    say_empty,
    style_axes,
    style_grid,
)
from experiments.runs.onset import Axis
from experiments.runs.run import Run
from experiments.statistics.intervals import Interval, share_interval
from experiments.studies.horizon_figure import horizon
from experiments.studies.influence_figures import influence_by_depth, losses_on_a_log_scale
from experiments.studies.validation_figures import validation_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Runs = Mapping[str, Run]


def curves(
    runs: Runs,
    title: str,
    labels: Mapping[str, str],
    axis: Axis = "updates",
    published: Mapping[int, float] | None = None,
    individual: bool = False,
) -> Figure:
    """Learning curves of some runs; `published` are single values to draw beside them."""
    chosen = [runs[name] for name in labels]
    series = [Series(labels[run.label], run.curves) for run in chosen]
    figure = learning_curve_figure(title, series, chosen[0].floors, axis)
    axes = figure.axes[0]
    if individual:
        for run in chosen:
            x, losses = run.curves.against(axis)
            axes.plot(x, losses.T, color="#333333", alpha=0.7, linewidth=0.6)
    if published:
        axes.plot(
            list(published), list(published.values()), "kx", label="published by r2rt", zorder=5
        )
        axes.legend(loc="upper right", framealpha=0.9, edgecolor="none")
    return figure


def final_losses(runs: Runs, title: str, labels: Mapping[str, str]) -> Figure:
    """Every seed's final loss as a dot, the mean with its 95 % interval beside them."""
    figure = new_figure()
    axes = figure.subplots()
    for place, name in enumerate(labels):
        losses, interval = list(runs[name].final_losses.values()), runs[name].final_loss
        _dots(axes, place, losses, interval, f"{interval.mean:.4f}")
    _name_places(axes, labels)
    low, high = axes.get_ylim()
    floors = runs[next(iter(labels))].floors
    draw_floors(axes, {name: value for name, value in floors.items() if value < high + 0.01})
    axes.set_ylim(min(low, *floors.values()) - 0.005, high + 0.005)
    style_axes(axes, title)
    return figure


def time_per_step(runs: Runs, title: str, labels: Mapping[str, str]) -> Figure:
    """Every seed's nanoseconds for a time step as a dot, the least beside them."""
    figure = new_figure()
    axes = figure.subplots()
    for place, name in enumerate(labels):
        values = [1e9 * pace for pace in runs[name].paces.values()]
        least = min(values)
        _dots(axes, place, values, Interval(least, None, None), f"{least:.0f}")
    _name_places(axes, labels)
    axes.set_title(title, fontsize=11, loc="left")
    axes.set_ylabel("nanoseconds per time step")
    axes.set_ylim(bottom=0)
    style_grid(axes)
    return figure


def by_depth(
    runs: Runs, title: str, labels: Mapping[str, str], lag: int, axis: Axis = "updates"
) -> Figure:
    """Against depth: the share of seeds that learned, and what they needed for it.

    Runs with the same label are one line; the lines stand a little beside each other.
    """
    figure = new_figure(6.5)
    above, below = figure.subplots(2, 1, sharex=True)
    lines = list(dict.fromkeys(labels.values()))
    for index, label in enumerate(lines):
        chosen = sorted(
            (runs[name] for name in labels if labels[name] == label),
            key=lambda run: run.effective_depth,
        )
        depths = [run.effective_depth + 0.5 * (index - (len(lines) - 1) / 2) for run in chosen]
        color = COLORS[index % len(COLORS)]
        shares = [share_interval(run.count_learned(lag), len(run.final_losses)) for run in chosen]
        _draw_intervals(above, depths, shares, label, color)
        _draw_onsets(below, depths, chosen, axis, color)
    for axes in (above, below):
        axes.axvline(lag + 1, color="#666666", linestyle=":", linewidth=1, zorder=0)
        style_grid(axes)
    above.set_title(title, fontsize=11, loc="left")
    above.set_ylabel(f"share of seeds that\nlearned lag {lag}")
    below.set_ylabel(f"{AXIS_LABELS[axis]}\nuntil learned")
    below.set_xlabel(f"depth (cell applications); dotted: lag + 1 = {lag + 1}")
    if any(onset.learned for name in labels for onset in runs[name].onsets.values()):
        below.set_ylim(bottom=0)
    else:
        say_empty(below, "no seed learned")
    figure.legend(loc="outside lower center", ncols=len(lines), frameon=False)
    return figure


FIGURES: dict[str, Callable[..., Figure]] = {
    "curves": curves,
    "final_losses": final_losses,
    "time_per_step": time_per_step,
    "by_depth": by_depth,
    "influence_by_depth": influence_by_depth,
    "losses_on_a_log_scale": losses_on_a_log_scale,
    "validation_table": validation_table,
    "horizon": horizon,
}


def _dots(axes: Axes, place: int, values: Sequence[float], interval: Interval, text: str) -> None:
    """One run: a dot for each seed, what they come to beside them."""
    color = COLORS[place % len(COLORS)]
    jitter = np.linspace(-0.12, 0.12, len(values))
    axes.plot(place + jitter, values, "o", color=color, alpha=0.45, markersize=4)
    beside = place + 0.25
    axes.errorbar(beside, interval.mean, error_bars([interval]), fmt="s", color=color, capsize=4)
    axes.annotate(text, (beside, interval.mean), (8, 0), textcoords="offset points",
                  va="center", fontsize=9, color=color)  # fmt: skip


def _name_places(axes: Axes, labels: Mapping[str, str]) -> None:
    axes.set_xticks(range(len(labels)), list(labels.values()))
    axes.set_xlim(-0.5, 1.07 * len(labels) - 0.65)  # beyond the last text


def _draw_intervals(
    axes: Axes, x: Sequence[float], intervals: Sequence[Interval], label: str, color: str
) -> None:
    means = [interval.mean for interval in intervals]
    bars = error_bars(intervals)
    axes.errorbar(x, means, bars, fmt="o-", color=color, label=label, capsize=3)


def _draw_onsets(
    axes: Axes, x: Sequence[float], runs: Sequence[Run], axis: Axis, color: str
) -> None:
    """A dot for each seed that learned; a line through the medians, where half of them did.

    A median needs no number for the seeds that did not learn: they come after all others.
    """
    medians = []
    for place, run in zip(x, runs, strict=True):
        found = [getattr(onset, axis) for onset in run.onsets.values() if onset.learned]
        axes.plot([place] * len(found), found, "o", color=color, alpha=0.35, markersize=4)
        late = [np.inf] * (len(run.onsets) - len(found))
        medians.append(np.median(found + late))
    reached = np.isfinite(medians)
    axes.plot(np.array(x)[reached], np.array(medians)[reached], "s-", color=color)
