"""Figures of a study: curves, final losses, time, depth, a table of validation losses.

Importing this draws nothing and loads no matplotlib.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np
from pydantic import Field, model_validator

from experiments.reporting.chart import Chart, Marks, curve_chart
from experiments.reporting.learning_curves import (
    AXIS_LABELS,
    Series,
    draw_floors,
    learning_curve_figure,
)
from experiments.reporting.style import (
    COLORS,
    draw_title,
    error_bars,
    new_figure,
    show_empty,
    style_axes,
    style_grid,
)
from experiments.runs.floor_noise import bands_of_rows
from experiments.runs.onset import Axis
from experiments.runs.run import Run
from experiments.statistics.intervals import Interval, share_interval
from experiments.studies.entries import Planned, StudyFigure
from experiments.studies.learning import learners
from experiments.studies.runs import RunName, StudyRuns

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BESIDE = 0.22  # between the columns of a row


PUBLISHED = "published by r2rt"


class Curves(StudyFigure):
    """Learning curves of some runs; `published` are single values to draw beside them."""

    labels: dict[RunName, str] = Field(min_length=1)
    axis: Axis = "updates"
    published: dict[int, float] = Field(default_factory=dict)  # by update
    individual: bool = False

    @model_validator(mode="after")
    def _published_values_have_updates(self) -> Self:
        if self.published and self.axis != "updates":
            raise ValueError(f"published: its keys are updates; axis is {self.axis}")
        return self

    def check(self, planned: Planned) -> None:
        for name in self.labels:
            for update in self.published:
                planned[name].need_row_at(update)

    def chart(self, runs: StudyRuns) -> Chart:
        marks = Marks(PUBLISHED, "updates", self.published) if self.published else None
        chosen = [runs[name] for name in self.labels]
        return curve_chart(
            self._series(runs), chosen[0].floors, self.axis,
            marks=marks, bands=bands_of_rows(chosen),
        )  # fmt: skip

    def _series(self, runs: StudyRuns) -> list[Series]:
        return [Series(label, runs[name].curves) for name, label in self.labels.items()]

    def draw(self, title: str, runs: StudyRuns) -> Figure:
        chosen = [runs[name] for name in self.labels]
        figure = learning_curve_figure(
            title, self._series(runs), chosen[0].floors, self.axis, bands_of_rows(chosen)
        )
        axes = figure.axes[0]
        if self.individual:
            for run in chosen:
                x, losses = run.curves.against(self.axis)
                axes.plot(x, losses.T, color="#333333", alpha=0.7, linewidth=0.6)
        if self.published:
            updates, values = list(self.published), list(self.published.values())
            axes.plot(updates, values, "kx", label=PUBLISHED, zorder=5)
            axes.legend(loc="upper right", framealpha=0.9, edgecolor="none")
        return figure


class FinalLosses(StudyFigure):
    """Every seed's final loss as a dot, the mean with its 95 % interval beside them."""

    labels: dict[RunName, str] = Field(min_length=1)

    def draw(self, title: str, runs: StudyRuns) -> Figure:
        figure = new_figure()
        axes = figure.subplots()
        for position, name in enumerate(self.labels):
            losses, interval = list(runs[name].final_losses.values()), runs[name].final_loss
            _dots(axes, position, losses, interval, f"{interval.mean:.4f}")
        _label_positions(axes, list(self.labels.values()))
        low, high = axes.get_ylim()
        floors = runs[next(iter(self.labels))].floors
        draw_floors(axes, {name: value for name, value in floors.items() if value < high + 0.01})
        axes.set_ylim(min(low, *floors.values()) - 0.005, high + 0.005)
        style_axes(axes, title)
        return figure


class TimePerStep(StudyFigure):
    """Every seed's time for a time step as a dot, the least beside them."""

    labels: dict[RunName, str] = Field(min_length=1)

    def draw(self, title: str, runs: StudyRuns) -> Figure:
        figure = new_figure()
        axes = figure.subplots()
        paces = [list(runs[name].paces.values()) for name in self.labels]
        scale, unit = (1e9, "nanoseconds") if max(map(min, paces)) < 1e-6 else (1e6, "microseconds")
        for position, seconds in enumerate(paces):
            values = [scale * pace for pace in seconds]
            least = min(values)
            shown = f"{least:.3g}" if least < 100 else f"{least:,.0f}"
            _dots(axes, position, values, Interval(least, None, None), shown)
        _label_positions(axes, list(self.labels.values()))
        draw_title(axes, title)
        axes.set_ylabel(f"{unit} per time step")
        axes.set_ylim(bottom=0)
        style_grid(axes)
        return figure


