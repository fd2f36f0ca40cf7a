"""Learning curves as pictures."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.curves import Curves
from experiments.files import atomic_path

COLORS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
)  # Okabe & Ito
FLOOR = "#666666"


class Series(NamedTuple):
    """One run to draw."""

    label: str
    curves: Curves


def learning_curve_figure(
    title: str, series: Sequence[Series], floors: Mapping[str, float], axis: str = "updates"
) -> Figure:
    """Mean over seeds as a line, the range over seeds as a band, the floors as dashes.

    `axis` is the Curves field on the x axis: updates, time_steps or seconds.
    """
    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes = figure.subplots()
    for index, (label, curve) in enumerate(series):
        draw_curve(axes, curve, label, COLORS[index % len(COLORS)], axis)
    draw_floors(axes, floors)
    style_axes(axes, title)
    axes.set_xlabel(AXIS_LABELS[axis])
    if series:
        axes.legend(loc="upper right", framealpha=0.9, edgecolor="none")
    return figure


AXIS_LABELS = {
    "updates": "updates",
    "time_steps": "time steps (symbols)",
    "seconds": "seconds of training",
}


def style_axes(axes: Axes, title: str) -> None:
    """What all plots of losses share."""
    axes.set_title(title, fontsize=11, loc="left")
    axes.set_ylabel("loss (nats per time step)")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def draw_curve(axes: Axes, curve: Curves, label: str, color: str, axis: str = "updates") -> None:
    """One run: mean line and min-to-max band."""
    x = getattr(curve, axis)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(Mean of empty slice|All-NaN)", RuntimeWarning)
        mean = np.nanmean(curve.losses, axis=0)
        low, high = np.nanmin(curve.losses, axis=0), np.nanmax(curve.losses, axis=0)
    count = len(curve.seeds)
    note = f" (mean and range of {count} seeds)" if count > 1 else ""
    marker = "o" if len(x) < 3 else None
    axes.plot(x, mean, color=color, label=label + note, linewidth=1.8, marker=marker)
    if count > 1:
        axes.fill_between(x, low, high, color=color, alpha=0.18, linewidth=0)


def draw_floors(axes: Axes, floors: Mapping[str, float]) -> None:
    """Entropy floors as dashed lines, named beyond the right edge, where no curve is."""
    for name, value in floors.items():
        axes.axhline(value, color=FLOOR, linestyle="--", linewidth=0.9, zorder=1)
        known = "nothing known" if name == "none" else f"{name} known"
        axes.annotate(
            f"{value:.4f}\n{known}", (1, value), (5, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", fontsize=7.5, color=FLOOR, va="center",
        )  # fmt: skip


def save_figure(figure: Figure, path: Path) -> None:
    """Write a PNG, whole or not at all."""
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=130)
