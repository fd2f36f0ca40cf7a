"""Learning curves as pictures."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.floor_labels import MARK
from experiments.reporting.style import Pen, new_figure, pen, style_axes
from experiments.runs.curves import Curves
from experiments.statistics.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FLOOR = "#666666"
CROWDED = 3  # curves; a legend of more would cover some of them
NO_BANDS: Mapping[str, Interval] = MappingProxyType({})
BANDS_IN_WORDS = (
    "Grey bands: 95 % of the rows of a model at the floor{of}; a loss below a floor but within its "
    "band is sampling noise."
)
STRETCHES = 4_000  # of a line that is thinned; several a pixel, so that the picture stays the same
LONG = 32  # characters of a label; two longer labels do not fit side by side
INSIDE = 60  # of a label within the axes
BELOW = 110  # of a line of the legend below them
LINE_INCHES = 0.16  # of such a line


class Series(NamedTuple):
    """One run to draw."""

    label: str
    curves: Curves


def learning_curve_figure(
    title: str,
    series: Sequence[Series],
    floors: Mapping[str, float],
    axis: str = "updates",
    bands: Mapping[str, Interval] = NO_BANDS,
) -> Figure:
    """Means over seeds as lines, ranges over seeds as bands, floors as dashed lines.

    Explain this in the caption; the legend shows only the number of seeds. `axis` is the field of
    Curves on the x axis: updates, time_steps or seconds. `bands` holds the sampling noise around
    each floor, by name.
    """
    longest = max((len(label) for label, _ in series), default=0)
    crowded = len(series) > CROWDED or longest > INSIDE
    lines = sum(-(-len(label) // BELOW) for label, _ in series)
    figure = new_figure(4.5 + max(1, lines * LINE_INCHES) if crowded else 4.5)
    axes = figure.subplots()
    for index, (label, curve) in enumerate(series):
        draw_curve(
            axes, curve, textwrap.fill(label, BELOW), pen(index), axis, 0.1 if crowded else 0.18
        )
    draw_floors(axes, floors, bands)
    style_axes(axes, title)
    axes.set_xlabel(AXIS_LABELS[axis])
    if crowded:
        size = "x-small" if longest > LONG else "medium"
        columns = 1 if longest > LONG else 2
        figure.legend(loc="outside lower center", ncols=columns, fontsize=size, frameon=False)
    elif series:
        axes.legend(loc="best", framealpha=0.9, edgecolor="none")
    return figure


AXIS_LABELS = {
    "updates": "updates",
    "time_steps": "time steps (symbols)",
    "seconds": "seconds of training, one seed",
}


def draw_curve(
    axes: Axes, curve: Curves, label: str, look: Pen, axis: str = "updates", alpha: float = 0.18
) -> None:
    """Draw one run: the mean line and the min-to-max band where all seeds have losses.

    `alpha` is the opacity of the band. Where some seeds have ended, the others are thin lines,
    because the mean would jump.
    """
    (color, dashes), (x, losses) = look, thinned(*curve.against(axis))
    count = len(curve.seeds)
    shared = np.logical_not(np.isnan(losses).any(axis=0))
    note = f" ({count} seeds)" if count > 1 else ""
    marker = "o" if len(x) < 3 else None
    mean = losses[:, shared].mean(axis=0) if count else []
    axes.plot(
        x[shared], mean, color=color, linestyle=dashes, label=label + note, linewidth=1.8,
        marker=marker,
    )  # fmt: skip
    if count < 2:
        return
    band = losses[:, shared]
    axes.fill_between(
        x[shared], band.min(axis=0), band.max(axis=0), color=color, alpha=alpha, linewidth=0
    )
    beyond = ~shared | _beside(shared)
    if not shared.all():
        axes.plot(x, np.where(beyond, losses, np.nan).T, color=color, linewidth=0.7, alpha=0.7)


def thinned(
    x: NDArray[Any], losses: NDArray[np.float64]
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """The points that a picture shows of x, [points], and losses, [seeds, points].

    A long line is cut into stretches that are narrower than a pixel. Each keeps its ends, and the
    least and the greatest loss of each seed and of the mean.
    """
    if len(x) <= 8 * STRETCHES:
        return x, losses
    stretch = np.floor((x - x[0]) * (STRETCHES / (x[-1] - x[0])))
    first = np.flatnonzero(np.diff(stretch, prepend=-1))
    sizes = np.diff(first, append=len(x))
    kept = [first, first + sizes - 1]
    for line in (*losses, losses.mean(axis=0)):
        for extreme in (np.fmin, np.fmax):
            found = np.repeat(extreme.reduceat(line, first), sizes)
            kept.append(np.flatnonzero(line == found))
    points = np.unique(np.concatenate(kept))
    return x[points], losses[:, points]


def _beside(shared: Any) -> NDArray[np.bool_]:
    """The points next to one that some seeds lack, where the thin lines begin."""
    missing = np.pad(~shared, 1)
    return np.asarray(missing[:-2] | missing[2:])


def draw_floors(
    axes: Axes, floors: Mapping[str, float], bands: Mapping[str, Interval] = NO_BANDS
) -> None:
    """Draw floors as dashed lines, with their names beyond the right edge, clear of the curves.

    `bands` holds the sampling noise of a mean loss by the floor's name, drawn as grey bands, whose
    half width is beside the floor's value.
    """
    for _, low, high in bands.values():
        axes.axhspan(low, high, color=FLOOR, alpha=0.15, linewidth=0, zorder=0.5)  # type: ignore[arg-type]
    for name, value in floors.items():
        axes.axhline(value, color=FLOOR, linestyle="--", linewidth=0.9, zorder=1)
        axes.annotate(
            f"{_with_noise(value, bands.get(name))}\n{floor_label(name)}", (1, value), (5, 0),
            xycoords=("axes fraction", "data"), textcoords="offset points", fontsize=7.5,
            color=FLOOR, va="center", gid=MARK,
        )  # fmt: skip


def _with_noise(value: float, band: Interval | None) -> str:
    if band is None or band.high is None:
        return f"{value:.4f}"
    return f"{value:.4f} ± {band.high - value:.4f}"


def floor_label(name: str) -> str:
    """The label of a floor. Names of lags are completed by "known"."""
    if name == "none":
        return "nothing known"
    return f"{name} known" if name.startswith("lag") else name
