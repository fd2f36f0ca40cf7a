"""A dot for each seed of a run, runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from experiments.reporting.style import COLORS, error_bars
from experiments.statistics.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_seeds(
    axes: Axes, position: int, values: Sequence[float], interval: Interval, text: str
) -> None:
    """One run: a dot for each seed, what they come to beside them."""
    color = COLORS[position % len(COLORS)]
    jitter = np.linspace(-0.12, 0.12, len(values))
    axes.plot(position + jitter, values, "o", color=color, alpha=0.45, markersize=4)
    beside = position + 0.25
    axes.errorbar(beside, interval.mean, error_bars([interval]), fmt="s", color=color, capsize=4)
    axes.annotate(text, (beside, interval.mean), (8, 0), textcoords="offset points",
                  va="center", fontsize=9, color=color)  # fmt: skip


def label_positions(axes: Axes, labels: Sequence[str]) -> None:
    """Name the runs below, and leave room for the text beside the last."""
    axes.set_xticks(range(len(labels)), labels)
    axes.set_xlim(-0.5, 1.07 * len(labels) - 0.65)
