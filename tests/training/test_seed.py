"""experiments/training/seed.py: when a seed has a row, and when a checkpoint."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.runs import checkpoints
from experiments.runs.checkpoints import Checkpoint
from experiments.runs.metrics import MetricsRow
from experiments.training import runner
from experiments.training.session import TrainingSession
from tests.conftest import metrics_of, small_config, summary_of


@pytest.mark.usefixtures("only_training")
class TestRows:
    @pytest.fixture(scope="class")
    @classmethod
    def each_update(cls, tmp_path_factory: pytest.TempPathFactory) -> list[MetricsRow]:
        path = tmp_path_factory.mktemp("each")
        runner.train(small_config("logging.every=1", "training.epochs=1"), path)
        return metrics_of(path)

    @pytest.mark.parametrize("every", [7, 100, 150, 1000])
    def test_a_row_is_the_mean_since_the_row_before(
        self, each_update: list[MetricsRow], every: int, tmp_path: Path
    ) -> None:
        runner.train(small_config(f"logging.every={every}", "training.epochs=1"), tmp_path)
        losses = [row.loss for row in each_update]
        ends = [*range(every, 200, every), 200]  # what is left at the end has a row too
        rows = metrics_of(tmp_path)
        assert [row.updates for row in rows] == ends
        for row, start in zip(rows, [0, *ends], strict=False):
            assert row.loss == pytest.approx(np.mean(losses[start : row.updates]), rel=1e-9)

    @pytest.mark.parametrize("every", [7, 150, 1000])
    def test_the_final_loss_is_of_the_last_tenth_whatever_is_logged(
        self, each_update: list[MetricsRow], every: int, tmp_path: Path
    ) -> None:
        runner.train(small_config(f"logging.every={every}", "training.epochs=1"), tmp_path)
        final = summary_of(tmp_path)["final_loss"]
        assert final["per_seed"]["0"] == pytest.approx(
            np.mean([row.loss for row in each_update[180:]]), rel=1e-9
        )
        assert final["updates"] == {"0": 20}

    def test_a_mean_may_span_two_epochs(self, tmp_path: Path) -> None:
        runner.train(small_config("logging.every=150"), tmp_path)
        assert [(row.epoch, row.updates) for row in metrics_of(tmp_path)] == [
            (1, 150), (2, 300), (2, 400),
        ]  # fmt: skip


@pytest.mark.usefixtures("only_training")
def test_rows_are_seen_to_the_disk_before_a_checkpoint_and_not_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        name = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        written.append("rows" if name.endswith("/metrics.csv") else Path(name).suffix)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    config = small_config("logging.checkpoint_seconds=1000", "training.seeds=2")
    runner.train(config, tmp_path)  # four rows a seed
    trained = written[written.index("rows") : -1]
    assert trained == ["rows", ".npz"] * 2


@pytest.mark.usefixtures("only_training")
def test_at_most_a_tenth_of_the_time_goes_into_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, saved = [0.0], []
    train, save = TrainingSession.train, checkpoints.save

    def one_second(self: TrainingSession, *arguments: Any) -> dict[str, NDArray[Any]]:
        clock[0] += 1
        return train(self, *arguments)

    def three_seconds(directory: Path, checkpoint: Checkpoint) -> None:
        clock[0] += 3
        saved.append(clock[0])
        save(directory, checkpoint)

    monkeypatch.setattr(TrainingSession, "train", one_second)
    monkeypatch.setattr(checkpoints, "save", three_seconds)
    fake = SimpleNamespace(monotonic=lambda: clock[0])
    monkeypatch.setattr("experiments.training.seed.time", fake)
    runner.train(small_config("logging.checkpoint_seconds=10"), tmp_path)
    assert saved[:2] == [10 + 3, 13 + 30 + 3]
