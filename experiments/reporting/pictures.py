"""Figures as PNG files, which look the same whatever a user's matplotlib is set to."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from experiments.console import plain
from experiments.interrupts import was_interrupted
from experiments.reporting.floor_labels import spread_floor_labels
from experiments.reporting.glyphs import show_all_characters
from experiments.runs.files import write_atomic

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.text import Text


def import_matplotlib() -> ModuleType:
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
    matplotlib = import_matplotlib()
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
        if was_interrupted():
            raise
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
