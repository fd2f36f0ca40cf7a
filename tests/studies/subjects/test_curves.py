"""Learning curves of runs made by hand: whether they are the same, and their picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.reporting.claims import NotRun
from experiments.studies.registry import make_figure
from tests.handmade import LATE, SOON, finished_run
from tests.studies.subjects.entries import decide, draw, points


class TestCurvesAgree:
    def test_the_largest_gap_of_any_pair_decides(self, tmp_path: Path) -> None:
        names = ("a", "b", "c")
        runs = [
            finished_run(tmp_path, name, [[0.6, 0.5 + 0.01 * place]])
            for place, name in enumerate(names)
        ]
        found = decide("curves_agree", *runs, names=["*"], tolerance=0.021)
        assert found.value == pytest.approx(0.02)
        assert found.verdict == "holds"
        assert decide("curves_agree", *runs, names=["*"], tolerance=0.019).verdict == "fails"

    def test_rows_that_differ_cannot_be_compared(self, tmp_path: Path) -> None:
        runs = [finished_run(tmp_path, "a", [[0.6]]), finished_run(tmp_path, "b", [[0.6, 0.5]])]
        with pytest.raises(NotRun, match="runs a and b: their rows differ"):
            decide("curves_agree", *runs, names=["a", "b"], tolerance=1)

    def test_seeds_that_stopped_at_the_same_row_are_compared_up_to_it(self, tmp_path: Path) -> None:
        runs = [finished_run(tmp_path, name, [[0.7, 0.6], [0.7]]) for name in "ab"]
        found = decide("curves_agree", *runs, names=["*"], tolerance=0.0)
        assert (found.value, found.verdict) == (0, "holds")

    def test_seeds_that_stopped_at_other_rows_are_not_compared(self, tmp_path: Path) -> None:
        a = finished_run(tmp_path, "a", [[0.7, 0.6], [0.7]])
        b = finished_run(tmp_path, "b", [[0.7], [0.7, 0.6]])
        with pytest.raises(NotRun, match="runs a and b: their rows differ"):
            decide("curves_agree", a, b, names=["*"], tolerance=1)


@pytest.mark.parametrize("axis", ["updates", "time_steps", "seconds"])
def test_curves_are_drawn_against_each_axis(axis: str, tmp_path: Path) -> None:
    run = finished_run(tmp_path, "run", [SOON, LATE], step_seconds=[1e-6, 2e-6])
    (axes,) = draw("curves", {"run": run}, labels={"run": "a run"}, axis=axis, individual=True).axes
    mean = axes.lines[0]
    x, losses = run.curves.against(axis)
    np.testing.assert_array_equal(points(mean)[:, 0], x)
    np.testing.assert_allclose(points(mean)[:, 1], np.nanmean(losses, axis=0))


def test_published_values_are_drawn_at_their_updates(tmp_path: Path) -> None:
    run = finished_run(tmp_path, "run", [SOON, LATE])
    (axes,) = draw("curves", {"run": run}, labels={"run": "a run"}, published={10: 0.5}).axes
    (crosses,) = [points(line) for line in axes.lines if line.get_marker() == "x"]
    np.testing.assert_array_equal(crosses, [[10, 0.5]])


def test_published_values_are_by_update_alone() -> None:
    arguments = {"labels": {"a": "a"}, "published": {10: 0.5}, "axis": "seconds"}
    with pytest.raises(ValueError, match="published: its keys are updates; axis is seconds"):
        make_figure("curves", arguments)
