"""experiments/training/resume.py: where a run resumes, decided from its files alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.streams import state_of, training_stream
from experiments.runs.checkpoints import Checkpoint, Position, save
from experiments.runs.directory import RunDirectory
from experiments.runs.metrics import MetricsFile, MetricsRow
from experiments.training.resume import ResumePoint, find_resume_point
from tests.conftest import count_lines, small_config

CONFIG = small_config("training.seeds=3")


class Logged:
    """A Progress that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def log(self, text: str) -> None:
        self.lines.append(text)

    def result(self, text: str) -> None:
        self.lines.append(text)

    def stage(self, name: str) -> None:
        raise AssertionError("nothing is trained here")

    def advance(self, what: str, done: int, total: int, loss: float) -> None:
        raise AssertionError("nothing is trained here")


class Run:
    """A run directory in the making."""

    def __init__(self, path: Path) -> None:
        self.directory = RunDirectory(path)
        self.progress = Logged()
        self.metrics = MetricsFile(self.directory.metrics)
        self.metrics.cut(0)

    def train(self, seed: int, updates: int, status: str = "running") -> Path:
        """One more row and a checkpoint after it."""
        self.metrics.append([MetricsRow(seed, 1, updates, updates, 0.5, "train", 0.6)])
        position = Position(
            seed, updates=updates, status=status, metrics_bytes=self.metrics.size()
        )  # fmt: skip
        variables = {"W": np.zeros(2)}
        save(
            self.directory.checkpoints,
            Checkpoint(position, state_of(training_stream(seed)), variables),
        )
        return self.directory.checkpoints / f"seed-{seed}" / f"{updates:012d}.npz"

    def find(self) -> ResumePoint:
        return find_resume_point(CONFIG, self.directory, self.progress)

    @property
    def rows(self) -> int:
        return count_lines(self.directory.metrics) - 1


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_a_new_run_starts_at_the_start(run: Run) -> None:
    run.directory.metrics.unlink()
    assert run.find() == ResumePoint([], None)
    assert run.rows == 0
    assert run.progress.lines == []


def test_a_seed_under_way_resumes_at_its_newest_checkpoint(run: Run) -> None:
    for updates in (100, 200):
        run.train(0, updates)
    run.metrics.append([MetricsRow(0, 1, 300, 300, 0.5, "train", 0.6)])  # after the checkpoint
    point = run.find()
    assert point.finished == []
    assert point.checkpoint is not None
    assert point.checkpoint.position.updates == 200
    assert run.rows == 2


def test_a_half_written_row_is_cut_off(run: Run) -> None:
    run.train(0, 100)
    intact = run.directory.metrics.read_bytes()
    run.directory.metrics.write_bytes(intact + b"0,1,200,")
    run.find()
    assert run.directory.metrics.read_bytes() == intact


@pytest.mark.parametrize("status", ["complete", "diverged"])
def test_the_seed_after_a_finished_one_starts_anew(run: Run, status: str) -> None:
    run.train(0, 100, status)
    run.metrics.append([MetricsRow(1, 1, 100, 100, 0.5, "train", 0.6)])  # no checkpoint yet
    point = run.find()
    assert [position.seed for position in point.finished] == [0]
    assert point.checkpoint is None
    assert run.rows == 1


def test_all_seeds_finished_leave_nothing_to_do(run: Run) -> None:
    for seed in CONFIG.seeds:
        run.train(seed, 100, "complete")
    point = run.find()
    assert [position.seed for position in point.finished] == [0, 1, 2]
    assert point.checkpoint is None
    assert run.rows == 3


def test_a_damaged_checkpoint_is_logged_removed_and_passed_over(run: Run) -> None:
    run.train(0, 100)
    damaged = run.train(0, 200)
    damaged.write_bytes(damaged.read_bytes()[:1000])
    point = run.find()
    assert point.checkpoint is not None
    assert point.checkpoint.position.updates == 100
    assert run.progress.lines == [
        f"checkpoint {damaged}: cannot be used; falling back to update 100"
    ]  # fmt: skip
    assert not damaged.exists()
    assert run.rows == 1


def test_with_every_checkpoint_damaged_the_seed_starts_again(run: Run) -> None:
    run.train(0, 100, "complete")
    for path in (run.train(1, 100), run.train(1, 200)):
        path.write_bytes(b"")
    point = run.find()
    assert [position.seed for position in point.finished] == [0]
    assert point.checkpoint is None
    assert run.rows == 1
    assert len(run.progress.lines) == 2
    assert all("falling back to the start of the seed" in line for line in run.progress.lines)


def test_a_finished_seed_that_falls_back_takes_the_later_seeds_with_it(run: Run) -> None:
    run.train(0, 100)
    run.train(0, 200, "complete").write_bytes(b"")
    run.train(1, 100)
    point = run.find()
    assert point.finished == []
    assert point.checkpoint is not None
    assert point.checkpoint.position.updates == 100
    assert run.rows == 1
    assert not list((run.directory.checkpoints / "seed-1").iterdir())


def test_without_metrics_csv_nothing_counts_as_done(run: Run) -> None:
    run.train(0, 100, "complete")
    run.directory.metrics.unlink()
    assert run.find() == ResumePoint([], None)
    assert run.rows == 0
