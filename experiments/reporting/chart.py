"""The data of an interactive chart of curves, as JSON inside a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.learning_curves import AXIS_LABELS, NO_BANDS, Series, floor_label
from experiments.runs.curves import Curves
from experiments.runs.onset import AXES, Axis
from experiments.statistics.intervals import Interval

DIGITS = 6  # significant digits, more than a screen shows
POINTS = 20_000  # over all lines of one axis; more would make a report slow to open
LEAST_POINTS = 200  # of each line, however many lines there are


class Points(NamedTuple):
    """A line along one axis, [points] each; None where there is no number.

    Mean and range exist only where all seeds have a loss; elsewhere the mean would jump.
    """

    x: list[float | None]
    mean: list[float | None]
    low: list[float | None]  # the least loss of a seed; empty if there is only one seed
    high: list[float | None]  # the greatest loss of a seed; empty if there is only one seed
    alone: list[list[float | None]]  # each seed's losses where a seed is missing; empty if none is


class ChartLine(NamedTuple):
    """The curve of one run or group."""

    label: str
    seeds: int
    points: Mapping[Axis, Points]


class Marks(NamedTuple):
    """Single values to show beside the lines, such as published numbers."""

    label: str
    axis: Axis
    values: Mapping[int, float]  # y by x


class Chart(NamedTuple):
    """A chart of lines to read, zoom and hide, whose axes the reader chooses."""

    lines: Sequence[ChartLine]
    floors: Mapping[str, float]
    axis: Axis  # the x axis at first
    top: float | None = None  # of the y axis until the reader zooms; None: the greatest value
    marks: Marks | None = None
    bands: Mapping[str, Interval] = NO_BANDS  # sampling noise around each floor, by its name

    def as_json(self) -> dict[str, Any]:
        """The content of the data block. It holds no nan, which JSON lacks."""
        return {
            "lines": [
                {
                    "label": line.label,
                    "seeds": line.seeds,
                    "points": {axis: points._asdict() for axis, points in line.points.items()},
                }
                for line in self.lines
            ],
            "floors": [
                {
                    "label": f"{floor_label(name)} ({value:.4f})",
                    "y": value,
                    "band": list(self.bands[name][1:]) if name in self.bands else None,
                }
                for name, value in self.floors.items()
            ],
            "axis": self.axis,
            "xLabels": {axis: AXIS_LABELS[axis] for axis in AXES},
            "yLabel": "loss (nats per time step)",
            "top": self.top,
            "marks": self.marks and {
                "label": self.marks.label,
                "axis": self.marks.axis,
                "x": list(self.marks.values),
                "y": list(self.marks.values.values()),
            },
        }  # fmt: skip


def curve_chart(
    series: Sequence[Series],
    floors: Mapping[str, float],
    axis: Axis = "updates",
    *,
    top: float | None = None,
    marks: Marks | None = None,
    bands: Mapping[str, Interval] = NO_BANDS,
) -> Chart:
    """The chart of learning curves: means over seeds and their ranges.

    A line of very many points is thinned. It keeps its first and last point, and every point kept
    is a measured one.
    """
    most = max(LEAST_POINTS, POINTS // max(1, len(series)))
    lines = [
        ChartLine(label, len(curve.seeds), {name: _points(curve, name, most) for name in AXES})
        for label, curve in series
    ]
    return Chart(lines, floors, axis, top, marks, bands)


def _points(curve: Curves, axis: Axis, most: int) -> Points:
    x, losses = curve.against(axis)
    kept = _kept(len(x), most)
    x, losses = x[kept], losses[:, kept]
    shared = np.logical_not(np.isnan(losses).any(axis=0))
    together = np.where(shared, losses, np.nan)
    mean, low, high = (reduce(together, axis=0) for reduce in (np.mean, np.min, np.max))
    several = len(curve.seeds) > 1
    beside = several and not shared.all()
    return Points(
        _numbers(x), _numbers(mean), _numbers(low if several else ()),
        _numbers(high if several else ()),
        [_numbers(np.where(_near(shared), np.nan, row)) for row in losses] if beside else [],
    )  # fmt: skip


def _near(shared: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where only the mean is shown; seeds have thin lines from the last shared point onwards."""
    inner = shared.copy()
    inner[:-1] &= shared[1:]
    inner[1:] &= shared[:-1]
    return inner


def _kept(count: int, most: int) -> NDArray[np.int64]:
    """At most `most` of `count` indices: half evenly spaced, half dense at the start.

    A loss changes most at the start of training, which a logarithmic axis stretches.
    """
    if count <= most:
        return np.arange(count)
    even = np.linspace(0, count - 1, most // 2)
    dense = np.geomspace(1, count, most - most // 2) - 1
    return np.unique(np.rint(np.concatenate([even, dense])).astype(np.int64))


def _numbers(values: Iterable[float]) -> list[float | None]:
    """Rounded to DIGITS; None where JSON has no such number."""
    return [float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None for value in values]
