"""experiments/reporting/chart.py: the numbers of an interactive picture."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from experiments.reporting.chart import DIGITS, LEAST_POINTS, POINTS, Marks, curve_chart
from experiments.reporting.learning_curves import Series
from experiments.runs.curves import Curves
from experiments.runs.onset import AXES
from experiments.statistics.intervals import Interval
from tests.handmade import EVERY, FLOORS, TIME_STEPS, finished_run


def long_curves(points: int, seeds: int = 1) -> Curves:
    updates = np.arange(1, points + 1, dtype=np.int64)
    losses = np.array([1 / updates + seed for seed in range(seeds)])
    return Curves(
        updates, 20 * updates, np.tile(updates * 1e-3, (seeds, 1)), losses, [*range(seeds)]
    )


def test_a_line_is_the_mean_with_the_least_and_the_greatest_seed(tmp_path: Path) -> None:
    run = finished_run(tmp_path, "run", [[0.6, 0.5], [0.7, 0.4]])
    (line,) = curve_chart([Series("a run", run.curves)], FLOORS).lines
    assert (line.label, line.seeds) == ("a run", 2)
    points = line.points["updates"]
    assert points.x == [EVERY, 2 * EVERY]
    assert points.mean == pytest.approx([0.65, 0.45])
    assert (points.low, points.high) == ([0.6, 0.4], [0.7, 0.5])
    assert line.points["time_steps"].x == [TIME_STEPS * EVERY, TIME_STEPS * 2 * EVERY]


@pytest.mark.parametrize("axis", AXES)
def test_each_axis_is_that_of_the_curves(tmp_path: Path, axis: str) -> None:
    run = finished_run(
        tmp_path, "run", [[0.6, 0.5, 0.4], [0.7, 0.4, 0.3]], step_seconds=(1e-6, 2e-6)
    )
    (line,) = curve_chart([Series("run", run.curves)], FLOORS).lines
    x, losses = run.curves.against(axis)
    points = next(found for name, found in line.points.items() if name == axis)
    assert points.x == pytest.approx(list(x))
    shared = ~np.isnan(losses).any(axis=0)
    mean = np.array(points.mean, np.float64)
    np.testing.assert_array_equal(np.isnan(mean), ~shared)
    np.testing.assert_allclose(mean[shared], losses[:, shared].mean(axis=0), rtol=1e-5)


def test_where_a_seed_is_missing_there_is_no_mean_and_each_other_is_alone(tmp_path: Path) -> None:
    run = finished_run(tmp_path, "run", [[0.6, 0.5], [0.7, 0.6, 0.5, 0.4]])
    points = curve_chart([Series("run", run.curves)], FLOORS).lines[0].points["updates"]
    assert points.mean == [pytest.approx(0.65), pytest.approx(0.55), None, None]
    assert (points.low, points.high) == ([0.6, 0.5, None, None], [0.7, 0.6, None, None])
    # From the last shared point on, so that nothing is torn off.
    assert points.alone == [[None, 0.5, None, None], [None, 0.6, 0.5, 0.4]]


def test_one_seed_has_no_range() -> None:
    (line,) = curve_chart([Series("run", long_curves(3))], {}).lines
    assert (line.points["updates"].low, line.points["updates"].high) == ([], [])


def test_numbers_that_json_lacks_are_null() -> None:
    curves = long_curves(3)
    curves.losses[0] = [np.nan, np.inf, 0.5]
    chart = curve_chart([Series("run", curves)], {})
    text = json.dumps(chart.as_json(), allow_nan=False)
    assert json.loads(text)["lines"][0]["points"]["updates"]["mean"] == [None, None, 0.5]


def test_the_data_are_the_curves(tmp_path: Path) -> None:
    losses = [[0.61234567, 0.5], [0.7, 0.4]]
    run = finished_run(tmp_path, "run", losses)
    marks = Marks("published", "updates", {10: 0.6})
    bands = {"none": Interval(0.6, 0.59, 0.61)}
    series = [Series("run", run.curves)]
    data = curve_chart(series, FLOORS, top=0.7, marks=marks, bands=bands).as_json()
    points = data["lines"][0]["points"]["updates"]
    assert points["mean"] == pytest.approx(np.mean(losses, axis=0), rel=10.0**-DIGITS)
    assert data["floors"] == [
        {"label": "nothing known (0.6000)", "y": 0.6, "band": [0.59, 0.61]},
        {"label": "lag 17 known (0.4000)", "y": 0.4, "band": None},
    ]
    assert data["marks"] == {"label": "published", "axis": "updates", "x": [10], "y": [0.6]}
    assert (data["axis"], data["top"]) == ("updates", 0.7)


def test_a_long_line_keeps_its_ends_its_start_and_only_measured_points() -> None:
    curves = long_curves(3 * POINTS)
    (line,) = curve_chart([Series("run", curves)], {}).lines
    points = line.points["updates"]
    assert POINTS / 2 < len(points.x) <= POINTS
    assert points.x[:5] == [1, 2, 3, 4, 5]
    assert points.x[-1] == 3 * POINTS
    assert points.mean == pytest.approx([1 / x for x in points.x if x], rel=1e-5)


def test_many_long_lines_together_stay_small() -> None:
    chart = curve_chart([Series(str(n), long_curves(5000, 3)) for n in range(70)], {})
    kept = [len(line.points["updates"].x) for line in chart.lines]
    assert max(kept) <= max(LEAST_POINTS, POINTS // 70)
    assert len(json.dumps(chart.as_json())) < 4_000_000
