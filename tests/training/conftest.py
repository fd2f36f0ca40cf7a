"""A run of two seeds that nothing disturbed, and its copies."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from experiments.config.schema import Config
from experiments.errors import Interrupted
from experiments.runs.directory import RunDirectory
from experiments.training import runner
from tests.conftest import StopAtSave, small_config

CONFIG = small_config("training.seeds=2")  # 2 seeds of 400 updates, 40 checkpoints each
SEEDS = list(CONFIG.seeds)
FLOAT64 = small_config("training.seeds=2", "graph.precision=float64")


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run directory of CONFIG. Tests of another config have a fixture of this name, too."""
    path = tmp_path_factory.mktemp("undisturbed")
    runner.train(CONFIG, path)
    return path


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A finished run of FLOAT64, which no test changes."""
    path = tmp_path_factory.mktemp("run")
    runner.train(FLOAT64, path)
    return RunDirectory(path)


@pytest.fixture
def finished(undisturbed: Path, tmp_path: Path) -> Path:
    """A copy of it, which a test may change."""
    return Path(shutil.copytree(undisturbed, tmp_path / "finished"))


def stop(config: Config, path: Path, stop_at_save: StopAtSave, number: int) -> None:
    """Train until the n-th checkpoint, and interrupt."""
    stop_at_save.arm(number)
    with pytest.raises(Interrupted):
        runner.train(config, path)
