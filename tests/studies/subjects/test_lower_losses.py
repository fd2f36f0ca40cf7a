"""Criteria that compare two runs, on runs made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from scipy import stats

from experiments.reporting.claims import NotRun
from experiments.studies.planned import PlannedRun
from experiments.studies.runs import StudyRuns
from experiments.studies.subjects.lower_losses import LowersLossOfUpdates
from tests.handmade import finished_run
from tests.studies.subjects.entries import decide, make

LOSSES = [[0.6, 0.5, 0.45], [0.6, 0.52, 0.46], [0.61, 0.51, 0.44], [0.6, 0.5, 0.45]]


def shifted(by: float) -> list[list[float]]:
    return [[loss + by for loss in seed] for seed in LOSSES]


def test_the_same_updates_are_compared(tmp_path: Path) -> None:
    there = {
        "low": finished_run(tmp_path, "low", shifted(-0.02)),
        "high": finished_run(tmp_path, "high", LOSSES),
    }
    runs = StudyRuns(there)

    def verdict(run: str, against: str, first: int, margin: float = 0.0) -> str:
        criterion = LowersLossOfUpdates.model_validate(
            {"run": run, "against": against, "first": first, "last": 30, "margin": margin}
        )
        return criterion.decide(runs).verdict

    assert verdict("low", "high", 11) == "holds"
    assert verdict("high", "low", 11) == "fails"
    assert verdict("low", "high", 11, 0.03) == "fails"  # not by so much
    assert verdict("high", "low", 11, -0.03) == "holds"  # no more than so much above
    with pytest.raises(NotRun, match="no row of updates 41 to 50"):
        LowersLossOfUpdates(run="low", against="high", first=41, last=50).decide(runs)  # type: ignore[arg-type]


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


def test_the_seeds_of_a_difference_are_those_that_it_is_of(tmp_path: Path) -> None:
    six = finished_run(tmp_path, "six", [[0.4 + seed / 100] for seed in range(6)])
    two = finished_run(tmp_path, "two", [[0.41], [0.42]])
    later = finished_run(tmp_path, "later", [[0.41], [0.42]], first_seed=6)
    found = decide("lowers_loss", six, two, run="six", against="two")
    assert (found.seeds, "paired by seed" in found.note) == (2, True)
    found = decide("lowers_loss", six, later, run="six", against="later")
    assert (found.seeds, "Welch, of 6 and 2 seeds" in found.note) == (6, True)


def test_modes_of_a_difference_are_told(tmp_path: Path) -> None:
    some = finished_run(tmp_path, "some", [[0.42]] * 3 + [[0.6]])
    every = finished_run(tmp_path, "every", [[0.42]] * 4)
    note = decide("lowers_loss", every, some, run="every", against="some").note
    assert "some: 3 of 4 seeds end below the middle of the floors" in note
    assert "every: " not in note


@pytest.mark.parametrize(
    "kind", ["lowers_loss", "lowers_loss_of_updates", "lowers_validation_loss"]
)
def test_losses_of_different_tasks_are_not_compared(kind: str, tmp_path: Path) -> None:
    lags = {"near": 4, "far": 17}
    runs = {
        name: finished_run(tmp_path, name, LOSSES, overrides=[f"task.dependencies.0.lag={lag}"])
        for name, lag in lags.items()
    }
    updates = {"first": 1, "last": 30} if kind == "lowers_loss_of_updates" else {}
    criterion = make(kind, run="near", against="far", **updates)
    message = (
        r"losses of different tasks cannot be compared: task\.dependencies\.0\.lag is 4 in near, "
        "17 in far"
    )
    with pytest.raises(ValueError, match=message):
        criterion.check({name: PlannedRun(name, run.config) for name, run in runs.items()})
    with pytest.raises(NotRun, match=message):
        criterion.decide(StudyRuns(runs))


def test_more_data_are_no_other_task(tmp_path: Path) -> None:
    low = finished_run(tmp_path, "low", shifted(-0.02))
    high = finished_run(tmp_path, "high", LOSSES, overrides=["task.size=3000000"])
    found = decide("lowers_loss", low, high, run="low", against="high")
    assert found.verdict == "holds"


def test_a_run_is_not_compared_with_itself() -> None:
    with pytest.raises(ValueError, match="against: expected another run than a"):
        make("lowers_loss", run="a", against="a")
