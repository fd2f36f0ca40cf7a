"""Learning curves as pictures."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.runs.curves import Curves
from experiments.runs.files import write_atomic
from experiments.statistics.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

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
CROWDED = 3  # curves; the legend of more would cover some of them
LONG = 32  # characters of a label; two longer ones have no room side by side


class Series(NamedTuple):
    """One run to draw."""

    label: str
    curves: Curves


def new_figure(height: float = 4.5) -> Figure:
    """An empty figure as wide as a report; inches."""
    _import_matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=(9, height), layout="constrained")


def say_empty(axes: Axes, why: str) -> None:
    """Words in the place of numbers, on an axis that would make some up."""
    axes.set_yticks([])
    axes.text(0.5, 0.5, why, ha="center", transform=axes.transAxes)


def learning_curve_figure(
    title: str, series: Sequence[Series], floors: Mapping[str, float], axis: str = "updates"
) -> Figure:
    """Mean over seeds as a line, the range over seeds as a band, the floors as dashes.

    `axis` is the Curves field on the x axis: updates, time_steps or seconds.
    """
    crowded = len(series) > CROWDED
    figure = new_figure(5.5 if crowded else 4.5)
    axes = figure.subplots()
    for index, (label, curve) in enumerate(series):
        draw_curve(axes, curve, label, COLORS[index % len(COLORS)], axis, 0.1 if crowded else 0.18)
    draw_floors(axes, floors)
    style_axes(axes, title)
    axes.set_xlabel(AXIS_LABELS[axis])
    if crowded:
        wide = max(len(label) for label, _ in series) > LONG
        size = "x-small" if wide else "medium"
        columns = 1 if wide else 2
        figure.legend(loc="outside lower center", ncols=columns, fontsize=size, frameon=False)
    elif series:
        axes.legend(loc="best", framealpha=0.9, edgecolor="none")
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
    style_grid(axes)


def style_grid(axes: Axes) -> None:
    """What all plots share."""
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def draw_curve(
    axes: Axes, curve: Curves, label: str, color: str, axis: str = "updates", alpha: float = 0.18
) -> None:
    """One run: mean line and min-to-max band of this opacity."""
    x, losses = curve.against(axis)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(Mean of empty slice|All-NaN)", RuntimeWarning)
        mean = np.nanmean(losses, axis=0)
        low, high = np.nanmin(losses, axis=0), np.nanmax(losses, axis=0)
    count = len(curve.seeds)
    note = f" (mean and range of {count} seeds)" if count > 1 else ""
    marker = "o" if len(x) < 3 else None
    axes.plot(x, mean, color=color, label=label + note, linewidth=1.8, marker=marker)
    if count > 1:
        axes.fill_between(x, low, high, color=color, alpha=alpha, linewidth=0)


def error_bars(intervals: Sequence[Interval]) -> NDArray[np.float64]:
    """How far each interval reaches below and above its mean, [2, intervals], for `errorbar`.

    nan, for which matplotlib draws no bar, where there is no interval.
    """
    ends = np.array([(each.low, each.high) for each in intervals], np.float64)  # None: nan
    means = np.array([each.mean for each in intervals])
    return np.asarray(np.abs(ends.T - means))


def draw_floors(axes: Axes, floors: Mapping[str, float]) -> None:
    """Entropy floors as dashed lines, named beyond the right edge, where no curve is."""
    for name, value in floors.items():
        axes.axhline(value, color=FLOOR, linestyle="--", linewidth=0.9, zorder=1)
        axes.annotate(
            f"{value:.4f}\n{_floor_label(name)}", (1, value), (5, 0),
            xycoords=("axes fraction", "data"), textcoords="offset points", fontsize=7.5,
            color=FLOOR, va="center",
        )  # fmt: skip


def _floor_label(name: str) -> str:
    """A task's name of a floor, as words: those of lags say what is known."""
    if name == "none":
        return "nothing known"
    return f"{name} known" if name.startswith("lag") else name


def _import_matplotlib() -> ModuleType:
    """matplotlib, which takes half a second that checking a study can do without."""
    is_new = "matplotlib" not in sys.modules
    backend = os.environ.pop("MPLBACKEND", None)
    import matplotlib

    if backend is not None:
        os.environ["MPLBACKEND"] = backend
        if is_new:  # as matplotlib does, which cannot be imported where it is not installed
            with contextlib.suppress(ValueError):
                matplotlib.rcParams["backend"] = backend
    return matplotlib


@contextlib.contextmanager
def own_style() -> Iterator[None]:
    """Draw within the block as this program does, whatever a user's matplotlibrc says."""
    matplotlib = _import_matplotlib()
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        yield


def save_figure(figure: Figure, path: Path) -> None:
    """Write a PNG, whole or not at all."""
    write_atomic(path, render(figure))


def render(figure: Figure) -> bytes:
    """The figure as a PNG. Text is shown as it is written: none of it is TeX."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    buffer = io.BytesIO()
    with own_style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)  # a box is drawn
        for text in _texts(figure):
            text.set_usetex(False)
            text.set_parse_math(False)
        FigureCanvasAgg(figure)  # whatever the environment names as a backend
        figure.savefig(buffer, format="png", dpi=130)
    return buffer.getvalue()


def _texts(figure: Figure) -> Iterator[Text]:
    """Every text but the numbers on the axes, whose powers of ten are mathtext of matplotlib."""
    from matplotlib.text import Text
    from matplotlib.ticker import FixedFormatter

    computed = {
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        if not isinstance(axis.get_major_formatter(), FixedFormatter)
        for label in axis.get_ticklabels(which="both")
    }
    yield from (text for text in figure.findobj(Text) if text not in computed)
