"""A picture of the unrolled graph: cells, losses, and how far each error flows back."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from experiments.config.schema import Config
from experiments.reporting.learning_curves import FLOOR
from experiments.reporting.style import COLORS, new_figure
from rnn_graphs.truncation.credit import definition

MOST = 12  # steps; of a wider graph the last ones are drawn
CELL, CONTEXT = "#DCEBF7", "#F0F0F0"
LANE = 0.33  # height of an error


def picture(config: Config) -> Figure:
    """The last steps of one update. Cells are in a row; below, an arrow a loss: its error."""
    num_steps, context = config.graph.num_steps, config.truncation.context_steps
    length = num_steps + context
    first = max(0, length - MOST)
    figure = new_figure(2.2 + LANE * min(MOST, num_steps))
    axes = figure.subplots()
    for step in range(first, length):
        _draw_cell(axes, step, context, is_first=step == first)
    _draw_errors(axes, config, first)
    axes.set_xlim(first - 1.2, length - 0.2)
    axes.set_ylim(-LANE * min(MOST, num_steps) - 1.0, 1.5)
    axes.axis("off")
    shown = "" if first == 0 else f"; the last {MOST} of {length} steps"
    axes.set_title(f"{config.name}: one update{shown}", fontsize=11, loc="left")
    return figure


def _draw_cell(axes: Axes, step: int, context: int, is_first: bool) -> None:
    in_context = step < context
    box = FancyBboxPatch(
        (step - 0.3, -0.3), 0.6, 0.6, boxstyle="round,pad=0.04", facecolor=CONTEXT if in_context
        else CELL, edgecolor=FLOOR, linewidth=0.8,
    )  # fmt: skip
    axes.add_patch(box)
    text: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 9}
    name = step - context
    axes.text(step, 0, f"h[{name}]", **text)
    arrow = {"arrowstyle": "-|>", "color": FLOOR, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (step - 0.36, 0), (step - 0.66, 0), arrowprops=arrow)
    if is_first:
        start = "state" if step == 0 else "…"
        axes.text(step - 0.72, 0, start, ha="right", va="center", fontsize=9)
    if not in_context:
        axes.annotate("", (step, 1.0), (step, 0.36), arrowprops=arrow)
        axes.text(step, 1.2, f"L[{name}]", **text)
    else:
        axes.text(step, 1.2, "context", ha="center", fontsize=7, color=FLOOR)


def _draw_errors(axes: Axes, config: Config, first: int) -> None:
    """An arrow for each loss, from its step to the earliest one that its error reaches.

    An error that goes beyond the first step that is drawn leaves the picture on the left.
    """
    context, num_steps = config.truncation.context_steps, config.graph.num_steps
    credit = definition(config.truncation, num_steps)
    beyond = config.truncation.steps_before(num_steps) - context  # its columns before the graph
    random = config.truncation.style.random
    drawn = range(max(0, first - context), num_steps)
    for lane, t in enumerate(drawn):
        reached = np.flatnonzero(credit[t] > 0)
        low, height = int(reached.min()) - beyond, -0.65 - LANE * lane
        start = max(low, first - 0.6)
        axes.annotate(
            "", (start - 0.12, height), (t + context + 0.12, height),
            arrowprops={
                "arrowstyle": "-|>", "color": COLORS[1], "linewidth": 1.3, "shrinkA": 0,
                "shrinkB": 0, "linestyle": "--" if random else "-",
            },
        )  # fmt: skip
        axes.plot([t + context], [height], "o", color=COLORS[1], markersize=3)
        axes.text(
            first - 0.72, height, f"error of L[{t}]", ha="right", va="center", fontsize=7,
            color=COLORS[1],
        )  # fmt: skip
