"""Runs with a loss or a weight that is not finite."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.errors import RunError
from experiments.runs.checkpoints import Checkpoint
from experiments.training import runner
from experiments.training.seed import SeedTraining
from experiments.training.session import TrainingSession
from tests.conftest import metrics_of, small_config, summary_of
from tests.training.conftest import CONFIG


class TestDiverged:
    # Adagrad would divide so large a step away; plain gradient descent does not.
    OVERRIDES = ("optimizer.kind=sgd", "optimizer.learning_rate=1e38", "training.seeds=2")

    @pytest.fixture(scope="class")
    @classmethod
    def diverged(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        path = tmp_path_factory.mktemp("diverged")
        with pytest.raises(RunError, match="the loss or a weight was not finite for seed 0, 1"):
            runner.train(small_config(*cls.OVERRIDES), path)
        return path

    def test_the_summary_says_so_for_each_seed(self, diverged: Path) -> None:
        summary = summary_of(diverged)
        assert summary["status"] == "diverged"
        assert summary["seeds"] == {"0": "diverged", "1": "diverged"}

    def test_what_there_is_is_kept(self, diverged: Path) -> None:
        rows = metrics_of(diverged)
        assert [row.seed for row in rows] == [0, 1]
        assert all(np.isfinite(row.loss) and row.updates < 400 for row in rows)
        assert (diverged / "learning_curve.png").exists()

    def test_the_updates_are_those_with_a_finite_loss(self, diverged: Path) -> None:
        updates = {str(row.seed): row.updates for row in metrics_of(diverged)}
        assert summary_of(diverged)["updates"] == updates

    def test_the_same_command_says_so_again(
        self, diverged: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(RunError, match="not finite"):
            runner.train(small_config(*self.OVERRIDES), diverged)
        assert "already diverged" in capsys.readouterr().out

    def test_a_seed_that_diverges_does_not_stop_the_others(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: Path
    ) -> None:
        train = SeedTraining.start

        def start(self: SeedTraining, seed: int) -> Checkpoint:
            checkpoint = train(self, seed)
            if seed == 0:
                variables = self._session.variables()
                name = "model/softmax/W"
                self._session.restore(variables | {name: np.full([4, 2], np.nan, np.float32)})
            return checkpoint

        monkeypatch.setattr(SeedTraining, "start", start)
        with pytest.raises(RunError, match="not finite for seed 0"):
            runner.train(CONFIG, tmp_path)
        summary = summary_of(tmp_path)
        assert summary["seeds"] == {"0": "diverged", "1": "complete"}
        assert [probe["seed"] for probe in summary["probe"]] == [1]
        assert metrics_of(tmp_path) == [row for row in metrics_of(undisturbed) if row.seed == 1]

    def test_means_are_over_the_complete_seeds(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        train = TrainingSession.train
        calls = itertools.count()

        def breaks(self: TrainingSession, *arguments: Any) -> dict[str, NDArray[Any]]:
            measured = train(self, *arguments)
            if next(calls) == 30:  # of the first of three seeds, which has a row by then
                measured["loss"][:] = np.nan
            return measured

        monkeypatch.setattr(TrainingSession, "train", breaks)
        config = small_config("training.seeds=3")
        with pytest.raises(RunError, match=r"not finite for seed 0$"):
            runner.train(config, tmp_path)
        final = summary_of(tmp_path)["final_loss"]
        assert list(final["per_seed"]) == ["0", "1", "2"]
        assert final["mean"] == pytest.approx((final["per_seed"]["1"] + final["per_seed"]["2"]) / 2)
        assert f"{final['high']:.4f} over 2 seeds" in capsys.readouterr().out

    def test_a_run_without_a_single_row_still_ends_as_diverged(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        start = SeedTraining.start

        def broken(self: SeedTraining, seed: int) -> Checkpoint:
            checkpoint = start(self, seed)
            variables = self._session.variables()
            self._session.restore(
                variables | {"model/softmax/W": np.full([4, 2], np.nan, np.float32)}
            )
            return checkpoint

        monkeypatch.setattr(SeedTraining, "start", broken)
        with pytest.raises(RunError, match="not finite"):
            runner.train(small_config(), tmp_path)
        assert summary_of(tmp_path)["status"] == "diverged"
        assert metrics_of(tmp_path) == []
