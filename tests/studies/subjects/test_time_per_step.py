"""The time of a time step, on runs made by hand: its criterion and its figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from experiments.reporting.claims import Finding, NotRun
from tests.handmade import SOON, finished_run
from tests.studies.subjects.entries import decide, draw, make, points


class TestTimeRatio:
    def decide(self, tmp_path: Path, at_least: float, at_most: float) -> Finding:
        run = finished_run(tmp_path, "run", [SOON] * 3, step_seconds=[4e-6, 4.1e-6, 4.2e-6])
        against = finished_run(tmp_path, "against", [SOON] * 3, step_seconds=[2e-6, 2.1e-6, 2e-6])
        names = {"run": "run", "against": "against"}
        return decide("time_ratio", run, against, **names, at_least=at_least, at_most=at_most)

    def test_it_is_the_ratio_of_the_geometric_means(self, tmp_path: Path) -> None:
        found = self.decide(tmp_path, 1.8, 2.2)
        assert found.value == pytest.approx((4 * 4.1 * 4.2 / (2 * 2.1 * 2)) ** (1 / 3))
        logs = [np.log(seconds) for seconds in ([4, 4.1, 4.2], [2, 2.1, 2])]
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


def test_time_per_step_shows_the_least(tmp_path: Path) -> None:
    run = finished_run(tmp_path, "run", [SOON] * 3, step_seconds=[3e-6, 4e-6, 50e-6])
    (axes,) = draw("time_per_step", {"run": run}, labels={"run": "a run"}).axes
    np.testing.assert_allclose(points(axes.lines[0])[:, 1], [3, 4, 50])
    (text,) = axes.texts
    assert (text.get_text(), axes.get_ylabel()) == ("3", "microseconds per time step")


def test_short_time_steps_are_in_nanoseconds(tmp_path: Path) -> None:
    runs = {
        name: finished_run(tmp_path / name, name, [SOON] * 2, step_seconds=[seconds, seconds])
        for name, seconds in [("short", 45.6e-9), ("long", 123e-9)]
    }
    (axes,) = draw("time_per_step", runs, labels={name: name for name in runs}).axes
    assert [text.get_text() for text in axes.texts] == ["45.6", "123"]
    assert axes.get_ylabel() == "nanoseconds per time step"


def test_a_run_of_one_row_is_too_short_to_time(tmp_path: Path) -> None:
    runs = {
        "long": finished_run(tmp_path, "long", [SOON] * 2),
        "short": finished_run(tmp_path, "short", [[0.6], [0.6]]),
    }
    with pytest.raises(NotRun, match="run short: too short to time"):
        draw("time_per_step", runs, labels={name: name for name in runs})
