"""Criteria on floors, curves, time and learning, on runs made by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from scipy import stats

from experiments.config.compose import load_config
from experiments.reporting.claims import Finding, NotRun
from experiments.runs.metrics import MetricsFile
from experiments.runs.run import Run, read_run
from experiments.studies.entries import Criterion
from experiments.studies.planned import PlannedRun
from experiments.studies.registry import make_criterion
from experiments.studies.runs import StudyRuns
from tests.handmade import TIME_STEPS, finished_run

# The middle of the floors is 0.5: these learn at their row 2, 4 and never.
SOON = [0.6, 0.49, 0.41, 0.4, 0.4, 0.4]
LATE = [0.6, 0.59, 0.51, 0.49, 0.4, 0.4]
NEVER = [0.6, 0.6, 0.6, 0.6, 0.59, 0.58]


def make(kind: str, **arguments: object) -> Criterion:
    """A criterion, its arguments as YAML has them."""
    return make_criterion(kind, arguments)


def decide(kind: str, *runs: Run, **arguments: object) -> Finding:
    """The finding of these runs."""
    return make(kind, **arguments).decide(StudyRuns({run.label: run for run in runs}))


class TestLearnsSooner:
    def decide(self, tmp_path: Path, run: list[list[float]], other: list[list[float]]) -> Finding:
        runs = (finished_run(tmp_path, "run", run), finished_run(tmp_path, "against", other))
        return decide("learns_sooner", *runs, run="run", against="against", axis="updates")

    def test_half_the_updates_in_every_seed(self, tmp_path: Path) -> None:
        found = self.decide(tmp_path, [SOON] * 6, [LATE] * 6)
        assert [found.value, found.low, found.high] == pytest.approx([0.5, 0.5, 0.5])
        assert (found.seeds, found.verdict) == (6, "holds")
        assert "medians 20 and 40" in found.note

    def test_later_fails(self, tmp_path: Path) -> None:
        found = self.decide(tmp_path, [LATE] * 6, [SOON] * 6)
        assert found.value == pytest.approx(2)
        assert found.verdict == "fails"

    def test_seeds_that_disagree_decide_nothing(self, tmp_path: Path) -> None:
        found = self.decide(tmp_path, [SOON, LATE], [LATE, SOON])
        assert found.value == pytest.approx(1)
        assert found.verdict == "undecided"
        assert found.low == pytest.approx(0, abs=0.01)  # 2 seeds tell little

    def test_one_seed_is_no_evidence(self, tmp_path: Path) -> None:
        assert self.decide(tmp_path, [SOON], [LATE]).verdict == "undecided"

    def test_of_four_seeds_that_learn_the_next_may_not(self, tmp_path: Path) -> None:
        assert self.decide(tmp_path, [SOON] * 4, [LATE] * 4).verdict == "undecided"

    def test_a_seed_of_its_own_that_never_learns_leaves_it_open(self, tmp_path: Path) -> None:
        learns = [SOON[:] for _ in range(8)]
        never = [NEVER[:] for _ in learns]
        assert self.decide(tmp_path / "a", learns, never).verdict == "holds"
        assert self.decide(tmp_path / "b", [*learns[1:], NEVER], never).verdict == "undecided"
        assert self.decide(tmp_path / "c", never, never).verdict == "fails"

    def test_seeds_in_order_decide_though_some_never_learn(self, tmp_path: Path) -> None:
        """Nine of ten pairs are in order, by the sign test p = 2 · 11 / 1024."""
        found = self.decide(tmp_path, [*[SOON] * 9, NEVER], [*[LATE] * 5, *[NEVER] * 5])
        assert found.verdict == "holds"
        assert found.p == pytest.approx(22 / 1024)
        assert [found.low, found.high] == [None, pytest.approx(0.5)]
        assert "9 of 10 seeds of run learned; 5 of 10 seeds of against learned" in found.note

    def test_a_seed_that_never_learns_can_be_shown_to_be_later(self, tmp_path: Path) -> None:
        runs = [*[LATE] * 9, NEVER], [SOON] * 10
        assert self.decide(tmp_path, *runs).verdict == "fails"

    def test_a_seed_of_the_other_that_never_learns_may_be_later_still(self, tmp_path: Path) -> None:
        """Its onset is not known; the ratio is too great."""
        found = self.decide(tmp_path, [[0.6] * 7 + [0.4]] * 8, [NEVER] * 8)
        assert found.value == pytest.approx(80 / 60)
        assert found.verdict == "undecided"
        assert [found.low, found.high] == [None, pytest.approx(80 / 60)]

    def test_a_seed_of_the_other_counts_with_all_its_training(self, tmp_path: Path) -> None:
        found = self.decide(tmp_path, [SOON, SOON], [NEVER, NEVER])
        assert found.value == pytest.approx(20 / 60)
        assert "0 of 2 seeds of against learned" in found.note


@pytest.mark.parametrize(("axis", "expected"), [("updates", 1), ("time_steps", 1), ("seconds", 3)])
def test_the_axis_is_followed(axis: str, expected: float, tmp_path: Path) -> None:
    run = finished_run(tmp_path, "run", [SOON, SOON], pace=[3e-6, 3e-6])
    against = finished_run(tmp_path, "against", [SOON, SOON])
    found = decide("learns_sooner", run, against, run="run", against="against", axis=axis)
    assert found.value == pytest.approx(expected)


class TestLearnsAsSoon:
    def decide(self, tmp_path: Path, other: list[list[float]], factor: float) -> str:
        run = finished_run(tmp_path, "run", [SOON] * len(other))
        against = finished_run(tmp_path, "against", other)
        names = {"run": "run", "against": "against"}
        return decide(
            "learns_as_soon", run, against, **names, axis="updates", factor=factor
        ).verdict

    def test_the_factor_decides(self, tmp_path: Path) -> None:
        assert self.decide(tmp_path / "a", [LATE] * 6, 2.01) == "holds"
        assert self.decide(tmp_path / "b", [LATE] * 6, 1.99) == "fails"

    def test_the_whole_interval_must_be_within_it(self, tmp_path: Path) -> None:
        assert self.decide(tmp_path, [SOON, LATE] * 3, 1.5) == "undecided"

    def test_who_never_learns_does_not_learn_as_soon(self, tmp_path: Path) -> None:
        assert self.decide(tmp_path / "a", [NEVER] * 8, 100) == "fails"

    def test_the_median_decides_where_some_never_learn(self, tmp_path: Path) -> None:
        """By the sign test, 9 of 10 within the factor are enough and 7 of 10 are not."""
        assert self.decide(tmp_path / "a", [SOON] * 9 + [NEVER], 100) == "holds"
        assert self.decide(tmp_path / "b", [SOON] * 7 + [NEVER] * 3, 100) == "undecided"
        assert self.decide(tmp_path / "c", [LATE] * 9 + [NEVER], 1.99) == "fails"


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


def test_lower_means_the_whole_interval(tmp_path: Path) -> None:
    low = finished_run(tmp_path, "low", [[0.40], [0.41], [0.42]])
    high = finished_run(tmp_path, "high", [[0.50], [0.51], [0.52]])
    middle = finished_run(tmp_path, "middle", [[0.38], [0.42], [0.46]])
    runs = (low, high, middle)
    assert decide("lowers_loss", *runs, run="low", against="high").verdict == "holds"
    assert decide("lowers_loss", *runs, run="high", against="low").verdict == "fails"
    assert decide("lowers_loss", *runs, run="low", against="middle").verdict == "undecided"


def test_what_seeds_share_drops_out_of_a_difference(tmp_path: Path) -> None:
    spread = [0.40, 0.42, 0.44, 0.46]
    low = finished_run(tmp_path, "low", [[loss] for loss in spread])
    high = finished_run(tmp_path, "high", [[loss + 0.01 + loss / 100] for loss in spread])
    found = decide("lowers_loss", low, high, run="low", against="high")
    paired = stats.ttest_rel(spread, [1.01 * loss + 0.01 for loss in spread])
    assert found.verdict == "holds"
    assert found.p == pytest.approx(paired.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(paired.confidence_interval()))
    assert "paired by seed" in found.note
    others = finished_run(tmp_path, "others", [[loss + 0.014] for loss in spread], first_seed=9)
    found = decide("lowers_loss", low, others, run="low", against="others")
    assert (found.verdict, "Welch" in found.note) == ("undecided", True)


def test_modes_of_a_difference_are_told(tmp_path: Path) -> None:
    some = finished_run(tmp_path, "some", [[0.42]] * 3 + [[0.6]])
    every = finished_run(tmp_path, "every", [[0.42]] * 4)
    note = decide("lowers_loss", every, some, run="every", against="some").note
    assert "some: 3 of 4 seeds end below the middle of the floors" in note
    assert "every: " not in note


class TestShares:
    @pytest.mark.parametrize(
        ("learned", "verdict"),
        [
            ([True] * 10, "holds"),
            ([True] * 9 + [False], "holds"),  # one seed of ten decides nothing
            ([True] * 6 + [False] * 4, "undecided"),
            ([False] * 10, "fails"),
            ([True] * 3, "undecided"),
        ],
    )
    def test_learned_is_a_share_of_the_seeds(
        self, learned: list[bool], verdict: str, tmp_path: Path
    ) -> None:
        run = finished_run(tmp_path, "run", [SOON] * len(learned), learned)
        found = decide("learned", run, run="run", lags=[17], others=[])
        assert found.verdict == verdict
        assert found.value == f"lag 17 by {sum(learned)} of {len(learned)}"
        opposite = {"holds": "fails", "fails": "holds", "undecided": "undecided"}
        found = decide("learned", run, run="run", lags=[], others=[17])
        assert found.verdict == opposite[verdict]

    def test_the_interval_is_that_of_the_exact_test_with_wilsons_beside_it(
        self, tmp_path: Path
    ) -> None:
        run = finished_run(tmp_path, "run", [SOON] * 10, [True] * 9 + [False])
        found = decide("learned", run, run="run", lags=[17], others=[])
        exact = stats.binomtest(9, 10).proportion_ci(0.9, method="exact")
        assert (found.low, found.high) == pytest.approx(tuple(exact))
        assert "Wilson's, 95 %: 0.60 to 0.98" in found.note
        stricter = {"run": "run", "lags": [17], "others": [], "least_share": 0.61}
        assert decide("learned", run, **stricter).verdict == "undecided"

    def test_without_a_probe_nothing_is_decided(self, tmp_path: Path) -> None:
        run = finished_run(tmp_path, "run", [SOON])
        with pytest.raises(NotRun, match="run run: no probe of lag 17"):
            decide("learned", run, run="run", lags=[17], others=[])

    @pytest.mark.parametrize(
        ("below", "verdict"), [(0, "holds"), (1, "holds"), (5, "undecided"), (10, "fails")]
    )
    def test_stays_above(self, below: int, verdict: str, tmp_path: Path) -> None:
        low, high = [0.6, 0.41, 0.6], [0.6, 0.5, 0.6]
        run = finished_run(tmp_path, "run", [low] * below + [high] * (10 - below))
        found = decide("stays_above", run, run="run", known="lag 17", margin=0.05)
        assert found.verdict == verdict
        assert found.value == f"{10 - below} of 10"
        assert "seeds that stay above 0.4500" in found.note

    def test_a_short_last_row_does_not_fall_below(self, tmp_path: Path) -> None:
        run = finished_run(tmp_path, "run", [[0.6, 0.5, 0.6]] * 10)
        short = [r._replace(updates=31, loss=0.1) for r in run.rows if r.updates == 30]
        run.__dict__["rows"] = [*run.rows, *short]  # where cached_property keeps it
        found = decide("stays_above", run, run="run", known="lag 17", margin=0.05)
        assert found.value == "10 of 10"


class TestDepthNeeded:
    SEEDS = 8

    def decide(self, tmp_path: Path, counts: dict[int, int], depth: int) -> Finding:
        runs = [
            finished_run(
                tmp_path, f"depth{tried}", [SOON] * self.SEEDS,
                [seed < count for seed in range(self.SEEDS)],
                ["truncation.kind=true_bptt", f"truncation.depth={tried}"],
            )
            for tried, count in counts.items()
        ]  # fmt: skip
        return decide("depth_needed", *runs, names=["depth*"], lag=17, depth=depth)

    def test_it_is_the_least_from_which_on_most_seeds_learned(self, tmp_path: Path) -> None:
        found = self.decide(tmp_path, {27: 8, 17: 0, 18: 8, 12: 0}, 18)
        assert found[:5] == ("depth 18", 17, 18, 8, "holds")
        assert "12: 0 of 8; 17: 0 of 8; 18: 8 of 8; 27: 8 of 8" in found.note

    def test_another_depth_fails(self, tmp_path: Path) -> None:
        assert self.decide(tmp_path, {12: 0, 17: 0, 18: 8}, 17).verdict == "fails"
        assert self.decide(tmp_path / "b", {17: 8, 18: 8}, 18).verdict == "fails"

    def test_shares_in_between_decide_nothing(self, tmp_path: Path) -> None:
        assert self.decide(tmp_path / "a", {17: 0, 18: 4}, 18).verdict == "undecided"
        assert self.decide(tmp_path / "b", {17: 2, 18: 8}, 18).verdict == "undecided"

    def test_a_deeper_one_that_fails_moves_it(self, tmp_path: Path) -> None:
        found = self.decide(tmp_path, {17: 0, 18: 8, 20: 0, 27: 8}, 18)
        assert (found.value, found.low, found.high) == ("depth 27", 20, 27)
        assert found.verdict == "fails"

    def test_without_a_depth_that_is_too_short_nothing_is_shown(self, tmp_path: Path) -> None:
        with pytest.raises(NotRun, match="no run shorter than depth 18"):
            self.decide(tmp_path, {18: 8, 27: 8}, 18)

    def test_no_depth_may_be_enough(self, tmp_path: Path) -> None:
        found = self.decide(tmp_path, {17: 0, 18: 2}, 18)
        assert found[:4] == ("none of these", None, None, 8)
        assert found.verdict == "undecided"  # 2 of 8 may be half


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


def test_an_absent_run_is_named_with_its_reason() -> None:
    criterion = make("final_loss", run="a", expected=1, tolerance=1)
    with pytest.raises(NotRun, match="run a: killed"):
        criterion.decide(StudyRuns({}, {"a": "killed"}))


@pytest.mark.parametrize(
    ("kind", "arguments", "expected"),
    [
        ("final_loss", {"expected": 0.52, "tolerance": 0.005}, 0.52),
        ("floor", {"known": "none", "expected": 0.66, "tolerance": 0}, 0.66),
        (
            "stays_above",
            {"known": "lag 3", "margin": 0.02},
            "above “lag 3” + 0.02 in ≥ 0.5 of seeds",
        ),
        ("does_not_settle", {"rise": 0.01}, "rises ≥ 0.01 in ≥ 0.5 of seeds"),
        (
            "learned",
            {"lags": [3], "others": [8], "least_share": 0.7},
            "lag 3, not lag 8 in ≥ 0.7 of seeds",
        ),
        ("time_ratio", {"against": "b", "at_least": 1, "at_most": 2.5}, "1 to 2.5"),
        ("learns_as_soon", {"against": "b", "axis": "updates", "factor": 1.5}, "0.67 to 1.5"),
    ],
)
def test_what_is_expected_is_made_of_the_limits(
    kind: str, arguments: dict[str, object], expected: float | str
) -> None:
    assert make(kind, run="a", **arguments).expectation() == expected


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (
            "final_los",
            {},
            "criterion: not known: final_los; did you mean 'final_loss'",
        ),
        ("final_loss", {"run": "a", "expected": 1}, "tolerance: this key is needed"),
        ("final_loss", {"run": "a", "expected": 1, "tolerence": 1}, "did you mean 'tolerance'"),
        ("final_loss", {"run": "a", "expected": "x", "tolerance": 1}, "expected: .*; got 'x'"),
        ("lowers_loss", {"run": "a", "against": "a"}, "against: expected another run than a"),
        ("learned", {"run": "a", "lags": [3], "others": [3]}, "lag 3 is there 2 times"),
        ("learned", {"run": "a", "lags": [], "others": []}, "expected at least one lag"),
        (
            "time_ratio",
            {"run": "a", "against": "b", "at_least": 2, "at_most": 1},
            "at_most: expected above 2; got 1",
        ),
        (
            "learns_sooner",
            {"run": "a", "against": "b", "axis": "epochs"},
            "axis: expected 'updates', 'time_steps' or 'seconds'; got 'epochs'",
        ),
    ],
)
def test_arguments_are_checked(kind: str, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(kind, **arguments)


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (
            "floor",
            {"known": "lag 71", "expected": 1, "tolerance": 1},
            "one of the floors of run a, none, lag 17; got lag 71; did you mean 'lag 17'",
        ),
        ("stays_above", {"known": "lag", "margin": 0}, "known: expected .*; got lag"),
        ("learned", {"lags": [17], "others": [8]}, "expected a lag of run a, 17; got 8"),
        ("least_validation_loss", {"expected": 1, "tolerance": 1}, "it has no validation loss"),
        (
            "loss_of_updates",
            {"first": 11, "last": 19, "expected": 1, "tolerance": 0.1},
            "run a: it has a row each 10 updates of 2000; expected one within updates 11 to 19",
        ),
        (
            "loss_of_updates",
            {"first": 2001, "last": 2010, "expected": 1, "tolerance": 0.1},
            "expected one within updates 2001 to 2010",
        ),
    ],
)
def test_what_a_run_will_not_have_is_named_before_it_is_trained(
    kind: str, arguments: dict[str, object], message: str
) -> None:
    criterion = make(kind, run="a", **arguments)
    with pytest.raises(ValueError, match=message):
        criterion.check({"a": PlannedRun("a", load_config("lag_17"))})


def test_the_depth_of_a_claim_is_one_of_its_runs() -> None:
    overrides = ["truncation.kind=true_bptt", "truncation.depth="]
    planned = {
        f"d{depth}": PlannedRun(
            f"d{depth}", load_config("lag_17", [overrides[0], f"{overrides[1]}{depth}"])
        )
        for depth in (17, 18)
    }
    make("depth_needed", names=["d*"], lag=17, depth=18).check(planned)
    for depth in (17, 19):
        with pytest.raises(ValueError, match=f"depths 17, 18, not the least; got {depth}"):
            make("depth_needed", names=["d*"], lag=17, depth=depth).check(planned)


def test_a_task_without_its_files_is_checked_when_it_has_them() -> None:
    planned = {"a": PlannedRun("a", load_config("ptb_vanilla", ["task.path=no/such/file"]))}
    make("floor", run="a", known="anything", expected=1, tolerance=1).check(planned)


def test_the_pace_is_the_one_between_the_two_rows_that_were_least_disturbed(tmp_path: Path) -> None:
    run = finished_run(tmp_path, "run", [SOON, SOON[:2], SOON[:1]], pace=[1e-6, 2e-6, 1e-9])
    disturbed = [
        row._replace(seconds=row.seconds + 5 * row.seed + (row.updates > 20)) for row in run.rows
    ]
    run.__dict__["rows"] = disturbed  # where cached_property keeps it
    assert run.paces == {0: pytest.approx(1e-6), 1: pytest.approx(2e-6)}  # one row has no pace


def test_onsets_are_the_first_row_below_the_middle_of_the_floors(tmp_path: Path) -> None:
    run = finished_run(tmp_path, "run", [LATE, NEVER, [0.6, 0.49, 0.6, 0.6]])
    assert [(onset.updates, onset.learned) for onset in run.onsets.values()] == [
        (40, True), (60, False), (20, True),
    ]  # fmt: skip
    assert run.onsets[0].time_steps == 40 * TIME_STEPS
    assert math.isclose(run.onsets[0].seconds, 40 * TIME_STEPS * 1e-6)
