"""experiments/comparison/notes.py: the remarks on a comparison."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.comparison.compare import CompareOptions, compare
from experiments.comparison.notes import notes
from tests.comparison.by_hand import NARROW, WIDE, add, ranked


def test_remarks_fold_between_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    add(tmp_path, "wide", (0.40, 0.45, 0.50), WIDE)
    add(tmp_path, "narrow", (0.46, 0.42, 0.50), NARROW)
    compare([tmp_path], CompareOptions(tmp_path / "out"))
    *lines, _report = capsys.readouterr().out.splitlines()
    assert any(line.startswith("Tied with") for line in lines)
    assert max(map(len, lines)) <= 80


def test_equal_groups_are_tied_and_told_how_many_seeds_it_takes(tmp_path: Path) -> None:
    add(tmp_path, "wide", (0.40, 0.45, 0.50), WIDE)
    add(tmp_path, "narrow", (0.46, 0.42, 0.50), NARROW)
    compared = ranked(tmp_path)
    assert [line.standing for line in compared.lines] == ["best", "tied"]
    (note,) = (note for note in notes(compared) if note.startswith("Tied with"))
    assert f"num_steps=18 (about {compared.lines[1].seeds_needed:,} seeds)" in note


def test_different_tasks_have_a_best_each_and_pictures_each(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    for lag in (9, 17):
        for override, final in ((WIDE, 0.4), (NARROW, 0.5)):
            name = f"{lag}-{override[-2:]}"
            add(runs, name, (final, final + 0.01), override, f"task.dependencies.0.lag={lag}")
    compared = ranked(runs)
    assert [line.standing for line in compared.lines] == ["best", "worse"] * 2
    assert any("2 tasks, whose losses cannot be compared" in note for note in notes(compared))
    compare([runs], CompareOptions(tmp_path / "out"))
    pictures = {path.name for path in (tmp_path / "out").glob("*.png")}
    assert pictures == {"heat_map.png", "comparison_task_1.png", "comparison_task_2.png"}
    assert "training loss, lag=9" in (tmp_path / "out/report.html").read_text()
