"""The figure of measured gradients: the error signal by lag, and each style against full."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from experiments.gradients.measurement import GradientEstimate, Measured, mean_error_signal
from experiments.reporting.learning_curves import FLOOR
from experiments.reporting.style import COLORS, show_empty

ROUNDING = 1e-12  # smaller errors are rounding, and are left out of the logarithmic axis
MARGIN = 1.15  # factor on the depths to the left and to the right
APART = 1.25  # least factor between two labelled depths
BESIDE = 1.025  # factor on the depth between the bars of two families


def figure(title: str, measured: Measured) -> Figure:
    """Three panels: the error signal at every moment, and the styles at the first and last."""
    picture = Figure(figsize=(15, 5), layout="constrained")
    signal, error, cosine = picture.subplots(1, 3)
    draw_error_signal(signal, measured)
    shown = np.where(measured.relative_error < ROUNDING, np.nan, measured.relative_error)
    if np.isnan(shown).all():
        show_empty(error, "every error is 0")
    else:
        error.set_yscale("log")
    draw_estimates(error, shown, measured)
    draw_estimates(cosine, measured.cosine, measured)
    signal.set_title(f"{title}: error signal ‖∂L_t/∂h_(t−k)‖", fontsize=11, loc="left")
    error.set_title("relative error ‖ĝ − g‖ / ‖g‖ against full", fontsize=11, loc="left")
    cosine.set_title("cosine of ĝ and g", fontsize=11, loc="left")
    picture.legend(
        handles=_keys(measured), loc="outside lower right", ncols=4, frameon=False, fontsize=9
    )
    return picture


def draw_error_signal(axes: Axes, measured: Measured) -> None:
    """Draw a line for each moment, the mean over seeds and windows; the start is darkest."""
    means = mean_error_signal(measured)
    shades = matplotlib.colormaps["viridis"](np.linspace(0, 0.9, len(means)))
    for mean, updates, color in zip(means, measured.updates, shades, strict=True):
        axes.plot(mean, "o-", color=color, markersize=3.5, label=f"update {updates}")
    axes.set_yscale("log")
    axes.set_xlabel("lag k (steps)")
    margin = 0.02 * len(means[0]) + 0.2
    axes.set_xlim(-margin, len(means[0]) - 1 + margin)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    _style(axes)
    axes.legend(framealpha=0.9, edgecolor="none", fontsize=9)


def draw_estimates(axes: Axes, values: NDArray[np.float64], measured: Measured) -> None:
    """Draw means over seeds and windows by depth: dotted at the first moment, solid at the last.

    Bars show the range at the last moment, shifted so that they do not overlap. Values are
    [seeds, moments, windows, estimates].
    """
    by_family = itertools.groupby(enumerate(measured.estimates), lambda item: _family(item[1]))
    num_steps = measured.error_signal.shape[-1]
    for place, (_, members) in enumerate(by_family):
        indices, estimates = zip(*members, strict=True)
        depths = np.array([_depth(each, num_steps) for each in estimates]) * BESIDE ** (place - 2)
        first, last = values[:, 0][..., indices], values[:, -1][..., indices]
        color = COLORS[place % len(COLORS)]
        if len(measured.updates) > 1:
            axes.plot(depths, first.mean((0, 1)), "o:", color=color, markersize=3, linewidth=1.2)
        axes.plot(depths, last.mean((0, 1)), "o-", color=color, markersize=4, linewidth=1.8)
        axes.vlines(depths, last.min((0, 1)), last.max((0, 1)), color=color, alpha=0.5, linewidth=1)
    axes.set_xscale("log", base=2)
    ticks = _apart(sorted({round(_depth(each, num_steps)) for each in measured.estimates}))
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlim(ticks[0] / MARGIN, ticks[-1] * MARGIN)
    axes.set_xlabel("; ".join(["depth (steps)", *_other_meanings(measured)]))
    _style(axes)


def _apart(depths: Sequence[int]) -> list[int]:
    """Depths whose labels do not touch on a logarithmic axis, the last one included."""
    kept: list[int] = []
    for depth in reversed(depths):
        if not kept or kept[-1] >= APART * depth:
            kept.append(depth)
    return kept[::-1]


def _keys(measured: Measured) -> list[Line2D]:
    """The entries of the legend."""
    families = [name for name, _ in itertools.groupby(measured.estimates, _family)]
    keys = [
        Line2D([], [], color=color, marker="o", markersize=4, label=family)
        for family, color in zip(families, itertools.cycle(COLORS), strict=False)
    ]
    first, last = measured.updates[0], measured.updates[-1]
    if first < last:
        keys.append(Line2D([], [], color=FLOOR, linestyle=":", label=f"update {first}"))
    return [*keys, Line2D([], [], color=FLOOR, linestyle="-", label=f"update {last}")]


def _family(estimate: GradientEstimate) -> str:
    """The name of the estimates that one line joins."""
    truncation = estimate.truncation
    relation = f" ({truncation.style.compared_as})" if truncation.style.compared_as else ""
    draws = f", mean of {estimate.draws} draws" if estimate.draws > 1 else ""
    return f"{truncation.kind}{relation}{draws}"


def _depth(estimate: GradientEstimate, num_steps: int) -> float:
    """The estimate's place on the depth axis."""
    return estimate.truncation.style.axis_depth(estimate.truncation, num_steps)


def _other_meanings(measured: Measured) -> list[str]:
    """The meaning of the axis for each style that is not placed by its depth."""
    styles = {one.truncation.kind: one.truncation.style for one in measured.estimates}
    return [f"{kind}: {style.axis_meaning}" for kind, style in styles.items() if style.axis_meaning]


def _style(axes: Axes) -> None:
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
