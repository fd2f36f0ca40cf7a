"""Whether learning curves are the same, on runs made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.reporting.claims import NotRun
from tests.handmade import finished_run
from tests.studies.subjects.entries import decide


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
