"""experiments/runs/found.py: the runs below some paths, good and bad."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.comparison.compare import CompareOptions, compare
from experiments.errors import UsageError
from experiments.runs.directory import RunDirectory
from experiments.runs.found import find_readable_runs, find_runs
from experiments.runs.replacing import move_aside
from tests.handmade import finished_run


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Three runs, "a", "b" and "c"."""
    for name in ("a", "b", "c"):
        finished_run(tmp_path / "runs", name, [[0.6, 0.5], [0.6, 0.4]])
    return tmp_path / "runs"


def names(folder: Path) -> list[str]:
    return sorted(run.directory.path.name for run in find_runs([folder]))


def test_links_are_followed_and_each_run_counts_once(runs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "links"
    folder.mkdir()
    (folder / "a").symlink_to(runs / "a")
    assert names(folder) == ["a"]
    (folder / "all").symlink_to(runs)
    assert names(folder) == ["a", "b", "c"]


def test_a_link_to_a_folder_above_is_no_endless_way(runs: Path) -> None:
    (runs / "again").symlink_to(runs)
    assert names(runs) == ["a", "b", "c"]


def test_what_is_left_of_a_run_that_was_being_replaced_is_no_run(runs: Path) -> None:
    """A process that is killed leaves the parts of the old run in a hidden folder."""
    directory = RunDirectory(runs / "a")
    move_aside(directory.path, [directory.config, directory.metrics, directory.summary])
    assert names(runs) == ["b", "c"]
    with pytest.raises(UsageError, match="no run directory here or below"):
        find_runs([directory.path])


DAMAGE: dict[str, list[Callable[[str], str]]] = {
    "metrics.csv": [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text + "a note\n",
        lambda text: text.replace("0.5", "0,5"),
        lambda text: text[:-4],
        lambda text: "",
    ],
    "summary.json": [
        lambda text: "{",
        lambda text: "[]",
        lambda text: text.replace('"complete"', "3"),
        lambda text: text.replace("0.6", "null"),
    ],
    "config.yaml": [lambda text: "", lambda text: "name: [", lambda text: "other: 1"],
}


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name in DAMAGE for number in range(len(DAMAGE[name]))]
)
def test_a_bad_file_costs_its_run_alone(runs: Path, name: str, number: int) -> None:
    path = runs / "b" / name
    path.write_bytes(DAMAGE[name][number](path.read_text()).encode())
    found = find_readable_runs([runs])
    assert [run.directory.path.name for run in found.runs] == ["a", "c"]
    (reason,) = found.unreadable
    assert str(path) in reason
    assert len(reason.splitlines()) == 1


def test_compare_names_it_and_goes_on(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = runs / "b" / "metrics.csv"
    path.write_text(path.read_text() + "a note\n")
    compare([runs], CompareOptions(tmp_path / "out"))
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert line.startswith(f"warning: left out: {path}, line 6: expected 13 fields")
    assert "report.html" in out
    assert str(path) in (tmp_path / "out" / "report.html").read_text()


def test_nothing_that_can_be_read_is_an_error(runs: Path, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (runs / name / "metrics.csv").write_text("")
    with pytest.raises(UsageError, match=r"a.metrics\.csv"):
        compare([runs], CompareOptions(tmp_path / "out"))
