"""The ratio of the time steps of two runs, on runs made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from experiments.reporting.claims import Finding
from tests.handmade import SOON, finished_run
from tests.studies.subjects.entries import decide, make


class TestTimeRatio:
    def decide(self, tmp_path: Path, at_least: float, at_most: float) -> Finding:
        run = finished_run(tmp_path, "run", [SOON] * 3, pace=[4e-6, 4.1e-6, 4.2e-6])
        against = finished_run(tmp_path, "against", [SOON] * 3, pace=[2e-6, 2.1e-6, 2e-6])
        names = {"run": "run", "against": "against"}
        return decide("time_ratio", run, against, **names, at_least=at_least, at_most=at_most)

    def test_it_is_the_ratio_of_the_geometric_means(self, tmp_path: Path) -> None:
        found = self.decide(tmp_path, 1.8, 2.2)
        assert found.value == pytest.approx((4 * 4.1 * 4.2 / (2 * 2.1 * 2)) ** (1 / 3))
        logs = [np.log(paces) for paces in ([4, 4.1, 4.2], [2, 2.1, 2])]
        welch = stats.ttest_ind(*logs, equal_var=False).confidence_interval(0.9)
        assert (found.low, found.high) == pytest.approx(tuple(np.exp(welch)))
        assert (found.seeds, found.verdict) == (3, "holds")
        assert "ratio of the least 2.00" in found.note

    @pytest.mark.parametrize(
        ("at_least", "at_most", "verdict"),
        [(2.5, 3, "fails"), (1, 1.5, "fails"), (2, 3, "undecided")],
    )
    def test_the_limits_decide(
        self, at_least: float, at_most: float, verdict: str, tmp_path: Path
    ) -> None:
        assert self.decide(tmp_path, at_least, at_most).verdict == verdict

    def test_what_is_expected_is_made_of_the_limits(self) -> None:
        criterion = make("time_ratio", run="a", against="b", at_least=1, at_most=2.5)
        assert criterion.expectation() == "1 to 2.5"

    def test_the_limits_are_in_order(self) -> None:
        with pytest.raises(ValueError, match="at_most: expected above 2; got 1"):
            make("time_ratio", run="a", against="b", at_least=2, at_most=1)
