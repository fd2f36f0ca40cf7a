"""The picture of states and gates along a sequence: a heat map for each, units by time steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.reporting.style import draw_title_of_panels
from experiments.reporting.tables import write_csv

Layers = Sequence[Mapping[str, NDArray[np.float64]]]  # by layer and name, [time, units]
GATE = "gate"  # in the name of a value between 0 and 1
MOST_LABELS = 60
MOST_NUMBERS = 40  # of a panel that has them written in it
LONG_LABEL = 3  # characters


def state_figure(title: str, symbols: Sequence[str], layers: Layers) -> Figure:
    """A column for each layer. States are blue below 0 and red above, gates white to dark."""
    rows = max(len(values) for values in layers)
    width = max(6.0, min(16.0, 0.17 * len(symbols) + 2)) * min(2, len(layers))
    units = max(value.shape[1] for values in layers for value in values.values())
    height = rows * (0.75 + min(1.2, 0.1 * units)) + 1
    picture = Figure(figsize=(width, height), layout="constrained")
    grid = picture.subplots(rows, len(layers), squeeze=False, sharex=True)
    for column, values in enumerate(layers):
        for axes in grid[len(values) :, column]:
            axes.set_visible(False)
        for axes, (name, value) in zip(grid[:, column], values.items(), strict=False):
            is_gate = GATE in name
            bound = 1.0 if is_gate else max(1.0, float(abs(value).max()))
            image = axes.imshow(
                value.T, "Greys" if is_gate else "RdBu_r", vmin=0 if is_gate else -bound,
                vmax=bound, aspect="auto", interpolation="nearest",
            )  # fmt: skip
            axes.set_ylabel("unit", fontsize=8)
            axes.set_title(_panel_title(name, column, len(layers)), fontsize=9, loc="left")
            _label_units(axes, value.shape[1])
            _write_numbers(axes, value, bound)
            picture.colorbar(image, ax=axes, pad=0.01)
        last = grid[len(values) - 1, column]
        if len(symbols) <= MOST_LABELS:
            last.set_xticks(range(len(symbols)), symbols)
        turn = 30 if max(map(len, symbols)) > LONG_LABEL else 0
        last.tick_params(axis="x", labelsize=8, labelbottom=True, labelrotation=turn)
        last.set_xlabel("input of each time step", fontsize=9)
    draw_title_of_panels(picture, title)
    return picture


def write_state_csv(path: Path, symbols: Sequence[str], layers: Layers) -> None:
    """A line for each step, layer, value and unit."""
    columns = ("step", "symbol", "layer", "name", "unit", "value")
    rows = (
        (step, symbols[step], layer, name, unit, f"{number:.6g}")
        for layer, values in enumerate(layers)
        for name, value in values.items()
        for (step, unit), number in np.ndenumerate(value)
    )
    write_csv(path, columns, rows)


def _label_units(axes: Axes, units: int) -> None:
    step = max(1, units // 4)
    axes.set_yticks(range(0, units, step))
    axes.tick_params(axis="y", labelsize=8)


def _write_numbers(axes: Axes, value: NDArray[np.float64], bound: float) -> None:
    """The number in each cell, in white where the cell is dark, if there are few."""
    if value.size > MOST_NUMBERS:
        return
    for (step, unit), number in np.ndenumerate(value):
        color = "white" if abs(number) > 0.6 * bound else "#222222"
        text = f"{round(number, 3) + 0:.2g}"
        axes.text(step, unit, text, ha="center", va="center", fontsize=8, color=color)


def _panel_title(name: str, layer: int, layers: int) -> str:
    return name if layers == 1 else f"layer {layer}: {name}"
