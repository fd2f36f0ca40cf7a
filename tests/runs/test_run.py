"""experiments/runs/run.py: a run read from disk, however far it came."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.errors import UsageError
from experiments.runs.metrics import MetricsFile, read_metrics
from experiments.runs.run import Run, read_run
from experiments.statistics.over_seeds import mean_over_seeds, seed_losses
from tests.handmade import LATE, NEVER, SOON, TIME_STEPS, finished_run


def with_summary(run: Run, **summary: Any) -> Run:
    return replace(run, summary=summary)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Three seeds of two rows."""
    return finished_run(tmp_path, "run", [[0.6, 0.5], [0.6, 0.4], [0.6, 0.3]])


def test_the_label_is_the_name_that_is_given_or_the_path(run: Run, tmp_path: Path) -> None:
    assert read_run(tmp_path / "run").label == str(tmp_path / "run")
    assert read_run(str(tmp_path / "run"), "n5").label == "n5"
    assert read_run(run.directory).config == run.config


def test_its_rows_are_those_of_metrics_csv(run: Run) -> None:
    assert run.rows == read_metrics(run.directory.metrics)
    assert {seed: [row.loss for row in rows] for seed, rows in run.rows_by_seed.items()} == {
        0: [0.6, 0.5], 1: [0.6, 0.4], 2: [0.6, 0.3],
    }  # fmt: skip


def test_validation_rows_are_not_among_a_seeds_training_rows(run: Run) -> None:
    last = run.rows[-1]._replace(split="valid")
    MetricsFile(run.directory.metrics).append([last])
    again = read_run(run.directory)
    assert len(again.rows) == 7
    assert again.rows_by_seed == run.rows_by_seed


def test_an_interval_of_the_final_loss_needs_two_seeds(run: Run, tmp_path: Path) -> None:
    assert run.final_losses == {0: 0.5, 1: 0.4, 2: 0.3}
    assert run.final_loss.low is not None
    single = finished_run(tmp_path, "single", [[0.6, 0.5]])
    assert single.final_loss == (0.5, None, None)


def test_a_complete_run_without_its_metrics_is_told(run: Run) -> None:
    run.directory.metrics.unlink()
    with pytest.raises(UsageError, match=r"metrics\.csv: no such file, although the run is compl"):
        _ = read_run(run.directory).rows


class TestCompleteSeeds:
    def test_all_of_a_complete_run(self, run: Run) -> None:
        assert run.complete_seeds == {0, 1, 2}

    def test_those_that_the_summary_names(self, run: Run) -> None:
        seeds = {"0": "complete", "1": "diverged", "2": "complete"}
        assert with_summary(run, status="diverged", seeds=seeds).complete_seeds == {0, 2}

    @pytest.mark.parametrize("status", ["running", "interrupted"])
    def test_those_at_the_last_update_of_a_run_that_has_not_said(
        self, status: str, tmp_path: Path
    ) -> None:
        """Seeds train side by side, so that the newest need not be the only unfinished one."""
        run = finished_run(tmp_path, "short", [[0.6], [0.6, 0.4], [0.6]])
        last = run.rows_by_seed[1][-1].updates
        assert with_summary(run, status=status, total_updates=last).complete_seeds == {1}
        assert with_summary(run, status=status, total_updates=last + 1).complete_seeds == set()

    def test_none_of_a_run_that_names_no_end(self, run: Run) -> None:
        assert with_summary(run, status="running").complete_seeds == set()


class TestARunThatHasNotStarted:
    @pytest.fixture
    def started(self, run: Run) -> Run:
        run.directory.metrics.unlink()
        run.directory.summary.unlink()
        return read_run(run.directory)

    def test_it_has_no_rows(self, started: Run) -> None:
        assert (started.status, started.rows, started.rows_by_seed) == ("not started", [], {})
        assert (started.complete_seeds, started.final_losses) == (set(), {})
        assert (started.floors, started.seconds) == ({}, 0)

    def test_whoever_needs_rows_is_told(self, started: Run, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"run: nothing to read yet: metrics\.csv has no row"):
            started.require_rows()

    def test_a_run_with_rows_is_returned_as_it_is(self, run: Run) -> None:
        assert run.require_rows() is run


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no run directory: config\.yaml expected"):
        read_run(tmp_path)


def test_the_interval_of_the_final_loss_is_that_of_the_tables(tmp_path: Path) -> None:
    """Four seeds learned and one did not: Student's t would reach below the lowest floor."""
    losses = [0.4706, 0.4712, 0.4699, 0.4710, 0.6531]
    made = finished_run(tmp_path, "divided", [[loss] for loss in losses])
    assert made.final_loss == seed_losses([*made.final_losses.values()], made.floors).mean
    assert made.final_loss.mean == pytest.approx(np.mean(losses))
    assert made.final_loss.low is not None
    assert made.final_loss.low > 0.469


def test_an_interval_of_losses_does_not_leave_their_range(tmp_path: Path) -> None:
    made = finished_run(tmp_path, "small", [[0.001], [0.2]])
    assert made.final_loss.low == 0


def test_a_loss_that_is_not_finite_has_no_interval() -> None:
    mean, *ends = mean_over_seeds([0.41, float("nan"), 0.6], {"none": 0.6, "lag 17": 0.4})
    assert np.isnan(mean)
    assert ends == [None, None]


def test_seconds_for_a_step_are_those_between_the_two_least_disturbed_rows(tmp_path: Path) -> None:
    run = finished_run(tmp_path, "run", [SOON, SOON[:2], SOON[:1]], step_seconds=[1e-6, 2e-6, 1e-9])
    disturbed = [
        row._replace(seconds=row.seconds + 5 * row.seed + (row.updates > 20)) for row in run.rows
    ]
    run.__dict__["rows"] = disturbed  # where cached_property keeps it
    assert run.step_seconds == {0: pytest.approx(1e-6), 1: pytest.approx(2e-6)}  # one row has none


def test_onsets_are_the_first_row_below_the_middle_of_the_floors(tmp_path: Path) -> None:
    run = finished_run(tmp_path, "run", [LATE, NEVER, [0.6, 0.49, 0.6, 0.6]])
    assert [(onset.updates, onset.learned) for onset in run.onsets.values()] == [
        (40, True), (60, False), (20, True),
    ]  # fmt: skip
    assert run.onsets[0].time_steps == 40 * TIME_STEPS
    assert math.isclose(run.onsets[0].seconds, 40 * TIME_STEPS * 1e-6)
