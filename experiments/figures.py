"""Figures of a study: its YAML names one of these by `kind`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.figure import Figure

from experiments.finished import FinishedRun
from experiments.plots import COLORS, Series, draw_floors, learning_curve_figure, style_axes

Runs = Mapping[str, FinishedRun]


def curves(
    runs: Runs,
    title: str,
    labels: Mapping[str, str],
    axis: str = "updates",
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
            axes.plot(getattr(run.curves, axis), run.curves.losses.T, color="#333333", alpha=0.7,
                      linewidth=0.6)  # fmt: skip
    if published:
        axes.plot(
            list(published), list(published.values()), "kx", label="published by r2rt", zorder=5
        )
        axes.legend(loc="upper right", framealpha=0.9, edgecolor="none")
    return figure


def final_losses(runs: Runs, title: str, labels: Mapping[str, str]) -> Figure:
    """Every seed's final loss as a dot, the mean with its 95 % interval beside them."""
    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes = figure.subplots()
    for place, name in enumerate(labels):
        run, color = runs[name], COLORS[place % len(COLORS)]
        losses = list(run.final_losses.values())
        jitter = np.linspace(-0.12, 0.12, len(losses))
        axes.plot(place + jitter, losses, "o", color=color, alpha=0.45, markersize=4)
        mean, low, high = run.final_loss
        axes.errorbar(
            place + 0.25, mean, [[mean - low], [high - mean]], fmt="s", color=color, capsize=4
        )
        axes.annotate(f"{mean:.4f}", (place + 0.25, mean), (8, 0), textcoords="offset points",
                      va="center", fontsize=9, color=color)  # fmt: skip
    axes.set_xticks(range(len(labels)), list(labels.values()))
    axes.set_xlim(-0.5, len(labels) - 0.3)
    low, high = axes.get_ylim()
    floors = runs[next(iter(labels))].floors
    draw_floors(axes, {name: value for name, value in floors.items() if value < high + 0.01})
    axes.set_ylim(min(low, *floors.values()) - 0.005, high + 0.005)
    style_axes(axes, title)
    return figure


FIGURES: dict[str, Callable[..., Figure]] = {"curves": curves, "final_losses": final_losses}
