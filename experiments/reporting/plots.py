"""Learning curves as pictures."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from experiments.console import plain
from experiments.reporting.floor_labels import MARK, spread_floor_labels
from experiments.reporting.glyphs import show_all_characters
from experiments.runs.curves import Curves
from experiments.runs.files import write_atomic
from experiments.statistics.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
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
DASHES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (8, 2, 2, 2)))
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
TITLE = 10.5  # of a line of the title, for each inch of the picture


class Pen(NamedTuple):
    """The look of a line."""

    color: str
    dashes: Any  # a line style of matplotlib


def pen(index: int) -> Pen:
    """The look of the line of this number: dashed when the colors start again."""
    again, place = divmod(index, len(COLORS))
    return Pen(COLORS[place], DASHES[again % len(DASHES)])


class Series(NamedTuple):
    """One run to draw."""

    label: str
    curves: Curves


def new_figure(height: float = 4.5) -> Figure:
    """An empty figure as wide as a report; inches."""
    _import_matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=(9, height), layout="constrained")


def show_empty(axes: Axes, why: str) -> None:
    """Show a message on axes without data, and hide the ticks, which would be arbitrary."""
    axes.set_yticks([])
    axes.text(0.5, 0.5, why, ha="center", transform=axes.transAxes)


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


def draw_title(axes: Axes, title: str) -> None:
    """Draw the title of a figure, at its left, in lines that fit its width."""
    figure = cast("Figure", axes.figure)
    axes.set_title(_in_lines(title, figure), fontsize=11, loc="left")


def draw_title_of_panels(figure: Figure, title: str) -> None:
    """Draw the title of a figure that has several panels."""
    figure.suptitle(_in_lines(title, figure), fontsize=11, x=0.01, ha="left")


def _in_lines(title: str, figure: Figure) -> str:
    return textwrap.fill(title, int(TITLE * figure.get_figwidth()))


def style_axes(axes: Axes, title: str) -> None:
    """Apply the style that all plots of losses share."""
    draw_title(axes, title)
    axes.set_ylabel("loss (nats per time step)")
    style_grid(axes)


def style_grid(axes: Axes) -> None:
    """Apply the style that all plots share."""
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


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


def error_bars(intervals: Sequence[Interval]) -> NDArray[np.float64]:
    """Each interval's distances below and above its mean, [2, intervals], for `errorbar`.

    Without an interval they are nan, and matplotlib draws no bar.
    """
    ends = np.array([(each.low, each.high) for each in intervals], np.float64)  # None: nan
    means = np.array([each.mean for each in intervals])
    return np.asarray(np.abs(ends.T - means))


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


def save_picture(draw: Callable[[], Figure], path: Path) -> bool:
    """Draw a figure and write it as a PNG; False, with a line of warning, if it cannot be drawn.

    What it shows is good without it. Raises OSError if the file cannot be written.
    """
    try:
        with own_style():
            png = render(draw())
    except Exception as error:  # a library's, of fonts or of its settings
        path.unlink(missing_ok=True)  # of an earlier command
        reason = f"{path}: cannot be drawn: {type(error).__name__}: {error}"
        print(plain(f"warning: {reason}"), file=sys.stderr)
        return False
    write_atomic(path, png)
    return True


def save_figure(figure: Figure, path: Path) -> None:
    """Write a PNG, whole or not at all."""
    write_atomic(path, render(figure))


def render(figure: Figure) -> bytes:
    """The figure as a PNG. Text is shown as it is written: none of it is TeX."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    buffer = io.BytesIO()
    with own_style():
        named = _named_axes(figure)
        texts = _texts(figure, named)
        for text in texts:
            text.set_usetex(False)
            text.set_parse_math(False)
        show_all_characters(texts, named)
        spread_floor_labels(figure)
        figure.set_dpi(130)
        # Whatever the environment names as a backend; savefig would draw twice.
        FigureCanvasAgg(figure).print_png(buffer)  # type: ignore[no-untyped-call]
    return buffer.getvalue()


def _named_axes(figure: Figure) -> list[Axis]:
    """The axes whose labels are given, such as the values of a key, and not numbers of a scale."""
    from matplotlib.ticker import FixedFormatter, FuncFormatter

    axes = [axis for each in figure.axes for axis in (each.xaxis, each.yaxis)]
    given = (FixedFormatter, FuncFormatter)
    return [axis for axis in axes if isinstance(axis.get_major_formatter(), given)]


def _texts(figure: Figure, named: Sequence[Axis]) -> list[Text]:
    """Every text but the numbers of scales, whose powers of ten are mathtext of matplotlib."""
    from matplotlib.text import Text

    computed = {
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        if axis not in named
        for label in axis.get_ticklabels(which="both")
    }
    return [text for text in figure.findobj(Text) if text not in computed]
