"""experiments/training/picture.py: what is drawn around each floor of learning_curve.png."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from experiments.comparison.figures import Curve, curves_figure
from experiments.comparison.groups import group_runs
from experiments.config.compose import load_config
from experiments.runs.floor_noise import bands_of_rows
from experiments.runs.run import Run
from experiments.studies.registry import make_figure
from experiments.studies.runs import StudyRuns
from experiments.training.picture import learning_curves
from tests.handmade import EVERY, FLOORS, TIME_STEPS, finished_run

SYMBOLS = EVERY * TIME_STEPS  # in a row
# P(y = 1) is 1 where the input at lag 17 is 1, and else 0.5. Who knows nothing expects 0.75.
VARIANCES = {
    "none": 0.75 * 0.25 * math.log(0.75 / 0.25) ** 2,
    "lag 17": math.log(2) ** 2 / 4,  # a loss of 0 or log 2, each half of the time
}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return finished_run(tmp_path, "a", [[0.6, 0.5], [0.6, 0.4]])


def bands(figure: Figure) -> list[tuple[float, float]]:
    """The lower and upper ends of the bands that cross the whole picture, from the top."""
    spans = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    assert all((span.get_x(), span.get_width()) == (0, 1) for span in spans)  # of the axes
    ends = [(span.get_y(), span.get_y() + span.get_height()) for span in spans]
    return sorted(ends, reverse=True)


def expected() -> list[tuple[float, float]]:
    """95 % of the rows of a model at each floor."""
    halves = {name: 1.959964 * (VARIANCES[name] / SYMBOLS) ** 0.5 for name in FLOORS}
    return [(FLOORS[name] - halves[name], FLOORS[name] + halves[name]) for name in FLOORS]


def test_the_band_of_a_floor_holds_95_percent_of_the_rows_at_it(run: Run) -> None:
    figure = learning_curves(run.config, run.rows, FLOORS)
    np.testing.assert_allclose(bands(figure), expected(), rtol=0, atol=1e-7)


def test_rows_of_more_symbols_have_narrower_bands(run: Run) -> None:
    rows = [row._replace(time_steps=4 * row.time_steps) for row in run.rows]
    wide, narrow = (bands(learning_curves(run.config, each, FLOORS)) for each in (run.rows, rows))
    np.testing.assert_allclose(np.diff(wide), 2 * np.diff(narrow), rtol=1e-9)


def test_a_task_of_unknown_variances_has_floors_without_bands(run: Run) -> None:
    figure = learning_curves(load_config("copy_memory"), run.rows, FLOORS)
    assert bands(figure) == []
    dashed = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    assert [np.asarray(line.get_ydata())[0] for line in dashed] == [*FLOORS.values()]


def test_studies_and_comparisons_draw_the_same_bands(run: Run) -> None:
    study = make_figure("curves", {"labels": {"a": "a"}}).draw("t", StudyRuns({"a": run}))
    np.testing.assert_allclose(bands(study), expected(), rtol=0, atol=1e-7)
    curve = Curve("updates", lambda group: group.curves, FLOORS, bands_of_rows([run]))
    compared = curves_figure(group_runs([run]), curve, "t")
    np.testing.assert_allclose(bands(compared), expected(), rtol=0, atol=1e-7)
