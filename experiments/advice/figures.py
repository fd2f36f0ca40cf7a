"""The figures of an advice: error signal, memory, and bias against cost."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from experiments.advice.answer import Advice
from experiments.advice.choice import Candidate, frontier
from experiments.advice.memory import UNUSED
from experiments.advice.reading import Reading
from experiments.reporting.learning_curves import FLOOR
from experiments.reporting.style import COLORS, new_figure, style_grid

SMALLEST = 1e-5  # of the largest error signal, that is drawn
FARTHEST = 3  # that is drawn: times the unbiased cost of the advised or own setting, the larger one


def error_signal_figure(advice: Advice) -> Figure:
    """A line for each moment, the mean over windows; the start is darkest."""
    figure = new_figure()
    axes = figure.subplots()
    readings = advice.pilot.readings
    shades = matplotlib.colormaps["viridis"](np.linspace(0, 0.9, len(readings)))
    for reading, color in zip(readings, shades, strict=True):
        mean = reading.mean_signal
        shown = np.where(mean > 0, mean, np.nan)  # the axis is logarithmic
        axes.plot(shown, color=color, label=f"update {reading.updates:,}", linewidth=1.8)
    axes.set_yscale("log")
    largest = max(float(np.nanmax(reading.mean_signal)) for reading in readings)
    axes.set_ylim(largest * SMALLEST, largest * 3)
    shown_lags = max(_lags_above(reading, largest * SMALLEST) for reading in readings)
    axes.set_xlim(-0.5, shown_lags + 1)
    axes.set_xlabel("lag k (steps)")
    axes.set_ylabel("error signal ‖∂L_t/∂h_(t−k)‖")
    advised = advice.choice.advised
    if advised and not advised.setting.truncation.carries:
        depth = advised.setting.effective_depth
        axes.axvline(depth - 1, color=FLOOR, linestyle="--", linewidth=0.9)
        axes.annotate(f"advised: {depth} steps", (depth - 1, axes.get_ylim()[1]), (4, -10),
                      textcoords="offset points", fontsize=8, color=FLOOR)  # fmt: skip
    axes.legend(framealpha=0.9, edgecolor="none", fontsize=9)
    style_grid(axes)
    return figure


def _lags_above(reading: Reading, size: float) -> int:
    return int(np.flatnonzero(reading.mean_signal > size).max(initial=0))


def memory_figure(advice: Advice) -> Figure:
    """The excess loss of the trained pilot by the number of true inputs."""
    memory = advice.analysis.memory
    assert memory is not None
    figure = new_figure(3.5)
    axes = figure.subplots()
    known = np.arange(1, len(memory.excess) + 1)
    axes.plot(known, memory.excess, "o-", color=COLORS[0], markersize=3)
    axes.axhline(UNUSED * memory.excess[0], color=FLOOR, linestyle="--", linewidth=0.9)
    axes.set_xscale("log", base=2)
    axes.set_xlabel("inputs read from a stranger's state")
    axes.set_ylabel("excess loss (nats per time step)")
    style_grid(axes)
    return figure


def cost_figure(advice: Advice) -> Figure:
    """Each setting by the time of its updates and its bias; a line joins the frontier.

    Filled: timed. Hollow: estimated.
    """
    figure = new_figure()
    axes = figure.subplots()
    named = [each for each in (advice.own, advice.choice.advised) if each]
    farthest = FARTHEST * max(each.unbiased_cost for each in named)
    drawn = [
        each
        for each in advice.analysis.candidates
        if each.is_known
        and each.unbiased_cost <= farthest
        and not each.setting.truncation.style.random
    ]
    kinds = list(dict.fromkeys(each.setting.truncation.kind for each in drawn))
    for kind, color in zip(kinds, COLORS, strict=False):
        here = [each for each in drawn if each.setting.truncation.kind == kind]
        timed = [each for each in here if each.seconds]
        axes.plot(*_places(advice, here), "o", color=color, markerfacecolor="white", markersize=4)
        axes.plot(*_places(advice, timed), "o", color=color, label=kind)
    best = frontier(drawn)
    axes.plot(*_places(advice, best), color=FLOOR, linewidth=1, zorder=1, label="frontier")
    for each, across, up in zip(drawn, *_places(advice, drawn), strict=True):
        mark = " (advised)" if each == advice.choice.advised else ""
        mark += " (yours)" if each == advice.own else ""
        if mark or each.seconds:
            axes.annotate(f"{each.setting.num_steps}{mark}", (across, up), (5, 3),
                          textcoords="offset points", fontsize=8)  # fmt: skip
    axes.axhline(advice.tolerance, color=FLOOR, linestyle="--", linewidth=0.9)
    axes.set_ylim(0, 1.02)
    axes.set_xlim(0, 1.25 * farthest / advice.own.unbiased_cost)
    axes.set_xlabel("√(time of an update × time of a symbol), relative to yours")
    axes.set_ylabel("relative bias")
    axes.legend(framealpha=0.9, edgecolor="none", fontsize=9)
    style_grid(axes)
    return figure


def _places(advice: Advice, candidates: Sequence[Candidate]) -> tuple[list[float], list[float]]:
    costs = [each.unbiased_cost / advice.own.unbiased_cost for each in candidates]
    return costs, [each.bias.mean for each in candidates]
