"""Criteria that the loss of a run equals a number."""

from __future__ import annotations

import math
from pathlib import Path
from typing import ClassVar

import pytest
from scipy import stats

from experiments.reporting.claims import Finding, NotRun
from experiments.runs.metrics import MetricsFile
from experiments.runs.run import read_run
from experiments.studies.registry import make_criterion
from experiments.studies.runs import StudyRuns
from tests.handmade import finished_run
from tests.studies.subjects.entries import check_on_lag_17, decide, make


class TestEquality:
    """A loss within a tolerance of a number."""

    def decide(
        self, tmp_path: Path, losses: list[float], tolerance: float, **expected: object
    ) -> Finding:
        run = finished_run(tmp_path, "run", [[0.4]] * len(losses))
        run.summary["floors"] = {}
        run.summary["validation"] = {"per_seed": dict(enumerate(losses))}
        arguments = {"run": "run", "expected": 5.04, "tolerance": tolerance, **expected}
        return decide("least_validation_loss", run, **arguments)

    def test_a_published_run_has_its_own_luck(self, tmp_path: Path) -> None:
        losses = [5.06, 5.08]  # one more run: 5.07 ± 6.31 · 0.0141 · sqrt(1.5) = 5.07 ± 0.109
        found = self.decide(tmp_path / "a", losses, 0.14)
        assert (found.seeds, found.verdict) == (2, "holds")
        assert found.value == pytest.approx(5.07)
        half = 6.3138 * 0.02 / math.sqrt(2) * math.sqrt(1.5)
        assert found.low == pytest.approx(5.07 - half, abs=1e-4)
        assert self.decide(tmp_path / "b", losses, 0.13).verdict == "undecided"

    def test_an_exact_number_has_none(self, tmp_path: Path) -> None:
        found = self.decide(tmp_path, [5.06, 5.08], 0.1, expected_is="exact")
        assert found.low == pytest.approx(5.07 - 6.3138 * 0.01, abs=1e-4)
        assert found.verdict == "holds"

    def test_a_published_mean_has_the_spread_that_it_was_published_with(
        self, tmp_path: Path
    ) -> None:
        spread = {"expected_is": "mean", "deviation": 0.02, "published_runs": 5}
        found = self.decide(tmp_path / "a", [5.05, 5.07], 0.1, **spread)
        error, theirs = 0.01, 0.02 / math.sqrt(5)
        degrees = (error**2 + theirs**2) ** 2 / (error**4 + theirs**4 / 4)
        half = stats.t.ppf(0.95, degrees) * math.hypot(error, theirs)
        assert found.low == pytest.approx(5.06 - half, abs=1e-9)
        with pytest.raises(ValueError, match="both and only for expected_is: mean"):
            self.decide(tmp_path / "b", [5.05], 0.1, deviation=0.02)

    def test_all_of_it_outside_fails(self, tmp_path: Path) -> None:
        assert self.decide(tmp_path, [4.899, 4.9, 4.901], 0.05).verdict == "fails"

    def test_one_seed_is_no_evidence(self, tmp_path: Path) -> None:
        found = self.decide(tmp_path, [5.04], 0.05)
        assert (found.seeds, found.verdict) == (1, "undecided")

    def test_no_loss_is_below_0(self, tmp_path: Path) -> None:
        found = self.decide(tmp_path, [0.2, 5.06], 0.05)
        assert (found.low, found.verdict) == (0, "undecided")
        assert found.high is not None
        assert found.high > 5.06

    def test_a_stricter_level_has_a_wider_interval(self, tmp_path: Path) -> None:
        run = finished_run(tmp_path, "run", [[0.52]] * 5 + [[0.521]])
        criterion = make("final_loss", run="run", expected=0.52, tolerance=0.005)
        runs = StudyRuns({"run": run})
        once, often = criterion.decide(runs), criterion.decide(runs, 0.01)
        assert (once.verdict, often.verdict) == ("holds", "undecided")  # 6 of 6: p = 1/64
        assert once.low is not None
        assert often.low is not None
        assert often.low < once.low


class TestFinalLoss:
    """Floors 0.6 and 0.4: seeds below 0.5 learned, the others did not."""

    def decide(self, tmp_path: Path, losses: list[float], expected: float) -> Finding:
        run = finished_run(tmp_path, "run", [[loss] for loss in losses])
        return decide("final_loss", run, run="run", expected=expected, tolerance=0.005)

    @pytest.mark.parametrize(
        ("expected", "verdict"), [(0.52, "holds"), (0.515, "undecided"), (0.51, "fails")]
    )
    def test_the_tolerance_decides(self, expected: float, verdict: str, tmp_path: Path) -> None:
        assert self.decide(tmp_path, [0.52] * 5 + [0.521], expected).verdict == verdict

    def test_seeds_that_did_not_learn_are_told_apart(self, tmp_path: Path) -> None:
        found = self.decide(tmp_path, [0.42, 0.421] * 5 + [0.6], 0.42)
        assert found.verdict == "holds"
        assert found.value == pytest.approx(0.4205)
        assert "10 of 11 seeds end below the middle of the floors, 0.5" in found.note
        assert "the others at 0.6000" in found.note

    def test_most_seeds_must_end_where_the_number_is(self, tmp_path: Path) -> None:
        half = [0.42, 0.421, 0.6, 0.601] * 3
        assert self.decide(tmp_path / "a", half, 0.42).verdict == "undecided"
        few = [0.42, 0.421] + [0.6] * 10
        assert self.decide(tmp_path / "b", few, 0.42).verdict == "fails"
        none = [0.6] * 10
        found = self.decide(tmp_path / "c", none, 0.42)
        assert found.value == pytest.approx(0.6)
        assert (found.low, found.verdict) == (None, "fails")

    def test_a_loss_outside_at_the_full_level_alone_leaves_it_open(self, tmp_path: Path) -> None:
        losses = [0.429 + seed / 1000 for seed in range(-2, 4)]
        found = self.decide(tmp_path, losses, 0.42)
        assert found.verdict == "undecided"
        assert found.low is not None
        assert found.low < 0.425
        assert "95 % interval" in found.note
        assert "at its share of the level (1 of 2 parts)" in found.note


