"""The least validation loss of the epochs: criteria, and a published table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.config.compose import load_config
from experiments.reporting.claims import NotRun
from experiments.runs.run import Run
from experiments.studies.planned import PlannedRun
from experiments.studies.registry import make_criterion, make_figure
from experiments.studies.runs import StudyRuns
from experiments.studies.subjects.validation_losses import LowersValidationLoss
from tests.handmade import SOON, finished_run
from tests.studies.subjects.entries import check_on_lag_17, draw, points

LOSSES = [[0.6, 0.5, 0.45], [0.6, 0.52, 0.46], [0.61, 0.51, 0.44], [0.6, 0.5, 0.45]]
TABLE = {"rows": {"r": ["a", "b"]}, "columns": ["x", "y"], "minima": {"a": 5.0, "b": 5.1}}


def test_validation_losses_are_compared_by_their_least(tmp_path: Path) -> None:
    folder = tmp_path
    there = {
        name: finished_run(
            folder,
            name,
            LOSSES,
            valid=[[loss + by for loss in seed] for seed in LOSSES],
            overrides=("training.validate_every=null",),
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


def test_a_run_that_will_not_be_validated_is_named_before_it_is_trained() -> None:
    with pytest.raises(ValueError, match="it has no validation loss"):
        check_on_lag_17("least_validation_loss", expected=1, tolerance=1)


def test_validation_table_draws_what_is_there_beside_what_was_published(tmp_path: Path) -> None:
    run = finished_run(tmp_path, "b", [SOON, SOON])
    run.summary["validation"] = {"per_seed": {"0": 5.1, "1": 5.2}}
    rows = {"first": ["a", "b"], "second": ["c", "d"]}
    minima = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}
    arguments = {"rows": rows, "columns": ["left", "right"], "minima": minima}
    (axes,) = draw("validation_table", {"b": run}, **arguments).axes
    crosses = [points(line) for line in axes.lines if line.get_marker() == "x"]
    np.testing.assert_allclose(crosses, [[[-0.11, 1], [0.89, 3]], [[0.11, 2], [1.11, 4]]])
    dots = [points(line) for line in axes.lines if line.get_marker() == "o"]
    assert [len(dot) for dot in dots] == [0, 0, 2, 0]
    np.testing.assert_allclose(dots[2], [[0.11, 5.1], [0.11, 5.2]])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"columns": ["x"]}, "rows.'r': expected 1 runs, one a column; got 2"),
        ({"minima": {"a": 5.0}}, "minima: run b: it has no published value"),
        ({"minima": {"a": 5.0, "b": 5.1, "c": 5.2}}, "minima: run c: no row names it"),
    ],
)
def test_a_table_has_a_run_and_a_published_value_in_each_cell(
    changed: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make_figure("validation_table", TABLE | changed)
