"""Criteria on what a probe finds, and on when each seed learned."""

from __future__ import annotations

from pathlib import Path

import pytest
from scipy import stats

from experiments.config.compose import load_config
from experiments.reporting.claims import Finding, NotRun
from experiments.studies.planned import PlannedRun
from tests.handmade import LATE, NEVER, SOON, finished_run
from tests.studies.subjects.entries import check_on_lag_17, decide, make


class TestLearned:
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

    def test_a_part_that_fails_at_the_full_level_alone_shows_its_share_of_it(
        self, tmp_path: Path
    ) -> None:
        """1 of 8 is below one half at 5 % (p = 9/256), but not at a half of it."""
        run = finished_run(tmp_path, "run", [SOON] * 8, [True] + [False] * 7)
        for probe in run.summary["probe"]:
            probe["effects"].append({"lag": 3, "learned": False})
        found = decide("learned", run, run="run", lags=[17], others=[3])
        assert found.verdict == "undecided"
        assert found.high is not None
        assert found.high > 0.5
        assert "exact 95 % interval" in found.note
        assert "at its share of the level (1 of 2 parts)" in found.note

    def test_without_a_probe_nothing_is_decided(self, tmp_path: Path) -> None:
        run = finished_run(tmp_path, "run", [SOON])
        with pytest.raises(NotRun, match="run run: no probe of lag 17"):
            decide("learned", run, run="run", lags=[17], others=[])


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

    @pytest.mark.parametrize("order", [[8, 0], [0, 8]])
    def test_every_run_of_the_next_shorter_depth_counts(
        self, order: list[int], tmp_path: Path
    ) -> None:
        names = ["one", "other", "long"]
        learned = [[seed < count for seed in range(self.SEEDS)] for count in [*order, self.SEEDS]]
        runs = [
            finished_run(
                tmp_path, name, [SOON] * self.SEEDS, of,
                ["truncation.kind=true_bptt", f"truncation.depth={18 if name == 'long' else 17}"],
            )
            for name, of in zip(names, learned, strict=True)
        ]  # fmt: skip
        found = decide("depth_needed", *runs, names=names, lag=17, depth=18)
        assert found[:3] == ("depth 18", 17, 18)
        assert found.verdict == "fails"  # at depth 17 eight of eight seeds of one run learned

    def test_no_depth_may_be_enough(self, tmp_path: Path) -> None:
        found = self.decide(tmp_path, {17: 0, 18: 2}, 18)
        assert found[:4] == ("none of these", None, None, 8)
        assert found.verdict == "undecided"  # 2 of 8 may be half


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


class TestLearnsSooner:
    def decide(self, tmp_path: Path, run: list[list[float]], other: list[list[float]]) -> Finding:
        runs = (finished_run(tmp_path, "run", run), finished_run(tmp_path, "against", other))
        return decide("learns_sooner", *runs, run="run", against="against", axis="updates")

    def test_half_the_updates_in_every_seed(self, tmp_path: Path) -> None:
        found = self.decide(tmp_path, [SOON] * 6, [LATE] * 6)
        assert [found.value, found.low, found.high] == pytest.approx([0.5, 0.5, 0.5])
        assert (found.seeds, found.verdict) == (6, "holds")
        assert "medians 20 and 40" in found.note

    def test_the_seeds_are_the_pairs(self, tmp_path: Path) -> None:
        assert self.decide(tmp_path, [SOON] * 6, [LATE] * 3).seeds == 3

    def test_later_fails(self, tmp_path: Path) -> None:
        found = self.decide(tmp_path, [LATE] * 6, [SOON] * 6)
        assert found.value == pytest.approx(2)
        assert found.verdict == "fails"

    def test_later_at_the_full_level_alone_leaves_1_in_the_interval(self, tmp_path: Path) -> None:
        """Four of eight take twice as long: p = 0.03, and a half of 5 % is for each part."""
        found = self.decide(tmp_path, [*[LATE] * 4, *[SOON] * 4], [SOON] * 8)
        assert found.verdict == "undecided"
        assert found.low is not None
        assert found.low < 1
        assert "97.5 % interval, at its share of the level (1 of 2 parts)" in found.note

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
    run = finished_run(tmp_path, "run", [SOON, SOON], step_seconds=[3e-6, 3e-6])
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


@pytest.mark.parametrize(
    ("kind", "arguments", "expected"),
    [
        (
            "learned",
            {"lags": [3], "others": [8], "least_share": 0.7},
            "lag 3, not lag 8 in ≥ 0.7 of seeds",
        ),
        ("learns_as_soon", {"against": "b", "axis": "updates", "factor": 1.5}, "0.67 to 1.5"),
    ],
)
def test_what_is_expected_is_made_of_the_limits(
    kind: str, arguments: dict[str, object], expected: str
) -> None:
    assert make(kind, run="a", **arguments).expectation() == expected


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("learned", {"lags": [3], "others": [3]}, "lag 3 is there 2 times"),
        ("learned", {"lags": [], "others": []}, "expected at least one lag"),
        (
            "learns_sooner",
            {"against": "b", "axis": "epochs"},
            "axis: expected 'updates', 'time_steps' or 'seconds'; got 'epochs'",
        ),
    ],
)
def test_arguments_are_checked(kind: str, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(kind, run="a", **arguments)


def test_a_lag_that_a_run_will_not_have_is_named_before_it_is_trained() -> None:
    with pytest.raises(ValueError, match="expected a lag of run a, 17; got 8"):
        check_on_lag_17("learned", lags=[17], others=[8])


@pytest.mark.parametrize(
    ("kind", "limits"), [("learns_sooner", {}), ("learns_as_soon", {"factor": 2})]
)
def test_runs_that_will_share_no_seed_are_refused_before_they_are_trained(
    kind: str, limits: dict[str, object]
) -> None:
    firsts = {"a": 0, "b": 3}
    planned = {
        name: PlannedRun(
            name, load_config("lag_17", ["training.seeds=3", f"training.first_seed={first}"])
        )
        for name, first in firsts.items()
    }
    criterion = make(kind, run="a", against="b", axis="updates", **limits)
    with pytest.raises(ValueError, match="a seed that both runs have; a has 0 to 2, b 3 to 5"):
        criterion.check(planned)
