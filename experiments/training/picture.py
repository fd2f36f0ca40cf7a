"""learning_curve.png: the losses of a run against its updates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from data.task import VALIDATION
from experiments.config.schema import Config
from experiments.runs.curves import curves
from experiments.runs.directory import RunDirectory
from experiments.runs.files import write_atomic
from experiments.runs.floor_noise import floor_variances, noise_bands
from experiments.runs.metrics import MetricsRow, read_metrics

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def learning_curves(
    config: Config, rows: Sequence[MetricsRow], floors: Mapping[str, float]
) -> Figure:
    """Training and validation losses, with the floors and the noise of a row at each."""
    from experiments.reporting.learning_curves import Series, learning_curve_figure

    found = {config.name: curves(rows), f"{config.name}, validation": curves(rows, VALIDATION)}
    series = [Series(label, curve) for label, curve in found.items() if curve.seeds]
    symbols = rows[0].time_steps if rows else 0
    bands = noise_bands(floors, floor_variances(config), symbols)
    return learning_curve_figure(config.description or config.name, series, floors, bands=bands)


def save_learning_curves(
    config: Config, directory: RunDirectory, floors: Mapping[str, float], log: Callable[[str], None]
) -> None:
    """Draw them into the run directory; a line of the log says so where that is not possible."""
    from experiments.reporting.pictures import own_style, render

    rows = read_metrics(directory.metrics)
    try:
        with own_style():
            png = render(learning_curves(config, rows, floors))
    except Exception as error:  # a library's, of fonts or of its settings: the run is good
        log(f"{directory.curve}: cannot be drawn: {type(error).__name__}: {error}")
    else:
        write_atomic(directory.curve, png)
