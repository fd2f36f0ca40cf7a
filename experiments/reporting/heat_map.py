"""Heat maps over two keys: a coloured cell for each number, with the number in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

DARK = 0.45  # luminance; text on darker cells is white
INSIDE = 0.46  # from the middle of a cell to its frame, in cells
ROOM = 16  # columns whose numbers fit side by side


class Scale(NamedTuple):
    """The mapping from numbers to colours."""

    colors: str  # a matplotlib colormap
    low: float
    high: float


def draw_heat_map(
    axes: Axes,
    values: NDArray[np.float64],
    rows: Sequence[Any],
    columns: Sequence[Any],
    texts: Sequence[Sequence[str]],
    scale: Scale,
) -> AxesImage:
    """Draw `values`, [rows, columns], with the first row at the bottom; nan is an empty cell."""
    image = axes.imshow(
        values, scale.colors, vmin=scale.low, vmax=scale.high, origin="lower", aspect="auto"
    )
    axes.set_facecolor("#f3f3f3")
    axes.set_xticks(range(len(columns)), [str(value) for value in columns])
    axes.set_yticks(range(len(rows)), [str(value) for value in rows])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    size = min(8.0, 8.0 * ROOM / len(columns))
    colors = np.asarray(image.cmap(image.norm(values)))[..., :3]
    dark = colors @ np.array([0.2126, 0.7152, 0.0722]) < DARK
    for (row, column), value in np.ndenumerate(values):
        color = "white" if dark[row, column] and value == value else "#222222"
        axes.text(
            column, row, texts[row][column], ha="center", va="center", fontsize=size, color=color
        )
    return image


def draw_border(axes: Axes, inside: NDArray[np.float64], color: str, style: str = "-") -> None:
    """Draw the border between cells that are inside (1) and neighbours that are outside (0).

    There is no border beside nan.
    """
    segments = [
        ([column + 0.5, column + 0.5], [row - 0.5, row + 0.5])
        for row, column in np.argwhere(np.abs(np.diff(inside, axis=1)) == 1)
    ] + [
        ([column - 0.5, column + 0.5], [row + 0.5, row + 0.5])
        for row, column in np.argwhere(np.abs(np.diff(inside, axis=0)) == 1)
    ]
    for x, y in segments:
        axes.plot(x, y, style, color=color, linewidth=2, solid_capstyle="round")


def draw_frame(axes: Axes, row: int, column: int, color: str, style: str = "-") -> None:
    """Draw a frame just inside one cell, so that frames of neighbours do not overlap."""
    from matplotlib.patches import Rectangle

    corner, size = (column - INSIDE, row - INSIDE), 2 * INSIDE
    axes.add_patch(
        Rectangle(corner, size, size, fill=False, edgecolor=color, linewidth=2.2, linestyle=style)
    )
