"""Criteria that compare two runs, on runs made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from experiments.config.compose import load_config
from experiments.reporting.claims import NotRun
from experiments.runs import checkpoints
from experiments.runs.run import Run, read_run
from experiments.studies.planned import PlannedRun
from experiments.studies.registry import make_criterion
from experiments.studies.runs import StudyRuns
from experiments.studies.subjects.building import BuildsFaster, FewerParameters, parameters
from experiments.studies.subjects.lower_losses import LowersLossOfUpdates
from experiments.studies.subjects.validation_losses import LowersValidationLoss
from experiments.training import runner
from tests.conftest import SMALL
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


def test_modes_of_a_difference_are_told(tmp_path: Path) -> None:
    some = finished_run(tmp_path, "some", [[0.42]] * 3 + [[0.6]])
    every = finished_run(tmp_path, "every", [[0.42]] * 4)
    note = decide("lowers_loss", every, some, run="every", against="some").note
    assert "some: 3 of 4 seeds end below the middle of the floors" in note
    assert "every: " not in note


def test_a_run_is_not_compared_with_itself() -> None:
    with pytest.raises(ValueError, match="against: expected another run than a"):
        make("lowers_loss", run="a", against="a")


def test_validation_losses_are_compared_by_their_least(tmp_path: Path) -> None:
    folder = tmp_path
    there = {
        name: finished_run(
            folder, name, LOSSES, valid=shifted(by), overrides=("training.validate_every=null",)
        )
        for name, by in (("a", 0.1), ("b", 0.2))
    }
    for run in there.values():
        run.summary["validation"] = {
            "per_seed": {
                str(seed): min(row.loss for row in rows)
                for seed, rows in run.validation_rows.items()
            }
        }
    runs = StudyRuns(there)
    holds = LowersValidationLoss(run="a", against="b").decide(runs)  # type: ignore[arg-type]
    assert holds.verdict == "holds"
    assert holds.value == pytest.approx(-0.1)
    fails = LowersValidationLoss(run="b", against="a").decide(runs)  # type: ignore[arg-type]
    assert fails.verdict == "fails"


def test_parameters_and_building(tmp_path: Path) -> None:
    keys = [*SMALL, "training.epochs=1", "task.size=2000", "model.state_size=5"]
    runner.train(load_config("r2rt_n5", [*keys, "model.cell=gru"]), tmp_path / "gru")
    wide = ["model.cell=basic_lstm", "graph.num_steps=25", "optimizer.kind=adam"]
    runner.train(load_config("r2rt_n5", [*keys, *wide]), tmp_path / "lstm")
    there = {name: read_run(tmp_path / name, name) for name in ("gru", "lstm")}
    # Two inputs and five units: 3 or 4 gates with a bias, and a softmax of two classes.
    assert parameters(there["gru"]) == 3 * 5 * (2 + 5 + 1) + 2 * (5 + 1)
    assert parameters(there["lstm"]) == 4 * 5 * (2 + 5 + 1) + 2 * (5 + 1)
    runs = StudyRuns(there)
    for share, verdict in ((0.8, "holds"), (0.7, "fails")):
        found = FewerParameters(run="gru", against="lstm", share=share).decide(runs)  # type: ignore[arg-type]
        assert found.verdict == verdict
    found = BuildsFaster(run="gru", against="lstm", times=1.1).decide(runs)  # type: ignore[arg-type]
    assert found.verdict == "holds"  # a fifth of the steps
    for path in (tmp_path / "gru" / "checkpoint").rglob("*.npz"):
        path.unlink()
    assert checkpoints.newest(there["gru"].directory.checkpoints, 0).checkpoint is None
    with pytest.raises(NotRun, match="no checkpoint"):
        parameters(there["gru"])
    assert np.isfinite(list(there["gru"].final_losses.values())).all()


def validated(folder: Path, name: str, losses: list[list[float]]) -> Run:
    """A run with these validation losses, by seed and epoch; an epoch is 10 updates."""
    run = finished_run(folder, name, losses, valid=losses)
    per_seed = {str(seed): min(epochs) for seed, epochs in enumerate(losses)}
    run.summary.update(validation={"per_seed": per_seed}, floors={})
    return run


class TestSpreadOfOtherRuns:
    """Runs of one seed, judged by the spread of runs with more."""

    @pytest.fixture
    def runs(self, tmp_path: Path) -> StudyRuns:
        losses = {
            "true": [[5.2, 5.00]],
            "tf": [[5.1, 5.04]],
            "a_more": [[5.1, 5.00], [5.1, 5.01]],
            "b_more": [[5.1, 5.02], [5.1, 5.01]],
        }
        return StudyRuns({name: validated(tmp_path, name, of) for name, of in losses.items()})

    def test_single_seeds_are_compared(self, runs: StudyRuns) -> None:
        arguments = {"run": "true", "against": "tf"}
        alone = make_criterion("lowers_validation_loss", arguments).decide(runs)
        assert alone.verdict == "undecided"
        found = make_criterion("lowers_validation_loss", {**arguments, "spread_of": ["*_more"]})
        by_spread = found.decide(runs)
        # The pooled deviation is 0.01 / √2 with 2 degrees of freedom: 0.04 ± 4.303 · 0.01.
        assert by_spread.low == pytest.approx(-0.04 - 4.3027 * 0.01, abs=1e-5)
        assert by_spread.verdict == "undecided"
        assert "by the pooled spread, 2 degrees of freedom" in by_spread.note

    def test_a_published_figure_is_one_more_run(self, runs: StudyRuns) -> None:
        arguments = {"run": "true", "expected": 5.01, "tolerance": 0.05, "spread_of": ["*_more"]}
        found = make_criterion("least_validation_loss", arguments).decide(runs)
        assert found.value == pytest.approx(5.00)
        assert found.high == pytest.approx(5.00 + 2.92 * 0.01, abs=1e-5)
        assert found.verdict == "holds"

    def test_an_exact_number_has_no_spread(self) -> None:
        arguments = {"run": "a", "expected": 5, "tolerance": 0.1, "spread_of": ["*_more"]}
        with pytest.raises(ValueError, match="spread_of: only for expected_is: one_run"):
            make_criterion("least_validation_loss", {**arguments, "expected_is": "exact"})

    def test_equal_updates_leave_later_epochs_out(self, runs: StudyRuns) -> None:
        arguments = {"run": "true", "against": "tf", "spread_of": ["*_more"]}
        early = make_criterion("lowers_validation_loss", {**arguments, "updates": 10}).decide(runs)
        assert early.value == pytest.approx(0.1)
        assert early.verdict == "fails"
        with pytest.raises(NotRun, match="no validation loss within 9 updates"):
            make_criterion("lowers_validation_loss", {**arguments, "updates": 9}).decide(runs)
        # The spread is that of the same updates: none, after the first epoch.
        assert early.low == early.high == pytest.approx(0.1)

    def test_without_the_other_runs_nothing_is_decided(self, runs: StudyRuns) -> None:
        absent = {"a_more": "not trained", "b_more": "not trained"}
        there = {name: run for name, run in runs.there.items() if name not in absent}
        alone = StudyRuns(there, absent)
        spread_of = {"run": "true", "spread_of": ["*_more"]}
        compared = make_criterion("lowers_validation_loss", {**spread_of, "against": "tf"})
        published = make_criterion(
            "least_validation_loss", {**spread_of, "expected": 5.01, "tolerance": 0.05}
        )
        for criterion, value in ((compared, -0.04), (published, 5.0)):
            found = criterion.decide(alone)
            assert found.value == pytest.approx(value)
            assert found.verdict == "undecided"
        assert "one seed has no interval" in published.decide(alone).note

    def test_updates_before_the_first_validation_are_refused(self) -> None:
        config = load_config("text_python_docs")
        planned = {name: PlannedRun(name, config) for name in ("a", "b")}
        arguments = {"run": "a", "against": "b", "updates": 5}
        with pytest.raises(ValueError, match="updates: run a is validated first after 204 updates"):
            make_criterion("lowers_validation_loss", arguments).check(planned)

    def test_a_spread_of_single_seeds_is_refused(self) -> None:
        config = load_config("text_python_docs", ["training.seeds=1"])
        planned = {name: PlannedRun(name, config) for name in ("a", "b", "c")}
        arguments = {"run": "a", "against": "b", "spread_of": ["c"]}
        with pytest.raises(ValueError, match="run c: one seed shows no spread"):
            make_criterion("lowers_validation_loss", arguments).check(planned)
