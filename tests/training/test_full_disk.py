"""A disk that fills up: one line of error, nothing lost, and rerunning the command resumes."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.errors import RunError
from experiments.runs import checkpoints
from experiments.runs.metrics import columns
from experiments.training import runner
from tests.conftest import (
    SMALL,
    assert_same_end,
    count_lines,
    run_command,
    small_config,
    summary_of,
)

OVERRIDES = ("training.epochs=4",)
SmallDisk = Callable[[str], Path]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run directory of a run that has enough room."""
    path = tmp_path_factory.mktemp("undisturbed")
    runner.train(small_config(*OVERRIDES), path)
    return path


def assert_intact(path: Path) -> None:
    """Everything that a run wrote before the disk was full can be read."""
    for checkpoint in (path / "checkpoint").glob("*/[0-9]*.npz"):
        checkpoints.load(checkpoint)
    if (path / "metrics.csv").exists():
        content = (path / "metrics.csv").read_text()
        assert content == "" or content.startswith(",".join(columns()) + "\n")
        assert content == "" or content.endswith("\n")


@pytest.mark.parametrize("size", ["20k", "40k", "64k", "96k"])
def test_training_says_so_and_goes_on_when_there_is_room(
    small_disk: SmallDisk, undisturbed: Path, size: str
) -> None:
    disk = small_disk(size)
    (disk / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match=r"the disk is full .* rerun the command to resume"):
        runner.train(small_config(*OVERRIDES), disk / "run")
    assert (disk / "notes.txt").read_text() == "mine"
    assert_intact(disk / "run")
    small_disk("10m")
    runner.train(small_config(*OVERRIDES), disk / "run")
    assert_same_end(disk / "run", undisturbed, [0])


def test_so_it_does_where_metrics_csv_is_what_fills_it(
    small_disk: SmallDisk, tmp_path: Path
) -> None:
    config = small_config(
        "logging.every=1", "logging.tensorboard=false", "logging.checkpoint_seconds=1000",
        *OVERRIDES,
    )  # fmt: skip
    runner.train(config, tmp_path / "roomy")
    disk = small_disk("32k")
    with pytest.raises(RunError, match="the disk is full"):
        runner.train(config, disk / "run")
    assert count_lines(disk / "run" / "metrics.csv") > 100
    assert_intact(disk / "run")
    small_disk("10m")
    runner.train(config, disk / "run")
    assert_same_end(disk / "run", tmp_path / "roomy", [0])


def test_the_command_exits_1_with_one_line(small_disk: SmallDisk, undisturbed: Path) -> None:
    disk = small_disk("64k")
    arguments = ("train", "r2rt_n5", *SMALL, *OVERRIDES, "--run-dir", disk / "run")
    full = run_command(arguments, disk)
    assert full.returncode == 1
    (line,) = full.stderr.splitlines()
    assert line.startswith(f"error: {disk / 'run'}: the disk is full")
    assert "Traceback" not in full.stdout
    small_disk("10m")
    runner.train(small_config(*OVERRIDES), disk / "run")
    assert_same_end(disk / "run", undisturbed, [0])


@pytest.mark.usefixtures("only_training")
@pytest.mark.parametrize("at_fsync", [1, 2, 3, 4, 5, 6, 17])
def test_whichever_write_fails_first_the_run_can_go_on(
    tmp_path: Path, undisturbed: Path, monkeypatch: pytest.MonkeyPatch, at_fsync: int
) -> None:
    fsync, calls = os.fsync, 0

    def full(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls >= at_fsync:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(RunError, match="the disk is full"):
            runner.train(small_config(*OVERRIDES), tmp_path)
    assert_intact(tmp_path)
    runner.train(small_config(*OVERRIDES), tmp_path)
    assert_same_end(tmp_path, undisturbed, [0])


def test_another_error_of_the_disk_is_told_as_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(RunError, match="Input/output error"):
        runner.train(small_config(), tmp_path)


def test_the_summary_says_failed_where_it_still_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoints, "save", full)
    with pytest.raises(RunError, match="the disk is full"):
        runner.train(small_config(), tmp_path)
    summary = summary_of(tmp_path)
    assert summary["status"] == "failed"
    assert "No space left" in summary["reason"]
