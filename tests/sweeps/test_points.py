"""experiments/sweeps/points.py: checks before a start, shared graphs, and results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from experiments.errors import UsageError
from experiments.sweeps.points import (
    Point,
    check_can_start,
    make_points,
    read_results,
    share_graphs,
    short_names,
)
from experiments.training import session
from experiments.training.progress import progress
from experiments.training.resources import RunResources, one_graph
from experiments.training.runner import default_directory, train, train_with
from tests.conftest import assert_same_end, small_config


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def points(*variants: str) -> list[Point]:
    return make_points("r2rt_n5", [variant.split() for variant in variants])


def leave(point: Point, summary: dict[str, object]) -> None:
    point.directory.mkdir(parents=True)
    (point.directory / "summary.json").write_text(json.dumps(summary))


def test_a_point_has_the_directory_that_train_gives_it() -> None:
    overrides = ["graph.num_steps=3", "training.seeds=2"]
    (point,) = make_points("r2rt_n5", [overrides])
    assert point.directory == default_directory(point.config, overrides)
    assert point.directory == Path("runs/r2rt_n5/graph.num_steps=3,training.seeds=2")


def test_names_keep_the_settings_that_differ() -> None:
    names = [f"graph.batch_size=20,graph.num_steps={steps},task.size=20000" for steps in (1, 5)]
    assert [*short_names(names).values()] == ["graph.num_steps=1", "graph.num_steps=5"]


@pytest.mark.parametrize(
    "names",
    [
        ["a=1"],
        ["default", "a=1"],
        ["a=1", "a=1,b=2"],  # nothing is left of the first
        ["a=_1,2_", "a=_1,3_"],  # a list is one value
    ],
)
def test_a_name_stays_whole_where_nothing_can_be_left_out(names: list[str]) -> None:
    assert short_names(names) == {name: name for name in names}


class TestCheck:
    def test_it_writes_nothing(self, folder: Path) -> None:
        check_can_start(points("graph.num_steps=3", "graph.num_steps=5"))
        assert list(folder.iterdir()) == []

    def test_data_that_do_not_fit_are_named(self) -> None:
        with pytest.raises(UsageError, match="size of the data"):
            check_can_start(points("graph.num_steps=3", "task.size=10"))

    def test_two_points_of_one_directory_are_named(self) -> None:
        # Characters that a file name should not have become "_".
        with pytest.raises(UsageError, match="2 points have this name"):
            check_can_start(make_points("r2rt_n5", [["description='a b'"], ["description='a*b'"]]))

    def test_a_directory_of_another_run_is_named(self) -> None:
        one, other = points("graph.num_steps=3", "graph.num_steps=4")
        one.directory.mkdir(parents=True)
        (one.directory / "config.yaml").write_text(json.dumps(other.config.as_dict()))
        with pytest.raises(UsageError, match=r"graph\.num_steps = 4, this one has 3"):
            check_can_start([one])


class TestResults:
    @pytest.mark.parametrize(
        ("summary", "failure", "status", "reason"),
        [
            ({"status": "complete"}, "", "complete", ""),
            ({"status": "complete"}, "in use by another run", "complete", ""),
            ({"status": "failed", "reason": "the disk"}, "", "failed", "the disk"),
            ({"status": "running"}, "killed by SIGKILL", "failed", "killed by SIGKILL"),
            ({"status": "running"}, "", "interrupted", ""),
            ({"status": "interrupted"}, "its worker died", "failed", "its worker died"),
            ({"status": "diverged"}, "", "diverged", "the loss or a weight was not finite"),
        ],
    )
    def test_the_directory_decides_and_the_failure_explains(
        self, summary: dict[str, object], failure: str, status: str, reason: str
    ) -> None:
        (point,) = points("graph.num_steps=3")
        leave(point, summary)
        (result,) = read_results([point], {point.name: failure})
        assert (result.status, result.reason) == (status, reason)
        assert result.needs_training == (status not in ("complete", "diverged"))

    def test_where_there_is_nothing_it_is_missing(self) -> None:
        (result,) = read_results(points("graph.num_steps=3"), {})
        assert (result.status, result.loss, result.needs_training) == ("missing", None, True)


class TestSharing:
    @pytest.mark.parametrize(
        ("workers", "sizes"), [(1, [4, 4]), (2, [4, 4]), (3, [2, 2, 2, 2]), (8, [1] * 8)]
    )
    def test_seeds_of_one_graph_stay_together_and_no_worker_is_idle(
        self, workers: int, sizes: Sequence[int]
    ) -> None:
        steps, seeds = (3, 5), range(4)
        batches = share_graphs(
            points(*(f"graph.num_steps={n} training.first_seed={s}" for s in seeds for n in steps)),
            workers,
        )
        assert [len(batch) for batch in batches] == sizes
        for batch in batches:
            assert len({point.config.graph.num_steps for point in batch}) == 1

    def test_no_points_are_no_batches(self) -> None:
        assert share_graphs([], 2) == []

    @pytest.mark.usefixtures("only_training")
    def test_runs_of_one_session_build_one_graph_and_end_as_runs_alone(
        self, monkeypatch: pytest.MonkeyPatch, folder: Path
    ) -> None:
        built, build = [], session.build
        monkeypatch.setattr(session, "build", lambda *all: built.append(1) or build(*all))  # type: ignore[func-returns-value]
        configs = {seed: small_config(f"training.first_seed={seed}") for seed in (0, 1, 0)}
        with one_graph() as open_sessions:
            shared = {
                seed: train_with(
                    RunResources(open_sessions, progress), config, folder / f"shared{seed}"
                )
                for seed, config in configs.items()
            }
        assert len(built) == 1
        for seed, config in configs.items():
            with one_graph() as open_sessions:
                alone = train_with(
                    RunResources(open_sessions, progress), config, folder / f"alone{seed}"
                )
            assert alone["final_loss"] == shared[seed]["final_loss"]

    @pytest.mark.usefixtures("only_training")
    def test_runs_that_are_executed_otherwise_have_graphs_of_their_own(self, folder: Path) -> None:
        """As a run that is resumed may be, which keeps what it began with."""
        configs = {
            xla: small_config(f"execution.xla={xla}", "training.epochs=1") for xla in ("off", "on")
        }
        with one_graph() as open_sessions:
            resources = RunResources(open_sessions, progress)
            for xla, config in configs.items():
                train_with(resources, config, folder / f"shared_{xla}")
        for xla, config in configs.items():
            train(config, folder / f"alone_{xla}")
            assert_same_end(folder / f"shared_{xla}", folder / f"alone_{xla}", [0])