class TestLossOfUpdates:
    RANGE: ClassVar = {"run": "run", "first": 11, "last": 25, "tolerance": 0.01}  # row 2 alone

    @pytest.mark.parametrize(("expected", "verdict"), [(0.45, "holds"), (0.48, "fails")])
    def test_it_is_judged_as_one_more_run(
        self, expected: float, verdict: str, tmp_path: Path
    ) -> None:
        losses = [[0.6, 0.45 + seed / 1000, 0.4] for seed in range(-3, 4)]
        found = decide("loss_of_updates", finished_run(tmp_path, "run", losses),
                       **self.RANGE, expected=expected)  # fmt: skip
        assert found.value == pytest.approx(0.45)
        assert found.verdict == verdict

    def test_a_wider_spread_of_the_seeds_never_makes_it_easier(self, tmp_path: Path) -> None:
        for spread, verdict in ((0.001, "holds"), (0.01, "undecided"), (0.03, "undecided")):
            losses = [[0.6, 0.45 + spread * seed, 0.4] for seed in (-1, 0, 1) * 3]
            run = finished_run(tmp_path / verdict / str(spread), "run", losses)
            found = decide("loss_of_updates", run, **self.RANGE, expected=0.45)
            assert found.verdict == verdict

    def test_several_rows_of_a_seed_are_one_mean(self, tmp_path: Path) -> None:
        run = finished_run(tmp_path, "run", [[0.6, 0.5, 0.4], [0.8, 0.6, 0.4]])
        arguments = self.RANGE | {"first": 1, "last": 20, "expected": 0.6}
        assert decide("loss_of_updates", run, **arguments).value == pytest.approx(0.625)

    def test_a_row_that_reaches_back_before_them_does_not_count(self, tmp_path: Path) -> None:
        run = finished_run(tmp_path, "run", [[0.6, 0.5, 0.4]] * 2)  # the second: updates 11 to 20
        arguments = self.RANGE | {"first": 12, "last": 30, "expected": 0.4}
        assert decide("loss_of_updates", run, **arguments).value == pytest.approx(0.4)

    def test_a_short_row_counts_less(self, tmp_path: Path) -> None:
        run = finished_run(tmp_path, "run", [[0.6, 0.5]])
        short = run.rows[-1]._replace(updates=25, loss=0.2)  # the mean of 5 updates
        MetricsFile(run.directory.metrics).append([short])
        arguments = self.RANGE | {"first": 11, "last": 25, "expected": 0.4}
        again = read_run(run.directory, run.label)
        # (10 · 0.5 + 5 · 0.2) / 15
        assert decide("loss_of_updates", again, **arguments).value == pytest.approx(0.4)

    def test_one_seed_has_no_interval(self, tmp_path: Path) -> None:
        run = finished_run(tmp_path, "run", [[0.6, 0.5, 0.4]])
        found = decide("loss_of_updates", run, **self.RANGE, expected=0.5)
        assert (found.verdict, found.low) == ("undecided", None)

    def test_the_spread_of_other_runs_lends_it_one(self, tmp_path: Path) -> None:
        losses = {"run": [[0.6, 0.5, 0.4]], "a": [[0.6, 0.50, 0.4], [0.6, 0.51, 0.4]]}
        runs = {name: finished_run(tmp_path, name, of) for name, of in losses.items()}
        runs["run"].summary["floors"] = {}  # one seed would not decide which side most seeds are on
        arguments = self.RANGE | {"expected": 0.5, "tolerance": 0.1, "spread_of": ["a"]}
        found = make_criterion("loss_of_updates", arguments).decide(StudyRuns(runs))
        # One degree of freedom: 6.314 · (0.01 / √2) · √2.
        assert found.high == pytest.approx(0.5 + 0.06314, abs=1e-5)
        assert found.verdict == "holds"


def test_an_absent_run_is_named_with_its_reason() -> None:
    criterion = make("final_loss", run="a", expected=1, tolerance=1)
    with pytest.raises(NotRun, match="run a: killed"):
        criterion.decide(StudyRuns({}, {"a": "killed"}))


def test_what_is_expected_is_the_number() -> None:
    assert make("final_loss", run="a", expected=0.52, tolerance=0.005).expectation() == 0.52


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"expected": 1}, "tolerance: this key is needed"),
        ({"expected": 1, "tolerence": 1}, "did you mean 'tolerance'"),
        ({"expected": "x", "tolerance": 1}, "expected: .*; got 'x'"),
    ],
)
def test_arguments_are_checked(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make("final_loss", run="a", **arguments)


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        (
            11,
            19,
            "run a: expected a row of metrics.csv within updates 11 to 19; rows end every 10 "
            r"updates \(logging.every\) and at the last update, 2000",
        ),
        (2001, 2010, "expected a row of metrics.csv within updates 2001 to 2010"),
    ],
)
def test_updates_that_a_run_will_not_have_are_named_before_it_is_trained(
    first: int, last: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        check_on_lag_17("loss_of_updates", first=first, last=last, expected=1, tolerance=0.1)
