"""gradients/moments.py: the weights that gradients are measured at."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from experiments.errors import RunError, UsageError
from experiments.gradients.moments import of_run, parts_of, weights_at
from experiments.runs import checkpoints
from experiments.runs.directory import RunDirectory
from experiments.training import runner
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload
from tests.conftest import small_config

# Ten updates.
SHORT = ("logging.tensorboard=false", "task.size=1000", "training.epochs=1")


class TestAlongTraining:
    def test_go_from_the_start_to_the_end(self) -> None:
        assert parts_of(6400) == [0, 100, 400, 1600, 6400]

    def test_of_a_single_update_are_before_and_after_it(self) -> None:
        assert parts_of(1) == [0, 1]

    @pytest.mark.usefixtures("only_training")
    def test_have_the_weights_that_training_has(self, tmp_path: Path) -> None:
        config = small_config("logging.tensorboard=false", "task.size=4000")
        runner.train(config, tmp_path)
        trained = checkpoints.newest(tmp_path / "checkpoint", 0).checkpoint
        assert trained is not None
        work = make_workload(config)
        with TrainingSession(build(config, work), 1) as session:
            *_, ours = weights_at([0, 3, 45, work.updates], config, work, session, 0)
        assert ours.keys() == trained.variables.keys()
        for name, value in ours.items():
            np.testing.assert_array_equal(value, trained.variables[name], err_msg=name)


class TestOfRun:
    @pytest.fixture(scope="class")
    @classmethod
    def run(cls, tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
        """Two seeds of ten updates."""
        path = tmp_path_factory.mktemp("run")
        runner.train(small_config(*SHORT, "training.seeds=2"), path)
        return RunDirectory(path)

    def test_is_one_moment_with_the_weights_of_each_seed(self, run: RunDirectory) -> None:
        found = of_run(run, range(2), "last")
        assert found.updates == [10]
        for seed, (variables,) in enumerate(found.weights):
            checkpoint = checkpoints.newest(run.checkpoints, seed).checkpoint
            assert checkpoint is not None
            assert variables.keys() == checkpoint.variables.keys()
            for name, value in variables.items():
                np.testing.assert_array_equal(value, checkpoint.variables[name])

    def test_seeds_at_different_updates_are_refused(
        self, run: RunDirectory, tmp_path: Path
    ) -> None:
        copy = RunDirectory(tmp_path / "copy")
        shutil.copytree(run.path, copy.path)
        last = checkpoints.newest(copy.checkpoints, 1).checkpoint
        assert last is not None
        shutil.rmtree(copy.checkpoints / "seed-1")
        earlier = dataclasses.replace(last.position, updates=5)
        checkpoints.save(copy.checkpoints, last._replace(position=earlier))
        with pytest.raises(UsageError, match=r"same update, found 10 of seed 0, 5 of seed 1"):
            of_run(copy, range(2), "last")

    def test_a_seed_without_a_checkpoint_is_refused(
        self, run: RunDirectory, tmp_path: Path
    ) -> None:
        copy = RunDirectory(tmp_path / "copy")
        shutil.copytree(run.path, copy.path)
        shutil.rmtree(copy.checkpoints / "seed-1")
        with pytest.raises(RunError, match="no last checkpoint; train it again"):
            of_run(copy, range(2), "last")
