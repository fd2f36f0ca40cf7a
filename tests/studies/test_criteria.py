"""experiments/studies/criteria.py on runs made by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from experiments.reporting.claims import Measured
from experiments.runs.run import Run
from experiments.studies.criteria import MEASURES
from tests.handmade import TIME_STEPS, finished_run

# The middle of the floors is 0.5: these learn at their row 2, 4 and never.
SOON = [0.6, 0.49, 0.41, 0.4, 0.4, 0.4]
LATE = [0.6, 0.59, 0.51, 0.49, 0.4, 0.4]
NEVER = [0.6, 0.6, 0.6, 0.6, 0.59, 0.58]


def measure(name: str, *runs: Run, **arguments: object) -> Measured:
    """A measure of these runs."""
    return MEASURES[name]({run.label: run for run in runs}, "", **arguments)


class TestLearnsSooner:
    def measure(self, tmp_path: Path, run: list[list[float]], other: list[list[float]]) -> Measured:
        runs = (finished_run(tmp_path, "run", run), finished_run(tmp_path, "against", other))
        return measure("learns_sooner", *runs, run="run", against="against", axis="updates")

    def test_half_the_updates_in_every_seed(self, tmp_path: Path) -> None:
        found = self.measure(tmp_path, [SOON, SOON], [LATE, LATE])
        assert [found.value, found.low, found.high] == pytest.approx([0.5, 0.5, 0.5])
        assert (found.seeds, found.holds) == (2, True)
        assert "medians 20 and 40" in found.note

    def test_later_does_not_hold(self, tmp_path: Path) -> None:
        found = self.measure(tmp_path, [LATE, LATE], [SOON, SOON])
        assert found.value == pytest.approx(2)
        assert not found.holds

    def test_seeds_that_disagree_do_not_hold(self, tmp_path: Path) -> None:
        found = self.measure(tmp_path, [SOON, LATE], [LATE, SOON])
        assert found.value == pytest.approx(1)
        assert not found.holds
        assert found.low == pytest.approx(0, abs=0.01)  # 2 seeds tell little

    def test_one_seed_is_no_evidence(self, tmp_path: Path) -> None:
        assert not self.measure(tmp_path, [SOON], [LATE]).holds

    def test_a_seed_of_its_own_that_never_learns_refutes_it(self, tmp_path: Path) -> None:
        learns = [SOON[:], SOON[:], SOON[:], SOON[:]]
        never = [NEVER[:] for _ in learns]
        assert self.measure(tmp_path / "a", learns, never).holds
        assert not self.measure(tmp_path / "b", [*learns[1:], NEVER], never).holds

    def test_a_seed_of_the_other_counts_with_all_its_training(self, tmp_path: Path) -> None:
        found = self.measure(tmp_path, [SOON, SOON], [NEVER, NEVER])
        assert found.value == pytest.approx(20 / 60)
        assert "not all seeds of against learned" in found.note


@pytest.mark.parametrize(("axis", "expected"), [("updates", 1), ("time_steps", 1), ("seconds", 3)])
def test_the_axis_is_followed(axis: str, expected: float, tmp_path: Path) -> None:
    run = finished_run(tmp_path, "run", [SOON, SOON], pace=[3e-6, 3e-6])
    against = finished_run(tmp_path, "against", [SOON, SOON])
    found = measure("learns_sooner", run, against, run="run", against="against", axis=axis)
    assert found.value == pytest.approx(expected)


class TestLearnsAsSoon:
    def measure(self, tmp_path: Path, other: list[list[float]], factor: float) -> bool:
        runs = (
            finished_run(tmp_path, "run", [SOON, SOON]),
            finished_run(tmp_path, "against", other),
        )
        names = {"run": "run", "against": "against"}
        return measure("learns_as_soon", *runs, **names, axis="updates", factor=factor).holds

    def test_the_factor_decides(self, tmp_path: Path) -> None:
        assert self.measure(tmp_path / "a", [LATE, LATE], 2.01)
        assert not self.measure(tmp_path / "b", [LATE, LATE], 1.99)

    def test_the_whole_interval_must_be_within_it(self, tmp_path: Path) -> None:
        assert not self.measure(tmp_path, [SOON, LATE], 2.01)

    def test_who_never_learns_does_not_learn_as_soon(self, tmp_path: Path) -> None:
        assert not self.measure(tmp_path, [NEVER, NEVER], 100)


class TestLeastValidationLoss:
    def measure(self, tmp_path: Path, losses: dict[str, float], tolerance: float) -> Measured:
        run = finished_run(tmp_path, "run", [[0.4]] * len(losses))
        run.summary["validation"] = {"per_seed": losses}
        function = MEASURES["least_validation_loss"]
        return function({"run": run}, 5.04, run="run", tolerance=tolerance)

    def test_the_mean_over_seeds_is_within_the_tolerance(self, tmp_path: Path) -> None:
        losses = {"0": 5.06, "1": 5.08}
        found = self.measure(tmp_path / "a", losses, 0.031)
        assert (found.seeds, found.holds) == (2, True)
        assert found.value == pytest.approx(5.07)
        assert found.low == pytest.approx(5.07 - 0.127, abs=0.001)  # 12.7 · 0.01
        assert not self.measure(tmp_path / "b", losses, 0.029).holds

    def test_a_loss_that_is_too_low_does_not_hold_either(self, tmp_path: Path) -> None:
        assert not self.measure(tmp_path, {"0": 4.9}, 0.05).holds


class TestDepthNeeded:
    def measure(self, tmp_path: Path, counts: dict[int, int], depth: int) -> Measured:
        runs = [
            finished_run(
                tmp_path, f"depth{tried}", [SOON, SOON], [seed < count for seed in range(2)],
                ["truncation.kind=true_bptt", f"truncation.depth={tried}"],
            )
            for tried, count in counts.items()
        ]  # fmt: skip
        names = [run.label for run in runs]
        return measure("depth_needed", *runs, names=names, lag=17, depth=depth)

    def test_it_is_the_least_from_which_on_every_seed_learned(self, tmp_path: Path) -> None:
        found = self.measure(tmp_path, {27: 2, 17: 1, 18: 2, 12: 0}, 18)
        assert found[:5] == ("depth 18", 17, 18, 2, True)
        assert "12: 0 of 2; 17: 1 of 2; 18: 2 of 2; 27: 2 of 2" in found.note

    def test_another_depth_does_not_hold(self, tmp_path: Path) -> None:
        assert not self.measure(tmp_path, {17: 1, 18: 2}, 17).holds

    def test_a_deeper_one_that_fails_moves_it(self, tmp_path: Path) -> None:
        found = self.measure(tmp_path, {17: 0, 18: 2, 20: 1, 27: 2}, 18)
        assert (found.value, found.low, found.high, found.holds) == ("depth 27", 20, 27, False)

    def test_without_a_depth_that_is_too_short_nothing_is_shown(self, tmp_path: Path) -> None:
        found = self.measure(tmp_path, {18: 2, 27: 2}, 18)
        assert (found.value, found.low, found.holds) == ("depth 18", None, False)

    def test_no_depth_may_be_enough(self, tmp_path: Path) -> None:
        found = self.measure(tmp_path, {17: 0, 18: 1}, 18)
        assert found[:5] == ("none of these", None, None, 2, False)


class TestTimeRatio:
    def measure(self, tmp_path: Path, at_least: float, at_most: float) -> Measured:
        run = finished_run(tmp_path, "run", [SOON] * 3, pace=[100e-6, 4e-6, 9e-6])
        against = finished_run(tmp_path, "against", [SOON] * 3, pace=[2e-6, 3e-6, 4e-6])
        names = {"run": "run", "against": "against"}
        return measure("time_ratio", run, against, **names, at_least=at_least, at_most=at_most)

    def test_it_is_the_one_of_the_fastest_seeds(self, tmp_path: Path) -> None:
        found = self.measure(tmp_path, 1.9, 2.1)
        assert found.value == pytest.approx(2)
        assert (found.seeds, found.holds) == (3, True)
        assert "medians over seeds 3.00" in found.note

    @pytest.mark.parametrize(("at_least", "at_most"), [(2.1, 3), (1, 1.9)])
    def test_outside_of_the_limits_it_fails(
        self, at_least: float, at_most: float, tmp_path: Path
    ) -> None:
        assert not self.measure(tmp_path, at_least, at_most).holds


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