class ValidationTable(StudyFigure):
    """A published table of least validation losses, row by row, a color for each column.

    `rows` has the run of each cell, `minima` what was published of it. Crosses are published,
    dots each seed's least validation loss. An absent run has its cross alone.
    """

    rows: dict[str, tuple[RunName, ...]] = Field(min_length=1)
    columns: tuple[str, ...] = Field(min_length=1, max_length=len(COLORS))
    minima: dict[RunName, float]

    @model_validator(mode="after")
    def _every_cell_has_its_minimum(self) -> Self:
        for row, cells in self.rows.items():
            if len(cells) != len(self.columns):
                raise ValueError(
                    f"rows.{row!r}: expected {len(self.columns)} runs, one a column; "
                    f"got {len(cells)}"
                )
        named = {name for cells in self.rows.values() for name in cells}
        for name in sorted(named ^ self.minima.keys()):
            where = "no row names it" if name in self.minima else "it has no published value"
            raise ValueError(f"minima: run {name}: {where}")
        return self

    def check(self, planned: Planned) -> None:
        for name in self.minima:
            planned[name].need_validation()

    def draw(self, title: str, runs: StudyRuns) -> Figure:
        figure = new_figure()
        axes = figure.subplots()
        for column, label in enumerate(self.columns):
            names = [cells[column] for cells in self.rows.values()]
            aside = BESIDE * (column - (len(self.columns) - 1) / 2)
            positions = [row + aside for row in range(len(names))]
            minima, color = [self.minima[name] for name in names], COLORS[column]
            axes.plot(positions, minima, "x", color=color, label=label)
            for position, name in zip(positions, names, strict=True):
                found = runs[name].least_validation_losses if name in runs else []
                axes.plot([position] * len(found), found, "o", color=color, alpha=0.6)
        axes.set_xticks(range(len(self.rows)), list(self.rows))
        style_axes(axes, title)
        figure.legend(loc="outside lower center", ncols=len(self.columns), frameon=False)
        return figure


class ByDepth(StudyFigure):
    """Against depth: the share of seeds that learned, and what they needed for it.

    Runs with the same label are one line; the lines stand a little beside each other.
    """

    labels: dict[RunName, str] = Field(min_length=1)
    lag: int = Field(ge=0)
    axis: Axis = "updates"

    def check(self, planned: Planned) -> None:
        for name in self.labels:
            planned[name].need_lags([self.lag])
            planned[name].need_onset()

    def draw(self, title: str, runs: StudyRuns) -> Figure:
        figure = new_figure(6.5)
        upper, lower = figure.subplots(2, 1, sharex=True)
        lines = list(dict.fromkeys(self.labels.values()))
        for index, label in enumerate(lines):
            chosen = sorted(
                (runs[name] for name in self.labels if self.labels[name] == label),
                key=lambda run: run.effective_depth,
            )
            aside = 0.5 * (index - (len(lines) - 1) / 2)
            depths = [run.effective_depth + aside for run in chosen]
            color = COLORS[index % len(COLORS)]
            shares = [share_interval(*learners(run, self.lag)) for run in chosen]
            _draw_intervals(upper, depths, shares, label, color)
            _draw_onsets(lower, depths, chosen, self.axis, color)
        for axes in (upper, lower):
            axes.axvline(self.lag + 1, color="#666666", linestyle=":", linewidth=1, zorder=0)
            style_grid(axes)
        draw_title(upper, title)
        upper.set_ylabel(f"share of seeds that\nlearned lag {self.lag}")
        lower.set_ylabel(f"{AXIS_LABELS[self.axis]}\nuntil learned")
        lower.set_xlabel(f"depth (cell applications); dotted: lag + 1 = {self.lag + 1}")
        if any(onset.learned for name in self.labels for onset in runs[name].onsets.values()):
            lower.set_ylim(bottom=0)
        else:
            show_empty(lower, "no seed learned")
        figure.legend(loc="outside lower center", ncols=len(lines), frameon=False)
        return figure


def _dots(
    axes: Axes, position: int, values: Sequence[float], interval: Interval, text: str
) -> None:
    """One run: a dot for each seed, what they come to beside them."""
    color = COLORS[position % len(COLORS)]
    jitter = np.linspace(-0.12, 0.12, len(values))
    axes.plot(position + jitter, values, "o", color=color, alpha=0.45, markersize=4)
    beside = position + 0.25
    axes.errorbar(beside, interval.mean, error_bars([interval]), fmt="s", color=color, capsize=4)
    axes.annotate(text, (beside, interval.mean), (8, 0), textcoords="offset points",
                  va="center", fontsize=9, color=color)  # fmt: skip


def _label_positions(axes: Axes, labels: Sequence[str]) -> None:
    axes.set_xticks(range(len(labels)), labels)
    axes.set_xlim(-0.5, 1.07 * len(labels) - 0.65)  # beyond the last text


def _draw_intervals(
    axes: Axes, x: Sequence[float], intervals: Sequence[Interval], label: str, color: str
) -> None:
    means = [interval.mean for interval in intervals]
    bars = error_bars(intervals)
    axes.errorbar(x, means, bars, fmt="o-", color=color, label=label, capsize=3)


def _draw_onsets(
    axes: Axes, x: Sequence[float], runs: Sequence[Run], axis: Axis, color: str
) -> None:
    """A dot for each seed that learned; a line through the medians, where half of them did.

    A median needs no number for the seeds that did not learn: they come after all others.
    """
    medians = []
    for place, run in zip(x, runs, strict=True):
        found = [getattr(onset, axis) for onset in run.onsets.values() if onset.learned]
        axes.plot([place] * len(found), found, "o", color=color, alpha=0.35, markersize=4)
        late = [np.inf] * (len(run.onsets) - len(found))
        medians.append(np.median(found + late))
    reached = np.isfinite(medians)
    axes.plot(np.array(x)[reached], np.array(medians)[reached], "s-", color=color)
