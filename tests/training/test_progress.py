"""experiments/training/progress.py: lines and bars of a run, and its log."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.console import quietly
from experiments.training.progress import BarProgress, PlainProgress, progress


def test_without_a_terminal_there_are_plain_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress(tmp_path / "log.txt") as line:
        assert isinstance(line, PlainProgress)
        line.log("seed 0: [done]")
    assert capsys.readouterr().out == "seed 0: [done]\n"


def test_on_a_terminal_there_is_a_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with progress(tmp_path / "log.txt") as line:
        assert isinstance(line, BarProgress)
        line.stage("compile")
        (task,) = line.bars.tasks
        assert (task.description, task.total) == ("compile", None)
        line.advance("seed 0, 1 of 2", 3, 20, 0.5)
        assert (task.description, task.completed, task.total) == ("train", 3, 20)
        assert task.fields == {"count": "3/20", "state": "seed 0, 1 of 2, loss 0.5000"}
        line.log("seed 0: [done]")
    assert (tmp_path / "log.txt").read_text().endswith(" seed 0: [done]\n")


def test_a_stage_is_one_plain_line_however_often_it_comes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = PlainProgress(tmp_path / "log.txt")
    for stage in ("import", "train", "validate", "train", "validate"):
        line.stage(stage)
    assert capsys.readouterr().out.splitlines() == [
        "stage: import", "stage: train", "stage: validate",
    ]  # fmt: skip


def test_quiet_shows_results_alone_and_logs_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with quietly(True), progress(tmp_path / "log.txt") as line:
        line.stage("train")
        line.advance("seed 0", 3, 10, 0.5)
        line.log("seed 0: done")
        line.result("  floor, lag 3\x1b: 0.5")
    assert capsys.readouterr().out == "  floor, lag 3\\x1b: 0.5\n"
    assert len((tmp_path / "log.txt").read_text().splitlines()) == 2


def test_the_log_keeps_every_line_with_its_time(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    for text in ("one", "two"):
        PlainProgress(log).log(text)
    lines = log.read_text().splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == ["one", "two"]
    assert all(line[:2] == "20" and "T" in line.split()[0] for line in lines)


def test_plain_lines_keep_their_distance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr("experiments.training.progress.time.monotonic", lambda: now[0])
    line = PlainProgress(tmp_path / "log.txt")
    for second in range(12):
        now[0] = second
        line.advance("seed 0", second, 12, 0.5)
    assert capsys.readouterr().out.splitlines() == [
        "seed 0: 5/12 updates, loss 0.5000",
        "seed 0: 10/12 updates, loss 0.5000",
    ]
