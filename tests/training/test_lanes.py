"""experiments/training/lanes.py: seeds side by side end as seeds one after the other."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from experiments.errors import Interrupted
from experiments.training import runner
from experiments.training.lanes import lanes
from experiments.training.seed import SeedTraining
from experiments.training.side_by_side import side_by_side
from tests.conftest import StopAtSave, assert_same_end, metrics_of, small_config, summary_of

SEEDS = range(3)
ONE_BY_ONE = small_config("training.seeds=3")
SIDE_BY_SIDE = small_config("training.seeds=3", "execution.threads=auto")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The seeds trained one after the other."""
    folder = tmp_path_factory.mktemp("undisturbed")
    runner.train(ONE_BY_ONE, folder)
    return folder


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "2")


@pytest.fixture
def threads_of_seeds(monkeypatch: pytest.MonkeyPatch) -> dict[int, str]:
    """The thread that each seed is trained in."""
    found: dict[int, str] = {}
    run = SeedTraining.run

    def noted(self: SeedTraining, start: object) -> object:
        found[start.position.seed] = threading.current_thread().name  # type: ignore[attr-defined]
        return run(self, start)  # type: ignore[arg-type]

    monkeypatch.setattr(SeedTraining, "run", noted)
    return found


def test_they_end_the_same(
    tmp_path: Path, undisturbed: Path, threads_of_seeds: dict[int, str]
) -> None:
    runner.train(SIDE_BY_SIDE, tmp_path)
    assert_same_end(tmp_path, undisturbed, SEEDS)
    assert [row.seed for row in metrics_of(tmp_path)] == [s for s in SEEDS for _ in range(4)]
    assert len(set(threads_of_seeds.values())) == 2
    assert summary_of(tmp_path)["execution"] == {"xla": "off", "onednn": "off", "threads": 1}


def test_stopped_they_resume(
    tmp_path: Path, undisturbed: Path, stop_at_save: StopAtSave
) -> None:  # fmt: skip
    stop_at_save.arm(30)
    with pytest.raises(Interrupted, match="rerun the command to resume"):
        runner.train(SIDE_BY_SIDE, tmp_path)
    begun = {row.seed for row in metrics_of(tmp_path)}
    assert len(begun) == 2
    assert summary_of(tmp_path)["status"] == "interrupted"
    runner.train(SIDE_BY_SIDE, tmp_path)
    assert_same_end(tmp_path, undisturbed, SEEDS)


def test_an_error_in_one_lane_stops_the_others(
    tmp_path: Path, undisturbed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = SeedTraining.start

    def broken(self: SeedTraining, seed: int) -> object:
        if seed == 1:
            raise ZeroDivisionError("of all things")
        return start(self, seed)

    with monkeypatch.context() as patch:
        patch.setattr(SeedTraining, "start", broken)
        with pytest.raises(ZeroDivisionError):
            runner.train(SIDE_BY_SIDE, tmp_path)
    assert summary_of(tmp_path)["status"] == "failed"
    assert 2 not in {row.seed for row in metrics_of(tmp_path)}
    runner.train(SIDE_BY_SIDE, tmp_path)
    assert_same_end(tmp_path, undisturbed, SEEDS)


@pytest.mark.parametrize(
    ("asked", "decided", "expected"),
    [
        ("training.seeds=3", "execution.threads=1", 2),
        ("training.seeds=1", "execution.threads=1", 1),
        ("training.seeds=3", "execution.threads=2", 1),  # a wide model takes the cores itself
        ("execution.threads=1", "execution.threads=1", 1),
        ("execution.threads=null", "execution.threads=null", 1),
    ],
)
def test_there_are_as_many_as_the_cores_allow(asked: str, decided: str, expected: int) -> None:
    auto = ("training.seeds=3", "execution.threads=auto")
    assert lanes(small_config(*auto, asked), small_config(*auto, decided)) == expected


def test_an_error_is_raised_rather_than_the_stop_that_it_caused() -> None:
    def stopped() -> None:
        raise Interrupted("stopped")

    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        side_by_side([stopped, broken])
